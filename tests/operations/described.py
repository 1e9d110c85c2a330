"""What Kafka says of a topic."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from operations.stacks import Stack

NAMES = ("retention.ms", "cleanup.policy", "message.timestamp.type", "min.insync.replicas")


async def topic_configs(stack: Stack, topic: str, partitions: int) -> dict[str, str]:
    """Some of its properties; it must have that many partitions."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    await admin.start()
    try:
        (described,) = await admin.describe_topics([topic])
        assert len(described["partitions"]) == partitions
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, dict.fromkeys(NAMES))
        ((_, _, _, _, entries),) = (await admin.describe_configs([resource]))[0].resources
        return {entry[0]: entry[1] for entry in entries}
    finally:
        await admin.close()
