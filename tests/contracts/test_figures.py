"""What a public view hides (rule 30)."""

from datetime import UTC, datetime

from contracts.figures import Cell, Figure, Figures, breakdown, public


def figures(numerator: int, denominator: int | None, rows: list[tuple[str, int, int | None]]) -> Figures:
    figure = Figure(
        name="cases",
        unit="cases",
        numerator=numerator,
        denominator=denominator,
        as_of=datetime(2026, 10, 1, tzinfo=UTC),
        definition="Cases.",
        by={"district": breakdown(rows)},
    )
    return Figures(service="tests", figures=(figure,))


def test_cells_under_five_are_hidden_and_no_single_one_can_be_found_by_subtraction() -> None:
    shown = public(figures(40, 50, [("a", 4, None), ("b", 6, None), ("c", 30, None)])).figures[0]

    hidden = Cell(numerator=None)
    assert (shown.numerator, shown.denominator) == (40, 50)
    assert shown.by["district"] == {"a": hidden, "b": hidden, "c": Cell(numerator=30)}


def test_a_small_denominator_hides_its_cell_too() -> None:
    assert public(figures(4, 4, [])).figures[0].numerator is None
    assert public(figures(5, 5, [])).figures[0].numerator == 5
    assert public(figures(5, 5, [("a", 0, 3), ("b", 5, 9)])).figures[0].by["district"] == {
        "a": Cell(numerator=None),
        "b": Cell(numerator=None),
    }


def test_nothing_is_hidden_where_all_cells_are_large() -> None:
    whole = figures(40, 50, [("a", 10, 20), ("b", 30, 30)])

    assert public(whole) == whole
