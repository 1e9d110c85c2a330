"""Places where a test can kill the process: at every boundary of the hot path, when a setting says so."""

import os
import random

from messaging.errors import SettingsError

KILLED = 137
NAMES = (
    "before_commit",
    "after_commit",
    "before_acknowledge",
    "between_publish_and_delete",
    "between_claim_and_send",
    "inside_job_write",
)

_armed: dict[str, float] = {}


def arm(spec: str) -> None:
    """Arm `name:probability,...`."""
    _armed.clear()
    for item in filter(None, spec.split(",")):
        name, _, probability = item.partition(":")
        try:
            chance = float(probability)
        except ValueError:
            chance = None
        if name not in NAMES or chance is None:
            raise SettingsError(f"BERBAGI_FAILPOINTS is `name:probability,...` of {', '.join(NAMES)}.")
        _armed[name] = chance


def failpoint(name: str) -> None:
    """Die here as kill -9 would, with the probability armed for this name."""
    if _armed and random.random() < _armed.get(name, 0.0):  # noqa: S311  # chance for tests, not for secrets
        os._exit(KILLED)
