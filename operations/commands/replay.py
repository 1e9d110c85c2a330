"""`berbagi replay`: a topic once more, for what a service has missed."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from operations.commands.options import MOMENTS, By
from operations.commands.stack import FOLDER, Folder
from operations.errors import CommandError


def replay(  # noqa: PLR0913  # an option each
    *,
    topic: Annotated[str, typer.Option(help="household-events, assignment-submissions ...; without prefix.")],
    since: Annotated[str, typer.Option("--from", help=f"By Kafka's clock: {MOMENTS}")],
    service: Annotated[str, typer.Option("--to-service", help="Which service has gaps.")],
    by: By = None,
    wait: Annotated[float, typer.Option(help="Seconds to look on; the service goes on afterwards.", min=0)] = 600,
    folder: Folder = FOLDER,
) -> None:
    """Have a service read a topic once more from a time on, and carry out what its inbox does not know.

    For when it learns to handle what it used to pass over. The service reads as far as its consumer has
    acknowledged: the rest comes anyway. What it has seen does nothing. It must be running. After its database was
    restored set its consumer group back instead: docs/runbook.md says how.

    Exit code 1 unless it is done and nothing was quarantined.
    """
    from rich.console import Console

    from operations.asking import ask, operator
    from operations.development import service_databases
    from operations.moments import local_zone, moment_of
    from operations.replay import ensure_read
    from operations.replay import replay as ask_and_watch
    from operations.replay_store import Asked

    databases = service_databases([service], folder)
    ensure_read(service, topic)
    moment = moment_of(since, datetime.now(UTC), local_zone())
    if moment > datetime.now(UTC):
        raise CommandError("--from must be in the past")
    with Console(stderr=True).status(f"{service} reads {topic} ...") as status:
        done = partial(
            ask_and_watch,
            asked=Asked(topic, moment, operator(by)),
            patience_seconds=wait,
            tell=lambda progress: status.update(f"{service} reads {topic}: {progress.messages_read:,} messages ..."),
        )
        progress = asyncio.run(ask(databases, done))[service]
    missing = sum(progress.outcomes.values())
    became = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(progress.outcomes.items()))
    typer.echo(
        f"{service} read {progress.messages_read:,} messages of {topic}; {missing:,} were missing"
        + (f": {became}." if missing else ".")
    )
    if progress.failed is not None:
        typer.echo(f"berbagi: {service} did not read it to the end: {progress.failed}", err=True)
    elif not progress.finished:
        typer.echo(f"It is not done after {wait:g} s, and goes on as soon as it can.")
    if not progress.finished or progress.failed is not None or progress.outcomes.get("quarantined"):
        raise typer.Exit(1)
