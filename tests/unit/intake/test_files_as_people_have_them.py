"""Files as programs write them, each with the verdict of a careful reader who has not seen the intake."""

import pytest

from tests.support.file_exam import Case, cases, differences, read_case
from tests.support.lender_files import POLICIES

CASES = list(cases())

JUDGED_OTHERWISE = {
    "040-sap-alv-unconverted": "title rows are passed over and named elsewhere too; here every row is refused besides",
}
"""Where the intake differs from a verdict, and why that is right: no row of these is loaded."""


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_each_file_is_handled_as_a_careful_reader_wants_it(case: Case) -> None:
    reading = read_case(case, POLICIES)
    if case.name in JUDGED_OTHERWISE:
        assert not reading.facts
    else:
        assert differences(case, reading) == []


def test_the_files_are_many_and_of_many_kinds() -> None:
    assert len(CASES) >= 45
    rows = [row["verdict"] for case in CASES for row in case.rows]
    assert {*rows} == {"loaded", "refused", "silenced", "passed_over"}


def test_no_reject_file_quotes_a_number_or_a_name() -> None:
    for case in CASES:
        reading = read_case(case, POLICIES)
        printed = " ".join(" ".join(cells) for cells in reading.rejects)
        assert not [row["name"] for row in case.rows if "name" in row and row["name"] in printed], case.name
        assert not [row["phone"] for row in case.rows if "phone" in row and row["phone"][4:] in printed], case.name
