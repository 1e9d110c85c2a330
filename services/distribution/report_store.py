"""Which packages the reports of doors and depots are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.refusals import RefusalCode
from contracts.submissions import DeliverySubmitted, PackageCancellationSubmitted, PickUpSubmitted, ReturnSubmitted
from messaging import Connection, Outcome, Parked, Refused
from services.distribution import package_store, store
from services.distribution.package_store import Addressed
from services.distribution.store import KnownRound

Report = PickUpSubmitted | DeliverySubmitted | ReturnSubmitted | PackageCancellationSubmitted


@dataclass(frozen=True, slots=True)
class Reported:
    """The packages that reports are about, locked, with their rounds."""

    rounds: Mapping[UUID, KnownRound]
    addressed: Mapping[tuple[UUID, UUID], Addressed]
    unplanned: set[tuple[UUID, UUID]]
    """Recipients without a package yet."""

    def of(self, report: Report) -> Addressed | Outcome:
        """The package of a report; one whose round or plan is not here yet waits for it."""
        pair = (report.round_id, report.household_id)
        if (found := self.addressed.get(pair)) is not None:
            return found
        if report.round_id not in self.rounds:
            return Parked(report.round_id)
        if pair in self.unplanned and self.rounds[report.round_id].round.status == "open":
            return Parked(report.household_id)
        return Refused(RefusalCode.NOT_IN_ROUND, "household_id")


async def find_reported(db: Connection, reports: Sequence[Report]) -> Reported:
    """Load what these reports are about."""
    pairs = [(report.round_id, report.household_id) for report in reports]
    addressed = await package_store.lock_parcels(db, pairs)
    rounds = await store.get_rounds(db, list({report.round_id for report in reports}))
    unplanned = await store.list_recipients(db, [pair for pair in pairs if pair not in addressed])
    return Reported(rounds, addressed, unplanned)
