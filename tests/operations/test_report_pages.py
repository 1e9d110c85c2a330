"""What each page makes of the figures, by plain calls."""

from datetime import UTC, date, datetime
from uuid import UUID

import policies
from contracts.events import Case
from contracts.figures import Figure
from operations.report import auditor, district, head_of_region, social_office
from operations.report.content import Cell, Page, Share, Table, Word
from tests.operations.answering import AS_OF, MONTH_END, counted, figure, known

POLICY = policies.load()["35.10"]
CARD = "lot,depot,item,source,account"
LOT = "6f0c1d2e-0000-4000-8000-000000000001"


def table(page: Page, code: str) -> Table:
    [found] = [one for one in page.tables if one.code == code]
    return found


def said(page: Page, code: str, row: str) -> Cell:
    """The last cell of the row with this word at its beginning."""
    [found] = [cells[-1] for cells in table(page, code).rows or () if cells[0] == Word(row)]
    return found


def floor(delivered: int = 20_400, promised: int | None = 20_000) -> Figure:
    return figure("delivered_five_days_later", (delivered, promised))


def test_the_floor_is_reached_on_the_day_its_last_package_became_known() -> None:
    days = {
        "monthly_package,2026-10-14": 11_000,
        "monthly_package,2026-10-15": 8_999,
        "monthly_package,2026-10-16": 1,
        "monthly_package,2026-10-17": 400,
        "weekly_protein,2026-10-14": 9_000,
    }
    figures = known(floor(), figure("delivered_by_day", 29_400, by={"programme,day": days}))

    page = head_of_region.page(figures, [], POLICY)

    assert said(page, "results", "delivered_of_floor") == counted(20_400, 20_000)
    assert said(page, "results", "floor_reached_on") == date(2026, 10, 16)
    assert said(page, "results", "sick_reached") is None, "not published"


def test_a_floor_that_was_not_reached_says_so() -> None:
    days = {"monthly_package,2026-10-14": 19_999, "weekly_protein,2026-10-15": 9_000}
    figures = known(floor(19_999), figure("delivered_by_day", 19_999, by={"programme,day": days}))

    page = head_of_region.page(figures, [], POLICY)

    assert said(page, "results", "floor_reached_on") == Word("not_reached")


def test_districts_are_behind_by_what_they_miss_to_the_share_of_all_the_furthest_first() -> None:
    """All together 1,800 of 2,000: 90 %; 880 of 1,000 misses 20, 420 of 500 misses 30."""
    districts = {"35.10.05": (880, 1_000), "35.10.16": (500, 500), "35.10.18": (420, 500), "35.10.99": (None, None)}
    figures = known(figure("monthly_package_delivered", (1_800, 2_000), by={"district": districts}))

    page = head_of_region.page(figures, [], POLICY)

    assert table(page, "districts_behind").rows == (
        ("Wongsorejo", counted(420, 500), 30),
        ("Muncar", counted(880, 1_000), 20),
    )


def test_an_oldest_breach_names_its_next_step_and_date() -> None:
    case = Case(
        version=4,
        case_id=UUID(LOT),
        household_id=UUID(int=2),
        person_id=None,
        district="35.10.05",
        need="house_unfit",
        critical=False,
        restricted=False,
        responsible_office_id="dpkp",
        status="open",
        sightings=3,
        opened_at=datetime(2026, 10, 1, tzinfo=UTC),
        first_answer_due_at=datetime(2026, 10, 21, 9, tzinfo=UTC),
        done_due_at=datetime(2026, 12, 23, 9, tzinfo=UTC),
        answered_at=None,
        resolved_at=None,
        next_date=datetime(2026, 11, 9, 9, tzinfo=UTC),
        escalation_level=1,
        waiting_for=None,
        queue_place=None,
    )

    page = head_of_region.page({}, [case], POLICY)

    assert table(page, "oldest_breaches").rows == (
        (
            "6f0c1d2e",
            Word("house_unfit"),
            "Muncar",
            "Housing",
            datetime(2026, 10, 21, 9, tzinfo=UTC),
            Word("next_step_2"),
            datetime(2026, 11, 9, 9, tzinfo=UTC),
        ),
    )


def test_the_public_page_lists_no_case() -> None:
    page = head_of_region.page({}, None, POLICY)

    assert "oldest_breaches" not in {one.code for one in page.tables}


def test_the_poverty_rate_stands_with_both_values_of_2024_and_its_disclaimer() -> None:
    """Rule 30."""
    rate = table(head_of_region.page({}, None, POLICY), "poverty_rate")

    assert [row for row in rate.rows or () if row[0] == "2024"] == [
        ("2024", 6.8, "Bintang Tenggara 2026"),
        ("2024", 6.54, "BPS as quoted by regional press"),
    ]
    assert rate.notes == ("poverty_disclaimer",)


def unexplained(**counts: int | None) -> Cell:
    names = ("frozen", "added", *social_office.ENDS)
    figures = [figure(f"monthly_package_{name}", (counts.get(name, 0), None)) for name in names]
    page = social_office.page(known(*figures), POLICY)
    return said(page, "flow", "without_explanation")


def test_the_flow_says_how_many_recipients_are_nowhere() -> None:
    nobody = unexplained(frozen=100, added=3, not_supplied=4, on_the_way=1, delivered=90, failed=5, returned=2, held=1)
    three = unexplained(frozen=100, delivered=97)
    hidden = unexplained(frozen=100, delivered=97, failed=None)

    assert (nobody, three, hidden) == (0, 3, None)


