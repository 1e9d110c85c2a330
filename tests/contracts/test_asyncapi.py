"""contracts/asyncapi.yaml: valid by AsyncAPI's own parser, and the topic table in full."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.topics import MESSAGES, TOPICS, consumed_by
from operations.schemas import wire_name

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "contracts" / "asyncapi.yaml"
PARSER = ROOT / ".ci" / "node_modules" / "@asyncapi" / "parser"  # put there by .ci/run
PROGRAM = """
const { Parser, fromFile } = require(process.argv[1]);
fromFile(new Parser(), process.argv[2]).parse().then(({ document, diagnostics }) => {
  diagnostics.forEach((found) => console.log(found.code, found.path.join("/"), found.message));
  process.exit(document && diagnostics.length === 0 ? 0 : 1);
});
"""


@pytest.fixture(scope="module")
def description() -> Any:
    return yaml.safe_load(DOCUMENT.read_text())


@pytest.mark.skipif(
    shutil.which("node") is None or not PARSER.exists(),
    reason="needs node and @asyncapi/parser in .ci/node_modules, which .ci/run installs",
)
def test_the_description_is_valid_by_asyncapis_own_parser() -> None:
    answer = subprocess.run(
        [str(shutil.which("node")), "-e", PROGRAM, str(PARSER), str(DOCUMENT)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (answer.returncode, answer.stdout) == (0, "")


def test_every_topic_is_a_channel_with_its_messages(description: Any) -> None:
    told = {
        name: (
            set(channel["messages"]),
            channel["bindings"]["kafka"]["partitions"],
            channel["bindings"]["kafka"]["topicConfiguration"]["retention.ms"],
            channel["x-key"],
            channel["x-sensitive"],
        )
        for name, channel in description["channels"].items()
    }

    assert told == {
        topic.name: (
            {wire_name(message) for message in topic.messages},
            topic.partitions,
            int(topic.retention.total_seconds() * 1000) if topic.retention else -1,
            topic.key,
            topic.sensitive,
        )
        for topic in TOPICS
    }


def test_every_service_sends_and_receives_what_the_table_says(description: Any) -> None:
    told = {
        (operation["tags"][0]["name"], operation["action"], operation["channel"]["$ref"].rpartition("/")[2])
        for operation in description["operations"].values()
    }

    services = ("registry", "assignment", "distribution", "notifications")
    sends = {(service, "send", topic.name) for service in services for topic in TOPICS if service in topic.producers}
    receives = {(service, "receive", topic.name) for service in services for topic in consumed_by(service)}
    assert told == sends | receives


def test_every_payload_is_a_committed_schema(description: Any) -> None:
    payloads = {message["payload"]["$ref"] for message in description["components"]["messages"].values()}

    assert len(payloads) == len(MESSAGES)
    assert all((DOCUMENT.parent / payload).exists() for payload in payloads)
