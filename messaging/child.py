"""Runs one function in a fresh process, so that a solver neither blocks the loop nor leaves its memory behind."""

import asyncio
import os
import pickle
import sys
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from messaging.errors import describe

P = ParamSpec("P")
T = TypeVar("T")

_START: Final = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); import messaging.child as c; c.answer()"
)


class ChildError(Exception):
    """The function failed in the child process; the message is the error's class and place."""


async def run_in_child(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function of a module returns for these arguments, all of which can be pickled. Cancelled, it is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _START, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        result, _ = await process.communicate(pickle.dumps(sys.path) + pickle.dumps((function, args, kwargs)))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not result:
        raise ChildError(f"the child process ended with code {process.returncode}")
    value, failure = pickle.loads(result)  # noqa: S301  # written by our own child
    if failure is not None:
        raise ChildError(failure)
    return value  # type: ignore[no-any-return]  # what `function` returned


def answer() -> None:
    """The child's side: call, and send back what came of it."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever the solver prints must not mix with the answer
    function, args, kwargs = pickle.load(sys.stdin.buffer)  # noqa: S301  # written by our own parent
    value, failure = None, None
    try:
        value = function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001  # the parent raises it
        failure = describe(error)
    with out:
        pickle.dump((value, failure), out)
