"""Nobody gets two packages, goods are where the books say, and who received a recalled lot is known."""

from collections import Counter, defaultdict
from typing import Final

from simulation.deliveries import MONTHLY
from simulation.evidence import Evidence

_SOURCES: Final = ("received", "found")


def nobody_has_two_packages(evidence: Evidence) -> list[str]:
    """One household, one round, one package (rule 15)."""
    counts = Counter((state["household_id"], state["round_id"]) for state in evidence.history.packages.values())
    return [
        f"household {household}: {n} packages in round {round_}" for (household, round_), n in counts.items() if n > 1
    ]


def every_recipient_has_a_package(evidence: Evidence) -> list[str]:
    """Who was eligible when a round opened, or was named later, has one, whatever became of it, unless they had left.

    While assignment is away nobody can bring the week's protein; what is in the depots still goes out.
    """
    played = evidence.played
    rounds = {at: one for at, one in played.month.rounds.items() if at == MONTHLY or "assignment" not in played.away}
    broken = []
    supplied = {(state["household_id"], state["round_id"]) for state in evidence.history.packages.values()}
    for number in played.month.world.households:
        household_id = played.outside.household.get(number, "")
        for week, round_id in rounds.items():
            if (household_id, round_id) not in supplied and number not in played.month.fate.life:
                broken.append(f"household {household_id}: no package in round {week} ({round_id})")
    monthly = played.month.rounds[MONTHLY]
    unnamed = {one for one in played.month.candidates.named if (one, monthly) not in supplied}
    return broken + [f"household {one}: was named for what is left, and has no package" for one in unnamed]


def what_was_handed_over_is_delivered(evidence: Evidence) -> list[str]:
    """A package whose delivery was accepted is delivered, late ones too; and none else is."""
    handed_over = evidence.played.month.deliveries.handed_over
    broken = []
    for package_id, state in evidence.history.packages.items():
        place = (state["household_id"], state["round_id"])
        if (state["status"] == "delivered") != (place in handed_over):
            broken.append(f"package {package_id} of household {place[0]}: {state['status']}")
    return broken


def the_ledger_closes(evidence: Evidence) -> list[str]:
    """For every lot: what came in is somewhere, in units and rupiah; entries, balances and deliveries agree."""
    broken = list(evidence.history.open_sums)
    books: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for account in evidence.accounts:
        books[account.lot_id][account.account] = account.entries
        if account.entries != account.balance:
            broken.append(
                f"lot {account.lot_id}: entries of {account.account} make {account.entries}, "
                f"the balance says {account.balance}"
            )
    delivered = _delivered(evidence)
    for lot_id, told in evidence.history.lots.items():
        book, value = books[lot_id], told.state["unit_value"]
        came_in = sum(book[name] for name in _SOURCES) * value
        somewhere = sum(units for name, units in book.items() if name not in _SOURCES) * value
        if came_in != somewhere or min(book.values(), default=0) < 0:
            broken.append(f"lot {lot_id}: Rp{came_in} came in, Rp{somewhere} is somewhere")
        if book["delivered"] != delivered[lot_id]:
            broken.append(f"lot {lot_id}: {book['delivered']} units in the books, {delivered[lot_id]} at households")
    return broken


def _delivered(evidence: Evidence) -> Counter[str]:
    """Units of each lot in packages that were delivered."""
    units: Counter[str] = Counter()
    for state in evidence.history.packages.values():
        if state["status"] == "delivered":
            units.update({part["lot_id"]: part["units"] for part in state["lots"]})
    return units


def recalled_lots_name_their_recipients(evidence: Evidence) -> list[str]:
    """Exactly those to whom a phone said that a package with units of the lot was handed."""
    broken = []
    depots = evidence.played.month.depots
    if depots.lot_id(depots.recalled_lot) not in evidence.history.recalls:
        broken.append(f"lot {depots.lot_id(depots.recalled_lot)}: was recalled, and nobody was told")
    for lot_id, recall in evidence.history.recalls.items():
        holders = {
            state["household_id"]
            for state in evidence.history.packages.values()
            if any(part["lot_id"] == lot_id for part in state["lots"]) and state["status"] == "delivered"
        }
        named = evidence.recipients.get(lot_id, frozenset())
        broken.extend(f"lot {lot_id}: household {one} is named or missing wrongly" for one in named ^ holders)
        if recall["recipients"] > len(holders):
            broken.append(f"lot {lot_id}: {recall['recipients']} recipients were stated, {len(holders)} received it")
    return broken
