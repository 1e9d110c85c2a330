"""Facts: what a service has decided, in the order a household meets them.

Every fact carries the complete public state of its aggregate and its gapless `version`; a consumer keeps the newest
and ignores older ones. A fact says nothing that identifies a person: ids, codes, counts and the door rounded to about
110 m. The states are the classes without a past participle; the events add what is only true of the moment.

Longer than 300 lines because the whole language of facts reads better in one place than in ten.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Self, TypeAlias, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.vocabulary import (
    CarerId,
    Code,
    Count,
    Decile,
    DistrictCode,
    Goods,
    HouseholdId,
    LotId,
    Metres,
    Month,
    Period,
    Place,
    RoundId,
    Rupiah,
    Sha256,
    Slug,
    Units,
    VillageCode,
)

MAX_FACT_BYTES = 256 * 1024

FactT = TypeVar("FactT", bound="Fact")
FactClass: TypeAlias = type[FactT]


def wire_type(class_name: str) -> str:
    """`HouseholdRegistered` -> `id.berbagi.household-registered.v1`, `HouseholdRegisteredV2` -> `....v2`."""
    name, major = re.fullmatch(r"(.+?)(?:V([0-9]+))?", class_name).groups("1")  # type: ignore[union-attr]  # always fits
    return f"id.berbagi.{re.sub(r'(?<!^)(?=[A-Z])', '-', name).lower()}.v{major}"


class Part(BaseModel):
    """A value inside a fact; fields a reader does not know are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Fact(Part):
    """Base of all facts. `type` is the wire name; `aggregate` names the field that holds the aggregate's id."""

    type: ClassVar[str]
    aggregate: ClassVar[str]

    version: int = Field(ge=1, le=2_147_483_647, description="gapless version of the aggregate, from 1")

    def __init_subclass__(cls, aggregate: str | None = None, **options: object) -> None:
        super().__init_subclass__(**options)  # type: ignore[arg-type]  # pydantic passes only its own options on
        cls.type = wire_type(cls.__name__)
        if aggregate is not None:
            cls.aggregate = aggregate

    @property
    def json_text(self) -> str:
        """As it is stored and published; written once, for it is needed for both."""
        text: str | None = self.__dict__.get("_json_text")  # without the lock of a `cached_property`
        if text is None:
            text = self.__dict__["_json_text"] = self.model_dump_json()
        return text

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's; what a copy says is written anew."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("_json_text", None)
        return copied

    def then(self, fact: FactClass[FactT], **changes: object) -> FactT:
        """What is said next of this aggregate: the same with these changes, one version on."""
        return fact.model_validate({**vars(self), "version": self.version + 1, **changes})

    @property
    def aggregate_id(self) -> UUID:
        """The random id of the aggregate this fact is about."""
        return getattr(self, self.aggregate)  # type: ignore[no-any-return]  # the field named by `aggregate` is a UUID


# --- registry: household-events ---------------------------------------------------------------------------------------


class Eligibility(Part):
    """The registry's decision that a household may have a programme (rule 4)."""

    programme: Code = Field(description="programme code of the policy")
    basis: Code = Field(description="dtsen, local_verified or emergency")
    rule_version: Slug = Field(description="version of the eligibility rule in the policy")
    since: date = Field(description="first day it holds")


class Household(Fact, aggregate="household_id"):
    """The public state of one household."""

    household_id: UUID = Field(description="random internal id; never derived from an identity number")
    status: Code = Field(description="registered, left or merged")
    provisional: bool = Field(description="seen at the door, not yet on any list; never eligible by that alone")
    district: DistrictCode
    village: VillageCode
    place: Place | None = Field(description="the door, rounded; null when not known")
    residents: Count = Field(description="living members on the family card")
    nik_status: Code = Field(description="of the head: valid, missing or unverified; never a reason to withhold aid")
    decile: Decile | None = Field(description="newest decile fact; not the same as being eligible")
    decile_period: Slug | None = Field(description="period of that decile, `2026-q3`")
    eligibilities: tuple[Eligibility, ...] = Field(description="programmes it may have now")
    review_reason: Code | None = Field(description="why a person must look at its eligibility; aid goes on meanwhile")
    conflicts: tuple[Code, ...] = Field(description="identity conflicts for a person to decide; aid goes on meanwhile")
    registered_at: AwareDatetime = Field(description="deciding time of the first version")


