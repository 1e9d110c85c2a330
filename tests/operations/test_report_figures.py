"""The four services, the report and docs/figures.md speak of the same figures."""

from pathlib import Path

import pytest

import policies
from contracts.figures import Figure, Figures
from messaging import Token
from messaging.database import open_pool
from operations.report import auditor, district, head_of_region, social_office
from operations.report.content import Page, Table, Word
from services.assignment import figures_store as assignment
from services.distribution import figures_api as distribution
from services.notifications import figures_api as notifications
from services.registry import figure_store as registry
from tests.databases import Databases
from tests.operations.answering import AS_OF

DOCUMENT = Path(__file__).parents[2] / "docs" / "figures.md"
POLICY = policies.load()["35.10"]


@pytest.fixture
async def published(databases: Databases) -> list[Figures]:
    """What services that know nothing yet answer: every figure with every breakdown, all empty."""
    token = Token("report", frozenset({"figures:read"}), None, POLICY.regency, {})
    answers = [notifications.make_figures([], {}, [], AS_OF)]
    for service in ("registry", "assignment", "distribution"):
        pool = await open_pool(await databases.fresh(service), size=1, name="tests")
        try:
            if service == "distribution":
                answers.append(await distribution.get_figures(pool, token, "2026-10", None, for_public=False))
                continue
            async with pool.acquire() as db:
                answers.append(
                    await registry.list_figures(db, None)
                    if service == "registry"
                    else await assignment.list_figures(db, None, None)
                )
        finally:
            await pool.close()
    return answers


async def test_every_figure_that_a_page_asks_for_is_published(published: list[Figures]) -> None:
    """A wrong name would be `not known` for ever: tables without rows, cells without numbers."""
    known = {figure.name: figure for answer in published for figure in answer.figures}

    pages = (
        head_of_region.page(known, [], POLICY),
        social_office.page(known, POLICY),
        district.page(known, POLICY, "35.10.16"),
        auditor.page(known, POLICY),
    )

    assert len(known) == sum(len(answer.figures) for answer in published), "a name belongs to one service"
    assert [(page.code, table.code) for page in pages for table in page.tables if table.rows is None] == []
    assert _unknown(pages) == {"floor_reached_on"}, "no floor without a round"


async def test_docs_figures_md_defines_what_is_published(published: list[Figures]) -> None:
    """Rule 30. To mend it, write the lines of this difference."""
    sections = [part.split("\n", 1) for part in DOCUMENT.read_text("utf-8").split("\n## ")[1:]]
    said = {service: {line for line in lines.splitlines() if line.startswith("| `")} for service, lines in sections}

    wanted = {answer.service: {_line(figure) for figure in answer.figures} for answer in published}

    for service, lines in wanted.items():
        assert (service, said[service] - lines, lines - said[service]) == (service, set(), set())


def _line(figure: Figure) -> str:
    name = figure.name
    for programme in POLICY.programmes:
        name = name.replace(f"{programme.code}_", "<programme>_")
    return f"| `{name}` | {figure.unit} | {figure.definition} | {'; '.join(figure.by)} |"


def _unknown(pages: tuple[Page, ...]) -> set[str]:
    """First words of rows with a cell that is not known."""
    tables: list[Table] = [table for page in pages for table in page.tables]
    rows = [row for table in tables for row in table.rows or () if None in row]
    return {row[0].code if isinstance(row[0], Word) else str(row[0]) for row in rows}
