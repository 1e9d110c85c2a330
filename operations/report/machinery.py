"""The page about the machinery: what went through, how fast, how late, and with how much memory.

Counters count from the start of a service, or between two looks at it: a stretch of time.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from operations.errors import CommandError
from operations.report.content import Cell, Page, Table, Word

MESSAGES: Final = "berbagi_messaging_messages_total"
PUBLISHED: Final = "berbagi_messaging_published_total"
LATENCY: Final = "berbagi_messaging_fact_latency_seconds_bucket"
MEMORY: Final = "process_resident_memory_bytes"
STARTED: Final = "process_start_time_seconds"

_ANSWER_SECONDS: Final = 10
_QUANTILES: Final = (0.5, 0.95, 0.99)
_MEBIBYTE: Final = 2**20


@dataclass(frozen=True)
class Look:
    """One service's metrics at one moment."""

    at: datetime
    since: datetime
    """Its start, or the look before."""
    messages: Mapping[tuple[str, str], int]
    """Decided, by type and outcome; what came again is not counted."""
    published: int
    latencies: Mapping[float, int]
    """Batches whose oldest fact was applied at most so many seconds after its decision; the last bound is infinite."""
    memory_bytes: int

    @property
    def seconds(self) -> float:
        """How long was counted."""
        return (self.at - self.since).total_seconds()


def look(services: Mapping[str, str]) -> Mapping[str, Look]:
    """Ask every service (url by name) for its metrics."""
    with ThreadPoolExecutor(len(services)) as pool:
        texts = list(pool.map(lambda name: _metrics(name, services[name]), services))
    return {name: read(text, datetime.now(UTC)) for name, text in zip(services, texts, strict=True)}


def read(text: str, at: datetime) -> Look:
    """One answer of `/metrics`."""
    messages: Counter[tuple[str, str]] = Counter()
    latencies: dict[float, int] = {}
    plain: dict[str, float] = {}
    for sample in (sample for family in text_string_to_metric_families(text) for sample in family.samples):
        if sample.name == MESSAGES:
            messages[sample.labels["type"], sample.labels["outcome"]] += int(sample.value)
        elif sample.name == LATENCY:
            latencies[float(sample.labels["le"])] = int(sample.value)
        elif sample.name in (PUBLISHED, MEMORY, STARTED):
            plain[sample.name] = sample.value
    return Look(
        at=at,
        since=datetime.fromtimestamp(plain.get(STARTED, at.timestamp()), UTC),
        messages=MappingProxyType(messages),
        published=int(plain.get(PUBLISHED, 0)),
        latencies=MappingProxyType(latencies),
        memory_bytes=int(plain.get(MEMORY, 0)),
    )


def between(before: Look, after: Look) -> Look:
    """What was counted from one look to the next; a service started in between counts from its start."""
    if after.since > before.at:
        return after
    return Look(
        at=after.at,
        since=before.at,
        messages={key: count - before.messages.get(key, 0) for key, count in after.messages.items()},
        published=after.published - before.published,
        latencies={bound: count - before.latencies.get(bound, 0) for bound, count in after.latencies.items()},
        memory_bytes=after.memory_bytes,
    )


def quantile(latencies: Mapping[float, int], share: float) -> float | None:
    """Seconds within which this share was applied, straight between two bounds; None when nothing was.

    Beyond the last finite bound nothing more is known than that bound.
    """
    bounds = sorted(latencies)
    if not bounds or not latencies[bounds[-1]]:
        return None
    wanted = share * latencies[bounds[-1]]
    for low, high in pairwise([0.0, *bounds]):
        if latencies[high] >= wanted:
            if high == float("inf"):
                return low
            below = latencies.get(low, 0)
            return low + (high - low) * (wanted - below) / max(latencies[high] - below, 1)
    return None


def page(looks: Mapping[str, Look]) -> Page:
    """Services, latency, and messages by type."""
    return Page("pipeline", (_services(looks), _latency(looks), _by_type(list(looks.values()))))


def _services(looks: Mapping[str, Look]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, one in looks.items():
        handled = sum(one.messages.values())
        rows.append((name, handled, one.published, round(one.seconds), _rate(handled, one.seconds), _mebibytes(one)))
    handled = sum(sum(one.messages.values()) for one in looks.values())
    seconds = max((one.seconds for one in looks.values()), default=0)
    published = sum(one.published for one in looks.values())
    memory = sum(_mebibytes(one) for one in looks.values())
    rows.append((Word("total"), handled, published, round(seconds), _rate(handled, seconds), memory))
    columns = ("service", "messages_handled", "facts_published", "seconds", "messages_a_second", "memory_mebibytes")
    return Table("services", columns, tuple(rows))


def _latency(looks: Mapping[str, Look]) -> Table:
    every: Counter[float] = Counter()
    rows: list[tuple[Cell, ...]] = []
    for name, one in looks.items():
        every.update(one.latencies)
        rows.append((name, *_quantiles(one.latencies)))
    rows.append((Word("total"), *_quantiles(every)))
    return Table(
        "latency", ("service", "batches_with_facts", "p50", "p95", "p99"), tuple(rows), ("latency_definition",)
    )


def _by_type(looks: Sequence[Look]) -> Table:
    """Every type with what became of its messages, all services together."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in looks:
        counts.update(one.messages)
    outcomes = sorted({outcome for _, outcome in counts})
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (_short(kind), *(counts[kind, outcome] for outcome in outcomes))
        for kind in sorted({kind for kind, _ in counts})
    )
    return Table("messages_by_type", ("type", *outcomes), rows, ("facts_counted",))


def _quantiles(latencies: Mapping[float, int]) -> tuple[Cell, ...]:
    seconds = [quantile(latencies, share) for share in _QUANTILES]
    return (max(latencies.values(), default=0), *(None if one is None else round(one, 3) for one in seconds))


def _rate(count: int, seconds: float) -> int:
    return round(count / seconds) if seconds > 0 else 0


def _mebibytes(one: Look) -> int:
    return round(one.memory_bytes / _MEBIBYTE)


def _short(kind: str) -> str:
    return kind.removeprefix("id.berbagi.").removesuffix(".v1")


def _metrics(name: str, url: str) -> str:
    try:
        answer = httpx.get(f"{url.rstrip('/')}/metrics", timeout=_ANSWER_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL):
        raise CommandError(f"{name} does not answer at its address: is it running?") from None
    if answer.status_code != httpx.codes.OK:
        raise CommandError(f"{name} answered with status {answer.status_code} when asked for its metrics")
    return answer.text
