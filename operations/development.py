"""What runs in a developer's folder: `dev.json`, written by `berbagi dev` and read by commands, tests and people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from contracts.submissions import Submission
from contracts.topics import MESSAGES, SERVICES
from messaging.tokens import submit_scope
from operations import environment
from operations.errors import CommandError
from operations.fleet import Fleet
from operations.keys import Keys, sign_token
from operations.stacks import Stack, external, local, stack_at
from operations.stacks.program import write_whole

READ_SCOPES: Final = (
    "households:audit",
    "conflicts:read",
    "assignments:read",
    "packages:read",
    "depots:read",
    "lots:read",
    "cases:read",
    "figures:read",
)
SOURCE: Final = "development"
REGENCY: Final = "35.10"
DAYS: Final = 1


@dataclass(frozen=True)
class Development:
    """Everything a developer's own program needs to talk to the system."""

    bootstrap_servers: str
    databases: Mapping[str, str]
    audited_databases: Mapping[str, str]
    services: Mapping[str, str]
    logs: Mapping[str, str]
    token: str


def find_stack(folder: Path) -> Stack:
    """The stack the environment names, or else the one that runs in this folder; CommandError when there is none."""
    outside = external.find_stack()
    if outside is not None:
        return outside
    record = local.find_stack(folder)
    if record is not None:
        return stack_at(record.bootstrap_servers, record.administrator)
    known = read_development(folder)
    if known is None:
        raise CommandError(f"nothing runs in {folder}: `berbagi dev` starts it, or set {external.NEEDED}")
    return Stack(known.bootstrap_servers, None, known.databases, known.audited_databases)


def service_databases(names: Sequence[str], folder: Path) -> Mapping[str, str]:
    """URL by service, all of them when none is named: from the environment, or else from what runs in the folder."""
    wanted = names or SERVICES
    unknown = sorted(set(wanted) - set(SERVICES))
    if unknown:
        raise CommandError(f"no service is called {unknown[0]}; there are {', '.join(SERVICES)}")
    own = environment.own_database_address()
    if own is not None:
        if len(names) != 1:
            raise CommandError(
                "BERBAGI_DATABASE_URL is the database of one service: say of which by --service NAME (`migrate NAME`)"
            )
        return {names[0]: own}
    named = {name: environment.database_address(name) for name in wanted}
    given = {name: url for name, url in named.items() if url is not None}
    return given if len(given) == len(wanted) else {name: find_stack(folder).databases[name] for name in wanted}


def read_development(folder: Path) -> Development | None:
    """None when `berbagi dev` does not run here."""
    file = _file(folder)
    return Development(**json.loads(file.read_text())) if file.exists() else None


def write_development(folder: Path, stack: Stack, fleet: Fleet, keys: Keys) -> Path:
    """Only its owner may read the file: the token is inside."""
    known = Development(
        bootstrap_servers=stack.bootstrap_servers,
        databases=stack.databases,
        audited_databases=stack.audited_databases,
        services={name: replica.url for name, replica in fleet.replicas.items()},
        logs={name: str(replica.program.log) for name, replica in fleet.replicas.items()},
        token=sign_token(
            keys, subject=SOURCE, scopes=every_scope(), days=DAYS, claims={"source": SOURCE, "regency": REGENCY}
        ),
    )
    file = _file(folder)
    file.with_suffix(".new").touch(mode=0o600)
    write_whole(file, json.dumps(asdict(known), indent=2) + "\n")
    return file


def remove_development(folder: Path) -> None:
    """Nothing answers there any more."""
    _file(folder).unlink(missing_ok=True)


def every_scope() -> tuple[str, ...]:
    """All that a token can allow."""
    submissions = [message for message in MESSAGES.values() if issubclass(message, Submission)]
    return (*map(submit_scope, submissions), *READ_SCOPES)


def _file(folder: Path) -> Path:
    return folder / "dev.json"
