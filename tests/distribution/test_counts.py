"""What a count of a depot's shelf makes of its lots and of packages, on a real PostgreSQL (rule 13)."""

from contracts.events import PackagePlanned
from contracts.submissions import CountSubmitted, SurplusDecisionSubmitted
from tests.distribution import samples
from tests.distribution.conftest import Distribution, open_round
from tests.distribution.samples import DEPOT, NOW
from tests.distribution.test_stock import blocked, counted


async def test_a_count_finds_or_writes_off(distribution: Distribution) -> None:
    lot = samples.stock(units=10)
    await distribution.submit(lot)

    outcomes = [(await distribution.submit(counted(lot, units)))[0].outcome for units in (12, 7, 7)]

    assert outcomes == ["accepted", "accepted", "unchanged"]
    assert await distribution.balances(lot.lot_id) == {
        (DEPOT, "received"): 10,
        (DEPOT, "found"): 2,
        (DEPOT, "available"): 7,
        (DEPOT, "written_off"): 5,
    }
    assert await distribution.ledger_breaks() == []


async def test_packages_whose_goods_a_count_misses_are_planned_again(distribution: Distribution) -> None:
    wanted, households = await open_round(distribution, households=3, packages=3)
    packages = [await distribution.package(wanted.round_id, household) for household in households]
    rice = next(part.lot_id for part in packages[0].lots if part.item == "rice_5kg")

    await distribution.submit(CountSubmitted(happened_at=NOW, depot_id=DEPOT, lot_id=rice, counted=1))
    await distribution.plan()

    packages = [await distribution.package(wanted.round_id, household) for household in households]
    assert sorted((one.supply, str(one.giver_id)) for one in packages) == [
        ("brought", "sdn-1-kepatihan"),
        ("brought", "sdn-1-kepatihan"),
        ("stock", "None"),
    ]
    assert (await distribution.balances(rice))[DEPOT, "written_off"] == 2
    assert await distribution.ledger_breaks() == []


async def test_a_count_takes_no_goods_from_packages_that_had_the_lot_before(distribution: Distribution) -> None:
    """Fails when: packages that have none of the lot any more are counted among those that lose it."""
    wanted, before = await open_round(distribution, households=5, packages=5)
    rice = next(part.lot_id for part in (await distribution.package(wanted.round_id, before[0])).lots)
    await distribution.submit(samples.stock("rice_5kg", 5))
    lot = samples.stock("rice_5kg", 5, lot_id=rice)
    await distribution.submit(blocked(lot, is_blocked=True))
    await distribution.plan()
    await distribution.submit(blocked(lot, is_blocked=False), *samples.packages_of_stock(1)[1:])
    carer, late = samples.carer(), samples.household()
    await distribution.tell(carer, late)
    await distribution.tell(samples.assigned(late, carer.carer_id))
    await distribution.submit(
        SurplusDecisionSubmitted(
            happened_at=NOW,
            round_id=wanted.round_id,
            use="candidates",
            household_ids=(late.household_id,),
            reason="surplus",
        )
    )
    await distribution.plan()
    assert rice in [part.lot_id for part in (await distribution.package(wanted.round_id, late.household_id)).lots]
    await distribution.forget()

    await distribution.submit(counted(lot, 0))

    assert [one.household_id for one in await distribution.facts(PackagePlanned)] == [late.household_id]
    assert await distribution.ledger_breaks() == []
