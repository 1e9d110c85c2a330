"""The figures of the four services, asked over HTTP and found by name."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from contracts.events import Case
from contracts.figures import Cell, Figure, Figures
from operations.errors import CommandError
from operations.report.content import Share

ROUNDS: Final = "round,programme,period,opens_on,closes_on,status,decree"
"""Breakdown of the figure `rounds`: what a round is."""
RESTATED: Final = ("delivered_at_month_end", "delivered_five_days_later")
"""Figures as they were known at an earlier time."""

_ANSWER_SECONDS: Final = 30
_FIGURES: Final = TypeAdapter(Figures)
_CASES: Final = TypeAdapter(list[Case])

T = TypeVar("T")

Known = Mapping[str, Figure]
"""Figures by name; a name belongs to one service."""
Key = tuple[str, ...]
"""Of a cell in a breakdown: one code, or as many as the breakdown names."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for; None: everything the token allows, the newest month."""

    month: str | None = None
    district: str | None = None
    public: bool = False


def ask(services: Mapping[str, str], token: str, scope: Scope) -> Known:
    """All figures of these services (url by name); CommandError names the first that does not answer."""
    given = {"month": scope.month, "district": scope.district, "public": "true" if scope.public else None}
    parameters = {name: value for name, value in given.items() if value is not None}
    with ThreadPoolExecutor(len(services)) as pool:
        answers = pool.map(lambda name: _ask_one(name, services[name], token, parameters), services)
        return {figure.name: figure for answer in answers for figure in answer.figures}


def find_month(services: Mapping[str, str], token: str) -> str | None:
    """The month of the newest round; None before the first."""
    figures = {figure.name: figure for figure in _ask_one("distribution", services["distribution"], token, {}).figures}
    rounds = shares(figures, "rounds", ROUNDS) or {}
    return max((period for _, _, period, *_ in rounds), default=None)


def ask_breaches(services: Mapping[str, str], token: str, scope: Scope) -> list[Case]:
    """The five oldest open cases past a deadline; restricted ones are only counted elsewhere."""
    parameters = {} if scope.district is None else {"district": scope.district}
    content = _get("notifications", f"{services['notifications']}/breaches", token, parameters)
    return _parse("notifications", _CASES, content)


def share(known: Known, name: str) -> Share | None:
    """The figure as a whole; None when it was not published."""
    figure = known.get(name)
    return None if figure is None else _share(figure, figure)


def shares(known: Known, name: str, by: str) -> Mapping[Key, Share] | None:
    """Its cells by key, in the order of the keys; None when the figure or this breakdown was not published."""
    figure = known.get(name)
    if figure is None or by not in figure.by:
        return None
    parts = by.count(",")
    return {tuple(key.split(",", parts)): _share(cell, figure) for key, cell in sorted(figure.by[by].items())}


def none_of(other: Share) -> Share:
    """Nothing happened, out of what another figure's cell is counted out of."""
    return Share(0, other.denominator, "", other.as_of)


def _share(cell: Cell, figure: Figure) -> Share:
    return Share(cell.numerator, cell.denominator, figure.unit, figure.as_of)


def _ask_one(name: str, url: str, token: str, parameters: Mapping[str, str]) -> Figures:
    return _parse(name, _FIGURES, _get(name, f"{url}/figures", token, parameters))


def _get(name: str, url: str, token: str, parameters: Mapping[str, str]) -> bytes:
    try:
        answer = httpx.get(
            url, params=dict(parameters), headers={"authorization": f"Bearer {token}"}, timeout=_ANSWER_SECONDS
        )
    except (httpx.HTTPError, httpx.InvalidURL):
        raise CommandError(f"{name} does not answer at its address: is it running?") from None
    if answer.status_code != httpx.codes.OK:
        raise CommandError(f"{name} answered with status {answer.status_code} when it was asked for its figures")
    return answer.content


def _parse(name: str, kind: TypeAdapter[T], content: bytes) -> T:
    try:
        return kind.validate_json(content)
    except ValidationError:
        raise CommandError(f"{name} answered something else than its figures") from None
