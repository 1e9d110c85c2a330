"""`berbagi contracts`: writes what is stale, refuses what would break a reader of a committed schema."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.events import HouseholdRegistered
from contracts.submissions import VisitSubmitted
from operations.compatibility import would_break
from operations.contracts import documents, refresh
from operations.errors import CommandError
from operations.schemas import Message, schema_of

REGISTERED = "schemas/household-registered.v1.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A contracts folder as committed by somebody: every document fresh."""
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "user.name", "nobody")
    git(tmp_path, "config", "user.email", "nobody@localhost")
    (tmp_path / "contracts").mkdir()
    for document in documents():
        path = tmp_path / "contracts" / document.path
        path.parent.mkdir(exist_ok=True)
        path.write_text(document.text)
    commit(tmp_path)
    return tmp_path / "contracts"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S607  # whichever git


def commit(folder: Path) -> None:
    git(folder, "add", "--all", ".")
    git(folder, "commit", "--quiet", "--message", "As it was")


def test_what_is_fresh_is_left_alone(folder: Path) -> None:
    assert refresh(folder) == refresh(folder, check=True) == "71 messages; 0 files written, 0 removed."


@pytest.mark.parametrize("path", [REGISTERED, "asyncapi.yaml"])
def test_a_stale_file_is_named_and_then_written(folder: Path, path: str) -> None:
    fresh = (folder / path).read_text()
    (folder / path).write_text("{}")

    with pytest.raises(CommandError, match=f"Not fresh in contracts/: {path}"):
        refresh(folder, check=True)
    refresh(folder)

    assert (folder / path).read_text() == fresh


def test_a_schema_of_no_message_is_named_and_then_removed(folder: Path) -> None:
    (folder / "schemas" / "nothing-said.v1.json").write_text("{}")

    with pytest.raises(CommandError, match=r"nothing-said\.v1"):
        refresh(folder, check=True)
    refresh(folder)

    assert not (folder / "schemas" / "nothing-said.v1.json").exists()


@pytest.mark.parametrize("afterwards", ["deleted", "overwritten", "left"])
@pytest.mark.parametrize("check", [True, False])
def test_a_committed_schema_is_a_promise_whatever_is_done_to_its_file(
    folder: Path, afterwards: str, *, check: bool
) -> None:
    fresh = (folder / REGISTERED).read_text()
    promised = json.loads(fresh)
    promised["properties"]["landmark"] = {"type": "string"}
    promised["required"].append("landmark")
    (folder / REGISTERED).write_text(json.dumps(promised))
    commit(folder)
    if afterwards == "deleted":
        (folder / REGISTERED).unlink()
    elif afterwards == "overwritten":
        (folder / REGISTERED).write_text(fresh)

    with pytest.raises(CommandError, match=r"Readers of household-registered\.v1 would break"):
        refresh(folder, check=check)


def test_a_message_whose_schema_is_committed_cannot_vanish(folder: Path) -> None:
    (folder / "schemas" / "household-blessed.v1.json").write_text((folder / REGISTERED).read_text())
    commit(folder)

    with pytest.raises(CommandError, match=r"Readers of household-blessed\.v1 would break"):
        refresh(folder)


def test_without_a_commit_to_compare_with_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="git's last commit"):
        refresh(tmp_path)


def test_the_command_ends_with_code_2_and_one_sentence() -> None:
    program = "from operations.cli import main; main()"

    answer = subprocess.run(
        [sys.executable, "-c", program, "contracts", "--check"],
        cwd=Path(__file__).parents[2],
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == "berbagi: git is needed, to compare with the schemas of the last commit.\n"


def committed(message: Message, path: str, change: dict[str, Any] | None) -> dict[str, Any]:
    """The schema of `message` as it would have been committed: the node at `path` changed, or removed."""
    schema: dict[str, Any] = json.loads(json.dumps(schema_of(message)))
    *parents, last = path.split("/")
    node = schema
    for parent in parents:
        node = node[parent]
    if change is None:
        del node[last]
        for owner in (schema, *schema.get("$defs", {}).values()):
            owner["required"] = [name for name in owner.get("required", []) if name != last]
    else:
        node[last] = node.get(last, {}) | change
    return schema


FACT_CHANGES = {
    "an optional field is new": ("properties/split_from", None, False),
    "a required field is new": ("properties/residents", None, True),
    "a description is new": ("properties/status", {"description": "as before"}, False),
    "a bound is wider": ("properties/residents", {"maximum": 10}, True),
    "a bound is narrower": ("properties/residents", {"maximum": 10**12}, True),
    "a pattern is another": ("properties/status", {"pattern": "^[a-z]{1,9}$"}, True),
    "a format is another": ("properties/household_id", {"format": "date"}, True),
    "a part's pattern is another": ("$defs/Eligibility/properties/basis", {"pattern": "^[a-z]{1,9}$"}, True),
    "a type is another": ("properties/provisional", {"type": "string"}, True),
    "a part's field is required and new": ("$defs/Eligibility/properties/since", None, True),
    "a field that was promised is gone": ("properties/landmark", {"type": "boolean"}, False),
    "null is allowed": ("properties/place", {"anyOf": [{"$ref": "#/$defs/Place"}]}, True),
}


@pytest.mark.parametrize(("path", "change", "breaks"), FACT_CHANGES.values(), ids=FACT_CHANGES.keys())
def test_a_fact_may_only_gain_optional_fields(path: str, change: dict[str, Any] | None, *, breaks: bool) -> None:
    assert would_break(committed(HouseholdRegistered, path, change), HouseholdRegistered) is breaks


SUBMISSION_CHANGES = {
    "a required field is new": ("properties/happened", None, True),
    "a code is new": ("$defs/Need", {"enum": ["no_food_today"]}, False),
    "a code is gone": ("$defs/Answer", {"enum": ["yes", "no", "unknown", "refused", "perhaps"]}, True),
    "a bound is wider": ("properties/needs", {"maxItems": 5}, False),
    "a bound is narrower": ("properties/needs", {"maxItems": 50}, True),
    "a field is gone": ("properties/landmark", {"type": "boolean"}, True),
    "a pattern is another": ("properties/programmes_received/items", {"pattern": "^[a-z]{1,9}$"}, True),
}


@pytest.mark.parametrize(("path", "change", "breaks"), SUBMISSION_CHANGES.values(), ids=SUBMISSION_CHANGES.keys())
def test_a_submission_goes_on_reading_what_was_sent_before(
    path: str, change: dict[str, Any] | None, *, breaks: bool
) -> None:
    assert would_break(committed(VisitSubmitted, path, change), VisitSubmitted) is breaks
