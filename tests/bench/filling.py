"""Databases as they are when a regency of some size is known, filled by SQL: the same ids as in `submissions.py`."""

from datetime import timedelta
from hashlib import md5
from typing import Final
from uuid import UUID

import asyncpg

import policies
from tests.bench.machinery import MOMENT

REGENCY: Final = "35.10"
BANYUWANGI: Final = 21_140
"""Households; half as many carers."""
_DISTRICTS: Final = [district.code for district in policies.load()[REGENCY].districts]
_VISITS_A_HOUSEHOLD: Final = 3  # that happened in a month that was played
_MESSAGES_A_HOUSEHOLD: Final = 7  # that assignment decided in it


def household_id(number: int) -> UUID:
    """As `md5('household ' || number)::uuid` has it."""
    return UUID(md5(b"household %d" % number, usedforsecurity=False).hexdigest())


def carer_id(household: int) -> UUID:
    """The carer of a household: each has two."""
    return UUID(md5(b"carer %d" % (household // 2), usedforsecurity=False).hexdigest())


async def fill_assignment(url: str, households: int = BANYUWANGI) -> None:
    """Everybody is registered and has had a carer since yesterday: nothing is overdue, nobody waits."""
    db = await asyncpg.connect(url)
    await db.execute(
        """
        insert into household (
            household_id, version, regency, status, programmes, district, village, latitude, longitude
        )
        select md5('household ' || number)::uuid, 1, $2, 'registered', '{monthly_package,weekly_protein}', district,
               district || '.2001', -8.2, 114.3
        from (select number, ($3::text[])[1 + number % cardinality($3::text[])] as district
              from generate_series(0, $1 - 1) as number)
        """,
        households,
        REGENCY,
        _DISTRICTS,
    )
    await db.execute(
        """
        insert into carer (carer_id, version, regency, status, office_id, capacity, competences, conflicts)
        select md5('carer ' || number)::uuid, 1, $2, 'active', 'dinsos', 6, '{}', '{}'
        from generate_series(0, ($1 - 1) / 2) as number
        """,
        households,
        REGENCY,
    )
    await db.execute(
        """
        insert into assignment (household_id, assignment_id, regency, fact, state, served_since, carer_since)
        select md5('household ' || number)::uuid, gen_random_uuid(), $2, 'id.berbagi.household-assigned.v1',
               jsonb_build_object('version', 1, 'carer_id', md5('carer ' || number / 2)::uuid), $3, $3
        from generate_series(0, $1 - 1) as number
        """,
        households,
        REGENCY,
        MOMENT - timedelta(days=1),
    )
    await db.close()


async def fill_history(url: str, households: int) -> None:
    """What a month leaves in assignment's largest tables; long before anything that is measured."""
    db = await asyncpg.connect(url, command_timeout=600)
    await db.execute(
        """
        insert into visit (visit_id, regency, state, first_received_at)
        select gen_random_uuid(), $2,
               jsonb_build_object('version', 1, 'household_id', md5('household ' || number / $3)::uuid, 'period',
                                  '2026-09-w' || 1 + number % $3, 'happened', true, 'filler', repeat('x', 300)),
               now() - interval '30 days'
        from generate_series(0, $1::integer * $3::integer - 1) as number
        """,
        households,
        REGENCY,
        _VISITS_A_HOUSEHOLD,
    )
    await db.execute(
        """
        insert into inbox (message_id, content, received_at)
        select gen_random_uuid(), gen_random_uuid(), now() - interval '30 days'
        from generate_series(1, $1::integer * $2::integer)
        """,
        households,
        _MESSAGES_A_HOUSEHOLD,
    )
    await db.close()


async def fill_distribution(url: str, households: int) -> None:
    """Everybody may have both programmes and has a carer who works in an office; known for an hour."""
    db = await asyncpg.connect(url)
    await db.execute(
        """
        insert into household (
            household_id, version, regency, status, district, village, latitude, longitude, programmes, stored_at
        )
        select md5('household ' || number)::uuid, 1, $2, 'registered', district, district || '.2001', -8.2, 114.3,
               '{monthly_package,weekly_protein}', now() - interval '1 hour'
        from (select number, ($3::text[])[1 + number % cardinality($3::text[])] as district
              from generate_series(0, $1 - 1) as number)
        """,
        households,
        REGENCY,
        _DISTRICTS,
    )
    await db.execute(
        """
        insert into carer (carer_id, version, office_id)
        select md5('carer ' || number)::uuid, 1, 'dinsos' from generate_series(0, ($1 - 1) / 2) as number
        """,
        households,
    )
    await db.execute(
        """
        insert into assignment (household_id, version, carer_id)
        select md5('household ' || number)::uuid, 1, md5('carer ' || number / 2)::uuid
        from generate_series(0, $1 - 1) as number
        """,
        households,
    )
    await db.close()


async def fill_notifications(url: str, households: int = BANYUWANGI) -> None:
    """Everybody is known."""
    db = await asyncpg.connect(url)
    await db.execute(
        """
        insert into household (household_id, version, district, gone, nik_status)
        select md5('household ' || number)::uuid, 1, ($2::text[])[1 + number % cardinality($2::text[])], false, 'valid'
        from generate_series(0, $1 - 1) as number
        """,
        households,
        _DISTRICTS,
    )
    await db.close()
