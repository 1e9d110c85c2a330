"""The broken variants fit the code as it is: a text that was moved away would prove nothing."""

import re
from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_variant_replaces_what_is_there_and_names_tests_that_are(mutant: Mutant) -> None:
    for change in mutant.changes:
        assert (ROOT / change.path).read_text("utf-8").count(change.old) == 1, change
    for place in mutant.noticed_by:
        path, _, test = place.partition("::")
        assert re.search(rf"def {test}\(", (ROOT / path).read_text("utf-8")), place
