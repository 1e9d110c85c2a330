"""The four databases: each service owns one and cannot enter another; the auditor reads them all and writes nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from asyncpg import (
    Connection,
    InsufficientPrivilegeError,
    InterfaceError,
    InvalidAuthorizationSpecificationError,
    InvalidCatalogNameError,
    OperatorInterventionError,
    PostgresConnectionError,
    UndefinedColumnError,
    UndefinedTableError,
    connect,
)

from contracts.topics import SERVICES
from operations.errors import CommandError
from operations.stacks import AUDITOR

TIMEOUT_SECONDS = 30
NO_PASSWORDS: Mapping[str, str] = MappingProxyType({})


@contextmanager
def told_when_closed(name: str) -> Iterator[None]:
    """One sentence when a database is not there or does not let us in."""
    try:
        yield
    except (OSError, TimeoutError, PostgresConnectionError) as error:
        raise CommandError(f"PostgreSQL does not answer for {name}: {type(error).__name__}") from None
    except (InvalidAuthorizationSpecificationError, InsufficientPrivilegeError, InvalidCatalogNameError) as error:
        raise CommandError(f"PostgreSQL does not let us into {name}: {type(error).__name__}") from None
    except (ValueError, OverflowError):  # asyncpg's ways to say so; its ClientConfigurationError is a ValueError
        raise CommandError(f"the address of {name} is no URL of PostgreSQL") from None


@contextmanager
def told_when_lost(name: str) -> Iterator[None]:
    """One sentence when a database that had let us in is not there any more."""
    try:
        yield
    except (OSError, TimeoutError, PostgresConnectionError, OperatorInterventionError, InterfaceError) as error:
        if isinstance(error, InterfaceError) and "clos" not in str(error):
            raise  # a misuse of asyncpg: ours
        raise CommandError(
            f"PostgreSQL does not answer for {name} any more: {type(error).__name__}; "
            "what was asked for by then goes on, so look before you ask again"
        ) from None


@contextmanager
def told_when_not_migrated(name: str) -> Iterator[None]:
    """One sentence when a database does not have the tables it should."""
    try:
        yield
    except (UndefinedTableError, UndefinedColumnError):
        raise CommandError(f"tables of {name} are missing or of an older version: `berbagi migrate`") from None


async def create_databases(administrator: str, passwords: Mapping[str, str] = NO_PASSWORDS) -> None:
    """Roles and databases that are not there yet, and their passwords; running it again changes nothing.

    A role without a password can log in where the server trusts whoever comes.
    """
    db = await connect(administrator, timeout=TIMEOUT_SECONDS)
    try:
        for role in (AUDITOR, *SERVICES):
            await _create_role(db, role, passwords.get(role))
        await db.execute("grant pg_read_all_data to auditor")
        for service in SERVICES:
            if not await _database_exists(db, service):
                await create_database(db, service, owner=service)
    finally:
        await db.close()


async def create_database(db: Connection, name: str, owner: str, template: str = "template1") -> None:
    """Only its owner and the auditor may connect to it."""
    await _run(
        db,
        "select format('create database %I owner %I template %I', $1::text, $2::text, $3::text)",
        name,
        owner,
        template,
    )
    await _run(db, "select format('revoke connect on database %I from public', $1::text)", name)
    await _run(db, "select format('grant connect on database %I to auditor', $1::text)", name)


async def drop_database(db: Connection, name: str) -> None:
    """Ends the sessions that still use it."""
    await _run(db, "select format('drop database %I with (force)', $1::text)", name)


async def _create_role(db: Connection, name: str, password: str | None) -> None:
    if not await db.fetchval("select exists (select from pg_roles where rolname = $1)", name):
        await _run(db, "select format('create role %I login', $1::text)", name)
    if password is not None:
        await _run(db, "select format('alter role %I password %L', $1::text, $2::text)", name, password)


async def _database_exists(db: Connection, name: str) -> bool:
    return bool(await db.fetchval("select exists (select from pg_database where datname = $1)", name))


async def _run(db: Connection, query: str, *names: str | None) -> None:
    """Names cannot be parameters of such statements: PostgreSQL quotes them itself, then runs what it made."""
    await db.execute(await db.fetchval(query, *names))
