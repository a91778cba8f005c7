"""What is known of a trial, in lines of text: what a manager reads first, and nothing that says nothing."""

from dataclasses import replace
from datetime import date

from dunning.domain.effect.trial_results import LearnedShare, SignSeen, TrialResult, TrialSign
from ops.columns import WIDTH, width_of
from tests.local.trial_lines import lines_of_trial, trials_part
from tests.support.lively_trials import lively

RESULTS = {each.trial: each for each in lively().results}


def _text(result: TrialResult, **more: object) -> str:
    lines = list(lines_of_trial(result, **more))  # type: ignore[arg-type]
    assert max(map(width_of, lines)) <= WIDTH
    return "\n".join(lines)


def _weeks(count: int, segment: str = "*") -> list[LearnedShare]:
    return [
        LearnedShare(f"2026-W{week}", segment, {"10": 0.5, "18": 0.5}, "unchanged") for week in range(10, 10 + count)
    ]


def test_of_the_weeks_of_a_learner_the_first_and_the_newest_four_are_shown() -> None:
    text = _text(RESULTS["quiet"], learned=_weeks(17))
    assert [week for week in range(10, 27) if f"2026-W{week}" in text] == [10, 23, 24, 25, 26]
    assert "12 weeks between" in text


def test_weeks_that_a_line_about_them_would_not_shorten_are_all_shown() -> None:
    text = _text(RESULTS["quiet"], learned=_weeks(6))
    assert [week for week in range(10, 16) if f"2026-W{week}" in text] == list(range(10, 16))
    assert "between" not in text.partition("Shares by week")[2]


def test_hours_are_named_as_times_and_wordings_as_words() -> None:
    text = _text(RESULTS["quiet"], learned=_weeks(2))
    assert "at 10:00  at 18:00" in text
    found = replace(RESULTS["quiet"], signs=(SignSeen(TrialSign.HARM, "curt", counted=21),), paused=("curt",))
    text = _text(found, first_seen={(TrialSign.HARM, "curt"): date(2026, 9, 21)})
    assert "SIGN harm: with curt, more opt-outs, complaints and wrong persons (21), first seen on 2026-09-21." in text
    assert "PAUSED: nobody draws curt any more." in text


def test_of_a_trial_whose_days_have_not_come_it_says_that_nothing_is_known() -> None:
    text = _text(replace(RESULTS["quiet"], comparisons=()))
    assert "NOTHING KNOWN: of nobody who took part the days are over." in text
    assert "texts/paid" not in text


def test_the_part_of_a_report_says_that_nothing_else_tells_what_texts_do_and_is_left_out_without_trials() -> None:
    lines = list(trials_part(list(RESULTS.values())))
    assert max(map(width_of, lines)) <= WIDTH
    assert lines[1] == "TRIALS: what the texts have caused. No other number of this report says that"
    assert [line for line in lines if line.startswith(tuple(f"{name.upper()}: " for name in RESULTS))]
    assert list(trials_part([])) == []


def test_a_code_with_a_line_in_it_is_written_as_words() -> None:
    found = replace(RESULTS["quiet"], signs=(SignSeen(TrialSign.DRAW_WITHOUT_RECORD, counted=1),))
    assert "SIGN draw without record: draws without a record (1)." in _text(found)
