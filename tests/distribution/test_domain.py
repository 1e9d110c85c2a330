"""The life of a package (rule 16) by plain calls: what each report makes of each state."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.events import LotUnits, PackageDelivered, PackageFailed
from contracts.refusals import RefusalCode
from contracts.vocabulary import FailureReason
from services.distribution import domain
from services.distribution.domain import CameIn, Parcel, Step
from services.distribution.stock import Account, Move
from tests.distribution import samples
from tests.distribution.conftest import POLICIES
from tests.distribution.samples import DEPOT, NOW

ITEMS = POLICIES["35.10"].item
LOT = uuid4()
IN_TIME = CameIn(NOW, late=False)
ACCOUNTS = {
    "planned": Account.RESERVED,
    "picked_up": Account.WITH_HOLDERS,
    "held": Account.WITH_HOLDERS,
    "failed": Account.WITH_HOLDERS,
    "delivered": Account.DELIVERED,
    "cancelled": None,
    "returned": None,
}


def parcel(status: str) -> Parcel:
    """From stock, where its goods are in that state."""
    lots = (LotUnits(lot_id=LOT, item="rice_5kg", units=1),)
    package = samples.package(status=status, supply="stock", depot_id=DEPOT, giver_id=None, lots=lots)
    return Parcel(package, ACCOUNTS[status])


def move(source: Account, target: Account, of: Parcel) -> Move:
    return Move(LOT, 1, source, DEPOT, target, DEPOT, package_id=of.package.package_id)


def verdict(decided: Step | RefusalCode | None) -> str | None:
    return decided.parcel.package.status if isinstance(decided, Step) else decided


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("planned", "picked_up"),
        ("picked_up", None),
        ("failed", None),
        ("delivered", None),
        ("held", RefusalCode.WRONG_STATE),
        ("cancelled", RefusalCode.WRONG_STATE),
        ("returned", RefusalCode.WRONG_STATE),
    ],
)
def test_a_pick_up(status: str, expected: str | None) -> None:
    assert verdict(domain.pick_up(parcel(status), "office")) == expected


@pytest.mark.parametrize("status", ["planned", "picked_up", "held", "failed", "cancelled", "returned"])
def test_proof_counts_whatever_was_said_before(status: str) -> None:
    """Rule 17: goods that the books had put back are found, all others leave the account they were on."""
    before = parcel(status)
    report = samples.delivered(before.package.round_id, before.package.household_id)

    step = domain.deliver(before, report, IN_TIME, ITEMS, frozenset())

    assert isinstance(step, Step)
    assert isinstance(step.facts[-1], PackageDelivered)
    assert step.moves == (move(ACCOUNTS[status] or Account.FOUND, Account.DELIVERED, before),)
    assert step.parcel.package.version == before.package.version + 1


@pytest.mark.parametrize("reason", list(FailureReason))
def test_every_reason_of_a_first_failure(reason: FailureReason) -> None:
    """Having tried means the goods were out, unless they were not brought; refused is final, moved_away held."""
    step = domain.fail(parcel("planned"), reason, 2, household_version=4, closed=False)

    assert isinstance(step, Step)
    [fact] = step.facts
    assert isinstance(fact, PackageFailed)
    assert fact.final is (reason is FailureReason.REFUSED)
    assert fact.status == ("held" if reason is FailureReason.MOVED_AWAY else "failed")
    assert step.parcel.held_version == (4 if reason is FailureReason.MOVED_AWAY else None)
    is_still_reserved = reason is FailureReason.NOT_BROUGHT
    assert step.parcel.account is (Account.RESERVED if is_still_reserved else Account.WITH_HOLDERS)


@pytest.mark.parametrize("status", ["delivered", "cancelled", "returned"])
def test_what_has_ended_does_not_fail(status: str) -> None:
    """A report that comes after the end, as phones' do, tells nothing new."""
    assert domain.fail(parcel(status), FailureReason.NOT_HOME, 2, 1, closed=False) is None


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("picked_up", "returned"),
        ("failed", "returned"),
        ("held", "returned"),
        ("returned", None),
        ("planned", RefusalCode.WRONG_STATE),
        ("delivered", RefusalCode.WRONG_STATE),
        ("cancelled", RefusalCode.WRONG_STATE),
    ],
)
def test_goods_come_back(status: str, expected: str | None) -> None:
    assert verdict(domain.give_back(parcel(status), DEPOT, {LOT: Account.AVAILABLE})) == expected


def test_a_cancelled_package_that_a_holder_has_can_be_returned() -> None:
    cancelled = domain.cancel(parcel("picked_up"), "duplicate", frozenset())

    assert isinstance(cancelled, Step)
    assert (cancelled.moves, cancelled.parcel.account) == ((), Account.WITH_HOLDERS)
    assert verdict(domain.give_back(cancelled.parcel, DEPOT, {LOT: Account.WRITTEN_OFF})) == "returned"


def test_a_closed_round_frees_what_is_on_the_shelf_only() -> None:
    planned, failed = parcel("planned"), parcel("failed")

    assert domain.close(planned, frozenset(), missed_before=False).moves == (
        move(Account.RESERVED, Account.AVAILABLE, planned),
    )
    assert domain.close(failed, frozenset(), missed_before=False).moves == ()


def test_the_same_proof_again_changes_nothing_and_another_is_refused() -> None:
    before = parcel("planned")
    report = samples.delivered(before.package.round_id, before.package.household_id)
    step = domain.deliver(before, report, IN_TIME, ITEMS, frozenset())
    assert isinstance(step, Step)

    other = report.model_copy(update={"happened_at": NOW - timedelta(minutes=1)})

    assert domain.deliver(step.parcel, report, IN_TIME, ITEMS, frozenset()) is None
    assert domain.deliver(step.parcel, other, IN_TIME, ITEMS, frozenset()) is RefusalCode.WRONG_STATE


def test_a_flag_follows_the_delivery_as_a_version_of_its_own() -> None:
    before = parcel("planned")
    report = samples.delivered(before.package.round_id, before.package.household_id)
    step = domain.deliver(before, report, IN_TIME, ITEMS, frozenset())
    assert isinstance(step, Step)

    flagged = domain.flag(step, ("same_photo",))

    assert [fact.version for fact in flagged.facts] == [2, 3]
    assert flagged.parcel == replace(step.parcel, package=flagged.facts[-1])