class HouseholdRegistered(Household):
    """A household is known for the first time; also the new half of a card split."""

    split_from: UUID | None = Field(default=None, description="the household whose card it was part of")


class HouseholdUpdated(Household):
    """Something public about a household changed: place, residents, NIK status, decile."""


class HouseholdLeft(Household):
    """Nobody is served here any more."""

    reason: Code = Field(description="deceased_alone, moved_out or other_regency")


class HouseholdMerged(Household):
    """It was an exact repeat of another household and lives on there."""

    merged_into: UUID = Field(description="the household that stays")


class HouseholdSplit(Household):
    """Some members left for a card of their own."""

    split_into: UUID = Field(description="the new household")


class EligibilityGranted(Household):
    """Programmes were granted; `eligibilities` already holds them."""

    programmes: tuple[Code, ...] = Field(description="granted by this decision")


class EligibilityEnded(Household):
    """A person ended programmes, with a reason; `eligibilities` no longer holds them."""

    programmes: tuple[Code, ...] = Field(description="ended by this decision")
    reason: Code = Field(description="why, as the person decided")


# --- registry: household-profiles (sensitive) -------------------------------------------------------------------------


class Member(Part):
    """A person of a household, without anything that names them."""

    person_id: UUID = Field(description="random internal id")
    role: Code = Field(description="head, spouse, child or other")
    sex: Code = Field(description="female, male, or unknown for somebody a neighbour check named")
    birth_year: int | None = Field(ge=1850, le=2200, description="year of birth; null when not known")


class Enrolment(Part):
    """Aid a household receives already, with its dates (rule 26)."""

    programme: Code = Field(description="pkh, sembako, rantang_kasih ...")
    since: date = Field(description="first day")
    until: date | None = Field(description="last day, null while it runs")


class Profile(Fact, aggregate="household_id"):
    """What carers and offices must know to help; sensitive."""

    household_id: UUID = Field(description="whose profile; its versions count apart from the household's own")
    members: tuple[Member, ...] = Field(description="living members")
    enrolments: tuple[Enrolment, ...] = Field(description="routine aid received")
    needs: tuple[Code, ...] = Field(description="needs known to the registry, each opens a case unless one is open")


class HouseholdProfiled(Profile):
    """A household's profile is new, has changed, or its needs were seen again."""

    needs_seen: tuple[Code, ...] = Field(
        default=(), description="needs of a report that led to this fact, also those known before: new sightings"
    )
    needs_seen_at: AwareDatetime | None = Field(default=None, description="when they were seen, as the report says")


# --- registry: carer-events (sensitive) -------------------------------------------------------------------------------


class Carer(Fact, aggregate="carer_id"):
    """The public state of one carer; sensitive, for the places and the undivided conflict list."""

    carer_id: UUID = Field(description="random internal id")
    status: Code = Field(description="active or left")
    employment: Code = Field(description="pns, pppk_full_time or partner")
    office_id: Slug = Field(description="where the carer works; a partner organisation's id for its members")
    competences: tuple[Code, ...] = Field(description="what the carer knows by profession")
    capacity: Count = Field(description="households at most")
    home: Place | None = Field(description="rounded")
    workplace: Place | None = Field(description="rounded")
    conflict_household_ids: tuple[UUID, ...] = Field(description="own or relatives', undivided and without a reason")
    contributes: bool = Field(description="asked for voluntary contributions; nothing follows from either value")
    registered_at: AwareDatetime = Field(description="deciding time of the first version")


class CarerRegistered(Carer):
    """A carer can be given households."""


class CarerUpdated(Carer):
    """Office, places, competences, capacity or conflicts changed."""


