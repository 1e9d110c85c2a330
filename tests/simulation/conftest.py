"""A small month, and what the outside would have heard on its first morning."""

from datetime import date
from uuid import uuid4

import pytest

import policies
from simulation.calendar import Calendar
from simulation.deliveries import MONTHLY
from simulation.facts import Member, Outside, Package
from simulation.households import NEIGHBOURS_FROM
from simulation.play import Month, plan_month
from simulation.world import make_world

SEED = 7


def month_of(districts: int, seed: int = SEED) -> Month:
    policy = policies.load()["35.10"]
    return plan_month(make_world(policy, seed, districts), Calendar(date(2026, 10, 1), policy.zone))


@pytest.fixture(scope="session")
def whole_month() -> Month:
    return month_of(25)


@pytest.fixture
def month() -> Month:
    return month_of(3)


@pytest.fixture
def outside(month: Month) -> Outside:
    return heard_of(month)


def heard_of(month: Month) -> Outside:
    """Everybody is registered and has a carer, every round is planned."""
    heard = Outside()
    accepted = [carer.number for carer in month.world.carers if carer.accepted]
    for number in accepted:
        heard.carer[number] = str(uuid4())
        heard.carer_number[heard.carer[number]] = number
    candidates = range(NEIGHBOURS_FROM, NEIGHBOURS_FROM + len(month.fate.neighbours))
    for at, number in enumerate((*month.world.households, *candidates)):
        household_id = heard.household[number] = str(uuid4())
        heard.number[household_id] = number
        heard.carer_of[household_id] = heard.carer[accepted[at % len(accepted)]]
        for week, round_id in month.rounds.items():
            depot_id = "depot-35.10.16" if week == MONTHLY and at % 4 == 0 else None
            heard.packages[household_id, round_id] = _planned(depot_id)
    for number, household in month.world.households.items():
        members = tuple(Member(str(uuid4()), person.role) for person in household.members)
        heard.members[heard.household[number]] = members
    return heard


def _planned(depot_id: str | None) -> Package:
    return Package(
        version=1,
        status="planned",
        supply="stock" if depot_id else "brought",
        depot_id=depot_id,
        giver_id=None if depot_id else "school",
        contents=(("rice_5kg", 1),),
        lot_ids=(),
        final=False,
    )
