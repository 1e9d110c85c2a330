"""Reads of the registry: figures, identity conflicts, and the one door to a name and an address."""

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from contracts.figures import Figures, public
from messaging import Caller, Connection, Database, Problem, Token, require
from services.registry import figure_store, review_store, right_store, store
from services.registry.people import head_of
from services.registry.rows import OpenConflict
from services.registry.vault import Vault

AUDIT: Final = "households:audit"

router = APIRouter()
Purpose = Literal["visit", "case", "audit"]


class ContactAnswer(BaseModel):
    """Whom to ask for at a door, and where it is. Never stored elsewhere (rule 27)."""

    model_config = ConfigDict(frozen=True)

    household_id: UUID
    head: str | None = Field(description="name of the head; null when nobody gave one")
    phone: str | None
    address: str | None
    latitude: float | None = Field(description="degrees north, exact")
    longitude: float | None = Field(description="degrees east, exact")


def _vault(request: Request) -> Vault:
    vault: Vault = request.app.state.vault
    return vault


@router.get("/households/{household_id}/contact")
async def get_contact(
    household_id: UUID, purpose: Purpose, caller: Caller, pool: Database, vault: Annotated[Vault, Depends(_vault)]
) -> ContactAnswer:
    """Name and address, for the household's carer, an office with an open case on it, or an auditor; in its regency.

    Every attempt is recorded before the answer leaves; whether the household exists is told only to who may read it.
    """
    async with pool.acquire() as db:
        granted = await _may_read(db, household_id, purpose, caller)
        await right_store.insert_read(db, household_id, caller.subject, purpose, granted=granted)
        if not granted:
            raise Problem(403, "Forbidden", "The caller has no right to this household for this purpose.")
        family = (await store.list_families(db, vault, [household_id]))[household_id]
    head = head_of(family.people)
    return ContactAnswer(
        household_id=household_id,
        head=head.identity.name if head is not None else None,
        phone=family.contact.phone,
        address=family.contact.address,
        latitude=family.contact.latitude,
        longitude=family.contact.longitude,
    )


@router.get("/conflicts")
async def get_conflicts(
    pool: Database,
    token: Annotated[Token, Depends(require("conflicts:read"))],
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> list[OpenConflict]:
    """Identity conflicts of the token's regency that a person must decide (rule 3); in pages of households by id."""
    if token.regency is None:
        raise Problem(403, "Forbidden", "The token must name a regency.")
    async with pool.acquire() as db:
        return await review_store.list_open_conflicts(db, token.regency, after, limit)


@router.get("/figures", dependencies=[Depends(require("figures:read"))])
async def get_figures(
    pool: Database,
    district: Annotated[str | None, Query(pattern=r"^\d{2}\.\d{2}\.\d{2}$")] = None,
    *,
    public_view: Annotated[bool, Query(alias="public")] = False,
) -> Figures:
    """Every figure of the register, of one district or all (rule 30)."""
    async with pool.acquire() as db:
        figures = await figure_store.list_figures(db, district)
    return public(figures) if public_view else figures


async def _may_read(db: Connection, household_id: UUID, purpose: Purpose, caller: Token) -> bool:
    """A right follows what others have decided: the assignment, an open case; auditors have it by their scope."""
    if caller.regency is None or not await right_store.is_in_regency(db, household_id, caller.regency):
        return False
    carer_id, office_id = caller.claims.get("carer_id"), caller.claims.get("office_id")
    match purpose:
        case "visit":
            return carer_id is not None and await right_store.is_carer_of(db, household_id, carer_id)
        case "case":
            return office_id is not None and await right_store.has_open_case(db, household_id, office_id)
        case "audit":
            return AUDIT in caller.scopes
