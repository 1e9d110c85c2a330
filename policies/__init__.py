"""A regency's policy as data: dated TOML files, the valid one read once at start and handed to whoever decides."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from contracts.vocabulary import Code, Competence, DistrictCode, Goods, Need, Slug

FOLDER = Path(__file__).parent


class Part(BaseModel):
    """A table of the file; an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Programme(Part):
    """A kind of aid with a rule who gets it."""

    code: Code
    period: Literal["month", "week"]
    supply: Literal["any", "brought"]
    max_decile: int = Field(ge=1, le=10)
    floor: int = Field(ge=0, description="packages a month, at least; 0 where nothing is promised")
    excluded_by: tuple[Code, ...] = Field(description="other programmes that rule it out (rule 15)")
    contents: tuple[Goods, ...] = ()
    rotation: tuple[Code, ...] = Field(default=(), description="item of week 1 to 4")


class Item(Part):
    """Something that is given, in whole units."""

    code: Code
    shelf_life_days: int = Field(ge=1)
    unit_value: int = Field(ge=0, description="rupiah")


class Office(Part):
    """Who answers cases; desk and head are opaque recipients."""

    office_id: Slug
    name: str
    head: Slug
    desk: Slug


class NeedRule(Part):
    """Where a need goes and how quickly; hours when critical, else the regency's working days."""

    need: Need
    programme: Code
    route: tuple[Slug, ...] = Field(min_length=1, description="offices in turn; the next one when one rejects")
    critical: bool
    first_answer: int = Field(ge=1)
    done: int = Field(ge=1)
    restricted: bool
    met_by: tuple[Code, ...] = Field(description="enrolments that already meet it (rule 26)")
    competence: Competence | None = None


class Depot(Part):
    """A place that holds stock."""

    depot_id: Slug
    district: DistrictCode
    central: bool = False


class District(Part):
    """A district, its coordinator (opaque recipient), and its approximate centre in degrees."""

    code: DistrictCode
    name: str
    coordinator: Slug
    latitude: float
    longitude: float


class CarerRules(Part):
    """Capacity: households a carer has at most."""

    capacity: int = Field(ge=1)


class MatchingRules(Part):
    """Weights in metres (rule 10)."""

    nearest: int = Field(ge=1)
    load_metres: int = Field(ge=0)
    competence_metres: int = Field(ge=0)
    change_metres: int = Field(ge=0)


class VisitRules(Part):
    """How often, and when the coordinator is told."""

    period: Literal["month", "week"]
    overdue_to_coordinator_days: int = Field(ge=1)


class PledgeRules(Part):
    """How long a promise waits for its confirmation."""

    lapse_hours: int = Field(ge=1)


class DistributionRules(Part):
    """Shelf times, attempts, and when a proof looks odd (rules 14, 16, 17)."""

    delivery_days: int = Field(ge=0)
    minimum_shelf_days: int = Field(ge=0)
    attempts_before_review: int = Field(ge=1)
    far_metres: int = Field(ge=1)
    same_place_households: int = Field(ge=2)
    speed_kmh: int = Field(ge=1)
    close_grace_days: int = Field(ge=0, description="after a round's window, for phones that come back late")


class Channel(Part):
    """How a recipient is reached by webhook; everybody without an entry is reached by the file channel."""

    recipient: Slug
    webhook: str = Field(pattern=r"^https?://\S+$", description="where messages are posted")


class CaseRules(Part):
    """Clocks and digests (rules 23, 25)."""

    due_hour: int = Field(ge=0, le=23)
    at_risk_percent: int = Field(ge=1, le=99)
    waiting_review_days: int = Field(ge=1)
    digest_hour: int = Field(ge=0, le=23)
    intent_hours: int = Field(ge=1)


Zone = Annotated[ZoneInfo, BeforeValidator(lambda name: ZoneInfo(name) if isinstance(name, str) else name)]


class Policy(Part):
    """Everything that is the regency's to decide."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    regency: str = Field(pattern=r"^\d{2}\.\d{2}$")
    name: str
    version: Slug = Field(description="goes into every eligibility as its rule version")
    valid_from: date = Field(description="local day from which on services that start decide by it")
    zone: Zone
    head_of_region: Slug
    regional_secretary: Slug
    social_office: Slug = Field(description="office that answers for the packages of the month")
    operator: Slug = Field(description="opaque recipient of alarms about the system itself")
    import_refused_above_percent: int = Field(ge=0, le=100)
    programmes: tuple[Programme, ...]
    items: tuple[Item, ...]
    offices: tuple[Office, ...]
    needs: tuple[NeedRule, ...]
    depots: tuple[Depot, ...]
    districts: tuple[District, ...]
    carers: CarerRules
    matching: MatchingRules
    visits: VisitRules
    pledges: PledgeRules
    distribution: DistributionRules
    cases: CaseRules
    channels: tuple[Channel, ...] = ()

    @cached_property
    def programme(self) -> Mapping[str, Programme]:
        """Programmes by code."""
        return MappingProxyType({programme.code: programme for programme in self.programmes})

    @cached_property
    def item(self) -> Mapping[str, Item]:
        """Items by code."""
        return MappingProxyType({item.code: item for item in self.items})

    @cached_property
    def office(self) -> Mapping[str, Office]:
        """Offices by id."""
        return MappingProxyType({office.office_id: office for office in self.offices})

    @cached_property
    def need(self) -> Mapping[str, NeedRule]:
        """Need rules by need."""
        return MappingProxyType({rule.need: rule for rule in self.needs})

    @cached_property
    def depot(self) -> Mapping[str, Depot]:
        """Depots by id."""
        return MappingProxyType({depot.depot_id: depot for depot in self.depots})

    @cached_property
    def depot_of(self) -> Mapping[str, Depot]:
        """The depot that serves a district."""
        return MappingProxyType({depot.district: depot for depot in self.depots if not depot.central})

    @cached_property
    def district(self) -> Mapping[str, District]:
        """Districts by code."""
        return MappingProxyType({district.code: district for district in self.districts})

    @cached_property
    def webhook(self) -> Mapping[str, str]:
        """Webhook addresses by recipient."""
        return MappingProxyType({channel.recipient: channel.webhook for channel in self.channels})


Policies = Mapping[str, Policy]


def load(folder: Path = FOLDER, today: date | None = None) -> Policies:
    """Each regency's policy, by its code: of its files in the folder the one that became valid last.

    One that is not valid yet may lie there already. Raises pydantic's ValidationError or tomllib's TOMLDecodeError.
    """
    found = [Policy.model_validate(tomllib.loads(path.read_text())) for path in sorted(folder.glob("*.toml"))]
    valid = [policy for policy in found if policy.valid_from <= (today or datetime.now(policy.zone).date())]
    return MappingProxyType({policy.regency: policy for policy in sorted(valid, key=lambda policy: policy.valid_from)})
