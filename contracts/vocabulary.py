"""The codes and quantities that submissions and facts share.

Codes are closed in submissions (these enums) and open in facts (`Code`): a reader meets an unknown one and carries on.
Every number is bounded here, so that whether a message is valid never depends on the database or on its neighbours.
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

PLACE_DECIMALS: Final = 3  # about 110 m; finer places would be an address


class Need(StrEnum):
    """What a household needs beyond food; which office answers each is a table in the regency's policy."""

    NO_FOOD_TODAY = "no_food_today"
    ACUTELY_ILL = "acutely_ill"
    CHILD_IN_DANGER = "child_in_danger"
    CHILD_NEGLECTED = "child_neglected"
    ELDERLY_ALONE = "elderly_alone"
    SCHOOL_DROPOUT = "school_dropout"
    SCHOOL_MEANS = "school_means"
    GIFTED_STUDENT = "gifted_student"
    UNDERFED_CHILD = "underfed_child"
    DISABILITY_CARE = "disability_care"
    LIVELIHOOD = "livelihood"
    HOUSE_UNFIT = "house_unfit"
    DOCUMENTS = "documents"
    HEALTH_INSURANCE = "health_insurance"
    NO_ROUTINE_AID = "no_routine_aid"
    NOT_ON_LIST = "not_on_list"
    ELIGIBILITY_DOUBTED = "eligibility_doubted"


class Answer(StrEnum):
    """An answer at the door; unknown is not no."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    REFUSED = "refused"


class Sex(StrEnum):
    """As the civil registry records it."""

    FEMALE = "female"
    MALE = "male"


class MemberRole(StrEnum):
    """Place of a person on the family card."""

    HEAD = "head"
    SPOUSE = "spouse"
    CHILD = "child"
    OTHER = "other"


class EligibilityBasis(StrEnum):
    """Why a household may have a programme."""

    DTSEN = "dtsen"
    LOCAL_VERIFIED = "local_verified"
    EMERGENCY = "emergency"


class Employment(StrEnum):
    """How a carer is employed; part-time contracts are refused as carers."""

    PNS = "pns"
    PPPK_FULL_TIME = "pppk_full_time"
    PPPK_PART_TIME = "pppk_part_time"
    PARTNER = "partner"


class DutyStatus(StrEnum):
    """Whether a civil servant or partner member can look after anybody now."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    LONG_LEAVE = "long_leave"
    RETIRED = "retired"
    TRANSFERRED_OUT = "transferred_out"


class Competence(StrEnum):
    """What a carer knows by profession, weighed against a household's needs."""

    HEALTH = "health"
    TEACHING = "teaching"
    SOCIAL_WORK = "social_work"
    ADMINISTRATION = "administration"
    ENGINEERING = "engineering"
    FARMING = "farming"


class FailureReason(StrEnum):
    """Why a package did not reach its household on an attempt."""

    NOT_HOME = "not_home"
    ADDRESS_NOT_FOUND = "address_not_found"
    MOVED = "moved"
    MOVED_AWAY = "moved_away"
    DECEASED = "deceased"
    REFUSED = "refused"
    DAMAGED = "damaged"
    ACCESS_BLOCKED = "access_blocked"
    NOT_BROUGHT = "not_brought"


class ReceivedBy(StrEnum):
    """Who took a package at the door; never a name."""

    SELF = "self"
    SPOUSE = "spouse"
    OTHER_MEMBER = "other_member"
    NEIGHBOUR = "neighbour"
    OFFICIAL = "official"


class SupplySource(StrEnum):
    """Who paid for goods."""

    APBD = "apbd"
    ASN = "asn"
    PARTNER = "partner"
    HARI_BELANJA = "hari_belanja"
    BAZNAS = "baznas"
    CSR = "csr"
    VILLAGE = "village"


def _rounded(degrees: float) -> float:
    if round(degrees, PLACE_DECIMALS) != degrees:
        raise ValueError("a place has at most 3 decimals")
    return degrees


HouseholdId = Annotated[UUID, Field(description="the household")]
PersonId = Annotated[UUID, Field(description="the person, on this household's family card")]
CarerId = Annotated[UUID, Field(description="the carer")]
RoundId = Annotated[UUID, Field(description="the round")]
LotId = Annotated[UUID, Field(description="the lot")]
Code = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$", description="lower-case code; new ones may appear")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$", description="stable name from the regency's policy")]
DistrictCode = Annotated[
    str, Field(pattern=r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}$", description="Kemendagri code of a district")
]
VillageCode = Annotated[
    str, Field(pattern=r"^[0-9]{2}\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}$", description="Kemendagri code of a village")
]
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC), description="a time with its zone"),
]
Day = Annotated[date, Field(ge=date(1850, 1, 1), lt=date(2200, 1, 1), description="a calendar day")]
Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", description="calendar month, `2026-10`")]
Period = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])(-w[1-4])?$",
        description="a month `2026-10`, or its week `2026-10-w2` (days 1-7, 8-14, 15-21, 22 to the end)",
    ),
]
Decile = Annotated[int, Field(ge=1, le=10, description="welfare decile of DTSEN, 1 is poorest")]
Units = Annotated[int, Field(ge=0, le=1_000_000_000, description="whole units of one item")]
Rupiah = Annotated[int, Field(ge=0, le=1_000_000_000_000_000, description="whole rupiah")]
Metres = Annotated[int, Field(ge=0, le=50_000_000, description="metres along a great circle")]
Count = Annotated[int, Field(ge=0, le=1_000_000_000, description="a count")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 in lower-case hexadecimal")]


class Place(BaseModel):
    """A point rounded to 3 decimals of a degree (WGS 84), about 110 m."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latitude: Annotated[float, Field(ge=-90, le=90, description="degrees north"), AfterValidator(_rounded)]
    longitude: Annotated[float, Field(ge=-180, le=180, description="degrees east"), AfterValidator(_rounded)]


class Goods(BaseModel):
    """Some units of one item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: Code = Field(description="item code of the policy, `rice_5kg`")
    units: Units = Field(ge=1)
