"""Bearer tokens: who calls, for which source and regency, with which scopes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jwt

from contracts.submissions import Submission
from messaging.errors import SettingsError
from messaging.settings import Settings

_ALGORITHMS: Final = ["EdDSA", "ES256", "RS256"]
_REQUIRED: Final = ["exp", "iss", "aud", "sub"]
_LEEWAY_SECONDS: Final = 30
_ISSUER_SECONDS: Final = 6  # one fetch takes 5 at most; who waits behind others has no more


class TokenError(Exception):
    """The token is missing, expired, or not signed by the issuer."""


class IssuerAwayError(Exception):
    """The issuer's keys cannot be fetched: nothing can be said about the token."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a checked token allows."""

    subject: str
    scopes: frozenset[str]
    source: str | None
    """The only source its bearer may submit as."""
    regency: str | None
    """The only regency it is for."""
    claims: Mapping[str, str] = field(default_factory=dict)
    """All its text claims: what a service must know of a caller besides (`carer_id`, `office_id`)."""


def submit_scope(message: type[Submission]) -> str:
    """`visit-submitted` needs `visits:submit`, `delivery-submitted` `deliveries:submit`."""
    thing = message.type.split(".")[2].removesuffix("-submitted")
    plural = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{plural}:submit"


class Keys:
    """Public keys of the issuer, from a file once or from a URL when an unknown one is met."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.token_issuer
        self._audience = settings.token_audience
        self._remote: jwt.PyJWKClient | None = None
        self._fetching = asyncio.Lock()
        self._known: dict[str | None, jwt.PyJWK] = {}
        if settings.jwks.startswith(("https://", "http://")):
            self._remote = jwt.PyJWKClient(settings.jwks, timeout=5)
            return
        try:
            keys = jwt.PyJWKSet.from_json(Path(settings.jwks).read_text("utf-8")).keys
        except (OSError, ValueError, jwt.PyJWTError):
            raise SettingsError("BERBAGI_JWKS is not a readable file with a JSON Web Key Set.") from None
        self._known = {key.key_id: key for key in keys}

    async def check(self, text: str) -> Token:
        """The token's claims; else TokenError, or IssuerAwayError."""
        try:
            key = await self._find(jwt.get_unverified_header(text).get("kid"))
            claims = jwt.decode(
                text,
                key,
                algorithms=_ALGORITHMS,
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": _REQUIRED},
            )
        except (jwt.PyJWKClientConnectionError, TimeoutError):
            raise IssuerAwayError from None
        except jwt.PyJWTError:
            raise TokenError from None
        return _token(claims)

    async def _find(self, key_id: Any) -> jwt.PyJWK:
        if self._remote is not None and isinstance(key_id, str):
            return await self._find_remote(self._remote, key_id)
        if not isinstance(key_id, str) or key_id not in self._known:
            raise TokenError
        return self._known[key_id]

    async def _find_remote(self, remote: jwt.PyJWKClient, key_id: str) -> jwt.PyJWK:
        """One that was fetched lately without waiting for anybody; else one fetch at a time."""
        lately = remote.jwk_set_cache.get() if remote.jwk_set_cache else None
        for key in lately.keys if lately else ():
            if key.key_id == key_id and key.public_key_use in {"sig", None}:
                return key
        async with asyncio.timeout(_ISSUER_SECONDS), self._fetching:
            return await asyncio.to_thread(remote.get_signing_key, key_id)


def _token(claims: dict[str, Any]) -> Token:
    texts = {name: value for name, value in claims.items() if isinstance(value, str)}
    return Token(
        str(claims["sub"]),
        frozenset(texts.get("scope", "").split()),
        texts.get("source"),
        texts.get("regency"),
        texts,
    )
