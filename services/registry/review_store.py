"""Statements on what a person must decide about households, and what was decided."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from messaging import Connection
from services.registry.rows import OpenConflict, ReviewRow


async def open_reviews(db: Connection, reviews: Collection[ReviewRow], now: datetime) -> None:
    """Write reviews that a person must decide; an open one goes on under its newest reason."""
    await db.execute(
        """
        insert into review (household_id, programme, reason, opened_at)
        select household_id, programme, reason, $4
        from unnest($1::uuid[], $2::text[], $3::text[]) as new (household_id, programme, reason)
        on conflict (household_id, programme) where decided_at is null do update set reason = excluded.reason
        """,
        [review.household_id for review in reviews],
        [review.programme for review in reviews],
        [review.reason for review in reviews],
        now,
    )


async def close_reviews(db: Connection, reviews: Collection[ReviewRow], now: datetime) -> None:
    """Write what was decided about open reviews; `reason` is the decision's."""
    await db.execute(
        """
        update review set decided_at = $5, decision = closed.decision, because = closed.because
        from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
          as closed (household_id, programme, decision, because)
        where review.household_id = closed.household_id and review.programme = closed.programme
          and review.decided_at is null
        """,
        [review.household_id for review in reviews],
        [review.programme for review in reviews],
        [review.decision for review in reviews],
        [review.reason for review in reviews],
        now,
    )


async def list_open_conflicts(db: Connection, regency: str, after: UUID | None, limit: int) -> list[OpenConflict]:
    """All of as many households as `limit` says, by the id of the first of each pair."""
    records = await db.fetch(
        """
        select household_id, other_household_id, code, district, found_at
        from open_conflict
        where household_id in (
            select distinct household_id
            from open_conflict
            where regency = $1 and ($2::uuid is null or household_id > $2)
            order by household_id
            limit $3
        )
        order by household_id, other_household_id, code
        """,
        regency,
        after,
        limit,
    )
    return [OpenConflict(*record) for record in records]


async def list_decided_candidates(db: Connection, household_ids: Collection[UUID]) -> set[UUID]:
    """Which provisional households a person has verified or rejected."""
    records = await db.fetch(
        "select household_id from candidate_decision where household_id = any($1::uuid[])", list(household_ids)
    )
    return {record["household_id"] for record in records}


async def insert_candidate_decision(
    db: Connection, household_id: UUID, decision: str, basis: str, now: datetime
) -> None:
    """What became of a provisional household."""
    await db.execute(
        "insert into candidate_decision (household_id, decision, basis, decided_at) values ($1, $2, $3, $4)",
        household_id,
        decision,
        basis,
        now,
    )