class CarerLeft(Carer):
    """The carer looks after nobody new; responsible until each hand-over commits (rule 11)."""

    reason: Code = Field(description="retired, long_leave, inactive or transferred_out")


# --- assignment: assignment-events ------------------------------------------------------------------------------------


class NearestNotChosen(Part):
    """The nearest carer who was not chosen, and why."""

    carer_id: CarerId
    metres: Metres
    why: Code = Field(description="full, conflict, better_competence, fairer_load or continuity")


class Choice(Part):
    """Why this carer looks after this household (rule 10)."""

    way: Code = Field(description="matched, handed_over, by_hand, or kept after a move")
    metres: Metres | None = Field(description="carer's nearer place to the door; null when a place is missing")
    competence_fits: bool = Field(description="the carer knows by profession what a need asks for; never which need")
    load_before: Count = Field(description="households the carer held before this one")
    nearest_not_chosen: NearestNotChosen | None = Field(description="null when the nearest was chosen")
    by: Slug | None = Field(default=None, description="who decided, for by_hand")
    reason: Code | None = Field(default=None, description="why, for all but matched")


class Assignment(Fact, aggregate="assignment_id"):
    """Who looks after a household; one aggregate per household."""

    assignment_id: UUID = Field(description="random internal id")
    household_id: HouseholdId
    district: DistrictCode
    village: VillageCode
    carer_id: UUID | None = Field(
        description="who is responsible; while unserved, one who left and could not hand over"
    )
    since: AwareDatetime = Field(description="deciding time from which this state holds")


class HouseholdAssigned(Assignment):
    """A household has a carer, new or in a hand-over."""

    carer_id: UUID = Field(description="the one active carer")
    previous_carer_id: UUID | None = Field(description="who handed it over")
    choice: Choice = Field(description="why this carer")


class HouseholdUnserved(Assignment):
    """A household cannot be given a carer now; an alarm (rule 9)."""

    reason: Code = Field(description="no_carer_with_room, only_conflicting_carers or no_place_known")


class AssignmentEnded(Assignment):
    """The household left or is no longer eligible for anything."""

    reason: Code = Field(description="household_left, household_merged or not_eligible")


class Pledge(Fact, aggregate="pledge_id"):
    """A partner's promise of one household's package for one period; the household keeps its carer (rule 12)."""

    pledge_id: UUID = Field(description="random; one per household and promise")
    promise_id: UUID = Field(description="the partner's promise it is part of")
    household_id: HouseholdId
    giver_id: Slug = Field(description="the partner organisation")
    programme: Code = Field(description="programme code of the policy")
    period: Period
    status: Code = Field(description="pledged, confirmed or lapsed")
    lapses_at: AwareDatetime = Field(description="deciding time at which it lapses unless confirmed")


class HouseholdPledged(Pledge):
    """A promise was made (version 1) or confirmed."""


class PledgeLapsed(Pledge):
    """A promise was not confirmed in time, or its household left."""

    reason: Code = Field(description="not_confirmed or household_left")


# --- assignment: visit-events (sensitive) -----------------------------------------------------------------------------


class NeedSeen(Part):
    """A need at the door."""

    need: Code = Field(description="which need, a code of the need table")
    person_id: UUID | None = Field(description="whose need; null for the household's")


class Answers(Part):
    """The five questions of the visit report; yes, no, unknown or refused (rule 20)."""

    lives_alone: Code = Field(description="one person lives here alone")
    ill: Code = Field(description="somebody is ill")
    dropout: Code = Field(description="a child of school age is not at school")
    receives_aid: Code = Field(description="routine aid comes already")
    house_unfit: Code = Field(description="the house is not fit to live in")


class Visit(Fact, aggregate="visit_id"):
    """A carer at the door in one period, or the visit that is missing there."""

    visit_id: UUID = Field(description="random; given by the phone for reports")
    household_id: HouseholdId
    carer_id: UUID | None = Field(description="who reported, or should have; null while unserved")
    district: DistrictCode
    period: Period


