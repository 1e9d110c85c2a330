"""Rubbish has the fate it is said to have, whatever it was made of."""

from collections.abc import Sequence
from typing import Any

import pytest

from contracts.topics import MESSAGES
from messaging import Accepted, Card, Connection, Outcome, Received, Refused
from messaging.reading import Bad, Ignored, Reading, read
from simulation.claims import Claim
from simulation.play import files
from simulation.rubbish import BY_PLACE, KINDS, Rubbish, spoil
from simulation.sending import record_of
from tests.simulation.conftest import month_of

REGENCY = "35.10"


@pytest.fixture(scope="module")
def claims() -> Sequence[Claim]:
    month = month_of(1)
    return list(files(month, month.calendar.steps[0]))


@pytest.mark.parametrize("number", range(len(KINDS)), ids=list(KINDS))
def test_every_kind_is_wrong_in_its_way(claims: Sequence[Claim], number: int) -> None:
    for claim in (claims[0], claims[-1], claims[len(claims) // 2]):
        rubbish = spoil(record_of(claim, REGENCY), claim.source, number)
        here, there = (read_at(rubbish, offset) for offset in (2, 3))

        assert isinstance(here, Bad)
        word = here.outcome.code if isinstance(here.outcome, Refused) else "quarantined"
        assert {word} == KINDS[rubbish.kind].right
        assert (here.message_id != there.message_id) is (rubbish.kind in BY_PLACE)


def read_at(rubbish: Rubbish, offset: int) -> Reading:
    """As its service reads it."""
    card = Card(rubbish.service, "Whether tests pass.", (), (), regencies=frozenset({REGENCY}))
    reading = read(rubbish.record._replace(partition=0, offset=offset), card, dict.fromkeys(MESSAGES.values(), handle))
    assert not isinstance(reading, Ignored)
    return reading


async def handle(messages: Sequence[Received[Any]], _: Connection) -> list[Outcome]:
    return [Accepted() for _ in messages]
