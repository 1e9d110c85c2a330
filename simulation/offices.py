"""How offices answer their cases: in time or not, sent on to another, waiting for budget, done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import lokal

from contracts import submissions as s
from simulation.agenda import Agenda
from simulation.calendar import Calendar
from simulation.claims import TAKEN, Claim, claim
from simulation.draws import Draws
from simulation.facts import Case, Outside

IN_TIME: Final[Mapping[str, float]] = {
    "dinkes": 0.95,
    "dukcapil": 0.88,
    "dinsos": 0.80,
    "dispendik": 0.70,
    "dpmd": 0.40,
    "dpkp": 0.10,
}
WAITS_FOR_BUDGET: Final[Mapping[str, float]] = {"dpkp": 0.85}
REJECTED: Final = 0.03

_AFTERNOON: Final = 15  # ordinary answers are given on working days, before the hour they are due
_LATE_DAYS: Final = 4
_OPEN: Final = frozenset({"open", "accepted"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What an office has in mind to say, to the case as it then stands."""

    case_id: str
    office_id: str
    turn: int
    step: str


@dataclass(slots=True)
class Offices:
    """All offices. `turns` counts how often a case came to an office anew."""

    draws: Draws
    calendar: Calendar
    answers: Agenda[Answer]
    turns: dict[str, int] = field(default_factory=dict)

    def due(self, step: int, now: datetime, outside: Outside) -> Iterator[Claim]:
        """Look at what came in, then say what is due."""
        for case_id in outside.asked:
            case = outside.cases[case_id]
            self.turns[case_id] = self.turns.get(case_id, 0) + 1
            number = outside.number.get(case.household_id)
            if number is not None:  # else its household's fact was lost, which the checks will say
                self._think(case_id, case, number, now - timedelta(seconds=1))
        outside.asked.clear()
        for answer in self.answers.take(step):
            case = outside.cases[answer.case_id]
            is_open = case.status in _OPEN and case.office_id == answer.office_id
            if is_open and self.turns[answer.case_id] == answer.turn:
                yield self._claim(answer, case, now)

    def _think(self, case_id: str, case: Case, number: int, begin: datetime) -> None:
        """First answer and end, each in time as often as this office manages."""
        turn = self.turns[case_id]
        chance = self.draws.share(f"answer {case.need} {turn}", number)
        rejected = turn == 1 and self.draws.share(f"rejects {case.need}", number) < REJECTED
        waits = self.draws.share(f"budget {case.need}", number) < WAITS_FOR_BUDGET.get(case.office_id, 0)
        in_time = self.draws.share(f"in time {case.need} {turn}", number) < IN_TIME[case.office_id]
        first = "rejected" if rejected else "waiting_budget" if waits else "accepted"
        answered = self._moment(case, begin, case.first_answer_due_at, chance, in_time=in_time)
        if answered is None:
            return
        self.answers.add(answered, Answer(case_id, case.office_id, turn, first))
        done = self._moment(case, answered, case.done_due_at, chance, in_time=in_time)
        if first == "accepted" and done is not None:
            self.answers.add(done, Answer(case_id, case.office_id, turn, "resolved"))

    def _moment(self, case: Case, begin: datetime, due: datetime, chance: float, *, in_time: bool) -> datetime | None:
        """The step at which this office says something; None when that is after the play."""
        steps = [moment for moment in self.calendar.steps if moment > begin and self._at_work(moment, case)]
        wanted = begin + (due - begin) * chance if in_time else due + timedelta(days=_LATE_DAYS * chance)
        then = next((moment for moment in steps if moment >= wanted), None)
        timely = [moment for moment in steps if moment <= due]
        return timely[-1] if in_time and timely and then is not None and then > due else then

    def _at_work(self, moment: datetime, case: Case) -> bool:
        return case.critical or (moment.hour == _AFTERNOON and lokal.is_working_day(moment.date()))

    def _claim(self, answer: Answer, case: Case, now: datetime) -> Claim:
        return claim(
            s.CaseUpdateSubmitted,
            answer.office_id,
            f"case-{answer.case_id}-{answer.turn}-{answer.step}",
            right=TAKEN,
            happened_at=now,
            household_id=case.household_id,
            case_id=answer.case_id,
            office_id=answer.office_id,
            step=answer.step,
            reason="not_ours" if answer.step == "rejected" else None,
        )
