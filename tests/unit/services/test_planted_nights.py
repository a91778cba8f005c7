"""Nights over months: sound trials raise no sign, whatever texts do, and a fault that was planted raises its own."""

import random
from collections.abc import Sequence

import pytest

from dunning.domain.effect import keeping_books
from dunning.domain.effect.draws import SILENCE, Draw
from dunning.domain.effect.trial_results import TrialSign
from dunning.services import settle_trials
from tests.support.planted_nights import PlantedNights


@pytest.mark.slow(reason="100 nights of 200 customers")
def test_where_arms_do_not_differ_no_night_of_a_hundred_raises_a_sign_in_any_trial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (keeping_books, settle_trials):
        monkeypatch.setattr(module, "BOOK_PARTS", 3)
    played = PlantedNights(1, customers=200)
    result = played.run(100)
    assert sum(result.drawn.values()) > 1_000
    assert played.controls.controls, "weights have moved"
    assert played.signs == {}


@pytest.mark.slow(reason="1,200 customers for three months")
@pytest.mark.parametrize("accounts", [1, 2])
def test_a_true_effect_raises_no_sign_and_is_found_once_for_each_instalment(accounts: int) -> None:
    played = PlantedNights(
        2, customers=1_200 // accounts, accounts=accounts, pays=lambda texted: 0.12 if texted else 0.05
    )
    result = played.run(90, every=30)
    assert played.signs == {}
    whole, *parts = [(each.stage, each.estimate.lift or 0.0) for each in result.comparisons]
    assert whole[1] > 0.1
    assert min(lift for stage, lift in parts if stage is not None) > 0, "no stage looks like harm"


@pytest.mark.slow(reason="thousands of customers for a month or two")
@pytest.mark.parametrize(
    ("trial", "arm", "sign", "customers", "days"),
    [
        ("tone", "kind", TrialSign.SAMPLE_RATIO, 1_500, 60),
        ("hour", "18", TrialSign.MOVING_SHARES, 1_500, 60),
        ("quiet", SILENCE, TrialSign.SAMPLE_RATIO, 2_500, 30),
    ],
)
def test_an_arm_that_drops_a_fifth_of_its_records_is_seen_in_its_trial(
    trial: str, arm: str, sign: TrialSign, customers: int, days: int
) -> None:
    def is_dropped(rng: random.Random, draws: Sequence[Draw]) -> bool:
        return (trial, arm) in [(each.trial, each.arm) for each in draws] and rng.random() < 0.2

    played = PlantedNights(3, customers=customers, share=0.5, is_dropped=is_dropped)
    played.run(days, every=days // 2)
    assert (trial, sign.value) in played.signs, played.signs