class VisitReported(Visit):
    """A report; a higher version of the same visit is a correction and supersedes it."""

    happened: bool = Field(description="somebody was met; only such a visit confirms or reopens a case")
    happened_at: AwareDatetime = Field(description="the phone's time; decides the period")
    received_at: AwareDatetime = Field(description="when it reached us")
    place: Place | None = Field(description="where the phone was, rounded; null when not known")
    answers: Answers = Field(description="the five questions")
    needs: tuple[NeedSeen, ...] = Field(description="every need seen on this visit")
    programmes_received: tuple[Code, ...] = Field(description="routine aid the household says it receives")


class VisitOverdue(Visit):
    """No report for the period yet."""

    level: Code = Field(description="carer first, then coordinator")


# --- distribution: round-events ---------------------------------------------------------------------------------------


class Round(Fact, aggregate="round_id"):
    """One programme, one period, one regency."""

    round_id: UUID = Field(description="random internal id")
    programme: Code = Field(description="programme code of the policy")
    period: Period
    month: Month = Field(description="the reporting month it belongs to (rule 19)")
    status: Code = Field(description="open or closed")
    opens_on: date = Field(description="first day of the window, local")
    closes_on: date = Field(description="last day of the window, local")
    recipients_as_of: AwareDatetime = Field(description="as-of time of the frozen list")
    rule_version: Slug = Field(description="version of the eligibility rule in the policy")
    decree: Slug = Field(description="number of the decree, as a slug")
    recipients: Count = Field(description="frozen at opening")
    additions: Count = Field(description="named later, each with a reason")
    removals: Count = Field(description="each with a reason")
    floor: Count = Field(description="packages promised for the month; 0 where none is")
    delivered: Count = Field(description="as known to this version")


class RoundOpened(Round):
    """The recipients are frozen and will never be recomputed (rule 15)."""


class RoundClosed(Round):
    """The window is over and every package has an end."""


class FloorAtRisk(Round):
    """At 70 % or 90 % of the window less than that share of the floor is delivered (rule 19)."""

    at_percent: int = Field(ge=1, le=100, description="70 or 90")


# --- distribution: stock-events ---------------------------------------------------------------------------------------


class Holding(Part):
    """Where units of a lot are, at one depot."""

    depot_id: Slug = Field(description="where")
    available: Units = Field(description="units free to be planned")
    reserved: Units = Field(description="units planned for packages, still on the shelf")
    in_transit: Units = Field(description="on the way to this depot")


class Lot(Fact, aggregate="lot_id"):
    """Goods of one item received together, over all depots: the sum of rule 13 holds in every version.

    received + found = available + reserved + in transit + with holders + delivered + blocked + written off + returned.
    """

    lot_id: UUID = Field(description="random internal id")
    depot_id: Slug = Field(description="the depot that received it first; the key of all its facts")
    item: Code = Field(description="item code of the policy")
    status: Code = Field(description="usable, blocked, recalled or expired")
    source: Code = Field(description="who paid")
    giver_id: Slug | None = Field(description="who gave it; null for public money")
    unit_value: Rupiah = Field(description="rupiah of one unit")
    received_on: date = Field(description="local day it came in")
    expires_on: date = Field(description="printed, or received_on + the item's shelf life")
    received: Units = Field(description="units that came in")
    found: Units = Field(description="units a count found beyond the books")
    holdings: tuple[Holding, ...] = Field(description="per depot, only where something is")
    with_holders: Units = Field(description="picked up, not yet delivered or returned")
    delivered: Units = Field(description="units at households")
    blocked: Units = Field(description="units that may not move")
    written_off: Units = Field(description="units lost, damaged or expired")
    returned_to_giver: Units = Field(description="units given back")


class StockReceived(Lot):
    """A lot came in."""


class StockAdjusted(Lot):
    """A count, a write-off, a reversal or goods that came back changed a lot."""

    reason: Code = Field(description="counted, written_off, reversed, returned or released")


class StockTransferred(Lot):
    """Units left for, or were signed for at, another depot."""

    from_depot_id: Slug = Field(description="the sending depot")
    to_depot_id: Slug = Field(description="the receiving depot")
    units: Units = Field(description="sent, or received")
    missing: Units = Field(description="signed for as missing and written off")


