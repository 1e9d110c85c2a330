"""The HTTP way in: submissions with item by item answers, tokens, problem details (RFC 9457)."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from contracts.envelope import Envelope, EnvelopeError, from_structured, to_headers
from contracts.refusals import RefusalCode
from contracts.submissions import MAX_BATCH_ITEMS, MAX_BODY_BYTES, Submission
from contracts.topics import MESSAGES, submissions_topic
from messaging.apply import apply, read_all
from messaging.database import Pool
from messaging.engine import Engine
from messaging.errors import StoppedError, describe, is_transient
from messaging.logs import log
from messaging.messages import Answer, Refused
from messaging.outbox import explain
from messaging.reading import Record
from messaging.tokens import IssuerAwayError, Token, TokenError, submit_scope
from messaging.transaction import Context

_DATABASE_SECONDS: Final = 5  # away longer, the sender is told to come again
_WORK_SECONDS: Final = 20  # a batch of a thousand on a busy machine is no reason for that
_TURN_SECONDS: Final = 30
_PAUSE_SECONDS: Final = 0.1
_ONE: Final = "application/cloudevents+json"
_MANY: Final = "application/cloudevents-batch+json"


class Problem(Exception):  # noqa: N818  # its name in RFC 9457
    """An error of the request itself; `detail` is a sentence that quotes nothing."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Item:
    """One submission of a request: a record to be carried out, or refused already."""

    id: str
    type: str
    record: Record | None
    refused: Refused | None = None


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


async def _pool(request: Request) -> Pool:
    pool = _engine(request).readers
    if pool is None:
        raise Problem(503, "Not ready", "The service waits for its database.")
    return pool


async def _token(request: Request) -> Token:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    try:
        return await _engine(request).keys.check(text.strip() if kind.lower() == "bearer" else "")
    except TokenError:
        raise Problem(401, "Unauthorized", "A valid bearer token is needed.") from None
    except IssuerAwayError:
        raise Problem(503, "Issuer away", "The keys of the tokens' issuer cannot be fetched; try again.") from None


Database = Annotated[Pool, Depends(_pool)]
"""What a read of a service takes its connections from."""
Caller = Annotated[Token, Depends(_token)]
"""The checked token of a request."""


def require(scope: str) -> Callable[[Caller], Awaitable[Token]]:
    """A dependency: the caller's token, if it has this scope."""

    async def check(caller: Caller) -> Token:
        if scope not in caller.scopes:
            raise Problem(403, "Forbidden", f"The token needs the scope {scope}.")
        return caller

    return check


def add_routes(app: FastAPI) -> None:
    """What every service answers: submissions, health, metrics; and errors as problem details."""
    routes = APIRouter()
    routes.add_api_route("/submissions", _post_submissions, methods=["POST"], include_in_schema=True)
    routes.add_api_route("/health/live", _get_live, methods=["GET"])
    routes.add_api_route("/health/ready", _get_ready, methods=["GET"])
    routes.add_api_route("/metrics", _get_metrics, methods=["GET"])
    app.include_router(routes)
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_error)


async def _post_submissions(request: Request, caller: Caller) -> Response:
    """Carry out one CloudEvent or a batch; answers item by item, in order, after the commit."""
    started = time.perf_counter()
    engine = _engine(request)
    context = engine.context
    if context is None:
        raise Problem(503, "Not ready", "The service waits for its database.")
    events, is_batch = await _events(request)
    items = [_item(event, caller, context.card.name) for event in events]
    records = [item.record for item in items if item.record is not None]
    decided = iter(await _carry_out(context, engine.turns, records) if records else ())
    answers = [
        Answer("refused", item.refused.code, item.refused.field) if item.refused else next(decided) for item in items
    ]
    log.info(
        "request",
        types=dict(Counter(item.type for item in items)),
        outcomes=dict(Counter(answer.outcome for answer in answers)),
        milliseconds=round((time.perf_counter() - started) * 1000),
    )
    results = [_result(item, answer) for item, answer in zip(items, answers, strict=True)]
    return _json(200, results if is_batch else results[0])


