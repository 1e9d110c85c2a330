"""`python -m tests.faults.launcher SERVICE [HOURS]`: a service in short sessions, with its own idea of what time it is.

What is changed belongs to others (aiokafka, Python's clock): Berbagi runs as it is.
"""

import datetime as clock  # noqa: ICN001  # what is set wrong
import sys
import time
from importlib import import_module
from typing import Any

from aiokafka import AIOKafkaConsumer

SESSION_MILLISECONDS = 6_000  # the least a broker takes
HEARTBEAT_MILLISECONDS = 500

_RIGHT = clock.datetime
_TOLD_WRONG = ("messaging", "services", "contracts", "jwt", "aiokafka", "faststream")


def shorten_sessions() -> None:
    """Kafka gives up a member that is silent for this long."""
    made = AIOKafkaConsumer.__init__

    def make(self: Any, *topics: str, **options: Any) -> None:
        short = {"session_timeout_ms": SESSION_MILLISECONDS, "heartbeat_interval_ms": HEARTBEAT_MILLISECONDS}
        made(self, *topics, **(options | short if options.get("group_id") else options))

    AIOKafkaConsumer.__init__ = make


class _Instances(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _RIGHT)


class Wrong(_RIGHT, metaclass=_Instances):
    """Gives ordinary moments, but for now."""

    @classmethod
    def now(cls, tz: clock.tzinfo | None = None) -> Any:
        return _RIGHT.fromtimestamp(time.time(), tz)

    @classmethod
    def fromisoformat(cls, text: str) -> Any:
        return _RIGHT.fromisoformat(text)


def set_clock_wrong(service: str, hours: float) -> None:
    """Whoever asks for the time, in the service's code and below it, gets one that is so many hours ahead."""
    import_module(f"services.{service}.app")
    right = time.time

    def wrong() -> float:
        return right() + hours * 3600

    time.time = wrong
    for name, module in list(sys.modules.items()):
        if name.startswith(_TOLD_WRONG):
            for known, value in list(vars(module).items()):
                if value is _RIGHT:
                    setattr(module, known, Wrong)
                elif value is right:
                    setattr(module, known, wrong)


if __name__ == "__main__":
    SERVICE, *HOURS = sys.argv[1:]
    shorten_sessions()
    if HOURS:
        set_clock_wrong(SERVICE, float(HOURS[0]))
    sys.argv = ["berbagi", "serve", SERVICE]
    from operations.cli import main

    main()
