"""contracts/vocabulary.py: values both sides use."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts import vocabulary
from contracts.vocabulary import Place


@pytest.mark.parametrize(("latitude", "longitude"), [(-8.2271, 114.362), (-8.227, 114.3621), (1e-4, 0)])
def test_a_place_finer_than_three_decimals_is_refused(latitude: float, longitude: float) -> None:
    with pytest.raises(ValidationError, match="at most 3 decimals"):
        Place(latitude=latitude, longitude=longitude)


@pytest.mark.parametrize("degrees", [-8.227, -8.22, -8, 0.001])
def test_a_rounded_place_is_accepted(degrees: float) -> None:
    assert Place(latitude=degrees, longitude=degrees).latitude == degrees


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (vocabulary.Code, "not_home", ["Not_home", "not home", "", "a" * 41, "siti\n"]),
        (vocabulary.Slug, "depot-35.10.16", ["Depot", "-depot", "", "a" * 65]),
        (vocabulary.DistrictCode, "35.10.16", ["35.10", "351016", "35.10.16.1002", "٣٥.١٠.١٦"]),  # noqa: RUF001
        (vocabulary.VillageCode, "35.10.16.1002", ["35.10.16", "35.10.16.100"]),
        (vocabulary.Month, "2026-10", ["2026-13", "2026-10-w2"]),
        (vocabulary.Period, "2026-10-w4", ["2026-10-w5", "2026-w1", "2026-00"]),
        (vocabulary.Sha256, "0" * 64, ["0" * 63, "A" * 64]),
    ],
)
def test_a_code_has_one_form(kind: Any, right: str, wrong: list[str]) -> None:
    adapter = TypeAdapter(kind)

    assert adapter.validate_python(right) == right
    for text in wrong:
        with pytest.raises(ValidationError):
            adapter.validate_python(text)
