"""The settings of the command line and the stacks; those of the services are in `messaging/settings.py`."""

import os
from collections.abc import Mapping
from pathlib import Path

PREFIX = "BERBAGI_"


def cache_folder() -> Path:
    """What is fetched once for all stacks of this user: Kafka's jars."""
    return Path(_read("CACHE") or Path.home() / ".cache" / "berbagi").expanduser().absolute()


def kafka_address() -> str | None:
    """Bootstrap servers of a Kafka that is there already."""
    return _read("KAFKA")


def database_address(name: str) -> str | None:
    """URL of a database that is there already; `name` is a service, `auditor` or `administrator`."""
    return _read(f"{name.upper()}_DATABASE")


def own_database_address() -> str | None:
    """URL of the database of the one service this environment is for."""
    return _read("DATABASE_URL")


def data_key() -> str | None:
    """The key of that service: what is quarantined can be shown with it."""
    return _read("DATA_KEY")


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment for a child, with these settings and no other of ours."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return rest | {PREFIX + name: value for name, value in settings.items()}


def _read(name: str) -> str | None:
    return os.environ.get(PREFIX + name) or None
