"""`berbagi quarantine`: what could not be read or handled, and the breaker that it opened."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from operations.commands.options import LISTED, MOMENTS, By, Services
from operations.commands.stack import FOLDER, Folder
from operations.errors import CommandError

if TYPE_CHECKING:
    from operations.quarantine_store import Wanted

app = typer.Typer(no_args_is_help=True, help="What could not be read or handled: list it, try it again, give it up.")
Service = Annotated[str, typer.Option(help="Whose quarantine.")]
Ids = Annotated[list[UUID] | None, typer.Argument(metavar="ID", help="These; or say which by the options.")]
Reason = Annotated[str | None, typer.Option(help="unreadable, unknown_type, bad_data or bug.")]
Type = Annotated[str | None, typer.Option("--type", help="household-registered, visit-submitted ...")]
Since = Annotated[str | None, typer.Option(help=f"Quarantined since: {MOMENTS}")]
Until = Annotated[str | None, typer.Option(help="Quarantined before; written like --since.")]
Every = Annotated[bool, typer.Option("--all", help="All that are open there.")]


@app.command("list")
def list_(  # noqa: PLR0913  # an option each
    *,
    service: Services = None,
    reason: Reason = None,
    type_: Type = None,
    since: Since = None,
    until: Until = None,
    each: Annotated[bool, typer.Option("--each", help="A line for each message, with its id.")] = False,
    resolved: Annotated[bool, typer.Option("--resolved", help="Those retried or discarded instead.")] = False,
    folder: Folder = FOLDER,
) -> None:
    """Show what waits for an operator; what is alike is one line. Says too which consumers have stopped."""
    from operations import quarantine_store as store
    from operations import quarantine_text as text
    from operations.asking import ask
    from operations.development import service_databases
    from operations.moments import local_zone

    databases, zone = service_databases(service or [], folder), local_zone()
    wanted = _wanted(None, reason, type_, (since, until), resolved=resolved)
    text.show_stops(asyncio.run(ask(databases, store.find_stop)))
    groups = asyncio.run(ask(databases, partial(store.list_groups, wanted=wanted)))
    total = sum(group.messages for found in groups.values() for group in found)
    if not total:
        typer.echo("Nothing like that was retried or discarded." if resolved else "Nothing like that is quarantined.")
    elif not each:
        text.show_groups(groups, zone)
    else:
        found = asyncio.run(ask(databases, partial(store.list_messages, wanted=wanted, limit=LISTED)))
        lines = [(name, one) for name, messages in found.items() for one in messages]
        newest = sorted(lines, key=lambda line: line[1].quarantined_at, reverse=True)[:LISTED]
        text.show_messages(newest, zone)
        if total > LISTED:
            typer.echo(f"The newest {LISTED} of {total:,}; name a service, reason, type or time to see others.")


@app.command()
def show(
    message_id: Annotated[UUID, typer.Argument(metavar="ID", help="As `list --each` shows it.")],
    *,
    service: Services = None,
    payload: Annotated[
        bool, typer.Option("--payload", help="What it says, too: needs the service's key in BERBAGI_DATA_KEY.")
    ] = False,
    folder: Folder = FOLDER,
) -> None:
    """Show all that is known of one message."""
    from operations import quarantine_store as store
    from operations import quarantine_text as text
    from operations.asking import ask
    from operations.development import service_databases
    from operations.moments import local_zone

    databases = service_databases(service or [], folder)
    found = asyncio.run(ask(databases, partial(store.find_message, message_id=message_id)))
    known = {name: details for name, details in found.items() if details is not None}
    if not known:
        raise CommandError(f"{message_id} is in no quarantine of {', '.join(databases)}")
    for name, details in known.items():
        text.show_details(name, details, local_zone())
        if payload:
            _show_payload(message_id, details.payload)


@app.command()
def retry(  # noqa: PLR0913  # an option each
    message_ids: Ids = None,
    *,
    service: Service,
    reason: Reason = None,
    type_: Type = None,
    since: Since = None,
    until: Until = None,
    every: Every = False,
    by: By = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the service.", min=0)] = 60,
    folder: Folder = FOLDER,
) -> None:
    """Have the service try messages again; exit code 1 unless all are done.

    It must be running; that its consumer has stopped does not matter. What fails again stays, with its new reason.
    Deadlines count from when a message first came.
    """
    from operations import quarantine
    from operations.asking import ask, operator
    from operations.development import service_databases
    from operations.quarantine_text import show_results

    wanted = _chosen(message_ids, reason, type_, (since, until), every)
    try_again = partial(quarantine.retry, wanted=wanted, who=operator(by), patience_seconds=wait)
    results = asyncio.run(ask(service_databases([service], folder), try_again))[service]
    if not results:
        typer.echo(f"Nothing like that is quarantined in {service}.")
        return
    show_results(results)
    if any(result.outcome == "waiting" for result in results):
        typer.echo(
            f"{service} has not tried all of them in {wait:g} s; those stay asked for, and it tries them when it runs."
        )
    if any(result.outcome in ("waiting", "again", "quarantined") for result in results):
        raise typer.Exit(1)


@app.command()
def discard(  # noqa: PLR0913  # an option each
    message_ids: Ids = None,
    *,
    service: Service,
    why: Annotated[str, typer.Option(help="For whoever asks later; never a person's name or number.")],
    reason: Reason = None,
    type_: Type = None,
    since: Since = None,
    until: Until = None,
    every: Every = False,
    by: By = None,
    folder: Folder = FOLDER,
) -> None:
    """Give messages up: they stay in the table, marked, and are not tried again."""
    from operations import quarantine
    from operations.asking import ask, operator
    from operations.development import service_databases

    if not why.strip():
        raise CommandError("--why must say why")
    wanted = _chosen(message_ids, reason, type_, (since, until), every)
    give_up = partial(quarantine.discard, wanted=wanted, who=operator(by), why=why)
    count = asyncio.run(ask(service_databases([service], folder), give_up))[service]
    typer.echo(f"Discarded {count:,}." if count else f"Nothing like that is quarantined in {service}.")


@app.command()
def resume(
    service: Annotated[str, typer.Option(help="Whose consumer.")], by: By = None, folder: Folder = FOLDER
) -> None:
    """Let a consumer go on that too many failures have stopped, once their cause is gone."""
    from operations import quarantine_store as store
    from operations.asking import ask, operator
    from operations.development import service_databases
    from operations.quarantine_text import ago

    databases = service_databases([service], folder)
    stop = asyncio.run(ask(databases, partial(store.end_stop, who=operator(by))))[service]
    if stop is None:
        typer.echo(f"{service} had not stopped.")
        return
    count = asyncio.run(ask(databases, store.count_open))[service]
    typer.echo(f"{service} goes on; it had stopped {ago(stop.stopped_at)}: {stop.reason}.")
    typer.echo(f"Still quarantined: {count:,} (`berbagi quarantine retry --service {service} --by YOU ...`).")


def _chosen(
    message_ids: Sequence[UUID] | None,
    reason: str | None,
    type_: str | None,
    span: tuple[str | None, str | None],
    every: bool,
) -> "Wanted":
    if every == any((message_ids, reason, type_, *span)):
        raise CommandError("say which messages: ids, --reason, --type, --since, --until, or else --all")
    return _wanted(message_ids, reason, type_, span)


def _wanted(
    message_ids: Sequence[UUID] | None,
    reason: str | None,
    type_: str | None,
    span: tuple[str | None, str | None],
    *,
    resolved: bool = False,
) -> "Wanted":
    from messaging.metrics import REASONS
    from operations.moments import local_zone, moment_of
    from operations.quarantine_store import Wanted

    if reason is not None and reason not in REASONS:
        raise CommandError(f"--reason is one of {', '.join(REASONS)}")
    since, until = (None if text is None else moment_of(text, datetime.now(UTC), local_zone()) for text in span)
    full = None if type_ is None else type_ if "." in type_ else f"id.berbagi.{type_}.v1"
    return Wanted(message_ids or None, reason, full, since, until, resolved)


def _show_payload(message_id: UUID, payload: bytes | None) -> None:
    from operations import environment
    from operations.quarantine import open_payload
    from operations.quarantine_text import show_said

    if payload is None:
        typer.echo("What it said was deleted some time after it was resolved.")
        return
    key = environment.data_key()
    if key is None:
        raise CommandError("what a message says is shown to whoever has the service's key: set BERBAGI_DATA_KEY")
    show_said(open_payload(message_id, payload, key))
