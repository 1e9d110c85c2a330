"""The `berbagi` command. Each group of commands is a file in `operations/commands`, each command a function there."""

import sys
from importlib.metadata import version as version_of

import typer

from operations.commands import (
    contracts,
    demo,
    dev,
    imports,
    migrate,
    quarantine,
    replay,
    report,
    serve,
    settings,
    stack,
    token,
    topics,
    waiting,
)
from operations.errors import CommandError

# Plain tracebacks: the pretty ones show the values of variables.
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(stack.app, name="stack")
app.add_typer(dev.app, name="dev")
app.add_typer(imports.app, name="import")
app.add_typer(quarantine.app, name="quarantine")
for command in (
    migrate.databases,
    migrate.migrate,
    topics.topics,
    serve.serve,
    settings.settings,
    token.token,
    contracts.contracts,
    demo.demo,
    report.report,
    waiting.parked,
    waiting.outbox,
    replay.replay,
):
    app.command()(command)


@app.callback()
def berbagi() -> None:
    """Run, feed and look at Berbagi."""


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(version_of("berbagi"))


def main() -> None:
    """What people did wrong is told in a sentence; a traceback means that we did."""
    try:
        app()
    except CommandError as error:
        typer.echo(f"berbagi: {error}", err=True)
        sys.exit(2)
