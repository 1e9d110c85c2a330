"""A Kafka and databases that are there already; their addresses are in the environment."""

from contracts.topics import SERVICES
from operations import environment
from operations.errors import CommandError
from operations.stacks import AUDITOR, Stack, url_of

NEEDED = "BERBAGI_KAFKA and BERBAGI_<SERVICE>_DATABASE for " + ", ".join(SERVICES)


def find_stack() -> Stack | None:
    """None when the environment names nothing; some addresses without the others are a mistake."""
    kafka = environment.kafka_address()
    found = {name: environment.database_address(name) for name in SERVICES}
    databases = {name: url for name, url in found.items() if url is not None}
    if kafka is None and not databases:
        return None
    if kafka is None or len(databases) < len(SERVICES):
        raise CommandError(f"only some addresses are set; needed are {NEEDED}")
    auditor = environment.database_address(AUDITOR)
    return Stack(
        bootstrap_servers=kafka,
        administrator=environment.database_address("administrator"),
        databases=databases,
        audited_databases={name: url_of(auditor, name) for name in SERVICES} if auditor else {},
    )
