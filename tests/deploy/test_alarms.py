"""`deploy/prometheus/alarms.yml`: every alarm goes off, and leads to help that there is."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import REGISTRY

import messaging.metrics  # noqa: F401  # registers them

ROOT = Path(__file__).parents[2]
ALARMS = ROOT / "deploy" / "prometheus" / "alarms.yml"
OURS = "berbagi_messaging_"
RISES, STAYS = "0+1x180", "7x180"
# A metric, its labels beside the service, values every ten seconds that set it off in half an hour, and that do not.
SERIES: Final = {
    "ServiceDown": ("up", {"job": "berbagi"}, "0x180", "1x180"),
    "ConsumerStopped": ("breaker_open", {}, "1x180", "0x180"),
    "MessagesFail": ("quarantine_open_messages", {"reason": "bug"}, "1x180", "0x180"),
    "FactsUnreadable": (
        "messages_total",
        {"type": "id.berbagi.visit-reported.v1", "outcome": "quarantined"},
        RISES,
        STAYS,
    ),
    "ConsumerBehind": ("lag_seconds", {"topic": "visit-events"}, "301x180", "300x180"),
    "FactsStayInOutbox": ("outbox_oldest_seconds", {}, "61x180", "60x180"),
    "RelayWithoutLeader": ("relay_leader", {}, "0x180", "1x180"),
    "SubmissionsWait": ("parked_oldest_seconds", {}, "3601x180", "3600x180"),
    "ParkedCannotBeOpened": ("parked_unopened_total", {}, RISES, STAYS),
    "JobFails": ("job_last_success_timestamp_seconds", {"exported_job": "watch_clocks"}, "1190x180", "1200x180"),
    "PruningFails": ("job_last_success_timestamp_seconds", {"exported_job": "prune"}, "-5401x180", "-5400x180"),
    "TriedAgainForLong": ("retries_total", {"error": "ConnectionResetError"}, RISES, STAYS),
}


def alarms() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALARMS.read_text())["groups"] for rule in group["rules"]]


def test_every_alarm_is_of_metrics_that_there_are() -> None:
    named = set(re.findall(OURS + r"\w+", ALARMS.read_text()))
    there = {one.name + ("_total" if one.type == "counter" else "") for one in REGISTRY.collect()}

    assert named - there == set()


def test_every_alarm_leads_to_a_section_of_the_runbook() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    sections = {re.sub(r"[^a-z -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert {rule["annotations"]["runbook"] for rule in alarms()} - sections == set()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
def test_every_alarm_goes_off_when_it_should_and_only_then(tmp_path: Path) -> None:
    """Fails when: an expression asks for labels that a metric has not, or waits for longer than anybody would."""
    promtool = shutil.which("promtool")
    assert promtool is not None
    tests = [_half_an_hour(name, goes=goes) for name in SERIES for goes in (True, False)]
    file = tmp_path / "alarms.test.json"  # YAML too
    file.write_text(json.dumps({"rule_files": [str(ALARMS)], "evaluation_interval": "10s", "tests": tests}))

    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False)

    assert set(SERIES) == {rule["alert"] for rule in alarms()}
    assert done.returncode == 0, done.stderr + done.stdout


def _half_an_hour(name: str, *, goes: bool) -> dict[str, Any]:
    metric, labels, loud, quiet = SERIES[name]
    inside = ",".join(f'{key}="{value}"' for key, value in {"service": "notifications", **labels}.items())
    series = f"{'' if metric == 'up' else OURS}{metric}{{{inside}}}"
    firing = {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": "30m",
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1}] if goes else [],
    }
    return {
        "name": name,
        "interval": "10s",
        "input_series": [{"series": series, "values": loud if goes else quiet}],
        "promql_expr_test": [firing],
    }
