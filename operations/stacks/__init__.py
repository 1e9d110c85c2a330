"""Kafka and PostgreSQL to run against: `local` (plain processes, needs nothing), `docker`, or `external` ones."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from contracts.topics import SERVICES
from operations.errors import CommandError

if TYPE_CHECKING:
    from operations.stacks.program import Program

AUDITOR = "auditor"  # may read every database and write none
SESSION_MILLISECONDS = 9_000  # Kafka's own: how long a broker that was killed is refused when it comes back


class Kind(StrEnum):
    LOCAL = "local"
    DOCKER = "docker"
    EXTERNAL = "external"


@dataclass(frozen=True)
class Stack:
    """Where things answer. `brokers` and `postgres` are there when this process started them, for tests that kill."""

    bootstrap_servers: str
    administrator: str | None
    databases: Mapping[str, str]
    audited_databases: Mapping[str, str]
    brokers: "tuple[Program, ...]" = ()
    postgres: "Program | None" = None


def stack_at(bootstrap_servers: str, administrator: str) -> Stack:
    """A stack whose server trusts the machine it runs on: the service's name is all it takes to log in."""
    return Stack(
        bootstrap_servers,
        administrator,
        databases={name: url_of(administrator, name, user=name) for name in SERVICES},
        audited_databases={name: url_of(administrator, name, user=AUDITOR) for name in SERVICES},
    )


@contextmanager
def running_stack(
    kind: Kind,
    folder: Path,
    brokers: int = 1,
    session_milliseconds: int = SESSION_MILLISECONDS,
    *,
    measured: bool = False,
) -> Iterator[Stack]:
    """Start what is not running and stop what was started. Addresses in the environment win over `kind`.

    `measured`: local brokers that run fast rather than start fast. Not to be entered inside a running event loop.
    """
    from operations.stacks import docker, external, local

    outside = external.find_stack()
    if outside is not None:
        yield outside
    elif kind is Kind.LOCAL:
        with local.running(folder, brokers, session_milliseconds, measured=measured) as stack:
            yield stack
    elif kind is Kind.DOCKER:
        with docker.running(session_milliseconds) as stack:
            yield stack
    else:
        raise CommandError(f"an external stack needs its addresses in the environment: {external.NEEDED}")


def url_of(server: str, database: str, user: str | None = None) -> str:
    """The URL of another database on the same server, as the same user or as one who needs no password."""
    parts = urlsplit(server)
    login = parts.netloc if user is None else f"{user}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=login, path=f"/{database}"))
