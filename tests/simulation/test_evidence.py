"""What the reconciliation reads of a database."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from messaging.database import Connection, open_connection
from simulation import audit_store
from simulation.audit_store import Account
from simulation.privacy import identities_of
from tests.databases import Databases
from tests.simulation.story import EXAMPLES, tiny_month


@pytest.fixture
async def db(databases: Databases) -> AsyncIterator[Connection]:
    connection = await open_connection(await databases.fresh("distribution"), name="tests")
    yield connection
    await connection.close()


async def test_what_waits_for_an_operator_is_read_and_what_was_settled_is_not(db: Connection) -> None:
    waiting, settled = uuid4(), uuid4()
    await db.execute(
        """insert into quarantine (message_id, reason, type, topic, payload, resolved_at, resolution, why)
           values ($1, 'bug', 'x', 'y', '', null, null, null),
             ($2, 'bug', 'x', 'y', '', now(), 'discarded', 'no longer needed')""",
        waiting,
        settled,
    )

    assert await audit_store.list_quarantined(db) == {waiting.bytes: f"{waiting}: x bug "}


async def test_entries_and_balances_are_added_up_apart(db: Connection) -> None:
    lot_id = uuid4()
    state = (EXAMPLES / "stock-received.v1.json").read_text()
    await db.execute(
        "insert into lot (lot_id, regency, state) values ($1, '35.10', $2::jsonb -> 'data')", lot_id, state
    )
    await db.execute(
        """insert into ledger_entry
             (lot_id, units, from_account, from_depot_id, to_account, to_depot_id, cause, decided_at)
           values ($1, 9, 'received', 'd', 'available', 'd', $1, now()),
             ($1, 4, 'available', 'd', 'in_transit', 'e', $1, now())""",
        lot_id,
    )
    await db.execute("insert into balance (lot_id, depot_id, account, units) values ($1, 'd', 'available', 6)", lot_id)

    accounts = {account.account: account for account in await audit_store.list_accounts(db)}

    assert accounts == {
        "received": Account(str(lot_id), "received", 9, 0),
        "available": Account(str(lot_id), "available", 5, 6),
        "in_transit": Account(str(lot_id), "in_transit", 4, 0),
    }


async def test_a_name_is_found_in_whatever_table_it_lies(db: Connection) -> None:
    world = tiny_month().world
    rows = bytearray()
    await db.execute("insert into restocked (depot_id) values ($1)", world.rows[0].members[0].name)

    await audit_store.dump(db, rows.extend)

    assert list(identities_of(world).found_in(bytes(rows))) != []
