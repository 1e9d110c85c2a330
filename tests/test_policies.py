"""Policies are dated files: which of them is a regency's."""

from datetime import date
from pathlib import Path

import policies

BANYUWANGI = (policies.FOLDER / "banyuwangi.toml").read_text("utf-8")


def write(folder: Path, name: str, version: str, valid_from: str) -> None:
    text = BANYUWANGI.replace('version = "bwi-2026-1"', f'version = "{version}"')
    (folder / name).write_text(text.replace("valid_from = 2026-01-01", f"valid_from = {valid_from}"))


def test_a_policy_holds_from_its_day_until_the_next_ones(tmp_path: Path) -> None:
    """However the files are called."""
    write(tmp_path, "a.toml", "newer", "2027-01-01")
    write(tmp_path, "b.toml", "older", "2026-01-01")
    days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1))

    found = [policies.load(tmp_path, today) for today in days]

    versions = [{regency: policy.version for regency, policy in known.items()} for known in found]
    assert versions == [{}, {"35.10": "older"}, {"35.10": "older"}, {"35.10": "newer"}]


def test_today_decides_when_no_day_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", "past", "2000-01-01")
    write(tmp_path, "b.toml", "future", "2999-01-01")

    assert policies.load(tmp_path)["35.10"].version == "past"
