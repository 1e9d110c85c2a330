"""Wires the tables of notifications together; `berbagi serve notifications` runs it."""

from dataclasses import replace

from fastapi import FastAPI

import policies
from messaging import Settings, create_service
from services.notifications import CARD, texts
from services.notifications.api import make_router
from services.notifications.channels import Channel, FileChannel, WebhookChannel
from services.notifications.handlers import handlers
from services.notifications.jobs import jobs


def create_app(settings: Settings) -> FastAPI:
    """Notifications as one ASGI application."""
    known = policies.load()
    channels: dict[str, Channel] = {
        "file": FileChannel(settings.messages_file),
        "webhook": WebhookChannel({regency: policy.webhook for regency, policy in known.items()}),
    }
    return create_service(
        replace(CARD, regencies=frozenset(known)),
        handlers(known),
        jobs(known, texts.load(), channels),
        router=make_router(known),
        settings=settings,
    )
