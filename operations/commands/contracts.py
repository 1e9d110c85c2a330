"""`berbagi contracts`: schemas and the AsyncAPI description, written or checked."""

from typing import Annotated

import typer


def contracts(
    *, check: Annotated[bool, typer.Option("--check", help="Write nothing; exit code 2 when a file is stale.")] = False
) -> None:
    """Write JSON Schemas and asyncapi.yaml; refuse what would break a reader."""
    from operations.contracts import refresh

    typer.echo(refresh(check=check))
