"""Which packages the reports of doors and depots are about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from contracts.refusals import RefusalCode
from contracts.submissions import DeliverySubmitted, PackageCancellationSubmitted, PickUpSubmitted, ReturnSubmitted
from messaging import Connection, Outcome, Parked, Received, Refused
from services.distribution import package_store, recipient_store, store
from services.distribution.package_store import Addressed
from services.distribution.store import KnownRound

ReportT = TypeVar("ReportT", PickUpSubmitted, DeliverySubmitted, ReturnSubmitted, PackageCancellationSubmitted)


@dataclass(frozen=True, slots=True)
class Reported:
    """The packages that reports are about, locked, with their rounds."""

    rounds: Mapping[UUID, KnownRound]
    addressed: Mapping[tuple[UUID, UUID], Addressed]
    unplanned: set[tuple[UUID, UUID]]
    """Recipients without a package yet."""

    def of(self, message: Received[ReportT]) -> Addressed | Outcome:
        """The package of a report; one whose round or plan is not here yet waits for it."""
        report = message.data
        pair, known = (report.round_id, report.household_id), self.rounds.get(report.round_id)
        if known is None:
            return Parked(report.round_id)
        if known.regency != message.regency:
            return Refused(RefusalCode.WRONG_REGENCY, "round_id")
        if (found := self.addressed.get(pair)) is not None:
            return found
        if pair in self.unplanned and known.round.status == "open":
            return Parked(report.household_id)
        return Refused(RefusalCode.NOT_IN_ROUND, "household_id")


async def find_reported(db: Connection, messages: Sequence[Received[ReportT]]) -> Reported:
    """Load what these reports are about."""
    pairs = [(message.data.round_id, message.data.household_id) for message in messages]
    addressed = await package_store.lock_parcels(db, pairs)
    rounds = await store.get_rounds(db, list({round_id for round_id, _ in pairs}))
    unplanned = await recipient_store.list_recipients(db, [pair for pair in pairs if pair not in addressed])
    return Reported(rounds, addressed, unplanned)
