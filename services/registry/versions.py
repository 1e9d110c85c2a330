"""How one state of a household follows another. Pure."""

from typing import Any, TypeVar

from contracts.events import Fact, Household

HouseholdFact = TypeVar("HouseholdFact", bound=Household)


def next_version(before: Household, fact: type[HouseholdFact], after: Household, **changes: Any) -> HouseholdFact:
    """`after` with these changes, said as the version that follows `before`."""
    return after.then(fact, **changes | {"version": before.version + 1})


def is_same_state(one: Fact, other: Fact) -> bool:
    """True when both say the same, whatever their types and versions."""
    names = type(one).model_fields.keys() & type(other).model_fields.keys() - {"version"}
    return all(getattr(one, name) == getattr(other, name) for name in names)
