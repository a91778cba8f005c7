"""Draws: the same customer and rung has the same arm, shares are kept, and a record says what was drawn."""

from datetime import date
from itertools import pairwise

import pytest

from dunning.domain.effect.draws import (
    SILENCE,
    TEXTED,
    Arm,
    Draw,
    Layer,
    arm_at,
    draw_arm,
    draw_holdout,
    draw_learned_arm,
    draws_from_text,
    draws_to_text,
    epoch_begins,
    epoch_of,
    holdout_threshold,
    is_held_out,
    is_name,
    restricted_to,
    unit_draw,
)

SALT = "q4-2026-x7"
CUSTOMERS = [f"C{number:06}" for number in range(20_000)]
STARTED = date(2026, 12, 1)


def test_a_draw_is_the_same_on_every_machine() -> None:
    """The first half of what `sha256sum` prints. A change would draw all running trials anew."""
    of_text, of_person = 0x368F4961EFC417C3, 0x9726C86817D01D8C
    assert unit_draw(SALT, "text", 0, "C1", "A1#1", 3) == (of_text >> 11) / 2**53
    assert unit_draw(SALT, "holdout", 0, "C1") == (of_person >> 11) / 2**53


def test_customer_instalment_stage_epoch_layer_and_salt_each_bring_another_draw() -> None:
    draws = [
        unit_draw(SALT, "text", 0, "C1", "A1#1", 3),
        unit_draw(SALT, "text", 0, "C2", "A1#1", 3),
        unit_draw(SALT, "text", 0, "C1", "A1#2", 3),
        unit_draw(SALT, "text", 0, "C1", "A1#1", 7),
        unit_draw(SALT, "text", 1, "C1", "A1#1", 3),
        unit_draw(SALT, "hour", 0, "C1", "A1#1", 3),
        unit_draw("another-salt", "text", 0, "C1", "A1#1", 3),
    ]
    assert len(set(draws)) == len(draws)


def test_an_epoch_lasts_26_weeks_from_the_first_day_of_the_trial() -> None:
    assert epoch_of(STARTED, STARTED) == 0
    assert epoch_of(date(2027, 5, 31), STARTED) == 0
    assert epoch_of(date(2027, 6, 1), STARTED) == 1
    assert epoch_begins(1, STARTED) == date(2027, 6, 1)
    assert epoch_of(date(2026, 12, 15), STARTED, weeks=2) == 1


def test_a_day_before_the_trial_has_no_epoch() -> None:
    with pytest.raises(ValueError, match="day 2026-11-30 is before 2026-12-01, the first day of the trial"):
        epoch_of(date(2026, 11, 30), STARTED)


def test_in_every_epoch_the_configured_share_of_customers_is_held_out() -> None:
    for epoch in range(4):
        held_out = sum(is_held_out(SALT, 0.05, customer, epoch) for customer in CUSTOMERS)
        assert held_out / len(CUSTOMERS) == pytest.approx(0.05, abs=0.005)


def test_in_the_first_epoch_nobody_is_exempt() -> None:
    for customer in CUSTOMERS[:2_000]:
        assert is_held_out(SALT, 0.5, customer, 0) == (unit_draw(SALT, "holdout", 0, customer) < 0.5)


def test_nobody_is_held_out_in_two_epochs_in_a_row_and_everybody_may_be_again_later() -> None:
    held_out = [{c for c in CUSTOMERS if is_held_out(SALT, 0.2, c, epoch)} for epoch in range(4)]
    for before, after in pairwise(held_out):
        assert not before & after
    assert held_out[0] & held_out[2]


def test_who_was_held_out_is_texted_with_certainty_in_the_next_epoch() -> None:
    exempt = next(c for c in CUSTOMERS if is_held_out(SALT, 0.05, c, 0))
    assert draw_holdout("h1", SALT, 0.05, exempt, 0) == Draw(Layer.HOLDOUT, "h1", SILENCE, 0.05)
    assert draw_holdout("h1", SALT, 0.05, exempt, 1) == Draw(Layer.HOLDOUT, "h1", TEXTED, 1.0)


def test_the_probability_of_silence_is_what_happens_to_those_who_are_not_exempt() -> None:
    draws = [draw_holdout("h1", SALT, 0.2, customer, 1) for customer in CUSTOMERS]
    by_chance = [draw for draw in draws if draw.propensity < 1]
    silent = [draw for draw in by_chance if draw.arm == SILENCE]
    assert {draw.propensity for draw in silent} == {0.25}
    assert {draw.propensity for draw in by_chance if draw.arm == TEXTED} == {0.75}
    assert holdout_threshold(0.2, 1) == 0.25
    assert len(silent) / len(by_chance) == pytest.approx(0.25, abs=0.012)


def test_a_share_of_all_customers_is_held_out_in_every_other_epoch() -> None:
    """A proof forces silence with such a share; a policy may have a half at most."""
    for share in (0.5, 1.0):
        assert holdout_threshold(share, 1) == 1
    assert [is_held_out(SALT, 1.0, "C1", epoch) for epoch in range(4)] == [True, False, True, False]
    assert draw_holdout("h1", SALT, 1.0, "C1", 0) == Draw(Layer.HOLDOUT, "h1", SILENCE, 1.0)


