"""Sums: the customer is the unit, sums of different customers add up, and no cure stands alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from dunning.domain.effect.draws import TEXTED, Draw, Layer
from dunning.domain.effect.intervals import (
    customers_needed,
    difference_of,
    newcombe,
    normal_interval,
    rate_by_customer,
)
from dunning.domain.effect.settling import Asked, OutcomeState, SideEffects, Spell, SpellOutcome
from dunning.domain.effect.sums import (
    ArmSums,
    FirstLine,
    LiftEstimate,
    SettledSpell,
    SumKey,
    customers_worth,
    estimate_lift,
    merged,
    summary_of,
    sums_of,
)
from tests.support.builders import day, taipei

CURED, NOT_CURED = (SpellOutcome(state=OutcomeState.SETTLED, cured=cured) for cured in (True, False))


def a_spell(customer_id: str = "C1", arm: str = TEXTED, **changes: Any) -> Spell:  # noqa: ANN401 - fields
    spell = Spell(
        customer_id=customer_id,
        send_id=f"send-{customer_id}",
        draws=(Draw(Layer.HOLDOUT, "quiet", arm, 0.95 if arm == TEXTED else 0.05),),
        drawn_at=taipei("2026-12-04 10:00"),
        drawn_on=day("2026-12-04"),
        stage=3,
        goal_days=14,
        asked=(Asked("A1", 1, 325_000),),
        payer_segment="new",
        place="TW",
        channel="sms" if arm == TEXTED else "none",
        parts=2 if arm == TEXTED else 0,
        price_usd_micros=60_000 if arm == TEXTED else 0,
    )
    return replace(spell, **changes)


def arm_of(customers: int, cured: int, **changes: Any) -> ArmSums:  # noqa: ANN401 - fields
    """Describe an arm whose customers have one rung each."""
    return replace(ArmSums(customers=customers, y=cured, k=customers, yy=cured, yk=cured, kk=customers), **changes)


def sums_of_customer(settled: Sequence[SettledSpell]) -> ArmSums:
    """Return what a customer's rungs add to their arm as a whole."""
    return sums_of(settled).get(SumKey("quiet", TEXTED), ArmSums())


def lift(arm: ArmSums, other: ArmSums, **changes: Any) -> LiftEstimate:  # noqa: ANN401 - arguments
    plan = {"planned_customers": 20_000, "share_of_other": 0.05, "customers_a_week": 700.0}
    return estimate_lift(arm, other, **(plan | changes))


def test_a_customers_rungs_make_one_entry() -> None:
    entry = sums_of_customer([SettledSpell(a_spell(), outcome) for outcome in (CURED, CURED, NOT_CURED)])
    assert entry.clusters == (1, 2, 3, 4, 6, 9)
    assert (entry.texts, entry.parts, entry.price_usd_micros) == (3, 6, 180_000)


def test_side_effects_are_counted_by_rung() -> None:
    outcome = SpellOutcome(
        state=OutcomeState.SETTLED,
        paid_in_part=True,
        side_effects=SideEffects(*[True] * 6),
        next_late=True,
    )
    entry = sums_of_customer([SettledSpell(a_spell(), outcome), SettledSpell(a_spell(), NOT_CURED)])
    beside = (entry.paid_in_part, entry.opt_outs, entry.complaints, entry.wrong_persons, entry.hardship)
    assert beside == (1, 1, 1, 1, 1)
    assert (entry.promises, entry.broken_promises, entry.next_late, entry.next_known) == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("effect", "counter"),
    [
        ("opted_out", "opt_outs"),
        ("complained", "complaints"),
        ("wrong_person", "wrong_persons"),
        ("hardship", "hardship"),
        ("promised", "promises"),
        ("promise_broken", "broken_promises"),
    ],
)
def test_each_side_effect_has_its_own_count(effect: str, counter: str) -> None:
    outcome = SpellOutcome(state=OutcomeState.SETTLED, side_effects=SideEffects(**{effect: True}))
    entry = sums_of_customer([SettledSpell(a_spell(), outcome)])
    plain = sums_of_customer([SettledSpell(a_spell(), NOT_CURED)])
    assert entry == replace(plain, **{counter: 1})


@pytest.mark.parametrize(
    ("changes", "counters"),
    [
        ({"cured": True}, {"y": 1, "yy": 1, "yk": 1}),
        ({"paid_in_part": True}, {"paid_in_part": 1}),
        ({"next_late": True}, {"next_late": 1, "next_known": 1}),
        ({"next_late": False}, {"next_known": 1}),
    ],
)
def test_each_outcome_has_its_own_count(changes: dict[str, bool], counters: dict[str, int]) -> None:
    plain = sums_of_customer([SettledSpell(a_spell(), NOT_CURED)])
    entry = sums_of_customer([SettledSpell(a_spell(), replace(NOT_CURED, **changes))])  # type: ignore[arg-type]
    assert entry == replace(plain, **counters)
    assert plain == ArmSums(customers=1, k=1, kk=1, texts=1, parts=2, price_usd_micros=60_000)


