"""Which intents become one message, and what a channel's reply makes of it (rule 25). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from contracts.events import NotificationFailed, NotificationSent
from policies import Policies
from services.notifications.channels import Item, Message, Reply
from services.notifications.intents import Intent
from services.notifications.texts import Texts, say

LEASE: Final = timedelta(seconds=60)  # how long a message belongs to who claimed it; longer than any sending takes
_LONGEST_PAUSE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message on its way to a channel."""

    notification_id: UUID
    regency: str
    recipient_id: str
    kind: str
    """Of its one intent, or `digest`."""
    level: int
    case_id: UUID | None
    correlationid: str
    channel: str
    due_at: datetime
    attempts: int = 0


def group_intents(intents: Sequence[Intent], *, is_cut: bool) -> list[list[Intent]]:
    """Intents that travel together: an urgent one alone, the others of a recipient's digest as one.

    They come sorted by recipient and due time; `is_cut` when more follow: the last digest may be incomplete and waits.
    """
    groups: list[list[Intent]] = []
    for _, same in groupby(intents, key=lambda intent: (intent.regency, intent.recipient_id, intent.due_at)):
        together = list(same)
        groups += [[intent] for intent in together if intent.urgent]
        if digest := [intent for intent in together if not intent.urgent]:
            groups.append(digest)
    return groups[:-1] if is_cut and len(groups) > 1 else groups


def make_message(notification_id: UUID, intents: Sequence[Intent]) -> Waiting:
    """One message for intents that travel together."""
    first, is_digest = intents[0], len(intents) > 1
    return Waiting(
        notification_id,
        first.regency,
        first.recipient_id,
        "digest" if is_digest else first.kind,
        0 if is_digest else first.level,
        None if is_digest else first.case_id,
        str(notification_id) if is_digest else first.correlationid,
        first.channel,
        first.due_at,
    )


def write_message(waiting: Waiting, intents: Sequence[Intent], texts: Texts, policies: Policies) -> Message:
    """What the recipient reads."""
    return Message(
        notification_id=waiting.notification_id,
        regency=waiting.regency,
        recipient_id=waiting.recipient_id,
        kind=waiting.kind,
        due_at=waiting.due_at,
        text=say([(intent.kind, intent.about) for intent in intents], texts, policies[waiting.regency]),
        items=tuple(Item(kind=intent.kind, level=intent.level, about=intent.about) for intent in intents),
    )


def state_end(waiting: Waiting, reply: Reply, now: datetime) -> NotificationSent | NotificationFailed | None:
    """The one fact of a message; none while its channel is away."""
    match reply:
        case Reply.TAKEN:
            return NotificationSent(**_state(waiting), sent_at=now)
        case Reply.REFUSED:
            return NotificationFailed(**_state(waiting), reason="refused_by_channel")
        case Reply.AWAY:
            return None


def state_too_old(waiting: Waiting) -> NotificationFailed:
    """It could not be told in time and helps nobody any more."""
    return NotificationFailed(**_state(waiting), reason="too_old")


def pause_after(attempts: int) -> timedelta:
    """Until the next try, on the real clock: 2 seconds, doubled up to 5 minutes."""
    return min(timedelta(seconds=2 ** min(attempts, 10)), _LONGEST_PAUSE)


def _state(waiting: Waiting) -> dict[str, Any]:
    return {
        "version": 1,
        "notification_id": waiting.notification_id,
        "recipient_id": waiting.recipient_id,
        "kind": waiting.kind,
        "level": waiting.level,
        "channel": waiting.channel,
        "attempts": waiting.attempts,
        "case_id": waiting.case_id,
    }
