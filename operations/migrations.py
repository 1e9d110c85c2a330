"""Applies each service's migrations to its own database."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from messaging import migrate
from messaging.database import open_connection
from messaging.errors import MigrationError
from operations.errors import CommandError
from operations.owner_store import ensure_owner
from operations.stacks.database_store import told_when_closed

SERVICES_FOLDER = Path(__file__).parents[1] / "services"


def migrations_of(service: str) -> Path:
    """The folder of a service's own migrations; messaging's come before them."""
    return SERVICES_FOLDER / service / "migrations"


async def apply_migrations(databases: Mapping[str, str]) -> Mapping[str, list[str]]:
    """By service, the names of what was applied just now; services side by side."""
    applied = await asyncio.gather(*(_apply(service, url) for service, url in databases.items()))
    return dict(zip(databases, applied, strict=True))


async def _apply(service: str, url: str) -> list[str]:
    try:
        with told_when_closed(service):
            await _ensure_owner(service, url)
            return await migrate.apply(url, (migrations_of(service),))
    except MigrationError as error:
        raise CommandError(str(error)) from None


async def _ensure_owner(service: str, url: str) -> None:
    db = await open_connection(url, name="berbagi-migrate")
    try:
        await ensure_owner(db, service)
    finally:
        await db.close()
