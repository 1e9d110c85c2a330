"""Sends a register file to the registry, row by row, and counts what became of every row."""

import asyncio
import base64
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

import httpx
import jwt
import orjson

from contracts.refusals import sentence
from contracts.submissions import Submission
from operations.errors import CommandError
from operations.register_files import DUPLICATE_NIK, HOUSEHOLD_DIFFERS, Row

BATCH: Final = 500
IN_FLIGHT: Final = 2  # one is decided while the next is read
PATIENCE_SECONDS: Final = 60
_SENTENCES: Final = {
    DUPLICATE_NIK: "Another card in this file has the same NIK; both go in, and a person decides.",
    HOUSEHOLD_DIFFERS: "Lines of one row id say different things of their household.",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file goes, and as whom."""

    url: str
    token: str
    source: str
    regency: str


def target(url: str, token: str) -> Target:
    """Source and regency are the token's: it may submit as nobody else."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        raise CommandError("the token is not a JWT") from None
    if not isinstance(claims.get("source"), str) or not isinstance(claims.get("regency"), str):
        raise CommandError("the token needs a source and a regency")
    return Target(url.rstrip("/"), token, claims["source"], claims["regency"])


async def send(rows: Iterable[Row], target: Target, done: Callable[[int], None]) -> Counter[str]:
    """Outcomes by name: `registered`, `unchanged`, `refused: no_head` ...; sent twice, a row has its first outcome."""
    outcomes: Counter[str] = Counter()
    ahead: deque[asyncio.Task[list[str]]] = deque()
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        try:
            for batch in _batches(rows):
                ahead.append(asyncio.create_task(_outcomes(client, target, batch)))
                await asyncio.sleep(0)  # it goes out while the next batch is read
                if len(ahead) == IN_FLIGHT:
                    done(_count(outcomes, await ahead.popleft()))
            while ahead:
                done(_count(outcomes, await ahead.popleft()))
        finally:
            for task in ahead:
                task.cancel()
    return outcomes


def _count(outcomes: Counter[str], answered: Sequence[str]) -> int:
    outcomes.update(answered)
    return len(answered)


def explain(code: str) -> str:
    """A code of a problem in words."""
    return _SENTENCES.get(code) or sentence(code)


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield batch


async def _outcomes(client: httpx.AsyncClient, target: Target, batch: Sequence[Row]) -> list[str]:
    events = [_event(row.submission, target) for row in batch if row.submission is not None]
    answers = await _post(client, target, events) if events else []
    refused = [f"refused: {row.problems[0].code}" for row in batch if row.submission is None]
    return [_name(answer) for answer in answers] + refused


def _name(answer: dict[str, Any]) -> str:
    if answer["outcome"] in ("accepted", "unchanged"):
        return str(answer["code"] or answer["outcome"])
    return f"{answer['outcome']}: {answer['code']}" if answer["code"] else str(answer["outcome"])


def _event(submission: Submission, target: Target) -> bytes:
    """A structured CloudEvent. Its id comes from the row and its content: the same row again is the same message."""
    content = submission.model_dump_json().encode()
    digest = base64.b32encode(blake2b(content, digest_size=15).digest()).decode().lower()
    outside = {
        "specversion": "1.0",
        "id": f"{submission.subject}-{digest}",
        "source": target.source,
        "type": submission.type,
        "subject": submission.subject,
        "regency": target.regency,
        "datacontenttype": "application/json",
    }
    return orjson.dumps(outside)[:-1] + b',"data":' + content + b"}"


async def _post(client: httpx.AsyncClient, target: Target, events: Sequence[bytes]) -> list[dict[str, Any]]:
    headers = {"authorization": f"Bearer {target.token}", "content-type": "application/cloudevents-batch+json"}
    body = b"[" + b",".join(events) + b"]"
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await _answers(client, f"{target.url}/submissions", headers, body)
    except TimeoutError:
        raise CommandError(
            "the registry does not answer; run the same command again later, nothing goes in twice"
        ) from None


async def _answers(client: httpx.AsyncClient, url: str, headers: dict[str, str], body: bytes) -> list[dict[str, Any]]:
    """Tried again while nobody answers: the same again has the same answers."""
    pause = 0.2
    while True:
        try:
            response = await client.post(url, content=body, headers=headers)
        except httpx.TransportError:
            response = None
        if response is not None and response.status_code == httpx.codes.OK:
            answers: list[dict[str, Any]] = response.json()
            return answers
        if response is not None and response.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            raise CommandError(f"the registry refused the request: {response.json()['detail']}")
        await asyncio.sleep(pause)
        pause = min(pause * 2, 5)
