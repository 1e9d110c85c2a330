"""`berbagi topics`: the topics that services and integrators speak on."""

import asyncio

import typer

from operations import environment
from operations.commands.stack import FOLDER, Folder
from operations.errors import CommandError


def topics(folder: Folder = FOLDER) -> None:
    """Create the topics that are missing; say where one differs from the table, and change none."""
    from messaging.errors import SettingsError
    from messaging.settings import KafkaSettings, read_kafka_settings
    from operations.development import find_stack
    from operations.topics import create_topics

    try:
        named = environment.kafka_address() is not None
        settings = read_kafka_settings() if named else KafkaSettings(kafka=find_stack(folder).bootstrap_servers)
    except SettingsError as error:
        raise CommandError(str(error)) from None
    done = asyncio.run(create_topics(settings))
    for name in done.created:
        typer.echo(f"created {name}")
    for sentence in done.differing:
        typer.echo(f"differs: {sentence}")
    if not done.created and not done.differing:
        typer.echo("Every topic is there, as it should be.")
