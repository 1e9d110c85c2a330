"""How messages travel, written once. The promise:

1. A handler's reads, writes, outgoing events and the mark "seen" commit together or not at all.
2. A message delivered twice has one effect, whoever sent it twice.
3. A fact is published after its commit, at least once; the first occurrences of one aggregate's versions appear in
   ascending order (lock its row before you return its events; one relay publishes for a database).
4. Order between topics is never assumed: store facts as they come and join when deciding. A submission that needs
   something not yet here is parked, later ones of its subject behind it; it is woken when that arrives, swept every
   2 seconds as a net, and refused (`expired`) after 7 days.
5. What can be read but not accepted is refused to its sender. What cannot be read, and what is read but fails, is
   quarantined, encrypted, with a reason; the rest of its batch goes through. Nothing is dropped.
6. Infrastructure away: tried again for as long as it takes. Bad data: once more alone, then quarantined. A bug: ten
   tries, then quarantined. Too many failures (over 20 and over 5 % of the last 1,000): the consumer stops.
7. On SIGTERM or rebalance the running batch finishes and commits; after kill -9 it is done again without a second
   effect; a zombie's late commit is fenced by constraints and the inbox.

A service is a `Card`, its `Handlers`, its `Job`s and a router, wired by `create_service`. A handler gets messages of
distinct subjects and a connection inside the batch's transaction, and returns one `Outcome` a message, in order.
"""

from messaging.database import Connection, Pool
from messaging.errors import SettingsError
from messaging.http import Caller, Database, Problem, require
from messaging.ids import new_ids
from messaging.jobs import Job, JobRun, Write
from messaging.messages import (
    Accepted,
    Card,
    Handler,
    Handlers,
    Outcome,
    Parked,
    Received,
    Refused,
    Unchanged,
)
from messaging.service import create_service, serve
from messaging.settings import Settings, read_settings
from messaging.tokens import Token

__all__ = [
    "Accepted",
    "Caller",
    "Card",
    "Connection",
    "Database",
    "Handler",
    "Handlers",
    "Job",
    "JobRun",
    "Outcome",
    "Parked",
    "Pool",
    "Problem",
    "Received",
    "Refused",
    "Settings",
    "SettingsError",
    "Token",
    "Unchanged",
    "Write",
    "create_service",
    "new_ids",
    "read_settings",
    "require",
    "serve",
]
