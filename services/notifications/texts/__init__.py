"""What people read: templates filled with codes in words, counts, ids and local times; never with a name."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict

from policies import Policy
from services.notifications.intents import About, Kind


class Text(BaseModel):
    """One thing told, and several of a kind counted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    one: str
    many: str


class Texts(BaseModel):
    """One language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    restricted: str
    due: str
    kinds: Mapping[Kind, Text]
    reasons: Mapping[str, str]
    items: Mapping[str, str]
    needs: Mapping[str, str]


def load() -> Texts:
    """The texts in Indonesian."""
    return Texts.model_validate(tomllib.loads((Path(__file__).parent / "id.toml").read_text("utf-8")))


def say(told: Sequence[tuple[Kind, About]], texts: Texts, policy: Policy) -> str:
    """The text of one message: a sentence, or a digest with a line for each kind."""
    by_kind = groupby(sorted(told, key=lambda one: one[0]), key=lambda one: one[0])
    lines = [_line(kind, [about for _, about in group], texts, policy) for kind, group in by_kind]
    return lines[0] if len(lines) == 1 else "\n".join([texts.digest, *(f"- {line}" for line in lines)])


def _line(kind: Kind, abouts: Sequence[About], texts: Texts, policy: Policy) -> str:
    text = texts.kinds[kind]
    if len(abouts) > 1:
        return text.many.format(count=len(abouts))
    if abouts[0] == About():
        return texts.restricted
    return text.one.format_map(_words(abouts[0], texts, policy))


def _words(about: About, texts: Texts, policy: Policy) -> Mapping[str, str]:
    """What fills the gaps; a code without a word here is said as it is."""
    district = policy.district.get(about.district or "")
    return MappingProxyType(
        {
            "need": texts.needs.get(about.need or "", str(about.need)),
            "reason": texts.reasons.get(about.reason or "", str(about.reason)),
            "item": texts.items.get(about.item or "", str(about.item)),
            "district": district.name if district else str(about.district),
            "due": _local(about.due_at, texts, policy),
            "office": str(about.office_id),
            "case_id": str(about.case_id),
            "household_id": str(about.household_id),
            "lot_id": str(about.lot_id),
            "depot_id": str(about.depot_id),
            "period": str(about.period),
            "percent": str(about.percent),
            "year": str(about.year),
        }
    )


def _local(at: datetime | None, texts: Texts, policy: Policy) -> str:
    return at.astimezone(policy.zone).strftime(texts.due) if at else ""
