"""`berbagi contracts`: JSON Schemas and the AsyncAPI description, made from the classes and the topic table.

A schema in git's last commit is a promise to its readers: a change that would break one is refused and has to become a
new `.v2` beside the old, so deleting the file or writing it by hand does not help. What nobody reads yet is taken back
by removing its schema in a commit of its own first.
"""

import io
import json
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contracts.topics import MESSAGES
from operations.asyncapi import asyncapi_yaml
from operations.compatibility import would_break
from operations.errors import CommandError
from operations.schemas import Message, file_name, schema_of, undescribed

CONTRACTS: Final = Path(__file__).parents[1] / "contracts"


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is made from the contracts; `path` is relative to their folder."""

    path: str
    text: str


def refresh(folder: Path = CONTRACTS, *, check: bool = False) -> str:
    """Write every document that is stale and say how many; with `check`, raise instead of writing.

    Raises CommandError when a field lacks its description or a committed schema's readers would break.
    """
    bare = [path for message in MESSAGES.values() for path in undescribed(schema_of(message))]
    if bare:
        raise CommandError(f"These fields need a description: {', '.join(bare)}.")
    broken = _broken(folder)
    if broken:
        raise CommandError(f"Readers of {', '.join(broken)} would break: make a new version beside the old one.")
    stale = [document for document in documents() if _text(folder / document.path) != document.text]
    orphans = _orphans(folder)
    if check and (stale or orphans):
        names = ", ".join([document.path for document in stale] + [path.name for path in orphans])
        raise CommandError(f"Not fresh in contracts/: {names}. Run `make contracts`.")
    for document in stale:
        (folder / document.path).parent.mkdir(exist_ok=True)
        (folder / document.path).write_text(document.text, encoding="utf-8")
    for path in orphans:
        path.unlink()
    return f"{len(MESSAGES)} messages; {len(stale)} files written, {len(orphans)} removed."


def documents() -> tuple[Document, ...]:
    """Every file that is made from the classes and the topic table."""
    schemas = [Document(f"schemas/{file_name(message)}", _json(schema_of(message))) for message in MESSAGES.values()]
    return (*schemas, Document("asyncapi.yaml", asyncapi_yaml()))


def _broken(folder: Path) -> list[str]:
    """Names of committed schemas whose readers the classes of now would break."""
    fresh: dict[str, Message] = {file_name(message): message for message in MESSAGES.values()}
    return [
        name.removesuffix(".json")
        for name, committed in _committed(folder)
        if name not in fresh or would_break(committed, fresh[name])
    ]


def _committed(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Name and content of every schema in git's last commit."""
    git = shutil.which("git")
    if git is None:
        raise CommandError("git is needed, to compare with the schemas of the last commit.")
    answer = subprocess.run([git, "archive", "HEAD", "."], cwd=folder, capture_output=True, check=False)
    if answer.returncode != 0:
        raise CommandError("The contracts are compared with git's last commit, and there is none here.")
    with tarfile.open(fileobj=io.BytesIO(answer.stdout)) as archive:
        schemas = [member for member in archive if member.isfile() and member.name.startswith("schemas/")]
        files = [(Path(member.name).name, archive.extractfile(member)) for member in schemas]
        return [(name, json.load(file)) for name, file in files if file is not None]


def _orphans(folder: Path) -> list[Path]:
    """Schemas that no message has."""
    names = {file_name(message) for message in MESSAGES.values()}
    return sorted(path for path in (folder / "schemas").glob("*") if path.name not in names)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
