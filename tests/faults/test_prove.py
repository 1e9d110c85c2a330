"""A wrong name runs nothing, and nobody who is not judged in time leaves anything running."""

import subprocess
import sys

import psutil

from tests.faults.prove import end

STARTS_ANOTHER = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True).pid, flush=True)
time.sleep(60)
"""


def test_an_unknown_name_is_an_error_and_runs_nothing() -> None:
    """Fails when: names that nobody has are passed over, and pytest is run without any."""
    asked = [sys.executable, "-m", "tests.faults.prove", "typo", "has no inbox"]

    done = subprocess.run(asked, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "no variant is called 'typo'" in done.stderr


def test_what_a_child_has_started_ends_with_it() -> None:
    """Fails when: the child alone is killed."""
    with subprocess.Popen([sys.executable, "-c", STARTS_ANOTHER], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        started = psutil.Process(int(child.stdout.readline()))

        end(child)

    assert not psutil.wait_procs([started], timeout=10)[1]
