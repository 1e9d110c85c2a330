"""`berbagi import`: register files go in, row by row, and every row is counted."""

import asyncio
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from operations.commands.stack import FOLDER, Folder
from operations.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

    from operations.imports import Target
    from operations.register_files import Check, FileKind, Problem

app = typer.Typer(no_args_is_help=True, help="Register files go in, row by row; docs/import.md has their columns.")
File = Annotated[Path, typer.Argument(help="CSV in UTF-8.", exists=True, dir_okay=False)]
Url = Annotated[str | None, typer.Option(help="Of the registry; left out: the one `berbagi dev` started.")]
TokenText = Annotated[str | None, typer.Option("--token", envvar="BERBAGI_TOKEN", help="Bearer token.")]
AsOf = Annotated[datetime | None, typer.Option(help="When the file was true, UTC; left out: its time of change.")]
Report = Annotated[Path | None, typer.Option(help="Write every bad row to this CSV: line, column, code, sentence.")]
PRINTED = 20


@app.command()
def households(  # noqa: PLR0913  # an option each
    file: File,
    *,
    url: Url = None,
    token: TokenText = None,
    as_of: AsOf = None,
    report: Report = None,
    folder: Folder = FOLDER,
) -> None:
    """Family cards, one line a member."""
    from operations.register_files import HOUSEHOLDS

    _run(file, HOUSEHOLDS, _target(url, token, folder), as_of, report)


@app.command()
def carers(  # noqa: PLR0913  # an option each
    file: File,
    *,
    url: Url = None,
    token: TokenText = None,
    as_of: AsOf = None,
    report: Report = None,
    folder: Folder = FOLDER,
) -> None:
    """A staff file or a partner's member list, one line a person."""
    from operations.register_files import CARERS

    _run(file, CARERS, _target(url, token, folder), as_of, report)


def _run(file: Path, kind: "FileKind", target: "Target", as_of: datetime | None, report: Path | None) -> None:
    import policies
    from operations.imports import send
    from operations.register_files import check, read_rows

    policy = policies.load().get(target.regency)
    if policy is None:
        raise CommandError(f"there is no policy for the regency {target.regency} of the token")
    at = (as_of or datetime.fromtimestamp(file.stat().st_mtime, UTC)).replace(tzinfo=UTC)
    found = check(read_rows(file, kind, target.regency, at))
    _tell(found, report)
    limit = policy.import_refused_above_percent
    if found.bad_percent > limit:
        raise CommandError(
            f"{file.name} is refused, nothing of it went in: {found.bad_percent:.1f} % of its rows are bad, "
            f"more than the {limit} % allowed"
        )
    with _progress(file.name, found.rows) as done:
        outcomes = asyncio.run(send(read_rows(file, kind, target.regency, at), target, done))
    _print_count(found.rows, outcomes)
    if outcomes.total() != found.rows:
        raise typer.Exit(1)


def _target(url: str | None, token: str | None, folder: Path) -> "Target":
    from operations.development import read_development
    from operations.imports import target

    known = read_development(folder) if url is None or token is None else None
    if known is None and (url is None or token is None):
        raise CommandError("where to? `berbagi dev` does not run here: give --url, and --token or BERBAGI_TOKEN")
    return target(url or (known.services["registry"] if known else ""), token or (known.token if known else ""))


def _tell(found: "Check", report: Path | None) -> None:
    from operations.imports import explain

    if report is not None:
        with report.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(("line", "column", "code", "sentence"))
            writer.writerows(_told(found.problems, explain))
    for line, column, code, words in _told(found.problems[:PRINTED], explain):
        typer.echo(f"line {line}, {column}: {code}. {words}", err=True)
    if len(found.problems) > PRINTED:
        typer.echo(f"... and {len(found.problems) - PRINTED} more; --report FILE writes them all", err=True)


def _told(problems: "Sequence[Problem]", explain: "Callable[[str], str]") -> Iterator[tuple[int, str, str, str]]:
    return ((one.line, one.column, one.code, explain(one.code)) for one in problems)


def _print_count(rows: int, outcomes: Counter[str]) -> None:
    width = max(len("rows"), *(len(name) for name in outcomes)) if outcomes else len("rows")
    for name, count in sorted(outcomes.items()):
        typer.echo(f"{name:{width}} {count:>9,}")
    typer.echo(f"{'rows':{width}} {rows:>9,}")
    if outcomes.total() != rows:
        typer.echo(f"berbagi: {rows - outcomes.total():,} rows have no outcome", err=True)


@contextmanager
def _progress(name: str, total: int) -> Iterator["Callable[[int], None]"]:
    """A bar on a terminal, silence elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(name, total=total)
        yield lambda count: progress.advance(task, count)
