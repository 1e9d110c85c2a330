"""What the reconciliation looks at: what was said, what Kafka holds, what lies in the databases and in the logs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import orjson

from contracts.topics import SERVICES
from messaging.database import Connection, open_connection
from messaging.reading import digest
from simulation import audit_store
from simulation.arrivals import NONE, Arrivals
from simulation.audit_store import Account
from simulation.history import History, digest_of, read_history
from simulation.play import Played
from simulation.privacy import Identities, identities_of, search_file
from simulation.system import System

_PIECE: Final = 4 * 1024 * 1024
_SHOWN_LEAKS: Final = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a service has decided of a submission."""

    outcome: str
    code: str | None

    @property
    def word(self) -> str:
        """The code where there is one that says more."""
        return self.code if self.outcome == "refused" and self.code else self.outcome


@dataclass(slots=True)
class Evidence:
    """All of it, gathered once."""

    played: Played
    history: History
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    """By source and id."""
    not_applied: list[str] = field(default_factory=list)
    """Facts that a consumer's inbox does not hold."""
    not_stored: list[str] = field(default_factory=list)
    """Aggregates whose row differs from their newest fact."""
    quarantined: dict[bytes, str] = field(default_factory=dict)
    """By id of the message."""
    left_over: list[str] = field(default_factory=list)
    """Facts and submissions that a service still has to do something about."""
    starts_told: dict[tuple[str, str], int] = field(default_factory=dict)
    """By case and kind of news, how many times its clocks' start was to be told."""
    arrivals: Arrivals = NONE
    accounts: list[Account] = field(default_factory=list)
    recipients: dict[str, frozenset[str]] = field(default_factory=dict)
    """By recalled lot: whom distribution names when it is asked."""
    leaks: list[str] = field(default_factory=list)


async def gather(played: Played, system: System, arrivals: Arrivals = NONE) -> Evidence:
    """Read Kafka from its beginning, then every database and log file."""
    identities = identities_of(played.month.world)
    history = await read_history(system.kafka, system.topic_prefix, identities)
    evidence = Evidence(played, history, leaks=history.leaks[:_SHOWN_LEAKS], arrivals=arrivals)
    for lot_id in history.recalls:
        evidence.recipients[lot_id] = await _ask_recipients(system, lot_id)
    for service in SERVICES:
        db = await open_connection(system.audited_databases[service], name="berbagi-audit")
        try:
            await note_outcomes(evidence, service, system.consumes[service], audit_store.stored_outcomes(db))
            for kind, statement in audit_store.STATES[service]:
                await compare_states(evidence, service, kind, audit_store.stored_states(db, statement))
            found = await audit_store.list_quarantined(db)
            evidence.quarantined |= {message_id: f"{service} {line}" for message_id, line in found.items()}
            evidence.left_over.extend(f"{service}: {line}" for line in await audit_store.list_left_over(db))
            if service == "distribution":
                evidence.accounts = await audit_store.list_accounts(db)
            if service == "notifications":
                evidence.starts_told = await audit_store.count_starts_told(db)
            await _search_database(evidence, service, db, identities)
        finally:
            await db.close()
    evidence.leaks.extend(_search_logs(system.logs, identities))
    return evidence


async def _ask_recipients(system: System, lot_id: str) -> frozenset[str]:
    token = system.token("audit", ("lots:read",))
    async with httpx.AsyncClient() as client:
        answer = await client.get(
            f"{system.urls['distribution']}/lots/{lot_id}/recipients", headers={"Authorization": f"Bearer {token}"}
        )
    answer.raise_for_status()
    return frozenset(answer.json())


async def note_outcomes(
    evidence: Evidence, service: str, consumes: frozenset[str], inbox: AsyncIterator[tuple[bytes, str, str | None]]
) -> None:
    """Outcomes of what was sent to this service, and whether it holds every fact it consumes."""
    sent = {digest(*place).bytes: place for place, what in evidence.played.said.sent.items() if what.service == service}
    wanted = {
        message_id: event
        for event, found in evidence.history.ids.items()
        if event.type in consumes
        for message_id in found
    }
    async for message_id, outcome, code in inbox:
        place = sent.get(message_id)
        if place is not None:
            evidence.outcomes[place] = Outcome(outcome, code)
        else:
            wanted.pop(message_id, None)
    evidence.not_applied.extend(
        f"{service} has not applied {event.type} {message_id.hex()}" for message_id, event in wanted.items()
    )


async def compare_states(evidence: Evidence, service: str, kind: str, rows: AsyncIterator[tuple[str, str]]) -> None:
    """A row is what its newest fact says, and there is a row for each; `kind` names the aggregate's id."""
    stated = {place[1]: newest for place, newest in evidence.history.newest.items() if place[0] == kind}
    async for aggregate_id, state in rows:
        newest = stated.pop(aggregate_id, None)
        if newest is None or newest.digest != digest_of(orjson.loads(state), kind):
            evidence.not_stored.append(f"{service} {kind} {aggregate_id}: the row is not what the newest fact says")
    evidence.not_stored.extend(f"{service} {kind} {one}: stated, but there is no row" for one in stated)


async def _search_database(evidence: Evidence, service: str, db: Connection, identities: Identities) -> None:
    """Also the registry's: what is there must be there encrypted only."""
    pieces = bytearray()

    def search() -> None:
        found = identities.found_in(bytes(pieces))
        evidence.leaks.extend(f"database {service}: {what}" for what in list(found)[:_SHOWN_LEAKS])
        pieces.clear()

    def write(rows: bytes) -> None:
        pieces.extend(rows)
        if len(pieces) > _PIECE:
            search()

    await audit_store.dump(db, write)
    search()


def _search_logs(folder: Path, identities: Identities) -> list[str]:
    return [
        f"{path.name} of {path.parent.name}: {what}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for what in list(search_file(identities, path))[:_SHOWN_LEAKS]
    ]