def test_every_difference_of_the_flow_has_its_reasons() -> None:
    failed = figure("monthly_package_failed", (3, 9), by={"reason": {"not_home": 2, "refused": 1, "moved": 0}})

    page = social_office.page(known(failed), POLICY)

    assert table(page, "differences").rows == (
        (Word("failed"), Word("not_home"), counted(2)),
        (Word("failed"), Word("refused"), counted(1)),
    )


def test_what_was_left_of_the_packages_is_said_by_decision() -> None:
    by = {
        "monthly_package,candidates,surplus": 6,
        "monthly_package,next_round,late": 0,
        "weekly_protein,next_round,x": 0,
    }
    surplus = figure("surplus_decided", 6, unit="households", by={"programme,use,reason": by})

    page = social_office.page(known(surplus), POLICY)

    assert table(page, "surplus_decided").rows == (
        (Word("candidates"), Word("surplus"), counted(6, unit="households")),
        (Word("next_round"), Word("late"), counted(0, unit="households")),
    )


def test_what_was_not_published_is_not_known_and_not_nothing() -> None:
    nobody = figure("households_without_carer", (0, 9), by={"district,reason": {}})

    unknown = table(social_office.page({}, POLICY), "households_without_carer")
    nothing = table(social_office.page(known(nobody), POLICY), "households_without_carer")

    assert unknown.rows is None
    assert nothing.rows == ((Word("total"), "", counted(0, 9)),)


def test_a_district_has_a_row_for_each_of_its_villages() -> None:
    figures = known(
        figure("households_with_carer", (60, 60), by={"village": {"35.10.16.1002": (60, 60)}}),
        figure("monthly_package_delivered", (57, 60), by={"village": {"35.10.16.1002": (57, 60)}}),
        figure("monthly_package_failed", (3, 60), by={"village": {"35.10.16.1002": (3, 60)}}),
    )

    page = district.page(figures, POLICY, "35.10.16")

    assert page.subject == "Banyuwangi"
    assert table(page, "villages").rows == (("Sobo", counted(60, 60), counted(57, 60), counted(3), None, None, None),)


def units_of(count: int | None) -> Share:
    return counted(count, unit="units")


def test_the_stock_card_adds_up_by_source_depot_and_lot() -> None:
    other = LOT.replace("6", "7", 1)
    units = {
        f"{LOT},depot-35.10,rice_5kg,apbd,received": 100,
        f"{LOT},depot-35.10,rice_5kg,apbd,available": 30,
        f"{LOT},depot-35.10.05,rice_5kg,apbd,delivered": 70,
        f"{other},depot-35.10,tea_box,csr,found": 5,
        f"{other},depot-35.10,tea_box,csr,available": 5,
    }
    rupiah = {key: count * 1_000 for key, count in units.items()}
    figures = known(
        figure("stock_units", 105, "units", by={CARD: units}),
        figure("stock_rupiah", 105_000, "rupiah", by={CARD: rupiah}),
    )

    page = auditor.page(figures, POLICY)

    by_lot = table(page, "stock_by_lot")
    assert by_lot.columns == ("source", "item", "lot", "received", "found", "available", "delivered")
    assert by_lot.rows == (
        (Word("apbd"), Word("rice_5kg"), "6f0c1d2e", units_of(100), 0, units_of(30), units_of(70)),
        (Word("csr"), Word("tea_box"), "7f0c1d2e", 0, units_of(5), units_of(5), 0),
    )
    by_depot = table(page, "stock_by_depot")
    assert by_depot.in_thousands
    assert [row[0] for row in by_depot.rows or ()] == ["depot-35.10", "depot-35.10.05", Word("total")]
    assert (by_depot.rows or ())[-1] == (
        Word("total"),
        *(counted(one, unit="rupiah") for one in (100_000, 5_000, 35_000, 70_000)),
    )
    assert len(table(page, "stock_card").rows or ()) == 5


def test_a_hidden_part_hides_the_sum_of_a_stock_card() -> None:
    units: dict[str, int | tuple[int | None, int | None]] = {
        f"{LOT},depot-35.10,rice_5kg,apbd,available": (None, None),
        f"{LOT},depot-35.10.05,rice_5kg,apbd,available": 70,
    }
    page = auditor.page(known(figure("stock_units", 70, "units", by={CARD: units})), POLICY)

    assert (table(page, "stock_by_lot").rows or ())[0][-1] == units_of(None)


def test_the_month_is_restated_and_the_difference_explained_by_the_days_it_became_known() -> None:
    """Rule 30: only days between the month's end and five days later explain it."""
    days = {f"monthly_package,{day}": 7 for day in ("2026-10-31", "2026-11-01", "2026-11-05", "2026-11-06")}
    at_end = figure("delivered_at_month_end", (7, 20_000), as_of=MONTH_END)
    delivered = figure("monthly_package_delivered", (28, 30))
    by_day = figure("delivered_by_day", 28, by={"programme,day": days})

    page = auditor.page(known(at_end, floor(21), delivered, by_day), POLICY)

    monthly = Word("delivered_monthly_package")
    first, second = Share(7, 30, "packages", MONTH_END), Share(21, 30, "packages", AS_OF)
    assert (table(page, "restated").rows or ())[:2] == (
        (Word("as_known_at"), MONTH_END, AS_OF, ""),
        (monthly, first, second, 14),
    )
    assert table(page, "restated_by").rows == (
        (monthly, Word("late_proof"), date(2026, 11, 1), counted(7)),
        (monthly, Word("late_proof"), date(2026, 11, 5), counted(7)),
    )
