"""Writes the environment files of compose.yaml into a folder, once, with random passwords and keys."""

import secrets
import sys
from pathlib import Path

from contracts.topics import SERVICES
from operations.keys import KEYS_FOLDER, development_keys
from operations.stacks import AUDITOR

SERVER = "postgres:5432"


def main(folder: Path) -> None:
    """Leave what is there as it is: a new password would not open the database that has the old one."""
    keys = development_keys(folder / KEYS_FOLDER)
    if (folder / "postgres.env").exists():
        return
    passwords = {name: secrets.token_urlsafe(24) for name in ("postgres", AUDITOR, *SERVICES)}
    urls = {name: f"postgresql://{name}:{word}@{SERVER}/{name}" for name, word in passwords.items()}
    for name in SERVICES:
        _write(folder, name, {"BERBAGI_DATABASE_URL": urls[name], "BERBAGI_DATA_KEY": keys.services[name]})
    addresses = {f"BERBAGI_{name.upper()}_DATABASE": urls[name] for name in (*SERVICES, AUDITOR)}
    _write(folder, "prepare", addresses | {"BERBAGI_ADMINISTRATOR_DATABASE": urls["postgres"]})
    _write(folder, "postgres", {"POSTGRES_PASSWORD": passwords["postgres"]})


def _write(folder: Path, name: str, variables: dict[str, str]) -> None:
    file = folder / f"{name}.env"
    file.touch(mode=0o600)
    file.write_text("".join(f"{variable}={value}\n" for variable, value in variables.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
