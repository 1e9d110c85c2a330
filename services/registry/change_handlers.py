"""Changes of known households, and what people decided about them."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from contracts.refusals import RefusalCode
from contracts.submissions import (
    CandidateDecisionSubmitted,
    CardSplit,
    HouseholdChangeSubmitted,
    HouseholdDied,
    HouseholdMoved,
    HouseholdMovedAway,
    ReviewDecisionSubmitted,
)
from contracts.vocabulary import EligibilityBasis
from messaging import Accepted, Connection, Outcome, Parked, Received, Refused, Unchanged
from policies import Policies
from services.registry import changes, domain, eligibility, register_store, review_store
from services.registry.changes import NewHalf, Wrong
from services.registry.domain import REGISTERED, Decided, Family
from services.registry.eligibility import Listed
from services.registry.identity import is_village
from services.registry.people import KeyedHash
from services.registry.register import Register, find_half, keep, keep_conflicts, tied_carers
from services.registry.rows import ReviewRow, Wanted
from services.registry.vault import Vault


async def on_household_change_submitted(
    messages: Sequence[Received[HouseholdChangeSubmitted]], db: Connection, *, vault: Vault
) -> list[Outcome]:
    """A death, a move, a split card. About a household that is not known yet: parked until it is."""
    keys = [
        key
        for message in messages
        if isinstance(message.data.change, CardSplit)
        for key in _half_keys(message, message.data.change, vault)
    ]
    register = await register_store.open_register(
        db,
        vault,
        {message.regency for message in messages},
        Wanted(household_ids=[message.data.household_id for message in messages], keys=keys),
    )
    await register_store.find_holders(db, register, _leavers(messages, register))
    outcomes = [_change(message, register, vault) for message in messages]
    await register_store.save_register(db, vault, register, messages[0].decided_at)
    return outcomes


async def on_review_decision_submitted(
    messages: Sequence[Received[ReviewDecisionSubmitted]], db: Connection, *, policies: Policies, vault: Vault
) -> list[Outcome]:
    """A person keeps or ends a programme under review, with a reason (rule 4)."""
    register = await _open(messages, db, vault)
    outcomes: list[Outcome] = []
    decisions = []
    for message in messages:
        decision, family = message.data, _family_of(message, register)
        if not isinstance(family, Family):
            outcomes.append(family)
            continue
        listed = eligibility.decide(
            Listed((), family.household, family.reviews),
            decision.programme,
            decision.decision,
            decision.reason,
            policies[message.regency],
        )
        if listed is None:
            outcomes.append(Refused(RefusalCode.NOTHING_TO_DECIDE, "programme"))
            continue
        after = replace(family, household=listed.household, reviews=listed.reviews)
        outcomes.append(Accepted(keep(register, [(family, Decided(after, listed.facts))])))
        decisions.append(ReviewRow(decision.household_id, decision.programme, decision.reason, decision.decision))
    await register_store.save_register(db, vault, register, messages[0].decided_at, decisions)
    return outcomes


async def on_candidate_decision_submitted(
    messages: Sequence[Received[CandidateDecisionSubmitted]], db: Connection, *, policies: Policies, vault: Vault
) -> list[Outcome]:
    """A provisional household is verified, then it may have every programme of the regency; or not (rule 6)."""
    register = await _open(messages, db, vault)
    decided_before = await review_store.list_decided_candidates(db, register.families.keys())
    outcomes: list[Outcome] = []
    for message in messages:
        decision, family = message.data, _family_of(message, register)
        if not isinstance(family, Family):
            outcomes.append(family)
        elif family.household.status != REGISTERED:
            outcomes.append(Refused(RefusalCode.HOUSEHOLD_GONE, "household_id"))
        elif not family.household.provisional or decision.household_id in decided_before:
            outcomes.append(Refused(RefusalCode.NOTHING_TO_DECIDE, "household_id"))
        else:
            await review_store.insert_candidate_decision(
                db, decision.household_id, decision.decision, decision.basis, message.decided_at
            )
            decided_before.add(decision.household_id)
            outcomes.append(_candidate(message, register, family, policies))
    await register_store.save_register(db, vault, register, messages[0].decided_at)
    return outcomes


async def _open(
    messages: Sequence[Received[ReviewDecisionSubmitted] | Received[CandidateDecisionSubmitted]],
    db: Connection,
    vault: Vault,
) -> Register:
    return await register_store.open_register(
        db,
        vault,
        {message.regency for message in messages},
        Wanted(household_ids=[message.data.household_id for message in messages]),
    )


def _family_of(
    message: Received[HouseholdChangeSubmitted]
    | Received[ReviewDecisionSubmitted]
    | Received[CandidateDecisionSubmitted],
    register: Register,
) -> Family | Parked | Refused:
    """The household a submission names; one that is not known yet is waited for."""
    family = register.families.get(message.data.household_id)
    if family is None:
        return Parked(message.data.household_id)
    if family.household.district[:5] != message.regency:
        return Refused(RefusalCode.WRONG_REGENCY, "household_id")
    return family


def _change(message: Received[HouseholdChangeSubmitted], register: Register, vault: Vault) -> Outcome:
    family = _family_of(message, register)
    if not isinstance(family, Family):
        return family
    match message.data.change:
        case HouseholdDied(person_id=person_id):
            decided = changes.died(family, person_id)
        case HouseholdMoved() as moved if not is_village(moved.village, message.regency):
            return Refused(RefusalCode.UNKNOWN_VILLAGE, "change.village")
        case HouseholdMoved() as moved:
            decided = changes.moved(family, moved)
        case HouseholdMovedAway():
            decided = changes.moved_away(family)
        case CardSplit() as split:
            return _split(message, split, register, vault)
        case _:
            decided = changes.stayed(family)
    if isinstance(decided, Wrong):
        return Refused(decided.code, decided.field)
    if not decided.facts and decided.family is family:
        return Unchanged()
    return Accepted(keep(register, [(family, _seen_on(decided, message))]))


def _split(message: Received[HouseholdChangeSubmitted], change: CardSplit, register: Register, vault: Vault) -> Outcome:
    family = register.families[message.data.household_id]
    card, keys = vault.card_keys(message.regency, change.family_card), _half_keys(message, change, vault)
    half = NewHalf(uuid4(), card, find_half(register, family, keys, change.head_person_id))
    result = changes.split(family, change, half, message.decided_at)
    if isinstance(result, Wrong):
        return Refused(result.code, result.field)
    stayed, new = result
    if not stayed.facts:
        return Unchanged()
    decisions: list[tuple[Family | None, Decided]] = [(family, _seen_on(stayed, message))]
    related: set[UUID] = set()
    if new is not None:
        own, relatives = tied_carers(register, family)
        related = own | relatives
        decisions.append((None, _seen_on(new, message)))
        for key in keys:
            if key not in register.known:
                register.known[key] = register.new_keys[key] = half.new_id
    facts = keep(register, decisions, related)
    if new is not None:
        keep_conflicts(register, new.family)
    return Accepted(facts)


def _half_keys(message: Received[HouseholdChangeSubmitted], change: CardSplit, vault: Vault) -> tuple[KeyedHash, ...]:
    """By what the new half is found: its card, and that this person left as its head; said again it is the same one."""
    card = vault.card_keys(message.regency, change.family_card).own
    said = vault.hash("split", message.regency, str(change.head_person_id))
    return (said,) if card is None else (card, said)


def _leavers(messages: Sequence[Received[HouseholdChangeSubmitted]], register: Register) -> set[KeyedHash]:
    """Valid NIKs of those who leave a card."""
    splits = [message.data.change for message in messages if isinstance(message.data.change, CardSplit)]
    leaving = {person_id for split in splits for person_id in (split.head_person_id, *split.person_ids)}
    return {
        person.nik_key
        for family in register.families.values()
        for person in family.people
        if person.person_id in leaving and person.nik_key is not None
    }


def _seen_on(decided: Decided, message: Received[HouseholdChangeSubmitted]) -> Decided:
    """A picture taken before this change must not undo it."""
    at = max(decided.family.pictured_at, message.data.happened_at)
    return replace(decided, family=replace(decided.family, pictured_at=at))


def _candidate(
    message: Received[CandidateDecisionSubmitted], register: Register, family: Family, policies: Policies
) -> Outcome:
    if message.data.decision == "rejected":
        return Accepted()
    policy = policies[message.regency]
    granted = eligibility.grant(
        family.household,
        [programme.code for programme in policy.programmes],
        EligibilityBasis(message.data.basis),
        policy,
        domain.local_date(message.decided_at, policy),
    )
    listed = Listed((granted,), granted, family.reviews)
    own, _ = tied_carers(register, family)
    if any(register.carers[carer_id].contributes for carer_id in own):
        listed = eligibility.re_verified(listed)
    after = replace(family, household=listed.household, reviews=listed.reviews)
    return Accepted(keep(register, [(family, Decided(after, listed.facts))]))
