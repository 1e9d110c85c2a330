"""Why a submission is not accepted: a code for programs and a sentence for people. Neither ever quotes the input."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class RefusalCode(StrEnum):
    """Closed here, open for readers: a service may learn to refuse for a new reason."""

    # every service
    UNREADABLE = "unreadable"
    UNKNOWN_TYPE = "unknown_type"
    WRONG_SERVICE = "wrong_service"
    WRONG_SOURCE = "wrong_source"
    WRONG_REGENCY = "wrong_regency"
    ID_REUSED = "id_reused"
    IDENTITY_NUMBER = "identity_number"
    KEY_MISMATCH = "key_mismatch"
    INVALID_FIELD = "invalid_field"
    UNKNOWN_FIELD = "unknown_field"
    MISSING_FIELD = "missing_field"
    IN_THE_FUTURE = "in_the_future"
    TOO_OLD = "too_old"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"
    # registry
    UNKNOWN_VILLAGE = "unknown_village"
    UNKNOWN_PERSON = "unknown_person"
    HOUSEHOLD_GONE = "household_gone"
    NO_HEAD = "no_head"
    TWO_HEADS = "two_heads"
    NIP_INVALID = "nip_invalid"
    NOT_A_CARER = "not_a_carer"
    NOTHING_TO_DECIDE = "nothing_to_decide"
    # assignment
    UNKNOWN_CARER = "unknown_carer"
    NOT_THE_CARER = "not_the_carer"
    CARER_CONFLICT = "carer_conflict"
    UNKNOWN_VISIT = "unknown_visit"
    ALREADY_REPORTED = "already_reported"
    ALREADY_PLEDGED = "already_pledged"
    UNKNOWN_PLEDGE = "unknown_pledge"
    PLEDGE_LAPSED = "pledge_lapsed"
    NOT_ENOUGH_HOUSEHOLDS = "not_enough_households"
    NOT_THE_GIVER = "not_the_giver"
    # distribution
    UNKNOWN_DEPOT = "unknown_depot"
    UNKNOWN_ITEM = "unknown_item"
    UNKNOWN_LOT = "unknown_lot"
    UNKNOWN_TRANSFER = "unknown_transfer"
    UNKNOWN_ENTRY = "unknown_entry"
    UNKNOWN_PROGRAMME = "unknown_programme"
    ALREADY_EXISTS = "already_exists"
    ROUND_CLOSED = "round_closed"
    NOT_IN_ROUND = "not_in_round"
    NOT_ENOUGH_STOCK = "not_enough_stock"
    LOT_NOT_USABLE = "lot_not_usable"
    ALREADY_REVERSED = "already_reversed"
    WRONG_STATE = "wrong_state"
    PROOF_NEEDED = "proof_needed"
    # notifications
    UNKNOWN_CASE = "unknown_case"
    NOT_THE_OFFICE = "not_the_office"
    REASON_NEEDED = "reason_needed"


_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        RefusalCode.UNREADABLE: "The message could not be read as a CloudEvent with JSON data.",
        RefusalCode.UNKNOWN_TYPE: "No service knows this type of message.",
        RefusalCode.WRONG_SERVICE: "Another service decides this type of message.",
        RefusalCode.WRONG_SOURCE: "The sender may not submit under this source.",
        RefusalCode.WRONG_REGENCY: "The regency is not the sender's, not decided here, or not that of what is named.",
        RefusalCode.ID_REUSED: "This id was used before with other content; give a new message a new id.",
        RefusalCode.IDENTITY_NUMBER: "An id has a run of 16 or 18 digits and could be an identity number.",
        RefusalCode.KEY_MISMATCH: "The record key, the subject and the field they stand for must be equal.",
        RefusalCode.INVALID_FIELD: "A field has a value that the contract does not allow.",
        RefusalCode.UNKNOWN_FIELD: "There is a field that the contract does not know.",
        RefusalCode.MISSING_FIELD: "A field that the contract requires is missing.",
        RefusalCode.IN_THE_FUTURE: "It is said to have happened more than 5 minutes from now.",
        RefusalCode.TOO_OLD: "It is said to have happened more than five years ago.",
        RefusalCode.EXPIRED: "What it needed did not arrive within 7 days; submit it again with a new id.",
        RefusalCode.QUARANTINED: "It could not be handled and waits for an operator; nothing is lost.",
        RefusalCode.UNKNOWN_VILLAGE: "There is no village with this code in the regency.",
        RefusalCode.UNKNOWN_PERSON: "There is no such person in this household.",
        RefusalCode.HOUSEHOLD_GONE: "The household has left or was merged.",
        RefusalCode.NO_HEAD: "A family card needs one head.",
        RefusalCode.TWO_HEADS: "A family card has only one head.",
        RefusalCode.NIP_INVALID: "The civil servant's number does not fit the birth date or the sex.",
        RefusalCode.NOT_A_CARER: "This kind of contract or duty cannot be a carer.",
        RefusalCode.NOTHING_TO_DECIDE: "There is no open decision of this kind for the household.",
        RefusalCode.UNKNOWN_CARER: "There is no active carer with this id.",
        RefusalCode.NOT_THE_CARER: "The household has another carer.",
        RefusalCode.CARER_CONFLICT: "This carer may not look after this household.",
        RefusalCode.UNKNOWN_VISIT: "There is no report of this visit to correct.",
        RefusalCode.ALREADY_REPORTED: "This visit has been reported; send changes as a correction.",
        RefusalCode.ALREADY_PLEDGED: "Another partner has promised this household's package.",
        RefusalCode.UNKNOWN_PLEDGE: "There is no such promise.",
        RefusalCode.PLEDGE_LAPSED: "The promise was not confirmed in time and has lapsed.",
        RefusalCode.NOT_ENOUGH_HOUSEHOLDS: "The village has fewer households without a promise.",
        RefusalCode.NOT_THE_GIVER: "Another partner made this promise.",
        RefusalCode.UNKNOWN_DEPOT: "The regency's policy has no depot with this id.",
        RefusalCode.UNKNOWN_ITEM: "The regency's policy has no item with this code.",
        RefusalCode.UNKNOWN_LOT: "There is no such lot at this depot.",
        RefusalCode.UNKNOWN_TRANSFER: "There is no such transfer on its way to this depot.",
        RefusalCode.UNKNOWN_ENTRY: "There is no such entry in the ledger.",
        RefusalCode.UNKNOWN_PROGRAMME: "The regency's policy has no programme with this code.",
        RefusalCode.ALREADY_EXISTS: "It exists already with other content.",
        RefusalCode.ROUND_CLOSED: "The round is closed.",
        RefusalCode.NOT_IN_ROUND: "The household is not a recipient of this round.",
        RefusalCode.NOT_ENOUGH_STOCK: "The depot does not hold that many units free to move.",
        RefusalCode.LOT_NOT_USABLE: "The lot is blocked, recalled or expired and may not move.",
        RefusalCode.ALREADY_REVERSED: "The entry has been reversed before.",
        RefusalCode.WRONG_STATE: "The step does not fit the state it is in.",
        RefusalCode.PROOF_NEEDED: "A delivery needs who received it, a failure its reason.",
        RefusalCode.UNKNOWN_CASE: "There is no such case.",
        RefusalCode.NOT_THE_OFFICE: "Another office is responsible for this case.",
        RefusalCode.REASON_NEEDED: "A rejection needs a reason.",
    }
)


def sentence(code: str) -> str:
    """The code in words, for the sender."""
    return _SENTENCES[code]
