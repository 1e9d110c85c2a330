"""The `berbagi` command as people type it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from contracts.topics import SERVICES
from operations import environment
from operations.stacks import jars, local
from tests.operations.command import BERBAGI, Answer, berbagi

NO_NETWORK = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:1")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Whatever a test leaves running here is stopped."""
    yield tmp_path / "stack"
    local.down(tmp_path / "stack")


def test_help_answers_at_once() -> None:
    """It costs little more than the command line itself with the names of services in it."""
    answer = berbagi("--help")

    assert (answer.code, "stack" in answer.out) == (0, True)
    least = _processor_seconds(sys.executable, "-c", "import typer, contracts.topics")
    worked = _processor_seconds(BERBAGI, "--help")
    assert worked < 1.3 * least, "something heavy is imported at the top of a file"


def _processor_seconds(*command: str | Path) -> float:
    """The best of three: other tests run beside this one."""
    return min(_once(command) for _ in range(3))


def _once(command: Sequence[str | Path]) -> float:
    before = os.times()
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_a_stack_runs_until_it_is_taken_down_and_needs_no_network_once_it_has_its_jars(folder: Path) -> None:
    jars.kafka_jars(environment.cache_folder())

    up = berbagi("stack", "up", "--folder", str(folder), **NO_NETWORK)
    again = berbagi("stack", "up", "--folder", str(folder), **NO_NETWORK)
    status = berbagi("stack", "status", "--folder", str(folder))
    down = berbagi("stack", "down", "--folder", str(folder))
    gone = berbagi("stack", "status", "--folder", str(folder))

    assert (up.code, up.error) == (0, "")
    assert again == status == up
    assert down == Answer(0, "Stopped.\n", "")
    assert gone == Answer(1, f"No stack is running in {folder}.\n", "")


def test_without_jars_and_network_one_sentence_says_so(folder: Path, tmp_path: Path) -> None:
    answer = berbagi("stack", "up", "--folder", str(folder), BERBAGI_CACHE=str(tmp_path / "cache"), **NO_NETWORK)

    assert answer.code == 2
    assert answer.error.splitlines()[-1] == "berbagi: Kafka's jars could not be fetched: is the network there?"
    assert "Traceback" not in answer.error


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["stack", "upwards"], "No such command 'upwards'"),
        (["stack", "up", "--brokers", "2"], "--brokers must be 1 or 3"),
        (["stack", "up", "--brokers", "many"], "Input should be a valid integer"),
        (["stack", "down", "--folder", __file__], "is a file"),
    ],
)
def test_what_was_typed_wrong_is_said_in_a_sentence(arguments: list[str], sentence: str) -> None:
    answer = berbagi(*arguments)

    assert answer.code == 2
    assert answer.out == ""
    assert sentence in answer.error
    assert "Traceback" not in answer.error


def test_half_of_the_addresses_of_an_external_stack_are_a_mistake(folder: Path) -> None:
    answer = berbagi("stack", "up", "--folder", str(folder), BERBAGI_KAFKA="127.0.0.1:9092")

    assert answer.code == 2
    assert "BERBAGI_<SERVICE>_DATABASE" in answer.error


def test_all_addresses_of_an_external_stack_leave_nothing_to_start(folder: Path) -> None:
    addresses = {f"BERBAGI_{name}_DATABASE": "postgresql://x" for name in map(str.upper, SERVICES)}

    answer = berbagi("stack", "up", "--folder", str(folder), BERBAGI_KAFKA="127.0.0.1:9092", **addresses)

    assert answer.code == 2
    assert "nothing to start" in answer.error
