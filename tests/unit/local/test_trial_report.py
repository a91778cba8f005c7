"""The section of a page about trials: the views of the console, and what was planted."""

import re

from tests.local.trial_report import trials_section
from tests.support.lively_trials import lively

RESULTS = lively()
LINES = {(each.lender, each.trial): RESULTS.line_of(each.lender, each.trial) for each in RESULTS.results}


def test_every_trial_has_its_first_line_its_chart_and_what_stands_beside_it() -> None:
    section = trials_section(RESULTS.results, LINES)
    assert section.count("<h3") == len(RESULTS.results)
    assert "More customers pay with texts." in section
    assert section.count('role="img"') == 3 + 2 + 3
    assert section.count("Next instalment late") == 3 + 2 + 3
    assert "A share is no finding." in section


def test_what_was_planted_is_said_to_be_so() -> None:
    planted = {("demo-tw", "quiet"): "with texts 4 points more pay."}
    section = trials_section(RESULTS.results, LINES, planted)
    assert "<strong>Planted:</strong> with texts 4 points more pay." in section
    assert section.count("Planted:") == 1


def test_no_two_things_of_the_section_have_one_id() -> None:
    ids = re.findall(r'\bid="([^"]+)"', trials_section(RESULTS.results, LINES))
    assert len(ids) == len(set(ids))


def test_without_results_there_is_no_section() -> None:
    assert trials_section((), {}) == ""
