"""The four services as child processes: started, awaited, killed and started again by name, measured."""

import http.client
import json
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from contracts.topics import SERVICES
from operations.environment import environment_with
from operations.errors import CommandError
from operations.keys import AUDIENCE, ISSUER, Keys
from operations.stacks import Stack
from operations.stacks.program import Program, find_process, free_ports

START_SECONDS: Final = 60
MESSAGES: Final = "messages.jsonl"  # beside the log of notifications: what people without a webhook are told
_LOOK_SECONDS: Final = 0.1
_ANSWER_SECONDS: Final = 5
_HOST: Final = "127.0.0.1"

Waiting = Mapping[str, Mapping[str, str]]
"""By service, what it waits for: a sentence each."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes; `children` are solvers at work."""

    service: int
    children: int


@dataclass(frozen=True)
class Replica:
    """One service, running or not; its address stays the same when it is started again."""

    port: int
    program: Program

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"


class Fleet:
    """What runs; its calls block, so call them by `asyncio.to_thread` inside a loop. Other threads may watch."""

    def __init__(self, stack: Stack, folder: Path, keys: Keys, topic_prefix: str = "") -> None:
        """Start nothing yet. Logs are in `folder/<service>/log`, new ones for every fleet."""
        ports = free_ports(len(SERVICES))
        self.replicas: Mapping[str, Replica] = {
            name: _replica(name, folder / name, port, _settings(name, stack, keys) | {"TOPIC_PREFIX": topic_prefix})
            for name, port in zip(SERVICES, ports, strict=True)
        }
        self._wanted: set[str] = set()
        for replica in self.replicas.values():
            replica.program.stop()  # of a fleet that was killed here
            replica.program.home.mkdir(parents=True, exist_ok=True)
            replica.program.log.write_bytes(b"")
            (replica.program.home / MESSAGES).unlink(missing_ok=True)

    def start(self, names: Collection[str] = SERVICES, tell: Callable[[Waiting], None] | None = None) -> None:
        """Start and wait until all are ready; `tell` hears what is waited for whenever that changes."""
        for name in names:
            self._wanted.add(name)
            self.replicas[name].program.launch()
        deadline = time.monotonic() + START_SECONDS
        told: Waiting = {}
        while waiting := self.waiting(names):
            if ended := [name for name in self.ended() if name in names]:
                raise CommandError(f"{ended[0]} ended while it was starting: {self._last_words(ended[0])}")
            if time.monotonic() > deadline:
                raise CommandError(f"not ready after {START_SECONDS} seconds: {_sentences(waiting)}")
            if tell is not None and waiting != told:
                tell(waiting)
            told = waiting
            time.sleep(_LOOK_SECONDS)

    def waiting(self, names: Collection[str] = SERVICES) -> Waiting:
        """What these services wait for; empty when all are ready."""
        found = {name: _ask_ready(self.replicas[name].port) for name in names}
        return {name: reasons for name, reasons in found.items() if reasons}

    def ended(self) -> tuple[str, ...]:
        """Services that were started, were not stopped or killed by us, and run no more."""
        running = self.processes()
        return tuple(name for name in SERVICES if name in self._wanted and name not in running)

    def kill(self, name: str) -> None:
        """`kill -9`, of what it started too."""
        self._wanted.discard(name)
        self.replicas[name].program.kill()

    def stop(self, names: Collection[str] = SERVICES) -> None:
        """Let each finish its batch and leave."""
        self._wanted -= set(names)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self.replicas[name].program.stop(), names))

    def memory(self) -> Mapping[str, Memory]:
        """By service that runs."""
        return {name: _memory(process) for name, process in self.processes().items()}

    def processes(self) -> Mapping[str, psutil.Process]:
        """By service that runs."""
        found = {name: find_process(replica.program.home) for name, replica in self.replicas.items()}
        return {name: process for name, process in found.items() if process is not None}

    def _last_words(self, name: str) -> str:
        log = self.replicas[name].program.log
        lines = log.read_text(errors="replace").splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} (its log is {log})"


@contextmanager
def running_fleet(
    stack: Stack, folder: Path, keys: Keys, names: Collection[str] = SERVICES, topic_prefix: str = ""
) -> Iterator[Fleet]:
    """These services, ready; whatever runs at the end is stopped."""
    fleet = Fleet(stack, folder, keys, topic_prefix)
    try:
        fleet.start(names)
        yield fleet
    finally:
        fleet.stop()


def _settings(name: str, stack: Stack, keys: Keys) -> dict[str, str]:
    return {
        "DATABASE_URL": stack.databases[name],
        "KAFKA": stack.bootstrap_servers,
        "DATA_KEY": keys.services[name],
        "JWKS": str(keys.jwks),
        "TOKEN_ISSUER": ISSUER,
        "TOKEN_AUDIENCE": AUDIENCE,
        "REPLICA": f"{name}-1",  # static: killed and started again, it need not wait for its ghost
        "DEVELOPMENT": "true",
    }


def _replica(name: str, home: Path, port: int, settings: Mapping[str, str]) -> Replica:
    own = {"HOST": _HOST, "PORT": str(port), "MESSAGES_FILE": str(home / MESSAGES)}
    environment = environment_with({**settings, **own})
    command = [sys.executable, "-m", "operations", "serve", name]
    return Replica(port, Program(name, home, command, lambda _: not _ask_ready(port), environment=environment))


def _ask_ready(port: int) -> Mapping[str, str]:
    """What the service there waits for."""
    connection = http.client.HTTPConnection(_HOST, port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        return dict(json.loads(connection.getresponse().read())["waiting_for"])
    except (OSError, http.client.HTTPException):
        return {"http": "It does not answer yet."}
    finally:
        connection.close()


def _memory(process: psutil.Process) -> Memory:
    children: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        children = process.children(recursive=True)
    return Memory(_resident(process), sum(map(_resident, children)))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:  # a solver that is done by now
        return 0


def _sentences(waiting: Waiting) -> str:
    return "; ".join(f"{name}: {' '.join(reasons.values())}" for name, reasons in waiting.items())
