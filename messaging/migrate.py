"""Plain SQL migrations, forward only: applied by `berbagi migrate`, never when a service starts."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from messaging.database import Connection, open_connection
from messaging.errors import MigrationError

OWN_FOLDER: Final = Path(__file__).parent / "migrations"


async def apply(database_url: str, folders: Sequence[Path]) -> list[str]:
    """Apply what is not applied yet, messaging's own first, and return the names of what was.

    All in one transaction under a lock: two at a time do no harm, and a wrong statement leaves nothing behind.
    """
    db = await open_connection(database_url, name="berbagi-migrate", patient=True)
    try:
        async with db.transaction():
            await db.execute("select pg_advisory_xact_lock(hashtext('berbagi migrations'))")
            await db.execute(
                """create table if not exists migrations (
                    name text primary key, checksum text not null, applied_at timestamptz not null default now())"""
            )
            return await _apply(db, _files(folders))
    finally:
        await db.close()


async def missing(db: Connection, folders: Sequence[Path]) -> list[str]:
    """Names of the migrations this code needs and the database does not have."""
    if await db.fetchval("select to_regclass('migrations')") is None:
        return list(_files(folders))
    applied = {row["name"] for row in await db.fetch("select name from migrations")}
    return [name for name in _files(folders) if name not in applied]


async def _apply(db: Connection, files: Mapping[str, str]) -> list[str]:
    applied = {row["name"]: row["checksum"] for row in await db.fetch("select name, checksum from migrations")}
    new = []
    for name, text in files.items():
        checksum = hashlib.sha256(text.encode()).hexdigest()
        if name not in applied:
            await db.execute(text)
            await db.execute("insert into migrations (name, checksum) values ($1, $2)", name, checksum)
            new.append(name)
        elif applied[name] != checksum:
            raise MigrationError(f"Migration {name} was changed after it was applied; write a new one instead.")
    return new


def _files(folders: Sequence[Path]) -> dict[str, str]:
    """`registry/001_households.sql` -> its text, in order; messaging's own first."""
    paths = [path for folder in (OWN_FOLDER, *folders) for path in sorted(folder.glob("*.sql"))]
    return {f"{path.parent.parent.name}/{path.name}": path.read_text("utf-8") for path in paths}
