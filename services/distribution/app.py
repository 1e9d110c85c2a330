"""Wires distribution's tables together; `berbagi serve distribution` runs it."""

from dataclasses import replace

from fastapi import FastAPI

import policies
from messaging import Settings, create_service
from services.distribution import CARD, api
from services.distribution.handlers import handlers
from services.distribution.jobs import jobs


def create_app(settings: Settings) -> FastAPI:
    """Distribution as one ASGI application."""
    known = policies.load()
    card = replace(CARD, regencies=frozenset(known))
    return create_service(card, handlers(known), jobs(known), api.router, settings)
