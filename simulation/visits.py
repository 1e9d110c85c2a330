"""Visit reports: five questions, every need seen, corrections, some late and in one go, some twice."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contracts import submissions as s
from contracts.vocabulary import Answer, Need
from simulation.agenda import Agenda
from simulation.calendar import WEEKS, Calendar
from simulation.claims import TAKEN, Claim, claim
from simulation.facts import Outside
from simulation.fate import STILL_SEEN
from simulation.phones import SOURCE, Phones, carer_at

NEED_WEEK: Final = 0  # a carer called to a new need comes beside the weekly visit

_EVENING: Final = 18.0  # when phones are back on the net
_FROM: Final = 15.6  # hour of the first door of an afternoon
_PLANTATION_DAYS: Final = 4  # after the end of the week: then the late ones come in one go
_STILL_THERE: Final = 0.05  # of resolutions: the next visit sees the need again
_PERSONAL: Final = frozenset(
    {
        Need.ACUTELY_ILL, Need.ELDERLY_ALONE, Need.SCHOOL_DROPOUT, Need.SCHOOL_MEANS, Need.UNDERFED_CHILD,
        Need.DISABILITY_CARE, Need.CHILD_IN_DANGER, Need.CHILD_NEGLECTED, Need.GIFTED_STUDENT,
    }
)  # fmt: skip
_OF_CHILDREN: Final = _PERSONAL - {Need.ACUTELY_ILL, Need.ELDERLY_ALONE, Need.DISABILITY_CARE}
_OVER: Final = frozenset({"resolved", "confirmed"})


@dataclass(frozen=True, slots=True)
class Sighting:
    """A need as a phone reported it."""

    number: int
    need: Need
    person_id: str | None


@dataclass(frozen=True, slots=True)
class Call:
    """A visit to be made; `at` is the household's position in the drawn arrays; `week` 0: for a new need."""

    number: int
    at: int
    week: int
    day: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a carer writes down at a door."""

    call: Call
    carer: tuple[str, int]
    happened_at: datetime
    nobody_met: bool
    needs: tuple[Sighting, ...]


@dataclass(slots=True)
class Visits:
    """The reports of the month; `seen` is every sighting that was sent, for the reconciliation."""

    phones: Phones
    calls: Agenda[Call]
    held: Agenda[Claim]
    """Written and not yet sent: the phone has no net, or the correction comes a day later."""
    seen: dict[Sighting, list[datetime]] = field(default_factory=dict)
    made: set[tuple[int, int]] = field(default_factory=set)
    """Household and week."""
    person: dict[tuple[int, Need], str | None] = field(default_factory=dict)
    still_there: set[tuple[int, Need]] = field(default_factory=set)

    def due(self, step: int, now: datetime, outside: Outside) -> Iterator[Claim]:
        """What phones send at this step."""
        yield from self.held.take(step)
        for call in self.calls.take(step):
            number, week = call.number, call.week
            if outside.household.get(number) in outside.gone:
                continue
            carer = carer_at(outside, number)
            if carer is None:
                self.calls.postpone(step, call)
                continue
            yield from self._report(call, carer, now, outside)
            self.made.add((number, week))

    def _report(self, call: Call, carer: tuple[str, int], now: datetime, outside: Outside) -> Iterator[Claim]:
        drawn = None if call.week == NEED_WEEK else self.phones.fate.weeks[call.week - 1]
        begin = self.phones.calendar.at(self.phones.calendar.day_of(now), _FROM)
        happened_at = self.phones.next_door(carer[0], min(begin, now), now)
        nobody_met = drawn is not None and bool(drawn.nobody_met[call.at])
        needs = () if nobody_met else tuple(self._needs(call, outside))
        for sighting in needs:
            self.seen.setdefault(sighting, []).append(happened_at)
        report = Report(call, carer, happened_at, nobody_met, needs)
        sent = self._claim(report, outside.household[call.number], correction=False)
        if drawn is not None and drawn.late[call.at]:
            self._hold(sent, call, twice=bool(drawn.twice[call.at]))
            return
        yield sent
        if drawn is not None and drawn.twice[call.at]:
            yield sent
        if drawn is not None and drawn.corrected[call.at]:
            corrected = self._claim(report, outside.household[call.number], correction=True)
            self.held.add(self.phones.calendar.at(call.day + 1, _EVENING), corrected)

    def _hold(self, report: Claim, call: Call, *, twice: bool) -> None:
        calendar = self.phones.calendar
        back = calendar.at(calendar.week_days(call.week)[-1] + _PLANTATION_DAYS, _EVENING)
        for _ in range(1 + twice):
            self.held.add(back, report)

    def _needs(self, call: Call, outside: Outside) -> Iterator[Sighting]:
        fate = self.phones.fate
        for day, need in fate.needs.get(call.number, ()):
            if day <= call.day and self._is_there(call.number, need, outside):
                yield Sighting(call.number, need, self._person(call.number, need, outside))
        if call.week == WEEKS[0]:
            for programme, need in STILL_SEEN.items():
                if call.number in fate.enrolments[programme]:
                    yield Sighting(call.number, need, None)

    def _is_there(self, number: int, need: Need, outside: Outside) -> bool:
        """Until it is answered; and once more where the answer did not help."""
        case_id = outside.case_of.get((outside.household[number], need))
        if case_id is None or outside.cases[case_id].status not in _OVER:
            return True
        if (number, need) in self.still_there or outside.cases[case_id].status == "confirmed":
            return False
        again = self.phones.world.draws.share(f"still there {need}", number) < _STILL_THERE
        if again:
            self.still_there.add((number, need))
        return again

    def _person(self, number: int, need: Need, outside: Outside) -> str | None:
        """Whose need: the same person whenever it is reported."""
        if need not in _PERSONAL:
            return None
        if (number, need) not in self.person:
            members = outside.members[outside.household[number]]
            wanted = "child" if need in _OF_CHILDREN else "head"
            self.person[number, need] = next(
                (member.person_id for member in members if member.role == wanted), members[0].person_id
            )
        return self.person[number, need]

    def _claim(self, report: Report, household_id: str, *, correction: bool) -> Claim:
        call, carer = report.call, report.carer
        visit = f"visit-{call.number}-{call.week}" + (f"-{call.day}" if call.week == NEED_WEEK else "")
        device = self.phones.device(call.number, carer[1], visit)
        kinds = {sighting.need for sighting in report.needs}
        aid = Need.NO_ROUTINE_AID not in kinds
        return claim(
            s.VisitSubmitted,
            SOURCE,
            visit + ("-corrected" if correction else ""),
            right=TAKEN,
            happened_at=report.happened_at,
            household_id=household_id,
            visit_id=self.phones.world.draws.uuid(f"visit {call.week}", call.number, call.day),
            carer_id=carer[0],
            correction=correction,
            happened=not report.nobody_met,
            place=device.place,
            answers={
                "lives_alone": _answer(report, yes=len(self.phones.household(call.number).members) == 1),
                "ill": _answer(report, yes=Need.ACUTELY_ILL in kinds),
                "dropout": _answer(report, yes=Need.SCHOOL_DROPOUT in kinds),
                "receives_aid": Answer.UNKNOWN if correction else _answer(report, yes=aid),
                "house_unfit": _answer(report, yes=Need.HOUSE_UNFIT in kinds),
            },
            needs=[{"need": sighting.need, "person_id": sighting.person_id} for sighting in report.needs],
            programmes_received=[
                programme for programme, numbers in self.phones.fate.enrolments.items() if call.number in numbers
            ],
        )


def plan_visits(phones: Phones, calendar: Calendar) -> Visits:
    """Every visit of the month on its evening, and a visit for every new need on its own day."""
    calls, held = Agenda[Call](calendar.steps), Agenda[Claim](calendar.steps)
    numbers = phones.fate.numbers.tolist()
    for week in WEEKS:
        for at, day in enumerate(phones.fate.weeks[week - 1].day.tolist()):
            if day:
                calls.add(calendar.at(day, _EVENING), Call(numbers[at], at, week, day))
    for number, needs in phones.fate.needs.items():
        for day in sorted({day for day, _ in needs}):
            calls.add(calendar.at(day, _EVENING), Call(number, 0, NEED_WEEK, day))
    return Visits(phones, calls, held)


def _answer(report: Report, *, yes: bool) -> Answer:
    return Answer.UNKNOWN if report.nobody_met else Answer.YES if yes else Answer.NO
