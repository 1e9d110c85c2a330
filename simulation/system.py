"""Where the system under play answers, and which part of it is up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


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
    logs: Path
    """The folder of the services' log files."""
    consumes: Mapping[str, frozenset[str]]
    """By service: wire types of the facts it takes in."""
    token: Callable[[str, tuple[str, ...]], str]
    """A bearer token of a source, with these scopes."""
    up: Callable[[], frozenset[str]]
    """The services that are running now."""
