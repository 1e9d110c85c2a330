"""From intents that are due to messages that left: collected, claimed, sent, and said so (rule 25)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

from contracts.events import NotificationFailed, NotificationSent
from messaging import JobRun, Write
from messaging.failpoints import failpoint
from policies import Policies
from services.notifications import delivery, intent_store
from services.notifications.channels import Channel, Reply
from services.notifications.delivery import Waiting
from services.notifications.texts import Texts

_INTENTS_AT_ONCE: Final = 2_000
_MESSAGES_AT_ONCE: Final = 200  # at a webhook 20 at a time, 5 s each: done before the lease is over


@dataclass(frozen=True, slots=True)
class Sending:
    """The sending of one channel."""

    channel_name: str
    channel: Channel
    texts: Texts
    policies: Policies


async def send_intents(run: JobRun, *, sending: Sending) -> None:
    """Everything that is due, in pages; what its channel does not take now is left for a later run."""
    while await _collect_some(run, sending):
        pass
    while claimed := await _claim_some(run, sending):
        await _send(run, sending, claimed)


async def _collect_some(run: JobRun, sending: Sending) -> bool:
    """Put intents into messages; True when there may be more."""
    lives = {regency: timedelta(hours=one.cases.intent_hours) for regency, one in sending.policies.items()}
    async with run.writing() as write:
        due = await intent_store.list_due_intents(write.db, sending.channel_name, write.now, _INTENTS_AT_ONCE)
        is_cut = len(due) == _INTENTS_AT_ONCE
        groups = {uuid4(): group for group in delivery.group_intents(due, is_cut=is_cut)}
        if groups:
            messages = [delivery.make_message(notification_id, group) for notification_id, group in groups.items()]
            await intent_store.insert_notifications(write.db, messages, lives)
            members = [(notification_id, intent) for notification_id, group in groups.items() for intent in group]
            await intent_store.put_into_messages(write.db, members)
    return is_cut


async def _claim_some(run: JobRun, sending: Sending) -> list[Waiting]:
    """Drop what is too old and take what is to be sent; taken is committed before anything leaves."""
    async with run.writing() as write:
        for dropped in await intent_store.drop_expired(write.db, sending.channel_name, write.now):
            _state(write, dropped, delivery.state_too_old(dropped))
        claimed = await intent_store.claim(write.db, sending.channel_name, write.now, _MESSAGES_AT_ONCE)
    return sorted(claimed, key=lambda waiting: waiting.due_at)


async def _send(run: JobRun, sending: Sending, claimed: Sequence[Waiting]) -> None:
    async with run.reading() as db:
        told = await intent_store.list_told(db, [waiting.notification_id for waiting in claimed])
    failpoint("between_claim_and_send")
    replies = await sending.channel.send(
        [
            delivery.write_message(waiting, told[waiting.notification_id], sending.texts, sending.policies)
            for waiting in claimed
        ]
    )
    async with run.recording() as write:
        ends = {
            waiting.notification_id: end
            for waiting, reply in zip(claimed, replies, strict=True)
            if (end := delivery.state_end(waiting, reply, write.now)) is not None
        }
        settled = await intent_store.settle(write.db, list(ends.values()), write.now)
        for waiting in claimed:
            if waiting.notification_id in settled:
                _state(write, waiting, ends[waiting.notification_id])
        await intent_store.try_later(
            write.db,
            {
                waiting.notification_id: delivery.pause_after(waiting.attempts)
                for waiting, reply in zip(claimed, replies, strict=True)
                if reply is Reply.AWAY
            },
        )


def _state(write: Write, waiting: Waiting, end: NotificationSent | NotificationFailed) -> None:
    write.emit(end, str(waiting.notification_id), waiting.correlationid, waiting.regency)
