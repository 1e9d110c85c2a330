"""Kafka's jars: a reviewed list with SHA-256, fetched once in parallel into the cache, checked at every start."""

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from operations.errors import CommandError

LIST = Path(__file__).with_name("kafka-jars.txt")
DOWNLOADS = 8
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Jar:
    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.group}.{self.artifact}-{self.version}.jar"


def read_list(text: str) -> list[Jar]:
    return [_read_line(line) for line in text.splitlines() if line and not line.startswith("#")]


def kafka_jars(cache: Path) -> list[Path]:
    """The paths of all jars in the cache, after fetching the missing ones."""
    folder = cache / "kafka"
    folder.mkdir(parents=True, exist_ok=True)
    jars = read_list(LIST.read_text())
    with ThreadPoolExecutor(DOWNLOADS) as pool:
        present = list(pool.map(lambda jar: is_genuine(folder / jar.file_name, jar), jars))
    missing = [jar for jar, there in zip(jars, present, strict=True) if not there]
    if missing:
        _fetch(missing, folder)
    return [folder / jar.file_name for jar in jars]


def _read_line(line: str) -> Jar:
    coordinates, sha256 = line.split()
    group, artifact, version = coordinates.split(":")
    return Jar(group, artifact, version, sha256)


def is_genuine(path: Path, jar: Jar) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256


def _fetch(jars: list[Jar], folder: Path) -> None:
    from jgo.maven import MavenContext, PythonResolver
    from rich.console import Console
    from rich.progress import track

    with tempfile.TemporaryDirectory(dir=folder) as download, ThreadPoolExecutor(DOWNLOADS) as pool:
        maven = MavenContext(PythonResolver(), repo_cache=Path(download), timeout=TIMEOUT_SECONDS)

        def fetch(jar: Jar) -> None:
            # Each by its exact version: asked for several at once, jgo lets one change another's version.
            path = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
            if not is_genuine(path, jar):
                raise CommandError(f"{jar.file_name} is not the file that was reviewed: its SHA-256 differs")
            path.replace(folder / jar.file_name)  # whole or not at all: other stacks may be reading

        results = pool.map(fetch, jars)
        try:
            for _ in track(results, "Fetching Kafka", len(jars), console=Console(stderr=True)):
                pass
        except (OSError, RuntimeError) as error:
            raise CommandError("Kafka's jars could not be fetched: is the network there?") from error
