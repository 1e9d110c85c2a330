"""Wires assignment's tables together; `berbagi serve assignment` runs it."""

from dataclasses import replace

from fastapi import FastAPI

import policies
from messaging import Settings, create_service
from services.assignment import CARD, api
from services.assignment.handlers import handlers
from services.assignment.jobs import jobs


def create_app(settings: Settings) -> FastAPI:
    """Assignment as one ASGI application."""
    known = policies.load()
    card = replace(CARD, regencies=frozenset(known))
    return create_service(card, handlers(known), jobs(known), api.router, settings)
