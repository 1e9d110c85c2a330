"""`berbagi stack`: a Kafka and a PostgreSQL that keep running until they are taken down."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from operations.errors import CommandError

if TYPE_CHECKING:
    from operations.stacks.local import Record

app = typer.Typer(no_args_is_help=True, help="Kafka and PostgreSQL as plain processes, in the background.")
Folder = Annotated[Path, typer.Option(help="Where data, logs and stack.json are.", file_okay=False)]
FOLDER = Path(".berbagi")
BROKERS = (1, 3)


@app.command()
def up(
    brokers: Annotated[int, typer.Option(help="1, or 3: every message on three brokers.")] = 1, folder: Folder = FOLDER
) -> None:
    """Start them; what runs already is left as it is."""
    from operations.stacks import external, local

    if brokers not in BROKERS:
        raise CommandError("--brokers must be 1 or 3")
    if external.find_stack() is not None:
        raise CommandError("the environment names a Kafka and databases already: there is nothing to start")
    _show(local.up(folder, brokers))


@app.command()
def down(folder: Folder = FOLDER) -> None:
    """Stop them; the data stays."""
    from operations.stacks import local

    typer.echo("Stopped." if local.down(folder) else f"No stack was running in {folder}.")


@app.command()
def status(folder: Folder = FOLDER) -> None:
    """Print where they answer; exit code 1 when they do not run."""
    from operations.stacks import local

    record = local.find_stack(folder)
    if record is None:
        typer.echo(f"No stack is running in {folder}.")
        raise typer.Exit(1)
    _show(record)


def _show(record: "Record") -> None:
    from operations.stacks import stack_at

    stack = stack_at(record.bootstrap_servers, record.administrator)
    typer.echo(f"Kafka       {stack.bootstrap_servers}")
    for url in stack.databases.values():
        typer.echo(f"PostgreSQL  {url}")