def test_arms_lie_side_by_side_and_the_last_takes_what_rounding_leaves() -> None:
    arms = (Arm("a", 0.2), Arm("b", 0.3), Arm("c", 0.5))
    assert [arm_at(position, arms).name for position in (0, 0.1999, 0.2, 0.4999, 0.5, 0.99999999)] == list("aabbcc")
    thirds = (Arm("a", 1 / 3), Arm("b", 1 / 3), Arm("c", 0.333333))
    assert arm_at(0.9999999999, thirds).name == "c"


def test_a_draw_of_fixed_arms_has_the_share_as_its_probability() -> None:
    assert draw_arm(Layer.TEXT, "t1", 0.7, (Arm("a", 0.5), Arm("b", 0.5))) == Draw(Layer.TEXT, "t1", "b", 0.5)


def test_a_tenth_of_learned_draws_stays_even_and_the_probability_is_that_over_both_parts() -> None:
    weighted = (Arm("a", 0.8), Arm("b", 0.1), Arm("c", 0.1))
    draws = [draw_learned_arm(Layer.HOUR, "o1", step / 6000, weighted) for step in range(6000)]
    even = [draw for draw in draws if draw.is_uniform]
    assert len(even) == 600
    assert [sum(draw.arm == arm for draw in even) for arm in "abc"] == [200, 200, 200]
    assert {draw.arm: draw.propensity for draw in draws} == {"a": 0.753333, "b": 0.123333, "c": 0.123333}
    for arm, propensity in (("a", 0.753333), ("b", 0.123333)):
        assert sum(draw.arm == arm for draw in draws) / 6000 == pytest.approx(propensity, abs=0.001)


def test_an_arm_that_is_not_lawful_leaves_its_share_to_the_others() -> None:
    arms = (Arm("a", 0.5), Arm("b", 0.3), Arm("c", 0.2))
    assert restricted_to(arms, {"b", "c"}) == (Arm("b", 0.6), Arm("c", 0.4))
    assert restricted_to(arms, {"b"}) == (Arm("b", 1.0),)
    assert restricted_to(arms, set()) == ()


def test_arms_to_which_a_learner_gives_no_weight_share_alike_if_no_others_are_left() -> None:
    arms = (Arm("a", 1.0), Arm("b", 0.0), Arm("c", 0.0))
    assert restricted_to(arms, {"b", "c"}) == (Arm("b", 0.5), Arm("c", 0.5))
    assert restricted_to(arms, {"a", "c"}) == (Arm("a", 1.0), Arm("c", 0.0))


def test_a_record_says_what_was_drawn() -> None:
    text = "h:0.95;t3.b:0.31;o18:0.25"
    assert draws_from_text(text) == (
        Draw(Layer.HOLDOUT, "", TEXTED, 0.95),
        Draw(Layer.TEXT, "3", "b", 0.31),
        Draw(Layer.HOUR, "", "18", 0.25),
    )
    assert draws_to_text(draws_from_text(text)) == text
    assert draws_from_text("") == ()
    unnamed = (Draw(Layer.HOLDOUT, "", SILENCE, 0.05), Draw(Layer.TEXT, "", TEXTED, 0.5))
    assert draws_to_text(unnamed) == "hsilence:0.05;ttext:0.5"
    assert draws_from_text("hsilence:0.05;ttext:0.5") == unnamed
    named = (Draw(Layer.HOLDOUT, "q4", SILENCE, 0.052632), Draw(Layer.TEXT, "tone", "kind", 1 / 4, is_uniform=True))
    assert draws_to_text(named) == "hq4.silence:0.052632;ttone.kind:0.25u"
    assert draws_from_text(draws_to_text(named)) == named


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("t3.b", "entry 1 is not of the form"),
        ("h:0.95;", "entry 2 is not of the form"),
        ("x3.b:0.5", "entry 1 is not of the form"),
        ("t3.b:.5", "entry 1 is not of the form"),
        ("t3.B:0.5", "entry 1 is not of the form"),
        ("t3.b:0.1234567", "entry 1 is not of the form"),
        ("t3.b:0.5\n", "entry 1 is not of the form"),
        ("t:0.5", "entry 1 names no arm"),
        ("t3.:0.5", "entry 1 names no arm"),
        ("t3.b:0", "entry 1 has a probability that is not above 0"),
        ("t3.b:1.1", "entry 1 has a probability that is not above 0"),
        ("t3.b:0.50", "entry 1 is not in its shortest form; write t3.b:0.5"),
        ("htext:0.95", "entry 1 is not in its shortest form; write h:0.95"),
        ("o18:0.25;t3.b:0.5", "a layer stands twice or out of order"),
        ("t3.b:0.5;t4.b:0.5", "a layer stands twice or out of order"),
        ("h:0.95;" * 40, "a record has at most 200"),
    ],
)
def test_a_record_that_we_do_not_write_is_refused_by_its_entry(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^draws: .*{fault}"):
        draws_from_text(text)


def test_a_name_fits_into_a_record() -> None:
    assert is_name("kind_2-a")
    assert not any(is_name(name) for name in ("", "Kind", "a.b", "a;b", "x" * 17, "é"))
