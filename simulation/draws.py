"""Chance by hash: a draw hangs on the seed, the question and the simulation's own number, on nothing that is minted."""

import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, slots=True)
class Draws:
    """All the chance of one month."""

    seed: int

    def shares(self, question: str, numbers: Numbers, day: int = 0) -> Shares:
        """A number in [0, 1) for each of `numbers` (splitmix64)."""
        mixed = numbers.astype(np.uint64) * _STEP + np.uint64(self._salt(question, day))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
        mixed ^= mixed >> np.uint64(31)
        return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)

    def share(self, question: str, number: int, day: int = 0) -> float:
        """The same for one number."""
        return float(self.shares(question, np.array([number]), day)[0])

    def some(self, question: str, numbers: Numbers, count: int) -> Numbers:
        """`count` of `numbers`, in a random order."""
        order = np.argsort(self.shares(question, numbers), kind="stable")
        return numbers[order[:count]]

    def picks(self, question: str, numbers: Numbers, weights: Shares, day: int = 0) -> Numbers:
        """For each of `numbers` an index into `weights`, as likely as its weight."""
        edges = np.cumsum(weights) / weights.sum()
        indexes = np.searchsorted(edges, self.shares(question, numbers, day), side="right")
        return np.minimum(indexes, len(weights) - 1).astype(np.int64)

    def uuid(self, question: str, number: int, day: int = 0) -> UUID:
        """An id as a device of the outside would make it; the same in every play of a seed."""
        text = f"{self.seed}/{question}/{number}/{day}".encode()
        return UUID(bytes=hashlib.blake2b(text, digest_size=16).digest(), version=4)

    def _salt(self, question: str, day: int) -> int:
        text = f"{self.seed}/{question}/{day}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())
