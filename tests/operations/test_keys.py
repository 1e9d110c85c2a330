"""`berbagi token`: what it prints is let in by who trusts the folder's key, and by nobody else."""

import asyncio
import socket
import stat
from pathlib import Path

import jwt
import pytest

from messaging.settings import Settings
from messaging.tokens import IssuerAwayError, Token, TokenError
from messaging.tokens import Keys as Checker
from operations.keys import AUDIENCE, ISSUER, development_keys, sign_token
from tests.operations.command import berbagi, berbagi_here

ARGUMENTS = ("token", "--source", "app-1", "--regency", "35.10", "--scope", "visits:submit", "--scope", "cases:read")


async def test_a_token_allows_what_was_asked_for(tmp_path: Path) -> None:
    answer = berbagi(*ARGUMENTS, "--carer", "c-1", "--office", "dinsos", "--folder", str(tmp_path))

    token = await _checker(tmp_path / "keys" / "jwks.json").check(answer.out.strip())
    claims = {name: token.claims[name] for name in ("carer_id", "office_id")}
    assert answer.code == 0
    assert "development only" in answer.error
    assert token == Token("app-1", frozenset({"visits:submit", "cases:read"}), "app-1", "35.10", token.claims)
    assert claims == {"carer_id": "c-1", "office_id": "dinsos"}


async def test_a_token_ends_after_its_days(tmp_path: Path) -> None:
    keys = development_keys(tmp_path)

    with pytest.raises(TokenError):
        await _checker(keys.jwks).check(sign_token(keys, subject="late", scopes=(), days=-1))


async def test_a_key_of_another_folder_opens_nothing(tmp_path: Path) -> None:
    ours, theirs = development_keys(tmp_path / "ours"), development_keys(tmp_path / "theirs")

    with pytest.raises(TokenError):
        await _checker(ours.jwks).check(sign_token(theirs, subject="stranger", scopes=()))


async def test_an_issuer_that_is_away_is_not_the_bearers_fault(tmp_path: Path) -> None:
    """Fails when: what cannot be checked is called a wrong token."""
    keys = development_keys(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]

    with pytest.raises(IssuerAwayError):
        await _checker(f"http://127.0.0.1:{closed}/jwks").check(sign_token(keys, subject="somebody", scopes=()))


async def test_an_issuer_that_is_silent_holds_up_nobody_whose_key_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers once. Fails when: a known key waits behind the fetch for an unknown one, or that waits for ever."""
    monkeypatch.setattr("messaging.tokens._ISSUER_SECONDS", 0.5)
    known = development_keys(tmp_path)
    stranger = jwt.encode({"sub": "x"}, known.signing, algorithm="EdDSA", headers={"kid": "other"})
    answers, silent = [known.jwks.read_bytes()], []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answers:
            body = answers.pop()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
            writer.close()
        else:
            silent.append(writer)

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as issuer:
        checker = _checker(f"http://127.0.0.1:{issuer.sockets[0].getsockname()[1]}/jwks")
        first = await checker.check(sign_token(known, subject="first", scopes=()))
        checker._remote.cooldown_duration = 0  # type: ignore[union-attr]  # noqa: SLF001  # now, not in 30 s
        strangers = [asyncio.create_task(checker.check(stranger)) for _ in range(20)]
        await asyncio.sleep(0.2)
        async with asyncio.timeout(0.2):
            second = await checker.check(sign_token(known, subject="second", scopes=()))
        ends = await asyncio.gather(*strangers, return_exceptions=True)
        for writer in silent:
            writer.close()

    assert (first.subject, second.subject) == ("first", "second")
    assert {type(end) for end in ends} == {IssuerAwayError}


def test_keys_are_made_once_and_read_by_their_owner_only(tmp_path: Path) -> None:
    keys = development_keys(tmp_path / "keys")

    again = development_keys(tmp_path / "keys")

    readable = {file.name for file in (tmp_path / "keys").iterdir() if stat.S_IMODE(file.stat().st_mode) != 0o600}
    assert again == keys
    assert readable == {"jwks.json"}
    assert keys.signing not in keys.jwks.read_text()
    assert len(set(keys.services.values())) == len(keys.services)


@pytest.mark.parametrize("wrong", [("--days", "0"), ("--days", "many"), ("--folder", __file__)])
def test_what_was_typed_wrong_is_said_in_a_sentence(wrong: tuple[str, str], tmp_path: Path) -> None:
    answer = berbagi_here(*ARGUMENTS, "--folder", str(tmp_path), *wrong)

    assert (answer.code, answer.out) == (2, "")
    assert "Traceback" not in answer.error


def _checker(jwks: Path | str) -> Checker:
    return Checker(
        Settings.model_validate(
            {
                "database_url": "postgresql://x",
                "kafka": "x",
                "data_key": "A" * 43 + "=",
                "jwks": str(jwks),
                "token_issuer": ISSUER,
                "token_audience": AUDIENCE,
                "port": 1,
            }
        )
    )
