"""Who may read a name (rule 27), and what a confirmed case does to a profile (rule 22)."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from contracts.events import CaseConfirmed, CaseOpened, Fact, HouseholdAssigned, HouseholdProfiled, HouseholdUnserved
from messaging.messages import Answer
from tests.registry.conftest import Reader, Registry
from tests.registry.samples import household, neighbour_check

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples"
CARER = uuid4()
OFFICE = "dinsos"


def example(message: type[Fact], **changes: Any) -> Fact:
    """The committed example of a fact, changed."""
    name = message.type.removeprefix("id.berbagi.").removesuffix(".v1")
    data = json.loads((EXAMPLES / f"{name}.v1.json").read_text())["data"]
    return message.model_validate(data | changes)


async def one_household(registry: Registry) -> UUID:
    await registry.submit(household(1))
    return (await registry.facts())[0].aggregate_id


async def reads(registry: Registry) -> list[tuple[str, str, bool]]:
    rows = await registry.context.pool.fetch("select reader, purpose, granted from vault_read order by read_id")
    return [(row["reader"], row["purpose"], row["granted"]) for row in rows]


async def test_the_household_s_carer_may_read_where_it_is_and_is_recorded(registry: Registry, reader: Reader) -> None:
    household_id = await one_household(registry)
    await registry.tell(example(HouseholdAssigned, household_id=household_id, carer_id=CARER))

    answer = await reader.get(
        f"/households/{household_id}/contact?purpose=visit", "carer-1", claims={"carer_id": str(CARER)}
    )

    assert answer.json() == {
        "household_id": str(household_id),
        "head": "Contoh 1",
        "phone": "+6281200000001",
        "address": "Jalan Contoh 1",
        "latitude": -8.22731,
        "longitude": 114.36242,
    }
    assert await reads(registry) == [("carer-1", "visit", True)]


async def test_who_has_no_right_hears_nothing_and_is_recorded(registry: Registry, reader: Reader) -> None:
    household_id = await one_household(registry)
    await registry.tell(example(HouseholdAssigned, household_id=household_id, carer_id=CARER))
    path = f"/households/{household_id}/contact?purpose="

    answers = [
        await reader.get(path + "visit", "other-carer", claims={"carer_id": str(uuid4())}),
        await reader.get(path + "visit", "nobody"),
        await reader.get(path + "case", "office", claims={"office_id": OFFICE}),
        await reader.get(path + "audit", "clerk", "households:read"),
        await reader.get(f"/households/{uuid4()}/contact?purpose=visit", "guess", claims={"carer_id": str(CARER)}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert not any("Contoh" in answer.text for answer in answers)
    assert await reads(registry) == [
        ("other-carer", "visit", False),
        ("nobody", "visit", False),
        ("office", "case", False),
        ("clerk", "audit", False),
        ("guess", "visit", False),
    ]


async def test_the_right_ends_with_the_assignment_and_late_facts_do_not_bring_it_back(
    registry: Registry, reader: Reader
) -> None:
    household_id = await one_household(registry)
    path = f"/households/{household_id}/contact?purpose=visit"
    assigned = example(HouseholdAssigned, household_id=household_id, carer_id=CARER, version=1)

    await registry.tell(example(HouseholdUnserved, household_id=household_id, carer_id=None, version=2))
    await registry.tell(assigned)

    assert (await reader.get(path, claims={"carer_id": str(CARER)})).status_code == 403


async def test_an_office_may_read_while_it_has_an_open_case(registry: Registry, reader: Reader) -> None:
    household_id = await one_household(registry)
    path = f"/households/{household_id}/contact?purpose=case"
    case = {"household_id": household_id, "case_id": uuid4(), "responsible_office_id": OFFICE}

    await registry.tell(example(CaseOpened, version=1, **case))
    during = await reader.get(path, claims={"office_id": OFFICE})
    other = await reader.get(path, claims={"office_id": "dinkes"})
    await registry.tell(example(CaseConfirmed, version=2, **case))
    after = await reader.get(path, claims={"office_id": OFFICE})

    assert [answer.status_code for answer in (during, other, after)] == [200, 403, 403]


async def test_a_need_that_is_met_leaves_the_profile_and_comes_back_when_seen_again(registry: Registry) -> None:
    """Rule 22: after confirmation a new sighting is a new case."""
    await registry.submit(neighbour_check(1))
    household_id = (await registry.facts())[0].aggregate_id
    confirmed = example(
        CaseConfirmed, version=3, case_id=uuid4(), household_id=household_id, person_id=None, need="not_on_list"
    )

    await registry.tell(confirmed)
    again = await registry.tell(confirmed.model_copy(update={"version": 2}))
    await registry.submit(neighbour_check(1, row_id="house-again"))

    profiles = [fact for fact in await registry.facts() if isinstance(fact, HouseholdProfiled)]
    assert [(one.version, one.needs) for one in profiles] == [(2, ()), (3, ("not_on_list",))]
    assert again == [Answer("unchanged")]


async def test_an_auditor_reads_by_scope(registry: Registry, reader: Reader) -> None:
    household_id = await one_household(registry)

    answer = await reader.get(f"/households/{household_id}/contact?purpose=audit", "auditor-1", "households:audit")

    assert answer.status_code == 200
    assert await reads(registry) == [("auditor-1", "audit", True)]


async def test_a_right_ends_at_the_regency_s_border(registry: Registry, reader: Reader) -> None:
    """The answer is the one for a household that nobody knows.

    Fails when: a token of another regency, or of none, is asked for its scope, office or carer alone.
    """
    household_id = await one_household(registry)
    await registry.tell(example(HouseholdAssigned, household_id=household_id, carer_id=CARER))
    opened = example(CaseOpened, household_id=household_id, case_id=uuid4(), responsible_office_id=OFFICE)
    await registry.tell(opened)
    path = f"/households/{household_id}/contact?purpose="
    claims = {"carer_id": str(CARER), "office_id": OFFICE}
    scope = "households:audit"

    answers = [
        await reader.get(path + "visit", "carer", claims=claims, regency="16.71"),
        await reader.get(path + "case", "office", claims=claims, regency="16.71"),
        await reader.get(path + "audit", "auditor", scope, regency="16.71"),
        await reader.get(path + "audit", "auditor", scope, regency=None),
    ]
    unknown = await reader.get(f"/households/{uuid4()}/contact?purpose=audit", "guess", scope)

    assert [answer.status_code for answer in answers] == [403] * 4
    assert {answer.text for answer in answers} == {unknown.text}
    assert await reads(registry) == [
        ("carer", "visit", False),
        ("office", "case", False),
        ("auditor", "audit", False),
        ("auditor", "audit", False),
        ("guess", "audit", False),
    ]


async def test_figures_say_what_is_counted_out_of_what(registry: Registry, reader: Reader) -> None:
    """Rule 30."""
    cards = [household(number) for number in range(1, 8)]
    await registry.submit(*cards, household(8, decile=4), household(9, village="35.10.16.9999"), neighbour_check(20))

    answer = await reader.get("/figures", scopes="figures:read")
    hidden = await reader.get("/figures?public=true", scopes="figures:read")
    elsewhere = await reader.get("/figures?district=35.10.05", scopes="figures:read")
    refused = await reader.get("/figures")

    figures = {figure["name"]: figure for figure in answer.json()["figures"]}
    eligible = figures["households_eligible"]
    assert (eligible["numerator"], eligible["denominator"]) == (7, 8)
    assert eligible["by"]["district"] == {"35.10.16": {"numerator": 7, "denominator": 8}}
    assert eligible["by"]["programme"]["monthly_package"] == {"numerator": 7, "denominator": 8}
    assert figures["households_provisional"]["numerator"] == 1
    assert figures["submissions_refused"]["by"]["code"] == {"unknown_village": {"numerator": 1, "denominator": None}}
    assert all(figure["definition"] and figure["as_of"] for figure in figures.values())
    shown = {figure["name"]: figure for figure in hidden.json()["figures"]}
    assert shown["households_provisional"]["numerator"] is None
    assert shown["households_eligible"]["numerator"] == 7
    assert {figure["numerator"] for figure in elsewhere.json()["figures"]} == {0}
    assert refused.status_code == 403
