"""A fresh database a test: migrated once into a template, then copied."""

from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import asyncpg

from messaging import migrate
from operations.stacks import Stack, url_of
from operations.stacks.database_store import create_database, drop_database

SERVICES = Path(__file__).parents[1] / "services"


@dataclass
class Databases:
    """One for the session; `made` are the databases of the test that runs, dropped after it."""

    administrator: str
    templates: dict[tuple[str, tuple[Path, ...]], str] = field(default_factory=dict)
    """Names, new ones for every session: a server that was there before it may have those of others."""
    made: list[str] = field(default_factory=list)

    async def fresh(self, service: str, *folders: Path) -> str:
        """URL of a new database with messaging's tables and those of `folders`, or else the service's own."""
        template = await self._template(service, folders or (SERVICES / service / "migrations",))
        name = f"test_{uuid4().hex}"
        await self._create(name, service, template)
        self.made.append(name)
        return url_of(self.administrator, name, user=service)

    async def drop_made(self) -> None:
        db = await asyncpg.connect(self.administrator)
        try:
            while self.made:
                await drop_database(db, self.made.pop())
        finally:
            await db.close()

    async def _template(self, service: str, folders: tuple[Path, ...]) -> str:
        if (service, folders) not in self.templates:
            name = f"template_{service}_{uuid4().hex}"
            await self._create(name, service, "template1")
            await migrate.apply(url_of(self.administrator, name, user=service), folders)
            self.templates[service, folders] = name
        return self.templates[service, folders]

    async def _create(self, name: str, service: str, template: str) -> None:
        db = await asyncpg.connect(self.administrator)
        try:
            await create_database(db, name, owner=service, template=template)
        finally:
            await db.close()


def databases_of(stack: Stack) -> Databases:
    assert stack.administrator is not None, "tests make databases: set BERBAGI_ADMINISTRATOR_DATABASE"
    return Databases(stack.administrator)
