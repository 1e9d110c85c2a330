"""The quarantine of services as a person reads it in a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import typer

from operations.moments import age_of, shown
from operations.quarantine import Said
from operations.quarantine_store import Details, Group, Message, Result, Stop
from operations.tables import show

_OUTCOMES = {
    "again": "quarantined again",
    "quarantined": "quarantined again, under another id",
    "waiting": "not tried yet",
}


def show_stops(stops: Mapping[str, Stop | None]) -> None:
    """Which consumers have stopped, by service."""
    for service, stop in stops.items():
        if stop is not None:
            typer.echo(f"{service} stopped {ago(stop.stopped_at)}: {stop.reason}.")
            typer.echo(f"When the cause is gone: `berbagi quarantine resume --service {service} --by YOU`.\n")


def show_groups(groups: Mapping[str, Sequence[Group]], zone: ZoneInfo) -> None:
    """A line for messages that are alike."""
    show(
        ("service", "state", "reason", "type", "error", "messages", "oldest", "newest"),
        [
            (
                service,
                one.state,
                one.reason,
                short(one.type),
                one.error,
                one.messages,
                shown(one.oldest, zone),
                shown(one.newest, zone),
            )
            for service, found in groups.items()
            for one in found
        ],
    )


def show_messages(messages: Sequence[tuple[str, Message]], zone: ZoneInfo) -> None:
    """A line for each message."""
    show(
        ("service", "id", "state", "reason", "type", "error", "quarantined", "retries"),
        [
            (
                service,
                str(one.message_id),
                one.state,
                one.reason,
                short(one.type),
                one.error,
                shown(one.quarantined_at, zone),
                one.retries,
            )
            for service, one in messages
        ],
    )


def show_details(service: str, details: Details, zone: ZoneInfo) -> None:
    """All that is known of a message."""
    for label, text in _lines(service, details, zone):
        typer.echo(f"{label:12} {text}")


def show_said(said: Said) -> None:
    """What it says."""
    typer.echo(f"\n{'key':20} {said.key}")
    for name, value in said.headers:
        typer.echo(f"{name:20} {value}")
    typer.echo(said.value)


def show_results(results: Sequence[Result]) -> None:
    """What became of messages that were to be tried again."""
    show(
        ("outcome", "why", "messages"),
        [(_OUTCOMES.get(one.outcome, one.outcome), one.detail, one.messages) for one in results],
    )


def ago(moment: datetime) -> str:
    """On the real clock."""
    return f"{age_of(datetime.now(UTC) - moment)} ago"


def short(wire_type: str) -> str:
    """`id.berbagi.visit-submitted.v1`: visit-submitted."""
    return wire_type.removeprefix("id.berbagi.").removesuffix(".v1")


def _lines(service: str, details: Details, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    yield "service", service
    yield "state", details.state
    yield "reason", details.reason
    yield "type", short(details.type)
    yield "error", details.error
    place = f"partition {details.partition}, offset {details.offset}"
    yield "came", f"{details.topic}, {'over HTTP' if details.partition is None else place}"
    yield "quarantined", shown(details.quarantined_at, zone)
    if details.retries:
        yield "retried", f"{details.retries} times, last asked for by {details.asked_by}"
    if details.asked_at:
        yield "retry asked", f"{shown(details.asked_at, zone)} by {details.asked_by}"
    if details.resolved_at:
        yield "resolved", f"{shown(details.resolved_at, zone)} by {details.resolved_by}"
    if details.why:
        yield "why", details.why
    if details.outcome:
        code = f" ({details.code})" if details.code and details.code != details.outcome else ""
        yield "outcome", details.outcome + code
