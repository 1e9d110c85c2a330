"""Moments and ages as people write and read them; on the real clock."""

import re
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import policies
from operations.errors import CommandError

FORMS: Final = "2026-10-14T07:30, 2026-10-14, or 90m, 12h, 3d for so long ago"
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def local_zone() -> ZoneInfo:
    """Of the first regency: what people here mean by seven o'clock."""
    return next(iter(policies.load().values())).zone


def moment_of(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """What somebody wrote; without an offset it is in this zone."""
    ago = re.fullmatch(r"(\d{1,5})([mhd])", text)
    if ago is not None:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"a moment is written like {FORMS}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def shown(moment: datetime | None, zone: ZoneInfo) -> str:
    """To the second: 2026-10-14 07:30:05 WIB."""
    return "" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def age_of(span: timedelta) -> str:
    """In its two largest units: 2 d 3 h, 14 min."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
    return f"{seconds // _DAY} d {seconds % _DAY // _HOUR} h"
