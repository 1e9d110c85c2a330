"""One submission on its way, with the outcomes that would be right for it."""

from dataclasses import dataclass
from typing import Final

import orjson

from contracts.submissions import Submission

ACCEPTED: Final = frozenset({"accepted"})
UNCHANGED: Final = frozenset({"unchanged"})
TAKEN: Final = ACCEPTED | UNCHANGED
QUARANTINED: Final = frozenset({"quarantined"})


@dataclass(frozen=True, slots=True)
class Claim:
    """What an integrator submits; ready to be sent again, byte by byte the same."""

    message: type[Submission]
    source: str
    id: str
    subject: str
    value: bytes
    right: frozenset[str] = TAKEN
    """Outcomes, or codes of a refusal, that the rules allow here."""


def claim(
    message: type[Submission], source: str, claim_id: str, /, *, right: frozenset[str] = TAKEN, **fields: object
) -> Claim:
    """A submission with these fields; its subject is the field that the contract names."""
    return Claim(message, source, claim_id, str(fields[message.keyed_by]), orjson.dumps(fields), right)