def test_lost_and_erased_rungs_are_counted_and_change_no_rate() -> None:
    entry = sums_of_customer(
        [
            SettledSpell(a_spell(), CURED),
            SettledSpell(a_spell(), SpellOutcome(state=OutcomeState.LOST)),
            SettledSpell(a_spell(), SpellOutcome(state=OutcomeState.ERASED)),
            SettledSpell(a_spell(), SpellOutcome(state=OutcomeState.RUNNING)),
        ]
    )
    assert entry.clusters == (1, 1, 1, 1, 1, 1)
    assert (entry.lost, entry.erased, entry.drawn) == (1, 1, 3)
    assert sums_of_customer([SettledSpell(a_spell(), SpellOutcome(state=OutcomeState.LOST))]).customers == 0


def test_a_customer_with_two_stages_is_one_customer_in_the_total() -> None:
    spells = [SettledSpell(a_spell(stage=0), CURED), SettledSpell(a_spell(stage=3), CURED)]
    sums = sums_of(spells)
    total = sums[SumKey("quiet", TEXTED)]
    assert (total.customers, total.k, total.kk) == (1, 2, 4)
    assert sums[SumKey("quiet", TEXTED, stage=3)].customers == 1
    assert sums[SumKey("quiet", TEXTED, 3, "new", "TW", "sms")].k == 1
    assert sums[SumKey("quiet", TEXTED, place="TW")].k == 2


def test_a_draw_counts_in_each_layer_and_not_where_nothing_was_left_to_chance() -> None:
    draws = (Draw(Layer.HOLDOUT, "quiet", TEXTED, 1.0), Draw(Layer.TEXT, "tone", "kind", 0.5))
    sums = sums_of([SettledSpell(a_spell(draws=draws), CURED)])
    assert {key.trial for key in sums} == {"tone"}


def test_parts_that_have_no_customer_in_common_make_the_whole() -> None:
    spells = [SettledSpell(a_spell(f"C{n}", stage=n % 3), CURED if n % 2 else NOT_CURED) for n in range(30)]
    parts = [sums_of(spell for spell in spells if int(spell.spell.customer_id[1:]) % 4 == part) for part in range(4)]
    assert merged(*parts) == sums_of(spells)


