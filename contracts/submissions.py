"""Submissions: what integrators claim. The service that owns the matter states a fact or refuses, with a code.

Closed: unknown fields and free text are refused. Only the registry's may carry identity, and those live 72 hours.

Longer than 300 lines because everything an integrator can say reads better in one place.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.events import wire_name
from contracts.vocabulary import (
    Answer,
    Code,
    Competence,
    Decile,
    DutyStatus,
    EligibilityBasis,
    Employment,
    FailureReason,
    Goods,
    MemberRole,
    Need,
    Period,
    Place,
    ReceivedBy,
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


class Row(BaseModel):
    """A value inside a submission; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Submission(Row):
    """Base of all submissions. `service` decides it; `keyed_by` names the field that is subject and record key."""

    type: ClassVar[str]
    service: ClassVar[str]
    keyed_by: ClassVar[str]

    happened_at: AwareDatetime = Field(description="when it happened, by the device; at most 5 minutes ahead of us")

    def __init_subclass__(cls, service: str | None = None, keyed_by: str | None = None, **options: object) -> None:
        super().__init_subclass__(**options)  # type: ignore[arg-type]  # pydantic passes only its own options on
        cls.type = f"id.berbagi.{wire_name(cls.__name__)}.v1"
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
DigitText = Annotated[str, Field(pattern=r"^\d{0,20}$", description="digits as written at the source, possibly odd")]
Name = Annotated[str, Field(min_length=1, max_length=120, description="personal; encrypted in the registry's vault")]
Phone = Annotated[str, Field(pattern=r"^\+?\d{8,15}$", description="personal; encrypted in the registry's vault")]
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
    birth_date: date | None
    sex: Sex
    role: MemberRole


class HouseholdSubmitted(Submission, service="registry", keyed_by="row_id"):
    """A family card, as DTSEN or a village knows it; new or a newer picture of a known one."""

    row_id: RowId
    family_card: DigitText | None = Field(description="16 digits")
    members: tuple[MemberRow, ...] = Field(min_length=1, max_length=40, description="exactly one head")
    village: VillageCode
    address: Address | None
    phone: Phone | None
    place: ExactPlace | None
    decile: Decile | None
    decile_period: Slug | None = Field(description="`2026-q3`; needed beside a decile")


class HouseholdDied(Row):
    """A member died."""

    kind: Literal["died"]
    person_id: UUID


class HouseholdMoved(Row):
    """The household moved within the regency."""

    kind: Literal["moved"]
    village: VillageCode
    address: Address | None
    place: ExactPlace | None


class HouseholdMovedAway(Row):
    """The household left the regency; confirmed by the village."""

    kind: Literal["moved_away"]


class HouseholdStayed(Row):
    """The village confirms that a household said to have moved away is still there."""

    kind: Literal["stayed"]


class CardSplit(Row):
    """Some members have a card of their own now."""

    kind: Literal["split"]
    family_card: DigitText | None
    person_ids: tuple[UUID, ...] = Field(min_length=1, max_length=40)
    head_person_id: UUID


HouseholdChange = Annotated[
    HouseholdDied | HouseholdMoved | HouseholdMovedAway | HouseholdStayed | CardSplit, Field(discriminator="kind")
]


class HouseholdChangeSubmitted(Submission, service="registry", keyed_by="household_id"):
    """Something happened to a household."""

    household_id: UUID
    change: HouseholdChange


class CarerSubmitted(Submission, service="registry", keyed_by="row_id"):
    """A row of a staff file or of a partner's member list."""

    row_id: RowId
    nip: DigitText | None = Field(description="18 digits; null for partner members")
    nik: DigitText | None
    family_card: DigitText | None = Field(description="their own, so that nobody looks after their own household")
    relatives_family_cards: tuple[DigitText, ...] = Field(max_length=20)
    name: Name
    birth_date: date
    sex: Sex
    phone: Phone | None
    employment: Employment
    duty_status: DutyStatus
    office_id: Slug
    competences: tuple[Competence, ...] = Field(max_length=6)
    home: ExactPlace | None
    workplace: Place | None


class NeighbourCheckSubmitted(Submission, service="registry", keyed_by="row_id"):
    """A house that needs help, seen by a civil servant (rule 6): a provisional household and its needs at once."""

    row_id: RowId
    nik: DigitText | None
    name: Name | None
    village: VillageCode
    address: Address | None
    place: ExactPlace | None
    residents: int = Field(ge=1, le=40)
    needs: tuple[Need, ...] = Field(min_length=1, max_length=17)


class EnrolmentSubmitted(Submission, service="registry", keyed_by="row_id"):
    """Aid a household receives already (rule 26)."""

    row_id: RowId
    family_card: DigitText
    programme: Code
    since: date
    until: date | None


class ReviewDecisionSubmitted(Submission, service="registry", keyed_by="household_id"):
    """A person decided an eligibility review (rule 4)."""

    household_id: UUID
    programme: Code
    decision: Literal["keep", "end"]
    reason: Code


class CandidateDecisionSubmitted(Submission, service="registry", keyed_by="household_id"):
    """A provisional household was verified, or not (rule 6)."""

    household_id: UUID
    decision: Literal["verified", "rejected"]
    basis: EligibilityBasis


# --- assignment -------------------------------------------------------------------------------------------------------


class AnswersGiven(Row):
    """The five questions of the visit report."""

    lives_alone: Answer
    ill: Answer
    dropout: Answer
    receives_aid: Answer
    house_unfit: Answer


class NeedReported(Row):
    """A need seen at the door."""

    need: Need
    person_id: UUID | None = Field(description="whose need; null for the household's")


