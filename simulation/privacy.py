"""Searches bytes for every identity the simulation made up: NIKs, card numbers, NIPs, phones and names (rules 27, 28).

Numbers of known beginnings are found by one literal search each and looked up; names by their mark. About 250 MB/s.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulation.identities import MARK
from simulation.world import World

_NUMBERS: Final = tuple(
    re.compile(pattern)
    for pattern in (rb"3510\d{12}", rb"3671\d{12}", rb"19\d{16}", rb"20\d{16}", rb"62812\d{8}", rb"0812\d{8}")
)
_WORD: Final = re.compile(rb"[a-z]*" + MARK.encode() + rb"[a-z]*")
_PIECE: Final = 8 * 1024 * 1024
_LONGEST: Final = 64  # bytes of an identity, at least: pieces of a file overlap by so many


@dataclass(frozen=True, slots=True)
class Identities:
    """Everything that must not be met outside the registry's vault."""

    numbers: frozenset[bytes]
    words: frozenset[bytes]
    """The marked words of names, in lower case."""

    def found_in(self, text: bytes) -> Iterator[str]:
        """What kind of thing was found, and where; never the thing itself."""
        for pattern in _NUMBERS:
            for match in pattern.finditer(text):
                if match[0] in self.numbers:
                    yield f"a number of {len(match[0])} digits at byte {match.start()}"
        lower = text.lower()
        if MARK.encode() in lower:
            for match in _WORD.finditer(lower):
                if match[0] in self.words:
                    yield f"a name at byte {match.start()}"


def identities_of(world: World) -> Identities:
    """All of a world's."""
    numbers, names = set[str](), set[str]()
    for row in world.rows:
        numbers |= {row.family_card, *_phones(row.phone)}
        names |= {row.address}
        for person in row.members:
            numbers |= {person.nik} if person.nik else set()
            names.add(person.name)
    for carer in world.carers:
        numbers |= {carer.nik, carer.family_card, *_phones(carer.phone), *([carer.nip] if carer.nip else [])}
        names.add(carer.name)
    words = {word.lower() for name in names for word in name.split() if MARK in word.lower()}
    return Identities(frozenset(n.encode() for n in numbers), frozenset(word.encode() for word in words))


def search_file(identities: Identities, path: Path) -> Iterator[str]:
    """A log file, piece by piece."""
    with path.open("rb") as file:
        rest = b""
        while piece := file.read(_PIECE):
            yield from identities.found_in(rest + piece)
            rest = piece[-_LONGEST:]


def _phones(phone: str) -> tuple[str, str]:
    """As it was sent, without the plus; and as it is dialled at home."""
    return phone.removeprefix("+"), phone.replace("+62", "0")
