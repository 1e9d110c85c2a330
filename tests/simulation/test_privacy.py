"""The search finds every kind of identity wherever it lies, and nothing else."""

from pathlib import Path

import pytest

from simulation.play import Month
from simulation.privacy import Identities, identities_of, search_file

CLEAN = (
    b'{"photo_sha256":"9351016410190000135101641019000013510164101900001351016410190000","happened_at":"2026-10-14"}'
)


@pytest.fixture(scope="module")
def identities(whole_month: Month) -> Identities:
    return identities_of(whole_month.world)


def leaked(month: Month) -> dict[str, str]:
    household, carer = month.world.rows[0], next(carer for carer in month.world.carers if carer.nip)
    person = next(person for person in household.members if person.nik)
    assert person.nik is not None
    assert carer.nip is not None
    return {
        "NIK": person.nik,
        "card": household.family_card,
        "phone": household.phone,
        "phone at home": household.phone.replace("+62", "0"),
        "name": person.name,
        "name in lower case": person.name.lower(),
        "address": household.address,
        "NIP": carer.nip,
        "NIK of the staff": carer.nik,
        "card of the staff": carer.family_card,
    }


def test_every_identity_is_found(whole_month: Month, identities: Identities) -> None:
    found = {
        kind: list(identities.found_in(b"x=" + text.encode() + b";")) for kind, text in leaked(whole_month).items()
    }

    assert [kind for kind, lines in found.items() if not lines] == []


def test_what_is_found_is_not_repeated(whole_month: Month, identities: Identities) -> None:
    for text in leaked(whole_month).values():
        for line in identities.found_in(text.encode()):
            assert text not in line


def test_other_digits_and_words_are_let_pass(identities: Identities) -> None:
    assert list(identities.found_in(CLEAN + b" sandhi adhoc 2026101407300000000")) == []


def test_an_identity_across_two_pieces_of_a_file_is_found(
    whole_month: Month, identities: Identities, tmp_path: Path
) -> None:
    file = tmp_path / "log"
    nik = leaked(whole_month)["NIK"].encode()
    file.write_bytes(b"." * (8 * 1024 * 1024 - 7) + nik + b".")

    assert list(search_file(identities, file)) != []
