"""Signs: each fault that is planted in a trial is seen by its own rule, and a sound trial shows none."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import pytest

from dunning.domain.effect.drawn_rungs import DrawnRung
from dunning.domain.effect.draws import SILENCE, TEXTED, Arm, Draw, Layer, draw_holdout, draw_learned_arm, unit_draw
from dunning.domain.effect.settling import Asked, OutcomeState, SideEffects, Spell, SpellOutcome
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_counts import TrialCounts, counts_of
from dunning.domain.effect.trial_results import TrialSign
from dunning.domain.effect.trial_signs import (
    harm_signs,
    held_out_spans,
    leaks_of_holdout,
    loss_signs,
    moving_share_signs,
    pre_trend_signs,
    record_signs,
    sample_ratio_signs,
    signs_of_trial,
)
from dunning.domain.effect.trials import Trial
from tests.support.arms import BEGINS, a_holdout, a_trial
from tests.support.trial_nights import TAIPEI, a_rung, at_ten, days_after

HOLDOUT = replace(a_holdout(0.2), trial_id="quiet")
TONE = a_trial(Layer.TEXT, (("usual", 0.4), ("kind", 0.4), ("short", 0.2)), trial_id="tone")
LEARNED = replace(
    a_trial(Layer.HOUR, (("10", 0.25), ("13", 0.25), ("17", 0.25), ("19", 0.25)), trial_id="hour"), is_learned=True
)
MONDAY = date(2026, 12, 7)
SETTLED = SpellOutcome(state=OutcomeState.SETTLED)
LOST = SpellOutcome(state=OutcomeState.LOST)


def a_spell(customer_id: str, draw: Draw, on: date = MONDAY, **changes: object) -> Spell:
    spell = Spell(
        customer_id=customer_id,
        send_id=f"{customer_id}-{on}-{draw.arm}",
        draws=(draw,),
        drawn_at=at_ten(on),
        drawn_on=on,
        stage=0,
        goal_days=14,
        asked=(Asked("A1", 1, 100),),
        payer_segment="new",
        place="TW",
        channel="sms",
        parts=1,
    )
    return replace(spell, **changes)  # type: ignore[arg-type]


def held_out_or_texted(customer_id: str) -> Draw:
    return draw_holdout("quiet", HOLDOUT.salt, 0.2, customer_id, 0)


def sound_holdout(number: int = 3_000, *, days: int = 40) -> list[SettledSpell]:
    """
    Draw customers who have three rungs each; those with texts pay more often, and then have no further rung.

    Whoever is held out has more rungs at later stages, which is the effect and no fault.
    """
    chance = random.Random(5)
    book = []
    for index in range(number):
        draw = held_out_or_texted(f"C{index}")
        first = days_after(BEGINS, chance.randrange(days))
        segment = chance.choice(("new", "late"))
        for place, stage in enumerate((0, 3, 7)):
            spell = a_spell(f"C{index}", draw, days_after(first, 3 * place), stage=stage, payer_segment=segment)
            book.append(SettledSpell(spell, SETTLED))
            if chance.random() < (0.6 if draw.arm == TEXTED else 0.3):
                break
    return book


def texts(number: int = 3_000, arms: Sequence[Arm] = TONE.arms) -> list[SettledSpell]:
    chance = random.Random(7)
    names, shares = [arm.name for arm in arms], [arm.share for arm in arms]
    book = []
    for index in range(number):
        (arm,) = chance.choices(range(len(names)), shares)
        draw = Draw(Layer.TEXT, "tone", names[arm], shares[arm])
        spell = a_spell(f"C{index}", draw, days_after(MONDAY, index % 21), payer_segment=chance.choice("ab"))
        book.append(SettledSpell(spell, SETTLED))
    return book


def hours(number: int = 4_000, *, is_late: bool = False) -> list[SettledSpell]:
    """Draw with weights that move each week; a late rung has the weights of the week before."""
    weeks = [
        [Arm("10", 0.25), Arm("13", 0.25), Arm("17", 0.25), Arm("19", 0.25)],
        [Arm("10", 0.40), Arm("13", 0.20), Arm("17", 0.22), Arm("19", 0.18)],
        [Arm("10", 0.55), Arm("13", 0.15), Arm("17", 0.17), Arm("19", 0.13)],
    ]
    book = []
    for index in range(number):
        week = index % 3
        delayed = is_late and week and index % 9 < 2
        draw = draw_learned_arm(
            Layer.HOUR, "hour", unit_draw("salt", "hour", 0, f"C{index}"), weeks[week - bool(delayed)]
        )
        book.append(SettledSpell(a_spell(f"C{index}", draw, days_after(MONDAY, 7 * week)), SETTLED))
    return book


def seen(signs: Sequence[object]) -> set[TrialSign]:
    return {sign.sign for sign in signs}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("trial", "book"),
    [(HOLDOUT, sound_holdout), (TONE, texts), (LEARNED, hours), (LEARNED, lambda: hours(is_late=True))],
    ids=["holdout with an effect", "texts", "moving shares", "late rungs"],
)
def test_a_sound_trial_shows_no_sign(trial: Trial, book: Callable[[], list[SettledSpell]]) -> None:
    assert signs_of_trial(trial, counts_of(trial, book())) == ()


def test_counts_of_parts_add_up_to_those_of_the_whole() -> None:
    for trial, book in ((HOLDOUT, sound_holdout(300)), (TONE, texts(300)), (LEARNED, hours(300))):
        total = TrialCounts()
        for part in range(3):
            total.add(counts_of(trial, [each for each in book if int(each.spell.customer_id[1:]) % 3 == part]))
        assert total == counts_of(trial, book)


def test_held_out_customers_who_were_dropped_are_seen_in_the_sample_ratio() -> None:
    book = [
        each
        for each in sound_holdout(6_000)
        if each.spell.draws[0].arm == TEXTED or random.Random(each.spell.customer_id).random() > 0.2
    ]
    assert seen(sample_ratio_signs(HOLDOUT, counts_of(HOLDOUT, book))) == {TrialSign.SAMPLE_RATIO}


def test_a_fault_at_one_stage_is_seen_there_though_the_whole_hides_it() -> None:
    book = texts(6_000)
    faulty = [
        SettledSpell(replace(each.spell, stage=30 if number % 8 == 0 else 0), each.outcome)
        for number, each in enumerate(book)
        if not (number % 8 == 0 and each.spell.draws[0].arm == "kind" and number % 3)
    ]
    signs = sample_ratio_signs(TONE, counts_of(TONE, faulty))
    assert 30 in {sign.stage for sign in signs}
    assert all(sign.p_value is not None and sign.off_by > 0 for sign in signs)


def test_a_draw_from_which_an_arm_was_left_out_is_not_judged_by_the_configured_shares() -> None:
    restricted = [
        SettledSpell(
            replace(each.spell, draws=(each.spell.draws[0]._replace(arm="usual", propensity=0.666667),)), SETTLED
        )
        for each in texts(2_000)
    ]
    assert sample_ratio_signs(TONE, counts_of(TONE, [*texts(), *restricted])) == []


def test_in_the_second_epoch_those_who_were_not_exempt_are_judged_by_its_own_share() -> None:
    epoch, begin = 1, days_after(BEGINS, 7 * 26)
    draws = {f"C{index}": draw_holdout("quiet", HOLDOUT.salt, 0.2, f"C{index}", epoch) for index in range(6_000)}
    trial = replace(HOLDOUT, ends_on=date(2027, 12, 31))
    book = [
        SettledSpell(a_spell(customer_id, draw, begin), SETTLED)
        for customer_id, draw in draws.items()
        if draw.propensity < 1
    ]
    assert sample_ratio_signs(trial, counts_of(trial, book)) == []
    fewer = [each for number, each in enumerate(book) if each.spell.draws[0].arm == TEXTED or number % 3]
    assert sample_ratio_signs(trial, counts_of(trial, fewer))


@pytest.mark.parametrize("is_late", [False, True])
def test_counts_that_do_not_fit_moving_probabilities_are_seen(is_late: bool) -> None:  # noqa: FBT001
    book = [each for number, each in enumerate(hours(is_late=is_late)) if each.spell.draws[0].arm != "10" or number % 5]
    signs = moving_share_signs(LEARNED, counts_of(LEARNED, book))
    assert "10" in {sign.arm for sign in signs}
    assert sample_ratio_signs(LEARNED, counts_of(LEARNED, book)) == []


def losing(every: int, book: list[SettledSpell], arm: str = "") -> list[SettledSpell]:
    return [
        SettledSpell(each.spell, LOST) if number % every == 0 and arm in {"", each.spell.draws[0].arm} else each
        for number, each in enumerate(book)
    ]


def test_an_arm_that_loses_more_customers_is_seen() -> None:
    signs = loss_signs(HOLDOUT, counts_of(HOLDOUT, losing(9, sound_holdout(), SILENCE)))
    assert seen(signs) == {TrialSign.LOSS}


def test_a_loss_that_is_alike_is_none_though_whoever_is_silent_has_more_rungs_to_lose() -> None:
    assert loss_signs(HOLDOUT, counts_of(HOLDOUT, losing(9, sound_holdout()))) == []


def test_a_customer_who_is_lost_with_all_rungs_is_one_loss() -> None:
    """By rung, a few customers with twenty rungs each would look like many losses."""
    silent = Draw(Layer.HOLDOUT, "quiet", SILENCE, 0.2)
    spells = [SettledSpell(a_spell("C0", silent, days_after(MONDAY, number)), LOST) for number in range(20)]
    counts = counts_of(HOLDOUT, spells)
    assert (counts.lost[SILENCE], counts.settled[SILENCE], counts.drawn[SILENCE]) == (1, 1, 20)


def test_arms_that_differed_before_the_draw_are_seen() -> None:
    book = []
    for number, each in enumerate(sound_holdout()):
        is_late = each.spell.draws[0].arm == SILENCE and number % 4 == 0
        book.append(SettledSpell(replace(each.spell, payer_segment="late" if is_late else "new"), each.outcome))
    assert seen(pre_trend_signs(HOLDOUT, counts_of(HOLDOUT, book))) == {TrialSign.PRE_TREND}
    assert pre_trend_signs(LEARNED, counts_of(LEARNED, hours())) == []


def harming(arm: str, every: int, book: list[SettledSpell]) -> list[SettledSpell]:
    opted_out = replace(SETTLED, side_effects=SideEffects(opted_out=True))
    return [
        SettledSpell(each.spell, opted_out)
        if number % (every if each.spell.draws[0].arm == arm else 100) == 0
        else each
        for number, each in enumerate(book)
    ]


def test_an_arm_that_harms_is_named_beside_the_other_arms() -> None:
    signs = harm_signs(TONE, counts_of(TONE, harming("short", 20, texts())))
    assert [(sign.sign, sign.arm) for sign in signs] == [(TrialSign.HARM, "short")]
    assert signs[0].off_by == pytest.approx(0.04, abs=0.02)
    assert harm_signs(TONE, counts_of(TONE, harming("short", 100, texts()))) == []


def test_an_opt_out_is_put_down_to_the_last_text_before_it_and_to_no_other() -> None:
    harm = SpellOutcome(state=OutcomeState.SETTLED, side_effects=SideEffects(opted_out=True))
    usual, short = (Draw(Layer.TEXT, "tone", name, share) for name, share in (("usual", 0.4), ("short", 0.2)))
    book = [
        SettledSpell(a_spell("C1", draw, days_after(MONDAY, day)), harm)
        for draw, day in ((usual, 0), (short, 6), (usual, 3), (usual, 40))
    ]
    counts = counts_of(TONE, book)
    # The text of the sixth day is the last before the first harm; the one of the fortieth has a harm of its own.
    assert (counts.harm, counts.texts) == ({"short": 1, "usual": 1}, {"short": 1, "usual": 3})


def test_where_a_learner_runs_harm_is_judged_beside_the_even_slice() -> None:
    book = harming("19", 8, hours(8_000))
    counts = counts_of(LEARNED, book)
    assert 0 < counts.even_texts < 1_000
    assert [sign.arm for sign in harm_signs(LEARNED, counts)] == ["19"]


def test_silence_is_no_text_and_harms_nobody() -> None:
    assert harm_signs(HOLDOUT, counts_of(HOLDOUT, harming(TEXTED, 3, sound_holdout()))) == []


def silent_book(customer_id: str = "C1") -> list[SettledSpell]:
    return [SettledSpell(a_spell(customer_id, Draw(Layer.HOLDOUT, "quiet", SILENCE, 0.2), MONDAY), SETTLED)]


def leaks_by(*rungs: DrawnRung, trial: Trial = HOLDOUT) -> int:
    return leaks_of_holdout(trial, silent_book(), rungs, TAIPEI)


def test_a_text_to_somebody_held_out_is_a_leak_on_any_channel() -> None:
    later = days_after(MONDAY, 20)
    assert leaks_by(a_rung("C1", later, None, stage=3)) == 1
    assert leaks_by(a_rung("C1", later, None, stage=3, channel="email")) == 1
    drawn = Draw(Layer.HOLDOUT, "quiet", TEXTED, 0.8)
    assert leaks_by(a_rung("C1", later, drawn, stage=3)) == 1, "a changed salt draws anew"


@pytest.mark.parametrize(
    "rung",
    [
        a_rung("C2", MONDAY, None, stage=3),
        a_rung("C1", days_after(MONDAY, 1), None, stage=15),
        a_rung("C1", days_after(MONDAY, -1), None, stage=3),
        a_rung("C1", days_after(MONDAY, 1), Draw(Layer.HOLDOUT, "quiet", SILENCE, 0.2), stage=3),
        a_rung("C1", days_after(MONDAY, 1), Draw(Layer.HOLDOUT, "quiet", TEXTED, 1.0), stage=3),
        a_rung("C1", days_after(MONDAY, 1), None, stage=3, place="HK"),
        a_rung("C1", date(2027, 3, 3), None, stage=3),
    ],
    ids=["somebody else", "a later stage", "before", "silence", "left to no chance", "elsewhere", "the next epoch"],
)
def test_what_breaks_no_silence_is_no_leak(rung: DrawnRung) -> None:
    assert leaks_by(rung) == 0


def test_a_late_text_that_was_drawn_in_the_epoch_before_is_no_leak() -> None:
    trial = replace(HOLDOUT, ends_on=date(2027, 12, 31))
    begin = days_after(BEGINS, 7 * 26)
    book = [SettledSpell(a_spell("C1", Draw(Layer.HOLDOUT, "quiet", SILENCE, 0.25), begin), SETTLED)]
    late = a_rung("C1", days_after(begin, 2), Draw(Layer.HOLDOUT, "quiet", TEXTED, 0.8), stage=3)
    assert leaks_of_holdout(trial, book, [late], TAIPEI) == 0
    weeks_later = a_rung("C1", days_after(begin, 20), Draw(Layer.HOLDOUT, "quiet", TEXTED, 0.75), stage=3)
    assert leaks_of_holdout(trial, book, [weeks_later], TAIPEI) == 1
    undrawn = a_rung("C1", days_after(begin, 2), None, stage=3)
    assert leaks_of_holdout(trial, book, [undrawn], TAIPEI) == 1


def test_a_text_that_came_due_before_the_trial_and_goes_late_is_no_leak() -> None:
    trial = replace(HOLDOUT, starts_on=MONDAY)
    assert leaks_by(a_rung("C1", days_after(MONDAY, 13), None, stage=3), trial=trial) == 0
    assert leaks_by(a_rung("C1", days_after(MONDAY, 14), None, stage=3), trial=trial) == 1
    against_the_lot = Draw(Layer.HOLDOUT, "quiet", TEXTED, 0.8)
    assert leaks_by(a_rung("C1", days_after(MONDAY, 13), against_the_lot, stage=3), trial=trial) == 1


def test_a_silence_lasts_from_the_first_silent_rung_to_the_end_of_the_epoch_or_the_trial() -> None:
    (span,) = held_out_spans(replace(HOLDOUT, ends_on=date(2027, 12, 31)), silent_book())
    assert (span.since, span.until) == (MONDAY, days_after(BEGINS, 7 * 26 - 1))
    (shorter,) = held_out_spans(replace(HOLDOUT, ends_on=date(2026, 12, 31)), silent_book())
    assert shorter.until == date(2026, 12, 31)
    assert held_out_spans(TONE, texts(10)) == []


def test_draws_and_records_that_lack_each_other_are_counted() -> None:
    signs = record_signs({"a", "b", "c"}, {"b"})
    assert [(sign.sign, sign.counted) for sign in signs] == [(TrialSign.DRAW_WITHOUT_RECORD, 2)]
    signs = record_signs({"a"}, {"a", "b"})
    assert [(sign.sign, sign.counted) for sign in signs] == [(TrialSign.RECORD_WITHOUT_DRAW, 1)]
    assert record_signs({"a"}, {"a"}) == []
