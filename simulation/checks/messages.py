"""Every submission has one outcome, every fact was applied, nothing personal got out."""

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
    for place, outcome in evidence.outcomes.items():
        answer = answers.get(place, "parked")
        expected = [outcome.code] if outcome.outcome == "refused" and answer == "parked" else []
        if told.get(place, []) != expected:
            broken.append(f"{place[0]} {place[1]}: told {told.get(place, [])} instead of {expected}")
        if answer not in {"parked", outcome.outcome, outcome.code}:
            broken.append(f"{place[0]} {place[1]}: answered {answer}, decided {outcome.word}")
    return broken


def facts_are_gapless(evidence: Evidence) -> list[str]:
    """The versions of every aggregate appear on Kafka one after the other."""
    return evidence.history.broken


def facts_are_applied(evidence: Evidence) -> list[str]:
    """Each by every service that consumes it; the inbox lets none in twice."""
    return evidence.not_applied


def rows_are_what_was_stated(evidence: Evidence) -> list[str]:
    """Every household, carer, assignment, pledge, visit, round, package, lot and case."""
    return evidence.not_stored


def nothing_is_quarantined(evidence: Evidence) -> list[str]:
    """The outside sent nothing that cannot be handled."""
    return evidence.quarantined


def nobody_is_named(evidence: Evidence) -> list[str]:
    """No NIK, card number, NIP, name or phone outside the vault's ciphertexts."""
    return evidence.leaks