def test_with_too_few_customers_the_first_line_says_how_many_it_takes_and_how_long() -> None:
    estimate = lift(arm_of(247, 160), arm_of(13, 7))
    assert estimate.first_line is FirstLine.TOO_FEW
    assert estimate.interval is None
    assert estimate.needs_customers is not None
    assert 150_000 < estimate.needs_customers < 220_000
    assert estimate.needs_weeks == -(-(estimate.needs_customers - 260) // 700)
    assert lift(arm_of(247, 160), arm_of(13, 7), customers_a_week=0.0).needs_weeks is None


def test_a_difference_that_the_interval_leaves_no_doubt_about_is_a_finding() -> None:
    more = lift(arm_of(19_000, 12_350), arm_of(1_000, 570))
    assert more.first_line is FirstLine.MORE_PAY
    assert more.lift == pytest.approx(0.08)
    assert more.interval is not None
    assert 0 < more.interval.low < 0.08 < more.interval.high
    fewer = lift(arm_of(19_000, 10_450), arm_of(1_000, 630))
    assert fewer.first_line is FirstLine.FEWER_PAY


def test_a_trial_that_was_large_enough_and_found_nothing_says_so() -> None:
    estimate = lift(arm_of(285_000, 171_000), arm_of(15_000, 9_000))
    assert estimate.first_line is FirstLine.NO_DIFFERENCE_FOUND
    assert estimate.needs_weeks == 0
    smaller = lift(arm_of(19_000, 11_400), arm_of(1_000, 600))
    assert smaller.first_line is FirstLine.TOO_FEW


def test_a_daily_interval_is_wider_than_that_of_the_planned_end() -> None:
    estimate = lift(arm_of(19_000, 11_970), arm_of(1_000, 602))
    assert estimate.interval is not None
    assert estimate.at_the_end is not None
    assert estimate.interval.low < estimate.at_the_end.low < estimate.at_the_end.high < estimate.interval.high


def test_several_rungs_of_a_customer_make_an_interval_by_customer() -> None:
    """The same customers, each counted twice, know no more than before."""
    once = lift(arm_of(1_900, 1_200), arm_of(1_000, 600), share_of_other=0.35)
    arm = ArmSums(customers=1_900, y=2_400, k=3_800, yy=4_800, yk=4_800, kk=7_600)
    other = ArmSums(customers=1_000, y=1_200, k=2_000, yy=2_400, yk=2_400, kk=4_000)
    twice = lift(arm, other, share_of_other=0.35)
    assert once.interval is not None
    assert twice.interval is not None
    assert twice.interval == pytest.approx(once.interval, abs=2e-3)
    assert rate_by_customer(arm.clusters).error == pytest.approx(
        rate_by_customer(arm_of(1_900, 1_200).clusters).error, rel=1e-3
    )


def test_beside_a_lift_stands_what_it_cost() -> None:
    texted = arm_of(19_000, 12_350, texts=19_000, parts=38_000, price_usd_micros=19_000 * 60_000, opt_outs=38)
    estimate = lift(texted, arm_of(1_000, 570))
    assert estimate.arm.texts_per_cure == pytest.approx(19_000 / 12_350)
    assert estimate.price_usd_micros_per_additional_cure == pytest.approx(60_000 / 0.08)
    assert estimate.interval is not None
    assert estimate.price_is_at_least == pytest.approx(60_000 / estimate.interval.high)
    assert estimate.price_is_at_most == pytest.approx(60_000 / estimate.interval.low)
    assert estimate.arm.opt_outs_per_thousand == 2
    assert estimate.other.opt_outs_per_thousand == 0


def test_the_price_of_a_cure_is_that_which_is_paid_in_addition_to_the_other_wording() -> None:
    dear = arm_of(10_000, 7_000, price_usd_micros=10_000 * 90_000)
    cheap = arm_of(10_000, 6_000, price_usd_micros=10_000 * 30_000)
    estimate = lift(dear, cheap, share_of_other=0.5)
    assert estimate.price_usd_micros_per_additional_cure == pytest.approx(60_000 / 0.1)


def test_one_rung_each_is_compared_as_proportions_and_several_by_customer() -> None:
    single, several = arm_of(500, 300), ArmSums(customers=500, y=600, k=1_000, yy=1_200, yk=1_200, kk=2_000)
    other = arm_of(400, 210)
    assert lift(single, other).at_the_end == newcombe(300, 500, 210, 400)
    for first, second in ((several, other), (other, several)):
        estimates = (rate_by_customer(first.clusters), rate_by_customer(second.clusters))
        assert lift(first, second).at_the_end == normal_interval(difference_of(*estimates))


def test_customers_with_one_rung_each_are_worth_themselves() -> None:
    arm, other = arm_of(1_500, 900), arm_of(500, 300)
    ours, theirs = rate_by_customer(arm.clusters), rate_by_customer(other.clusters)
    assert customers_worth(ours, theirs, difference_of(ours, theirs), 0.25) == pytest.approx(2_000, rel=0.01)


def test_the_customers_of_both_arms_count_and_both_arms_have_to_have_enough() -> None:
    half = lift(arm_of(30_000, 18_000), arm_of(30_000, 18_000), share_of_other=0.5)
    assert half.needs_customers == customers_needed(18_001 / 30_002, 0.02, 0.5, looked_at_daily=True)
    assert half.needs_customers < 60_000
    assert half.first_line is FirstLine.NO_DIFFERENCE_FOUND
    lopsided = lift(arm_of(300_000, 180_000), arm_of(99, 60))
    assert lopsided.first_line is FirstLine.TOO_FEW
    assert lopsided.interval is None


def test_without_more_cures_an_additional_cure_has_no_price() -> None:
    texted = arm_of(19_000, 11_000, price_usd_micros=19_000 * 60_000)
    estimate = lift(texted, arm_of(1_000, 600))
    assert estimate.price_usd_micros_per_additional_cure is None
    assert estimate.price_is_at_most is None


def test_nobody_in_an_arm_is_no_lift_and_no_error() -> None:
    estimate = lift(arm_of(100, 60), ArmSums())
    assert (estimate.lift, estimate.needs_customers, estimate.needs_weeks) == (None, None, None)
    assert estimate.first_line is FirstLine.TOO_FEW
    assert summary_of(ArmSums()).cure_rate is None


def test_rates_of_side_effects_have_their_own_denominators() -> None:
    summary = summary_of(arm_of(200, 100, promises=20, broken_promises=5, next_known=50, next_late=10, paid_in_part=4))
    assert summary.broken_promise_rate == 0.25
    assert summary.next_late_rate == 0.2
    assert summary.paid_in_part_rate == 0.02
    assert summary.promises_per_thousand == 100


def test_a_base_rate_near_1_still_gives_a_number_of_customers() -> None:
    estimate = lift(arm_of(5_000, 5_000), arm_of(500, 500))
    assert estimate.needs_customers is not None
    assert estimate.first_line is FirstLine.TOO_FEW
