"""What phones, depots and offices read, ids and codes only; each read needs its scope."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from contracts.events import Package
from messaging import Database, Problem, Token, require
from services.distribution import figures_api, package_store, stock_store

router = APIRouter()
router.include_router(figures_api.router)


@router.get("/lots/{lot_id}/recipients")
async def get_recipients(
    lot_id: UUID, pool: Database, _: Annotated[Token, Depends(require("lots:read"))]
) -> list[UUID]:
    """Households that received units of this lot (rule 14)."""
    async with pool.acquire() as db:
        return await stock_store.list_recipients_of(db, lot_id)


@router.get("/packages/mine")
async def get_my_packages(pool: Database, token: Annotated[Token, Depends(require("packages:read"))]) -> list[Package]:
    """What is planned in open rounds for the households of the carer whose token this is."""
    try:
        carer_id = UUID(token.claims.get("carer_id", ""))
    except ValueError:
        raise Problem(403, "Forbidden", "The token needs the claim carer_id.") from None
    async with pool.acquire() as db:
        return await package_store.list_planned_for(db, carer_id)


@router.get("/depots/{depot_id}/packages")
async def get_pick_list(
    depot_id: str, pool: Database, _: Annotated[Token, Depends(require("depots:read"))]
) -> list[Package]:
    """What stands ready at a depot: its pick list, village by village."""
    async with pool.acquire() as db:
        return await package_store.list_pick_list(db, depot_id)
