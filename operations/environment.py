"""The settings of the command line and the stacks; those of the services are in `messaging/settings.py`."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """What is fetched once for all stacks of this user: Kafka's jars."""
    return Path(os.environ.get("BERBAGI_CACHE") or Path.home() / ".cache" / "berbagi").expanduser().absolute()


def kafka_address() -> str | None:
    """Bootstrap servers of a Kafka that is there already."""
    return os.environ.get("BERBAGI_KAFKA") or None


def database_address(name: str) -> str | None:
    """URL of a database that is there already; `name` is a service, `auditor` or `administrator`."""
    return os.environ.get(f"BERBAGI_{name.upper()}_DATABASE") or None
