"""A server as a process of its own, in a folder with its data, its log and who it is, so that others can stop it."""

import json
import pwd
import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from operations.errors import CommandError

START_SECONDS = 60
STOP_SECONDS = 30
_FATAL = re.compile("FATAL|fatal|OutOfMemory")
_COMPLAINT_LETTERS = 300
CLOCK_SECONDS = 5  # a process's start is told by the wall clock, which may have been set right since


@dataclass(frozen=True)
class Identity:
    """A process as others find it again: its number alone may be somebody else's by now."""

    pid: int
    created: float
    stop_signal: int = signal.SIGTERM

    def find(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            same = (
                abs(process.create_time() - self.created) < CLOCK_SECONDS and process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return None
        return process if same else None


class _Server(subprocess.Popen[bytes]):
    """Outlives the object: the warning about that is not for us, psutil does the waiting."""

    def __del__(self) -> None:
        pass


@dataclass
class Program:
    """One server. `start` returns when it answers; `kill` is `kill -9` of it and of what it started."""

    name: str
    home: Path
    command: Sequence[str | Path]
    is_ready: Callable[["Program"], bool]
    stop_signal: int = signal.SIGTERM
    user: str | None = None
    environment: Mapping[str, str] | None = None
    """None: that of this process."""
    log_start: int = 0

    @property
    def log(self) -> Path:
        return self.home / "log"

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start without waiting: brokers need each other to become ready."""
        self.log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            pid = _Server(
                [str(part) for part in self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                start_new_session=True,  # Ctrl-C is for the command, which then stops its servers in order
                user=self.user,
                group=group_of(self.user),
                extra_groups=None if self.user is None else [],
            ).pid
        identity = Identity(pid, psutil.Process(pid).create_time(), self.stop_signal)
        write_whole(_identity_file(self.home), json.dumps(asdict(identity)))

    def wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready(self):
            if find_process(self.home) is None:
                raise CommandError(
                    f"{self.name} stopped while it was starting: {self._complaint()} (more in {self.log})"
                )
            if time.monotonic() > deadline:
                raise CommandError(f"{self.name} did not answer within {START_SECONDS} seconds; see {self.log}")
            time.sleep(0.02)

    def _complaint(self) -> str:
        """The last line since it was started that names what was fatal, else the last one of all."""
        with self.log.open(errors="replace") as log:
            log.seek(self.log_start)
            lines = [text for line in log if (text := line.strip()[:_COMPLAINT_LETTERS])]
        fatal = [line for line in lines if _FATAL.search(line)]
        return (fatal or lines or ["it has said nothing"])[-1]

    def stop(self) -> None:
        stop_process(self.home)

    def kill(self) -> None:
        stop_process(self.home, signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: there, but silent."""
        self._process().suspend()

    def resume(self) -> None:
        self._process().resume()

    def _process(self) -> psutil.Process:
        process = find_process(self.home)
        if process is None:
            raise CommandError(f"{self.name} is not running")
        return process


def this_process() -> Identity:
    process = psutil.Process()
    return Identity(process.pid, process.create_time())


def find_process(home: Path) -> psutil.Process | None:
    identity = _read_identity(home)
    return None if identity is None else identity.find()


def stop_process(home: Path, how: int | None = None) -> None:
    """Stop the server of this folder, whoever started it, in its own way or by the signal `how`."""
    identity = _read_identity(home)
    process = None if identity is None else identity.find()
    if identity is not None and process is not None:
        _end(process, how or identity.stop_signal)
    _identity_file(home).unlink(missing_ok=True)


def write_whole(file: Path, text: str) -> None:
    """Whoever is killed here leaves the old file or the new one."""
    draft = file.with_suffix(".new")
    draft.write_text(text)
    draft.replace(file)


def group_of(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


def free_ports(count: int) -> list[int]:
    """Below 32768: above, a client that reconnects to a dead server can connect to itself and hold the port."""
    ports: list[int] = []
    for port in random.sample(range(20_000, 32_000), 1_000):
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise CommandError("no free port between 20000 and 32000 on 127.0.0.1")


def _identity_file(home: Path) -> Path:
    return home / "process.json"


def _read_identity(home: Path) -> Identity | None:
    file = _identity_file(home)
    return Identity(**json.loads(file.read_text())) if file.exists() else None


def _end(process: psutil.Process, how: int) -> None:
    """Signal and wait; what is left after `STOP_SECONDS` is killed."""
    family = [process]
    with suppress(psutil.NoSuchProcess):
        family += process.children(recursive=True)
        for member in family if how == signal.SIGKILL else [process]:
            member.send_signal(how)
    for member in psutil.wait_procs(family, STOP_SECONDS)[1]:
        with suppress(psutil.NoSuchProcess):
            member.kill()
