"""Services that answer `/figures`, `/breaches` and `/metrics` with what a test says, over real HTTP."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from contracts.figures import Cell, Figure, Figures
from contracts.topics import SERVICES
from operations.report.content import Share
from operations.stacks.program import free_ports

AS_OF = datetime(2026, 11, 5, 17, 0, tzinfo=UTC)  # local midnight, five days after October
MONTH_END = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)
TOKEN = "a.development.token"  # noqa: S105  # nobody checks it here
Count = int | tuple[int | None, int | None]
By = Mapping[str, Mapping[str, Count]]


def figure(name: str, count: Count, unit: str = "packages", as_of: datetime = AS_OF, by: By | None = None) -> Figure:
    cells = {title: {key: _cell(one) for key, one in counts.items()} for title, counts in (by or {}).items()}
    whole = _cell(count)
    return Figure(
        name=name,
        numerator=whole.numerator,
        denominator=whole.denominator,
        unit=unit,
        as_of=as_of,
        definition="what a test says",
        by=cells,
    )


def known(*figures: Figure) -> dict[str, Figure]:
    return {one.name: one for one in figures}


def counted(numerator: int | None, denominator: int | None = None, unit: str = "packages") -> Share:
    return Share(numerator, denominator, unit, AS_OF)


@dataclass
class Answers:
    """What they answer, and what they were asked."""

    figures: Mapping[str, tuple[Figure, ...]] = field(default_factory=dict)
    breaches: str = "[]"
    metrics: str = ""
    status: int = 200
    asked: list[tuple[str, Mapping[str, str], str | None]] = field(default_factory=list)

    def answer(self, service: str, path: str) -> str:
        if path == "/metrics":
            return self.metrics
        if path == "/breaches":
            return self.breaches
        return Figures(service=service, figures=self.figures.get(service, ())).model_dump_json()


@contextmanager
def answering(answers: Answers) -> Iterator[dict[str, str]]:
    """Their addresses, by service."""
    servers = {
        name: ThreadingHTTPServer(("127.0.0.1", port), _handler(name, answers))
        for name, port in zip(SERVICES, free_ports(len(SERVICES)), strict=True)
    }
    threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in servers.values()]
    for thread in threads:
        thread.start()
    try:
        yield {name: f"http://127.0.0.1:{server.server_port}" for name, server in servers.items()}
    finally:
        for server, thread in zip(servers.values(), threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(service: str, answers: Answers) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            answers.asked.append(
                (f"{service}{address.path}", dict(parse_qsl(address.query)), self.headers.get("authorization"))
            )
            body = answers.answer(service, address.path).encode()
            self.send_response(answers.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    return Handler


def _cell(count: Count) -> Cell:
    numerator, denominator = count if isinstance(count, tuple) else (count, None)
    return Cell(numerator=numerator, denominator=denominator)
