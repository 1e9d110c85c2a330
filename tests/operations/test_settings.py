"""The README's table of settings is the class's."""

from pathlib import Path

from messaging.settings import Settings
from operations.settings import settings_table
from tests.operations.command import Answer, berbagi_here

README = Path(__file__).parents[2] / "README.md"


def test_every_setting_has_a_row_that_says_what_it_means() -> None:
    rows = settings_table().splitlines()[2:]

    assert len(rows) == len(Settings.model_fields)
    assert [row for row in rows if row.split(" | ")[-1].strip("| ") == ""] == []
    assert "| `BERBAGI_PORT` | required | port HTTP listens on |" in rows
    assert "| `BERBAGI_HOST` | `127.0.0.1` | address HTTP listens on |" in rows
    assert berbagi_here("settings") == Answer(0, settings_table(), "")


def test_the_readme_has_the_table() -> None:
    assert settings_table() in README.read_text(encoding="utf-8")
