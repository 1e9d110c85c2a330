"""Who is in the register is named inside ciphertexts only: rules 27 and 28."""

from datetime import timedelta

from contracts.vocabulary import MemberRole
from tests.registry.conftest import Registry
from tests.registry.samples import (
    SEEN_AT,
    card_number,
    enrolment,
    household,
    member,
    neighbour_check,
    nik,
)

LATER = SEEN_AT + timedelta(days=90)


async def test_nobody_is_named_outside_the_ciphertexts(registry: Registry) -> None:
    """Rules 27, 28: not in facts, not in any column of any table."""
    named = household(1, member(1), member(2, MemberRole.CHILD))
    secrets = {nik(1), nik(2), "Contoh 1", "Contoh 2", "Jalan Contoh", card_number(1), "81200000001", "8.22731"}

    await registry.submit(named, neighbour_check(3), enrolment(1, card=1))

    text = await _every_row(registry)
    assert [secret for secret in secrets if secret in text] == []
    assert "nik_status" in text


async def _every_row(registry: Registry) -> str:
    tables = await registry.context.pool.fetch("select tablename from pg_tables where schemaname = 'public'")
    rows = [
        await registry.context.pool.fetch(f"select t::text as line from {table['tablename']} t")  # noqa: S608  # ours
        for table in tables
    ]
    values = await registry.context.pool.fetch("select convert_from(value, 'utf-8') as line from outbox")
    contents = [row["line"] for found in [*rows, values] for row in found]
    return "\n".join(contents) + "\n".join(bytes.fromhex(word).decode("latin-1") for word in _hex_words(contents))


def _hex_words(lines: list[str]) -> list[str]:
    """What bytea columns hold, which `::text` shows as hexadecimal."""
    words = [word.strip('()"\\x,') for line in lines for word in line.split(",") if "\\x" in word]
    return [word[word.find("x") + 1 :] for word in words if len(word) % 2 == 0 and set(word) <= set("0123456789abcdef")]
