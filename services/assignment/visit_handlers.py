"""What assignment does for reports of visits (rules 20 and 21)."""

from collections.abc import Sequence
from uuid import UUID

from contracts.events import VisitReported
from contracts.refusals import RefusalCode
from contracts.submissions import VisitSubmitted
from messaging import Accepted, Connection, Outcome, Parked, Received, Refused
from policies import Policies
from services.assignment import register_store, store, visit_store, visits
from services.assignment.domain import Tenure
from services.assignment.visits import KnownVisit, Visited


async def on_visit_submitted(
    messages: Sequence[Received[VisitSubmitted]], db: Connection, *, policies: Policies
) -> list[Outcome]:
    """A report by whoever is, or then was, the carer becomes the visit; a correction supersedes it."""
    visited = await visit_store.get_visited(db, [message.data.household_id for message in messages])
    known = await visit_store.lock_visits(db, [message.data.visit_id for message in messages])
    unusual = [message.data for message in messages if _is_unusual(message.data, visited)]
    tenures = await _tenures(db, unusual)
    strangers = await _strangers(db, unusual, visited)
    reported: dict[UUID, VisitReported] = {}
    regencies: dict[UUID, str] = {}
    outcomes: list[Outcome] = []
    for message in messages:
        report, household = message.data, visited.get(message.data.household_id)
        if household is None or report.carer_id in strangers:
            outcomes.append(Parked(report.household_id if household is None else report.carer_id))
            continue
        if household.regency != message.regency:
            outcomes.append(Refused(RefusalCode.WRONG_REGENCY, "household_id"))
            continue
        before = known.get(report.visit_id)
        refusal = visits.refusal(report, household, before, tenures.get(report.household_id, ()))
        if refusal is not None:
            outcomes.append(Refused(refusal, "visit_id"))
            continue
        policy = policies[message.regency]
        period = visits.period_of(report.happened_at.astimezone(policy.zone).date(), policy.visits.period)
        fact = visits.reported(report, household, before, message.received_at, period)
        known[fact.visit_id] = KnownVisit(fact.household_id, fact.version)
        reported[fact.visit_id], regencies[fact.visit_id] = fact, message.regency
        outcomes.append(Accepted((fact,)))
    await visit_store.save_visits(db, list(reported.values()), list(regencies.values()))
    return outcomes


def _is_unusual(report: VisitSubmitted, visited: dict[UUID, Visited]) -> bool:
    """By somebody else than the present carer."""
    household = visited.get(report.household_id)
    return household is not None and household.carer_id != report.carer_id


async def _tenures(db: Connection, unusual: Sequence[VisitSubmitted]) -> dict[UUID, list[Tenure]]:
    found: dict[UUID, list[Tenure]] = {}
    if unusual:
        for tenure in await store.list_tenures(db, [report.household_id for report in unusual]):
            found.setdefault(tenure.household_id, []).append(tenure)
    return found


async def _strangers(db: Connection, unusual: Sequence[VisitSubmitted], visited: dict[UUID, Visited]) -> set[UUID]:
    """Who reports on a household that nobody looks after and has not been heard of yet."""
    carer_ids = {report.carer_id for report in unusual if visited[report.household_id].carer_id is None}
    return carer_ids - await register_store.list_known_carers(db, carer_ids) if carer_ids else set()
