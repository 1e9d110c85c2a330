"""contracts/vocabulary.py: values both sides use."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts import vocabulary
from contracts.events import wire_type
from contracts.submissions import StockSubmitted
from contracts.vocabulary import Place
from operations.schemas import file_name

EXAMPLES = Path(vocabulary.__file__).parent / "examples"
STOCK = json.loads((EXAMPLES / file_name(StockSubmitted)).read_text())["data"]


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


@pytest.mark.parametrize("text", ['"0001-01-01T00:00:00+14:00"', '"1999-12-31T23:59:59Z"', '"2200-01-01T00:00:00Z"'])
def test_a_moment_that_no_calendar_can_reckon_with_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(vocabulary.Moment).validate_json(text)


@pytest.mark.parametrize(("field", "value"), [("units", '"5"'), ("units", "5.0"), ("happened_at", "1760000000")])
def test_a_submission_takes_no_value_of_another_type(field: str, value: str) -> None:
    row = STOCK | {field: json.loads(value)}

    with pytest.raises(ValidationError, match=field):
        StockSubmitted.model_validate_json(json.dumps(row))


def test_a_second_version_of_a_message_has_a_wire_type_of_its_own() -> None:
    assert wire_type("VisitReported") == "id.berbagi.visit-reported.v1"
    assert wire_type("VisitReportedV2") == "id.berbagi.visit-reported.v2"
