"""Whose database an address leads to: its applied migrations say so."""

from contracts.topics import SERVICES
from messaging.database import Connection
from operations.errors import CommandError


async def ensure_owner(db: Connection, service: str) -> None:
    """CommandError when it is another service's; one without migrations may become anybody's."""
    if await db.fetchval("select to_regclass('migrations')") is None:
        return
    rows = await db.fetch("select distinct split_part(name, '/', 1) as owner from migrations")
    owners = sorted({row["owner"] for row in rows} & set(SERVICES))
    if owners and service not in owners:
        raise CommandError(f"nothing was done: this is the database of {owners[0]}, not of {service}")
