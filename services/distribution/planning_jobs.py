"""plan_packages: what supplies each recipient, decided over all that depots hold and carers and partners bring."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final
from uuid import UUID, uuid4

from contracts import events
from messaging import JobRun, Write
from policies import Policies
from services.distribution import ledger_store, package_store, planning, recipient_store, stock_store, store
from services.distribution.domain import Step, lots_kept
from services.distribution.lots import lasts_until
from services.distribution.package_store import Addressed
from services.distribution.planning import Household, Planner, Remove, Wait
from services.distribution.shelves import FreeLot, Shelves
from services.distribution.store import KnownRound

CHUNK: Final = 2_000  # packages a transaction


async def plan_packages(run: JobRun, *, policies: Policies) -> None:
    """Plan whoever waits for it, then offer what depots still have to households whom their carers would supply.

    Who waits for goods is looked at again when some have come, or came free by a plan made just now.
    """
    restocked = await _wake(run, policies, {})
    while await _plan_chunk(run, policies):
        restocked |= await _wake(run, policies, restocked)
    while restocked and await _offer(run, policies, restocked):
        pass


async def _wake(run: JobRun, policies: Policies, known: Mapping[int, str]) -> dict[int, str]:
    """Depots restocked since those known; who waits in their districts is to be planned."""
    async with run.reading() as db:
        listed = await stock_store.list_restocked(db)
    restocked = {number: depot_id for number, depot_id in listed.items() if number not in known}
    if restocked:
        async with run.writing() as write:
            await store.wake_waiting(write.db, _districts(restocked.values(), policies))
    return restocked


async def _plan_chunk(run: JobRun, policies: Policies) -> int:
    async with run.writing() as write:
        await store.lock_reserving(write.db)
        pairs = await store.take_to_plan(write.db, CHUNK)
        if not pairs:
            return 0
        known = (await store.get_rounds(write.db, [pairs[0][0]]))[pairs[0][0]]
        parcels = await package_store.lock_parcels(write.db, pairs)
        households = await package_store.get_households(write.db, known.round, [pair[1] for pair in pairs])
        kept = lots_kept(place.parcel for place in parcels.values())
        planner = await _planner(write, known, policies, {household.district for household in households}, kept)
        new: list[Step] = []
        changed: list[Step] = []
        waiting: list[tuple[UUID, UUID]] = []
        removed: list[tuple[UUID, UUID, str]] = []
        for household in households:
            pair = (known.round.round_id, household.household_id)
            match _decide(planner, household, parcels.get(pair)):
                case Step() as step:
                    (changed if pair in parcels else new).append(step)
                case Wait():
                    waiting.append(pair)
                case Remove(reason):
                    removed.append((*pair, reason))
        removed += [
            (known.round.round_id, step.facts[-1].household_id, step.facts[-1].reason)
            for step in changed
            if isinstance(step.facts[-1], events.PackageCancelled)
        ]
        await store.put_waiting(write.db, waiting)
        await recipient_store.remove_recipients(write.db, removed)
        await save_steps(write, known.regency, new, changed)
        return len(pairs)


def _decide(planner: Planner, household: Household, place: Addressed | None) -> Step | Wait | Remove | None:
    """None: nothing changes, or it was taken off the list, or it was heard of while the round closed."""
    if household.is_removed:
        return None
    if place is not None:
        return planning.plan_again(planner, household, place.parcel)
    return planning.plan(planner, household, uuid4()) if planner.round.status == "open" else None


async def _offer(run: JobRun, policies: Policies, restocked: Mapping[int, str]) -> bool:
    """Depots have more than they had: in the fair order, carers' offices need not bring what stands on a shelf.

    True when there may be more to offer than fits into one transaction.
    """
    async with run.writing() as write:
        await store.lock_reserving(write.db)
        for known in await store.list_open_rounds(write.db):
            policy = policies[known.regency]
            districts = _districts(restocked.values(), {known.regency: policy})
            if not districts or policy.programme[known.round.programme].supply != "any":
                continue
            planner = await _planner(write, known, policies, set(districts), frozenset())
            depots = {district: policy.depot_of[district].depot_id for district in districts}
            room = {
                district: free
                for district, depot_id in depots.items()
                if (free := planner.shelves.whole_packages(depot_id, planner.contents))
            }
            parcels = await package_store.lock_offerable(write.db, known.round.round_id, room, CHUNK) if room else []
            by_household = {parcel.package.household_id: parcel for parcel in parcels}
            households = await package_store.get_households(write.db, known.round, list(by_household))
            steps = [
                step
                for household in households
                if (step := planning.offer_stock(planner, household, by_household[household.household_id]))
            ]
            await save_steps(write, known.regency, [], steps)
            if steps and len(parcels) == CHUNK:  # without a step the same would be found again
                return True
        await stock_store.forget_restocked(write.db, list(restocked))
    return False


async def _planner(
    write: Write, known: KnownRound, policies: Policies, districts: AbstractSet[str], kept: AbstractSet[UUID]
) -> Planner:
    """`kept`: lots of which units may come free; they are locked before balances are."""
    policy = policies[known.regency]
    unusable = await stock_store.lock_unusable(write.db, kept)
    free: list[FreeLot] = []
    if policy.programme[known.round.programme].supply == "any":
        used_on = max(write.now.astimezone(policy.zone).date(), known.round.opens_on)
        depots = sorted(policy.depot_of[district].depot_id for district in districts if district in policy.depot_of)
        free = await stock_store.lock_free(write.db, depots, lasts_until(used_on, policy.distribution))
    return Planner(
        known.round,
        policy,
        Shelves(free),
        unusable,
        await stock_store.list_recalled(write.db),
    )


async def save_steps(write: Write, regency: str, new: Sequence[Step], changed: Sequence[Step]) -> None:
    """Write packages, what they moved in the ledger, and their facts."""
    await package_store.insert_parcels(write.db, [step.parcel for step in new])
    await package_store.save_parcels(write.db, [step.parcel for step in changed])
    steps = [*new, *changed]
    await ledger_store.post_moves(write.db, [move for step in steps for move in step.moves], write.now)
    for step in steps:
        for fact in step.facts:
            write.emit(fact, str(fact.package_id), str(fact.package_id), regency)


def _districts(depots: Collection[str], policies: Policies) -> list[str]:
    return [
        depot.district
        for policy in policies.values()
        for depot in policy.depots
        if depot.depot_id in depots and not depot.central
    ]
