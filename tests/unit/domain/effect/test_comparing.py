"""Comparing: each arm beside the reference, over the whole trial and each part, as wide as the number of arms asks."""

from dataclasses import replace
from datetime import date

import pytest

from dunning.domain.effect.comparing import comparisons_of, points_of, reference_arm
from dunning.domain.effect.draws import SILENCE, TEXTED, Arm, Layer
from dunning.domain.effect.sums import ArmSums, FirstLine, SumKey, estimate_lift
from dunning.domain.effect.trial_results import ArmComparison, TrialResult
from tests.support.arms import BEGINS, a_holdout, a_trial

TODAY = date(2026, 9, 28)  # four weeks
TONE = a_trial(Layer.TEXT, (("usual", 0.4), ("kind", 0.4), ("short", 0.2)), trial_id="tone")


def sums_of_arm(customers: int, cured: int) -> ArmSums:
    return ArmSums(customers=customers, y=cured, k=customers, yy=cured, yk=cured, kk=customers, texts=customers)


SUMS = {
    SumKey("tone", arm, **part): sums_of_arm(1_000, cured)
    for arm, cured in (("usual", 600), ("kind", 660), ("short", 590))
    for part in ({}, {"stage": 0}, {"payer_segment": "new"}, {"place": "TW"}, {"stage": 0, "channel": "sms"})
}


def test_texts_are_compared_with_silence_and_wordings_with_the_first() -> None:
    assert reference_arm(replace(a_holdout(0.2), trial_id="quiet")) == SILENCE
    assert reference_arm(TONE) == "usual"
    with_silence = replace(TONE, arms=(*TONE.arms, Arm(SILENCE, 0.1)))
    assert reference_arm(with_silence) == "usual"


def test_arms_are_compared_over_the_whole_trial_first_and_then_over_its_parts() -> None:
    compared = [(each.arm, each.other, each.stage, each.payer_segment, each.place)
                for each in comparisons_of(TONE, SUMS, TODAY)]  # fmt: skip
    assert compared == [
        (arm, "usual", *part)
        for part in ((None, None, None), (0, None, None), (None, "new", None), (None, None, "TW"))
        for arm in ("kind", "short")
    ]


def test_with_two_arms_beside_the_reference_each_interval_is_as_wide_as_half_the_level_asks() -> None:
    kind = comparisons_of(TONE, SUMS, TODAY)[0].estimate
    expected = estimate_lift(
        SUMS[SumKey("tone", "kind")],
        SUMS[SumKey("tone", "usual")],
        planned_customers=TONE.planned_customers,
        share_of_other=0.5,
        customers_a_week=500.0,
        alpha=0.025,
    )
    assert kind == expected
    assert kind.lift == pytest.approx(0.06)


def test_after_the_end_nobody_is_drawn_any_more_and_no_week_is_promised() -> None:
    over = comparisons_of(replace(TONE, ends_on=BEGINS), SUMS, TODAY)[0].estimate
    assert over.needs_customers is not None
    assert over.needs_customers > 2_000
    assert over.needs_weeks is None


def test_a_trial_without_a_draw_says_that_there_are_too_few() -> None:
    (only,) = comparisons_of(replace(a_holdout(0.2), trial_id="quiet"), {}, TODAY)
    assert (only.arm, only.other, only.estimate.first_line) == (TEXTED, SILENCE, FirstLine.TOO_FEW)
    assert only.estimate.lift is None


def test_the_points_of_a_night_are_the_lifts_over_the_whole_trial() -> None:
    comparisons: tuple[ArmComparison, ...] = comparisons_of(TONE, SUMS, TODAY)
    result = TrialResult(
        lender="demo-tw", trial="tone", layer="text", night=TODAY, as_of=None, starts_on=BEGINS,  # type: ignore[arg-type]
        ends_on=TONE.ends_on, goal_days=14, shares={}, stages=(0,), places=("TW",), comparisons=comparisons,
    )  # fmt: skip
    points = points_of(result)
    assert [(point.arm, point.customers, point.night) for point in points] == [
        ("kind", 2_000, TODAY), ("short", 2_000, TODAY),
    ]  # fmt: skip
    interval = comparisons[0].estimate.interval
    assert interval is not None
    assert (points[0].low, points[0].high) == (interval.low, interval.high)
