"""What the checker of the fault runs finds: one wrong thing each, and nothing when all is well."""

from collections import Counter
from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

import orjson
import pytest
from aiokafka import ConsumerRecord

from contracts import events as e
from contracts.envelope import Envelope, to_headers
from messaging.reading import digest
from simulation.arrivals import Arrivals
from simulation.checks import delivery, messages
from simulation.claims import QUARANTINED
from simulation.evidence import Evidence
from simulation.evidence import Outcome as Decided
from simulation.facts import Outside
from simulation.history import History
from simulation.play import Month, Played
from simulation.privacy import Identities
from simulation.sending import Said, Sent

NOBODY = Identities(frozenset(), frozenset())
VISIT = ("smart-kampung", "visit-1")
RUBBISH = ("smart-kampung", "rubbish-1")
PLACE = digest("assignment-submissions", "0", "7").bytes
CASE = str(uuid4())


def fact(event: type[e.Fact], fact_id: str, cause: str, **state: Any) -> ConsumerRecord:
    envelope = Envelope(fact_id, "berbagi-notifications", event.type, "s", "", "c", cause, "35.10")
    value = orjson.dumps({"version": 1, **state})
    return ConsumerRecord("t", 0, 0, 0, 1, b"s", value, None, len(value), -1, tuple(to_headers(envelope)))


@pytest.fixture
def evidence() -> Evidence:
    """A visit that opened a case, one submission that could not be read, one record whose envelope could not be."""
    said = Said()
    said.sent = {VISIT: Sent("assignment", frozenset({"accepted"})), RUBBISH: Sent("assignment", QUARANTINED)}
    history = History()
    history.take(fact(e.CaseOpened, "f-1", "visit-1", case_id=CASE), "case-events", NOBODY)
    history.refusals[RUBBISH] = ["quarantined"]
    history.refusals["smart-kampung", "rubbish-2"] = ["quarantined"]
    return Evidence(
        Played(cast("Month", None), said, Outside()),
        history,
        outcomes={VISIT: Decided("accepted", None), RUBBISH: Decided("quarantined", "quarantined")},
        quarantined={digest(*RUBBISH).bytes: "one", PLACE: "another"},
        starts_told={(CASE, "case_opened"): 1},
        arrivals=Arrivals({VISIT, RUBBISH}, {PLACE: "by place"}, Counter({("smart-kampung", "rubbish-2"): 1})),
    )


def lose(evidence: Evidence) -> None:
    evidence.arrivals.places.remove(VISIT)


def apply_twice(evidence: Evidence) -> None:
    evidence.history.take(fact(e.CaseOpened, "f-1", "visit-1", case_id=str(uuid4())), "case-events", NOBODY)


def invent(evidence: Evidence) -> None:
    evidence.history.take(fact(e.CaseOpened, "f-2", "visit-2", case_id=str(uuid4())), "case-events", NOBODY)


def leave_parked(evidence: Evidence) -> None:
    evidence.left_over.append("assignment: parked submission")


def tell_twice(evidence: Evidence) -> None:
    evidence.starts_told[CASE, "case_opened"] = 2


def tell_of_nothing(evidence: Evidence) -> None:
    evidence.starts_told[str(uuid4()), "case_opened"] = 1


def quarantine_a_good_one(evidence: Evidence) -> None:
    evidence.quarantined[digest(*VISIT).bytes] = "a good one"


def swallow(evidence: Evidence) -> None:
    del evidence.quarantined[PLACE]


def tell_nobody(evidence: Evidence) -> None:
    del evidence.history.refusals["smart-kampung", "rubbish-2"]


def refuse_what_nobody_sent(evidence: Evidence) -> None:
    evidence.history.refusals["smart-kampung", "visit-9"] = ["invalid_field"]


CHECKS = (
    delivery.nothing_acknowledged_is_missing,
    delivery.facts_are_stable,
    delivery.facts_have_a_cause,
    delivery.nothing_is_left_over,
    delivery.starts_of_cases_are_told_once,
    messages.what_cannot_be_read_is_quarantined,
    messages.refusals_are_told_once,
)


def broken(evidence: Evidence) -> set[str]:
    return {check.__name__ for check in CHECKS if check(evidence)}


def test_nothing_is_found_when_all_is_well(evidence: Evidence) -> None:
    assert broken(evidence) == set()


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (lose, "nothing_acknowledged_is_missing"),
        (apply_twice, "facts_are_stable"),
        (invent, "facts_have_a_cause"),
        (leave_parked, "nothing_is_left_over"),
        (tell_twice, "starts_of_cases_are_told_once"),
        (tell_of_nothing, "starts_of_cases_are_told_once"),
        (quarantine_a_good_one, "what_cannot_be_read_is_quarantined"),
        (swallow, "what_cannot_be_read_is_quarantined"),
        (tell_nobody, "refusals_are_told_once"),
        (refuse_what_nobody_sent, "refusals_are_told_once"),
    ],
)
def test_what_is_wrong_is_found(evidence: Evidence, harm: Callable[[Evidence], None], found: str) -> None:
    harm(evidence)

    assert found in broken(evidence)
