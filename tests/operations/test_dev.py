"""`berbagi dev`: from nothing to everything, in the foreground."""

import json
import os
import re
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import httpx
import psutil
import pytest

from contracts.topics import SERVICES
from operations.development import READ_SCOPES
from operations.migrations import SERVICES_FOLDER
from operations.stacks import local
from tests.operations.command import BERBAGI, Answer, berbagi, berbagi_here


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Whatever a test leaves running here is stopped."""
    yield tmp_path / "dev"
    local.down(tmp_path / "dev")


def test_everything_runs_until_ctrl_c(folder: Path) -> None:
    dev = subprocess.Popen(
        [BERBAGI, "dev", "--folder", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_hear_ctrl_c,  # noqa: PLW1509  # one line, and no threads here
    )
    assert dev.stdout is not None
    with dev.stdout:
        _read_until(dev.stdout, "Everything is ready.")
        known = json.loads((folder / "dev.json").read_text())
        mode = stat.S_IMODE((folder / "dev.json").stat().st_mode)
        family = psutil.Process(dev.pid).children(recursive=True)
        answers = {name: _submit_nothing(url, known["token"]) for name, url in known["services"].items()}
        moved = berbagi("dev", "clock", "2026-10-14T07:30", "--folder", str(folder))
        second = berbagi("dev", "--folder", str(folder))
        os.kill(_pid(folder, "registry"), signal.SIGKILL)
        said = _read_until(dev.stdout, "is gone")

        dev.send_signal(signal.SIGINT)
        rest = dev.stdout.read()

    assert dev.wait() == 0
    assert set(known) == {"audited_databases", "bootstrap_servers", "databases", "logs", "services", "token"}
    assert mode == 0o600
    assert answers == dict.fromkeys(SERVICES, (200, "[]"))
    assert moved.code == 0
    assert moved.out.count("2026-10-14 07:30:00 WIB") == len(SERVICES)
    assert (second.code, "belongs to process" in second.error) == (2, True)
    assert said == f"registry is gone; its last words are in {known['logs']['registry']}\n"
    assert rest == "Stopping ...\nStopped.\n"
    assert not any(_runs(process) for process in family)
    assert not (folder / "dev.json").exists()


def test_the_development_token_may_read_whatever_a_service_lets_be_read() -> None:
    texts = [file.read_text(encoding="utf-8") for file in SERVICES_FOLDER.rglob("*.py")]

    asked = {scope for text in texts for scope in re.findall(r'"([a-z]+:[a-z]+)"', text)}

    assert asked == set(READ_SCOPES)


def test_what_was_typed_wrong_is_said_in_a_sentence(tmp_path: Path) -> None:
    assert berbagi_here("dev", "--brokers", "2") == Answer(2, "", "berbagi: --brokers must be 1 or 3\n")
    assert "nothing runs in" in berbagi_here("dev", "clock", "--folder", str(tmp_path)).error
    assert berbagi_here("dev", "--stack", "clouds").code == 2


def _hear_ctrl_c() -> None:
    """Whoever starts the tests in the background has it ignored, by all that they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _submit_nothing(url: str, token: str) -> tuple[int, str]:
    """An empty batch is answered by nothing, but only to who may ask."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/cloudevents-batch+json"}
    response = httpx.post(f"{url}/submissions", content="[]", headers=headers)
    return response.status_code, response.text


def _pid(folder: Path, service: str) -> int:
    return int(json.loads((folder / "services" / service / "process.json").read_text())["pid"])


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _read_until(lines: IO[str], words: str) -> str:
    """The line with these words."""
    deadline = time.monotonic() + 120
    for line in lines:
        if words in line:
            return line
        assert time.monotonic() < deadline
    raise AssertionError(f"it ended without saying {words}")
