"""Five suspicions about a proof of delivery (rule 17): someone takes a second look, nothing follows by itself. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Final
from uuid import UUID

from policies import DistributionRules

NEAR_IN_TIME: Final = timedelta(hours=12)
_SAME_PLACE_METRES: Final = 60
_ROUNDING_METRES: Final = 160  # two places rounded to 3 decimals may seem this much further apart than they are
_EARTH_METRES: Final = 6_371_000


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees, rounded to 3 decimals."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as the suspicions look at it."""

    package_id: UUID
    household_id: UUID
    carer_id: UUID
    happened_at: datetime
    place: Point | None
    photo: bytes | None
    door: Point | None
    """Where the register says the household lives."""
    is_mocked: bool = False


def suspect(
    delivery: Delivery, same_carer: Iterable[Delivery], same_photo: Iterable[Delivery], rules: DistributionRules
) -> tuple[str, ...]:
    """Codes of what looks odd, beside this carer's deliveries within 12 hours and those with the same photo."""
    others = [
        other
        for other in same_carer
        if other.household_id != delivery.household_id and abs(other.happened_at - delivery.happened_at) <= NEAR_IN_TIME
    ]
    found = (
        ("same_place", _is_same_place(delivery, others, rules.same_place_households)),
        ("same_photo", any(_is_other_occasion(delivery, other) for other in same_photo)),
        ("impossible_speed", any(_is_too_fast(delivery, other, rules.speed_kmh) for other in others)),
        ("mock_location", delivery.is_mocked),
        ("far_from_home", _is_far(delivery, rules.far_metres)),
    )
    return tuple(code for code, is_so in found if is_so)


def metres(one: Point, other: Point) -> float:
    """Along a great circle (haversine)."""
    if one == other:
        return 0.0
    north, south = radians(one.latitude), radians(other.latitude)
    half = sin((south - north) / 2) ** 2
    half += cos(north) * cos(south) * sin(radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * _EARTH_METRES * asin(sqrt(half))


def _is_same_place(delivery: Delivery, others: list[Delivery], households: int) -> bool:
    """One spot for many households; those whose registered doors are one door (a shared house) count once."""
    if delivery.place is None or delivery.door is None:
        return False
    doors = {delivery.door}
    for other in others:
        if other.place and other.door and metres(delivery.place, other.place) <= _SAME_PLACE_METRES:
            doors.add(other.door)
    return len(doors) >= households


def _is_other_occasion(delivery: Delivery, other: Delivery) -> bool:
    """One photo may show both of a household's packages of a day, nothing else."""
    is_same_day = abs(other.happened_at - delivery.happened_at) <= NEAR_IN_TIME
    return other.package_id != delivery.package_id and not (is_same_day and other.household_id == delivery.household_id)


def _is_too_fast(delivery: Delivery, other: Delivery, speed_kmh: int) -> bool:
    if delivery.place is None or other.place is None:
        return False
    surely = metres(delivery.place, other.place) - _ROUNDING_METRES
    if surely <= 0:
        return False
    return surely > abs((delivery.happened_at - other.happened_at).total_seconds()) * speed_kmh / 3.6


def _is_far(delivery: Delivery, far_metres: int) -> bool:
    return (
        delivery.place is not None and delivery.door is not None and metres(delivery.place, delivery.door) >= far_metres
    )