class VisitSubmitted(Submission, service="assignment", keyed_by="household_id"):
    """A visit report; the same visit_id again with other content is a correction (under a new submission id)."""

    household_id: UUID
    visit_id: UUID = Field(description="random, made by the phone")
    carer_id: UUID
    correction: bool = Field(description="true when it supersedes an earlier report of this visit")
    happened: bool = Field(description="somebody was met")
    place: Place | None
    answers: AnswersGiven
    needs: tuple[NeedReported, ...] = Field(max_length=40)
    programmes_received: tuple[Code, ...] = Field(max_length=20)


class PledgeSubmitted(Submission, service="assignment", keyed_by="promise_id"):
    """A partner promises packages for one period: so many in a village, or for named households."""

    promise_id: UUID = Field(description="random, made by the partner's system")
    giver_id: Slug
    programme: Code
    period: Period
    village: VillageCode | None = Field(description="with packages; null when households are named")
    packages: int = Field(ge=1, le=5_000)
    household_ids: tuple[UUID, ...] = Field(max_length=5_000, description="empty when a village is named")


class PledgeConfirmationSubmitted(Submission, service="assignment", keyed_by="promise_id"):
    """The partner confirms a whole promise before it lapses."""

    promise_id: UUID
    giver_id: Slug


class HandAssignmentSubmitted(Submission, service="assignment", keyed_by="household_id"):
    """A coordinator gives a household to a carer by hand, with a reason."""

    household_id: UUID
    carer_id: UUID
    by: Slug = Field(description="opaque id of the duty role that decides")
    reason: Code


# --- distribution -----------------------------------------------------------------------------------------------------


class RoundSubmitted(Submission, service="distribution", keyed_by="round_id"):
    """Open a round: its recipients are frozen as it is decided (rule 15)."""

    round_id: UUID
    programme: Code
    period: Period
    opens_on: date
    closes_on: date
    decree: Slug


class StockSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """Goods of one item came in together."""

    depot_id: Slug
    lot_id: UUID = Field(description="random, made by the depot's system")
    item: Code
    units: Units = Field(ge=1)
    unit_value: Rupiah
    source: SupplySource
    giver_id: Slug | None
    received_on: date
    expires_on: date | None = Field(description="printed; null: received_on + shelf life of the item")


class TransferSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """A truck: goods leave a depot, or are signed for at the other end (missing units are written off)."""

    depot_id: Slug = Field(
        description="where it is said: the sending depot for `sent`, the receiving one for `received`"
    )
    transfer_id: UUID = Field(description="random; the same for both ends")
    step: Literal["sent", "received"]
    other_depot_id: Slug
    lot_id: UUID
    units: Units = Field(description="sent, or counted on arrival")


class CountSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """Somebody counted a lot at a depot."""

    depot_id: Slug
    lot_id: UUID
    counted: Units = Field(description="units on the shelf: available and reserved")


class RecallSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """A lot is called back everywhere."""

    depot_id: Slug = Field(description="the depot that received the lot first")
    lot_id: UUID
    reason: Code


class LotBlockSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """A lot may not move at a depot, or may again."""

    depot_id: Slug
    lot_id: UUID
    blocked: bool
    reason: Code


class ReversalSubmitted(Submission, service="distribution", keyed_by="depot_id"):
    """A ledger entry was a mistake: a linked entry takes it back (rule 13)."""

    depot_id: Slug
    entry_submission_id: str = Field(max_length=128, description="id of the stock or count submission that was wrong")
    reason: Code


class PickUpSubmitted(Submission, service="distribution", keyed_by="household_id"):
    """A collector took a household's package: its carer, or one driver for an office."""

    household_id: UUID
    round_id: UUID
    collector_id: Slug


class DeliverySubmitted(Submission, service="distribution", keyed_by="household_id"):
    """An attempt at the door: delivered with proof, or failed with a reason (rules 16, 17)."""

    household_id: UUID
    round_id: UUID
    carer_id: UUID
    delivered: bool
    failure_reason: FailureReason | None = Field(description="needed when not delivered")
    received_by: ReceivedBy | None = Field(description="needed when delivered")
    photo_sha256: Sha256 | None
    place: Place | None
    mock_location: bool = Field(description="the device says its location is simulated")
    brought: tuple[Goods, ...] = Field(
        max_length=20, description="what was actually brought, for packages without a depot"
    )


class ReturnSubmitted(Submission, service="distribution", keyed_by="household_id"):
    """Goods of a failed package came back to a depot."""

    household_id: UUID
    round_id: UUID
    depot_id: Slug
    damaged: bool = Field(description="written off instead of put back")


class PackageCancellationSubmitted(Submission, service="distribution", keyed_by="household_id"):
    """A person cancels a package that has not been delivered."""

    household_id: UUID
    round_id: UUID
    reason: Code


class SurplusDecisionSubmitted(Submission, service="distribution", keyed_by="round_id"):
    """What happens to goods left after every recipient is supplied (rule 19); named households are additions."""

    round_id: UUID
    use: Literal["candidates", "disaster_reserve", "next_round"]
    household_ids: tuple[UUID, ...] = Field(max_length=5_000)
    reason: Code


# --- notifications ----------------------------------------------------------------------------------------------------


class CaseUpdateSubmitted(Submission, service="notifications", keyed_by="household_id"):
    """An office answers a case (rule 24)."""

    household_id: UUID
    case_id: UUID
    office_id: Slug
    step: Literal["accepted", "rejected", "waiting_budget", "waiting_household", "resolved"]
    reason: Code | None = Field(description="needed for rejected")
