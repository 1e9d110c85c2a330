"""The broken variants fit the code as it is: a text that was moved away would prove nothing."""

import re
from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "faults.md"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_variant_replaces_what_is_there_and_names_tests_that_are(mutant: Mutant) -> None:
    for change in mutant.changes:
        assert (ROOT / change.path).read_text("utf-8").count(change.old) == 1, change
    for place in mutant.noticed_by:
        path, _, test = place.partition("::")
        assert re.search(rf"def {test}\(", (ROOT / path).read_text("utf-8")), place


def test_the_document_has_every_variant_with_the_tests_that_notice_it_in_the_same_order() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ((?:`test_|the checker)[^|]+) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)

    assert rows == [(mutant.name, _who_notices(mutant)) for mutant in MUTANTS]


def _who_notices(mutant: Mutant) -> str:
    """As the document writes it."""
    tests = [f"`{place.rpartition('::')[2]}`" for place in mutant.noticed_by]
    faults = ", ".join("no fault needed" if fault == "none" else fault for fault in mutant.faults)
    return ", ".join([*tests, *([f"the checker ({faults})"] if faults else [])])
