"""What numbers and codes say: rules 1 and 2; and what the vault promises: rule 28."""

from datetime import date
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag

from contracts.vocabulary import Sex
from services.registry.identity import Nik, is_village, nip_fits, read_nik
from services.registry.vault import Vault

TODAY = date(2026, 10, 1)


@pytest.mark.parametrize(
    ("digits", "nik"),
    [
        (None, Nik("missing")),
        ("", Nik("missing")),
        ("3510161505800001", Nik("valid", 1980, Sex.MALE)),
        ("3510165505800001", Nik("valid", 1980, Sex.FEMALE)),
        ("3510162902000001", Nik("valid", 2000, Sex.MALE)),
        ("5401161505800001", Nik("valid", 1980, Sex.MALE)),  # East Timor is no province any more: a NIK is for life
        ("3510162902010001", Nik("unverified")),
        ("3510163205800001", Nik("unverified")),
        ("3510167205800001", Nik("unverified")),
        ("3510161505800000", Nik("unverified")),
        ("351016150580001", Nik("unverified")),
        ("35101615058000011", Nik("unverified")),
    ],
)
def test_a_nik_is_missing_valid_or_unverified(digits: str | None, nik: Nik) -> None:
    assert read_nik(digits, TODAY) == nik


def test_the_century_of_a_nik_is_the_latest_that_is_not_ahead() -> None:
    assert [read_nik(f"3510160101{year}0001", TODAY).birth_year for year in ("26", "27")] == [2026, 1927]


@pytest.mark.parametrize(
    ("nip", "fits"),
    [
        ("198508172010011001", True),
        ("198508172010012001", False),
        ("198508182010011001", False),
        ("19850817201001100", False),
        ("19850817201001100x", False),
    ],
)
def test_a_nip_fits_birth_date_and_sex(nip: str, *, fits: bool) -> None:
    assert nip_fits(nip, date(1985, 8, 17), Sex.MALE) is fits


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        ("35.10.16.1002", True),
        ("35.10.16.9999", False),
        ("35.10.16", False),
        ("35.09.01.2001", False),
    ],
)
def test_a_village_is_one_of_the_regency(code: str, *, is_one: bool) -> None:
    assert is_village(code, "35.10") is is_one


def test_a_ciphertext_opens_only_for_its_owner_and_under_its_key() -> None:
    vault, owner = Vault(bytes(32)), uuid4()

    sealed = vault.seal(owner, b"Contoh")

    assert vault.open(owner, sealed) == b"Contoh"
    assert vault.seal(owner, b"Contoh") != sealed
    with pytest.raises(InvalidTag):
        vault.open(uuid4(), sealed)
    with pytest.raises(InvalidTag):
        Vault(b"1" * 32).open(owner, sealed)


def test_a_keyed_hash_is_equal_only_for_the_same_key_kind_regency_and_value() -> None:
    vault = Vault(bytes(32))
    hashed = vault.hash("nik", "35.10", "1")

    assert hashed == vault.hash("nik", "35.10", "1")
    assert hashed not in {
        vault.hash("nip", "35.10", "1"),
        vault.hash("nik", "16.71", "1"),
        vault.hash("nik", "35.10", "2"),
        Vault(b"1" * 32).hash("nik", "35.10", "1"),
    }