class StockBlocked(Lot):
    """The lot may not move."""

    reason: Code = Field(description="why it may not move")


class LotExpiring(Lot):
    """The lot will not survive delivery plus the minimum shelf time."""


class LotRecalled(Lot):
    """The lot is called back; who received it is one query."""

    reason: Code = Field(description="why it is called back")
    recipients: Count = Field(description="households that received units of it")


class StockLow(Fact, aggregate="stock_id"):
    """An item at a depot covers less than what is planned from it."""

    stock_id: UUID = Field(description="random; one per depot and item")
    depot_id: Slug = Field(description="the depot")
    item: Code = Field(description="item code of the policy")
    available: Units = Field(description="units free to be planned")
    wanted: Units = Field(description="units that recipients without supply need")


# --- distribution: package-events -------------------------------------------------------------------------------------


class LotUnits(Part):
    """Units of one lot in a package."""

    lot_id: LotId
    item: Code = Field(description="item code of the policy")
    units: Units = Field(description="units of this lot in the package")


class Proof(Part):
    """That a package reached its household (rule 17)."""

    received_by: Code = Field(description="self, spouse, other_member, neighbour or official")
    photo_sha256: Sha256 | None = Field(description="hash of the photo; the photo itself is never sent")
    place: Place | None = Field(description="where the device was, rounded; null when not known")
    happened_at: AwareDatetime = Field(description="the device's time; decides the period")
    received_at: AwareDatetime = Field(description="when it reached us")
    late: bool = Field(description="received after the month it belongs to had ended")


class Package(Fact, aggregate="package_id"):
    """What one household gets in one round."""

    package_id: UUID = Field(description="random internal id")
    household_id: HouseholdId
    round_id: RoundId
    programme: Code = Field(description="programme code of the policy")
    period: Period
    district: DistrictCode
    village: VillageCode
    carer_id: UUID | None = Field(description="who brings it; null while the household is unserved")
    status: Code = Field(description="planned, held, picked_up, delivered, failed, returned or cancelled")
    supply: Code = Field(description="stock or brought")
    depot_id: Slug | None = Field(description="for stock")
    giver_id: Slug | None = Field(description="who brings or paid")
    pledge_id: UUID | None = Field(description="the promise that supplies it, if one does")
    collector_id: Slug | None = Field(description="who picked it up, a carer or an office; null until then")
    contents: tuple[Goods, ...] = Field(description="goods in it; of brought packages first expected, then as brought")
    lots: tuple[LotUnits, ...] = Field(description="empty for brought packages: counted as without lot")
    value: Rupiah = Field(description="rupiah of the contents")
    attempts: Count = Field(description="failed attempts so far")
    failure_reason: Code | None = Field(description="of the latest failed attempt")
    proof: Proof | None = Field(description="null until it is delivered")
    flags: tuple[Code, ...] = Field(description="suspicions for a second look, never a punishment")


class PackagePlanned(Package):
    """Supply is found and, for stock, reserved; also a plan held, released or given to another carer."""


class PackagePickedUp(Package):
    """A collector has it: the carer, or one driver for an office; `collector_id` says who."""


class PackageDelivered(Package):
    """It reached the household, with proof."""


class PackageFailed(Package):
    """An attempt failed, or the period ended without one."""

    final: bool = Field(description="no further attempt is planned")
    supply_gap: bool = Field(default=False, description="second week in a row without delivery (rule 18)")


class PackageReturned(Package):
    """Its goods are back in the ledger."""


class PackageCancelled(Package):
    """Nobody is sent there again."""

    reason: Code = Field(description="why nobody is sent there again")


class ProofFlagged(Package):
    """A proof looks odd; someone takes a second look."""

    suspicions: tuple[Code, ...] = Field(
        description="same_place, same_photo, impossible_speed, mock_location, far_from_home"
    )


# --- notifications: case-events (sensitive) ---------------------------------------------------------------------------


