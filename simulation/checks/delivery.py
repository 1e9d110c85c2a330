"""What must hold whatever dies meanwhile: nothing is lost, nothing happens twice, nothing comes from nowhere."""

from collections import Counter

from contracts import events as e
from contracts.envelope import SERVICE_SOURCE
from contracts.topics import SERVICES
from messaging.reading import digest
from simulation.evidence import Evidence

_STARTS = {e.CaseOpened: "case_opened", e.CaseReopened: "case_reopened", e.CaseRerouted: "case_rerouted"}


def nothing_acknowledged_is_missing(evidence: Evidence) -> list[str]:
    """What Kafka took is on its topic, and HTTP answered for the rest."""
    there = evidence.arrivals.places | evidence.played.said.answers.keys()
    return [f"{source} {sent}: gone" for source, sent in evidence.played.said.sent if (source, sent) not in there]


def facts_are_stable(evidence: Evidence) -> list[str]:
    """An id is made from its cause: a second effect of one message shows as another content under the same id."""
    return evidence.history.unstable


def facts_have_a_cause(evidence: Evidence) -> list[str]:
    """A submission that somebody sent, or a fact."""
    said = {sent_id for _, sent_id in evidence.played.said.sent}
    said |= {sent_id for _, sent_id in evidence.arrivals.unreadable_from}
    facts = {message_id for ids in evidence.history.ids.values() for message_id in ids}
    return [
        f"a fact comes from {cause}, which nobody said"
        for cause in evidence.history.causes - said
        if not any(digest(SERVICE_SOURCE + service, cause).bytes in facts for service in SERVICES)
    ]


def nothing_is_left_over(evidence: Evidence) -> list[str]:
    """At rest every outbox is empty, and nothing waits for what has come."""
    return evidence.left_over


def misuse_is_turned_away(evidence: Evidence) -> list[str]:
    """Bodies and batches over the limits, and what is no JSON, as a whole and at once."""
    return evidence.played.said.let_in


def starts_of_cases_are_told_once(evidence: Evidence) -> list[str]:
    """One intent for each time that a case's clocks start (rule 25)."""
    stated = Counter(
        (case_id, _STARTS[told.event])
        for case_id, history in evidence.history.cases.items()
        for told in history
        if told.event in _STARTS
    )
    wanted = evidence.starts_told
    return [
        f"case {place[0]}: {place[1]} stated {stated[place]} times, to be told {wanted.get(place, 0)} times"
        for place in stated.keys() | wanted.keys()
        if stated[place] != wanted.get(place, 0)
    ]
