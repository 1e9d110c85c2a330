"""`GET /figures` (rule 30): from the frozen list to the door with every difference by reason; the stock card; proof."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query

import policies
from contracts.events import Round
from contracts.figures import Cell, Figure, Figures, breakdown, public
from messaging import Connection, Database, Token, require
from messaging.clock import deciding_time
from policies import Policy
from services.distribution import figures_store, ledger_store
from services.distribution.figures_store import CardLine, Group, OfficeShare, Surplus, Suspicion
from services.distribution.rounds import last_day

router = APIRouter()
_AFTER: Final = timedelta(days=5)  # a month is reported again (rule 30)


def _is_anyone(_: Group) -> bool:
    return True


def _is_planned(group: Group) -> bool:
    return group.status is not None


def _is_delivered(group: Group) -> bool:
    return group.status == "delivered"


def _has(*statuses: str) -> Callable[[Group], bool]:
    return lambda group: group.status in statuses


@dataclass(frozen=True, slots=True)
class Measure:
    """What is counted of a programme's recipients, and out of which."""

    name: str
    definition: str
    picks: Callable[[Group], bool]
    out_of: Callable[[Group], bool] | None = _is_planned
    also_by: tuple[str, ...] = ()


_PLACES: Final = ("district", "village", "period")
MEASURES: Final = (  # from frozen to returned: each step with what it loses and why; then what an auditor looks at
    Measure("frozen", "recipients frozen when the month's rounds opened", lambda one: not one.is_addition, None),
    Measure("added", "recipients named later, each with a reason", lambda one: one.is_addition, None),
    Measure("supplied", "recipients with a package, out of all", _is_planned, _is_anyone, ("supply",)),
    Measure(
        "not_supplied",
        "recipients without a package: removed for a reason, or nobody to bring it (none)",
        lambda one: one.status is None,
        _is_anyone,
        ("reason",),
    ),
    Measure("picked_up", "packages that were out: taken, tried, delivered or returned", lambda one: one.is_out),
    Measure("delivered", "packages delivered with proof, out of recipients", _is_delivered, _is_anyone, ("supply",)),
    Measure("failed", "packages that failed at the door or were never brought", _has("failed"), also_by=("reason",)),
    Measure("held", "packages held: said to have moved away, or a lot recalled", _has("held"), also_by=("reason",)),
    Measure("returned", "packages whose goods came back", _has("returned"), also_by=("reason",)),
    Measure("cancelled", "packages nobody delivers any more", _has("cancelled"), also_by=("reason",)),
    Measure("on_the_way", "packages planned or picked up, without an end yet", _has("planned", "picked_up")),
    Measure("without_lot", "delivered packages without a lot: brought", lambda one: one.lacks_lot, _is_delivered),
    Measure("without_proof", "delivered without a photo or a place", lambda one: one.lacks_proof, _is_delivered),
    Measure("late", "delivered, the proof came after the month", lambda one: one.is_late, _is_delivered),
    Measure("flagged", "delivered, the proof waits for a second look", lambda one: one.is_flagged, _is_delivered),
    Measure("supply_gaps", "households without delivery two weeks in a row", lambda one: one.is_gap),
)


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, and when."""

    month: str
    district: str | None
    as_of: datetime
    policy: Policy


@router.get("/figures")
async def get_figures(
    pool: Database,
    token: Annotated[Token, Depends(require("figures:read"))],
    month: Annotated[str | None, Query(pattern=r"^\d{4}-\d{2}$")] = None,
    district: Annotated[str | None, Query(pattern=r"^\d{2}\.\d{2}\.\d{2}$")] = None,
    for_public: Annotated[bool, Query(alias="public")] = False,  # noqa: FBT002  # a query parameter
) -> Figures:
    """All figures of a month (the newest round's, if none is named), of the regency or one district."""
    known = policies.load()
    policy = known.get(token.regency or "") or next(iter(known.values()))
    async with pool.acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        as_of = await deciding_time(db, development=True)
        wanted = month or await figures_store.find_newest_month(db) or f"{as_of.astimezone(policy.zone):%Y-%m}"
        figures = await _figures(db, Question(wanted, district, as_of, policy))
    answer = Figures(service="distribution", figures=tuple(figures))
    return public(answer) if for_public else answer


async def _figures(db: Connection, question: Question) -> list[Figure]:
    month, district, as_of = question.month, question.district, question.as_of
    groups = await figures_store.list_groups(db, month, district)
    suspicions = await figures_store.list_suspicions(db, month, district)
    figures = [_rounds(await figures_store.list_rounds(db, month), as_of)]
    figures += [
        figure
        for programme in question.policy.programme
        for figure in _programme(programme, [group for group in groups if group.programme == programme], as_of)
    ]
    if district is None:
        figures.append(_surplus(await figures_store.list_surplus(db, month), as_of))
    figures.append(_suspicions(suspicions, as_of))
    figures.append(_offices(await figures_store.list_offices(db, month, district), as_of))
    figures += await _months(db, question)
    depots = district and [depot.depot_id for depot in question.policy.depots if depot.district == district]
    return figures + await _stock(db, await figures_store.list_card(db, depots or None), as_of)


def _rounds(rounds: Sequence[Round], as_of: datetime) -> Figure:
    keys = [
        f"{one.round_id},{one.programme},{one.period},{one.opens_on},{one.closes_on},{one.status},{one.decree}"
        for one in rounds
    ]
    return Figure(
        name="rounds",
        numerator=sum(one.recipients for one in rounds),
        unit="households",
        as_of=as_of,
        definition="recipients frozen when the month's rounds opened; a household counts once for each round",
        by={
            "round,programme,period,opens_on,closes_on,status,decree": breakdown(
                (key, one.recipients, None) for key, one in zip(keys, rounds, strict=True)
            )
        },
    )


def _surplus(decided: Sequence[Surplus], as_of: datetime) -> Figure:
    rows = ((f"{one.programme},{one.use},{one.reason}", one.households, None) for one in decided)
    return Figure(
        name="surplus_decided",
        numerator=sum(one.households for one in decided),
        unit="households",
        as_of=as_of,
        definition="households named to get what was left of the month's rounds; 0 where a decision kept it",
        by={"programme,use,reason": breakdown(rows)},
    )


def _suspicions(found: Sequence[Suspicion], as_of: datetime) -> Figure:
    return Figure(
        name="suspicions",
        numerator=sum(one.packages for one in found),
        unit="suspicions",
        as_of=as_of,
        definition="ways in which proofs of delivery look odd; one delivery can have several",
        by={"programme,suspicion": breakdown((f"{one.programme},{one.code}", one.packages, None) for one in found)},
    )


def _offices(shares: Sequence[OfficeShare], as_of: datetime) -> Figure:
    rows = [(f"{one.programme},{one.office_id}", one.delivered, one.planned) for one in shares]
    return Figure(
        name="delivered_by_office",
        numerator=sum(one.delivered for one in shares),
        denominator=sum(one.planned for one in shares),
        unit="packages",
        as_of=as_of,
        definition="packages delivered, out of those planned, by the office of the household's carer",
        by={"programme,office": breakdown(rows)},
    )


def _programme(programme: str, groups: Sequence[Group], as_of: datetime) -> list[Figure]:
    return [
        Figure(
            name=f"{programme}_{measure.name}",
            numerator=_sum(groups, measure.picks),
            denominator=None if measure.out_of is None else _sum(groups, measure.out_of),
            unit="packages",
            as_of=as_of,
            definition=measure.definition,
            by={dimension: _cells(groups, dimension, measure) for dimension in (*_PLACES, *measure.also_by)},
        )
        for measure in MEASURES
    ]


async def _months(db: Connection, question: Question) -> list[Figure]:
    """The month as known at its end and five days later, against the floor, and day by day."""
    zone = question.policy.zone
    end = datetime.combine(last_day(question.month) + timedelta(days=1), datetime.min.time(), zone)
    moments = [min(end, question.as_of), min(end + _AFTER, question.as_of)]
    at_end, later = await figures_store.count_known(db, question.month, question.district, moments)
    floor = None if question.district else await figures_store.sum_floor(db, question.month)
    days = await figures_store.list_days(db, question.month, question.district, str(zone))
    known = (("delivered_at_month_end", at_end, moments[0]), ("delivered_five_days_later", later, moments[1]))
    by_day = breakdown((f"{one.programme},{one.day}", one.delivered, None) for one in days)
    return [
        *(
            Figure(
                name=name,
                numerator=delivered,
                denominator=floor,
                unit="packages",
                as_of=as_of,
                definition="packages of programmes with a floor whose proof had come by then, out of the floor",
            )
            for name, delivered, as_of in known
        ),
        Figure(
            name="delivered_by_day",
            numerator=sum(one.delivered for one in days),
            unit="packages",
            as_of=question.as_of,
            definition="packages delivered, by the local day on which their proof came",
            by={"programme,day": by_day},
        ),
    ]


async def _stock(db: Connection, card: Sequence[CardLine], as_of: datetime) -> list[Figure]:
    recalls = await figures_store.list_recalls(db)
    breaks = await ledger_store.ledger_breaks(db)
    return [
        _card("units", card, as_of, lambda line: line.units),
        _card("rupiah", card, as_of, lambda line: line.rupiah),
        Figure(
            name="ledger_breaks",
            numerator=len(breaks),
            denominator=len({line.lot_id for line in card}),
            unit="lots",
            as_of=as_of,
            definition="lots whose books do not close (rule 13)",
        ),
        Figure(
            name="recalled",
            numerator=sum(one.households for one in recalls),
            unit="households",
            as_of=as_of,
            definition="households that received units of a recalled lot",
            by={"lot,item": breakdown((f"{one.lot_id},{one.item}", one.households, None) for one in recalls)},
        ),
    ]


def _card(unit: str, card: Sequence[CardLine], as_of: datetime, size: Callable[[CardLine], int]) -> Figure:
    def cells(key: Callable[[CardLine], str]) -> dict[str, Cell]:
        sums: Counter[str] = Counter()
        for line in card:
            sums[key(line)] += size(line)
        return breakdown((one, total, None) for one, total in sorted(sums.items()))

    came_in = sum(size(line) for line in card if line.account in {"received", "found"})
    by = {
        "source,account": cells(lambda line: f"{line.source},{line.account}"),
        "item,account": cells(lambda line: f"{line.item},{line.account}"),
        "depot,account": cells(lambda line: f"{line.depot_id},{line.account}"),
        "lot,depot,item,source,account": cells(
            lambda line: f"{line.lot_id},{line.depot_id},{line.item},{line.source},{line.account}"
        ),
    }
    return Figure(
        name=f"stock_{unit}",
        numerator=came_in,
        unit=unit,
        as_of=as_of,
        definition="received and found; by account, where it stands now",
        by=by,
    )


def _cells(groups: Iterable[Group], dimension: str, measure: Measure) -> dict[str, Cell]:
    picked: Counter[str] = Counter()
    base: Counter[str] = Counter()
    for group in groups:
        key = str(getattr(group, dimension) or "none")
        picked[key] += group.households if measure.picks(group) else 0
        base[key] += group.households if measure.out_of and measure.out_of(group) else 0
    has_base = measure.out_of is not None and dimension in _PLACES  # there is no whole of a reason
    rows = [(key, picked[key], base[key] if has_base else None) for key in sorted(picked)]
    return breakdown(row for row in rows if row[1] or row[2])


def _sum(groups: Iterable[Group], pick: Callable[[Group], bool]) -> int:
    return sum(group.households for group in groups if pick(group))
