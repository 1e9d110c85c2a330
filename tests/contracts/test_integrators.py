"""docs/integrators.md: its tables say what the contracts say, its program runs."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from contracts.envelope import from_headers
from contracts.refusals import RefusalCode, sentence
from contracts.submissions import Submission, VisitSubmitted
from contracts.topics import MESSAGES, topic_of
from messaging.tokens import submit_scope
from operations.stacks import Stack

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "integrators.md").read_text()


def section(name: str) -> str:
    """What stands between <!-- name --> and <!-- /name -->."""
    _, _, rest = PAGE.partition(f"<!-- {name} -->\n")
    return rest.partition(f"<!-- /{name} -->")[0]


def test_the_table_of_submissions_is_the_contracts() -> None:
    rows = [
        f"| `{message.type.split('.')[2]}` | {message.service} | `{message.keyed_by}` | `{submit_scope(message)}` |\n"
        for message in MESSAGES.values()
        if issubclass(message, Submission)
    ]

    assert section("submissions") == "| name | service | subject | scope |\n|---|---|---|---|\n" + "".join(rows)


def test_the_table_of_refusals_is_the_contracts() -> None:
    rows = [f"| `{code}` | {sentence(code)} |\n" for code in RefusalCode]

    assert section("refusals") == "| code | sentence |\n|---|---|\n" + "".join(rows)


async def test_the_program_submits_a_visit_over_kafka(stack: Stack, topic_prefix: str) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    topic = topic_prefix + topic_of(VisitSubmitted).name
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    await admin.close()

    ran = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program.replace(topic_of(VisitSubmitted).name, topic)],
        cwd=ROOT,
        env=os.environ | {"BERBAGI_KAFKA": stack.bootstrap_servers},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        record = await consumer.getone()
    envelope = from_headers(record.headers)
    assert (envelope.type, envelope.subject.encode()) == (VisitSubmitted.type, record.key)
    assert VisitSubmitted.model_validate_json(record.value).subject == envelope.subject
