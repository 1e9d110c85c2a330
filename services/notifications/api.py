"""What offices read of their cases, and what is published of all of them. Ids and codes only."""

from datetime import date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from contracts import vocabulary
from contracts.events import Case
from contracts.figures import Figures
from contracts.figures import public as hide_small
from messaging import Database, Problem, Token, require
from messaging.clock import deciding_time
from policies import Policies, Policy
from services.notifications import figure_store
from services.notifications.figure_store import HistoryRow, Scope
from services.notifications.figures_api import make_figures

_PAGE = 200
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2200, 1, 1)

CaseReader = Annotated[Token, Depends(require("cases:read"))]
FigureReader = Annotated[Token, Depends(require("figures:read"))]
District = vocabulary.DistrictCode | None
Month = vocabulary.Month | None
Limit = Annotated[int, Query(ge=1, le=100)]


def make_router(policies: Policies) -> APIRouter:
    """The reads of this service."""
    router = APIRouter()

    @router.get("/cases")
    async def get_cases(caller: CaseReader, database: Database, after: UUID | None = None) -> list[Case]:
        """Open cases of the caller's office, restricted ones too; in pages of 200 by id."""
        async with database.acquire() as db:
            return await figure_store.list_open_cases(db, _regency(caller), _office(caller), after, _PAGE)

    @router.get("/cases/{case_id}/history")
    async def get_history(caller: CaseReader, database: Database, case_id: UUID) -> list[HistoryRow]:
        """What happened to a case of the caller's regency; of a restricted one only for the office responsible."""
        async with database.acquire() as db:
            case = await figure_store.find_case(db, case_id)
            if case is None or not _may_read(caller, case):
                raise Problem(404, "Not found", "There is no such case for this caller.")
            return await figure_store.list_history(db, case_id)

    @router.get("/breaches")
    async def get_breaches(
        caller: FigureReader, database: Database, district: District = None, limit: Limit = 5
    ) -> list[Case]:
        """The oldest cases past a deadline with their next date; restricted ones are only counted."""
        async with database.acquire() as db:
            return await figure_store.list_breaches(db, _regency(caller), district, limit)

    @router.get("/figures")
    async def get_figures(
        caller: FigureReader,
        database: Database,
        district: District = None,
        month: Month = None,
        public: bool = False,  # noqa: FBT001, FBT002  # a query parameter
    ) -> Figures:
        """Figures of cases opened in a month or ever, and of messages due in it; public ones hide cells under 5."""
        policy = policies.get(_regency(caller))
        if policy is None:
            raise Problem(403, "Forbidden", "Nothing is decided here for the token's regency.")
        async with database.acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
            now = await deciding_time(db, development=True)  # the clock row is zero unless it may be moved
            scope = Scope(policy.regency, district, *_span(month, policy))
            figures = make_figures(
                await figure_store.count_cases(db, scope, now),
                await figure_store.count_facts(db, scope),
                await figure_store.count_messages(db, scope),
                now,
            )
        return hide_small(figures) if public else figures

    return router


def _regency(caller: Token) -> str:
    if caller.regency is None:
        raise Problem(403, "Forbidden", "The token must name a regency.")
    return caller.regency


def _office(caller: Token) -> str:
    if "office_id" not in caller.claims:
        raise Problem(403, "Forbidden", "The token must name an office.")
    return caller.claims["office_id"]


def _may_read(caller: Token, case: Case) -> bool:
    if case.district[:5] != _regency(caller):
        return False
    return case.responsible_office_id == _office(caller) or not case.restricted


def _span(month: str | None, policy: Policy) -> tuple[datetime, datetime]:
    """From local midnight to local midnight."""
    first = date.fromisoformat(f"{month}-01") if month else _FIRST_DAY
    last = (first + timedelta(days=31)).replace(day=1) if month else _LAST_DAY
    return (
        datetime.combine(first, time(), tzinfo=policy.zone),
        datetime.combine(last, time(), tzinfo=policy.zone),
    )
