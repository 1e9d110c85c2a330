"""What tests of notifications share: times of Banyuwangi, households' needs, and a desk that carries out messages."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import policies
from services.notifications.answers import Answer, Step, answer
from services.notifications.cases import Held, Need, NewCase, open_case
from services.notifications.domain import Findings, Known, Said, look

POLICY = policies.load()["35.10"]
DISTRICT = "35.10.16"


def local(text: str) -> datetime:
    """`2026-10-16 17:00` in Banyuwangi."""
    return datetime.fromisoformat(text).replace(tzinfo=POLICY.zone)


def opened(need: str, at: datetime, person_id: UUID | None = None) -> Held:
    """A case of this need, opened now."""
    return open_case(NewCase(uuid4(), uuid4(), DISTRICT, Need(need, person_id), "c-1"), POLICY, at)


def answered(held: Held, step: Step, at: datetime, **changes: Any) -> Held:
    """What the office responsible makes of it."""
    given = Answer(step, held.case.responsible_office_id, "not_ours", at)
    after = answer(held, replace(given, **changes), 1, POLICY, at)
    assert isinstance(after, Held), after
    return after


def said_of(held: Held, at: datetime, *needs: Need, happened: bool = True) -> Said:
    """A visit to the household of a case, which saw these needs."""
    return Said(uuid4(), held.case.household_id, DISTRICT, needs, at, "c-2", is_visit=True, confirms=happened)


def seen(said: Said, *cases: Held, now: datetime | None = None, **known: Any) -> Findings:
    """What follows from it."""
    return look(said, Known(cases=cases, **known), POLICY, now or said.happened_at + timedelta(hours=1), uuid4)


def need_of(held: Held) -> Need:
    return Need(held.case.need, held.case.person_id)
