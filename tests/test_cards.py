"""A service's card is true: it consumes what it has handlers for, and emits what it says and its topics carry."""

import ast
from importlib import import_module

import pytest

import policies
from contracts.events import Fact
from contracts.topics import MESSAGES, SERVICES, topic_of
from messaging import Card
from services.assignment.handlers import handlers as assignment
from services.distribution.handlers import handlers as distribution
from services.notifications.handlers import handlers as notifications
from services.registry.handlers import handlers as registry
from services.registry.vault import Vault
from tests.layout import sources

POLICIES = policies.load()
FACTS = {message.__name__ for message in MESSAGES.values() if issubclass(message, Fact)}
HANDLERS = {
    "registry": registry(POLICIES, Vault(bytes(32))),
    "assignment": assignment(POLICIES),
    "distribution": distribution(POLICIES),
    "notifications": notifications(POLICIES),
}


def card(service: str) -> Card:
    found = import_module(f"services.{service}").CARD
    assert isinstance(found, Card)
    return found


def named_in(service: str, kind: type[ast.Call] | type[ast.expr]) -> set[str]:
    """Names in the code of a service: all of them, or those that are called."""
    files = [file for file in sources() if file.service == service and file.path.name != "__init__.py"]
    nodes = [node for file in files for node in ast.walk(file.tree) if isinstance(node, kind)]
    named = [node.func if isinstance(node, ast.Call) else node for node in nodes]
    return {node.id if isinstance(node, ast.Name) else getattr(node, "attr", "") for node in named}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_consumes_what_it_has_handlers_for(service: str) -> None:
    assert set(card(service).consumes) == set(HANDLERS[service])
    assert {message for message in HANDLERS[service] if service not in topic_of(message).consumers} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_emits_what_its_topics_carry_and_its_code_makes(service: str) -> None:
    emitted = card(service).emits

    assert {fact for fact in emitted if service not in topic_of(fact).producers} == set()
    assert {fact.__name__ for fact in emitted} - named_in(service, ast.expr) == set()
    assert FACTS & named_in(service, ast.Call) - {fact.__name__ for fact in emitted} == set()
