"""What can go wrong, in the three classes that decide what happens next: transient, bad data, bug."""

from collections.abc import Iterator
from types import TracebackType
from typing import Final

import asyncpg
from aiokafka.errors import KafkaError


class SettingsError(Exception):
    """A setting is missing or wrong; the message is a sentence for the person who starts the service."""


class MigrationError(Exception):
    """An applied migration was changed or is not there any more."""


class FactTooLargeError(Exception):
    """A fact is over 256 KiB; whatever caused it is quarantined."""


class HandlerError(Exception):
    """A handler broke its agreement with messaging: a bug."""


class StoppedError(Exception):
    """The breaker is open: too many of the last messages failed."""


_TRANSIENT: Final = (
    OSError,
    TimeoutError,
    KafkaError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
)
_BAD_DATA: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, FactTooLargeError)


def is_transient(error: BaseException) -> bool:
    """True when the infrastructure is away and the same work will do later."""
    if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, asyncpg.DataError):
        return "clos" in str(error)  # a closed connection or pool; the others are misuse of asyncpg: a bug
    return isinstance(error, _TRANSIENT)


def is_bad_data(error: BaseException) -> bool:
    """True when the database or a limit refused what a message carries."""
    return isinstance(error, _BAD_DATA)


def describe(error: BaseException) -> str:
    """Class and code location, `DataError at services/x/store.py:88`: what an error says may quote input."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    foreign = ("site-packages", "/lib/", ".pyx")  # asyncpg's compiled code has paths that look like ours
    frames = [place for place in _frames(error.__traceback__) if not any(one in place for one in foreign)]
    kind = type(error).__name__
    return f"{kind} at {frames[-1]}" if frames else kind


def _frames(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        path = traceback.tb_frame.f_code.co_filename
        yield "/".join(path.split("/")[-3:]) + f":{traceback.tb_lineno}" if "site-packages" not in path else path
        traceback = traceback.tb_next
