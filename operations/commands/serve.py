"""`berbagi serve`: one service in this process; the environment is its settings."""

import os
import socket
import sys
from typing import Annotated

import typer

from operations.errors import CommandError


def serve(name: Annotated[str, typer.Argument(help="registry, assignment, distribution or notifications")]) -> None:
    """Run a service until SIGTERM.

    Exit code 2: it was told something wrong; 70: only a restart helps; 71: it could not stop when told to.
    """
    from contracts.topics import SERVICES

    if name not in SERVICES:
        raise CommandError(f"no service is called {name}; there are {', '.join(SERVICES)}")

    from importlib import import_module

    import messaging

    try:
        settings = messaging.read_settings()
        _check_port(settings.host, settings.port)
        app = import_module(f"services.{name}.app").create_app(settings)
    except messaging.SettingsError as error:
        raise CommandError(str(error)) from None
    sys.exit(messaging.serve(app, settings))


def _check_port(host: str, port: int) -> None:
    """Here, for the server itself would say it in a traceback."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise CommandError(f"cannot listen on port {port} of {host}: {reason}") from None
