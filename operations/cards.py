"""What a service is, says and hears, without starting it."""

from importlib import import_module

from messaging import Card


def card_of(service: str) -> Card:
    """The card in its package."""
    card: Card = import_module(f"services.{service}").CARD
    return card
