"""From what has to be told to messages that left (rule 25)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.events import Fact, NotificationFailed, NotificationSent, VisitOverdue
from messaging import JobRun
from messaging.retention import KEPT
from services.notifications import texts
from services.notifications.channels import FileChannel, Message, Reply, WebhookChannel
from services.notifications.delivery import pause_after
from services.notifications.intents import About, Kind
from services.notifications.sending_jobs import Sending, send_intents
from tests.notifications.builders import DISTRICT, POLICY, local
from tests.notifications.desk import Desk, example, visit

NOW = local("2026-10-14 09:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def overdue(carer: object, level: str = "carer", **changes: object) -> VisitOverdue:
    given = {"visit_id": uuid4(), "household_id": uuid4(), "carer_id": carer, "district": DISTRICT, "level": level}
    return example(VisitOverdue, **(given | {"version": 1, "period": "2026-10-w2"} | changes))


async def ends(desk: Desk) -> list[Fact]:
    return [fact for fact in await desk.facts() if isinstance(fact, NotificationSent | NotificationFailed)]


async def test_a_critical_need_is_told_to_the_desk_at_once(desk: Desk) -> None:
    await desk.send(visit(uuid4(), "no_food_today"))

    await desk.run()

    (message,) = desk.messages()
    assert (message["recipient_id"], message["kind"]) == ("desk-dinsos", "case_opened")
    assert message["text"].startswith("Kasus baru: tidak ada makanan hari ini, Kecamatan Banyuwangi.")
    assert "14-10-2026 pukul 11.00" in message["text"]
    (sent,) = await ends(desk)
    assert isinstance(sent, NotificationSent)
    assert (str(sent.notification_id), sent.attempts) == (message["notification_id"], 1)


async def test_everything_else_is_one_digest_a_recipient_at_the_digest_hour(desk: Desk) -> None:
    carer = uuid4()
    await desk.send(*(overdue(carer) for _ in range(3)), overdue(uuid4(), "coordinator"), visit(uuid4(), "documents"))
    await desk.run()
    assert desk.messages() == []

    await desk.set_time(local("2026-10-15 07:00"))
    await desk.run()

    told = {message["recipient_id"]: message for message in desk.messages()}
    assert set(told) == {str(carer), "coordinator-35.10.16", "desk-dukcapil"}
    assert (told[str(carer)]["kind"], told[str(carer)]["text"]) == ("digest", "3 kunjungan belum dilaporkan.")
    assert len(told[str(carer)]["items"]) == 3
    assert await desk.run() == 0


async def test_the_same_is_told_once_for_ever(desk: Desk) -> None:
    """What comes again though the inbox has lost it makes no new intent and sends nothing."""
    fact = overdue(uuid4())
    await desk.send(fact)
    await desk.set_time(NOW + DAY)
    await desk.run()
    await desk.context.pool.execute("delete from inbox")

    await desk.send(fact)
    await desk.set_time(NOW + 2 * DAY)
    await desk.run()

    assert (len(desk.messages()), await desk.count("intent")) == (1, 1)


async def test_messages_and_intents_are_forgotten_long_after_they_were_sent_or_failed(desk: Desk) -> None:
    """On the real clock: the programme clock is years ahead. What waits stays, however old it is.

    Fails when: `prune_settled` looks at deciding time, at what waits, or leaves intents behind.
    """
    await desk.send(*(overdue(uuid4()) for _ in range(3)))
    await desk.set_time(NOW + DAY)
    await desk.run()
    await desk.send(overdue(uuid4()))
    await desk.set_time(NOW + 1_000 * DAY)
    await desk.run("prune_messages")
    assert (await desk.count("notification"), await desk.count("intent")) == (3, 4)

    await desk.context.pool.execute("update notification set try_at = now() - $1::interval", KEPT["messages"])
    await desk.context.pool.execute(
        """update notification set status = 'waiting'
           where notification_id = (select notification_id from notification limit 1)"""
    )
    await desk.run("prune_messages")

    assert (await desk.count("notification"), await desk.count("intent")) == (1, 2)
    assert await desk.run("prune_messages") == 0


async def test_what_could_not_be_told_for_24_hours_is_dropped(desk: Desk) -> None:
    await desk.send(visit(uuid4(), "no_food_today"))
    await desk.set_time(NOW + DAY + HOUR)

    await desk.run("send_intents_by_file")

    (failed,) = await ends(desk)
    assert isinstance(failed, NotificationFailed)
    assert (failed.reason, failed.attempts, desk.messages()) == ("too_old", 0, [])


async def test_after_an_absence_facts_are_stated_but_old_alarms_are_not(desk: Desk) -> None:
    """Rule 23: every level as a fact of its own; rule 25: nobody is woken for what is long over."""
    await desk.send(visit(uuid4(), "no_food_today"))
    await desk.run("send_intents_by_file")
    await desk.set_time(NOW + 14 * DAY)

    await desk.run()

    levels = [case.escalation_level for case in await desk.cases()]
    assert levels == [0, 0, 1, 2, 3]
    assert [message["kind"] for message in desk.messages()] == ["case_opened"]


async def test_above_its_office_a_restricted_case_is_only_counted(desk: Desk) -> None:
    await desk.send(visit(uuid4(), "child_in_danger"))
    await desk.set_time(NOW + 3.1 * HOUR)

    await desk.run()

    by_recipient = {message["recipient_id"]: message for message in desk.messages()}
    assert by_recipient["head-dinsos"]["items"][0]["about"]["need"] == "child_in_danger"
    assert by_recipient["regional-secretary"]["items"][0]["about"] == {}
    assert "akses terbatas" in by_recipient["regional-secretary"]["text"]


async def test_killed_between_claim_and_send_a_message_comes_again_under_the_same_key(desk: Desk) -> None:
    await desk.send(visit(uuid4(), "no_food_today"))
    dying = Sending("file", Dies(), texts.load(), {"35.10": POLICY})
    with pytest.raises(ConnectionAbortedError):
        await send_intents(await run_of(desk), sending=dying)
    claimed = await desk.value("select notification_id::text from notification")
    await desk.run("send_intents_by_file")
    assert desk.messages() == []  # it is still the dead one's

    await desk.context.pool.execute("update notification set try_at = now()")  # the lease is over
    await desk.run("send_intents_by_file")

    assert [message["notification_id"] for message in desk.messages()] == [claimed]


async def test_what_was_sent_is_said_so_though_another_replica_was_writing(desk: Desk) -> None:
    """Fails when: the run ends there, and its messages are sent again."""
    await desk.send(visit(uuid4(), "no_food_today"))
    contested = Contested(await run_of(desk))

    await send_intents(await run_of(desk), sending=Sending("file", contested, texts.load(), {"35.10": POLICY}))

    (sent,) = await ends(desk)
    assert isinstance(sent, NotificationSent)
    assert await desk.value("select status from notification") == "sent"
    assert contested.other is not None
    await contested.other


async def test_a_webhook_that_is_away_is_tried_again_and_holds_up_no_file(desk: Desk) -> None:
    replies = [503, 200]
    async with webhook(replies) as (address, received):
        channel = WebhookChannel({"35.10": {"desk-dinsos": address}})
        sending = Sending("webhook", channel, texts.load(), {"35.10": POLICY})
        await desk.send(visit(uuid4(), "no_food_today"), visit(uuid4(), "acutely_ill"))
        await desk.context.pool.execute("update intent set channel = 'webhook' where recipient_id = 'desk-dinsos'")

        await send_intents(await run_of(desk), sending=sending)
        await desk.run("send_intents_by_file")
        await send_intents(await run_of(desk), sending=sending)  # not before its pause is over
        assert (len(received), [message["recipient_id"] for message in desk.messages()]) == (1, ["desk-dinkes"])
        await desk.context.pool.execute("update notification set try_at = now() where status = 'waiting'")
        await send_intents(await run_of(desk), sending=sending)

    assert len(received) == 2
    assert received[0] == received[1]
    sent = [fact for fact in await ends(desk) if isinstance(fact, NotificationSent) and fact.channel == "webhook"]
    assert [fact.attempts for fact in sent] == [2]


@pytest.mark.parametrize(
    ("status", "reply"), [(204, Reply.TAKEN), (410, Reply.REFUSED), (429, Reply.AWAY), (302, Reply.AWAY)]
)
async def test_what_a_webhooks_answer_means(status: int, reply: Reply) -> None:
    async with webhook([status]) as (address, _):
        assert await WebhookChannel({"35.10": {"desk": address}}).send([message_to("desk")]) == [reply]


async def test_a_file_that_cannot_be_written_is_away(desk: Desk) -> None:
    assert await FileChannel(desk.file / "no-folder").send([message_to("desk")]) == [Reply.AWAY]


def test_pauses_double_up_to_five_minutes() -> None:
    assert [pause_after(attempts).total_seconds() for attempts in (1, 2, 3, 9, 500)] == [2, 4, 8, 300, 300]


def test_every_kind_need_and_item_has_its_words() -> None:
    known = texts.load()

    assert set(known.kinds) == set(Kind)
    assert set(known.needs) == set(POLICY.need)
    assert set(known.items) == set(POLICY.item)
    for kind in Kind:
        texts.say([(kind, About(period="2026-10")), (kind, About(period="2026-11"))], known, POLICY)
        assert "{" not in texts.say([(kind, About(period="2026-10"))], known, POLICY)


class Dies:
    """A process killed after the claim was committed."""

    async def send(self, messages: Sequence[Message]) -> list[Reply]:
        raise ConnectionAbortedError(f"{len(messages)} claimed")


class Contested:
    """Takes what it gets; by then another replica writes the same job."""

    def __init__(self, of_another: JobRun) -> None:
        self.other: asyncio.Task[None] | None = None
        self._run = of_another

    async def send(self, messages: Sequence[Message]) -> list[Reply]:
        begun = asyncio.Event()
        self.other = asyncio.create_task(self._write(begun))
        await begun.wait()
        return [Reply.TAKEN] * len(messages)

    async def _write(self, begun: asyncio.Event) -> None:
        async with self._run.writing():
            begun.set()
            await asyncio.sleep(0.3)


async def run_of(desk: Desk) -> JobRun:
    return JobRun(desk.context, "send_intents", NOW)


def message_to(recipient_id: str) -> Message:
    return Message(
        notification_id=uuid4(),
        regency="35.10",
        recipient_id=recipient_id,
        kind="digest",
        due_at=NOW,
        text="",
        items=(),
    )


@asynccontextmanager
async def webhook(statuses: list[int]) -> AsyncIterator[tuple[str, list[str]]]:
    """An HTTP server that answers with these statuses, in turn; and the idempotency keys it got."""
    received: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.splitlines()[1:] if ": " in line)
        await reader.readexactly(int(fields["content-length"]))
        received.append(fields["idempotency-key"])
        writer.write(
            f"HTTP/1.1 {statuses[len(received) - 1]} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", received
