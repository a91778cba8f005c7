"""Trials for people: what the first line may say, that no cure stands alone, and what to do about a sign."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dunning.domain.effect.draws import SILENCE, Layer
from dunning.domain.effect.intervals import Interval
from dunning.domain.effect.sums import FirstLine
from dunning.domain.effect.trial_results import LiftPoint, SignSeen, TrialResult, TrialSign
from dunning.ports.sessions import Role
from dunning.services.console.shown import CodeShown, MeasureShown
from dunning.services.console.trials_read import (
    BESIDE,
    BREAKING,
    NIGHTS_DRAWN,
    NIGHTS_SHOWN,
    PARTS_SHOWN,
    PRICE_PER_INSTALMENT,
    LiftRow,
    TrialsService,
    TrialView,
    arm_shown,
    segment_shown,
)
from tests.local import ROOT
from tests.support.console import an_office_with
from tests.support.fakes import FakeClock
from tests.support.lively_trials import LivelyTrials, a_holdout, line_to, lively, planned_trials, several_arms
from tests.support.people import NOW


class AsKept(LivelyTrials):
    """Results in the order in which they were kept."""

    def newest(self, lender: str = "") -> Sequence[TrialResult]:
        return [each for each in self.results if lender in {"", each.lender}]


def view_of(result: TrialResult) -> TrialView:
    found = service(LivelyTrials([result], line_to(result))).trial(result.lender, result.trial)
    assert found is not None
    return found


def service(results: LivelyTrials) -> TrialsService:
    return TrialsService(results, planned_trials, FakeClock(NOW))


def first_row(result: TrialResult) -> LiftRow:
    return view_of(result).lifts[0]


def with_estimate(**changes: Any) -> TrialResult:  # noqa: ANN401 - fields
    result = a_holdout()
    whole, *_ = result.comparisons
    return replace(result, comparisons=(whole._replace(estimate=replace(whole.estimate, **changes)),))


def test_a_lift_is_said_in_a_sentence_with_the_interval_that_may_be_looked_at_daily() -> None:
    office, _ = an_office_with()
    office.trials = LivelyTrials([a_holdout()])
    office.log_in(Role.MANAGER)
    page = office.get("/trials").body
    assert "More customers pay with texts." in page
    assert "Of instalments with texts 63.1% were paid in full within 14 days, of those without 60.2%" in page
    assert "a difference of +2.9 percentage points. It lies between +0.2 and +5.7, however often you look." in page


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"first_line": FirstLine.MORE_PAY}, "trial.more_pay"),
        ({"first_line": FirstLine.FEWER_PAY}, "trial.fewer_pay"),
        ({"first_line": FirstLine.NO_DIFFERENCE_FOUND}, "trial.no_difference_found"),
        ({"first_line": FirstLine.TOO_FEW, "needs_customers": None, "needs_weeks": None}, "trial.nothing_known"),
        ({"first_line": FirstLine.TOO_FEW, "needs_customers": 9, "needs_weeks": None}, "trial.too_few_for_ever"),
        ({"first_line": FirstLine.TOO_FEW, "needs_customers": 9, "needs_weeks": 0}, "trial.too_few_in_an_arm"),
        ({"first_line": FirstLine.TOO_FEW, "needs_customers": 9, "needs_weeks": 520}, "trial.too_few"),
        ({"first_line": FirstLine.TOO_FEW, "needs_customers": 9, "needs_weeks": 521}, "trial.too_few_for_years"),
    ],
)
def test_the_first_line_says_what_may_be_said_and_with_too_few_what_it_takes(changes: dict[str, Any], key: str) -> None:
    assert first_row(with_estimate(**changes)).says.key == key


def test_a_trial_that_ends_before_it_is_large_enough_says_so() -> None:
    needed = with_estimate(first_line=FirstLine.TOO_FEW, needs_weeks=13)
    assert first_row(needed).ends_too_soon is not None
    assert first_row(replace(needed, ends_on=needed.night + timedelta(weeks=13))).ends_too_soon is None
    for over in ({"is_stopped": True}, {"ends_on": needed.night - timedelta(days=1)}):
        assert first_row(replace(needed, **over)).ends_too_soon is None


@pytest.mark.parametrize("over", [{"is_stopped": True}, {"ends_on": date(2026, 11, 1)}])
def test_a_trial_that_is_over_promises_no_more_weeks(over: dict[str, Any]) -> None:
    row = first_row(replace(with_estimate(first_line=FirstLine.TOO_FEW, needs_customers=9, needs_weeks=5), **over))
    assert row.says.key == "trial.too_few_at_the_end"
    assert row.to_do is not None
    assert row.to_do.key == "trial.next_a_larger_one"


@pytest.mark.parametrize("sign", TrialSign)
def test_no_first_line_of_a_broken_trial_claims_anything(sign: TrialSign) -> None:
    view = view_of(replace(a_holdout(), signs=(SignSeen(sign),)))
    assert view.held_out is not None
    says, cost = view.lifts[0].says.key, view.held_out.cures.key
    assert (says == "trial.no_conclusion") == (cost == "trial.cures_unknown") == (sign in BREAKING)
    assert (view.lifts[0].to_do is None) == (sign in BREAKING)


@pytest.mark.parametrize(
    ("result", "key"),
    [
        (with_estimate(first_line=FirstLine.MORE_PAY), "texts_help"),
        (with_estimate(first_line=FirstLine.FEWER_PAY), "texts_harm"),
        (with_estimate(first_line=FirstLine.NO_DIFFERENCE_FOUND), "by_cost"),
        (with_estimate(first_line=FirstLine.TOO_FEW, needs_customers=9, needs_weeks=1), "wait"),
        (with_estimate(first_line=FirstLine.TOO_FEW, needs_customers=9, needs_weeks=None), "a_larger_one"),
        (several_arms("tone", Layer.TEXT, {"usual": 0.5, "kind": 0.6}, "usual"), "arm_helps"),
        (several_arms("tone", Layer.TEXT, {"usual": 0.6, "kind": 0.5}, "usual"), "other_stays"),
        (several_arms("tone", Layer.TEXT, {"usual": 0.6, SILENCE: 0.5}, "usual"), "texts_help"),
        (several_arms("tone", Layer.TEXT, {"usual": 0.5, SILENCE: 0.6}, "usual"), "texts_harm"),
    ],
)
def test_what_follows_from_the_first_line_is_said(result: TrialResult, key: str) -> None:
    to_do = first_row(result).to_do
    assert to_do is not None
    assert to_do.key == f"trial.next_{key}"
    assert first_row(replace(result, is_learned=True)).to_do is None


def test_the_interval_for_a_single_look_is_not_shown_before_the_end() -> None:
    result = a_holdout()
    assert first_row(result).at_the_end is None
    assert first_row(replace(result, ends_on=date(2026, 11, 22))).at_the_end is not None


def test_the_page_says_what_is_counted() -> None:
    office, _ = an_office_with()
    office.trials = lively()
    office.log_in(Role.MANAGER)
    quiet, tone = (office.get(f"/trials/demo-tw/{trial}").body for trial in ("quiet", "tone"))
    for words in ("Per instalment: each counts once", "An instalment stands at the first stage", "Cost per instalment"):
        assert words in quiet
        assert words not in tone
    assert "Per reminder that was due" in tone


def test_with_too_few_customers_the_sentence_warns_of_chance() -> None:
    row = first_row(with_estimate(interval=None))
    assert row.sentence is not None
    assert (row.sentence.key, row.picture) == ("trial.lift_of_texts_unsure", None)
    assert first_row(with_estimate(lift=None)).sentence is None


@pytest.mark.parametrize(
    ("price", "least", "most", "key"),
    [
        (0.0, None, None, "trial.costs_nothing"),
        (-9.0, None, None, "trial.costs_less"),
        (9.0, None, None, "trial.price_unsure"),
        (9.0, 3.0, None, "trial.price_without_bound"),
        (9.0, 3.0, 20.0, "trial.price"),
    ],
)
def test_the_price_of_an_additional_cure_comes_with_its_bounds(
    price: float | None, least: float | None, most: float | None, key: str
) -> None:
    changes = {"price_usd_micros_per_additional_cure": price, "price_is_at_least": least, "price_is_at_most": most}
    assert first_row(with_estimate(**changes)).costs.key == key


@pytest.mark.parametrize("price", [None, 0.0, -9.0])
@pytest.mark.parametrize("interval", [None, Interval(-0.02, 0.03)])
def test_where_it_is_not_sure_whether_more_pay_no_price_says_so(price: float | None, interval: Interval | None) -> None:
    unsure = with_estimate(price_usd_micros_per_additional_cure=price, interval=interval)
    assert first_row(unsure).costs.key == "trial.price_not_known"


def test_where_surely_no_more_pay_there_is_no_price() -> None:
    fewer = with_estimate(price_usd_micros_per_additional_cure=None, interval=Interval(-0.04, -0.01))
    assert first_row(fewer).costs.key == "trial.no_price"


def test_the_only_place_of_a_trial_is_no_part_of_it() -> None:
    result = a_holdout()
    assert "place" in [kind.code for kind, _ in view_of(result).parts]
    assert "place" not in [kind.code for kind, _ in view_of(replace(result, places=("TW",))).parts]


def test_a_line_begins_with_the_first_night_on_which_a_lift_is_known() -> None:
    result = a_holdout()
    nights_of = line_to(result)
    empty = [(key, each._replace(lift=None)) for key, each in nights_of[:20]] + nights_of[20:]
    found = service(LivelyTrials([result], empty)).trial(result.lender, result.trial)
    assert found is not None
    (line,) = found.lines
    nights = [point.night for _, point in empty[20:]]
    assert min(line.points[0].night, line.in_table[-1].night) >= nights[0]
    assert line.points[0].night <= nights[1]
    nobody = [(key, point._replace(lift=None)) for key, point in empty]
    found = service(LivelyTrials([result], nobody)).trial(result.lender, result.trial)
    assert found is not None
    assert found.lines == ()


def test_no_lift_of_a_trial_or_of_a_part_stands_without_its_side_effects() -> None:
    view = view_of(a_holdout())
    rows = [*view.lifts, *(row for _, rows in view.parts for row in rows)]
    assert len(rows) == 13
    names = {*(name for name, _, _ in BESIDE), "wrong_persons", PRICE_PER_INSTALMENT} - {"price_per_rung"}
    assert all({each.name.code for each in row.beside} == names for row in rows)
    assert all(figure.value is not None for row in rows for each in row.beside for figure in each.figures)


def test_who_is_held_out_and_what_it_has_cost_stands_beside_it() -> None:
    result = a_holdout()
    cost = view_of(result).held_out
    assert cost is not None
    assert cost.held_out.values == {
        "share": MeasureShown(0.05, "percent"), "customers": 3_210, "rungs": result.drawn[SILENCE],
    }  # fmt: skip
    assert (cost.cures.key, cost.cures.values) == ("trial.cures_lost", {"cures": 94, "least": 5, "most": 182})


def test_silence_among_wordings_costs_what_the_other_arm_has_more() -> None:
    quiet = view_of(several_arms("tone", Layer.TEXT, {"usual": 0.63, SILENCE: 0.58}, "usual")).held_out
    assert quiet is not None
    assert (quiet.cures.key, quiet.cures.values["cures"]) == ("trial.cures_lost", 450)
    assert quiet.cures.values["least"] < 450 < quiet.cures.values["most"]  # type: ignore[operator]


def test_running_trials_come_first_then_stopped_ones_then_those_that_have_ended() -> None:
    ended, stopped = a_holdout("a-first"), replace(a_holdout("b-second"), is_stopped=True)
    results = AsKept([replace(ended, ends_on=date(2026, 11, 1)), stopped, a_holdout()])
    assert [each.trial for each in service(results).view().trials][:3] == ["quiet", "b-second", "a-first"]


def test_what_the_holdout_costs_is_said_as_far_as_it_is_known() -> None:
    def key(rates: tuple[float, float], customers: int = 61_000) -> str:
        cost = view_of(a_holdout(rates=rates, customers=customers)).held_out
        assert cost is not None
        return cost.cures.key

    assert key((0.61, 0.602)) == "trial.cures_lost_perhaps"
    assert key((0.52, 0.602)) == "trial.cures_none"
    assert key((0.61, 0.602), customers=1_000) == "trial.cures_unknown"


@pytest.mark.parametrize("sign", TrialSign)
def test_every_sign_says_what_was_seen_and_what_to_do(sign: TrialSign) -> None:
    office, _ = an_office_with()
    seen = SignSeen(sign, arm="text", stage=3, counted=4_711, off_by=-0.013, p_value=0.0001)
    office.trials = LivelyTrials([replace(a_holdout(), signs=(seen,))])
    office.log_in(Role.ENGINEER)
    page = office.get("/trials/demo-tw/quiet").body
    (shown,) = view_of(replace(a_holdout(), signs=(seen,))).signs
    assert shown.to_do == CodeShown("trial_to_do", sign)
    assert '<span class="badge">3 days after the due date</span>' in page
    assert ("4,711" in page) or sign is TrialSign.HARM
    assert "p_value" not in page


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "running"),
        ({"paused": ("text",)}, "paused"),
        ({"is_stopped": True, "paused": ("text",)}, "stopped"),
        ({"ends_on": date(2026, 11, 22)}, "ended"),
        ({"ends_on": date(2026, 11, 23)}, "running"),
    ],
)
def test_a_trial_says_how_it_stands(changes: dict[str, Any], state: str) -> None:
    assert view_of(replace(a_holdout(), **changes)).state.code == state


def test_an_address_of_any_length_asks_the_table_for_no_key_of_that_length() -> None:
    class Asked(LivelyTrials):
        def newest(self, lender: str = "") -> Sequence[TrialResult]:
            assert len(lender) < 100
            return super().newest(lender)

        def line_of(self, lender: str, trial: str) -> Sequence[LiftPoint]:  # noqa: ARG002
            raise AssertionError("asked for a trial that is not there")

    trials = service(Asked([a_holdout()]))
    assert trials.trial("x" * 5_000, "quiet") is trials.trial("demo-tw", "x" * 5_000) is None
    assert json.loads(trials.document("x" * 5_000))["trials"] == []


def test_trials_that_no_night_knows_come_last_and_say_why() -> None:
    view = service(lively()).view()
    assert [(each.trial, each.state.code) for each in view.trials[-2:]] == [("winter", "coming"), ("unasked", "off")]
    assert view.lenders == ("demo-tw", "demo-us")
    assert {each.lender for each in service(lively()).view("demo-us").trials} == {"demo-us"}
    assert service(lively()).view("nobody").lender == ""


def test_approval_is_that_of_the_policy_and_a_trial_that_has_left_it_says_so() -> None:
    quiet, tone = (service(lively()).trial("demo-tw", name) for name in ("quiet", "tone"))
    assert quiet is not None
    assert tone is not None
    assert (quiet.approved_by, quiet.approved_on, quiet.planned_customers) == ("Lin Yi-chun", date(2026, 8, 3), 20_000)
    assert (tone.is_in_policy, tone.approved_by, tone.planned_customers) == (False, "", None)
    assert service(lively()).trial("demo-tw", "none") is None


def test_a_line_ends_with_the_last_night_and_its_table_with_the_last_week() -> None:
    (line,) = view_of(a_holdout()).lines
    assert len(line.points) <= NIGHTS_DRAWN
    assert line.points[-1].night == line.in_table[0].night == date(2026, 11, 23)
    assert len(line.in_table) <= NIGHTS_SHOWN
    assert [point.night for point in line.points] == sorted(point.night for point in line.points)


def test_of_more_parts_than_a_page_can_hold_the_number_left_out_is_said() -> None:
    result = a_holdout()
    _, *parts = result.comparisons
    view = view_of(replace(result, comparisons=(result.comparisons[0], *parts, *parts)))
    assert sum(len(rows) for _, rows in view.parts) == PARTS_SHOWN
    assert view.parts_left_out == 2 * len(parts) - PARTS_SHOWN


def test_arms_and_segments_are_named_as_people_name_them() -> None:
    assert [arm_shown(arm) for arm in ("2030", "9", "kind")] == ["20:30", "9", "kind"]
    assert arm_shown(SILENCE) == CodeShown("trial_arm", "silence")
    assert [segment_shown(each) for each in ("new", "*")] == ["new", CodeShown("trial_segment", "every")]


def test_learned_shares_stand_beside_the_words_that_a_share_is_no_finding() -> None:
    office, _ = an_office_with()
    office.trials = lively()
    office.log_in(Role.MANAGER)
    page = office.get("/trials/demo-tw/hours").body
    assert "A share is no finding." in page
    assert "46.0%" in page


def test_without_a_trial_the_page_explains_what_a_holdout_is() -> None:
    office, _ = an_office_with()
    office.log_in(Role.MANAGER)
    page = office.get("/trials").body
    assert "What a holdout is" in page
    assert "Nobody knows yet what the texts do." in page


def test_every_page_of_a_lively_trial_stays_below_thirty_kilobytes() -> None:
    office, _ = an_office_with()
    office.trials = lively()
    office.planned_trials = planned_trials()
    office.log_in(Role.MANAGER)
    addresses = ["/trials", *(f"/trials/{each.lender}/{each.trial}" for each in office.trials.results)]
    for address in addresses:
        answer = office.get(address)
        assert (answer.status, len(answer.body.encode()) < 30 * 1024) == (200, True), address


def test_programs_read_what_the_schema_describes() -> None:
    schema = json.loads((Path(ROOT) / "events" / "schemas" / "trials.json").read_text("utf-8"))
    document = json.loads(service(lively()).document())
    jsonschema.validate(document, schema)
    assert [each["trial"] for each in document["trials"]] == ["hours", "quiet", "tone", "small", "spring"]
    assert json.loads(service(lively()).document("demo-us"))["trials"][0]["lender"] == "demo-us"
