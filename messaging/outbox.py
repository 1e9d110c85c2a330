"""Facts on their way out: written with the decision, published after its commit."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events import MAX_FACT_BYTES, Fact, SubmissionRefused
from contracts.refusals import RefusalCode, sentence
from contracts.topics import MESSAGES, topic_of
from messaging.database import Connection
from messaging.errors import FactTooLargeError, HandlerError
from messaging.messages import Refused
from messaging.reading import Sender, digest


class Outgoing(NamedTuple):
    """A fact with its address. Its id comes from its cause: made again after a crash, it is the same."""

    message_id: UUID
    event: Fact
    subject: str
    regency: str
    correlationid: str
    causationid: str | None


def from_message(event: Fact, cause: UUID, envelope: Envelope) -> Outgoing:
    """A fact that a message led to."""
    return Outgoing(
        _fact_id(event, cause), event, _subject(event), envelope.regency, envelope.correlationid, envelope.id
    )


def from_job(event: Fact, job: str, business_key: str, correlationid: str, regency: str) -> Outgoing:
    """A fact that a job decided: its cause is the job, what it was about and the version it made."""
    cause = digest(job, business_key, str(event.version))
    return Outgoing(_fact_id(event, cause), event, _subject(event), regency, correlationid, None)


def from_refusal(service: str, cause: UUID, sender: Sender, refused: Refused) -> Outgoing:
    """What the sender of a submission is told.

    One may hear twice: that it is quarantined and, tried again, that it is refused. Each has an id of its own.
    """
    if refused.code == RefusalCode.QUARANTINED:
        cause = digest(cause.bytes, refused.code)
    event = SubmissionRefused(
        version=1,
        refusal_id=cause,
        submission_id=sender.id,
        submission_type=sender.type if sender.type in MESSAGES else "",
        source=sender.source,
        service=service,
        code=refused.code,
        field=refused.field,
        sentence=explain(refused, sender.type),
    )
    return Outgoing(
        _fact_id(event, cause), event, sender.source, sender.regency, sender.correlationid, sender.id or None
    )


def explain(refused: Refused, submission_type: str) -> str:
    """The code in words; a type sent to the wrong service is told the right one."""
    words = sentence(refused.code)
    if refused.code == RefusalCode.WRONG_SERVICE:
        message = MESSAGES[submission_type]
        return f"{words} Send it to {getattr(message, 'service', 'its producer')}."
    return words


async def insert_outgoing(db: Connection, outgoing: Sequence[Outgoing]) -> None:
    """Write facts to the outbox and wake the relay.

    Ids are drawn here: each aggregate's row must have been locked by an earlier statement, or versions could overtake.
    """
    if not outgoing:
        return
    if len({fact.message_id for fact in outgoing}) < len(outgoing):
        raise HandlerError("Two facts of one type about one aggregate have the same cause.")
    await db.copy_records_to_table(  # asyncpg encodes it five times as quickly as arrays
        "outbox",
        columns=("topic", "message_id", "type", "subject", "regency", "correlationid", "causationid", "value"),
        records=[
            (
                topic_of(type(fact.event)).name,
                fact.message_id,
                fact.event.type,
                fact.subject,
                fact.regency,
                fact.correlationid,
                fact.causationid,
                _value(fact.event),
            )
            for fact in outgoing
        ],
    )
    await db.execute("notify outbox")


def _value(event: Fact) -> bytes:
    value = event.json_text.encode()
    if len(value) > MAX_FACT_BYTES:
        raise FactTooLargeError
    return value


def _fact_id(event: Fact, cause: UUID) -> UUID:
    return digest(cause.bytes, event.type, event.aggregate_id.bytes)


def _subject(event: Fact) -> str:
    return str(getattr(event, topic_of(type(event)).key))
