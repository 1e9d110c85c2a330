"""Wires the registry's tables together; `berbagi serve registry` runs it."""

from fastapi import FastAPI

import policies
from messaging import Settings, create_service
from services.registry import CARD, api
from services.registry.handlers import handlers
from services.registry.vault import Vault


def create_app(settings: Settings) -> FastAPI:
    """The registry as one ASGI application."""
    return create_service(
        CARD, handlers(policies.load(), Vault(settings.key())), jobs=(), router=api.router, settings=settings
    )
