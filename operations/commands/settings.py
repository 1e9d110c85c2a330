"""`berbagi settings`: what a service can be told."""

import typer


def settings() -> None:
    """Print the settings of a service as a table in Markdown; the README has it."""
    from operations.settings import settings_table

    typer.echo(settings_table(), nl=False)
