"""Wires the registry's tables together; `berbagi serve registry` runs it."""

import base64
from dataclasses import replace

from fastapi import FastAPI

import policies
from messaging import Settings, create_service
from services.registry import CARD, api
from services.registry.handlers import handlers
from services.registry.jobs import JOBS
from services.registry.vault import Vault


def create_app(settings: Settings) -> FastAPI:
    """The registry as one ASGI application."""
    known = policies.load()
    vault = Vault(base64.b64decode(settings.data_key.get_secret_value()))
    card = replace(CARD, regencies=frozenset(known))
    app = create_service(card, handlers(known, vault), JOBS, api.router, settings)
    app.state.vault = vault
    return app
