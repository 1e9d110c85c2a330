"""What distribution is sent before and for a round of the month."""

from collections.abc import Iterator
from datetime import date
from typing import Final
from uuid import uuid4

import policies
from contracts.submissions import RoundSubmitted, StockSubmitted
from contracts.vocabulary import SupplySource
from simulation.claims import claim
from tests.bench.filling import REGENCY
from tests.bench.submissions import Message, message_of

DISTRIBUTION: Final = "distribution-submissions"
_HAPPENED_AT: Final = "2026-10-14T08:00:00+07:00"
_PROGRAMME: Final = "monthly_package"


def round_of_the_month() -> Message:
    return message_of(
        claim(
            RoundSubmitted,
            "social-office",
            "round-2026-10",
            happened_at=_HAPPENED_AT,
            round_id=uuid4(),
            programme=_PROGRAMME,
            period="2026-10",
            opens_on=date(2026, 10, 14),
            closes_on=date(2026, 10, 24),
            decree="188-2026",
        )
    )


def packages_of_stock(packages: int) -> Iterator[Message]:
    """Goods of so many packages, shared out among the depots of the districts: a lot of every item at each."""
    policy = policies.load()[REGENCY]
    depots = [depot.depot_id for depot in policy.depots if not depot.central]
    for depot_id in depots:
        for goods in policy.programme[_PROGRAMME].contents:
            yield message_of(
                claim(
                    StockSubmitted,
                    "depots",
                    f"stock-{depot_id}-{goods.item.replace('_', '-')}",
                    happened_at=_HAPPENED_AT,
                    depot_id=depot_id,
                    lot_id=uuid4(),
                    item=goods.item,
                    units=goods.units * (packages // len(depots)),
                    unit_value=1_000,
                    source=SupplySource.APBD,
                    giver_id=None,
                    received_on=date(2026, 10, 8),
                    expires_on=date(2027, 8, 31),
                )
            )
