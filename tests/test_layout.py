"""The code keeps to the architecture, and every rule of `tests/layout.py` bites."""

import re

import pytest

from contracts.topics import SERVICES
from tests import layout
from tests.layout import ROOT, SERVICE_FILES, Rule, source, sources

DOMAIN = "services/registry/domain.py"
HANDLERS = "services/registry/handlers.py"
BREACHES = [
    (layout.imports_go_one_way, "contracts/events.py", "import messaging"),
    (layout.imports_go_one_way, "messaging/consumer.py", "from services.registry import domain"),
    (layout.imports_go_one_way, HANDLERS, "from operations import cli"),
    (layout.imports_go_one_way, HANDLERS, "from services.assignment.domain import distance"),
    (layout.imports_go_one_way, HANDLERS, "from services import assignment"),
    (layout.imports_go_one_way, HANDLERS, "def late():\n    import services.assignment.store"),
    (layout.contracts_need_only_pydantic, "contracts/events.py", "import orjson"),
    (layout.domain_files_are_pure, DOMAIN, "import asyncio"),
    (layout.domain_files_are_pure, DOMAIN, "import httpx"),
    (layout.domain_files_are_pure, DOMAIN, "from messaging import Accepted"),
    (layout.domain_files_are_pure, DOMAIN, "async def decide(): ..."),
    (layout.domain_files_are_pure, DOMAIN, "due = date.today()"),
    (layout.domain_files_are_pure, "services/distribution/proof.py", "proof_id = uuid4()"),
    (layout.sql_stays_in_stores, HANDLERS, "import asyncpg"),
    (layout.sql_stays_in_stores, HANDLERS, "from asyncpg import Record"),
    (layout.sql_stays_in_stores, HANDLERS, "QUERY = 'select id from households'"),
    (layout.sql_stays_in_stores, HANDLERS, 'QUERY = """\n  insert into lots (id) values ($1)"""'),
    (layout.sql_is_not_built, "services/registry/store.py", "query = f'select id from {table}'"),
    (layout.sql_is_not_built, "services/registry/store.py", "query = 'select id from ' + table"),
    (layout.sql_is_not_built, "messaging/outbox.py", "query = 'delete from %s' % table"),
    (layout.sql_is_not_built, "messaging/outbox.py", "query = 'delete from {}'.format(table)"),
    (layout.columns_are_named, "services/registry/store.py", "query = 'SELECT * from lots'"),
    (layout.columns_are_named, "services/registry/store.py", "query = 'select lots.* from lots'"),
    (layout.the_environment_is_read_in_one_place, HANDLERS, "import os\nos.environ['BERBAGI_KAFKA']"),
    (layout.the_environment_is_read_in_one_place, HANDLERS, "from os import environ as outside"),
    (layout.the_environment_is_read_in_one_place, HANDLERS, "import os\nos.getenv('BERBAGI_KAFKA')"),
    (layout.files_are_short, HANDLERS, "'''Long.'''\n" + "a = 1\n" * 300),
    (layout.handlers_are_named_after_events, HANDLERS, "async def register(): ..."),
    (layout.names_say_what_is_inside, "messaging/utils.py", ""),
    (layout.names_say_what_is_inside, "services/common/domain.py", ""),
    (layout.only_messaging_catches_everything, HANDLERS, "try: ...\nexcept Exception: ..."),
    (layout.only_messaging_catches_everything, HANDLERS, "try: ...\nexcept (ValueError, Exception): ..."),
    (layout.only_messaging_catches_everything, HANDLERS, "try: ...\nexcept: ..."),
]
ALLOWED = [
    (layout.imports_go_one_way, HANDLERS, "from services.registry import domain, store"),
    (layout.domain_files_are_pure, "services/notifications/channels.py", "import httpx"),
    (layout.domain_files_are_pure, DOMAIN, "from dataclasses import dataclass\nimport lokal"),
    (layout.sql_stays_in_stores, HANDLERS, '"""Select a carer from those with room."""'),
    (layout.sql_stays_in_stores, "services/distribution/stock_store.py", "import asyncpg"),
    (layout.columns_are_named, "services/registry/store.py", "query = 'select count(*) from lots'"),
    (layout.columns_are_named, "messaging/inbox.py", "query = 'insert into a (b) select * from unnest($1::uuid[])'"),
    (layout.files_are_short, HANDLERS, f"'''{layout.REASON} it is a table.'''\n" + "a = 1\n" * 300),
    (layout.only_messaging_catches_everything, "operations/cli.py", "try: ...\nexcept BaseException:\n    raise"),
]


@pytest.mark.parametrize("rule", layout.RULES, ids=lambda rule: rule.__name__)
def test_the_code_keeps_to(rule: Rule) -> None:
    breaches = [f"{file.path}: {breach}" for file in sources() for breach in rule(file)]

    assert breaches == []


@pytest.mark.parametrize(("rule", "path", "text"), BREACHES)
def test_a_breach_is_found(rule: Rule, path: str, text: str) -> None:
    assert list(rule(source(path, text))) != []


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED)
def test_what_is_right_is_left_alone(rule: Rule, path: str, text: str) -> None:
    assert list(rule(source(path, text))) == []


def test_every_rule_is_seen_to_bite() -> None:
    assert {rule for rule, _, _ in BREACHES} == set(layout.RULES)


def test_tests_are_short_too() -> None:
    tests = sorted((ROOT / "tests").rglob("*.py"))

    long = [breach for path in tests for breach in layout.files_are_short(source(path.name, path.read_text("utf-8")))]

    assert long == []


def test_services_have_the_same_files() -> None:
    present = {name: {path.name for path in (ROOT / "services" / name).glob("*.py")} for name in SERVICES}

    missing = {name: SERVICE_FILES - files for name, files in present.items() if files and SERVICE_FILES - files}

    assert missing == {}


def test_migrations_are_numbered_and_name_their_columns() -> None:
    files = [path for folder in ("messaging", "services") for path in (ROOT / folder).rglob("migrations/*.sql")]

    assert [path.name for path in files if not re.fullmatch(r"\d{3}_[a-z0-9_]+\.sql", path.name)] == []
    assert [path.name for path in files if layout.EVERY_COLUMN.search(path.read_text("utf-8"))] == []
