"""Trials in the console of this machine: whose they are, what is kept of them, and when there can be none."""

from datetime import date, timedelta
from typing import Any

import boto3
import pytest

from dunning import wiring
from dunning.adapters.dynamodb.trial_result_table import DynamoTrialResults
from dunning.domain.effect.trial_results import TrialResult
from tests.local import demo_trials
from tests.local.asked import ChoiceError
from tests.local.console import LocalConsole, main
from tests.local.demo_trials import days_of_trials, keep_demo_trials, with_lender_of_trials
from tests.local.effect_people import BEGIN, LENDER
from tests.local.effect_run import POLICIES
from tests.local.policies import load
from tests.support.lender_files import csv_of, row

TRIALS = ["quiet", "tone", "spare", "hour"]


def test_trials_are_as_old_as_the_world_and_never_longer_than_they_last() -> None:
    assert days_of_trials(BEGIN + timedelta(days=40)) == 40
    assert days_of_trials(date(2026, 12, 5)) == 182
    assert days_of_trials(date(2030, 1, 1)) == 182


def test_a_world_that_ends_before_the_trials_can_say_anything_is_refused() -> None:
    with pytest.raises(ChoiceError, match="TRIALS=1: the trials begin on 2026-06-01, and the last day is 2026-06-20"):
        days_of_trials(date(2026, 6, 20))


@pytest.mark.slow(reason="policies are read from their files")
def test_the_lender_of_the_trials_stands_beside_the_others_and_is_refused_beside_other_trials() -> None:
    ours = load(None)
    book = with_lender_of_trials(ours).book
    assert [*book.lenders] == [*ours.book.lenders, LENDER]
    assert [trial.id for trial in book.lenders[LENDER].policy.trials] == TRIALS
    with pytest.raises(ChoiceError, match="POLICIES= has trials of its own"):
        with_lender_of_trials(load(POLICIES))


class _Kept:
    """What was kept, in order."""

    def __init__(self) -> None:
        self.results: list[TrialResult] = []

    def keep_result(self, result: TrialResult) -> None:
        self.results.append(result)


@pytest.mark.slow(reason="a month of a few people through the services")
def test_each_night_is_kept_and_what_was_planted_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_trials, "PEOPLE", 40)
    keeper = _Kept()
    planted = keep_demo_trials(keeper, 30)
    assert sorted(planted) == sorted(TRIALS)
    nights = [BEGIN + timedelta(days=days) for days in (14, 28, 30)]
    assert [each.night for each in keeper.results if each.trial == "quiet"] == nights


@pytest.mark.slow(reason="the embedded AWS is filled, and a month of a few people is played")
def test_the_console_has_the_trials_with_their_approval_and_its_start_says_whose_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo_trials, "PEOPLE", 40)
    kept: dict[str, Any] = {}

    def ended() -> None:
        table = DynamoTrialResults(boto3.client("dynamodb"), kept["console"].cloud.stack.tally_table)
        kept["results"] = table.newest()
        kept["nights"] = [point.night for point in table.line_of(LENDER, "quiet")]
        plans = [each.trial for each in wiring._lender_trials() if each.lender == LENDER]  # noqa: SLF001 - as pages do
        kept["approvals"] = {plan.approved_by for plan in plans}
        raise KeyboardInterrupt

    def small(**asked: Any) -> LocalConsole:  # noqa: ANN401 - what a console takes
        console = LocalConsole(**asked | {"accounts": csv_of([row()]).encode(), "port": 0})
        kept["console"] = console
        return console

    monkeypatch.setattr("tests.local.console.LocalConsole", small)
    monkeypatch.setattr("tests.local.console.signal.pause", ended)
    assert main(["--trials", "--start", "2026-07-01", "--days", "1"]) == 0
    printed = capsys.readouterr().out
    assert "made-up people of the lender demo-trials. What texts do to them was planted:" in printed
    assert "  tone: the curt words make 30 of 1,000 opt out" in printed
    assert sorted(each.trial for each in kept["results"]) == sorted(TRIALS)
    assert kept["approvals"] == {"nobody: all of this is made up"}
    assert kept["nights"][-1] == date(2026, 7, 1)
