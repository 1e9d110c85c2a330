"""Kafka and PostgreSQL in containers, through testcontainers. Written where no engine answers: it has not run yet."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from operations.errors import CommandError
from operations.stacks import Stack, stack_at

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:18"


@contextmanager
def running(session_milliseconds: int) -> Iterator[Stack]:
    from docker.errors import DockerException
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    from operations.stacks.database_store import create_databases
    from operations.stacks.kafka import STARTED, broker_properties
    from operations.stacks.postgres import SETTINGS
    from operations.stacks.program import free_ports

    kafka_port, controller_port, postgres_port = free_ports(3)
    properties = broker_properties(1, [kafka_port, controller_port], "/tmp/kafka", session_milliseconds)  # noqa: S108 (in the container)
    variables = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in properties.items()}
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with ExitStack() as containers:
        try:
            containers.enter_context(
                DockerContainer(KAFKA_IMAGE)
                .with_envs(
                    **variables | {"KAFKA_LISTENERS": f"PLAINTEXT://:{kafka_port},CONTROLLER://:{controller_port}"}
                )
                .with_bind_ports(kafka_port, kafka_port)
                .waiting_for(LogMessageWaitStrategy(STARTED))
            )
            containers.enter_context(
                DockerContainer(POSTGRES_IMAGE)
                .with_envs(POSTGRES_HOST_AUTH_METHOD="trust")
                .with_command(["postgres", *options, "-c", "listen_addresses=*"])
                .with_bind_ports(5432, postgres_port)
                .waiting_for(LogMessageWaitStrategy("ready to accept connections").with_startup_timeout(60))
            )
        except DockerException as error:
            raise CommandError("no container engine answers here; STACK=local needs none") from error
        administrator = f"postgresql://postgres@127.0.0.1:{postgres_port}/postgres"
        asyncio.run(create_databases(administrator))
        yield stack_at(f"127.0.0.1:{kafka_port}", administrator)
