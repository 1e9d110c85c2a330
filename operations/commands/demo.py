"""`berbagi demo`: one month of a regency, played and reconciled."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from operations.errors import CommandError
from operations.stacks import Kind

FOLDER = Path(".berbagi/demo")
ALL_DISTRICTS = 25
_TERMINATED = 143


def demo(
    month: Annotated[str, typer.Option(envvar="MONTH", help="2026-10; 2026-03 has Nyepi and Lebaran.")] = "2026-10",
    seed: Annotated[int, typer.Option(envvar="SEED", help="The same seed draws the same month.")] = 1,
    stack: Annotated[Kind, typer.Option(envvar="STACK", help="Where Kafka and PostgreSQL come from.")] = Kind.LOCAL,
    districts: Annotated[
        int, typer.Option(envvar="DISTRICTS", help="How many of the districts are played.", min=1, max=ALL_DISTRICTS)
    ] = ALL_DISTRICTS,
    folder: Annotated[Path, typer.Option(help="Its own data and logs, new every time.", file_okay=False)] = FOLDER,
) -> None:
    """Play a month through Kafka and the four services, and reconcile. Exit code 1: something does not add up."""
    from rich.console import Console

    from operations.demo import month_to_play, run_demo

    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))  # so that what was started is stopped
    try:
        played = month_to_play(month, seed, districts)
    except ValueError:
        raise CommandError("a month is written 2026-10") from None
    sys.exit(0 if run_demo(played, stack, folder, console) else 1)
