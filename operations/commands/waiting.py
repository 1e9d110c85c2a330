"""`berbagi parked`, `berbagi outbox`: what waits, for what, and how long."""

import asyncio
from functools import partial

import typer

from operations.commands.options import LISTED, Services
from operations.commands.stack import FOLDER, Folder


def parked(service: Services = None, folder: Folder = FOLDER) -> None:
    """Show submissions that wait for something not yet here: the first of each subject, the oldest first."""
    from operations import waiting_store as store
    from operations.asking import ask
    from operations.development import service_databases
    from operations.moments import age_of
    from operations.quarantine_text import short
    from operations.tables import show

    databases = service_databases(service or [], folder)
    counts = asyncio.run(ask(databases, store.count_parked))
    found = asyncio.run(ask(databases, partial(store.list_parked, limit=LISTED)))
    lines = [(name, one) for name, waiting in found.items() for one in waiting]
    oldest = sorted(lines, key=lambda line: line[1].waited, reverse=True)[:LISTED]
    if not oldest:
        typer.echo("Nothing is parked.")
        return
    show(
        ("service", "type", "subject", "waits for", "waited", "tries", "next try in", "behind it"),
        [
            (
                name,
                short(one.type),
                one.subject,
                str(one.waits_for or ""),
                age_of(one.waited),
                one.attempts,
                age_of(one.due_in),
                one.behind,
            )
            for name, one in oldest
        ],
    )
    rows, subjects = (sum(numbers) for numbers in zip(*counts.values(), strict=True))
    more = f"; the {LISTED} that have waited longest are shown" if subjects > LISTED else ""
    typer.echo(f"Parked: {rows:,}, of {subjects:,} subjects{more}.")


def outbox(service: Services = None, folder: Folder = FOLDER) -> None:
    """Show facts that are committed and not yet on Kafka; at rest there are none."""
    from operations import waiting_store as store
    from operations.asking import ask
    from operations.development import service_databases
    from operations.moments import age_of
    from operations.quarantine_text import short
    from operations.tables import show

    found = asyncio.run(ask(service_databases(service or [], folder), store.list_unpublished))
    lines = [
        (name, short(one.type), one.topic, one.rows, age_of(one.oldest))
        for name, types in found.items()
        for one in types
    ]
    if lines:
        show(("service", "type", "topic", "facts", "oldest waits"), lines)
    else:
        typer.echo("Every fact is on Kafka.")
