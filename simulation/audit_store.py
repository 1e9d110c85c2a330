"""What the databases hold, read through the role that may only read."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from messaging.database import Connection

_ROWS: Final = 10_000

# A table whose rows are the newest facts: the name of the aggregate's id in the contracts, and the statement.
STATES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "registry": (
            ("household_id", "select household_id::text as id, state::text from household"),
            ("profile_id", "select household_id::text as id, profile::text as state from household"),
            ("carer_id", "select carer_id::text as id, state::text from carer"),
        ),
        "assignment": (
            (
                "assignment_id",
                "select assignment_id::text as id, state::text from assignment where state is not null",
            ),
            ("pledge_id", "select pledge_id::text as id, state::text from pledge"),
            (
                "visit_id",
                """select visit_id::text as id, state::text from visit
                   union all select visit_id::text, state::text from overdue_visit""",
            ),
        ),
        "distribution": (
            ("round_id", "select round_id::text as id, state::text from round"),
            ("package_id", "select package_id::text as id, state::text from package"),
            ("lot_id", "select lot_id::text as id, state::text from lot"),
        ),
        "notifications": (("case_id", "select case_id::text as id, state::text from cases"),),
    }
)


@dataclass(frozen=True, slots=True)
class Account:
    """Units of a lot in one account, over all depots: what its entries add up to, and what the balance says."""

    lot_id: str
    account: str
    entries: int
    balance: int


async def stored_states(db: Connection, statement: str) -> AsyncIterator[tuple[str, str]]:
    """Id and state of every row."""
    async with db.transaction(readonly=True):
        async for row in db.cursor(statement, prefetch=_ROWS):
            yield row["id"], row["state"]


async def stored_outcomes(db: Connection) -> AsyncIterator[tuple[bytes, str, str | None]]:
    """Id, outcome and code of every message seen."""
    async with db.transaction(readonly=True):
        async for row in db.cursor("select message_id, outcome, code from inbox", prefetch=_ROWS):
            yield row["message_id"].bytes, row["outcome"], row["code"]


async def list_quarantined(db: Connection) -> dict[bytes, str]:
    """Messages that wait for an operator: what is known of each, by id."""
    rows = await db.fetch("select message_id, reason, type, error from quarantine where resolved_at is null")
    return {
        row["message_id"].bytes: f"{row['message_id']}: {row['type']} {row['reason']} {row['error'] or ''}"
        for row in rows
    }


async def list_left_over(db: Connection) -> list[str]:
    """What a service at rest has none of: facts to be published, parked submissions."""
    rows = await db.fetch(
        """select 'fact in the outbox' as what, message_id::text as id from outbox
           union all select 'parked submission', message_id::text from parked"""
    )
    return [f"{row['what']} {row['id']}" for row in rows]


async def count_starts_told(db: Connection) -> dict[tuple[str, str], int]:
    """By case and kind of news, how many times its clocks' start was to be told."""
    rows = await db.fetch(
        """select thing_id::text as case_id, kind, count(distinct occasion) as starts from intent
           where kind in ('case_opened', 'case_reopened', 'case_rerouted') group by thing_id, kind"""
    )
    return {(row["case_id"], row["kind"]): row["starts"] for row in rows}


async def list_accounts(db: Connection) -> list[Account]:
    """The books of every lot."""
    rows = await db.fetch(
        """with moved as (
             select lot_id, to_account as account, to_depot_id as depot_id,
                    case when to_account in ('received', 'found') then -units else units end as units
             from ledger_entry
             union all
             select lot_id, from_account, from_depot_id,
                    case when from_account in ('received', 'found') then units else -units end
             from ledger_entry
           ), entries as (
             select lot_id, account, sum(units) as units from moved group by lot_id, account
           ), balances as (
             select lot_id, account, sum(units) as units from balance group by lot_id, account
           )
           select lot_id::text, account, coalesce(entries.units, 0)::bigint as entries,
                  coalesce(balances.units, 0)::bigint as balance
           from entries full join balances using (lot_id, account)"""
    )
    return [Account(row["lot_id"], row["account"], row["entries"], row["balance"]) for row in rows]


async def dump(db: Connection, write: Callable[[bytes], None]) -> None:
    """Every row of every table as it lies there: in binary, so that nothing hides behind an escape."""

    async def output(rows: bytes) -> None:
        write(rows)

    tables = await db.fetch("select tablename::text from pg_tables where schemaname = 'public' order by tablename")
    for table in tables:
        await db.copy_from_table(table["tablename"], output=output, format="binary")
