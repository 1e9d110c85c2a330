"""A month of three households that anybody could check by hand: what was said, stated and stored, all of it right."""

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
from aiokafka import ConsumerRecord

from contracts import events as e
from contracts.events import Fact
from contracts.topics import topic_of
from contracts.vocabulary import Need
from messaging.reading import digest
from simulation.agenda import Agenda
from simulation.audit_store import Account
from simulation.claims import TAKEN
from simulation.deliveries import MONTHLY
from simulation.evidence import Evidence, compare_states, note_outcomes
from simulation.facts import Outside
from simulation.history import History
from simulation.households import Household, Kind
from simulation.play import Month, Played
from simulation.privacy import identities_of
from simulation.sending import Said, Sent
from simulation.staff import Carer
from simulation.visits import Sighting, Visits
from tests.simulation.conftest import month_of

RowT = TypeVar("RowT")
EXAMPLES: Final = Path(__file__).parents[2] / "contracts" / "examples"


def id_of(what: str, number: int = 0) -> str:
    """The id of something, the same wherever it is asked for."""
    return str(UUID(bytes=digest(what, str(number)).bytes, version=4))


FIRST, SECOND, THIRD, RICHER = (id_of("household", number) for number in range(4))
LEAVER, CARER = id_of("carer", 0), id_of("carer", 1)
"""The second has a relative in the third household."""
CASE: Final = id_of("case")
CLAIM: Final = ("dtsen-feed", "household-1")
REFUSED: Final = ("staff-feed", "carer-9")
PROMISE: Final = ("partners", "promise-1")
ANSWER: Final = ("dinkes", f"case-{CASE}-1-accepted")


@cache
def tiny_month() -> Month:
    """Three eligible households, one of another decile, two carers; nothing happens to any of them."""
    month = month_of(1)
    clean = [row for row in month.world.rows if row.kind is Kind.CLEAN][:3]
    other = [row for row in month.world.rows if row.kind is Kind.OTHER_DECILE][:1]
    leaver, carer = [one for one in month.world.carers if one.accepted and not one.relatives_cards][:2]
    carers = (leaver, replace(carer, relatives_cards=(clean[2].family_card,)))
    aid = {"rantang_kasih": frozenset({clean[2].number})}
    return replace(
        month,
        world=replace(month.world, rows=(*clean, *other), carers=carers),
        fate=replace(month.fate, life={}, enrolments=aid),
    )


async def right_evidence() -> Evidence:
    """Everything that a check looks at, and nothing wrong with it."""
    tiny = tiny_month()
    month = replace(
        tiny,
        visits=Visits(tiny.phones, Agenda(tiny.calendar.steps), Agenda(tiny.calendar.steps)),
        deliveries=replace(tiny.deliveries, handed_over=set()),
        candidates=replace(tiny.candidates, named=set()),
        decisions=replace(tiny.decisions, ended=set()),
    )
    history = History()
    evidence = Evidence(Played(month, Said(), Outside()), history, leaks=history.leaks)
    _say(evidence)
    _register(evidence, month.world.rows, month.world.carers)
    _supply(evidence)
    _need(evidence)
    await store(evidence)
    return evidence


def tell(evidence: Evidence, event: type[Fact], version: int = 1, **changes: Any) -> None:
    """A fact on Kafka: the committed example, changed."""
    name = event.type.split(".")[2]
    state = json.loads((EXAMPLES / f"{name}.v1.json").read_text())["data"] | {"version": version} | changes
    place = f"{state[event.aggregate]}-{name}-{version}".encode()
    headers = (("ce_type", event.type.encode()), ("ce_source", b"berbagi"), ("ce_id", place))
    value = orjson.dumps(state)
    record = ConsumerRecord("facts", 0, evidence.history.records, 0, 0, b"key", value, None, 3, len(value), headers)
    evidence.history.take(record, topic_of(event).name, identities_of(evidence.played.month.world))


async def store(evidence: Evidence, *, without: type[Fact] | None = None, altered: str | None = None) -> None:
    """Read inboxes and rows as they are when every service has applied everything, but for what is said to differ."""
    history = evidence.history
    consumed = frozenset(event.type for event in history.ids)
    evidence.outcomes.clear()
    inbox: list[tuple[bytes, str, str | None]] = [
        (message_id, "accepted", None)
        for event, found in history.ids.items()
        if event is not without
        for message_id in found
    ]
    inbox += [
        (digest(*CLAIM).bytes, "accepted", "registered"),
        (digest(*REFUSED).bytes, "refused", "not_a_carer"),
        (digest(*PROMISE).bytes, "accepted", None),
        (digest(*ANSWER).bytes, "accepted", None),
    ]
    for service in ("registry", "assignment", "notifications"):
        await note_outcomes(evidence, service, consumed if service == "registry" else frozenset(), _rows(inbox))
    rows = [
        (household_id, orjson.dumps(state | ({"residents": 39} if household_id == altered else {})).decode())
        for household_id, state in history.households.items()
    ]
    await compare_states(evidence, "registry", "household_id", _rows(rows))


async def _rows(rows: Iterable[RowT]) -> AsyncIterator[RowT]:
    for row in rows:
        yield row


