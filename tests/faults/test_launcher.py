"""A service of the fault runs lives in short sessions and in another hour."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

ASK = """
from tests.faults.launcher import set_clock_wrong, shorten_sessions
shorten_sessions()
set_clock_wrong("registry", -5)
from aiokafka import AIOKafkaConsumer
from messaging import consumer, jobs
import asyncio
async def ask():
    short = AIOKafkaConsumer(group_id="g", session_timeout_ms=10_000)
    print(jobs.datetime.now(jobs.UTC).isoformat(), consumer.time.time(), short._session_timeout_ms)
asyncio.run(ask())
"""


def test_its_clock_is_wrong_and_its_session_short() -> None:
    said = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True).stdout.split()

    now = datetime.now(UTC) - timedelta(hours=5)
    assert datetime.fromisoformat(said[0]).timestamp() == pytest.approx(now.timestamp(), abs=60)
    assert float(said[1]) == pytest.approx(now.timestamp(), abs=60)
    assert said[2] == "6000"
