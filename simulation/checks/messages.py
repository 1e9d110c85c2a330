"""Every submission has one outcome, every fact was applied, nothing personal got out."""

from messaging.reading import digest
from simulation.claims import QUARANTINED
from simulation.evidence import Evidence


def submissions_have_their_outcome(evidence: Evidence) -> list[str]:
    """Exactly one, and one that the rules allow."""
    broken = []
    for place, sent in evidence.played.said.sent.items():
        outcome = evidence.outcomes.get(place)
        word = "no outcome" if outcome is None else outcome.word
        if word not in sent.right:
            broken.append(f"{place[0]} {place[1]}: {word}, where {' or '.join(sorted(sent.right))} would be right")
    return broken


def refusals_are_told_once(evidence: Evidence) -> list[str]:
    """On Kafka to who submitted there, or was told over HTTP that it is parked; else in the answer."""
    broken = []
    told, answers = evidence.history.refusals, evidence.played.said.answers
    expected = {place: ["quarantined"] * count for place, count in evidence.arrivals.unreadable_from.items()}
    for place, outcome in evidence.outcomes.items():
        answer = answers.get(place, "parked")
        if outcome.outcome in {"refused", "quarantined"} and answer == "parked":
            expected[place] = [outcome.code or ""]
        if answer not in {"parked", outcome.outcome, outcome.code}:
            broken.append(f"{place[0]} {place[1]}: answered {answer}, decided {outcome.word}")
    return broken + [
        f"{place[0]} {place[1]}: told {told.get(place, [])} instead of {expected.get(place, [])}"
        for place in expected.keys() | told.keys()
        if told.get(place, []) != expected.get(place, [])
    ]


def facts_are_gapless(evidence: Evidence) -> list[str]:
    """The versions of every aggregate appear on Kafka one after the other."""
    return evidence.history.broken


def facts_are_applied(evidence: Evidence) -> list[str]:
    """Each by every service that consumes it; the inbox lets none in twice."""
    return evidence.not_applied


def rows_are_what_was_stated(evidence: Evidence) -> list[str]:
    """Every household, carer, assignment, pledge, visit, round, package, lot and case."""
    return evidence.not_stored


def what_cannot_be_read_is_quarantined(evidence: Evidence) -> list[str]:
    """Each unreadable record by itself, and nothing of its neighbours'."""
    unreadable = evidence.arrivals.unreadable | {
        digest(*place).bytes: f"{place[0]} {place[1]}"
        for place, sent in evidence.played.said.sent.items()
        if sent.right == QUARANTINED
    }
    wrongly = [line for message_id, line in evidence.quarantined.items() if message_id not in unreadable]
    missing = [f"{line}: not quarantined" for one, line in unreadable.items() if one not in evidence.quarantined]
    return wrongly + missing


def nobody_is_named(evidence: Evidence) -> list[str]:
    """No NIK, card number, NIP, name or phone outside the vault's ciphertexts."""
    return evidence.leaks
