"""The relay alone, as every service runs it."""

import asyncio

import uvloop

from messaging.relay import Relay
from messaging.settings import read_settings
from tests.bench.machinery import say_ready

if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        say_ready()
        runner.run(Relay(read_settings(), "assignment").run())
