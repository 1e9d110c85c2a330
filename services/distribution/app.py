"""Wires distribution's tables together; `berbagi serve distribution` runs it."""

from fastapi import FastAPI

import policies
from messaging import Settings, create_service
from services.distribution import CARD, api
from services.distribution.handlers import handlers
from services.distribution.jobs import jobs


def create_app(settings: Settings) -> FastAPI:
    """Distribution as one ASGI application."""
    known = policies.load()
    return create_service(CARD, handlers(known), jobs(known), api.router, settings)
