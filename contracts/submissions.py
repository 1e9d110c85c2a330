"""Submissions: what integrators claim. The service that owns the matter states a fact or refuses, with a code.

Closed: unknown fields and free text are refused. Only the registry's may carry identity, and those live 72 hours.

Longer than 300 lines because everything an integrator can say reads better in one place.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.events import wire_type
from contracts.vocabulary import (
    Answer,
    Code,
    Competence,
    Day,
    Decile,
    DutyStatus,
    EligibilityBasis,
    Employment,
    FailureReason,
    Goods,
    HouseholdId,
    LotId,
    MemberRole,
    Moment,
    Need,
    Period,
    PersonId,
    Place,
    ReceivedBy,
    RoundId,
    Rupiah,
    Sex,
    Sha256,
    Slug,
    SupplySource,
    Units,
    VillageCode,
)

MAX_BODY_BYTES = 5 * 1024 * 1024
MAX_BATCH_ITEMS = 1_000
MAX_MINUTES_AHEAD = 5  # happened_at may be this far ahead of deciding time
MAX_DAYS_LATE = 1_827  # ... and this far behind, five years: so long an id is remembered, later a repeat is too old


class Row(BaseModel):
    """A value inside a submission; unknown fields are refused, and so is `"5"` for 5."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Submission(Row):
    """Base of all submissions. `service` decides it; `keyed_by` names the field that is subject and record key."""

    type: ClassVar[str]
    service: ClassVar[str]
    keyed_by: ClassVar[str]

    happened_at: Moment = Field(
        description="when it happened, by the device; at most 5 minutes ahead of us, five years behind"
    )

    def __init_subclass__(cls, service: str | None = None, keyed_by: str | None = None, **options: object) -> None:
        super().__init_subclass__(**options)  # type: ignore[arg-type]  # pydantic passes only its own options on
        cls.type = wire_type(cls.__name__)
        if service is not None and keyed_by is not None:
            cls.service = service
            cls.keyed_by = keyed_by

    @property
    def subject(self) -> str:
        """What the message is about; the record's key and `ce_subject` must equal it."""
        return str(getattr(self, self.keyed_by))


RowId = Annotated[
    str, Field(pattern=r"^[a-z0-9-]{1,64}$", description="opaque id of the row at its source; never a NIK")
]
DigitText = Annotated[str, Field(pattern=r"^[0-9]{0,20}$", description="digits as written at the source, possibly odd")]
Name = Annotated[str, Field(min_length=1, max_length=120, description="personal; encrypted in the registry's vault")]
Phone = Annotated[str, Field(pattern=r"^\+?[0-9]{8,15}$", description="personal; encrypted in the registry's vault")]
Address = Annotated[str, Field(min_length=1, max_length=300, description="personal; encrypted in the registry's vault")]


class ExactPlace(Row):
    """The exact door; only the registry may hold it, encrypted."""

    latitude: float = Field(ge=-90, le=90, description="degrees north")
    longitude: float = Field(ge=-180, le=180, description="degrees east")


# --- registry ---------------------------------------------------------------------------------------------------------


class MemberRow(Row):
    """A person on a family card as the source has it."""

    nik: DigitText | None = Field(description="16 digits; missing or odd ones never block aid")
    name: Name
    birth_date: Day | None = Field(description="day of birth; null when not known")
    sex: Sex = Field(description="as the civil registry records it")
    role: MemberRole = Field(description="place on the family card")


class HouseholdSubmitted(Submission, service="registry", keyed_by="row_id"):
    """A family card, as DTSEN or a village knows it; new or a newer picture of a known one."""

    row_id: RowId
    family_card: DigitText | None = Field(description="16 digits")
    members: tuple[MemberRow, ...] = Field(min_length=1, max_length=40, description="exactly one head")
    village: VillageCode = Field(description="village of the door, which may differ from the card")
    address: Address | None = Field(description="street and number; personal, kept in the vault only")
    phone: Phone | None = Field(description="of the household; personal, kept in the vault only")
    place: ExactPlace | None = Field(description="the exact door; kept in the vault only")
    decile: Decile | None = Field(description="null when the source has none")
    decile_period: Slug | None = Field(description="`2026-q3`; needed beside a decile")


