"""Wires assignment's tables together; `berbagi serve assignment` runs it."""

from fastapi import FastAPI

import policies
from messaging import Settings, create_service
from services.assignment import CARD, api
from services.assignment.handlers import handlers
from services.assignment.jobs import jobs


def create_app(settings: Settings) -> FastAPI:
    """Assignment as one ASGI application."""
    known = policies.load()
    return create_service(CARD, handlers(known), jobs=jobs(known), router=api.router, settings=settings)