def _say(evidence: Evidence) -> None:
    said = evidence.played.said
    said.sent[CLAIM] = Sent("registry", TAKEN)
    said.sent[REFUSED] = Sent("registry", frozenset({"not_a_carer"}))
    said.sent[PROMISE] = Sent("assignment", TAKEN)
    said.sent[ANSWER] = Sent("notifications", TAKEN)
    said.answers[PROMISE] = "accepted"
    tell(
        evidence, e.SubmissionRefused, refusal_id=id_of("refusal"), source=REFUSED[0], submission_id=REFUSED[1],
        code="not_a_carer",
    )  # fmt: skip


def _register(evidence: Evidence, rows: tuple[Household, ...], carers: tuple[Carer, ...]) -> None:
    played = evidence.played
    programmes = [{"programme": code} for code in played.month.world.policy.programme]
    for household_id, row in zip((FIRST, SECOND, THIRD, RICHER), rows, strict=True):
        played.outside.household[row.number] = household_id
        held = programmes if row.eligible else []
        tell(evidence, e.HouseholdRegistered, household_id=household_id, eligibilities=held)
    for carer_id, carer in zip((LEAVER, CARER), carers, strict=True):
        played.outside.carer[carer.number] = carer_id
    left = played.left[LEAVER] = at(5, 7)
    assign(evidence, FIRST, LEAVER, at(1, 6))
    assign(evidence, FIRST, CARER, left + timedelta(hours=1), version=2)
    assign(evidence, SECOND, CARER, at(1, 6))
    assign(evidence, THIRD, id_of("carer", 2), at(1, 6))


def assign(evidence: Evidence, household_id: str, carer_id: str, since: datetime, version: int = 1) -> None:
    """A household is given to a carer."""
    tell(
        evidence, e.HouseholdAssigned, version, assignment_id=household_id, household_id=household_id,
        carer_id=carer_id, since=since.isoformat(),
    )  # fmt: skip


def _supply(evidence: Evidence) -> None:
    """The first household received noodles of the lot that was called back later."""
    rounds, lot_id = evidence.played.month.rounds, recalled_lot(evidence)
    parts = [{"lot_id": lot_id, "item": "noodles_85g", "units": 5}]
    for household_id in (FIRST, SECOND, THIRD):
        for round_id in rounds.values():
            plan(evidence, household_id, round_id)
    deliver(evidence, FIRST, rounds[MONTHLY], parts)
    evidence.played.month.deliveries.handed_over.add((FIRST, rounds[MONTHLY]))
    lot: dict[str, Any] = {"lot_id": lot_id, "unit_value": 3_000, "found": 0, "written_off": 0, "with_holders": 0}
    shelf = [{"depot_id": "depot-35.10", "available": 10, "reserved": 0, "in_transit": 0}]
    tell(evidence, e.StockReceived, **lot, received=10, holdings=shelf, delivered=0, blocked=0)
    tell(evidence, e.LotRecalled, 2, **lot, received=10, holdings=[], delivered=5, blocked=5, recipients=1)
    books = {"received": 10, "delivered": 5, "blocked": 5}
    evidence.accounts = [Account(lot_id, account, units, units) for account, units in books.items()]
    evidence.recipients[lot_id] = frozenset({FIRST})


def plan(evidence: Evidence, household_id: str, round_id: str, copy: int = 0) -> None:
    """A package for a household in a round."""
    package_id = id_of(f"package {household_id} {round_id}", copy)
    tell(evidence, e.PackagePlanned, package_id=package_id, household_id=household_id, round_id=round_id, lots=[])


def deliver(evidence: Evidence, household_id: str, round_id: str, lots: list[dict[str, Any]]) -> str:
    """The package planned for it arrives; its id."""
    package_id = id_of(f"package {household_id} {round_id}")
    tell(
        evidence, e.PackageDelivered, 2, package_id=package_id, household_id=household_id, round_id=round_id, lots=lots
    )
    return package_id


def _need(evidence: Evidence) -> None:
    """Somebody is ill, which is critical; somebody old is alone, and has their meals already."""
    numbers = {household_id: number for number, household_id in evidence.played.outside.household.items()}
    seen = evidence.played.month.visits.seen
    seen[Sighting(numbers[FIRST], Need.ACUTELY_ILL, None)] = [at(3, 18)]
    seen[Sighting(numbers[THIRD], Need.ELDERLY_ALONE, None)] = [at(3, 18)]
    open_case(evidence, CASE, FIRST, Need.ACUTELY_ILL)
    tell(
        evidence, e.CaseAccepted, 2, case_id=CASE, household_id=FIRST, need=Need.ACUTELY_ILL, person_id=None,
        status="accepted", next_date=at(4, 20).isoformat(),
    )  # fmt: skip
    tell(
        evidence, e.NotificationSent, notification_id=id_of("notification"), case_id=CASE,
        sent_at=at(3, 20.6).isoformat(),
    )  # fmt: skip


def open_case(evidence: Evidence, case_id: str, household_id: str, need: Need, **changes: Any) -> None:
    """A critical case of this need."""
    given: dict[str, Any] = {
        "person_id": None,
        "critical": True,
        "status": "open",
        "opened_at": at(3, 20.5).isoformat(),
        "next_date": at(4, 20).isoformat(),
    }
    tell(evidence, e.CaseOpened, case_id=case_id, household_id=household_id, need=need, **given | changes)


def recalled_lot(evidence: Evidence) -> str:
    """The id of the lot that is called back."""
    depots = evidence.played.month.depots
    return depots.lot_id(depots.recalled_lot)


def at(day: int, hours: float) -> datetime:
    """A moment of the month."""
    return tiny_month().calendar.at(day, hours)
