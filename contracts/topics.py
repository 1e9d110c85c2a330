"""Where each message travels: one table, from which topics, access and the AsyncAPI description are made."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from contracts import events as e
from contracts import submissions as s
from contracts.events import Fact
from contracts.submissions import Submission

SERVICES: Final = ("registry", "assignment", "distribution", "notifications")
HOUSEHOLD_PARTITIONS: Final = 12  # for ever: another number would move households between partitions
OTHER_PARTITIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic. Names carry no prefix; a cell puts its own in front."""

    name: str
    key: str
    """The field whose value is the record key and `ce_subject`."""
    messages: tuple[type[Fact] | type[Submission], ...]
    producers: tuple[str, ...]
    """Services; `integrators` for submissions."""
    consumers: tuple[str, ...]
    partitions: int
    retention: timedelta | None
    """None: kept for ever."""
    sensitive: bool = False
    """Readable by the named consumers only: health, child, vulnerability or identity inside."""


def _facts(
    name: str, key: str, producer: str, consumers: tuple[str, ...], messages: tuple[type[Fact], ...], **options: bool
) -> Topic:
    partitions = HOUSEHOLD_PARTITIONS if key == "household_id" else OTHER_PARTITIONS
    return Topic(name, key, messages, (producer,), consumers, partitions, None, **options)


def _submissions(service: str, retention: timedelta, messages: tuple[type[Submission], ...]) -> Topic:
    return Topic(
        f"{service}-submissions",
        "subject",
        messages,
        ("integrators",),
        (service,),
        HOUSEHOLD_PARTITIONS,
        retention,
        sensitive=True,
    )


TOPICS: Final[tuple[Topic, ...]] = (
    _submissions(
        "registry",
        timedelta(hours=72),
        (
            s.HouseholdSubmitted,
            s.HouseholdChangeSubmitted,
            s.CarerSubmitted,
            s.NeighbourCheckSubmitted,
            s.EnrolmentSubmitted,
            s.ReviewDecisionSubmitted,
            s.CandidateDecisionSubmitted,
        ),
    ),
    _facts(
        "household-events",
        "household_id",
        "registry",
        ("assignment", "distribution", "notifications"),
        (
            e.HouseholdRegistered,
            e.HouseholdUpdated,
            e.HouseholdLeft,
            e.HouseholdMerged,
            e.HouseholdSplit,
            e.EligibilityGranted,
            e.EligibilityEnded,
        ),
    ),
    _facts(
        "household-profiles",
        "household_id",
        "registry",
        ("assignment", "notifications"),
        (e.HouseholdProfiled,),
        sensitive=True,
    ),
    _facts(
        "carer-events",
        "carer_id",
        "registry",
        ("assignment", "distribution", "notifications"),
        (e.CarerRegistered, e.CarerUpdated, e.CarerLeft),
        sensitive=True,
    ),
    _submissions(
        "assignment",
        timedelta(days=7),
        (s.VisitSubmitted, s.PledgeSubmitted, s.PledgeConfirmationSubmitted, s.HandAssignmentSubmitted),
    ),
    _facts(
        "assignment-events",
        "household_id",
        "assignment",
        ("registry", "distribution", "notifications"),
        (e.HouseholdAssigned, e.HouseholdUnserved, e.AssignmentEnded, e.HouseholdPledged, e.PledgeLapsed),
    ),
    _facts(
        "visit-events",
        "household_id",
        "assignment",
        ("notifications", "registry"),
        (e.VisitReported, e.VisitOverdue),
        sensitive=True,
    ),
    _submissions(
        "distribution",
        timedelta(days=7),
        (
            s.RoundSubmitted,
            s.StockSubmitted,
            s.TransferSubmitted,
            s.CountSubmitted,
            s.RecallSubmitted,
            s.LotBlockSubmitted,
            s.ReversalSubmitted,
            s.PickUpSubmitted,
            s.DeliverySubmitted,
            s.ReturnSubmitted,
            s.PackageCancellationSubmitted,
            s.SurplusDecisionSubmitted,
        ),
    ),
    _facts(
        "round-events",
        "round_id",
        "distribution",
        ("notifications",),
        (e.RoundOpened, e.RoundClosed, e.FloorAtRisk),
    ),
    _facts(
        "stock-events",
        "depot_id",
        "distribution",
        ("notifications",),
        (
            e.StockReceived,
            e.StockAdjusted,
            e.StockTransferred,
            e.StockBlocked,
            e.LotExpiring,
            e.LotRecalled,
            e.StockLow,
        ),
    ),
    _facts(
        "package-events",
        "household_id",
        "distribution",
        ("registry", "notifications"),
        (
            e.PackagePlanned,
            e.PackagePickedUp,
            e.PackageDelivered,
            e.PackageFailed,
            e.PackageReturned,
            e.PackageCancelled,
            e.ProofFlagged,
        ),
    ),
    _submissions("notifications", timedelta(days=7), (s.CaseUpdateSubmitted,)),
    _facts(
        "case-events",
        "household_id",
        "notifications",
        ("registry",),
        (
            e.CaseOpened,
            e.CaseAccepted,
            e.CaseRerouted,
            e.CaseWaiting,
            e.CaseAtRisk,
            e.CaseEscalated,
            e.CaseResolved,
            e.CaseConfirmed,
            e.CaseReopened,
        ),
        sensitive=True,
    ),
    Topic(
        "notification-events",
        "recipient_id",
        (e.NotificationSent, e.NotificationFailed),
        ("notifications",),
        (),
        OTHER_PARTITIONS,
        timedelta(days=30),
    ),
    Topic(
        "refusals", "source", (e.SubmissionRefused,), SERVICES, ("integrators",), OTHER_PARTITIONS, timedelta(days=30)
    ),
)

MESSAGES: Final[Mapping[str, type[Fact] | type[Submission]]] = MappingProxyType(
    {message.type: message for topic in TOPICS for message in topic.messages}
)
"""Every message class by its wire type."""

_TOPIC_OF: Final = {message: topic for topic in TOPICS for message in topic.messages}


def topic_of(message: type[Fact] | type[Submission]) -> Topic:
    """The one topic a message travels on."""
    return _TOPIC_OF[message]


def submissions_topic(service: str) -> Topic:
    """The topic on which integrators reach a service."""
    return next(topic for topic in TOPICS if topic.name == f"{service}-submissions")


def consumed_by(service: str) -> tuple[Topic, ...]:
    """Every topic a service reads: the facts it is a consumer of, and its own submissions."""
    return tuple(topic for topic in TOPICS if service in topic.consumers)


def topics_read(service: str, messages: Collection[type[Fact] | type[Submission]]) -> tuple[Topic, ...]:
    """Of the topics a service may read those with one of these messages: the others it would only pass over."""
    return tuple(topic for topic in consumed_by(service) if any(message in messages for message in topic.messages))
