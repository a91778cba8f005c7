"""What a spreadsheet may take for a formula, and work out, when somebody opens a file of ours."""

import pytest

from dunning.domain.texts.formulas import begins_a_formula, may_hold_a_formula


@pytest.mark.parametrize(
    ("cell", "is_formula"),
    [
        pytest.param("=1+1", True, id="the usual sign"),
        pytest.param("+886900000001", True, id="a plus"),
        pytest.param("-5", True, id="a minus"),
        pytest.param("@SUM(A1)", True, id="the sign of old programs"),
        pytest.param("＝1", True, id="a wide sign"),
        pytest.param("  =1", True, id="behind blanks"),
        pytest.param("'=1", True, id="behind a quote"),
        pytest.param("\u200b=1", True, id="behind what cannot be seen"),
        pytest.param("\t1", True, id="behind a tab"),
        pytest.param("A=1", False, id="the sign inside"),
        pytest.param("2026-12-01", False, id="a date"),
        pytest.param("王小明", False, id="a name"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_a_cell_is_taken_for_a_formula_by_its_first_sign(cell: str, *, is_formula: bool) -> None:
    assert begins_a_formula(cell) is is_formula


@pytest.mark.parametrize(
    ("text", "may_hold"),
    [
        pytest.param("=1", True, id="all of it"),
        pytest.param("paid;=1", True, id="behind a semicolon"),
        pytest.param("=1|paid", True, id="before a bar"),
        pytest.param("paid\n=1", True, id="in a line of its own"),
        pytest.param("paid\t@A1\tlate", True, id="between tabs"),
        pytest.param("paid|late", False, id="in no cell"),
        pytest.param("paid =1", False, id="behind a word"),
    ],
)
def test_a_text_may_hold_a_formula_wherever_its_cells_may_be_parted(text: str, *, may_hold: bool) -> None:
    assert may_hold_a_formula(text) is may_hold
