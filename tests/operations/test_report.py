"""`berbagi report` as people type it, asked from services that answer over HTTP."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from rich.console import Console

import policies
from operations.report import Reader, Scope, Source, make_report, text, words
from operations.report.content import Page, Report, Table, Word
from tests.operations.answering import AS_OF, TOKEN, Answers, answering, counted, figure
from tests.operations.command import Answer, berbagi_here
from tests.operations.test_report_machinery import metrics

POLICY = policies.load()["35.10"]
ROUND = "6f0c1d2e-0000-4000-8000-000000000001,monthly_package,2026-10,2026-10-14,2026-10-24,closed,sk-2026-10"
ROUNDS = "round,programme,period,opens_on,closes_on,status,decree"
FIGURES = {
    "distribution": (
        figure("rounds", 21_140, "households", by={ROUNDS: {ROUND: 21_140}}),
        figure("monthly_package_frozen", 21_140),
        figure("monthly_package_delivered", (20_700, 21_140), by={"village": {"35.10.16.1002": (95, 97)}}),
        figure("monthly_package_failed", (None, None)),
    ),
    "notifications": (figure("sick_reached", (118, 120), "cases", as_of=AS_OF.replace(hour=16)),),
}


@pytest.fixture
def answers() -> Answers:
    return Answers(FIGURES, metrics=metrics())


@pytest.fixture
def services(answers: Answers) -> Iterator[Mapping[str, str]]:
    with answering(answers) as addresses:
        yield addresses


def report(services: Mapping[str, str], *arguments: str) -> Answer:
    given = [part for name, url in services.items() for part in ("--service", f"{name}={url}")]
    return berbagi_here("report", *given, "--token", TOKEN, *arguments)


def test_the_head_line_names_round_window_recipients_and_the_earliest_time_all_was_known(
    services: Mapping[str, str],
) -> None:
    answer = report(services)

    assert (answer.code, answer.error) == (0, "")
    assert answer.out.splitlines()[:3] == [
        "Berbagi: Banyuwangi, 2026-10",
        "round 6f0c1d2e (sk-2026-10), window 14 Oct 2026 to 24 Oct 2026",
        "recipients frozen: 21,140; as known at 5 Nov 2026 23:00 WIB",
    ]
    assert "Head of region" in answer.out
    assert "Social office" in answer.out
    assert "Auditor" in answer.out


def test_every_service_is_asked_for_the_month_of_the_newest_round(
    services: Mapping[str, str], answers: Answers
) -> None:
    report(services, "--page", "auditor", "--public")

    bearer = f"Bearer {TOKEN}"
    asked = {"month": "2026-10", "public": "true"}
    assert sorted(answers.asked, key=str) == [
        ("assignment/figures", asked, bearer),
        ("distribution/figures", asked, bearer),
        ("distribution/figures", {}, bearer),
        ("notifications/figures", asked, bearer),
        ("registry/figures", asked, bearer),
    ]


def test_the_public_sees_no_case_and_none_is_asked_for(services: Mapping[str, str], answers: Answers) -> None:
    said = json.loads(report(services, "--page", "head", "--public", "--json").out)

    assert "oldest_breaches" not in [table["table"] for table in said["pages"][0]["tables"]]
    assert "notifications/breaches" not in [path for path, *_ in answers.asked]


def test_json_holds_the_same_with_numerator_denominator_percent_and_time(services: Mapping[str, str]) -> None:
    """Rule 30."""
    said = json.loads(report(services, "--json", "--page", "head").out)

    [page] = said["pages"]
    delivered = page["tables"][0]["rows"][0]
    assert said["head"]["opens_on"] == "2026-10-14"
    assert delivered == {
        "what": "delivered_of_recipients",
        "result": {
            "numerator": 20_700,
            "denominator": 21_140,
            "percent": 97.9,
            "unit": "packages",
            "as_of": AS_OF.isoformat(),
        },
    }


def test_a_district_has_its_page_and_everything_is_asked_of_it(services: Mapping[str, str], answers: Answers) -> None:
    answer = report(services, "--district", "35.10.16", "--month", "2026-09")

    assert "District: Banyuwangi =" in answer.out
    assert "Sobo" in answer.out
    assert "Head of region" not in answer.out
    assert {tuple(query.items()) for _, query, _ in answers.asked} == {(("month", "2026-09"), ("district", "35.10.16"))}


def test_a_hidden_number_is_said_to_be_hidden(services: Mapping[str, str]) -> None:
    lines = report(services, "--page", "social").out.splitlines()

    assert [line.split() for line in lines if line.strip().startswith("failed")] == [["failed", "hidden"]]


def test_the_pipeline_is_told_apart_from_the_month(services: Mapping[str, str]) -> None:
    said = report(services, "--pipeline").out
    as_data = json.loads(report(services, "--pipeline", "--json").out)

    assert "visit-submitted" in said
    assert as_data["page"] == "pipeline"
    assert as_data["tables"][0]["rows"][-1]["messages_handled"] == 8_000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--page", "mayor"], "--page is one of head, social, auditor, district"),
        (["--month", "October"], "a month is written 2026-10"),
        (["--district", "35.10.77"], "35.10.77 is no district of Banyuwangi"),
        (["--page", "district"], "the page of a district needs --district, like 35.10.16"),
    ],
)
def test_a_wrong_option_is_told_in_a_sentence(services: Mapping[str, str], arguments: list[str], sentence: str) -> None:
    assert report(services, *arguments) == Answer(2, "", f"berbagi: {sentence}\n")


def test_a_service_that_does_not_answer_or_refuses_is_named(services: Mapping[str, str], answers: Answers) -> None:
    away = report({**services, "registry": "http://127.0.0.1:9"})
    answers.status = 403
    refused = report(services)

    assert away == Answer(2, "", "berbagi: registry does not answer at its address: is it running?\n")
    assert refused == Answer(
        2, "", "berbagi: distribution answered with status 403 when it was asked for its figures\n"
    )


def test_where_nothing_runs_the_sentence_says_what_is_needed(tmp_path: object) -> None:
    answer = berbagi_here("report", "--folder", str(tmp_path))

    assert answer.code == 2
    assert answer.error.startswith("berbagi: `berbagi dev` does not run in ")


def test_a_simulated_month_says_that_its_positions_are_synthetic(services: Mapping[str, str]) -> None:
    source = Source(services, TOKEN)

    heads = [make_report(one, Scope(), [Reader.HEAD], POLICY).head for one in (source, replace(source, simulated=True))]

    assert [head.notes for head in heads] == [(), ("synthetic_positions",)]


def test_a_table_stands_within_a_hundred_columns_and_its_numbers_below_each_other() -> None:
    table = Table(
        "checks",
        ("what", "count"),
        (
            (Word("late"), counted(7, 20_700)),
            (Word("flagged"), counted(1_480, 20_700)),
            (Word("difference"), 14),
            (Word("vault_reads"), None),
        ),
    )
    console = Console(width=text.NARROWEST, file=io.StringIO(), record=True)

    text.show_pages([Page("auditor", (table,))], words.load(), console, POLICY.zone)

    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert lines[2:6] == [
        "  delivered, proof after the month's end          7 of 20,700  0.0 %",
        "  delivered, proof flagged for a second look  1,480 of 20,700  7.1 %",
        "  difference                                     14",
        "  names and addresses read, of all attempts                not known",
    ]


def test_every_word_the_pages_use_is_in_the_language_file(services: Mapping[str, str]) -> None:
    made = make_report(Source(services, TOKEN), Scope(district="35.10.16"), list(Reader), POLICY)

    assert sorted(_codes(made) - set(words.load().codes)) == []


def _codes(made: Report) -> set[str]:
    tables = [table for page in made.pages for table in page.tables if not table.for_programs]
    titles = {f"table_{table.code}" for table in tables} | {f"page_{page.code}" for page in made.pages}
    cells = [cell for table in tables for row in table.rows or () for cell in row]
    return titles | {cell.code for cell in cells if isinstance(cell, Word)}
