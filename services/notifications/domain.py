"""What somebody said of a household's needs, and what follows for its cases (rules 20, 22, 24, 26). Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from contracts.events import Case, Enrolment
from policies import Policy
from services.notifications.cases import Held, Need, NewCase, confirm, open_case, reopen
from services.notifications.intents import Intent, tell_of_start


@dataclass(frozen=True, slots=True)
class Said:
    """What a visit, the register or a package says of one household; needs a visit does not name it does not see."""

    source_id: UUID
    household_id: UUID
    district: str
    needs: tuple[Need, ...]
    happened_at: datetime
    correlationid: str
    is_visit: bool = False
    """Its newer version corrects the older one; the register and a package only name what is new."""
    confirms: bool = False
    """A visit that happened: only such a one confirms and reopens."""

    @property
    def regency(self) -> str:
        """The regency whose policy decides."""
        return self.district[:5]


@dataclass(frozen=True, slots=True)
class Seen:
    """A source counted once for a case, however often it says the same."""

    source_id: UUID
    case_id: UUID


@dataclass(frozen=True, slots=True)
class Known:
    """What is known here of the household."""

    cases: tuple[Held, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()
    gone: bool = False
    """It left or was merged: nobody is there to be helped, so nothing opens."""
    seen: frozenset[Seen] = frozenset()
    """What this source said before."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Cases as they are held afterwards, the facts about them, who saw them, and what has to be told."""

    changed: tuple[Held, ...]
    facts: tuple[Case, ...]
    seen: frozenset[Seen]
    withdrawn: frozenset[Seen]
    told: tuple[Intent, ...]


def look(said: Said, known: Known, policy: Policy, now: datetime, new_id: Callable[[], UUID]) -> Findings:
    """Open, reopen, confirm or count.

    A repeated sighting is counted and no fact of its own: the case's next fact states the number. A need that a
    correction takes back is no longer counted; its case stays, for the office to decide.
    """
    held_by_id = {held.case.case_id: held for held in known.cases}
    today = now.astimezone(policy.zone).date()
    seen: set[Seen] = set()
    for need in dict.fromkeys(need for need in said.needs if need.code in policy.need):
        held = _find(need, said.happened_at, known.cases)
        if held is None:
            if known.gone or is_met(need.code, known.enrolments, policy, today):
                continue
            held = open_case(NewCase(new_id(), said.household_id, said.district, need, said.correlationid), policy, now)
        elif Seen(said.source_id, held.case.case_id) not in known.seen:
            held = replace(held, sightings=held.sightings + 1)
        if said.confirms:
            held = reopen(held, said.happened_at, policy, now)
        held_by_id[held.case.case_id] = held
        seen.add(Seen(said.source_id, held.case.case_id))
    withdrawn = {one for one in known.seen - seen if said.is_visit and one.case_id in held_by_id}
    for one in withdrawn:
        held = held_by_id[one.case_id]
        held_by_id[one.case_id] = replace(held, sightings=held.sightings - 1)
    if said.confirms:
        seen_ids = {one.case_id for one in seen}
        for case_id, held in held_by_id.items():
            held_by_id[case_id] = held if case_id in seen_ids else confirm(held, said.happened_at)
    changed = _changes(known, held_by_id.values())
    versions = {held.case.case_id: held.case.version for held in known.cases}
    stated = [held for held in changed if held.case.version != versions.get(held.case.case_id)]
    told = tuple(intent for held in stated for intent in tell_of_start(held, policy, now))
    facts = tuple(held.case for held in stated)
    return Findings(changed, facts, frozenset(seen - known.seen), frozenset(withdrawn), told)


def is_met(need: str, enrolments: Iterable[Enrolment], policy: Policy, today: date) -> bool:
    """A running enrolment known now meets the need: no case opens (rule 26). One that comes later closes nothing."""
    return any(
        enrolment.programme in policy.need[need].met_by
        and enrolment.since <= today
        and (enrolment.until is None or today <= enrolment.until)
        for enrolment in enrolments
    )


def _find(need: Need, seen_at: datetime, cases: Iterable[Held]) -> Held | None:
    """The open case of a need, else one confirmed whose resolution came after this sighting: an old report."""
    same = [held for held in cases if Need(held.case.need, held.case.person_id) == need]
    still_open = [held for held in same if held.case.status != "confirmed"]
    covered = [held for held in same if held.case.resolved_at and seen_at <= held.case.resolved_at]
    return next(iter(still_open + covered), None)


def _changes(known: Known, after: Iterable[Held]) -> tuple[Held, ...]:
    before = {held.case.case_id: held for held in known.cases}
    return tuple(held for held in after if before.get(held.case.case_id) != held)
