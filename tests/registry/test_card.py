"""The card of the registry says what its tables do."""

import policies
from services.registry import CARD
from services.registry.handlers import handlers
from services.registry.vault import Vault


def test_the_card_names_every_message_that_is_handled() -> None:
    assert list(handlers(policies.load(), Vault(bytes(32)))) == list(CARD.consumes)
