"""Trials: off until approved, written down before they start, never silent where a text is owed."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from dunning.domain.effect.draws import (
    LEAST_SILENT,
    LEAST_TEXTED,
    SILENCE,
    TEXTED,
    USUAL_TEXT,
    Arm,
    Draw,
    Layer,
    draw_holdout,
    learned_share,
)
from dunning.domain.effect.trials import (
    Trial,
    check_kept,
    check_trials,
    draw_in,
    expected_shares,
    is_in_force,
    weeks_left,
    within_floors,
)

OWED = {"TW": frozenset({14}), "HK": frozenset({3})}
TODAY = date(2026, 12, 15)


def a_trial(**changes: Any) -> Trial:  # noqa: ANN401 - fields
    """Describe two wordings at the due day in Taiwan, approved, from 1 December 2026 to 31 May 2027."""
    trial = Trial(
        trial_id="tone",
        layer=Layer.TEXT,
        arms=(Arm("plain", 0.5), Arm("kind", 0.5)),
        stages=frozenset({0}),
        places=frozenset({"TW"}),
        goal_days=7,
        starts_on=date(2026, 12, 1),
        ends_on=date(2027, 5, 31),
        salt="tone-salt-1",
        approved_by="manager",
        approved_on=date(2026, 11, 20),
    )
    return replace(trial, **changes)


def a_holdout(**changes: Any) -> Trial:  # noqa: ANN401 - fields
    """Describe a holdout of 5 % before and after the due day."""
    holdout = a_trial(
        trial_id="quiet",
        layer=Layer.HOLDOUT,
        arms=(Arm(TEXTED, 0.95), Arm(SILENCE, 0.05)),
        stages=frozenset({-3, 0, 3, 7}),
        salt="quiet-salt-1",
    )
    return replace(holdout, **changes)


def test_a_holdout_and_trials_of_wording_and_hour_may_run_side_by_side() -> None:
    hours = tuple(Arm(band, 0.25) for band in ("10", "12", "16", "18"))
    hour = a_trial(trial_id="hour", layer=Layer.HOUR, arms=hours, salt="hour-salt-1", is_learned=True)
    check_trials([a_holdout(), a_trial(), hour], OWED)
    check_trials([], {})


REFUSED: list[tuple[Trial, str]] = [
    (a_trial(trial_id="Tone"), r"trials.Tone.id: 'Tone' cannot stand in a record; use 1 to 16 of a-z"),
    (a_trial(trial_id=""), r"trials.\?.id: "),
    (a_trial(arms=(Arm("a.b", 0.5), Arm("b", 0.5))), "trials.tone.arms: 'a.b' cannot stand in a record"),
    (a_trial(arms=(Arm("a", 0.5), Arm("a", 0.5))), "trials.tone.arms: a name stands twice"),
    (a_holdout(arms=(Arm("a", 0.5), Arm("b", 0.5))), "trials.quiet.arms: a holdout compares a text with silence"),
    (a_trial(salt="short"), "trials.tone.salt: it is too short or contains #"),
    (a_trial(salt="long#enough"), "trials.tone.salt: it is too short or contains #"),
    (a_trial(approved_on=None), "trials.tone.approved_by: an approval needs a person and a day"),
    (a_trial(approved_by=""), "trials.tone.approved_by: an approval needs a person and a day"),
    (a_trial(arms=(Arm("a", 1.0),)), "trials.tone.arms: one arm is no comparison"),
    (a_trial(arms=(Arm("a", 0.5), Arm("b", 0.4))), "trials.tone.arms: the shares sum to 0.9; make them sum to 1"),
    (a_trial(arms=(Arm("a", 0.995), Arm("b", 0.005))), "trials.tone.arms: an arm has a share below 0.01"),
    (a_trial(arms=(Arm("a", float("nan")), Arm("b", 0.5))), "trials.tone.arms: an arm has a share below 0.01"),
    (a_holdout(arms=(Arm(TEXTED, 0.4), Arm(SILENCE, 0.6))), "trials.quiet.arms: silence has a share above 0.5"),
    (a_trial(is_learned=True), "trials.tone.learned: a learner needs three arms"),
    (a_trial(ends_on=date(2026, 11, 30)), "trials.tone.ends_on: it is before starts_on"),
    (a_trial(ends_on=date(9999, 12, 31)), "trials.tone.ends_on: the trial is too long; end it within 1092 days"),
    (a_trial(planned_customers=10**400), "trials.tone.planned_customers: nobody has so many; plan with 100000000"),
    (a_trial(approved_on=date(2026, 12, 2)), "trials.tone.approved_on: it is after starts_on"),
    (a_trial(goal_days=0), "trials.tone.goal_days: 0 days; choose 1 to 60"),
    (a_trial(goal_days=61), "trials.tone.goal_days: 61 days; choose 1 to 60"),
    (a_trial(planned_customers=0), "trials.tone.planned_customers: 0; plan with one customer or more"),
    (a_trial(stages=frozenset()), "trials.tone.stages: none is named"),
    (a_trial(places=frozenset()), "trials.tone.places: none is named"),
    (a_holdout(stages=frozenset({0, 14})), "trials.quiet.stages: stage 14 comes too late to be silent"),
    (a_holdout(places=frozenset({"HK"})), "trials.quiet.stages: the text of stage 3 is owed to customers in HK"),
    (a_holdout(places=frozenset({"TW", "SG"})), "trials.quiet.places: nothing is known of the texts that are owed"),
    (
        a_holdout(arms=(Arm(TEXTED, 0.5), Arm(SILENCE, 0.5)), stages=frozenset({14})),
        "trials.quiet.stages: stage 14 comes too late to be silent",
    ),
]  # fmt: skip


def silent(share: float = 0.5, **changes: Any) -> Trial:  # noqa: ANN401 - fields
    """Describe a trial that leaves out texts at the due day, rung by rung."""
    return a_trial(arms=(Arm(USUAL_TEXT, 1 - share), Arm(SILENCE, share)), **changes)


WORTH = {"is_learned": True, "value_of_cure_usd_micros": 2_000_000}

REFUSED += [
    (
        a_trial(arms=(Arm("kind", 0.5), Arm(SILENCE, 0.5))),
        "trials.tone.arms: silence is compared with the usual text alone; name the arms usual and silence in",
    ),
    (
        a_trial(arms=(Arm(USUAL_TEXT, 0.5), Arm("kind", 0.3), Arm(SILENCE, 0.2))),
        "trials.tone.arms: silence is compared with the usual text alone",
    ),
    (silent(layer=Layer.HOUR), "trials.tone.arms: silence is compared with the usual text alone"),
    (
        silent(stages=frozenset({0, 1})),
        "trials.tone.stages: at stage 1 silence is drawn for the person only; name stages up to 0, or use a holdout",
    ),
    (silent(0.91), "trials.tone.arms: silence has a share of 0.91; choose one from 0 to 0.9"),
    (silent(0.04, **WORTH), "trials.tone.arms: silence has a share of 0.04; choose one from 0.05 to 0.9"),
    (silent(places=frozenset({"SG"})), "trials.tone.places: nothing is known of the texts that are owed in SG"),
    (
        silent(is_learned=True),
        "trials.tone.value_of_cure: nobody knows when a text is worth its price; say what one is worth to you",
    ),
    (
        silent(value_of_cure_usd_micros=1),
        "trials.tone.value_of_cure: this trial weighs nothing; take it out, or learn the share of silence",
    ),
    (a_trial(annoyance_usd_micros=1), "trials.tone.annoyance: this trial weighs nothing; take it out, or learn"),
    (
        a_holdout(segments=frozenset({"reliable"})),
        "trials.quiet.segments: a holdout lasts an epoch, and a payer segment does not; leave it out, or give",
    ),
]


@pytest.mark.parametrize(("trial", "fault"), REFUSED, ids=[fault for _, fault in REFUSED])
def test_a_trial_that_breaks_a_rule_is_refused_by_field_and_fix(trial: Trial, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^{fault}") as refused:
        check_trials([trial], OWED)
    assert str(refused.value).partition("; ")[2], "the fix is said"


def test_a_holdout_that_learns_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"trials.quiet.learned: a holdout is drawn for the person, and its share stays; "
    ):
        check_trials([a_holdout(is_learned=True)], OWED)


def test_a_wording_may_be_tried_where_a_text_is_owed_because_none_is_left_out() -> None:
    check_trials([a_trial(stages=frozenset({14})), a_holdout()], OWED)
    check_trials([a_trial(stages=frozenset({3}), places=frozenset({"HK", "SG"}))], OWED)


def test_the_shortest_salt_and_the_shortest_and_longest_goal_are_allowed() -> None:
    for allowed in ({"salt": "12345678"}, {"goal_days": 1}, {"goal_days": 60}):
        check_trials([a_trial(**allowed)], OWED)
    with pytest.raises(ValueError, match=r"trials.tone.salt: it is too short"):
        check_trials([a_trial(salt="1234567")], OWED)


def test_a_trial_may_last_three_years_and_no_day_longer() -> None:
    first = a_trial().starts_on
    check_trials([a_trial(ends_on=first + timedelta(days=1091))], OWED)
    with pytest.raises(ValueError, match=r"trials.tone.ends_on: the trial is too long"):
        check_trials([a_trial(ends_on=first + timedelta(days=1092))], OWED)


def test_texts_up_to_the_due_date_may_be_left_out_rung_by_rung_but_never_all_of_them() -> None:
    for allowed in (silent(0.9), silent(0.01), silent(0.05, **WORTH), silent(0.9, **WORTH)):
        check_trials([replace(allowed, stages=frozenset({-3, 0}))], OWED)
    with pytest.raises(ValueError, match=r"trials.tone.stages: the text of stage 0 is owed to customers in TW"):
        check_trials([silent()], {"TW": {0}})


def test_two_trials_of_a_layer_may_act_at_a_rung_for_different_payer_segments() -> None:
    other = a_trial(trial_id="b", salt="another-salt", segments=frozenset({"new"}))
    check_trials([a_trial(segments=frozenset({"reliable", "unknown"})), other], OWED)
    for meeting in (a_trial(), a_trial(segments=frozenset({"reliable", "new"}))):
        with pytest.raises(ValueError, match=r"trials.b.stages: trial tone of the same layer acts there as well"):
            check_trials([meeting, other], OWED)


def test_a_learners_weights_leave_enough_texted_where_an_arm_is_silent() -> None:
    weights = (Arm(USUAL_TEXT, 0.0), Arm(SILENCE, 1.0))
    usual, silence = within_floors(silent(), weights)
    assert learned_share(usual.share, 2) == pytest.approx(LEAST_TEXTED)
    assert usual.share + silence.share == pytest.approx(1)
    none_silent = within_floors(silent(), (Arm(USUAL_TEXT, 1.0), Arm(SILENCE, 0.0)))
    assert learned_share(none_silent[1].share, 2) == pytest.approx(LEAST_SILENT)
    words = (Arm("plain", 1.0), Arm("kind", 0.0))
    assert within_floors(a_trial(), words) == words


def test_two_trials_with_one_id_or_one_salt_are_refused() -> None:
    with pytest.raises(ValueError, match=r"trials.tone.id: it stands twice"):
        check_trials([a_trial(), a_trial(salt="another-salt", places=frozenset({"HK"}))], OWED)
    with pytest.raises(ValueError, match=r"trials.b.salt: trial tone has the same; give each trial a salt of its own"):
        check_trials([a_trial(), a_trial(trial_id="b", places=frozenset({"HK"}))], OWED)


def test_two_trials_of_a_layer_never_meet_at_a_rung() -> None:
    other = a_trial(trial_id="b", salt="another-salt")
    fault = r"trials.b.stages: trial tone of the same layer acts there as well; let them differ in stages, places, seg"
    for meeting in (other, replace(other, stages=frozenset({0, 3})), replace(other, starts_on=date(2027, 5, 31))):
        longer = replace(meeting, ends_on=date(2027, 9, 1))
        with pytest.raises(ValueError, match=fault):
            check_trials([a_trial(), longer], OWED)
    for apart in (
        replace(other, stages=frozenset({3})),
        replace(other, places=frozenset({"HK"})),
        replace(other, starts_on=date(2027, 6, 1), ends_on=date(2027, 9, 1)),
        replace(other, layer=Layer.HOUR),
    ):
        check_trials([a_trial(), apart], OWED)


def test_a_holdout_does_not_begin_while_another_trial_runs_at_its_rungs() -> None:
    late = a_holdout(starts_on=date(2026, 12, 2), ends_on=date(2027, 12, 1))
    fault = (
        r"trials.quiet.starts_on: trial tone is running then; start it with that trial or before, or after 2027-05-31"
    )
    with pytest.raises(ValueError, match=fault):
        check_trials([a_trial(), late], OWED)
    check_trials([a_trial(), a_holdout(starts_on=date(2026, 12, 1))], OWED)
    check_trials([a_trial(), replace(late, starts_on=date(2027, 6, 1))], OWED)
    check_trials([a_trial(), replace(late, stages=frozenset({3}))], OWED)


def test_a_trial_of_wordings_may_begin_while_a_trial_of_hours_or_a_holdout_runs() -> None:
    hours = a_trial(trial_id="hour", layer=Layer.HOUR, salt="hour-salt-1")
    check_trials([hours, a_holdout(), a_trial(starts_on=date(2027, 1, 1), ends_on=date(2027, 9, 1))], OWED)


def test_a_running_trial_may_end_early_or_be_turned_off_and_nothing_else() -> None:
    trial = a_trial()
    check_kept([trial], [replace(trial, ends_on=date(2027, 1, 31))], TODAY)
    check_kept([trial], [replace(trial, approved_by="", approved_on=None)], TODAY)
    check_kept([trial], [], TODAY)
    for field, change in (
        ("arms", {"arms": (Arm("plain", 0.6), Arm("kind", 0.4))}),
        ("salt", {"salt": "another-salt"}),
        ("goal_days", {"goal_days": 14}),
        ("places", {"places": frozenset({"TW", "HK"})}),
        ("planned_customers", {"planned_customers": 100}),
        ("segments", {"segments": frozenset({"reliable"})}),
        ("learned", {"is_learned": True}),
        ("value_of_cure", {"value_of_cure_usd_micros": 1}),
        ("annoyance", {"annoyance_usd_micros": 1}),
    ):
        with pytest.raises(ValueError, match=f"^trials.tone.{field}: the trial is running; end it, and begin another"):
            check_kept([trial], [a_trial(**change)], TODAY)
    with pytest.raises(ValueError, match=r"^trials.tone.ends_on: a planned end was put off"):
        check_kept([trial], [replace(trial, ends_on=date(2027, 6, 30))], TODAY)


def test_a_trial_that_has_not_begun_or_has_ended_may_be_changed() -> None:
    changed = a_trial(goal_days=14)
    for running in (date(2026, 12, 1), date(2027, 5, 31)):
        with pytest.raises(ValueError, match=r"^trials.tone.goal_days: the trial is running"):
            check_kept([a_trial()], [changed], running)
    check_kept([a_trial()], [changed], date(2026, 11, 30))
    check_kept([a_trial()], [changed], date(2027, 6, 1))
    check_kept([a_trial(approved_by="", approved_on=None)], [changed], TODAY)


def test_a_trial_acts_only_if_it_is_approved_and_within_its_dates_stages_and_places() -> None:
    trial = a_trial()
    assert is_in_force(trial, 0, "TW", date(2026, 12, 1))
    assert is_in_force(trial, 0, "TW", date(2027, 5, 31))
    assert not is_in_force(trial, 0, "TW", date(2026, 11, 30))
    assert not is_in_force(trial, 0, "TW", date(2027, 6, 1))
    assert not is_in_force(trial, 3, "TW", TODAY)
    assert not is_in_force(trial, 0, "HK", TODAY)
    assert not is_in_force(replace(trial, approved_by=""), 0, "TW", TODAY)
    assert not is_in_force(replace(trial, approved_on=None), 0, "TW", TODAY)


def drawn(trial: Trial, customer_id: str = "C1", **changes: Any) -> Draw | None:  # noqa: ANN401 - arguments
    arguments: dict[str, Any] = {"instalment": "A1#1", "stage": 0} | changes
    return draw_in(trial, customer_id, TODAY, **arguments)


def test_a_wording_is_drawn_for_each_rung() -> None:
    people = [f"C{number}" for number in range(400)]
    wordings = [[drawn(a_trial(), person, instalment=f"A1#{n}") for n in (1, 2)] for person in people]
    assert any(first != second for first, second in wordings)


def test_only_lawful_arms_are_drawn_and_their_probabilities_say_so() -> None:
    assert drawn(a_trial(), allowed={"kind"}) == Draw(Layer.TEXT, "tone", "kind", 1.0)
    assert drawn(a_trial(), allowed=set()) is None


def test_a_learners_weights_take_the_place_of_the_shares() -> None:
    weights = (Arm("plain", 0.9), Arm("kind", 0.1))
    draws = [drawn(a_trial(), f"C{n}", weights=weights) for n in range(2000)]
    assert {(draw.arm, draw.propensity) for draw in draws if draw} == {("plain", 0.86), ("kind", 0.14)}
    assert any(draw.is_uniform for draw in draws if draw)


def test_counts_are_judged_by_the_shares_of_those_who_were_drawn() -> None:
    assert expected_shares(a_trial(), 3) == a_trial().arms
    assert expected_shares(a_holdout(), 0) == a_holdout().arms
    texted, silent = expected_shares(a_holdout(), 1)
    assert (texted.name, silent.name) == (TEXTED, SILENCE)
    assert silent.share == pytest.approx(0.05 / 0.95)
    drawn = [draw_holdout("quiet", a_holdout().salt, 0.05, f"C{n}", 0) for n in range(500)]
    assert {draw.propensity for draw in drawn} == {arm.share for arm in expected_shares(a_holdout(), 0)}


def test_weeks_left_count_to_the_planned_end() -> None:
    trial = a_trial()
    assert weeks_left(trial, trial.ends_on) == 1
    assert weeks_left(trial, trial.ends_on - timedelta(days=7)) == 2
    assert weeks_left(trial, trial.ends_on + timedelta(days=1)) == 0
