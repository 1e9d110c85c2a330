"""The real Kafka and the real PostgreSQL as plain processes; data, logs and `stack.json` live in one folder."""

import asyncio
import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from operations import environment
from operations.errors import CommandError
from operations.stacks import Stack, stack_at
from operations.stacks.database_store import create_databases
from operations.stacks.kafka import Cluster, prepare_cluster
from operations.stacks.postgres import Server, prepare_server
from operations.stacks.program import Identity, find_process, stop_process, this_process


@dataclass(frozen=True)
class Record:
    """What `stack.json` says. The `owner` stops the stack when it ends; without one, `berbagi stack down` does."""

    bootstrap_servers: str
    administrator: str
    owner: Identity | None


@contextmanager
def running(folder: Path, brokers: int, session_milliseconds: int) -> Iterator[Stack]:
    """Use what `berbagi stack up` left running in this folder, or start a stack and stop it at the end."""
    record = find_stack(folder)
    if record is not None and record.owner is not None:
        raise CommandError(f"the stack in {folder} belongs to process {record.owner.pid}, which is still at work")
    if record is not None:
        yield stack_at(record.bootstrap_servers, record.administrator)
        return
    with _started(folder, brokers, session_milliseconds, this_process()) as (cluster, server):
        stack = stack_at(cluster.bootstrap_servers, server.administrator)
        yield replace(stack, brokers=cluster.brokers, postgres=server.program)


def up(folder: Path, brokers: int) -> Record:
    """Start and leave running; what runs already stays as it is."""
    found = find_stack(folder)
    if found is not None:
        return found
    with ExitStack() as undo:
        undo.enter_context(_started(folder, brokers, 9_000, None))
        undo.pop_all()
    return _read_record(folder)


def down(folder: Path) -> bool:
    """False when nothing was running."""
    found = find_stack(folder)
    _stop(folder)
    return found is not None


def find_stack(folder: Path) -> Record | None:
    """The stack that runs in this folder; what a killed one has left behind is stopped and forgotten."""
    if not _record_file(folder).exists():
        return None
    record = _read_record(folder)
    owned = record.owner is not None and record.owner.find() is not None
    whole = record.owner is None and all(find_process(home) for home in _homes(folder))
    if owned or whole:
        return record
    _stop(folder)
    return None


@contextmanager
def _started(
    folder: Path, brokers: int, session_milliseconds: int, owner: Identity | None
) -> Iterator[tuple[Cluster, Server]]:
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as beside:
        preparing = beside.submit(prepare_server, folder)
        cluster = prepare_cluster(folder, environment.cache_folder(), brokers, session_milliseconds)
        server = preparing.result()
    record = Record(cluster.bootstrap_servers, server.administrator, owner)
    _record_file(folder).write_text(json.dumps(asdict(record)))
    end: int | None = signal.SIGKILL  # what never became ready has nothing to put away
    try:
        server.program.launch()
        cluster.launch()
        server.program.wait_ready()
        asyncio.run(create_databases(server.administrator))
        cluster.wait_ready()
        end = None
        yield cluster, server
    finally:
        _stop(folder, end)


def _stop(folder: Path, how: int | None = None) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda home: stop_process(home, how), _homes(folder)))
    _record_file(folder).unlink(missing_ok=True)


def _homes(folder: Path) -> list[Path]:
    return [folder / "postgres", *sorted(folder.glob("kafka-*"))]


def _record_file(folder: Path) -> Path:
    return folder / "stack.json"


def _read_record(folder: Path) -> Record:
    values = json.loads(_record_file(folder).read_text())
    owner = values.pop("owner")
    return Record(**values, owner=None if owner is None else Identity(**owner))
