"""Broken variants of Berbagi: each is one text replaced in a file, and names the tests that must notice."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Change:
    """`old` stands in the file exactly once."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """`noticed_by`: tests, each of which fails when Berbagi is broken like this."""

    name: str
    changes: tuple[Change, ...]
    noticed_by: tuple[str, ...]
    faults: tuple[str, ...] = ()
    """Kinds of faults under which the checker must notice too; `none` needs none."""


def _service(folder: str, file: str, test: str) -> tuple[str, ...]:
    return (f"tests/{folder}/test_{file}.py::test_{test}",)


def _messaging(file: str, test: str) -> tuple[str, ...]:
    return _service("messaging", file, test)


_PUBLISHES: Final = "                await self._publish(rows, at_broker)\n"
_DELETES_DIES_AND_PUBLISHES: Final = """\
                await db.execute("delete from outbox where id = any($1::bigint[])", [row["id"] for row in rows])
                failpoint("between_publish_and_delete")
                await self._publish(rows, [])
"""

MUTANTS: Final = (
    Mutant(
        "acknowledges before the commit",
        (
            Change(
                "messaging/consumer.py",
                "                answers = await self._carry_out(batch.readings)\n",
                "                await client.commit(batch.offsets)\n"
                "                answers = await self._carry_out(batch.readings)\n",
            ),
        ),
        _messaging("one_transaction", "a_handlers_writes_its_events_and_the_mark_seen_commit_together_or_not_at_all"),
        ("dies before commit",),
    ),
    Mutant(
        "acknowledges what it has only read ahead",
        (Change("messaging/consumer.py", "client.commit(batch.offsets)", "client.commit()"),),
        _messaging("delivery", "what_is_read_ahead_is_not_acknowledged_with_the_batch_before_it"),
    ),
    Mutant(
        "keeps what it has read ahead when its partitions are given away",
        (Change("messaging/batches.py", "return batch.term == self._term", "return True"),),
        _messaging("delivery", "what_was_fetched_before_partitions_are_given_away_is_nobodys_to_carry_out"),
    ),
    Mutant(
        "has no inbox",
        (Change("messaging/inbox.py", "new = await _insert_seen(db, first)", "new = set(first)"),),
        _messaging("one_transaction", "a_message_delivered_twice_has_one_effect_in_one_batch_and_in_two"),
        ("none",),
    ),
    Mutant(
        "writes the outbox outside the transaction",
        (
            Change(
                "messaging/transaction.py",
                "    await insert_outgoing(db, outgoing)\n",
                "    async with context.pool.acquire() as other:\n        await insert_outgoing(other, outgoing)\n",
            ),
        ),
        _messaging("one_transaction", "a_handlers_writes_its_events_and_the_mark_seen_commit_together_or_not_at_all"),
    ),
    Mutant(
        "deletes before it publishes",
        (Change("messaging/relay.py", _PUBLISHES, _DELETES_DIES_AND_PUBLISHES),),
        _messaging(
            "delivery", "a_fact_is_published_at_least_once_though_the_relay_dies_between_publishing_and_deleting"
        ),
        ("dies between publish and delete",),
    ),
    Mutant(
        "lets FastStream's own parser read the records",
        (Change("messaging/consumer.py", "            parser=_parse,\n            decoder=_decode,\n", ""),),
        _messaging("delivery", "unreadable_records_of_every_kind_harm_no_other_on_the_broker"),
    ),
    Mutant(
        "ignores waves",
        (Change("messaging/transaction.py", "depth = depths[place]", "depth = 0"),),
        _messaging("one_transaction", "a_subjects_messages_keep_their_order_and_meet_a_handler_one_at_a_time"),
    ),
    Mutant(
        "does not wake what is parked",
        (
            Change(
                "messaging/parked.py",
                "set due_at = now() where waits_for = any($1::uuid[])",
                "set due_at = due_at where waits_for = any($1::uuid[])",
            ),
        ),
        _messaging("parked", "a_submission_is_parked_and_woken_when_what_it_needs_arrives"),
    ),
    Mutant(
        "does not sweep what is parked",
        (Change("messaging/parked.py", "where due_at <= now()\n", "where false\n"),),
        _messaging("parked", "the_sweep_is_a_net_under_a_lost_wake"),
    ),
    Mutant(
        "lets a successor overtake what is parked",
        (
            Change(
                "messaging/transaction.py",
                "        fates[good.message_id] = Behind()\n        return True\n",
                "        return False\n",
            ),
        ),
        _messaging("parked", "what_could_be_decided_waits_for_the_parked_one_before_it"),
    ),
    Mutant(
        "publishes from every replica",
        (Change("messaging/relay.py", "select pg_try_advisory_lock(hashtext('berbagi relay'))", "select true"),),
        _messaging("delivery", "one_relay_publishes_for_a_database"),
    ),
    Mutant(
        "publishes a page backwards",
        (Change("messaging/relay.py", "from outbox order by id limit $1", "from outbox order by id desc limit $1"),),
        _messaging("delivery", "versions_appear_in_ascending_order_with_two_replicas_and_kills"),
    ),
    Mutant(
        "swallows what cannot be read",
        (
            Change(
                "messaging/quarantine.py",
                "    if failed:\n        await db.execute(",
                "    if not failed:\n        await db.execute(",
            ),
        ),
        _messaging("bad_input", "what_cannot_be_read_is_quarantined_encrypted_and_the_rest_goes_through"),
        ("none",),
    ),
    Mutant(
        "drops what fails when it is tried again",
        (
            Change(
                "messaging/requested.py",
                ' and retry_requested_at is not null""",\n        message_ids,',
                '""",\n        message_ids,',
            ),
        ),
        _messaging("retry", "what_fails_again_stays_with_its_new_reason_and_harms_no_other"),
    ),
    Mutant(
        "forgets the ids of old facts",
        (Change("messaging/retention.py", "content is not null and received_at", "received_at"),),
        _messaging("retention", "old_submissions_are_forgotten_and_facts_are_not"),
    ),
    Mutant(
        "gives up when a transaction fails",
        (
            Change(
                "messaging/consumer.py",
                "if time.monotonic() > deadline or self._leaving.is_set():\n                    raise\n",
                "if True:\n                    return []\n",
            ),
        ),
        _messaging("delivery", "postgresql_absent_at_start_and_gone_in_the_middle_is_waited_for"),
        ("postgres restart",),
    ),
    Mutant(
        "blames a message for PostgreSQL's absence",
        (
            Change(
                "messaging/apply.py",
                "isinstance(error, StoppedError) or (is_transient(error) and not is_bad_data(error))",
                "isinstance(error, StoppedError)",
            ),
        ),
        _messaging("bad_input", "a_transient_error_is_nobodys_fault"),
    ),
    Mutant(
        "hands partitions over with a batch in hand",
        (
            Change(
                "messaging/consumer.py",
                "        if revoked:\n            await self._consumer.drain()\n",
                "        del revoked\n",
            ),
        ),
        _messaging("delivery", "on_rebalance_the_running_batch_finishes_and_nothing_is_done_twice"),
    ),
    Mutant(
        "gives a fact a new id each time it is made",
        (
            Change(
                "messaging/outbox.py",
                "return digest(cause.bytes, event.type, event.aggregate_id.bytes)",
                "import os; return digest(os.urandom(9), cause.bytes)",
            ),
        ),
        _messaging("one_transaction", "a_fact_made_again_has_the_same_id"),
    ),
    Mutant(
        "lets two replicas write one job at once",
        (
            Change(
                "messaging/jobs.py",
                "select pg_try_advisory_xact_lock(hashtext('berbagi job'), hashtext($1))",
                "select $1 <> ''",
            ),
        ),
        _messaging("jobs", "two_replicas_do_not_write_the_same_job_at_once"),
    ),
    Mutant(
        "writes what a match found though nobody waits any more",
        (
            Change(
                "services/assignment/jobs.py",
                "if row.waiting_for is None or not _holds(offer, row, carers, held):\n                continue\n",
                "\n",
            ),
            Change(
                "services/assignment/jobs.py",
                "domain.closed_tenure(row, after, row.waiting_for.value, write.now)",
                "None",
            ),
        ),
        _service("assignment", "assignments", "what_changed_while_the_match_was_made_waits_for_the_next_one"),
    ),
    Mutant(
        "ends as failed what was delivered while the round was closed",
        (Change("services/distribution/jobs.py", "if not has_ended(parcel)", "if parcel"),),
        _service("distribution", "failures", "a_package_that_is_delivered_while_its_round_closes_stays_delivered"),
    ),
    Mutant(
        "gives away room that was taken meanwhile",
        (
            Change(
                "services/assignment/jobs.py",
                "row.waiting_for is None or not _holds(",
                "row.waiting_for is None and _holds(",
            ),
        ),
        _service("assignment", "assignments", "room_that_was_taken_meanwhile_is_not_given_twice"),
    ),
    Mutant(
        "lets an older fact override a newer one",
        (
            Change(
                "services/distribution/register_store.py", "where excluded.version > household.version", "where true"
            ),
        ),
        _service("distribution", "register", "an_older_fact_never_overrides_a_newer_one"),
    ),
    Mutant(
        "sends a message that another is sending",
        (
            Change(
                "services/notifications/intent_store.py",
                "try_at = clock_timestamp() + $2",
                "try_at = clock_timestamp() + $2::interval * 0",
            ),
        ),
        _service("notifications", "sending", "killed_between_claim_and_send_a_message_comes_again_under_the_same_key"),
    ),
)
