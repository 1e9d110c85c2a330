"""What the ledger's machine may hear: of which lot, truck or household, how many units, at which depot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from hypothesis import strategies as st

from contracts.events import Household, HouseholdLeft, HouseholdUpdated, Pledge, PledgeLapsed
from contracts.submissions import (
    CountSubmitted,
    LotBlockSubmitted,
    PackageCancellationSubmitted,
    RecallSubmitted,
    ReversalSubmitted,
    StockSubmitted,
    Submission,
    SurplusDecisionSubmitted,
)
from contracts.vocabulary import FailureReason, Goods
from services.distribution.lots import Transfer
from tests.distribution import samples
from tests.distribution.samples import CENTRAL, DEPOT, NOW

ROUND: Final = UUID(int=1)
HOUSEHOLDS: Final = tuple(samples.household(UUID(int=100 + number), version=1) for number in range(5))
REASONS: Final = tuple(FailureReason(code) for code in ("not_home", "damaged", "not_brought", "moved_away", "refused"))


@dataclass(frozen=True)
class Kept:
    """A lot that somebody may speak of; the first ones expire soon."""

    lot_id: UUID
    item: str
    depot_id: str
    expires_on: date


LOTS: Final = (
    Kept(UUID(int=10), "rice_5kg", DEPOT, date(2026, 10, 25)),
    Kept(UUID(int=11), "oil_1l", DEPOT, date(2026, 10, 25)),
    Kept(UUID(int=12), "rice_5kg", DEPOT, date(2027, 8, 31)),
    Kept(UUID(int=13), "oil_1l", DEPOT, date(2027, 8, 31)),
    Kept(UUID(int=14), "rice_5kg", CENTRAL, date(2027, 8, 31)),
)


class Act(StrEnum):
    """What somebody reports."""

    RECEIVE = "receive"
    SEND = "send"
    SIGN = "sign"
    COUNT = "count"
    RECALL = "recall"
    BLOCK = "block"
    RELEASE = "release"
    REVERSE = "reverse"
    PICK_UP = "pick up"
    DELIVER = "deliver"
    BRING = "bring"
    FAIL = "fail"
    GIVE_BACK = "give back"
    GIVE_BACK_DAMAGED = "give back damaged"
    CANCEL = "cancel"
    NAME = "name"


@dataclass(frozen=True)
class Told:
    """One report, as far as it can be drawn; what it is about hangs on what was told before."""

    act: Act
    which: int
    units: int
    elsewhere: bool


class News(StrEnum):
    """What other services say of a household."""

    LEAVES = "leaves"
    STAYS = "stays"
    IS_PROMISED = "is promised"
    IS_PROMISED_NO_MORE = "is promised no more"


@dataclass(frozen=True)
class Heard:
    """News of one of the households."""

    news: News
    which: int


OFTEN: Final = (Act.SEND, Act.SEND, Act.SIGN, Act.SIGN, Act.COUNT, Act.COUNT, Act.REVERSE, Act.PICK_UP, Act.GIVE_BACK)
TOLD: Final = st.builds(
    Told,
    act=st.sampled_from([*Act, *OFTEN]),
    which=st.integers(0, 4),
    units=st.integers(0, 9),
    elsewhere=st.sampled_from([False, False, False, True]),
)
HEARD: Final = st.builds(Heard, news=st.sampled_from(News), which=st.integers(0, 4))
SAID: Final = st.lists(TOLD | TOLD | TOLD | TOLD | HEARD, min_size=3, max_size=8)


@dataclass(frozen=True)
class Scene:
    """What a report can be about, besides lots and households."""

    number: int
    """Of the report: what nothing else has."""
    trucks: Sequence[Transfer]
    entries: Sequence[tuple[str, str]]
    """Ids of stock and count submissions that were accepted, each with its depot."""
    out: Sequence[UUID]
    """Households whose package is with a holder."""


def report(told: Told, scene: Scene) -> Submission | None:
    """The submission; none where there is no truck to sign for, or no entry to take back."""
    return REPORTS[told.act](told, scene)


def received(which: int, units: int) -> StockSubmitted:
    """So many units of one of the lots come in where it is kept."""
    kept = LOTS[which]
    return samples.stock(
        kept.item,
        units,
        lot_id=kept.lot_id,
        depot_id=kept.depot_id,
        expires_on=kept.expires_on,
        unit_value=1_000 * (which + 1),
    )


def _depot(told: Told, *, other: bool = False) -> str:
    """Where the lot was received, or the other depot."""
    is_central = (LOTS[told.which].depot_id == CENTRAL) ^ told.elsewhere ^ other
    return CENTRAL if is_central else DEPOT


def _household(told: Told) -> UUID:
    return HOUSEHOLDS[told.which].household_id


def _send(told: Told, scene: Scene) -> Submission:
    """Two that follow each other may have the same id."""
    ends = {"depot_id": _depot(told), "other_depot_id": _depot(told, other=True)}
    return samples.sent(received(told.which, 1), 1 + told.units // 3, **ends, transfer_id=UUID(int=scene.number // 2))


def _sign(told: Told, scene: Scene) -> Submission | None:
    """For as many units as were sent, or some more or less."""
    trucks = [truck for truck in scene.trucks if truck.received is None] or scene.trucks
    if not trucks:
        return None
    truck = trucks[told.which % len(trucks)]
    sent = samples.sent(
        received(told.which, 1),
        truck.sent,
        depot_id=truck.from_depot_id,
        other_depot_id=truck.to_depot_id,
        transfer_id=truck.transfer_id,
        lot_id=truck.lot_id,
    )
    return samples.arrived(sent, max(truck.sent + told.units - 6, 0))


def _count(told: Told, _: Scene) -> Submission:
    return CountSubmitted(happened_at=NOW, depot_id=_depot(told), lot_id=LOTS[told.which].lot_id, counted=told.units)


def _recall(told: Told, _: Scene) -> Submission:
    kept = LOTS[told.which]
    return RecallSubmitted(happened_at=NOW, depot_id=kept.depot_id, lot_id=kept.lot_id, reason="aflatoxin")


def _block(told: Told, _: Scene) -> Submission:
    is_blocked, lot_id = told.act is Act.BLOCK, LOTS[told.which].lot_id
    return LotBlockSubmitted(happened_at=NOW, depot_id=_depot(told), lot_id=lot_id, blocked=is_blocked, reason="wet")


def _reverse(told: Told, scene: Scene) -> Submission | None:
    if not scene.entries:
        return None
    entry_id, depot_id = scene.entries[-1 - told.units % len(scene.entries)]
    return ReversalSubmitted(happened_at=NOW, depot_id=depot_id, entry_submission_id=entry_id, reason="typed")


def _bring(told: Told, _: Scene) -> Submission:
    return samples.delivered(ROUND, _household(told), brought=(Goods(item="fish_1kg", units=told.units + 1),))


def _fail(told: Told, scene: Scene) -> Submission:
    at = NOW - timedelta(minutes=scene.number)
    return samples.failed(ROUND, _household(told), REASONS[told.units % len(REASONS)], happened_at=at)


def _give_back(told: Told, scene: Scene) -> Submission:
    """What is out, if anything is."""
    is_damaged = told.act is Act.GIVE_BACK_DAMAGED
    household_id = scene.out[told.which % len(scene.out)] if scene.out else _household(told)
    return samples.returned(ROUND, household_id, depot_id=_depot(told), damaged=is_damaged)


def _cancel(told: Told, _: Scene) -> Submission:
    return PackageCancellationSubmitted(
        happened_at=NOW, household_id=_household(told), round_id=ROUND, reason="decided"
    )


def _name(told: Told, _: Scene) -> Submission:
    """Who was taken off the list is on it again."""
    named = (_household(told),)
    return SurplusDecisionSubmitted(
        happened_at=NOW, round_id=ROUND, use="candidates", household_ids=named, reason="surplus"
    )


REPORTS: Final[dict[Act, Callable[[Told, Scene], Submission | None]]] = {
    Act.RECEIVE: lambda told, _: received(told.which, told.units + 1),
    Act.SEND: _send,
    Act.SIGN: _sign,
    Act.COUNT: _count,
    Act.RECALL: _recall,
    Act.BLOCK: _block,
    Act.RELEASE: _block,
    Act.REVERSE: _reverse,
    Act.PICK_UP: lambda told, _: samples.picked_up(ROUND, _household(told)),
    Act.DELIVER: lambda told, _: samples.delivered(ROUND, _household(told)),
    Act.BRING: _bring,
    Act.FAIL: _fail,
    Act.GIVE_BACK: _give_back,
    Act.GIVE_BACK_DAMAGED: _give_back,
    Act.CANCEL: _cancel,
    Act.NAME: _name,
}


def news_of(heard: Heard, version: int) -> Household | Pledge:
    """What is stated of the household, in this version."""
    household = HOUSEHOLDS[heard.which]
    match heard.news:
        case News.LEAVES:
            state = dict(household) | {"version": version, "status": "left"}
            return HouseholdLeft(**{name: state[name] for name in Household.model_fields}, reason="other_regency")
        case News.STAYS:
            state = dict(household) | {"version": version}
            return HouseholdUpdated(**{name: state[name] for name in Household.model_fields})
        case News.IS_PROMISED:
            return samples.pledged(household, version=version)
        case News.IS_PROMISED_NO_MORE:
            return PledgeLapsed(
                **dict(samples.pledged(household, version=version, status="lapsed")) | {"reason": "not_confirmed"}
            )
