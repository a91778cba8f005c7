"""Steering: harm pauses an arm at once, a leak stops its trial for good, and shares move once a week."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest

from dunning.domain.effect.draws import Arm, Draw, Layer, draw_learned_arm, unit_draw
from dunning.domain.effect.learning import PublishReason
from dunning.domain.effect.settling import OutcomeState, SpellOutcome
from dunning.domain.effect.strategies import (
    EVERY_SEGMENT,
    Strategy,
    TrialWeights,
    iso_week,
    next_week,
    strategy_in_force,
)
from dunning.domain.effect.sums import SettledSpell
from dunning.domain.effect.trial_control import KEPT_STRATEGIES, TrialControl
from dunning.domain.effect.trial_results import LearnedShare, SignSeen, TrialResult, TrialSign
from dunning.domain.effect.trials import Trial
from dunning.domain.errors import UnreadableRecordError
from dunning.services.optimistic import ContestedError
from dunning.services.steer_trials import SteerService
from tests.support.fakes import FakeTrialControls
from tests.support.steered import LENDER, MONDAY, a_learned_trial, a_result, a_settled

TONE = a_learned_trial({"a": 0.4, "b": 0.3, "c": 0.3})
QUIET = a_learned_trial(
    {"text": 0.95, "silence": 0.05}, Layer.HOLDOUT, trial_id="quiet", is_learned=False, salt="another salt"
)
TRIALS = {"tone": TONE, "quiet": QUIET}
NIGHT = MONDAY + timedelta(weeks=6, days=2)
"""A Wednesday, with six weeks behind it."""
HARM_OF_B = SignSeen(TrialSign.HARM, arm="b", counted=30)
LEAK = SignSeen(TrialSign.LEAK, arm="silence", counted=1)


def spells(trial: Trial = TONE, best: str = "b", a_week: int = 150, until: date = NIGHT) -> list[SettledSpell]:
    """Return the settled rungs of the weeks before a night; the best arm cures two of three, the others one."""
    found = []
    for number in range(a_week * ((until - MONDAY).days // 7)):
        customer, day = f"C{number}", MONDAY + timedelta(weeks=number // a_week, days=number % 5)
        weighted = [Arm(arm.name, arm.share) for arm in trial.arms]
        draw = draw_learned_arm(trial.layer, trial.trial_id, unit_draw("salt", "x", 0, customer), weighted)
        cured = number % 3 < (2 if draw.arm == best else 1)
        found.append(a_settled(trial, customer, day, draw, cured=cured))
    return found


def nothing(trial: str) -> Iterable[SettledSpell]:
    del trial
    return ()


@pytest.fixture
def controls() -> FakeTrialControls:
    return FakeTrialControls()


def steer(
    controls: FakeTrialControls,
    *results: TrialResult,
    trials: Mapping[str, Trial] = TRIALS,
    settled_of: Callable[[str], Iterable[SettledSpell]] = nothing,
    night: date = NIGHT,
) -> dict[str, TrialResult]:
    steered = SteerService(controls).steer(LENDER, results, trials, settled_of, night)
    return {result.trial: result for result in steered}


class TestTheSigns:
    """What is seen by night holds from the next draw on."""

    def test_an_arm_that_does_harm_is_paused_at_once_and_the_others_are_drawn(
        self, controls: FakeTrialControls
    ) -> None:
        result = steer(controls, a_result(TONE, NIGHT, HARM_OF_B))["tone"]
        assert (result.paused, result.is_stopped) == (("b",), False)
        assert list(controls.stored_control(LENDER).arms_left(TONE)) == ["a", "c"]

    def test_it_stays_paused_when_the_sign_is_gone_and_another_arm_joins_it(self, controls: FakeTrialControls) -> None:
        steer(controls, a_result(TONE, NIGHT, HARM_OF_B))
        assert steer(controls, a_result(TONE, NIGHT + timedelta(days=1)))["tone"].paused == ("b",)
        harm_of_a = SignSeen(TrialSign.HARM, arm="a", counted=30)
        assert steer(controls, a_result(TONE, NIGHT + timedelta(days=2), harm_of_a))["tone"].paused == ("a", "b")
        assert list(controls.stored_control(LENDER).arms_left(TONE)) == ["c"]

    def test_a_trial_of_which_no_arm_would_be_left_is_stopped(self, controls: FakeTrialControls) -> None:
        signs = [SignSeen(TrialSign.HARM, arm=arm.name, counted=30) for arm in TONE.arms]
        assert steer(controls, a_result(TONE, NIGHT, *signs))["tone"].is_stopped
        assert controls.stored_control(LENDER).arms_left(TONE) == ()

    def test_a_trial_of_which_silence_alone_would_be_left_is_stopped(self, controls: FakeTrialControls) -> None:
        result = steer(controls, a_result(QUIET, NIGHT, SignSeen(TrialSign.HARM, arm="text", counted=30)))["quiet"]
        assert result.is_stopped
        assert controls.stored_control(LENDER).arms_left(QUIET) == ()

    def test_a_leak_stops_its_trial_for_good_and_no_other(self, controls: FakeTrialControls) -> None:
        steered = steer(controls, a_result(QUIET, NIGHT, LEAK), a_result(TONE, NIGHT))
        assert (steered["quiet"].is_stopped, steered["tone"].is_stopped) == (True, False)
        later = steer(controls, a_result(QUIET, NIGHT + timedelta(days=1)))
        assert later["quiet"].is_stopped

    @pytest.mark.parametrize("sign", [each for each in TrialSign if each not in {TrialSign.HARM, TrialSign.LEAK}])
    def test_other_signs_stop_nothing_and_stay_in_the_result(
        self, controls: FakeTrialControls, sign: TrialSign
    ) -> None:
        seen = SignSeen(sign, arm="b", counted=5)
        result = steer(controls, a_result(QUIET, NIGHT, seen), trials={"quiet": QUIET})["quiet"]
        assert (result.paused, result.is_stopped, result.signs) == ((), False, (seen,))
        assert controls.controls == {}, "nothing was to be told"

    def test_arms_are_paused_even_if_the_spells_cannot_be_read(self, controls: FakeTrialControls) -> None:
        def unreadable(trial: str) -> Iterable[SettledSpell]:
            raise UnreadableRecordError(trial)

        with pytest.raises(UnreadableRecordError):
            steer(controls, a_result(TONE, NIGHT, HARM_OF_B), settled_of=unreadable)
        assert controls.stored_control(LENDER).paused == {"tone": {"b"}}

    def test_a_control_that_cannot_be_read_is_not_written_over(self, controls: FakeTrialControls) -> None:
        controls.unreadable.add(LENDER)
        with pytest.raises(UnreadableRecordError):
            steer(controls, a_result(TONE, NIGHT, HARM_OF_B))
        assert controls.controls == {}


class TestTheWeek:
    """Shares move once a week, from the next week on."""

    def test_the_better_arm_gains_from_the_next_week_on(self, controls: FakeTrialControls) -> None:
        result = steer(controls, a_result(TONE, NIGHT), settled_of=lambda _: spells())["tone"]
        (strategy,) = controls.stored_control(LENDER).strategies
        assert strategy.week == next_week(NIGHT) > iso_week(NIGHT)
        weights = strategy.trials["tone"]
        assert 0.35 < weights.of("new")[1] <= 0.3 + 0.15 + 1e-6
        shares = {each.payer_segment: each for each in result.learned}
        assert shares["new"].shares["b"] == pytest.approx(0.1 / 3 + 0.9 * weights.of("new")[1], abs=1e-6)
        assert sum(shares["new"].shares.values()) == pytest.approx(1, abs=1e-5)
        assert {each.reason for each in result.learned} == {PublishReason.BETTER_OR_ALIKE}

    def test_a_night_that_runs_again_and_the_other_nights_of_the_week_publish_nothing_more(
        self, controls: FakeTrialControls
    ) -> None:
        first = steer(controls, a_result(TONE, NIGHT), settled_of=lambda _: spells())
        stored = controls.stored_control(LENDER)
        for later in range(4):  # Wednesday again, up to Saturday
            night = NIGHT + timedelta(days=later)
            again = steer(controls, a_result(TONE, night), settled_of=lambda _: spells(best="c"), night=night)
            assert again["tone"].learned == first["tone"].learned
        assert controls.stored_control(LENDER) == stored

    def test_the_next_week_goes_on_from_the_weights_in_force(self, controls: FakeTrialControls) -> None:
        moved = []
        for week in range(4):
            night = NIGHT + timedelta(weeks=week)
            steer(controls, a_result(TONE, night), settled_of=lambda _: spells(), night=night)
            newest = controls.stored_control(LENDER).strategies[-1]
            assert newest.week == next_week(night)
            moved.append(newest.trials["tone"].of("new")[1])
        assert moved == sorted(moved)
        assert moved[-1] == pytest.approx(0.8, abs=0.01)

    def test_until_enough_is_known_the_shares_of_the_trial_count_on_and_the_result_says_why(
        self, controls: FakeTrialControls
    ) -> None:
        result = steer(controls, a_result(TONE, NIGHT), settled_of=lambda _: spells(until=MONDAY + timedelta(weeks=1)))
        (strategy,) = controls.stored_control(LENDER).strategies
        assert strategy.trials == {}, "the week is decided, and nothing was learned"
        shares = {"a": 0.4, "b": 0.3, "c": 0.3}
        assert result["tone"].learned == (
            LearnedShare(next_week(NIGHT), EVERY_SEGMENT, shares, PublishReason.TOO_FEW_DRAWS.value),
        )

    def test_a_paused_arm_has_no_share_and_leaves_the_weights_with_the_next_strategy(
        self, controls: FakeTrialControls
    ) -> None:
        four = replace(TONE, arms=tuple(Arm(name, 0.25) for name in "abcd"))
        trials = {"tone": four}
        steer(controls, a_result(four, NIGHT), trials=trials, settled_of=lambda _: spells(four))
        harmed = steer(controls, a_result(four, NIGHT, HARM_OF_B), trials=trials)["tone"]
        assert all(each.shares["b"] == 0 for each in harmed.learned)
        assert all(sum(each.shares.values()) == pytest.approx(1, abs=1e-5) for each in harmed.learned)
        night = NIGHT + timedelta(weeks=1)
        steer(controls, a_result(four, night), trials=trials, settled_of=lambda _: spells(four), night=night)
        newest = controls.stored_control(LENDER).strategies[-1].trials["tone"]
        assert all(weights[1] == 0 for weights in newest.by_segment.values())

    def test_a_trial_that_is_stopped_over_not_begun_or_not_approved_learns_nothing(
        self, controls: FakeTrialControls
    ) -> None:
        asked: list[str] = []

        def settled_of(trial: str) -> Iterable[SettledSpell]:
            asked.append(trial)
            return ()

        idle = [
            replace(TONE, trial_id="over", ends_on=NIGHT),
            replace(TONE, trial_id="later", starts_on=NIGHT + timedelta(days=1)),
            replace(TONE, trial_id="off", approved_by="", approved_on=None),
            replace(TONE, trial_id="plain", is_learned=False),
            replace(TONE, trial_id="leaked"),
        ]
        trials = {trial.trial_id: trial for trial in idle}
        steer(controls, a_result(trials["leaked"], NIGHT, LEAK), trials=trials, settled_of=settled_of)
        assert asked == []
        assert controls.stored_control(LENDER).strategies == ()

    def test_the_strategies_of_nine_weeks_are_kept(self, controls: FakeTrialControls) -> None:
        for week in range(12):
            night = NIGHT + timedelta(weeks=week)
            steer(controls, a_result(TONE, night), settled_of=lambda _: spells(), night=night)
        kept = [each.week for each in controls.stored_control(LENDER).strategies]
        assert kept == [next_week(NIGHT + timedelta(weeks=week)) for week in range(3, 12)]
        assert len(kept) == KEPT_STRATEGIES

    def test_what_has_no_outcome_or_left_nothing_to_chance_is_not_learned_from(
        self, controls: FakeTrialControls
    ) -> None:
        steer(controls, a_result(TONE, NIGHT), settled_of=lambda _: spells())
        others = FakeTrialControls()
        noise = [
            a_settled(TONE, f"N{number}", NIGHT, Draw(Layer.TEXT, trial, "c", propensity), cured=True)
            for number in range(500)
            for trial, propensity in (("tone", 1.0), ("else", 0.3))
        ]
        lost = SpellOutcome(state=OutcomeState.LOST)
        noise += [each._replace(outcome=lost) for each in spells()]
        steer(others, a_result(TONE, NIGHT), settled_of=lambda _: [*noise, *spells()])
        assert others.controls == controls.controls

    def test_weights_of_a_strategy_that_knows_other_arms_are_not_gone_on_from(
        self, controls: FakeTrialControls
    ) -> None:
        strange = TrialWeights(("x", "y", "z"), {EVERY_SEGMENT: (0.1, 0.1, 0.8)})
        old = Strategy(lender=LENDER, week=iso_week(NIGHT), trials={"tone": strange})
        controls.publish(TrialControl(lender=LENDER, version=1, strategies=(old,)), expected_version=0)
        steer(controls, a_result(TONE, NIGHT), settled_of=lambda _: spells())
        assert controls.stored_control(LENDER).strategies[-1].trials["tone"].arms == ("a", "b", "c")

    def test_where_a_text_adds_less_than_it_costs_fewer_are_texted_and_the_others_stay(
        self, controls: FakeTrialControls
    ) -> None:
        quiet = a_learned_trial(
            {"usual": 0.7, "silence": 0.3},
            trial_id="texts",
            value_of_cure_usd_micros=1_000_000,
            annoyance_usd_micros=60_000,
            planned_customers=2_000,
        )

        def settled_of(trial: str) -> list[SettledSpell]:
            return [
                a_settled(
                    quiet,
                    f"{segment}-{week}-{arm}-{number}",
                    NIGHT - timedelta(weeks=week),
                    Draw(Layer.TEXT, trial, arm, share),
                    cured=number % 20 < cured_of_20,
                    segment=segment,
                )
                for week in range(4)
                for segment, arm, share, count, cured_of_20 in (
                    ("on_time", "usual", 0.7, 300, 19),
                    ("on_time", "silence", 0.3, 120, 19),
                    ("late", "usual", 0.7, 300, 12),
                    ("late", "silence", 0.3, 120, 8),
                )
                for number in range(count)
            ]

        trials = {"texts": quiet}
        result = steer(controls, a_result(quiet, NIGHT), trials=trials, settled_of=settled_of)["texts"]
        texted = {each.payer_segment: each.shares["usual"] for each in result.learned}
        assert texted == pytest.approx({EVERY_SEGMENT: 0.7, "on_time": 0.55, "late": 0.85}, abs=1e-6)
        dearer = {"texts": replace(quiet, value_of_cure_usd_micros=9_000_000)}
        result = steer(FakeTrialControls(), a_result(quiet, NIGHT), trials=dearer, settled_of=settled_of)["texts"]
        assert {each.payer_segment: each.shares["usual"] for each in result.learned}["on_time"] > 0.7

    @pytest.mark.slow(reason="six trials of a dozen segments, a thousand rungs each")
    def test_many_trials_are_split_and_all_of_them_are_in_force(self, controls: FakeTrialControls) -> None:
        names = [f"trial-number-{number}" for number in range(6)]
        arms = [f"wording-{name}" for name in "abcde"]
        wide = replace(TONE, arms=tuple(Arm(name, 0.2) for name in arms))
        trials = {name: replace(wide, trial_id=name) for name in names}

        def settled_of(trial: str) -> list[SettledSpell]:
            return [
                a_settled(
                    trials[trial],
                    f"C{week}-{segment}-{arm}-{number}",
                    NIGHT - timedelta(weeks=week),
                    Draw(Layer.TEXT, trial, arm, 0.2),
                    cured=number < (8 if arm.endswith("b") else 4),
                    segment=f"segment-{segment:02}",
                )
                for week in range(4)
                for segment in range(12)
                for arm in arms
                for number in range(10)
            ]

        steer(controls, *(a_result(trial, NIGHT) for trial in trials.values()), trials=trials, settled_of=settled_of)
        strategies = controls.stored_control(LENDER).strategies
        assert len(strategies) > 1
        in_force = strategy_in_force(strategies, NIGHT + timedelta(weeks=1))
        assert in_force is not None
        assert sorted(in_force.trials) == sorted(names)
        assert all(len(weights.by_segment) == 13 for weights in in_force.trials.values())

    @pytest.mark.slow(reason="ninety arms, each a column of the quadrature")
    def test_weights_that_fit_into_no_strategy_are_refused_and_the_shares_stay(
        self, controls: FakeTrialControls
    ) -> None:
        arms = [f"arm-{number:012}" for number in range(90)]
        wide = replace(TONE, arms=tuple(Arm(name, 1 / 90) for name in arms))

        def settled_of(trial: str) -> list[SettledSpell]:
            return [
                a_settled(
                    wide,
                    f"C{week}-{arm}-{number}",
                    NIGHT - timedelta(weeks=week),
                    Draw(Layer.TEXT, trial, arm, 1 / 90),
                    cured=number % 2 == 0,
                    segment=f"segment-{number % 12}",
                )
                for week in range(4)
                for arm in arms
                for number in range(25 + (arm == arms[0]))
            ]

        result = steer(controls, a_result(wide, NIGHT), trials={"tone": wide}, settled_of=settled_of)["tone"]
        assert {each.reason for each in result.learned} == {PublishReason.TOO_LARGE}
        (strategy,) = controls.stored_control(LENDER).strategies
        assert strategy.trials == {}


class TestTwoNightsAtOnce:
    """Somebody else may have written between read and write."""

    def test_what_another_night_has_written_is_kept(self) -> None:
        class Contested(FakeTrialControls):
            def publish(self, control: TrialControl, *, expected_version: int) -> bool:
                if not self.controls:
                    other = TrialControl(lender=LENDER, version=1, stopped=frozenset({"old"}))
                    super().publish(other, expected_version=0)
                return super().publish(control, expected_version=expected_version)

        contested = Contested()
        steer(contested, a_result(TONE, NIGHT, HARM_OF_B), trials={"tone": replace(TONE, is_learned=False)})
        stored = contested.stored_control(LENDER)
        assert stored.version == 2
        assert stored.stopped == {"old"}
        assert stored.paused == {"tone": {"b"}}

    def test_a_write_whose_answer_was_lost_is_found_and_not_made_again(self) -> None:
        class Forgetful(FakeTrialControls):
            def publish(self, control: TrialControl, *, expected_version: int) -> bool:
                super().publish(control, expected_version=expected_version)
                return False

        forgetful = Forgetful()
        result = steer(forgetful, a_result(TONE, NIGHT, HARM_OF_B), settled_of=lambda _: spells())["tone"]
        assert result.paused == ("b",)
        assert result.learned
        assert forgetful.stored_control(LENDER).version == 2, "the pause, and the week"

    def test_a_control_that_keeps_changing_is_given_up(self) -> None:
        class Busy(FakeTrialControls):
            def publish(self, control: TrialControl, *, expected_version: int) -> bool:
                del control, expected_version
                return False

        with pytest.raises(ContestedError, match=f"^the trial control of lender {LENDER} kept changing$"):
            steer(Busy(), a_result(TONE, NIGHT, HARM_OF_B))
