"""What the registry does for each message."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID, uuid4

from contracts.events import Household
from contracts.submissions import HouseholdSubmitted
from contracts.vocabulary import PLACE_DECIMALS, MemberRole, Place
from messaging import Accepted, Connection, Handlers, Outcome, Received, Unchanged
from policies import Policies
from services.registry import domain, store
from services.registry.domain import DatedDecile, Key, Row
from services.registry.identity import read_nik
from services.registry.vault import Vault


def handlers(policies: Policies, vault: Vault) -> Handlers:
    """Message type to handler, in the order in which their locks are taken."""
    return {HouseholdSubmitted: partial(on_household_submitted, policies=policies, vault=vault)}


async def on_household_submitted(
    messages: Sequence[Received[HouseholdSubmitted]], db: Connection, *, policies: Policies, vault: Vault
) -> list[Outcome]:
    """A family card is a new household, a newer picture of a known one, or the same again (rule 3)."""
    rows = [_row(message, vault) for message in messages]
    await store.lock_register(db)
    known = await store.find_households(db, [key for row in rows for key in row.keys])
    states = await store.lock_households(db, known.values())
    outcomes: list[Outcome] = []
    changed: dict[UUID, Household] = {}
    for message, row in zip(messages, rows, strict=True):
        policy, now = policies[message.regency], message.decided_at
        today = now.astimezone(policy.zone).date()
        household_id = domain.same_household(row.keys, known)
        facts = (
            domain.register(row, policy, now, today)
            if household_id is None
            else domain.update(states[household_id], row, policy, today)
        )
        if facts:
            states[facts[-1].household_id] = changed[facts[-1].household_id] = facts[-1]
        known |= {key: household_id or row.new_id for key in row.keys if key not in known}
        outcomes.append(Accepted(facts) if facts else Unchanged())
    await store.save_households(db, list(changed.values()))
    await store.save_keys(db, known)
    return outcomes


def _row(message: Received[HouseholdSubmitted], vault: Vault) -> Row:
    card = message.data
    head = next(member for member in card.members if member.role is MemberRole.HEAD)
    nik = read_nik(head.nik)
    keys = [Key("source", vault.hash("source", f"{message.source}/{card.row_id}"))]
    if card.family_card:
        keys.append(Key("family_card", vault.hash("family_card", card.family_card)))
    if nik.status == "valid" and nik.number:
        keys.append(Key("head_nik", vault.hash("nik", nik.number)))
    return Row(
        new_id=uuid4(),
        keys=tuple(keys),
        village=card.village,
        place=card.place
        and Place(
            latitude=round(card.place.latitude, PLACE_DECIMALS), longitude=round(card.place.longitude, PLACE_DECIMALS)
        ),
        residents=len(card.members),
        nik_status=nik.status,
        decile=card.decile,
        decile_period=card.decile_period,
    )
