"""Wires the registry's tables together; `berbagi serve registry` runs it."""

import base64

from fastapi import FastAPI

import policies
from messaging import Settings, create_service
from services.registry import CARD, api
from services.registry.handlers import handlers
from services.registry.jobs import JOBS
from services.registry.vault import Vault


def create_app(settings: Settings) -> FastAPI:
    """The registry as one ASGI application."""
    vault = Vault(base64.b64decode(settings.data_key.get_secret_value()))
    app = create_service(CARD, handlers(policies.load(), vault), JOBS, api.router, settings)
    app.state.vault = vault
    return app