async def _events(request: Request) -> tuple[list[Any], bool]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (_ONE, _MANY):
        raise Problem(415, "Unsupported media type", f"Send {_ONE} or {_MANY}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Problem(413, "Content too large", f"A body has at most {MAX_BODY_BYTES} bytes.")
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Problem(400, "Bad request", "The body is not JSON.") from None
    events = content if kind == _MANY else [content]
    if not isinstance(events, list):
        raise Problem(400, "Bad request", "A batch is a list of CloudEvents.")
    if len(events) > MAX_BATCH_ITEMS:
        raise Problem(413, "Content too large", f"A batch has at most {MAX_BATCH_ITEMS} items.")
    return events, kind == _MANY


def _item(event: Any, caller: Token, service: str) -> Item:
    """Refused at once: the unreadable, and what the token is not for. The rest goes the way of a record from Kafka."""
    if not isinstance(event, dict):
        return Item("", "unknown", None, Refused(RefusalCode.UNREADABLE))
    try:
        envelope = from_structured(event)
    except EnvelopeError as error:
        return Item("", "unknown", None, _refusal_of(error))
    kind = envelope.type if envelope.type in MESSAGES else "unknown"
    value = _forbidden(envelope, caller, service) or _value(event)
    if isinstance(value, Refused):
        return Item(envelope.id, kind, None, value)
    record = Record(submissions_topic(service).name, envelope.subject.encode(), tuple(to_headers(envelope)), value)
    return Item(envelope.id, kind, record)


def _refusal_of(error: EnvelopeError) -> Refused:
    codes = {"missing": RefusalCode.MISSING_FIELD, "identity_number": RefusalCode.IDENTITY_NUMBER}
    return Refused(codes.get(error.code, RefusalCode.INVALID_FIELD), error.field)


def _value(event: Mapping[str, Any]) -> bytes | Refused:
    """The data as a record would carry it."""
    if "data" not in event:
        return Refused(RefusalCode.MISSING_FIELD, "data")
    try:
        return orjson.dumps(event["data"])
    except orjson.JSONEncodeError:  # orjson reads what is nested 1,024 levels deep, and writes 254
        return Refused(RefusalCode.UNREADABLE)


def _forbidden(envelope: Envelope, caller: Token, service: str) -> Refused | None:
    """Source and regency whatever the type: the inbox takes the id of all that goes on, and it must be the caller's."""
    if caller.source != envelope.source:
        return Refused(RefusalCode.WRONG_SOURCE, "source")
    if caller.regency != envelope.regency:
        return Refused(RefusalCode.WRONG_REGENCY, "regency")
    message = MESSAGES.get(envelope.type)
    if message is not None and issubclass(message, Submission) and message.service == service:
        scope = submit_scope(message)
        if scope not in caller.scopes:
            raise Problem(403, "Forbidden", f"The token needs the scope {scope}.")
    return None


async def _carry_out(context: Context, turns: asyncio.Semaphore, records: Sequence[Record]) -> list[Answer]:
    """Tries again while the database is away, but for 5 seconds from its first turn only: then the sender has to."""
    readings = read_all(context, records)
    deadline = math.inf
    while True:
        try:
            async with _turn(turns):  # not kept for the pause: while the database is away all have theirs soon
                deadline = min(deadline, time.monotonic() + _DATABASE_SECONDS)
                async with asyncio.timeout(_WORK_SECONDS):
                    return await apply(context, readings)
        except Exception as error:
            if isinstance(error, StoppedError):
                raise Problem(503, "Stopped", "Too many messages failed: the service waits for its operator.") from None
            if not is_transient(error):
                raise
            if time.monotonic() > deadline:
                raise Problem(503, "Database away", "Submit the same again: nothing happens twice.") from None
        await asyncio.sleep(_PAUSE_SECONDS)


@asynccontextmanager
async def _turn(turns: asyncio.Semaphore) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_TURN_SECONDS):
            await turns.acquire()
    except TimeoutError:
        raise Problem(503, "Busy", "Too many submissions at once; submit the same again later.") from None
    try:
        yield
    finally:
        turns.release()


def _result(item: Item, answer: Answer) -> dict[str, str | None]:
    code = answer.code
    is_good = answer.outcome in ("accepted", "unchanged")
    words = None if code is None or is_good else explain(Refused(code), item.type)
    return {"id": item.id, "outcome": answer.outcome, "code": code, "field": answer.field, "sentence": words}


async def _get_live(request: Request) -> Response:
    fatal = _engine(request).health.fatal
    return _json(200 if fatal is None else 500, {"live": fatal is None, "reason": fatal})


async def _get_ready(request: Request) -> Response:
    waiting = await _engine(request).waiting()
    return _json(503 if waiting else 200, {"ready": not waiting, "waiting_for": waiting})


async def _get_metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _answer_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101  # registered for it
    return _problem(error.status, error.title, error.detail)


async def _answer_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for it
    places = ", ".join(
        sorted({str(problem["loc"][-1]) for problem in error.errors() if problem["type"] != "extra_forbidden"})
    )
    return _problem(422, "Unprocessable content", f"These parameters are missing or wrong: {places}.")


async def _answer_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for it
    return _problem(error.status_code, str(error.detail), str(error.detail))


async def _answer_error(_: Request, error: Exception) -> Response:
    if is_transient(error):
        return _problem(503, "Database away", "Try again.")
    log.error("request failed", error=describe(error))
    return _problem(500, "Internal error", "The service failed; its operator finds it in the log.")


def _problem(status: int, title: str, detail: str) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(orjson.dumps(body), status, media_type="application/problem+json")


def _json(status: int, content: object) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
