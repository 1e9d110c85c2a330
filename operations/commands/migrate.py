"""`berbagi migrate`, `berbagi databases`: the tables of the services, and the databases they are in."""

import asyncio
from typing import Annotated

import typer

from operations import environment
from operations.commands.stack import FOLDER, Folder
from operations.errors import CommandError


def databases() -> None:
    """Create the services' databases and logins on the server of BERBAGI_ADMINISTRATOR_DATABASE.

    A login gets the password that its own address carries (BERBAGI_<SERVICE>_DATABASE, BERBAGI_AUDITOR_DATABASE).
    """
    from urllib.parse import unquote, urlsplit

    from contracts.topics import SERVICES
    from operations.stacks import AUDITOR
    from operations.stacks.database_store import create_databases, told_when_closed

    administrator = environment.database_address("administrator")
    if administrator is None:
        raise CommandError("BERBAGI_ADMINISTRATOR_DATABASE must be the URL of somebody who may create databases")
    addresses = {name: environment.database_address(name) for name in (AUDITOR, *SERVICES)}
    passwords = {name: urlsplit(url).password for name, url in addresses.items() if url is not None}
    with told_when_closed("the administrator"):
        asyncio.run(create_databases(administrator, {name: unquote(word) for name, word in passwords.items() if word}))
    typer.echo(f"There are databases for {', '.join(SERVICES)}.")


def migrate(
    services: Annotated[list[str] | None, typer.Argument(help="All of them, when none is named.")] = None,
    folder: Folder = FOLDER,
) -> None:
    """Apply the migrations that a service's database does not have yet."""
    from operations.development import service_databases
    from operations.migrations import apply_migrations

    applied = asyncio.run(apply_migrations(service_databases(services or [], folder)))
    for service, names in applied.items():
        typer.echo(f"{service}: {', '.join(names) if names else 'nothing to apply'}")
