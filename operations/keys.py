"""Keys for development, made on first use and kept in a folder that only its owner can read; and tokens signed by them.

In production an issuer of the regency signs tokens and a secret store holds the services' keys.
"""

import base64
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from contracts.topics import SERVICES

KEYS_FOLDER: Final = "keys"  # inside .berbagi/
ISSUER: Final = "berbagi-development"
AUDIENCE: Final = "berbagi"
KEY_ID: Final = "development"
_SERVICE_KEY_BYTES: Final = 32


@dataclass(frozen=True)
class Keys:
    """`jwks`: the file with the public key tokens are checked with; `services`: 32 bytes in base64 each."""

    signing: str
    jwks: Path
    services: Mapping[str, str]


def development_keys(folder: Path) -> Keys:
    """The keys in this folder; they are made when they are not there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signing = _kept(folder / "signing.pem", _new_signing_key)
    jwks = folder / "jwks.json"
    _kept(jwks, lambda: _jwks(signing))
    jwks.chmod(0o644)  # public; services in containers are other users
    return Keys(signing, jwks.absolute(), {name: _kept(folder / f"{name}.key", _new_service_key) for name in SERVICES})


def sign_token(
    keys: Keys, *, subject: str, scopes: Sequence[str], days: int = 1, claims: Mapping[str, str] | None = None
) -> str:
    """A bearer token; `claims` are its others: source, regency, carer, office."""
    now = datetime.now(UTC)
    content = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "scope": " ".join(scopes),
        "iat": now,
        "exp": now + timedelta(days=days),
    }
    return jwt.encode(content | dict(claims or {}), keys.signing, algorithm="EdDSA", headers={"kid": KEY_ID})


def _kept(file: Path, make: Callable[[], str]) -> str:
    """What the file says; of two who make it at once, one wins and both read that."""
    if not file.exists():
        descriptor, draft = tempfile.mkstemp(dir=file.parent)  # mode 600
        try:
            with os.fdopen(descriptor, "w") as out:
                out.write(make())
            file.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return file.read_text()


def _new_signing_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _new_service_key() -> str:
    return base64.b64encode(os.urandom(_SERVICE_KEY_BYTES)).decode()


def _jwks(signing: str) -> str:
    public = load_pem_private_key(signing.encode(), password=None).public_key()
    x = base64.urlsafe_b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).rstrip(b"=").decode()
    return json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": KEY_ID, "x": x}]})