class HouseholdDied(Row):
    """A member died."""

    kind: Literal["died"] = Field(description="`died`")
    person_id: PersonId


class HouseholdMoved(Row):
    """The household moved within the regency."""

    kind: Literal["moved"] = Field(description="`moved`")
    village: VillageCode = Field(description="the new village")
    address: Address | None = Field(description="the new address; personal, kept in the vault only")
    place: ExactPlace | None = Field(description="the new door; kept in the vault only")


class HouseholdMovedAway(Row):
    """The household left the regency; confirmed by the village."""

    kind: Literal["moved_away"] = Field(description="`moved_away`")


class HouseholdStayed(Row):
    """The village confirms that a household said to have moved away is still there."""

    kind: Literal["stayed"] = Field(description="`stayed`")


class CardSplit(Row):
    """Some members have a card of their own now."""

    kind: Literal["split"] = Field(description="`split`")
    family_card: DigitText | None = Field(description="number of the new card, 16 digits")
    person_ids: tuple[UUID, ...] = Field(min_length=1, max_length=40, description="who is on the new card")
    head_person_id: UUID = Field(description="head of the new card, one of them")


HouseholdChange = Annotated[
    HouseholdDied | HouseholdMoved | HouseholdMovedAway | HouseholdStayed | CardSplit, Field(discriminator="kind")
]


class HouseholdChangeSubmitted(Submission, service="registry", keyed_by="household_id"):
    """Something happened to a household."""

    household_id: HouseholdId
    change: HouseholdChange = Field(description="what happened; `kind` says which form it has")


class CarerSubmitted(Submission, service="registry", keyed_by="row_id"):
    """A row of a staff file or of a partner's member list."""

    row_id: RowId
    nip: DigitText | None = Field(description="18 digits; null for partner members")
    nik: DigitText | None = Field(description="16 digits")
    family_card: DigitText | None = Field(description="their own, so that nobody looks after their own household")
    relatives_family_cards: tuple[DigitText, ...] = Field(
        max_length=20, description="cards of relatives, whom the carer never serves"
    )
    name: Name
    birth_date: Day = Field(description="day of birth; must fit the NIP")
    sex: Sex = Field(description="must fit the NIP")
    phone: Phone | None = Field(description="personal; kept in the vault only")
    employment: Employment = Field(description="kind of contract")
    duty_status: DutyStatus = Field(description="on duty or not")
    office_id: Slug = Field(description="where the carer works; a partner organisation's id for its members")
    competences: tuple[Competence, ...] = Field(max_length=6, description="what the carer knows by profession")
    home: ExactPlace | None = Field(description="the exact home; kept in the vault only")
    workplace: Place | None = Field(description="rounded; null when not known")


class NeighbourCheckSubmitted(Submission, service="registry", keyed_by="row_id"):
    """A house that needs help, seen by a civil servant (rule 6): a provisional household and its needs at once."""

    row_id: RowId
    nik: DigitText | None = Field(description="of the head, 16 digits; null when not shown")
    name: Name | None = Field(description="of the head; personal, kept in the vault only")
    village: VillageCode
    address: Address | None = Field(description="personal; kept in the vault only")
    place: ExactPlace | None = Field(description="the exact door; kept in the vault only")
    residents: int = Field(ge=1, le=40, description="people who live there")
    needs: tuple[Need, ...] = Field(min_length=1, max_length=17, description="every need seen, at least one")


class EnrolmentSubmitted(Submission, service="registry", keyed_by="row_id"):
    """Aid a household receives already (rule 26)."""

    row_id: RowId
    family_card: DigitText = Field(min_length=1, description="16 digits; which household")
    programme: Code = Field(description="pkh, sembako, rantang_kasih ...")
    since: Day = Field(description="first day")
    until: Day | None = Field(description="last day; null while it runs")


class ReviewDecisionSubmitted(Submission, service="registry", keyed_by="household_id"):
    """A person decided an eligibility review (rule 4)."""

    household_id: HouseholdId
    programme: Code = Field(description="the programme under review")
    decision: Literal["keep", "end"] = Field(description="keep the programme, or end it")
    reason: Code = Field(description="why, as a code of the office")


