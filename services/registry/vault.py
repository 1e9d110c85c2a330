"""Identities at rest: sealed with AES-256-GCM, found again by keyed hash. Only the registry has this key (rule 28)."""

import hmac
import os
from hashlib import sha256
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

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

    def hash(self, kind: str, value: str) -> bytes:
        """16 bytes that are equal for equal values of a kind and say nothing without the key (HMAC-SHA-256)."""
        return hmac.digest(self._hash_key, f"{kind}\0{value}".encode(), sha256)[:16]


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"berbagi registry " + purpose).derive(key)
