"""Aid that households receive already (rule 26)."""

from collections.abc import Sequence
from datetime import date

from contracts.events import Enrolment, HouseholdProfiled
from contracts.submissions import EnrolmentSubmitted
from messaging import Accepted, Connection, Outcome, Received, Unchanged
from services.registry import enrolment_store, store
from services.registry.domain import merged_enrolments
from services.registry.people import KeyedHash
from services.registry.rows import EnrolmentRow
from services.registry.vault import Vault


async def on_enrolment_submitted(
    messages: Sequence[Received[EnrolmentSubmitted]], db: Connection, *, vault: Vault
) -> list[Outcome]:
    """Said in the household's profile; kept by card number while nobody has registered that card."""
    await store.lock_register(db, {message.regency for message in messages})
    rows = [_row(message, vault) for message in messages]
    cards = {row.card_key for row in rows}
    stored = {_place(row): row for row in await enrolment_store.list_enrolments(db, cards)}
    households = await store.find_households(db, cards)
    profiles = dict(await store.list_profiles(db, set(households.values())))
    outcomes: list[Outcome] = []
    for row in rows:
        before = stored.get(_place(row))
        if before is None or row.stated_at >= before.stated_at:
            stored[_place(row)] = row
        if before is not None and stored[_place(row)].enrolment == before.enrolment:
            outcomes.append(Unchanged("unchanged"))
            continue
        code = "registered" if before is None else "updated"
        household_id = households.get(row.card_key)
        if household_id is None:
            outcomes.append(Accepted(code=code))
            continue
        known = profiles[household_id]
        enrolments = merged_enrolments(known.enrolments, (row.enrolment,))
        profiled = known.then(HouseholdProfiled, enrolments=enrolments)
        profiles[household_id] = profiled
        outcomes.append(Accepted((profiled,), code))
    await enrolment_store.save_enrolments(db, stored.values())
    await store.save_profiles(db, [profile for profile in profiles.values() if isinstance(profile, HouseholdProfiled)])
    return outcomes


def _place(row: EnrolmentRow) -> tuple[KeyedHash, str, date]:
    return row.card_key, row.enrolment.programme, row.enrolment.since


def _row(message: Received[EnrolmentSubmitted], vault: Vault) -> EnrolmentRow:
    given = message.data
    enrolment = Enrolment(programme=given.programme, since=given.since, until=given.until)
    card_key = vault.hash("family_card", message.regency, given.family_card)
    return EnrolmentRow(card_key, enrolment, given.happened_at)
