"""A small month, and what the outside would have heard on its first morning."""

from datetime import date
from uuid import uuid4

import pytest

import policies
from simulation.calendar import Calendar
from simulation.deliveries import MONTHLY
from simulation.facts import Member, Outside, Package
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
    """Everybody is registered and has a carer, every round is planned."""
    heard = Outside()
    accepted = [carer.number for carer in month.world.carers if carer.accepted]
    for number in accepted:
        heard.carer[number] = str(uuid4())
        heard.carer_number[heard.carer[number]] = number
    for at, (number, household) in enumerate(month.world.households.items()):
        household_id = heard.household[number] = str(uuid4())
        heard.number[household_id] = number
        heard.members[household_id] = tuple(Member(str(uuid4()), person.role) for person in household.members)
        heard.carer_of[household_id] = heard.carer[accepted[at % len(accepted)]]
        for week, round_id in month.rounds.items():
            stock = week == MONTHLY and at % 4 == 0
            heard.packages[household_id, round_id] = Package(
                version=1,
                status="planned",
                supply="stock" if stock else "brought",
                depot_id=f"depot-{household.district}" if stock else None,
                giver_id=None if stock else "school",
                contents=(("rice_5kg", 1),),
                lot_ids=(),
                final=False,
            )
    return heard
