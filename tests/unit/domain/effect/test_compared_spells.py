"""Compared spells: of a holdout each instalment counts once, from the first stage on; each effect counts once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from dunning.domain.effect.compared_spells import compared_spells
from dunning.domain.effect.comparing import comparisons_of
from dunning.domain.effect.draws import SILENCE, TEXTED, Draw, Layer
from dunning.domain.effect.settling import Asked, OutcomeState, SideEffects, Spell, SpellOutcome
from dunning.domain.effect.sums import SettledSpell, SumKey, sums_of
from tests.support.arms import BEGINS, a_holdout, a_trial
from tests.support.trial_nights import at_ten

HOLDOUT = replace(a_holdout(0.2), trial_id="quiet", stages=frozenset({-3, 3, 7}))
TONE = a_trial(Layer.TEXT, (("usual", 0.5), ("kind", 0.5)), trial_id="tone")
FIRST = BEGINS + timedelta(weeks=1)
UNPAID = SpellOutcome(state=OutcomeState.SETTLED)
PAID = replace(UNPAID, cured=True)
OPTED_OUT = replace(UNPAID, side_effects=SideEffects(opted_out=True))


def a_spell(
    after: int = 0,
    numbers: Sequence[int] = (1,),
    *,
    arm: str = TEXTED,
    stage: int = -3,
    customer_id: str = "C1",
    segment: str = "new",
    tone: str = "",
) -> Spell:
    on = FIRST + timedelta(days=after)
    draw = Draw(Layer.HOLDOUT, "quiet", arm, 0.8 if arm == TEXTED else 0.2)
    if tone:
        draw = Draw(Layer.TEXT, "tone", tone, 0.5)
    return Spell(
        customer_id=customer_id,
        send_id=f"{customer_id}-{on}",
        draws=(draw,),
        drawn_at=at_ten(on),
        drawn_on=on,
        stage=stage,
        goal_days=14,
        asked=tuple(Asked("A1", number, 1_000) for number in numbers),
        payer_segment=segment,
        place="TW",
        channel="none" if arm == SILENCE else "sms",
        parts=0 if arm == SILENCE else 2,
        price_usd_micros=0 if arm == SILENCE else 70_000,
    )


def test_of_a_holdout_an_instalment_counts_once_from_its_first_stage_on_with_all_texts_of_its_days() -> None:
    book = [SettledSpell(a_spell(after, stage=stage), PAID if after > 0 else UNPAID)
            for after, stage in ((0, -3), (6, 3), (10, 7))]  # fmt: skip
    (first,) = compared_spells(HOLDOUT, reversed(book))
    assert (first.spell.stage, first.outcome.cured) == (-3, False)
    assert (first.spell.parts, first.spell.price_usd_micros) == (6, 210_000)
    (sums,) = [each for key, each in sums_of([first]).items() if key == SumKey("quiet", TEXTED)]
    assert (sums.customers, sums.k, sums.texts, sums.parts) == (1, 1, 3, 6)


def test_a_text_after_the_last_day_of_an_instalment_is_not_its_text() -> None:
    book = [SettledSpell(a_spell(after), UNPAID) for after in (0, 14, 15)]
    (first,) = compared_spells(HOLDOUT, book)
    assert (first.spell.parts, first.spell.further_texts) == (4, 1)


def test_the_next_instalment_counts_by_itself_and_in_a_new_epoch_the_same_one_again() -> None:
    book = [SettledSpell(a_spell(after, numbers), UNPAID)
            for after, numbers in ((0, (1,)), (6, (1,)), (30, (2,)), (200, (1,)))]  # fmt: skip
    compared = compared_spells(HOLDOUT, book)
    assert [(each.spell.drawn_on - FIRST).days for each in compared] == [0, 30, 200]


def test_the_segment_of_a_holdout_is_that_of_before_the_first_silence() -> None:
    book = [SettledSpell(a_spell(0, (1,), segment="punctual"), PAID),
            SettledSpell(a_spell(30, (2,), segment="often_late"), PAID)]  # fmt: skip
    assert [each.spell.payer_segment for each in compared_spells(HOLDOUT, book)] == ["punctual", "punctual"]


def test_each_draw_that_is_made_anew_counts_with_the_segment_of_its_own_time() -> None:
    book = [SettledSpell(a_spell(after, tone="kind", segment=f"s{after}"), UNPAID) for after in (0, 6, 10)]
    assert compared_spells(TONE, book) == book


def test_an_opt_out_counts_once_after_the_last_text_before_it() -> None:
    book = [SettledSpell(a_spell(after, tone=tone), OPTED_OUT) for after, tone in ((0, "kind"), (6, "usual"))]
    sums = sums_of(compared_spells(TONE, [*book, SettledSpell(a_spell(40, tone="kind"), OPTED_OUT)]))
    assert sums[SumKey("tone", "kind")].opt_outs == 1
    assert sums[SumKey("tone", "usual")].opt_outs == 1


def test_what_is_told_of_one_customer_changes_nothing_of_another() -> None:
    book = [SettledSpell(a_spell(after, tone="kind", customer_id=each), OPTED_OUT)
            for each in ("C1", "C2") for after in (0, 6)]  # fmt: skip
    assert [any(each.outcome.side_effects) for each in compared_spells(TONE, book)] == [False, True, False, True]


@pytest.mark.parametrize("moved", [0.0, 0.3])
def test_whom_the_first_text_has_moved_makes_no_later_stage_look_harmful(moved: float) -> None:
    """Half pay anyway at some time; of the others a text before the due day moves some to pay at once."""
    chance, book = Random(7), []
    for number in range(4_000):
        arm = SILENCE if chance.random() < 0.2 else TEXTED
        pays_on = chance.choice([1, 8, 12, 20]) if chance.random() < 0.5 else 99
        is_moved = chance.random() < moved and arm == TEXTED
        for after, stage in ((0, -3), (6, 3), (10, 7)):
            if not (is_moved and after) and pays_on > after:
                paid = is_moved or pays_on <= after + 14
                spell = a_spell(after, arm=arm, stage=stage, customer_id=f"C{number}")
                book.append(SettledSpell(spell, PAID if paid else UNPAID))
    comparisons = comparisons_of(HOLDOUT, sums_of(compared_spells(HOLDOUT, book)), date(2026, 12, 1))
    whole, *by_stage = [each for each in comparisons if each.payer_segment is None and each.place is None]
    assert whole.estimate.lift == pytest.approx(moved * 0.625, abs=0.04)
    assert [each.stage for each in by_stage] == [-3]
