"""The stock ledger (rule 13): accounts, moves between them, and what they add up to. Pure.

Units of a lot stand in accounts at depots. A move takes them from one account to another; `received` and `found` are
where goods come from, so they grow when units leave them: what came in equals what is somewhere, move by move.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class Account(StrEnum):
    """Where units of a lot stand."""

    RECEIVED = "received"
    FOUND = "found"
    AVAILABLE = "available"
    RESERVED = "reserved"
    IN_TRANSIT = "in_transit"
    WITH_HOLDERS = "with_holders"
    DELIVERED = "delivered"
    BLOCKED = "blocked"
    WRITTEN_OFF = "written_off"
    RETURNED_TO_GIVER = "returned_to_giver"


SOURCES: Final = frozenset({Account.RECEIVED, Account.FOUND})

Balances = Mapping[tuple[str, Account], int]
"""Units by depot and account, of one lot."""

Unusable = AbstractSet[tuple[UUID, str]]
"""Lots, each with a depot that it may not leave."""


@dataclass(frozen=True, slots=True)
class Move:
    """One entry of the ledger."""

    lot_id: UUID
    units: int
    from_account: Account
    from_depot_id: str
    to_account: Account
    to_depot_id: str
    package_id: UUID | None = None
    cause: UUID | None = None
    reverses: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A move that is in the ledger."""

    entry_id: int
    move: Move
    is_reversed: bool


def post(balances: Balances, moves: Iterable[Move]) -> dict[tuple[str, Account], int]:
    """Balances of one lot after its moves."""
    after = dict(balances)
    for move in moves:
        for (depot_id, account), units in deltas(move):
            after[depot_id, account] = after.get((depot_id, account), 0) + units
    return after


def deltas(move: Move) -> tuple[tuple[tuple[str, Account], int], tuple[tuple[str, Account], int]]:
    """What a move does to its two accounts."""
    out = move.units if move.from_account in SOURCES else -move.units
    into = -move.units if move.to_account in SOURCES else move.units
    return ((move.from_depot_id, move.from_account), out), ((move.to_depot_id, move.to_account), into)
