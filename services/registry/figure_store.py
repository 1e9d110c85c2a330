"""The registry's figures (rule 30; named in docs/figures.md): counted where the rows are, few statements for all."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from asyncpg import Record

from contracts.figures import Cell, Figure, Figures, breakdown
from messaging import Connection


async def list_figures(db: Connection, district: str | None) -> Figures:
    """Every figure, of one district (then by village) or of all (then by district too)."""
    as_of: datetime = await db.fetchval("select now() + ahead from clock")
    households = await _count_households(db, district)
    place = "village" if district else "district"
    figures = [
        *_of_households(households, place, as_of),
        *_of_reviews(await _count_reviews(db, district), households, place, as_of),
        await _conflicts(db, district, as_of),
    ]
    if district is None:  # what has no district
        figures += [await _carers(db, as_of), await _vault_reads(db, as_of), await _refused(db, as_of)]
    return Figures(service="registry", figures=tuple(figures))


async def _count_households(db: Connection, district: str | None) -> list[Record]:
    return await db.fetch(
        """
        select district, village, status, (state ->> 'provisional')::boolean as provisional,
          state ->> 'nik_status' as nik_status, state ->> 'reason' as reason,
          array(select held ->> 'programme' from jsonb_array_elements(state -> 'eligibilities') as held) as programmes,
          count(*)::int as counted
        from household
        where $1::text is null or district = $1
        group by 1, 2, 3, 4, 5, 6, 7
        """,
        district,
    )


def _of_households(rows: Sequence[Record], place: str, as_of: datetime) -> list[Figure]:
    here = [row for row in rows if row["status"] == "registered"]
    listed = [row for row in here if not row["provisional"]]
    provisional = [row for row in here if row["provisional"]]
    gone = [row for row in rows if row["status"] != "registered"]
    return [
        Figure(
            name="households_registered",
            definition="Households on a list and not gone; those only seen by a neighbour are not among them.",
            unit="households",
            as_of=as_of,
            numerator=_sum(listed),
            by={place: _counts(listed, place), "nik_status": _counts(listed, "nik_status")},
        ),
        Figure(
            name="households_eligible",
            definition="Registered households that may have a programme, out of the registered.",
            unit="households",
            as_of=as_of,
            numerator=_sum(row for row in listed if row["programmes"]),
            denominator=_sum(listed),
            by={
                place: _shares(listed, place, lambda row: bool(row["programmes"])),
                "programme": _by_programme(listed),
            },
        ),
        Figure(
            name="households_provisional",
            definition="Households seen at the door that wait for a decision, or had none; out of the registered.",
            unit="households",
            as_of=as_of,
            numerator=_sum(provisional),
            denominator=_sum(listed),
            by={place: _counts(provisional, place)},
        ),
        Figure(
            name="households_left",
            definition="Households where nobody is served any more.",
            unit="households",
            as_of=as_of,
            numerator=_sum(gone),
            by={place: _counts(gone, place), "reason": _counts(gone, "reason")},
        ),
    ]


async def _count_reviews(db: Connection, district: str | None) -> list[Record]:
    return await db.fetch(
        """
        select review.reason, household.district, household.village, coalesce(review.decision, 'open') as decision,
          count(*)::int as counted, count(distinct review.household_id)::int as households
        from review
        join household on household.household_id = review.household_id
        where $1::text is null or household.district = $1
        group by 1, 2, 3, 4
        """,
        district,
    )


def _of_reviews(rows: Sequence[Record], households: Sequence[Record], place: str, as_of: datetime) -> list[Figure]:
    still_open = [row for row in rows if row["decision"] == "open"]
    decided = [row for row in rows if row["decision"] != "open"]
    eligible = [row for row in households if row["status"] == "registered" and row["programmes"]]
    return [
        Figure(
            name="eligibility_reviews_open",
            definition="Households whose eligibility a person must look at, out of the eligible; all keep their aid.",
            unit="households",
            as_of=as_of,
            numerator=_sum(still_open, "households"),
            denominator=_sum(eligible),
            by={
                "reason": _counts(still_open, "reason", counted="households"),
                place: _counts(still_open, place, counted="households"),
            },
        ),
        Figure(
            name="eligibility_reviews_decided",
            definition="Reviews of one programme of one household that are closed, out of all ever opened.",
            unit="reviews",
            as_of=as_of,
            numerator=_sum(decided),
            denominator=_sum(rows),
            by={"decision": _counts(decided, "decision")},
        ),
    ]


async def _conflicts(db: Connection, district: str | None, as_of: datetime) -> Figure:
    rows = await db.fetch(
        """
        select code, count(*)::int as counted
        from open_conflict
        where $1::text is null or district = $1
        group by 1
        """,
        district,
    )
    return Figure(
        name="identity_conflicts_open",
        definition="Pairs of households that share an identity, and single ones that have it twice; all keep aid.",
        unit="conflicts",
        as_of=as_of,
        numerator=_sum(rows),
        by={"code": _counts(rows, "code")},
    )


async def _carers(db: Connection, as_of: datetime) -> Figure:
    rows = await db.fetch(
        "select status, employment, office_id as office, count(*)::int as counted from carer group by 1, 2, 3"
    )
    active = [row for row in rows if row["status"] == "active"]
    return Figure(
        name="carers_active",
        definition="Carers who can look after households, out of all ever registered.",
        unit="carers",
        as_of=as_of,
        numerator=_sum(active),
        denominator=_sum(rows),
        by={"employment": _counts(active, "employment"), "office": _counts(active, "office")},
    )


async def _vault_reads(db: Connection, as_of: datetime) -> Figure:
    rows = await db.fetch("select purpose, granted, count(*)::int as counted from vault_read group by 1, 2")
    return Figure(
        name="vault_reads",
        definition="Readings of a name and address that were granted, out of those asked for.",
        unit="reads",
        as_of=as_of,
        numerator=_sum(row for row in rows if row["granted"]),
        denominator=_sum(rows),
        by={"purpose": _shares(rows, "purpose", lambda row: bool(row["granted"]))},
    )


async def _refused(db: Connection, as_of: datetime) -> Figure:
    rows = await db.fetch("select code, count(*)::int as counted from inbox where outcome = 'refused' group by 1")
    return Figure(
        name="submissions_refused",
        definition="Submissions to the registry that were refused, as far back as the inbox is kept.",
        unit="submissions",
        as_of=as_of,
        numerator=_sum(rows),
        by={"code": _counts(rows, "code")},
    )


def _sum(rows: Iterable[Record], counted: str = "counted") -> int:
    return sum(row[counted] for row in rows)


def _counts(rows: Iterable[Record], column: str, counted: str = "counted") -> dict[str, Cell]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row[column]] += row[counted]
    return breakdown((key, counts[key], None) for key in sorted(counts))


def _shares(rows: Sequence[Record], column: str, counts: Callable[[Record], bool]) -> dict[str, Cell]:
    """Of what each key has, how much counts."""
    numerators: Counter[str] = Counter()
    denominators: Counter[str] = Counter()
    for row in rows:
        denominators[row[column]] += row["counted"]
        numerators[row[column]] += row["counted"] if counts(row) else 0
    return breakdown((key, numerators[key], denominators[key]) for key in sorted(denominators))


def _by_programme(listed: Sequence[Record]) -> dict[str, Cell]:
    counts: Counter[str] = Counter()
    for row in listed:
        for programme in row["programmes"]:
            counts[programme] += row["counted"]
    return breakdown((programme, counts[programme], _sum(listed)) for programme in sorted(counts))
