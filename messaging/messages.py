"""What a service and messaging say to each other: received messages, outcomes, handlers, the card."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar
from uuid import UUID

from contracts.events import Fact
from contracts.submissions import Submission
from messaging.database import Connection

MessageT = TypeVar("MessageT", bound=Fact | Submission)


@dataclass(frozen=True, slots=True)
class Card:
    """Who a service is: the first thing a reader of `services/<name>/__init__.py` meets."""

    name: str
    decides: str
    """One sentence: what this service and no other decides."""
    consumes: tuple[type[Fact] | type[Submission], ...]
    emits: tuple[type[Fact], ...]
    migrations: Path | None = None
    """Folder of the service's own migrations; it is not ready while one of them is not applied."""
    regencies: frozenset[str] | None = None
    """Submissions for any other regency are refused; null: none is."""


class Received(NamedTuple, Generic[MessageT]):
    """One message as a handler sees it."""

    id: str
    source: str
    subject: str
    regency: str
    correlationid: str
    causationid: str | None
    data: MessageT
    received_at: datetime
    """Deciding time of the first receipt: deadlines count from it, also when the message was parked since."""
    decided_at: datetime
    """Deciding time of this transaction: what a handler means by now."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Decided; `events` are published after the commit."""

    events: tuple[Fact, ...] = ()
    code: str | None = None
    """What kind of yes, for who counts answers: `registered`, `updated`; kept in the inbox."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing new: an older version, or what was known already."""

    code: str | None = None
    """What kind of nothing, like `Accepted.code`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A submission that is not accepted; its sender is told. `field` is a path, never a value."""

    code: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """A submission that needs something not yet here: tried again when a fact about `waits_for` arrives."""

    waits_for: UUID


Outcome: TypeAlias = Accepted | Unchanged | Refused | Parked
Handler: TypeAlias = Callable[[Sequence[Received[Any]], Connection], Awaitable[list[Outcome]]]
Handlers: TypeAlias = Mapping[type[Fact] | type[Submission], Handler]
"""A handler for each message type. The order is the order within a wave: a fixed order of locks."""


class Answer(NamedTuple):
    """What became of one message: `accepted`, `unchanged`, `parked`, `refused`, `quarantined` (or `ignored`)."""

    outcome: str
    code: str | None = None
    field: str | None = None
