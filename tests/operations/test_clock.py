"""`berbagi dev clock`: one programme clock over four databases."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.topics import SERVICES
from operations.clock import Reading, ahead_for, move_clocks, read_clocks
from operations.errors import CommandError
from tests.databases import Databases

REAL = datetime(2026, 10, 1, tzinfo=UTC)
NOW = Reading(REAL, REAL + timedelta(hours=5))
WIB = ZoneInfo("Asia/Jakarta")


@pytest.mark.parametrize(
    ("moment", "ahead"),
    [
        ("now", timedelta()),
        ("+2h", timedelta(hours=7)),
        ("+1d12h30m", timedelta(days=1, hours=17, minutes=30)),
        ("2026-10-14T07:30", timedelta(days=13, minutes=30)),
        ("2026-10-14T07:30+00:00", timedelta(days=13, hours=7, minutes=30)),
        ("2026-09-30", timedelta(days=-1, hours=-7)),
    ],
)
def test_a_moment_is_read_as_people_write_it(moment: str, ahead: timedelta) -> None:
    assert ahead_for(moment, NOW, WIB) == ahead


@pytest.mark.parametrize("moment", ["", "+", "+2", "2h", "tomorrow", "2026-13-01"])
def test_what_is_no_moment_is_said_in_a_sentence(moment: str) -> None:
    with pytest.raises(CommandError, match="a moment is written like"):
        ahead_for(moment, NOW, WIB)


async def test_all_four_clocks_move_together(databases: Databases) -> None:
    urls: Mapping[str, str] = {name: await databases.fresh(name) for name in SERVICES}
    before = await read_clocks(urls)

    await move_clocks(urls, timedelta(days=3))

    after = await read_clocks(urls)
    assert [reading.ahead for reading in before.values()] == [timedelta()] * 4
    assert {name: replace(reading, real=REAL, deciding=REAL + reading.ahead) for name, reading in after.items()} == {
        name: Reading(REAL, REAL + timedelta(days=3)) for name in SERVICES
    }
