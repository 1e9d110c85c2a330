"""The figures of assignment (rule 30): each a count over what is stored, as of one deciding time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from contracts.figures import Cell, Figure, Figures
from messaging import Connection

_PLACES_AND_TIMES: Final = {"district", "village", "office", "giver", "period"}
_WHERE_AND_WHEN: Final = ("period", "district", "office", "period,district")


@dataclass(frozen=True, slots=True)
class _Count:
    """Rows that were counted, out of which."""

    as_of: datetime
    counted: Sequence[asyncpg.Record]
    out_of: Sequence[asyncpg.Record]
    unit: str = "households"


async def list_figures(db: Connection, district: str | None, month: str | None) -> Figures:
    """All of them; of one district, and pledges and visits of one month, where asked for."""
    as_of: datetime = await db.fetchval("select now() + ahead from clock")
    figures = [
        *await _served(db, as_of, district),
        *await _distances(db, as_of, district),
        await _loads(db, as_of),
        await _hand_overs(db, as_of, district),
        *await _pledges(db, as_of, district, month),
        *await _visits(db, as_of, district, month),
        await _late(db, as_of, district, month),
    ]
    return Figures(service="assignment", figures=tuple(figures))


async def _served(db: Connection, as_of: datetime, district: str | None) -> list[Figure]:
    rows = await db.fetch(
        """
        select household.district, village, carer_id is not null as has_carer,
               case when waiting_for = 'new' and state ->> 'reason' is null then 'not_matched_yet'
                    else coalesce(state ->> 'reason', 'none') end as reason,
               coalesce(state -> 'choice' ->> 'way', 'none') as way,
               count(*) as households
        from household
        join assignment using (household_id)
        where status = 'registered' and cardinality(programmes) > 0 and ($1::text is null or household.district = $1)
        group by 1, 2, 3, 4, 5
        """,
        district,
    )
    served = [row for row in rows if row["has_carer"]]
    without = [row for row in rows if not row["has_carer"]]
    return [
        _figure(
            "households_with_carer",
            "Households with a carer, one who has left and not yet handed over included, out of the eligible.",
            _Count(as_of, served, rows),
            "district",
            "village",
        ),
        _figure(
            "households_without_carer",
            "Eligible households that nobody looks after, by the reason last given, out of the eligible.",
            _Count(as_of, without, rows),
            "district",
            "reason",
            "district,reason",
        ),
        _figure(
            "assignments_by_way",
            "Households by how their carer was chosen, out of those with a carer.",
            _Count(as_of, served, served),
            "way",
        ),
    ]


async def _distances(db: Connection, as_of: datetime, district: str | None) -> list[Figure]:
    rows = await db.fetch(
        """
        select coalesce(state ->> 'district', 'all') as district,
               percentile_disc(array[0.5, 0.95]) within group (order by (state -> 'choice' ->> 'metres')::integer) as at
        from assignment
        where state -> 'choice' ->> 'metres' is not null and ($1::text is null or state ->> 'district' = $1)
        group by grouping sets ((), (state ->> 'district'))
        """,
        district,
    )
    total = next((row["at"] for row in rows if row["district"] == "all"), None) or (0, 0)
    return [
        Figure(
            name=f"distance_p{percent}",
            numerator=total[place],
            unit="metres",
            as_of=as_of,
            definition=f"Metres from door to carer, great circle, that {percent} % of assignments do not exceed.",
            by={
                "district": {
                    row["district"]: Cell(numerator=row["at"][place]) for row in rows if row["district"] != "all"
                }
            },
        )
        for place, percent in enumerate((50, 95))
    ]


async def _loads(db: Connection, as_of: datetime) -> Figure:
    rows = await db.fetch(
        """
        select coalesce(held, 0)::text as held, count(*) as households
        from carer
        left join (
            select carer_id, count(*) as held from assignment where carer_id is not null group by carer_id
        ) as load using (carer_id)
        where status = 'active'
        group by 1
        """
    )
    return _figure(
        "carers_with_households",
        "Active carers who look after at least one household, out of the active ones; by how many they look after.",
        _Count(as_of, [row for row in rows if row["held"] != "0"], rows, "carers"),
        "held",
    )


async def _hand_overs(db: Connection, as_of: datetime, district: str | None) -> Figure:
    rows = await db.fetch(
        """
        select change.reason, change.late, count(*) as households
        from (
            select household_id, reason, coalesce(until - left_at > interval '1 day', false) as late
            from tenure
            where next_carer_id is not null
            union all
            select assignment.household_id, 'carer_left', true
            from assignment
            join carer using (carer_id)
            where waiting_for = 'carer_left' and $1 - left_at > interval '1 day'
        ) as change
        join household using (household_id)
        where $2::text is null or district = $2
        group by 1, 2
        """,
        as_of,
        district,
    )
    return _figure(
        "hand_overs_after_more_than_a_day",
        "Hand-overs more than 24 hours after the carer left, those still to be made included, out of all hand-overs.",
        _Count(as_of, [row for row in rows if row["late"]], rows),
        "reason",
    )


async def _pledges(db: Connection, as_of: datetime, district: str | None, month: str | None) -> list[Figure]:
    rows = await db.fetch(
        """
        select pledge.status, state ->> 'giver_id' as giver, count(*) as households
        from pledge
        join household using (household_id)
        where ($1::text is null or district = $1) and ($2::text is null or left(period, 7) = $2)
        group by 1, 2
        """,
        district,
        month,
    )
    return [
        _figure(
            "pledges_made",
            "Packages that partners have promised, those confirmed or lapsed included.",
            _Count(as_of, rows, rows, "packages"),
            "status",
            "giver,status",
        ),
        _figure(
            "pledges_confirmed",
            "Packages that partners have promised and confirmed, out of all promised.",
            _Count(as_of, [row for row in rows if row["status"] == "confirmed"], rows, "packages"),
            "giver",
        ),
    ]


async def _visits(db: Connection, as_of: datetime, district: str | None, month: str | None) -> list[Figure]:
    """A household is due in a period when a visit happened or was said to be missing."""
    rows = await db.fetch(
        """
        select period, due.district, coalesce(office_id, 'unknown') as office, happened, count(*) as households
        from (
            select distinct on (household_id, period)
                   household_id, period, state ->> 'district' as district, (state ->> 'carer_id')::uuid as carer_id,
                   true as happened
            from visit
            where visit.happened
            union all
            select household_id, period, state ->> 'district', (state ->> 'carer_id')::uuid, false
            from overdue_visit
            where not exists (
                select from visit
                where visit.household_id = overdue_visit.household_id and visit.period = overdue_visit.period
                  and visit.happened
            )
        ) as due
        left join carer using (carer_id)
        where ($1::text is null or due.district = $1) and ($2::text is null or left(period, 7) = $2)
        group by 1, 2, 3, 4
        """,
        district,
        month,
    )
    return [
        _figure(
            "visits_happened",
            "Households where somebody was met in a period, out of those due; late reports count for their period.",
            _Count(as_of, [row for row in rows if row["happened"]], rows),
            *_WHERE_AND_WHEN,
        ),
        _figure(
            "visits_overdue",
            "Households whose period ended without a visit that happened and is still unreported, out of those due.",
            _Count(as_of, [row for row in rows if not row["happened"]], rows),
            *_WHERE_AND_WHEN,
        ),
    ]


async def _late(db: Connection, as_of: datetime, district: str | None, month: str | None) -> Figure:
    rows = await db.fetch(
        """
        select period, first_received_at - (state ->> 'happened_at')::timestamptz > interval '72 hours' as late,
               count(*) as households
        from visit
        where ($1::text is null or state ->> 'district' = $1) and ($2::text is null or left(period, 7) = $2)
        group by 1, 2
        """,
        district,
        month,
    )
    return _figure(
        "visits_reported_late",
        "Reports that came more than 72 hours after the visit, out of all reports, those without anybody met included.",
        _Count(as_of, [row for row in rows if row["late"]], rows, "visits"),
        "period",
    )


def _figure(name: str, definition: str, count: _Count, *by: str) -> Figure:
    """`by` names the breakdowns: one column, or two with a comma between."""
    return Figure(
        name=name,
        numerator=_sum(count.counted),
        denominator=_sum(count.out_of),
        unit=count.unit,
        as_of=count.as_of,
        definition=definition,
        by={title: _cells(count, tuple(title.split(","))) for title in by},
    )


def _cells(count: _Count, columns: tuple[str, ...]) -> dict[str, Cell]:
    """By where or when it was, each with its own denominator; by what it was, plain counts."""
    numerators = _by_key(count.counted, columns)
    if not _PLACES_AND_TIMES.issuperset(columns):
        return {key: Cell(numerator=numerator) for key, numerator in sorted(numerators.items())}
    denominators = _by_key(count.out_of, columns)
    return {
        key: Cell(numerator=numerators.get(key, 0), denominator=denominator)
        for key, denominator in sorted(denominators.items())
    }


def _by_key(rows: Iterable[asyncpg.Record], columns: tuple[str, ...]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        key = ",".join(str(row[column]) for column in columns)
        sums[key] = sums.get(key, 0) + row["households"]
    return sums


def _sum(rows: Iterable[asyncpg.Record]) -> int:
    return sum(row["households"] for row in rows)
