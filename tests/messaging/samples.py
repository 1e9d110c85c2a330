"""Records to send: real contracts, with what a test wants to be different."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from contracts.envelope import Envelope, to_headers
from messaging.reading import Record

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples"


def household(
    household_id: UUID, version: int = 1, *, kind: str = "registered", message_id: str | None = None, **changes: Any
) -> Record:
    """A fact of the registry."""
    return record(
        "household-events",
        f"household-{kind}",
        str(household_id),
        "berbagi-registry",
        message_id or f"{household_id}-{version}",
        household_id=str(household_id),
        version=version,
        **changes,
    )


def visit(household_id: UUID, message_id: str | None = None, **changes: Any) -> Record:
    """A visit report of an integrator."""
    changes = {"visit_id": str(uuid4()), "happened_at": datetime.now(UTC).isoformat()} | changes
    return record(
        "assignment-submissions",
        "visit-submitted",
        str(household_id),
        "smart-kampung",
        message_id or f"visit-{uuid4()}",
        household_id=str(household_id),
        **changes,
    )


def pledge(promise_id: UUID, message_id: str | None = None, **changes: Any) -> Record:
    """A partner's promise."""
    changes = {"happened_at": datetime.now(UTC).isoformat()} | changes
    return record(
        "assignment-submissions",
        "pledge-submitted",
        str(promise_id),
        "smart-kampung",
        message_id or f"pledge-{promise_id}",
        promise_id=str(promise_id),
        **changes,
    )


def record(topic: str, kind: str, key: str, source: str, message_id: str, **changes: Any) -> Record:
    """The committed example of a message, changed, in its envelope."""
    example = json.loads((EXAMPLES / f"{kind}.v1.json").read_text())
    data = example.get("data", example) | changes
    envelope = Envelope(
        message_id, source, f"id.berbagi.{kind}.v1", key, datetime.now(UTC).isoformat(), "c-1", None, "35.10"
    )
    return Record(topic, key.encode(), tuple(to_headers(envelope)), json.dumps(data).encode())
