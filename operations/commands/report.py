"""`berbagi report`: the month for whoever has to know, and the machinery for whoever keeps it running."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from operations.commands.stack import FOLDER, Folder
from operations.errors import CommandError

if TYPE_CHECKING:
    from operations.development import Development
    from operations.report import Reader

MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def report(  # noqa: PLR0913  # an option each
    *,
    page: Annotated[list[str] | None, typer.Option(help="head, social, auditor or district; again for more.")] = None,
    district: Annotated[str | None, typer.Option(help="35.10.16: count only what is in this district.")] = None,
    month: Annotated[str | None, typer.Option(help="2026-10; that of the newest round when left out.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Hide cells under 5.")] = False,
    pipeline: Annotated[bool, typer.Option("--pipeline", help="Messages, latency and memory instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same content for programs.")] = False,
    service: Annotated[list[str] | None, typer.Option(help="registry=https://..., once for each of the four.")] = None,
    token: Annotated[str | None, typer.Option(envvar="BERBAGI_TOKEN", help="With the scope figures:read.")] = None,
    folder: Folder = FOLDER,
) -> None:
    """Print the figures of a month, a page for each reader."""
    import policies
    from operations.development import read_development
    from operations.report import Scope, Source, data, machinery, make_report, text, words

    known = read_development(folder)
    services = _addresses(service or [], known, folder)
    policy = next(iter(policies.load().values()))
    if pipeline:
        pages = machinery.page(machinery.look(services))
        if as_json:
            typer.echo(json.dumps(data.page_json(pages), indent=2))
        else:
            text.show_pages([pages], words.load(), text.wide_console(), policy.zone)
        return
    if month is not None and not MONTH.fullmatch(month):
        raise CommandError("a month is written 2026-10")
    if district is not None and district not in policy.district:
        raise CommandError(f"{district} is no district of {policy.name}")
    token = token or (known.token if known is not None else None)
    if token is None:
        raise CommandError("a token with the scope figures:read is needed: --token or BERBAGI_TOKEN")
    source = Source(services, token)
    scope = Scope(month, district, public)
    made = make_report(source, scope, _readers(page, district), policy)
    if as_json:
        typer.echo(json.dumps(data.report_json(made), indent=2))
    else:
        text.show(made, words.load(), text.wide_console())


def _readers(pages: Sequence[str] | None, district: str | None) -> "Sequence[Reader]":
    """Those asked for; else the district's page when one is named, else every other."""
    from operations.report import OF_THE_REGENCY, Reader

    if not pages:
        return OF_THE_REGENCY if district is None else (Reader.DISTRICT,)
    try:
        return [Reader(one) for one in pages]
    except ValueError:
        raise CommandError(f"--page is one of {', '.join(Reader)}") from None


def _addresses(given: Sequence[str], known: "Development | None", folder: Path) -> Mapping[str, str]:
    """What the options say, else where `berbagi dev` runs."""
    from contracts.topics import SERVICES

    urls = dict(one.split("=", 1) for one in given if "=" in one)
    if not given and known is not None:
        urls = dict(known.services)
    if set(urls) != set(SERVICES):
        raise CommandError(f"`berbagi dev` does not run in {folder}: give --service NAME=URL for {', '.join(SERVICES)}")
    return urls
