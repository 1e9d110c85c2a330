"""A service: messaging's routes and its own around one engine."""

import signal
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import uvicorn
from fastapi import APIRouter, FastAPI

from messaging.engine import Engine
from messaging.failpoints import arm
from messaging.http import add_routes
from messaging.jobs import Job
from messaging.logs import configure_logs
from messaging.messages import Card, Handlers
from messaging.settings import Settings

_FINISH_SECONDS = 10


def create_service(
    card: Card, handlers: Handlers, jobs: Collection[Job], router: APIRouter, settings: Settings
) -> FastAPI:
    """Wire a service; it opens its database and joins its consumer group when it is served."""
    configure_logs(card.name)
    arm(settings.failpoints)
    engine = Engine(card, handlers, jobs, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        engine.start()
        yield
        await engine.stop()

    app = FastAPI(title=card.name, description=card.decides, lifespan=lifespan)
    app.state.engine = engine
    app.include_router(router)
    add_routes(app)
    return app


def serve(app: FastAPI, settings: Settings) -> int:
    """Serve until SIGTERM; the exit code: 0 when told to leave, 70 when only a restart helps."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_FINISH_SECONDS,
        )
    )
    # uvicorn raises the signal again when it is done, which would turn a tidy exit into a death by signal.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    server.run()
    engine: Engine = app.state.engine
    return engine.health.exit_code
