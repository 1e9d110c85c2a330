"""Logs as JSON, one line a batch or request, ids only. What an error says is left out: it may quote input."""

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any, Final

import orjson
import structlog

from messaging.errors import describe

_QUIETED: Final = ("aiokafka", "faststream")  # 5 KB a second while the broker is away
_LINES_PER_MINUTE: Final = 20

log: Final[structlog.typing.FilteringBoundLogger] = structlog.get_logger("berbagi")


def configure_logs(service: str) -> None:
    """Every line of this process, ours and the libraries', to stdout."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_error_text,
            structlog.processors.JSONRenderer(lambda event, **_: orjson.dumps(event, default=str).decode()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = _Forward()
    handler.addFilter(_Limit())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


class _Forward(logging.Handler):
    """Lines of libraries, in our form."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            log.error("uncaught in a library", library=record.name, error=describe(record.exc_info[1]))
        else:
            log.log(record.levelno, str(record.msg), library=record.name)


class _Limit(logging.Filter):
    """At most 20 lines a minute of each library that repeats itself."""

    def __init__(self) -> None:
        super().__init__()
        self._minute = 0.0
        self._lines: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        library = record.name.split(".")[0]
        if library not in _QUIETED:
            return True
        if (minute := time.monotonic() // 60) != self._minute:
            self._minute, self._lines = minute, {}
        self._lines[library] = self._lines.get(library, 0) + 1
        return self._lines[library] <= _LINES_PER_MINUTE


def _without_error_text(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event["error"] = describe(error)
    return event
