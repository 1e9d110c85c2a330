"""What offices read, and what is published (rule 30)."""

from datetime import timedelta
from typing import Any, get_args
from uuid import uuid4

import httpx
from fastapi import FastAPI

import policies
from messaging import Caller, Database, Token
from messaging.http import add_routes
from services.notifications.api import make_router
from tests.notifications.builders import local
from tests.notifications.desk import Desk, opened, update, visit

NOW = local("2026-10-14 09:00")
SCOPES = frozenset({"cases:read", "figures:read"})


async def get(desk: Desk, path: str, regency: str = "35.10", scopes: frozenset[str] = SCOPES, **claims: str) -> Any:
    """What the service answers this caller: the content, or the status of a problem."""
    app = FastAPI()
    app.include_router(make_router(policies.load()))
    add_routes(app)
    token = Token("tests", scopes, None, regency, claims)
    app.dependency_overrides[get_args(Database)[1].dependency] = lambda: desk.context.pool
    app.dependency_overrides[get_args(Caller)[1].dependency] = lambda: token
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tests") as client:
        response = await client.get(path)
        return response.json() if response.is_success else response.status_code


async def figure(desk: Desk, name: str, query: str = "") -> tuple[int | None, int | None]:
    answer = await get(desk, f"/figures{query}")
    (found,) = (one for one in answer["figures"] if one["name"] == name)
    return found["numerator"], found["denominator"]


async def test_an_office_reads_its_own_open_cases(desk: Desk) -> None:
    await desk.send(visit(uuid4(), "documents", "child_in_danger"))

    own = await get(desk, "/cases", office_id="dinsos")
    assert [case["need"] for case in own] == ["child_in_danger"]
    assert await get(desk, "/cases", office_id="dinsos", regency="16.71") == []
    assert await get(desk, "/cases") == 403
    assert await get(desk, "/cases", office_id="dinsos", scopes=frozenset()) == 403


async def test_a_restricted_history_is_for_the_office_responsible_only(desk: Desk) -> None:
    restricted, plain = await opened(desk, "child_in_danger"), await opened(desk, "documents")

    own = await get(desk, f"/cases/{restricted.case_id}/history", office_id="dinsos")
    assert [row["type"] for row in own] == ["case-opened"]
    assert await get(desk, f"/cases/{restricted.case_id}/history", office_id="dinkes") == 404
    assert len(await get(desk, f"/cases/{plain.case_id}/history", office_id="dinkes")) == 1
    assert await get(desk, f"/cases/{plain.case_id}/history", office_id="dinkes", regency="16.71") == 404


async def test_figures_count_what_was_answered_in_time(desk: Desk) -> None:
    first, second = await opened(desk, "no_food_today"), await opened(desk, "no_food_today")
    await opened(desk, "no_food_today")
    await desk.set_time(NOW + timedelta(hours=1))
    await desk.send(update(first, "resolved"), update(second, "rejected"))
    await desk.set_time(NOW + timedelta(hours=30))
    await desk.run("watch_clocks")

    assert await figure(desk, "cases_open") == (3, 3)
    assert await figure(desk, "critical_answered_in_time") == (1, 3)
    assert await figure(desk, "hungry_answered_in_time") == (1, 3)
    assert await figure(desk, "cases_breached") == (2, 2)
    assert await figure(desk, "cases_rerouted") == (1, 3)
    assert await figure(desk, "cases_open", "?month=2026-09") == (0, 0)
    assert await figure(desk, "cases_open", "?month=2026-10&district=35.10.05") == (0, 0)
    assert await figure(desk, "cases_open", "?public=true") == (None, None)


async def test_the_oldest_breaches_are_listed_with_their_next_date_but_for_restricted_ones(desk: Desk) -> None:
    await opened(desk, "child_in_danger")
    hungry = await opened(desk, "no_food_today")
    await desk.set_time(NOW + timedelta(hours=2, minutes=5))
    await desk.run("watch_clocks")

    (breach,) = await get(desk, "/breaches")

    assert (breach["case_id"], breach["responsible_office_id"]) == (str(hungry.case_id), "dinsos")
    assert breach["next_date"] is not None
