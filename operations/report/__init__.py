"""The report of a month: asked from each service's figures, shaped into one page for each reader.

`known.py` asks; `head_of_region.py`, `social_office.py`, `district.py`, `auditor.py` and `machinery.py` shape a page
each, as `content.py` describes; `text.py` shows pages to people in the words of `en.toml`, `data.py` to programs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from operations.errors import CommandError
from operations.report import auditor, data, district, head_of_region, machinery, social_office, text, words
from operations.report.content import Head, Page, Report
from operations.report.known import RESTATED, ROUNDS, Known, Scope, ask, ask_breaches, find_month, share, shares
from operations.report.names import monthly_programme
from policies import Policy

__all__ = ["OF_THE_REGENCY", "Reader", "Scope", "Source", "data", "machinery", "make_report", "text", "words"]

_MONTH: Final = len("2026-10")  # of a period


class Reader(StrEnum):
    """Whose page."""

    HEAD = "head"
    SOCIAL = "social"
    AUDITOR = "auditor"
    DISTRICT = "district"


OF_THE_REGENCY: Final = (Reader.HEAD, Reader.SOCIAL, Reader.AUDITOR)


@dataclass(frozen=True, slots=True)
class Source:
    """Where to ask: url by service, and a token with the scope `figures:read`."""

    services: Mapping[str, str]
    token: str
    simulated: bool = False
    """Its positions are synthetic, which the report then says."""


def make_report(source: Source, scope: Scope, readers: Sequence[Reader], policy: Policy) -> Report:
    """Ask once, and shape a page for each reader; CommandError when a service does not answer."""
    month = scope.month or find_month(source.services, source.token)
    scope = replace(scope, month=month and month[:_MONTH])
    known = ask(source.services, source.token, scope)
    pages = tuple(_page(reader, known, source, scope, policy) for reader in readers)
    return Report(_head(known, scope, policy, simulated=source.simulated), pages)


def _page(reader: Reader, known: Known, source: Source, scope: Scope, policy: Policy) -> Page:
    match reader:
        case Reader.HEAD:
            is_public = scope.public  # a case is a cell of one
            breaches = None if is_public else ask_breaches(source.services, source.token, scope)
            return head_of_region.page(known, breaches, policy)
        case Reader.SOCIAL:
            return social_office.page(known, policy)
        case Reader.AUDITOR:
            return auditor.page(known, policy)
        case Reader.DISTRICT:
            if scope.district is None:
                raise CommandError("the page of a district needs --district, like 35.10.16")
            return district.page(known, policy, scope.district)


def _head(known: Known, scope: Scope, policy: Policy, *, simulated: bool) -> Head:
    """The monthly round, if the month has one, and the earliest time at which all figures were true."""
    rounds = shares(known, "rounds", ROUNDS) or {}
    monthly = next((key for key in rounds if key[1] == monthly_programme(policy)), None)
    known_at = min(figure.as_of for name, figure in known.items() if name not in RESTATED)
    return Head(
        regency=policy.name,
        month=scope.month or f"{known_at.astimezone(policy.zone):%Y-%m}",
        known_at=known_at,
        zone=str(policy.zone),
        round_id=monthly[0] if monthly else None,
        decree=monthly[6] if monthly else None,
        opens_on=date.fromisoformat(monthly[3]) if monthly else None,
        closes_on=date.fromisoformat(monthly[4]) if monthly else None,
        recipients=share(known, f"{monthly_programme(policy)}_frozen"),
        notes=("synthetic_positions",) if simulated else (),
    )
