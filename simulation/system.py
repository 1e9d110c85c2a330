"""Where the system under play answers, and which part of it is up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.submissions import Submission


@dataclass(frozen=True, slots=True)
class System:
    """Addresses of one Berbagi, started for development."""

    kafka: str
    topic_prefix: str
    databases: Mapping[str, str]
    """By service, as its owner: the programme clock is set here."""
    audited_databases: Mapping[str, str]
    """By service, read only."""
    urls: Mapping[str, str]
    """By service: its HTTP."""
    jobs: Mapping[str, frozenset[str]]
    """By service: the names of its jobs."""
    logs: Path
    """The folder of the services' log files."""
    token: Callable[[str, tuple[type[Submission], ...]], str]
    """A bearer token for a source that may submit these types."""
    up: Callable[[], frozenset[str]]
    """The services that are running now."""
