"""Recovery through the service: 26 weeks of nights, some seeds, people whose cures and complaints are planted."""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise

import pytest

from dunning.domain.effect.draws import Layer
from dunning.domain.effect.learning import CAP, LARGEST_MOVE
from dunning.domain.effect.strategies import FLOOR
from dunning.domain.effect.sums import FirstLine, SettledSpell, SumKey, estimate_lift, sums_of
from tests.support.steered import SteeredLender, a_learned_trial

SEEDS, WEEKS = range(4), 26
"""With 20 seeds, which take minutes: 19 or more lead, and harm is seen in all, in 19 of them within 16 weeks."""

HOURS = ("09", "12", "18", "20")


def of_hours(seed: int, rates: Mapping[str, float], *, a_day: int, harm: Mapping[str, float]) -> SteeredLender:
    trial = a_learned_trial(dict.fromkeys(HOURS, 0.25), Layer.HOUR, trial_id="hours")
    return SteeredLender(trial=trial, seed=seed, cures={"all": rates}, a_day=a_day, harm=harm).play(WEEKS)


@pytest.mark.slow(reason="four lenders, 182 nights each")
def test_an_hour_that_is_4_points_better_leads() -> None:
    rates = {"09": 0.60, "12": 0.60, "18": 0.64, "20": 0.60}
    lenders = [of_hours(seed, rates, a_day=60, harm={}) for seed in SEEDS]
    leads = [_newest(lender, "all") for lender in lenders]
    assert sum(max(shares, key=lambda arm: shares[arm]) == "18" for shares in leads) >= len(SEEDS) - 1
    cured = [each.outcome.cured for lender in lenders for each in lender.weeks(14, WEEKS)]
    assert sum(cured) / len(cured) > 0.61 + 0.005, "more than even shares would bring"


@pytest.mark.slow(reason="four lenders, 182 nights each")
def test_without_an_effect_weights_stay_within_their_bounds_and_nothing_is_called_a_finding() -> None:
    lenders = [of_hours(seed, dict.fromkeys(HOURS, 0.6), a_day=40, harm={}) for seed in SEEDS]
    findings = 0
    for lender in lenders:
        (*_, newest) = lender.seen
        assert newest.paused == {}
        moved = [control.strategies[-1] for control in lender.seen[6::7]]
        learned = [weights for each in moved if (weights := each.trials.get("hours"))]
        for before, after in pairwise(learned):
            for share, old in zip(after.of("all"), before.of("all"), strict=True):
                assert FLOOR / 4 - 2e-6 <= share <= CAP + 2e-6
                assert abs(share - old) <= LARGEST_MOVE + 2e-6
        findings += _finds(lender, "hours")
    assert findings == 0


@pytest.mark.slow(reason="four lenders, 182 nights each")
def test_an_arm_that_does_harm_is_paused_and_nobody_gets_it_any_more() -> None:
    harm = {"09": 0.01, "12": 0.01, "18": 0.01, "20": 0.04}
    lenders = [of_hours(seed, dict.fromkeys(HOURS, 0.6), a_day=40, harm=harm) for seed in SEEDS]
    paused = [lender.results[-1].paused for lender in lenders]
    assert sum("20" in arms for arms in paused) == len(SEEDS)
    assert all(set(arms) == {"20"} for arms in paused), "an arm without harm is hardly ever paused"
    first = [next(night for night, result in enumerate(lender.results) if "20" in result.paused) for lender in lenders]
    assert sorted(first)[-2] <= 7 * 16, "hardly ever later than after 16 weeks"
    for lender, night in zip(lenders, first, strict=True):
        after = lender.spells[40 * night :]
        assert "20" not in {each.spell.draws[0].arm for each in after}


VALUE_OF_CURE, ANNOYANCE = 1_500_000, 30_000
"""A text costs 0.07 US dollars with its annoyance; a cure is worth 1.50: below 4.7 points a text is worth less."""


@cache
def texted() -> tuple[SteeredLender, ...]:
    """Return lenders whose punctual payers pay with and without a text; the late ones need it."""
    trial = a_learned_trial(
        {"usual": 0.8, "silence": 0.2},
        trial_id="texts",
        value_of_cure_usd_micros=VALUE_OF_CURE,
        annoyance_usd_micros=ANNOYANCE,
        planned_customers=3_000,
    )
    cures = {"on_time": {"usual": 0.95, "silence": 0.95}, "late": {"usual": 0.6, "silence": 0.5}}
    return tuple(SteeredLender(trial=trial, seed=seed, cures=cures, a_day=50).play(WEEKS) for seed in SEEDS)


@pytest.mark.slow(reason="four lenders, 182 nights each")
def test_who_always_pays_on_time_is_texted_60_percent_less_and_cures_stay() -> None:
    first, last = _in_all(lambda lender: lender.weeks(1, 4)), _in_all(lambda lender: lender.weeks(WEEKS - 3, WEEKS))
    before, after = (_of_segment(spells, "on_time") for spells in (first, last))
    assert _share(after, "usual") <= 0.4 * _share(before, "usual")
    assert _cured(after) >= _cured(before) - 0.005
    assert _share(after, "usual") >= 0.1 - 0.01, "never to nothing: it is noticed if they change"


@pytest.mark.slow(reason="four lenders, 182 nights each")
def test_whom_a_text_helps_is_texted_more() -> None:
    late = _of_segment(_in_all(lambda lender: lender.weeks(WEEKS - 3, WEEKS)), "late")
    assert _share(late, "usual") == pytest.approx(0.95, abs=0.03)


def _newest(lender: SteeredLender, segment: str) -> Mapping[str, float]:
    (shares,) = (each.shares for each in lender.results[-1].learned if each.payer_segment == segment)
    return shares


def _finds(lender: SteeredLender, trial: str) -> bool:
    """Tell whether the even slice, which is the trial beside the learner, calls any arm a finding."""
    even = [each for each in lender.spells if each.spell.draws[0].is_uniform]
    sums = sums_of(even)
    first, *others = (sums[SumKey(trial, arm)] for arm in HOURS)
    lines = [
        estimate_lift(
            other, first, planned_customers=1_000, share_of_other=0.5, customers_a_week=70, alpha=0.05 / 3
        ).first_line
        for other in others
    ]
    return any(line in {FirstLine.MORE_PAY, FirstLine.FEWER_PAY} for line in lines)


def _in_all(spells: Callable[[SteeredLender], list[SettledSpell]]) -> list[SettledSpell]:
    return [each for lender in texted() for each in spells(lender)]


def _of_segment(spells: list[SettledSpell], segment: str) -> list[SettledSpell]:
    return [each for each in spells if each.spell.payer_segment == segment]


def _share(spells: list[SettledSpell], arm: str) -> float:
    return sum(each.spell.draws[0].arm == arm for each in spells) / len(spells)


def _cured(spells: list[SettledSpell]) -> float:
    return sum(each.outcome.cured for each in spells) / len(spells)
