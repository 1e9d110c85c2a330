"""The real Kafka and the real PostgreSQL as plain processes; data, logs and `stack.json` live in one folder."""

import asyncio
import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from operations import environment
from operations.errors import CommandError
from operations.stacks import SESSION_MILLISECONDS, Stack, stack_at
from operations.stacks.database_store import create_databases
from operations.stacks.kafka import Cluster, prepare_cluster
from operations.stacks.postgres import Server, prepare_server
from operations.stacks.program import Identity, find_process, stop_process, this_process, write_whole


@dataclass(frozen=True)
class Record:
    """What `stack.json` says. The `owner` stops the stack when it ends; without one, `berbagi stack down` does."""

    bootstrap_servers: str
    administrator: str
    brokers: int
    owner: Identity | None


@contextmanager
def running(folder: Path, brokers: int, session_milliseconds: int, *, measured: bool) -> Iterator[Stack]:
    """Use what `berbagi stack up` left running in this folder, or start a stack and stop it at the end."""
    record = find_stack(folder)
    if record is not None and record.owner is not None:
        raise CommandError(f"the stack in {folder} belongs to process {record.owner.pid}, which is still at work")
    if record is not None:
        yield stack_at(record.bootstrap_servers, record.administrator)
        return
    cluster, server = _start(folder, brokers, session_milliseconds, this_process(), measured=measured)
    try:
        stack = stack_at(cluster.bootstrap_servers, server.administrator)
        yield replace(stack, brokers=cluster.brokers, postgres=server.program)
    finally:
        _stop(folder)


def up(folder: Path, brokers: int) -> Record:
    """Start and leave running; what runs already stays as it is."""
    found = find_stack(folder)
    if found is not None and found.brokers != brokers:
        raise CommandError(f"the stack that runs in {folder} has another number of brokers ({found.brokers})")
    if found is not None:
        return found
    _start(folder, brokers, SESSION_MILLISECONDS, None, measured=False)
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
    alive = [home for home in _homes(folder) if find_process(home) is not None]
    if owned or (record.owner is None and len(alive) == record.brokers + 1):
        return record
    _stop(folder)
    return None


def _start(
    folder: Path, brokers: int, session_milliseconds: int, owner: Identity | None, *, measured: bool
) -> tuple[Cluster, Server]:
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as beside:
        preparing = beside.submit(prepare_server, folder)
        cluster = prepare_cluster(folder, environment.cache_folder(), brokers, session_milliseconds, measured=measured)
        server = preparing.result()
    record = Record(cluster.bootstrap_servers, server.administrator, brokers, owner)
    write_whole(_record_file(folder), json.dumps(asdict(record)))
    try:
        server.program.launch()
        cluster.launch()
        server.program.wait_ready()
        asyncio.run(create_databases(server.administrator))
        cluster.wait_ready()
    except BaseException:
        _stop(folder, signal.SIGKILL)  # nothing to put away yet, least of all what Java has learnt so far
        raise
    return cluster, server


def _stop(folder: Path, how: int | None = None) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda home: stop_process(home, how), _homes(folder)))
    _record_file(folder).unlink(missing_ok=True)


def _homes(folder: Path) -> list[Path]:
    """Of the programs that run, or did when they were killed."""
    return [file.parent for file in folder.glob("*/process.json")]


def _record_file(folder: Path) -> Path:
    return folder / "stack.json"


def _read_record(folder: Path) -> Record:
    values = json.loads(_record_file(folder).read_text())
    owner = values.pop("owner")
    return Record(**values, owner=None if owner is None else Identity(**owner))