class CandidateDecisionSubmitted(Submission, service="registry", keyed_by="household_id"):
    """A provisional household was verified, or not (rule 6)."""

    household_id: HouseholdId
    decision: Literal["verified", "rejected"] = Field(description="verified as poor, or not")
    basis: EligibilityBasis = Field(description="why it may have a programme")


# --- assignment -------------------------------------------------------------------------------------------------------


class AnswersGiven(Row):
    """The five questions of the visit report."""

    lives_alone: Answer = Field(description="does one person live here alone")
    ill: Answer = Field(description="is somebody ill")
    dropout: Answer = Field(description="is a child of school age not at school")
    receives_aid: Answer = Field(description="does routine aid come already")
    house_unfit: Answer = Field(description="is the house unfit to live in")


class NeedReported(Row):
    """A need seen at the door."""

    need: Need = Field(description="which need")
    person_id: UUID | None = Field(description="whose need; null for the household's")


class VisitSubmitted(Submission, service="assignment", keyed_by="household_id"):
    """A visit report; the same visit_id again with other content is a correction (under a new submission id)."""

    household_id: HouseholdId
    visit_id: UUID = Field(description="random, made by the phone")
    carer_id: UUID = Field(description="who was at the door")
    correction: bool = Field(description="true when it supersedes an earlier report of this visit")
    happened: bool = Field(description="somebody was met")
    place: Place | None = Field(description="where the phone was, rounded; null when not known")
    answers: AnswersGiven = Field(description="the five questions")
    needs: tuple[NeedReported, ...] = Field(max_length=40, description="every need seen on this visit")
    programmes_received: tuple[Code, ...] = Field(max_length=20, description="routine aid it says it receives")


class PledgeSubmitted(Submission, service="assignment", keyed_by="promise_id"):
    """A partner promises packages for one period: so many in a village, or for named households."""

    promise_id: UUID = Field(description="random, made by the partner's system")
    giver_id: Slug = Field(description="the partner organisation")
    programme: Code = Field(description="programme code of the policy")
    period: Period
    village: VillageCode | None = Field(description="with packages; null when households are named")
    packages: int = Field(ge=1, le=5_000, description="packages promised; with household_ids their number")
    household_ids: tuple[UUID, ...] = Field(max_length=5_000, description="empty when a village is named")


class PledgeConfirmationSubmitted(Submission, service="assignment", keyed_by="promise_id"):
    """The partner confirms a whole promise before it lapses."""

    promise_id: UUID = Field(description="the promise, as it was submitted")
    giver_id: Slug = Field(description="the partner organisation")


class HandAssignmentSubmitted(Submission, service="assignment", keyed_by="household_id"):
    """A coordinator gives a household to a carer by hand, with a reason."""

    household_id: HouseholdId
    carer_id: UUID = Field(description="who shall look after it")
    by: Slug = Field(description="opaque id of the duty role that decides")
    reason: Code = Field(description="why, as a code of the office")


# --- distribution -----------------------------------------------------------------------------------------------------


class RoundSubmitted(Submission, service="distribution", keyed_by="round_id"):
    """Open a round: its recipients are frozen as it is decided (rule 15)."""

    round_id: UUID = Field(description="random, made by the sender")
    programme: Code = Field(description="programme code of the policy")
    period: Period
    opens_on: Day = Field(description="first day of the window, local")
    closes_on: Day = Field(description="last day of the window, local")
    decree: Slug = Field(description="number of the decree, as a slug")


class StockSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """Goods of one item came in together."""

    depot_id: Slug = Field(description="where it came in")
    lot_id: UUID = Field(description="random, made by the depot's system")
    item: Code = Field(description="item code of the policy")
    units: Units = Field(ge=1)
    unit_value: Rupiah = Field(description="rupiah of one unit")
    source: SupplySource = Field(description="who paid")
    giver_id: Slug | None = Field(description="who gave it; null for public money")
    received_on: Day = Field(description="local day it came in")
    expires_on: Day | None = Field(description="printed; null: received_on + shelf life of the item")


class TransferSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """A truck: goods leave a depot, or are signed for at the other end (missing units are written off)."""

    depot_id: Slug = Field(
        description="where it is said: the sending depot for `sent`, the receiving one for `received`"
    )
    transfer_id: UUID = Field(description="random; the same for both ends")
    step: Literal["sent", "received"] = Field(description="which end of the journey")
    other_depot_id: Slug = Field(description="the depot at the other end")
    lot_id: LotId
    units: Units = Field(description="sent, or counted on arrival")


class CountSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """Somebody counted a lot at a depot."""

    depot_id: Slug = Field(description="where it was counted")
    lot_id: LotId
    counted: Units = Field(description="units on the shelf: available and reserved")


class RecallSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """A lot is called back everywhere."""

    depot_id: Slug = Field(description="the depot that received the lot first")
    lot_id: LotId
    reason: Code = Field(description="why, as a code of the office")


class LotBlockSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """A lot may not move at a depot, or may again."""

    depot_id: Slug = Field(description="where it stands")
    lot_id: LotId
    blocked: bool = Field(description="true: may not move; false: may again")
    reason: Code = Field(description="why, as a code of the office")


class ReversalSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """A ledger entry was a mistake: a linked entry takes it back (rule 13)."""

    depot_id: Slug = Field(description="the depot of the wrong entry")
    entry_submission_id: str = Field(
        pattern=r"^[^\x00]{1,128}$", description="id of the stock or count submission that was wrong"
    )
    reason: Code = Field(description="why, as a code of the office")


class PickUpSubmitted(Submission, service="distribution", keyed_by="household_id"):
    """A collector took a household's package: its carer, or one driver for an office."""

    household_id: HouseholdId
    round_id: RoundId
    collector_id: Slug = Field(description="a carer's id or an office's")


class DeliverySubmitted(Submission, service="distribution", keyed_by="household_id"):
    """An attempt at the door: delivered with proof, or failed with a reason (rules 16, 17)."""

    household_id: HouseholdId
    round_id: RoundId
    carer_id: UUID = Field(description="who was at the door")
    delivered: bool = Field(description="false: the attempt failed")
    failure_reason: FailureReason | None = Field(description="needed when not delivered")
    received_by: ReceivedBy | None = Field(description="needed when delivered")
    photo_sha256: Sha256 | None = Field(description="hash of the photo; the photo itself is never sent")
    place: Place | None = Field(description="where the device was, rounded; null when not known")
    mock_location: bool = Field(description="the device says its location is simulated")
    brought: tuple[Goods, ...] = Field(
        max_length=20, description="what was actually brought, for packages without a depot"
    )


class ReturnSubmitted(Submission, service="distribution", keyed_by="household_id"):
    """Goods of a failed package came back to a depot."""

    household_id: HouseholdId
    round_id: RoundId
    depot_id: Slug = Field(description="where the goods are now")
    damaged: bool = Field(description="written off instead of put back")


class PackageCancellationSubmitted(Submission, service="distribution", keyed_by="household_id"):
    """A person cancels a package that has not been delivered."""

    household_id: HouseholdId
    round_id: RoundId
    reason: Code = Field(description="why, as a code of the office")


class SurplusDecisionSubmitted(Submission, service="distribution", keyed_by="round_id"):
    """What happens to goods left after every recipient is supplied (rule 19); named households are additions."""

    round_id: RoundId
    use: Literal["candidates", "disaster_reserve", "next_round"] = Field(description="where the surplus goes")
    household_ids: tuple[UUID, ...] = Field(max_length=5_000, description="candidates who get one; else empty")
    reason: Code = Field(description="why, as a code of the office")


# --- notifications ----------------------------------------------------------------------------------------------------


class CaseUpdateSubmitted(Submission, service="notifications", keyed_by="household_id"):
    """An office answers a case (rule 24)."""

    household_id: HouseholdId
    case_id: UUID = Field(description="the case answered")
    office_id: Slug = Field(description="the office that answers")
    step: Literal["accepted", "rejected", "waiting_budget", "waiting_household", "resolved"] = Field(
        description="what the office says"
    )
    reason: Code | None = Field(description="needed for rejected")
