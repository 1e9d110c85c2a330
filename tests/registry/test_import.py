"""`berbagi import`: the file is checked, good rows go in, every row is counted (rule 5)."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.topics import SERVICES
from operations.fleet import running_fleet
from operations.keys import Keys, development_keys, sign_token
from operations.register_files import CARERS, HOUSEHOLDS, Check, FileKind, Problem, check, read_rows
from operations.stacks import Stack
from tests.databases import Databases
from tests.operations.command import Answer, berbagi_here

DATA = Path(__file__).parent / "data"
AS_OF = datetime(2025, 10, 1, 4, tzinfo=UTC)


def checked(path: Path, kind: FileKind = HOUSEHOLDS) -> Check:
    return check(read_rows(path, kind, "35.10", AS_OF))


def edited(folder: Path, *changes: tuple[str, str], name: str = "households.csv") -> Path:
    """The example file with these words replaced."""
    text = (DATA / name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / name
    path.write_text(text)
    return path


def test_the_examples_are_good() -> None:
    assert checked(DATA / "households.csv") == Check(rows=3)
    assert checked(DATA / "carers.csv", CARERS) == Check(rows=3)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("35.10.05.2003", "35.10.05.9999", Problem(5, "village", "unknown_village")),
        ("child", "head", Problem(3, "role", "two_heads")),
        ("1970-03-15,male,head", "1970-03-15,male,child", Problem(5, "role", "no_head")),
        ("1948-05-15", "1948-15-05", Problem(2, "birth_date", "invalid_field")),
        ("1948-05-15,female", "1948-05-15,", Problem(2, "sex", "missing_field")),
        ("dtsen-3", "3510161005120001", Problem(5, "row_id", "identity_number")),
        (",4,2026-q3", ",4,", Problem(5, "decile_period", "missing_field")),
        (",4,2026-q3", ",four,2026-q3", Problem(5, "decile", "invalid_field")),
        ("-8.22811", "x", Problem(4, "latitude", "invalid_field")),
    ],
)
def test_a_bad_row_is_told_by_line_column_and_code(tmp_path: Path, old: str, new: str, problem: Problem) -> None:
    found = checked(edited(tmp_path, (old, new)))

    assert (found.bad_rows, found.problems) == (1, [problem])


def test_lines_of_one_household_must_agree(tmp_path: Path) -> None:
    found = checked(edited(tmp_path, ("1,2026-q3,3510161002150001", "2,2026-q3,3510161002150001")))

    assert found.problems == [Problem(3, "decile", "household_differs")]


def test_a_nik_on_two_cards_makes_a_file_doubtful_but_both_rows_go_in(tmp_path: Path) -> None:
    found = checked(edited(tmp_path, ("3510051503700001", "3510161002150001")))

    assert (found.bad_rows, found.duplicates) == (0, 1)
    assert found.problems == [Problem(5, "nik", "duplicate_nik")]


def test_a_bad_carer_is_told_by_line_column_and_code(tmp_path: Path) -> None:
    found = checked(edited(tmp_path, ("-8.215", "-8.2151234"), ("partner", "volunteer"), name="carers.csv"), CARERS)

    assert found.problems == [
        Problem(2, "workplace_latitude", "invalid_field"),
        Problem(4, "employment", "invalid_field"),
    ]


def test_a_file_with_too_many_bad_rows_is_refused_whole_and_never_quoted(tmp_path: Path) -> None:
    """Nothing listens at the address: nothing was sent."""
    path = edited(tmp_path, ("1948-05-15", "Contoh Rahasia"))
    keys = development_keys(tmp_path / "keys")

    answer = _import(path, "http://127.0.0.1:9", keys, "--report", str(tmp_path / "bad.csv"))

    assert answer.code == 2
    assert "refused, nothing of it went in: 33.3 %" in answer.error
    assert "Rahasia" not in answer.error + answer.out
    assert (tmp_path / "bad.csv").read_text().splitlines() == [
        "line,column,code,sentence",
        "2,birth_date,invalid_field,A field has a value that the contract does not allow.",
    ]


@pytest.mark.parametrize("text", ["Contoh Rahasia,1\n", "", "row_id,row_id\n"])
def test_a_file_with_another_header_is_one_sentence_that_quotes_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(text)

    answer = _import(path, "http://127.0.0.1:9", development_keys(tmp_path / "keys"))

    assert answer.code == 2
    assert answer.error.startswith("berbagi: the header lacks ")
    assert "Rahasia" not in answer.error
    assert len(answer.error.splitlines()) == 1


@dataclass
class Running:
    """A registry that answers over HTTP."""

    url: str
    keys: Keys


@pytest.fixture
def running(stack: Stack, session_databases: Databases, topic_prefix: str, tmp_path: Path) -> Iterator[Running]:
    urls = asyncio.run(_databases(session_databases))
    keys = development_keys(tmp_path / "keys")
    ours = Stack(stack.bootstrap_servers, stack.administrator, urls, urls)
    from messaging.settings import KafkaSettings  # noqa: PLC0415
    from operations.topics import create_topics  # noqa: PLC0415

    asyncio.run(create_topics(KafkaSettings(kafka=stack.bootstrap_servers, topic_prefix=topic_prefix)))
    with running_fleet(ours, tmp_path / "services", keys, ("registry",), topic_prefix) as fleet:
        yield Running(fleet.replicas["registry"].url, keys)
    asyncio.run(session_databases.drop_made())


async def _databases(databases: Databases) -> dict[str, str]:
    registry = await databases.fresh("registry")
    return dict.fromkeys(SERVICES, registry)


def test_every_row_is_counted_and_the_same_file_again_changes_nothing(running: Running, tmp_path: Path) -> None:
    path = edited(tmp_path)
    more = "".join(
        f"dtsen-{n},35101610051{n:05},35.10.16.1002,,,,,1,2026-q3,,Contoh {n},1950-01-01,male,head\n"
        for n in range(100, 130)
    )
    path.write_text(path.read_text() + more + more.splitlines()[0].replace("dtsen-100", "dtsen-again") + "\n")

    first = _import(path, running.url, running.keys, "--as-of", "2025-10-01T04:00:00")
    again = _import(path, running.url, running.keys, "--as-of", "2025-10-01T04:00:00")
    carers = _import(DATA / "carers.csv", running.url, running.keys, "--as-of", "2025-10-01T04:00:00", kind="carers")

    assert first == again
    assert (first.code, first.out.split()) == (0, ["registered", "33", "same_household", "1", "rows", "34"])
    assert carers.out.split() == ["refused:", "not_a_carer", "1", "registered", "2", "rows", "3"]


def _import(path: Path, url: str, keys: Keys, *options: str, kind: str = "households") -> Answer:
    token = sign_token(
        keys,
        subject="dtsen",
        scopes=("households:submit", "carers:submit"),
        days=1,
        claims={"source": "dtsen", "regency": "35.10"},
    )
    return berbagi_here("import", kind, str(path), "--url", url, *options, BERBAGI_TOKEN=token)
