"""`berbagi demo` ends as its reconciliation does."""

import signal

import pytest

from operations import demo
from operations.commands.demo import demo as command


@pytest.mark.parametrize(("reconciles", "code"), [(True, 0), (False, 1)])
def test_a_broken_line_ends_the_demo_with_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, code: int, *, reconciles: bool
) -> None:
    """What breaks a line is tested with a played month (tests/system); this is what the command makes of it.

    Fails when: the answer of `run_demo` is dropped.
    """
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(demo, "run_demo", lambda *_: reconciles)

    with pytest.raises(SystemExit) as ended:
        command(districts=1)

    assert ended.value.code == code
