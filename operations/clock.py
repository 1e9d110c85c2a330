"""The programme clock of all four databases together; only services started for development look at it."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from messaging.clock import deciding_time, set_clock
from messaging.database import open_connection
from operations.errors import CommandError
from operations.stacks.database_store import told_when_closed

FORMS = "+1d12h30m, 2026-10-14T07:30 or now"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one database says."""

    real: datetime
    deciding: datetime

    @property
    def ahead(self) -> timedelta:
        return self.deciding - self.real


async def read_clocks(databases: Mapping[str, str]) -> Mapping[str, Reading]:
    """By service."""
    readings = await asyncio.gather(*(_read(service, url) for service, url in databases.items()))
    return dict(zip(databases, readings, strict=True))


async def move_clocks(databases: Mapping[str, str], ahead: timedelta) -> None:
    """Every service decides `ahead` of the real clock from now on, and every job looks at once."""
    await asyncio.gather(*(_move(service, url, ahead) for service, url in databases.items()))


def ahead_for(moment: str, reading: Reading, zone: ZoneInfo) -> timedelta:
    """How far the clock must be ahead for a moment as people write it; without an offset it is in this zone."""
    if moment == "now":
        return timedelta()
    step = re.fullmatch(r"\+(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,4})m)?", moment)
    if step is not None and any(step.groups()):
        days, hours, minutes = (int(part or 0) for part in step.groups())
        return reading.ahead + timedelta(days=days, hours=hours, minutes=minutes)
    try:
        wanted = datetime.fromisoformat(moment)
    except ValueError:
        raise CommandError(f"a moment is written like {FORMS}") from None
    return (wanted if wanted.tzinfo else wanted.replace(tzinfo=zone)) - reading.real


async def _read(service: str, url: str) -> Reading:
    with told_when_closed(service):
        db = await open_connection(url, name="berbagi-clock")
    try:
        async with db.transaction():  # now() stands still inside
            return Reading(await deciding_time(db, development=False), await deciding_time(db, development=True))
    finally:
        await db.close()


async def _move(service: str, url: str, ahead: timedelta) -> None:
    with told_when_closed(service):
        db = await open_connection(url, name="berbagi-clock")
    try:
        await set_clock(db, ahead)
    finally:
        await db.close()
