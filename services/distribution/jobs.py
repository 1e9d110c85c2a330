"""What distribution does on a clock or over shared goods, and here: closing rounds and watching the floor."""

from collections.abc import Set as AbstractSet
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from contracts import events, submissions
from messaging import Job, JobRun
from policies import Policies, Policy
from services.distribution import package_store, rounds, stock_store, store
from services.distribution.domain import close, has_ended, lots_kept
from services.distribution.planning_jobs import CHUNK, plan_packages, save_steps
from services.distribution.stock_jobs import watch_lots
from services.distribution.store import KnownRound

_PERCENTS: Final = (90, 70)  # of the window at which the floor is looked at (rule 19)


def jobs(policies: Policies) -> tuple[Job, ...]:
    """The jobs of this service."""
    return (
        Job(
            "plan_packages",
            timedelta(seconds=5),
            partial(plan_packages, policies=policies),
            woken_by=(
                submissions.RoundSubmitted,
                submissions.SurplusDecisionSubmitted,
                submissions.StockSubmitted,
                submissions.TransferSubmitted,
                submissions.CountSubmitted,
                submissions.RecallSubmitted,
                submissions.LotBlockSubmitted,
                submissions.ReturnSubmitted,
                events.HouseholdUpdated,
                events.HouseholdLeft,
                events.HouseholdAssigned,
                events.HouseholdPledged,
                events.PledgeLapsed,
            ),
            settle=timedelta(milliseconds=200),
            settle_at_most=timedelta(seconds=2),
        ),
        Job("close_rounds", timedelta(seconds=60), partial(close_rounds, policies=policies)),
        Job("watch_lots", timedelta(seconds=60), partial(watch_lots, policies=policies)),
        Job("watch_floor", timedelta(seconds=60), partial(watch_floor, policies=policies)),
    )


async def close_rounds(run: JobRun, *, policies: Policies) -> None:
    """Rounds whose window and days of grace are over; the older ones first, for a gap is two weeks in a row."""
    async with run.reading() as db:
        known_rounds = await store.list_open_rounds(db)
    for known in known_rounds:
        policy = policies[known.regency]
        today = run.now.astimezone(policy.zone).date()
        if rounds.is_over(known.round, today, policy.distribution.close_grace_days):
            missed = await _missed_before(run, known, policy)
            while await _close_chunk(run, known, missed):
                pass


async def _missed_before(run: JobRun, known: KnownRound, policy: Policy) -> AbstractSet[UUID]:
    """Households that got nothing in the week before, when that round has been closed."""
    programme = known.round.programme
    if policy.programme[programme].period != "week":
        return frozenset()
    async with run.reading() as db:
        return await package_store.list_missed(db, known.regency, programme, rounds.period_before(known.round.period))


async def _close_chunk(run: JobRun, known: KnownRound, missed: AbstractSet[UUID]) -> bool:
    """False when nothing is left to do now."""
    current = known.round
    async with run.writing() as write:
        await store.lock_reserving(write.db)  # nothing is planned in it meanwhile
        if not await store.is_planned(write.db, current.round_id):
            return False  # opened late, after an absence: planned first, so that late reports find their packages
        parcels = await package_store.lock_unfinished(write.db, current.round_id, list(missed), CHUNK)
        unusable = await stock_store.lock_unusable(write.db, lots_kept(parcels))
        steps = [
            close(parcel, unusable, missed_before=parcel.package.household_id in missed)
            for parcel in parcels
            if not has_ended(parcel)  # while its row was waited for
        ]
        await save_steps(write, known.regency, [], steps)
        if parcels:
            return True
        locked = (await store.lock_rounds(write.db, [current.round_id]))[current.round_id]
        if locked.round.status == "open":
            counts = await store.count_round(write.db, current.round_id)
            closed = rounds.close_round(locked.round, counts)
            await store.save_round(write.db, known.regency, closed)
            await store.forget_to_plan(write.db, current.round_id)
            write.emit(closed, str(current.round_id), str(current.round_id), known.regency)
        return False


async def watch_floor(run: JobRun, *, policies: Policies) -> None:
    """At 70 % and at 90 % of a round's own window, once each."""
    async with run.reading() as db:
        known_rounds = await store.list_open_rounds(db)
    for known in known_rounds:
        passed = rounds.percent_passed(known.round, run.now, policies[known.regency])
        percent = next((one for one in _PERCENTS if known.floor_checked < one <= passed), None)
        if known.round.floor and percent is not None:
            await _check_floor(run, known, percent)


async def _check_floor(run: JobRun, known: KnownRound, percent: int) -> None:
    async with run.writing() as write:
        locked = (await store.lock_rounds(write.db, [known.round.round_id]))[known.round.round_id]
        if locked.floor_checked >= percent or locked.round.status != "open":
            return
        counts = await store.count_round(write.db, known.round.round_id)
        warning = rounds.warn_of_floor(locked.round, percent, counts)
        await store.save_floor_checked(write.db, known.round.round_id, percent)
        if warning is not None:
            await store.save_round(write.db, known.regency, warning)
            write.emit(warning, str(warning.round_id), str(warning.round_id), known.regency)
