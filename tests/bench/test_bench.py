"""What the bench computes from what it sees; and that its machinery still fits the services, on a small amount."""

from math import nan
from pathlib import Path
from statistics import mean
from uuid import UUID

import orjson
import pytest

from contracts.submissions import VisitSubmitted
from messaging.partitions import partition_of
from operations.keys import development_keys
from operations.stacks import Stack
from tests.bench.__main__ import BENCHES, line_of, table_of
from tests.bench.chain import grows
from tests.bench.figures import BenchError, Figure, at_least, at_most, percentile, ratios, shown
from tests.bench.hot_path import Work, drain
from tests.bench.machine import this_machine
from tests.bench.machinery import Ground, Plan
from tests.bench.submissions import visits
from tests.databases import Databases

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"


def test_what_is_shown_is_the_median_of_the_ratios_within_a_round() -> None:
    own, limit = (10.0, 40.0, 9.0), (20.0, 100.0, 20.0)

    figure = Figure("of the limit", "times", ratios(own, limit), bar=at_least(0.45))

    assert figure.rounds == (0.5, 0.4, 0.45)
    assert figure.value == 0.45
    assert figure.is_met is True


def test_a_bar_is_met_from_its_limit_on_and_never_by_what_did_not_end() -> None:
    assert [at_least(5_000).is_met(value) for value in (5_000, 4_999, nan)] == [True, False, False]
    assert [at_most(15).is_met(value) for value in (15, 15.1, nan)] == [True, False, False]


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() -> None:
    values = [float(number) for number in range(1, 201)]

    assert (percentile(values, 50), percentile(values, 99), percentile([7.0], 99)) == (100, 198, 7)
    with pytest.raises(BenchError):
        percentile([], 50)


def test_what_is_behind_grows_when_the_second_half_is_above_the_first() -> None:
    assert grows([100, 110, 140, 150], sent=1_000)
    assert not grows([500, 100, 300, 305], sent=1_000)


def test_a_table_and_a_line_say_everything() -> None:
    figures = [Figure("quick", "s", (2.0, 1.0, 3.0), "beside it", at_most(1))]

    table, line = table_of("one", figures), orjson.loads(line_of("one", PLAN, this_machine(), figures))

    assert [list(column.cells) for column in table.columns] == [
        ["quick"],
        ["2"],
        ["s"],
        ["at most 1"],
        ["NO"],
        ["beside it"],
    ]
    assert line["figures"][0]["rounds"] == [2.0, 1.0, 3.0]
    assert (line["figures"][0]["median"], line["figures"][0]["met"]) == (2.0, False)
    assert line["machine"]["kafka"].startswith("4.")
    assert (shown(nan), shown(12_345.6), shown(0.2512)) == ("did not end", "12,346", "0.251")


def test_every_visit_is_another_one_by_the_carer_of_its_household_and_as_long_as_the_document_says() -> None:
    sent = list(visits(300, start=50, households=100))

    reports = [VisitSubmitted.model_validate_json(one.value) for one in sent]
    carers: dict[UUID, set[UUID]] = {}
    for report in reports:
        carers.setdefault(report.household_id, set()).add(report.carer_id)

    assert len({one.id for one in sent}) == len({report.visit_id for report in reports}) == 300
    assert len(carers) == 100
    assert all(len(together) == 1 for together in carers.values())
    assert all(one.partition == partition_of(one.key.decode(), 12) for one in sent)
    assert 380 < mean(len(one.value) for one in sent) < 440


def test_the_document_explains_every_bench() -> None:
    text = DOCUMENT.read_text()

    assert [name for name in BENCHES if f"## `{name}`" not in text] == []


async def test_two_processes_of_a_service_decide_and_publish_all_that_is_put_before_them(
    stack: Stack, session_databases: Databases, tmp_path: Path
) -> None:
    ground = Ground(stack, tmp_path, development_keys(tmp_path / "keys"), session_databases)

    drained = await drain(ground, Work(list(visits(3_000)), replicas=2, published=True))

    assert drained.rate > 0
    assert drained.sizes["inbox"].rows == drained.sizes["visit"].rows == 3_000
    assert drained.sizes["outbox"].rows == 0
    assert set(drained.microseconds) == {"assignment", "PostgreSQL", "Kafka"}
    assert min(drained.microseconds.values()) > 0
    assert session_databases.made == []


PLAN = Plan(rounds=3, quick=False, minutes=30, folder=Path("unused"))
