"""Submissions over HTTP: the same code path as Kafka, answered item by item after the commit."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.envelope import from_headers
from contracts.submissions import DeliverySubmitted, PledgeSubmitted, VisitSubmitted
from messaging.reading import Record
from messaging.tokens import submit_scope
from messaging.transaction import Context
from tests.messaging.running import Process, Toy, carry_out, placed, until_async
from tests.messaging.samples import household, pledge, visit
from tests.messaging.test_bad_input import HOUSEHOLD, NIK, REFUSED
from tests.proxy import proxy_of, through

BATCH = "application/cloudevents-batch+json"


@pytest.fixture
async def process(service: Toy) -> Process:
    """A running toy service."""
    return await service.start()


def structured(record: Record) -> dict[str, Any]:
    """A record as one CloudEvent in structured JSON."""
    envelope = from_headers(record.headers)
    return {
        "specversion": "1.0",
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "regency": envelope.regency,
        "correlationid": envelope.correlationid,
        "data": orjson.loads(record.value or b"null"),
    }


async def post(process: Process, token: str | None, content: object, kind: str = BATCH) -> httpx.Response:
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    headers = {"content-type": kind} | ({} if token is None else {"authorization": f"Bearer {token}"})
    async with httpx.AsyncClient(timeout=20) as client:
        return await client.post(f"{process.url}/submissions", content=body, headers=headers)


async def results(process: Process, token: str, records: Sequence[Record]) -> list[dict[str, Any]]:
    response = await post(process, token, [structured(record) for record in records])
    assert response.status_code == 200, response.text
    return list(response.json())


async def test_http_and_kafka_give_equal_outcomes(service: Toy, process: Process, context: Context) -> None:
    """Whichever comes second is told it came twice. Fails when: HTTP skips the inbox, or answers before the commit."""
    known = uuid4()
    await carry_out(context, placed([household(known)]))
    carer = "00000000-0000-0000-0000-000000000001"
    kinds = ("unknown field", "wrong type", "another service's", "in the future", "subject and data differ")
    readable = [REFUSED[kind][0](visit(HOUSEHOLD, f"bad-{number}")) for number, kind in enumerate(kinds)]
    records = [visit(known), visit(uuid4()), visit(known, carer_id=carer), pledge(uuid4()), *readable]

    over_http = await results(process, service.token(), records)
    over_kafka = await carry_out(context, placed(records))

    assert [(one["outcome"], one["code"], one["field"]) for one in over_http] == [
        (answer.outcome, answer.code, answer.field) for answer in over_kafka
    ]
    assert [one["outcome"] for one in over_http] == ["accepted", "parked", "refused", "unchanged"] + ["refused"] * 5
    assert all(one["sentence"] for one in over_http if one["code"])
    assert await service.value("select count(*) from toy_visits") == 1
    assert await service.value("select count(*) from outbox where topic = 'refusals'") == 0


async def test_a_failed_submission_over_http_is_answered_quarantined(service: Toy, process: Process) -> None:
    """Fails when: a bug becomes a 500."""
    one = uuid4()
    await service.value("insert into toy_households values ($1, 1, 1)", one)
    bad = visit(one, carer_id="00000000-0000-0000-0000-000000000003")

    answers = await results(process, service.token(), [visit(one), bad, visit(one)])

    assert [answer["outcome"] for answer in answers] == ["accepted", "quarantined", "accepted"]
    assert "secret" not in process.log.read_text()


async def test_what_is_no_cloudevent_is_refused_at_once_item_by_item(service: Toy, process: Process) -> None:
    """And no answer quotes it. Fails when: an unreadable item fails its batch."""
    good = structured(pledge(uuid4()))
    odd: list[Any] = [NIK, None, {}, good | {"id": NIK}, good | {"source": 5}, good | {"regency": "x"}]
    no_data = {name: value for name, value in good.items() if name != "data"}

    response = await post(process, service.token(), [*odd, no_data, good])

    answers = response.json()
    assert [answer["outcome"] for answer in answers] == ["refused"] * 7 + ["unchanged"]
    assert [answer["code"] for answer in answers[:4]] == [
        "unreadable",
        "unreadable",
        "missing_field",
        "identity_number",
    ]
    assert NIK not in response.text
    assert NIK not in process.log.read_text()


async def test_one_event_gets_one_answer(service: Toy, process: Process) -> None:
    response = await post(process, service.token(), structured(pledge(uuid4(), "p-1")), "application/cloudevents+json")

    assert response.json() == {"id": "p-1", "outcome": "unchanged", "code": None, "field": None, "sentence": None}


async def test_a_token_allows_its_own_source_regency_and_scopes_only(service: Toy, process: Process) -> None:
    """Fails when: any of the claims is not looked at."""
    record = pledge(uuid4())
    stranger = Toy(**(vars(service) | {"key": Ed25519PrivateKey.generate()})).token()
    expired = service.token(exp=datetime.now(UTC) - timedelta(minutes=5))
    refused = [None, "x.y.z", stranger, expired, service.token(aud="other"), service.token(iss="other")]

    for token in refused:
        response = await post(process, token, [structured(record)])
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
    assert (await post(process, service.token("visits:submit"), [structured(record)])).status_code == 403
    (answer,) = await results(process, service.token(source="other"), [record])
    assert answer["code"] == "wrong_source"
    (answer,) = await results(process, service.token(regency="16.71"), [record])
    assert answer["code"] == "wrong_regency"
    assert await service.value("select count(*) from inbox") == 0


async def test_nobody_takes_the_id_of_another_sender(service: Toy, process: Process) -> None:
    """By a type that is refused whoever sends it. Fails when: source and regency are looked at after the type."""
    one = uuid4()
    await service.value("insert into toy_households values ($1, 1, 1)", one)
    real = visit(one)
    odd = [REFUSED[kind][0](real) for kind in ("unknown type", "a fact's type", "another service's")]

    by_source = await results(process, service.token(source="other"), odd)
    by_regency = await results(process, service.token(regency="16.71"), odd)

    assert [answer["code"] for answer in by_source] == ["wrong_source"] * 3
    assert [answer["code"] for answer in by_regency] == ["wrong_regency"] * 3
    assert await service.value("select count(*) from inbox") == 0
    (answer,) = await results(process, service.token(), [real])
    assert answer["outcome"] == "accepted"


async def test_what_is_nested_too_deep_to_be_written_again_is_refused_alone(service: Toy, process: Process) -> None:
    """orjson reads 1,024 levels and writes 254. Fails when: its error is not caught."""
    good, deep = structured(pledge(uuid4())), structured(pledge(uuid4(), "deep")) | {"data": "here"}
    body = orjson.dumps([good, deep, good]).replace(b'"here"', b"[" * 300 + b"]" * 300)

    response = await post(process, service.token(), body)

    assert response.status_code == 200
    answers = [(answer["outcome"], answer["code"]) for answer in response.json()]
    assert answers == [("unchanged", None), ("refused", "unreadable"), ("unchanged", None)]
    assert response.json()[1]["id"] == "deep"


async def test_bodies_over_the_limits_or_of_another_kind_are_a_problem_with_a_sentence(
    service: Toy, process: Process
) -> None:
    """Fails when: the limits are not looked at."""
    many = [structured(pledge(uuid4()))] * 1_001
    cases = [
        (b"[" + b" " * (5 * 1024 * 1024) + b"]", BATCH, 413),
        (many, BATCH, 413),
        (b'{"broken"', BATCH, 400),
        (b'"text"', BATCH, 400),
        (b"[]", "application/json", 415),
    ]

    for content, kind, status in cases:
        response = await post(process, service.token(), content, kind)
        assert (response.status_code, response.json()["status"]) == (status, status)
        assert response.json()["detail"].endswith(".")


async def test_503_is_the_answer_when_the_database_stays_away_five_seconds(service: Toy) -> None:
    """Fails when: the request waits for ever, or fails at once."""
    async with proxy_of(service.database) as proxy:
        await proxy.open()
        process = await service.start(DATABASE_URL=through(proxy, service.database))
        await proxy.close()
        started = asyncio.get_running_loop().time()

        response = await post(process, service.token(), [structured(pledge(uuid4()))])

        assert response.status_code == 503
        assert 4 < asyncio.get_running_loop().time() - started < 12


async def test_health_and_metrics_answer(process: Process) -> None:
    async with httpx.AsyncClient(base_url=process.url) as client:
        live, ready, metrics = [await client.get(path) for path in ("/health/live", "/health/ready", "/metrics")]

    assert (live.status_code, ready.status_code) == (200, 200)
    for name in ("outbox_oldest_seconds", "lag_messages", "parked_messages", "relay_leader", "breaker_open"):
        assert f"berbagi_messaging_{name}" in metrics.text


async def test_the_breaker_makes_a_service_unready_and_says_why(service: Toy, process: Process) -> None:
    """It goes on by itself once the operator has resumed. Fails when: `_explain` does not tell health."""
    await service.value("insert into breaker (reason) values ('21 of the last 21 messages failed')")
    await asyncio.sleep(2.1)
    await service.send([household(uuid4())])

    async def stopped() -> bool:
        return "21 of the last 21" in (await process.ready())["waiting_for"].get("breaker", "")

    await until_async(stopped)
    assert (await post(process, service.token(), [structured(pledge(uuid4()))])).status_code == 503
    await service.value("delete from breaker")
    await process.wait_ready()
    await until_async(lambda: _has(service, 1))


async def _has(service: Toy, count: int) -> bool:
    return bool(await service.value("select count(*) from toy_assignments") == count)


def test_scopes_are_named_after_the_thing() -> None:
    scopes = [submit_scope(message) for message in (VisitSubmitted, DeliverySubmitted, PledgeSubmitted)]

    assert scopes == ["visits:submit", "deliveries:submit", "pledges:submit"]
