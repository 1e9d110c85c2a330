"""`berbagi token`: a bearer token for development."""

from typing import Annotated

import typer

from operations.commands.stack import FOLDER, Folder


def token(  # noqa: PLR0913  # an option each
    *,
    source: Annotated[str, typer.Option(help="The only source its bearer may submit as.")],
    regency: Annotated[str, typer.Option(help="The only regency it is for, like 35.10.")],
    scope: Annotated[list[str], typer.Option(help="visits:submit, households:read ...; may be given again.")],
    carer: Annotated[str | None, typer.Option(help="Id of the carer who holds it.")] = None,
    office: Annotated[str | None, typer.Option(help="Id of the office that holds it.")] = None,
    days: Annotated[int, typer.Option(help="How long it is good.", min=1, max=366)] = 1,
    folder: Folder = FOLDER,
) -> None:
    """Print a token signed with this folder's development key; production has an issuer of its own."""
    from operations.keys import KEYS_FOLDER, development_keys, sign_token

    claims = {"source": source, "regency": regency, "carer_id": carer, "office_id": office}
    keys = development_keys(folder / KEYS_FOLDER)
    given = {name: value for name, value in claims.items() if value is not None}
    typer.echo(sign_token(keys, subject=source, scopes=scope, days=days, claims=given))
    typer.echo("For development only: it is good where services trust the key in this folder.", err=True)
