"""Planted lifts come back, and the interval that is looked at daily holds at every look (more in `tests/bench`)."""

import pytest

from dunning.domain.effect.sums import FirstLine, LiftEstimate
from tests.support.planted import PlantedTrial, daily_looks

TRIAL = PlantedTrial(base=0.6, lift=0.0, share=0.2, customers_a_day=60, days=60, planned=3_600)


def looks(seed: int, trial: PlantedTrial) -> list[LiftEstimate]:
    return [look for look in daily_looks(seed, trial) if look.interval is not None]


def holds(look: LiftEstimate, lift: float) -> bool:
    return look.interval is not None and look.interval.contains(lift)


@pytest.mark.slow(reason="60 trials of 60 days, looked at daily")
@pytest.mark.parametrize("lift", [0.0, 0.02, 0.04])
def test_a_planted_lift_is_held_at_every_look(lift: float) -> None:
    trials = [looks(seed, TRIAL._replace(lift=lift)) for seed in range(20)]
    assert all(len(trial) > 40 for trial in trials)
    assert sum(all(holds(look, lift) for look in trial) for trial in trials) >= 19
    final = [trial[-1].lift or 0.0 for trial in trials]
    assert sum(final) / len(final) == pytest.approx(lift, abs=0.012)


@pytest.mark.slow(reason="20 trials of 60 days, looked at daily")
def test_a_planted_lift_is_held_at_every_look_if_customers_have_several_rungs() -> None:
    trials = [looks(seed, TRIAL._replace(lift=0.02, rungs=(1, 2, 3, 4))) for seed in range(20)]
    assert sum(all(holds(look, 0.02) for look in trial) for trial in trials) >= 19


@pytest.mark.slow(reason="60 trials of 60 days, looked at daily")
def test_without_an_effect_nothing_is_called_a_finding_though_single_looks_would_have_called_it() -> None:
    trials = [looks(seed, TRIAL) for seed in range(60)]
    findings = {FirstLine.MORE_PAY, FirstLine.FEWER_PAY}
    called = sum(any(look.first_line in findings for look in trial) for trial in trials)
    would_have = sum(any(look.at_the_end and not look.at_the_end.contains(0) for look in trial) for trial in trials)
    assert called <= 3
    assert would_have >= 9, "peeking at single-look intervals deceives: this is what the sequence is for"


@pytest.mark.slow(reason="10 trials of 60 days, looked at daily")
def test_a_lift_of_10_points_is_found_within_weeks() -> None:
    trials = [looks(seed, TRIAL._replace(lift=0.1)) for seed in range(10)]
    assert all(trial[-1].first_line is FirstLine.MORE_PAY for trial in trials)
