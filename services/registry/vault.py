"""Identities at rest: sealed with AES-256-GCM, found again by keyed hash. Only the registry has this key (rule 28)."""

import os
from datetime import date
from hashlib import blake2b
from typing import Final
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.registry.carers import Secret
from services.registry.domain import CardKeys
from services.registry.people import Identity, KeyedHash

_NONCE_BYTES: Final = 12


class Vault:
    """Seals and opens what identifies a person. Two keys are derived from the service's one (HKDF, RFC 5869)."""

    def __init__(self, key: bytes, key_id: str = "1") -> None:
        self.key_id = key_id
        self._cipher = AESGCM(_derived(key, b"vault"))
        self._hash_key = _derived(key, b"matching")

    def seal(self, owner: UUID, text: bytes) -> bytes:
        """Ciphertext bound to its owner: moved to another row it does not open."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text, owner.bytes)

    def open(self, owner: UUID, sealed: bytes) -> bytes:
        """Plain bytes; raises cryptography's InvalidTag for another owner, key or content."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.bytes)

    def open_identity(self, owner: UUID, sealed: bytes) -> Identity:
        """Who a person is."""
        return _identity(orjson.loads(self.open(owner, sealed)))

    def open_secret(self, owner: UUID, sealed: bytes) -> Secret:
        """Who a carer is."""
        opened = orjson.loads(self.open(owner, sealed))
        return Secret(**opened | {"identity": _identity(opened["identity"])})

    def card_keys(self, regency: str, family_card: str | None) -> CardKeys:
        """The hashes of a family card's number."""
        if not family_card:
            return CardKeys(None, None)
        return CardKeys(
            own=self.hash("family_card", regency, family_card),
            relatives=self.hash("relatives_card", regency, family_card),
        )

    def hash(self, kind: str, regency: str, value: str) -> KeyedHash:
        """16 bytes that are equal for equal values of a kind and regency and say nothing without the key.

        Keyed BLAKE2b (RFC 7693). The regency is part of it, so that no look-up crosses from one to another.
        """
        text = f"{regency}\0{value}".encode()
        return blake2b(text, key=self._hash_key, person=kind.encode(), digest_size=16).digest()


def _identity(opened: dict[str, str | None]) -> Identity:
    born = opened["birth_date"]
    return Identity(opened["name"], opened["nik"], date.fromisoformat(born) if born is not None else None)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"berbagi registry " + purpose).derive(key)