class Case(Fact, aggregate="case_id"):
    """One need of one household that an office must answer."""

    case_id: UUID = Field(description="random internal id")
    household_id: HouseholdId
    person_id: UUID | None = Field(description="whose need; null for the household's")
    district: DistrictCode
    need: Code = Field(description="which need, a code of the need table")
    critical: bool = Field(description="its clocks run in hours, nights and holidays included")
    restricted: bool = Field(description="only counted outside the responsible office")
    responsible_office_id: Slug = Field(description="who must answer now")
    status: Code = Field(description="open, accepted, waiting, resolved or confirmed")
    sightings: Count = Field(description="how often it was reported")
    opened_at: AwareDatetime = Field(description="deciding time; the clocks start here")
    first_answer_due_at: AwareDatetime = Field(description="when the office must have answered")
    done_due_at: AwareDatetime = Field(description="when it must be resolved")
    answered_at: AwareDatetime | None = Field(description="first answer of the office now responsible")
    resolved_at: AwareDatetime | None = Field(description="when the office said it is done")
    next_date: AwareDatetime | None = Field(description="never null while the case is not confirmed (rule 23)")
    escalation_level: Count = Field(description="0 office, 1 head of office, 2 regional secretary, 3 weekly list")
    waiting_for: Code | None = Field(description="budget or household while waiting")
    queue_place: Count | None = Field(description="place in the queue for budget, from 1")


class CaseOpened(Case):
    """A need became a case; its clocks run."""


class CaseAccepted(Case):
    """The office answered that it will act."""


class CaseRerouted(Case):
    """The office rejected it with a reason; another one has it now."""

    from_office_id: Slug = Field(description="the office that rejected it")
    reason: Code = Field(description="why it was rejected")


class CaseWaiting(Case):
    """The clock stands until a budget or the household is there; a review date runs."""


class CaseAtRisk(Case):
    """80 % of a clock is over."""

    clock: Code = Field(description="first_answer or done")


class CaseEscalated(Case):
    """A clock is breached; one level up, or, each week, still at the highest."""

    clock: Code = Field(description="first_answer or done")


class CaseResolved(Case):
    """The office says it is done; the next visit that happens confirms or reopens."""


class CaseConfirmed(Case):
    """The end: a visit after the resolution no longer saw the need, or the household is gone."""

    reason: Code | None = Field(default=None, description="household_left or household_merged; null after a visit")


class CaseReopened(Case):
    """A visit after the resolution saw the need again."""


# --- notifications: notification-events -------------------------------------------------------------------------------


class Notification(Fact, aggregate="notification_id"):
    """One message to one recipient about one thing; its text and address are not in it."""

    notification_id: UUID = Field(description="random internal id")
    recipient_id: Slug = Field(description="opaque id of a duty role, an office or a carer")
    kind: Code = Field(description="what it is about")
    level: Count = Field(description="escalation level, 0 for none")
    channel: Code = Field(description="how it travels")
    attempts: Count = Field(description="tries so far")
    case_id: UUID | None = Field(description="the case it is about, if it is about one")


class NotificationSent(Notification):
    """The channel took it."""

    sent_at: AwareDatetime = Field(description="when the channel took it")


class NotificationFailed(Notification):
    """It was dropped: older than 24 hours, or refused by its channel for good."""

    reason: Code = Field(description="why it was dropped")


# --- every service: refusals ------------------------------------------------------------------------------------------


class SubmissionRefused(Fact, aggregate="refusal_id"):
    """A submission was not accepted; for its sender."""

    refusal_id: UUID = Field(
        description="derived from the submission's source and id; `quarantined` has one of its own"
    )
    submission_id: str = Field(max_length=128, description="the integrator's own id of the submission")
    submission_type: str = Field(max_length=128, description="wire type; empty when it was not a known one")
    source: Slug = Field(description="who sent it; the record's key")
    service: Slug = Field(description="who answers")
    code: Code = Field(description="why")
    field: str | None = Field(max_length=128, description="path of the field; never a value")
    sentence: str = Field(max_length=300, description="the code in words; never a value")
