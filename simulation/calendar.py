"""The month's days, weeks and steps, in the regency's own time."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

DAYS_AFTER: Final = 5  # the play runs on, late reports only, so that both figures of rule 30 exist
FREEZE_DAYS: Final = 5  # before the launch
WEEKS: Final = (1, 2, 3, 4)

_WEDNESDAY: Final = 2
_DAYS_A_WEEK: Final = 7
_LAUNCH_DAYS: Final = 3  # mornings on which most packages go out
_FIRST: Final = (time(6, 0), time(6, 40))  # the 1st: the files; then the rounds, when everybody has a carer
_DAILY: Final = (time(7, 30), time(15, 30), time(20, 30), time(22, 0))  # the last: within two hours of the evening
_LAUNCH: Final = time(11, 0)


@dataclass(frozen=True)
class Calendar:
    """One month; days are counted from 1 and go on after its end."""

    first: date
    zone: ZoneInfo

    @cached_property
    def days(self) -> int:
        """Days of the month."""
        return ((self.first + timedelta(days=31)).replace(day=1) - self.first).days

    @property
    def month(self) -> str:
        """`2026-10`."""
        return f"{self.first:%Y-%m}"

    @cached_property
    def launch(self) -> int:
        """The second Wednesday."""
        return 1 + (_WEDNESDAY - self.first.weekday()) % _DAYS_A_WEEK + _DAYS_A_WEEK

    def date(self, day: int) -> date:
        """The day so many."""
        return self.first + timedelta(days=day - 1)

    def at(self, day: int, hours: float) -> datetime:
        """So many hours after the midnight that begins a day."""
        return datetime.combine(self.date(day), time(), self.zone) + timedelta(hours=hours)

    def day_of(self, moment: datetime) -> int:
        """The day a moment belongs to."""
        return (moment.astimezone(self.zone).date() - self.first).days + 1

    def week_days(self, week: int) -> range:
        """Days of a week: 1-7, 8-14, 15-21, 22 to the end."""
        return range(7 * week - 6, 7 * week + 1 if week < WEEKS[-1] else self.days + 1)

    def period(self, week: int) -> str:
        """`2026-10-w2`."""
        return f"{self.month}-w{week}"

    @cached_property
    def hari_belanja(self) -> int:
        """The shopping day: 10/10, 3/3."""
        return self.first.month

    @cached_property
    def steps(self) -> tuple[datetime, ...]:
        """The moments at which the programme clock stands; what happened before one is sent at it."""
        moments = [self._moment(1, moment) for moment in _FIRST]
        for day in range(1, self.days + DAYS_AFTER + 1):
            extra = (_LAUNCH,) if 0 <= day - self.launch < _LAUNCH_DAYS else ()
            moments.extend(self._moment(day, moment) for moment in sorted((*_DAILY, *extra)))
        return tuple(moments)

    def _moment(self, day: int, moment: time) -> datetime:
        return datetime.combine(self.date(day), moment, self.zone)
