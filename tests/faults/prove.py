"""`python -m tests.faults.prove`: every broken variant in a copy of the tree, and who notices it.

First the named tests must pass on the copy as it is; then, of each variant, every one of its own must fail.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import MappingProxyType

import psutil
from rich.console import Console
from rich.table import Table

from contracts.topics import SERVICES
from operations.stacks import Kind, Stack, running_stack
from tests.faults.__main__ import BROKEN, RUN
from tests.faults.mutants import MUTANTS, Change, Mutant
from tests.faults.run import clear_away

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".berbagi" / "mutants"
COPY = FOLDER / "tree"
LOG = FOLDER / "log"  # of the last that ran
COPIED = ("contracts", "messaging", "services", "policies", "operations", "simulation", "tests")
FAILED, PASSED = 1, 0  # exit codes of pytest
SECONDS = 300
LIVES = "import tests.messaging.toy, " + ", ".join(f"services.{name}.app" for name in SERVICES)


class Verdict(StrEnum):
    """What is written before who had to notice."""

    YES = ""
    NO = "NOT "
    LATE = "not judged in time: "


def main() -> int:
    """Exit code 1: a variant that nobody noticed, or a text that is not there any more."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.prove", description=__doc__)
    parser.add_argument("names", nargs="*", help="of variants; none: all")
    parser.add_argument("--checker", action="store_true", help="the checker of the fault runs must notice too")
    given = parser.parse_args()
    if unknown := set(given.names) - {one.name for one in MUTANTS}:
        parser.error(f"no variant is called {' or '.join(map(repr, sorted(unknown)))}: see docs/faults.md")
    console = Console()
    chosen = [one for one in MUTANTS if not given.names or one.name in given.names]
    copy_tree()
    with running_stack(Kind.LOCAL, FOLDER / "stack", session_milliseconds=1_000) as stack:
        return prove(chosen, addresses(stack), console, with_checker=given.checker)


def prove(chosen: Sequence[Mutant], stack: Mapping[str, str], console: Console, *, with_checker: bool) -> int:
    """All of these, with tests on this stack."""
    tests = {test for mutant in chosen for test in mutant.noticed_by}
    if judged(lambda: not failed(tests, stack)) is not Verdict.YES:
        console.print(f"the named tests do not pass on the tree as it is: {COPY}, {LOG}")
        return 1
    table = Table("variant", "noticed by", "seconds")
    unnoticed = []
    for mutant in chosen:
        started = time.monotonic()
        who = list(noticed(mutant, stack, with_checker=with_checker))
        lines = [f"{did}{one}" for one, did in who]
        table.add_row(mutant.name, "\n".join(lines), f"{time.monotonic() - started:.0f}")
        console.print(f"{mutant.name}: {'; '.join(lines)}", highlight=False, soft_wrap=True)
        unnoticed += [] if all(did is Verdict.YES for _, did in who) else [mutant.name]
    console.print(table)
    console.print(f"{len(chosen) - len(unnoticed)} of {len(chosen)} noticed")
    return 1 if unnoticed else 0


def noticed(mutant: Mutant, stack: Mapping[str, str], *, with_checker: bool) -> Iterator[tuple[str, Verdict]]:
    """Whoever must notice, and whether they did."""
    with changed(mutant.changes):
        if judged(lambda: run("-c", LIVES) == PASSED) is not Verdict.YES:
            raise SystemExit(f"'{mutant.name}' is no program any more: that would prove nothing")
        for test in mutant.noticed_by:
            yield test.rpartition("::")[2], judged(partial(notices, test, stack))
        if with_checker and mutant.faults:
            yield f"the checker ({', '.join(mutant.faults)})", judged(partial(checker, mutant.faults))


def judged(look: Callable[[], bool]) -> Verdict:
    """What a look at the copy shows, if it ends."""
    try:
        return Verdict.YES if look() else Verdict.NO
    except subprocess.TimeoutExpired:
        return Verdict.LATE


def notices(test: str, stack: Mapping[str, str]) -> bool:
    """It fails in the copy."""
    return failed({test}, stack) == {test}


def failed(names: set[str], stack: Mapping[str, str]) -> set[str]:
    """Which of these tests fail in the copy; one that could not even be tried is an error, and proves nothing."""
    code = run("-m", "pytest", "-q", "-rf", "--tb=line", "-p", "no:cacheprovider", *sorted(names), settings=stack)
    found = {name for name in names if f"FAILED {name}" in LOG.read_text()}
    if (code, bool(found)) not in {(PASSED, False), (FAILED, True)}:
        raise SystemExit(f"pytest ended with {code}, see {LOG}")
    return found


def checker(faults: tuple[str, ...]) -> bool:
    """A short run in the copy finds something broken."""
    return run("-m", "tests.faults", "--smoke", "--only", *faults) == BROKEN


def run(*arguments: str, settings: Mapping[str, str] = MappingProxyType({})) -> int:
    """Berbagi is imported from the copy, for the folder one is in comes first."""
    with LOG.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=COPY,
            env={**os.environ, **settings, "PYTHONPATH": str(COPY), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        return child.wait(SECONDS)
    finally:
        if child.poll() is None:
            end(child)
            clear_away(COPY / RUN)


def end(child: subprocess.Popen[bytes]) -> None:
    """With all that it has started: services and brokers would live on."""
    started = psutil.Process(child.pid).children(recursive=True)
    child.kill()  # first: it would start its services again
    child.wait()
    for process in started:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def addresses(stack: Stack) -> dict[str, str]:
    """The settings with which tests use a stack that is there already: it starts once and not for every variant."""
    databases = {f"BERBAGI_{name.upper()}_DATABASE": url for name, url in stack.databases.items()}
    return databases | {
        "BERBAGI_KAFKA": stack.bootstrap_servers,
        "BERBAGI_ADMINISTRATOR_DATABASE": stack.administrator or "",
    }


def copy_tree() -> None:
    """Anew; with nothing running in it that was left by one who was killed."""
    clear_away(COPY / RUN)
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in COPIED:
        shutil.copytree(ROOT / name, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", COPY)


@contextmanager
def changed(changes: tuple[Change, ...]) -> Iterator[None]:
    """The copy, broken; whole again afterwards."""
    before = {change.path: (COPY / change.path).read_text() for change in changes}
    for change in changes:
        file = COPY / change.path
        text = file.read_text()
        if text.count(change.old) != 1:
            raise SystemExit(f"{change.path} has not once what a variant replaces: {change.old!r}")
        file.write_text(text.replace(change.old, change.new))
    try:
        yield
    finally:
        for path, text in before.items():
            (COPY / path).write_text(text)


if __name__ == "__main__":
    sys.exit(main())
