"""`berbagi dev`: everything in the foreground, to develop against; `berbagi dev clock`: what time it is there."""

import asyncio
import signal
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from operations.commands.stack import BROKERS, FOLDER, Folder
from operations.errors import CommandError
from operations.stacks import Kind

if TYPE_CHECKING:
    from operations.fleet import Fleet, Waiting
    from operations.stacks import Stack

app = typer.Typer(help="Everything in the foreground, to develop against; Ctrl-C stops it.")
LOOK_SECONDS = 1.0


@app.callback(invoke_without_command=True)
def dev(
    context: typer.Context,
    stack: Annotated[Kind, typer.Option(help="Where Kafka and PostgreSQL come from.")] = Kind.LOCAL,
    brokers: Annotated[int, typer.Option(help="1, or 3: every message on three brokers.")] = 1,
    folder: Folder = FOLDER,
) -> None:
    """Start Kafka, PostgreSQL and the four services; write where they answer to dev.json."""
    if context.invoked_subcommand is not None:
        return
    if brokers not in BROKERS:
        raise CommandError("--brokers must be 1 or 3")
    from operations.stacks import running_stack

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to stop in another way: the same
    typer.echo("Starting Kafka and PostgreSQL ...")
    with suppress(KeyboardInterrupt), running_stack(stack, folder, brokers) as started:
        _run(started, folder.absolute())
    typer.echo("Stopped.")


@app.command()
def clock(
    moment: Annotated[
        str | None, typer.Argument(help="+1d12h30m, 2026-10-14T07:30 or now; shown when left out.")
    ] = None,
    folder: Folder = FOLDER,
) -> None:
    """Show the programme clock of the four services, or move it."""
    import policies
    from operations.clock import ahead_for, move_clocks, read_clocks
    from operations.development import find_stack

    databases = find_stack(folder).databases
    zone = next(iter(policies.load().values())).zone
    if moment is not None:
        first = next(iter(asyncio.run(read_clocks(databases)).values()))
        asyncio.run(move_clocks(databases, ahead_for(moment, first, zone)))
    for service, reading in asyncio.run(read_clocks(databases)).items():
        local = reading.deciding.astimezone(zone)
        typer.echo(f"{service:14} {local:%Y-%m-%d %H:%M:%S %Z}  ({_distance(reading.ahead)} the real clock)")


def _run(stack: "Stack", folder: Path) -> None:
    from messaging.settings import KafkaSettings
    from operations.development import remove_development, write_development
    from operations.fleet import Fleet
    from operations.keys import KEYS_FOLDER, development_keys
    from operations.migrations import apply_migrations
    from operations.topics import create_topics

    typer.echo("Migrating databases, making topics ...")
    asyncio.run(apply_migrations(stack.databases))
    asyncio.run(create_topics(KafkaSettings(kafka=stack.bootstrap_servers)))
    keys = development_keys(folder / KEYS_FOLDER)
    fleet = Fleet(stack, folder / "services", keys)
    try:
        typer.echo("Starting the four services ...")
        fleet.start(tell=_tell)
        file = write_development(folder, stack, fleet, keys)
        for name, replica in fleet.replicas.items():
            typer.echo(f"{name:14} {replica.url}  its log: {replica.program.log}")
        typer.echo(f"Everything is ready. Addresses and a token are in {file}; Ctrl-C stops it all.")
        _watch(fleet)
    finally:
        remove_development(folder)
        typer.echo("Stopping ...")
        fleet.stop()


def _distance(ahead: timedelta) -> str:
    seconds = timedelta(seconds=round(abs(ahead).total_seconds()))
    return f"{seconds} {'behind' if ahead < timedelta() else 'ahead of'}"


def _tell(waiting: "Waiting") -> None:
    for name, reasons in waiting.items():
        typer.echo(f"{name:14} {' '.join(reasons.values())}")


def _watch(fleet: "Fleet") -> None:
    """Say once when a service is gone; the others go on without it."""
    told: set[str] = set()
    while True:
        for name in set(fleet.ended()) - told:
            told.add(name)
            typer.echo(f"{name} is gone; its last words are in {fleet.replicas[name].program.log}", err=True)
        time.sleep(LOOK_SECONDS)
