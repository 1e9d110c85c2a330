"""The `berbagi` command, run as people type it."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from operations.cli import main

BERBAGI = Path(sys.executable).with_name("berbagi")


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    error: str


def berbagi(*arguments: str, **environment: str) -> Answer:
    """Run it to its end; the variables are added to this environment."""
    done = subprocess.run(
        [BERBAGI, *arguments], env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def berbagi_here(*arguments: str, **environment: str) -> Answer:
    """The same inside this process, where everything is imported already: not for what starts processes."""
    with (
        patch.dict(os.environ, environment),
        patch.object(sys, "argv", ["berbagi", *arguments]),
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as error,
    ):
        try:
            main()
        except SystemExit as ended:
            return Answer(int(ended.code or 0), out.getvalue(), error.getvalue())
    raise AssertionError("the command line always ends the process")
