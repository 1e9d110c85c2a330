"""The registry's figures (rule 30): counted where the rows are, a few statements for all of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from asyncpg import Record

from messaging import Connection
from messaging.figures import Cell, Figure, Figures, breakdown


async def list_figures(db: Connection, district: str | None) -> Figures:
    """Every figure, of one district or of all."""
    as_of: datetime = await db.fetchval("select now() + ahead from clock")
    figures = [
        *_of_households(await _count_households(db, district), as_of),
        await _eligible_by_programme(db, district, as_of),
        await _left(db, district, as_of),
        await _reviews(db, district, as_of),
        await _candidates(db, district, as_of),
        await _conflicts(db, district, as_of),
    ]
    if district is None:  # what has no district
        figures += [await _carers(db, as_of), await _vault_reads(db, as_of), await _refused(db, as_of)]
    return Figures(service="registry", figures=tuple(figures))


async def _count_households(db: Connection, district: str | None) -> list[Record]:
    return await db.fetch(
        """
        select district, village, status, (state ->> 'provisional')::boolean as provisional,
          state ->> 'nik_status' as nik_status, state ->> 'decile' as decile,
          jsonb_array_length(state -> 'eligibilities') > 0 as has_programmes, count(*)::int as households
        from household
        where $1::text is null or district = $1
        group by 1, 2, 3, 4, 5, 6, 7
        """,
        district,
    )


def _of_households(rows: Sequence[Record], as_of: datetime) -> list[Figure]:
    def served(row: Record) -> bool:
        return bool(row["status"] == "registered" and not row["provisional"])

    def eligible(row: Record) -> bool:
        return bool(served(row) and row["has_programmes"])

    listed = [row for row in rows if served(row)]
    return [
        Figure(
            name="households_registered",
            definition="Households on a list, neither left nor provisional, out of all ever known.",
            unit="households",
            as_of=as_of,
            numerator=_sum(listed),
            denominator=_sum(rows),
            by={
                "status": _shares(rows, "status", lambda _: True),
                "district": _shares(rows, "district", served),
                "village": _shares(rows, "village", served),
                "decile": _shares(listed, "decile", lambda _: True),
            },
        ),
        Figure(
            name="households_eligible",
            definition="Registered households that may have at least one programme, out of the registered.",
            unit="households",
            as_of=as_of,
            numerator=_sum(row for row in rows if eligible(row)),
            denominator=_sum(listed),
            by={"district": _shares(listed, "district", eligible), "village": _shares(listed, "village", eligible)},
        ),
        Figure(
            name="households_without_valid_nik",
            definition="Registered households whose head's NIK is missing or odd, out of the registered; all are served.",
            unit="households",
            as_of=as_of,
            numerator=_sum(row for row in listed if row["nik_status"] != "valid"),
            denominator=_sum(listed),
            by={
                "nik_status": _shares(listed, "nik_status", lambda _: True),
                "district": _shares(listed, "district", lambda row: bool(row["nik_status"] != "valid")),
            },
        ),
    ]


async def _eligible_by_programme(db: Connection, district: str | None, as_of: datetime) -> Figure:
    rows = await db.fetch(
        """
        select held ->> 'programme' as programme, held ->> 'basis' as basis, district, count(*)::int as households
        from household, jsonb_array_elements(state -> 'eligibilities') as held
        where status = 'registered' and not (state ->> 'provisional')::boolean and ($1::text is null or district = $1)
        group by 1, 2, 3
        """,
        district,
    )
    return Figure(
        name="eligibilities",
        definition="Programmes that registered households may have; a household counts once for each.",
        unit="eligibilities",
        as_of=as_of,
        numerator=_sum(rows),
        denominator=None,
        by={
            "programme": _counts(rows, "programme"),
            "basis": _counts(rows, "basis"),
            "district,programme": _counts(rows, "district", "programme"),
        },
    )


async def _left(db: Connection, district: str | None, as_of: datetime) -> Figure:
    rows = await db.fetch(
        """
        select state ->> 'reason' as reason, district, count(*)::int as households
        from household
        where status = 'left' and ($1::text is null or district = $1)
        group by 1, 2
        """,
        district,
    )
    return Figure(
        name="households_left",
        definition="Households where nobody is served any more.",
        unit="households",
        as_of=as_of,
        numerator=_sum(rows),
        denominator=None,
        by={"reason": _counts(rows, "reason"), "district": _counts(rows, "district")},
    )


async def _reviews(db: Connection, district: str | None, as_of: datetime) -> Figure:
    rows = await db.fetch(
        """
        select review.reason, review.programme, household.district, coalesce(review.decision, 'open') as decision,
          count(*)::int as households
        from review
        join household using (household_id)
        where $1::text is null or household.district = $1
        group by 1, 2, 3, 4
        """,
        district,
    )
    still_open = [row for row in rows if row["decision"] == "open"]
    return Figure(
        name="reviews_open",
        definition="Programmes of a household that a person must look at, out of all reviews ever opened; aid goes on meanwhile.",
        unit="reviews",
        as_of=as_of,
        numerator=_sum(still_open),
        denominator=_sum(rows),
        by={
            "reason": _counts(still_open, "reason"),
            "programme": _counts(still_open, "programme"),
            "district": _counts(still_open, "district"),
            "decision": _counts(rows, "decision"),
        },
    )


async def _candidates(db: Connection, district: str | None, as_of: datetime) -> Figure:
    rows = await db.fetch(
        """
        select household.district, coalesce(candidate_decision.decision, 'open') as decision,
          count(*)::int as households
        from household
        left join candidate_decision using (household_id)
        where ((household.state ->> 'provisional')::boolean or candidate_decision.decision is not null)
          and ($1::text is null or household.district = $1)
        group by 1, 2
        """,
        district,
    )
    still_open = [row for row in rows if row["decision"] == "open"]
    return Figure(
        name="candidates_open",
        definition="Provisional households seen by neighbours that nobody has verified or rejected yet, out of all of them.",
        unit="households",
        as_of=as_of,
        numerator=_sum(still_open),
        denominator=_sum(rows),
        by={"district": _counts(still_open, "district"), "decision": _counts(rows, "decision")},
    )


async def _conflicts(db: Connection, district: str | None, as_of: datetime) -> Figure:
    rows = await db.fetch(
        """
        select conflict.code, household.district, count(distinct conflict.household_id)::int as households
        from conflict
        join household using (household_id)
        where $1::text is null or household.district = $1
        group by 1, 2
        """,
        district,
    )
    return Figure(
        name="identity_conflicts",
        definition="Households with an identity that is found elsewhere too, once for each kind of conflict; all keep their aid.",
        unit="households",
        as_of=as_of,
        numerator=_sum(rows),
        denominator=None,
        by={"code": _counts(rows, "code"), "district": _counts(rows, "district")},
    )


async def _carers(db: Connection, as_of: datetime) -> Figure:
    rows = await db.fetch(
        """
        select status, employment, office_id, count(*)::int as households
        from carer
        group by 1, 2, 3
        """
    )
    active = [row for row in rows if row["status"] == "active"]
    return Figure(
        name="carers_active",
        definition="Carers who can look after households, out of all ever registered.",
        unit="carers",
        as_of=as_of,
        numerator=_sum(active),
        denominator=_sum(rows),
        by={
            "status": _counts(rows, "status"),
            "employment": _counts(active, "employment"),
            "office": _counts(active, "office_id"),
        },
    )


async def _vault_reads(db: Connection, as_of: datetime) -> Figure:
    rows = await db.fetch(
        """
        select purpose, granted, case when granted then 'granted' else 'refused' end as answer,
          count(*)::int as households
        from vault_read
        group by 1, 2, 3
        """
    )
    granted = [row for row in rows if row["granted"]]
    return Figure(
        name="vault_reads",
        definition="Names and addresses read, out of all attempts.",
        unit="reads",
        as_of=as_of,
        numerator=_sum(granted),
        denominator=_sum(rows),
        by={"purpose": _shares(rows, "purpose", lambda row: bool(row["granted"])), "answer": _counts(rows, "answer")},
    )


async def _refused(db: Connection, as_of: datetime) -> Figure:
    rows = await db.fetch("select code, count(*)::int as households from inbox where outcome = 'refused' group by 1")
    return Figure(
        name="submissions_refused",
        definition="Submissions to the registry that were refused, as far back as the inbox is kept.",
        unit="submissions",
        as_of=as_of,
        numerator=_sum(rows),
        denominator=None,
        by={"code": _counts(rows, "code")},
    )


def _sum(rows: Iterable[Record]) -> int:
    return sum(row["households"] for row in rows)


def _counts(rows: Iterable[Record], *columns: str) -> dict[str, Cell]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[",".join(str(row[column]) for column in columns)] += row["households"]
    return breakdown((key, counts[key], None) for key in sorted(counts))


def _shares(rows: Sequence[Record], column: str, counted: Callable[[Record], bool]) -> dict[str, Cell]:
    """Of each key's households, how many count."""
    numerators: Counter[str] = Counter()
    denominators: Counter[str] = Counter()
    for row in rows:
        denominators[str(row[column])] += row["households"]
        numerators[str(row[column])] += row["households"] if counted(row) else 0
    return breakdown((key, numerators[key], denominators[key]) for key in sorted(denominators))
