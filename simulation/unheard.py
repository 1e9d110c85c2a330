"""What people say who have not heard yet: right to be said, and right to be refused.

While a service is away nobody hears that they are relieved, or that a package was cancelled: they visit once more, or
fetch it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import orjson

from contracts.refusals import RefusalCode
from contracts.submissions import PickUpSubmitted, VisitSubmitted
from simulation.claims import Claim
from simulation.facts import Outside

EXCUSED: Final = (PickUpSubmitted, VisitSubmitted)


def excused(claims: Iterable[Claim], outside: Outside) -> Iterator[Claim]:
    """Those of these that may be refused, with the refusal among what is right; `outside` as it is in the end."""
    for claim in claims:
        if claim.message is VisitSubmitted and _is_of_a_relieved_carer(claim, outside):
            yield _may_be(claim, RefusalCode.NOT_THE_CARER)
        if claim.message is PickUpSubmitted and _is_of_a_cancelled_package(claim, outside):
            yield _may_be(claim, RefusalCode.WRONG_STATE)


def _is_of_a_relieved_carer(visit: Claim, outside: Outside) -> bool:
    """The household was handed over, and this is another carer than the newest."""
    is_by_newest = orjson.loads(visit.value)["carer_id"] == outside.carer_of.get(visit.subject)
    return visit.subject in outside.handed_over and not is_by_newest


def _is_of_a_cancelled_package(pick_up: Claim, outside: Outside) -> bool:
    return (pick_up.subject, orjson.loads(pick_up.value)["round_id"]) in outside.cancelled


def _may_be(claim: Claim, code: RefusalCode) -> Claim:
    return replace(claim, right=claim.right | {code})
