"""Options that several of the operator's commands have."""

from typing import Annotated, Final

import typer

LISTED: Final = 50
"""Lines that a list shows at the most."""
MOMENTS: Final = "2026-10-14T07:30, 2026-10-14, or 90m, 12h, 3d for so long ago; the regency's time."

Services = Annotated[
    list[str] | None,
    typer.Option("--service", help="Only of this one; again for more. In a service's container it must be said."),
]
By = Annotated[str | None, typer.Option(help="Who does it; left out: whoever is logged in, in a container nobody.")]
