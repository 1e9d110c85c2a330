"""Reads of assignment: who looks after a household and why, whom a carer looks after, figures. Ids and codes only."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from contracts.events import Assignment, AssignmentEnded, Choice, HouseholdAssigned, HouseholdUnserved
from contracts.figures import Figures, public
from messaging import Caller, Database, Problem, Token, require
from services.assignment import figures_store, store
from services.assignment.domain import Row, Wait

READ = "assignments:read"

router = APIRouter()


class AssignmentAnswer(BaseModel):
    """Who looks after a household and why (rule 10)."""

    model_config = ConfigDict(frozen=True)

    household_id: UUID
    assignment_id: UUID
    status: str = Field(description="assigned, unserved, ended, or waiting when nothing has been said yet")
    carer_id: UUID | None
    carer_since: datetime | None
    waiting_for: Wait | None = Field(description="why the next match looks at it; null when nothing is to be decided")
    choice: Choice | None = Field(description="why this carer; null unless assigned")
    reason: str | None = Field(description="why unserved or ended")


class HouseholdsAnswer(BaseModel):
    """Whom a carer looks after now."""

    model_config = ConfigDict(frozen=True)

    carer_id: UUID
    households: tuple[AssignmentAnswer, ...]


@router.get("/households/{household_id}/assignment")
async def get_assignment(
    household_id: UUID, pool: Database, token: Annotated[Token, Depends(require(READ))]
) -> AssignmentAnswer:
    """Who looks after a household; a token for another regency finds nothing."""
    async with pool.acquire() as db:
        row = await store.get_assignment(db, household_id)
    if row is None or token.regency not in (None, row.regency):
        raise Problem(404, "Not found", "No household with this id has ever been eligible.")
    return _answer(row)


@router.get("/carers/{carer_id}/households")
async def get_households(carer_id: UUID, pool: Database, caller: Caller) -> HouseholdsAnswer:
    """The carer's own list, for a token with the claim `carer_id`."""
    if caller.claims.get("carer_id") != str(carer_id):
        raise Problem(403, "Forbidden", "A carer may read their own households only.")
    async with pool.acquire() as db:
        rows = await store.list_held(db, carer_id)
    return HouseholdsAnswer(carer_id=carer_id, households=tuple(_answer(row) for row in rows))


@router.get("/figures", dependencies=[Depends(require("figures:read"))])
async def get_figures(
    pool: Database,
    district: Annotated[str | None, Query(pattern=r"^\d{2}\.\d{2}\.\d{2}$")] = None,
    month: Annotated[str | None, Query(pattern=r"^\d{4}-\d{2}$")] = None,
    *,
    public_view: Annotated[bool, Query(alias="public")] = False,
) -> Figures:
    """Every figure, of one district or all; pledges and visits of one month or all (rule 30)."""
    async with pool.acquire() as db:
        figures = await figures_store.list_figures(db, district, month)
    return public(figures) if public_view else figures


def _answer(row: Row) -> AssignmentAnswer:
    state = row.state
    return AssignmentAnswer(
        household_id=row.household_id,
        assignment_id=row.assignment_id,
        status=_status(state),
        carer_id=row.carer_id,
        carer_since=row.carer_since,
        waiting_for=row.waiting_for,
        choice=state.choice if isinstance(state, HouseholdAssigned) else None,
        reason=state.reason if isinstance(state, HouseholdUnserved | AssignmentEnded) else None,
    )


def _status(state: Assignment | None) -> str:
    match state:
        case None:
            return "waiting"
        case HouseholdAssigned():
            return "assigned"
        case HouseholdUnserved():
            return "unserved"
        case _:
            return "ended"
