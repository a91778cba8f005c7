"""
Trials to look at in the console: results of made-up people on whom texts have a planted effect.

They are played as `make effect` plays them, fewer of them, and their results are kept as the nightly run keeps its own.
The lender of the trials has no customers in the console's world.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from dunning.ports.trial_books import TrialResultKeeper
from tests.local.asked import ChoiceError
from tests.local.effect_people import BEGIN, LENDER, PlantedEffects
from tests.local.effect_run import POLICIES, play_effect
from tests.local.policies import Policies, has_trials, load

PEOPLE = 700
"""Enough that each arm of the holdout has the hundred people from whom an interval is stated."""

_NIGHTS_APART = 14
_FEWEST_DAYS, _MOST_DAYS = 28, 182
_EFFECTS = PlantedEffects(moved=0.2, moved_at_best_hour=0.45)


def days_of_trials(last_day: date) -> int:
    """
    Return how many days of the trials are over as the last day of a console's world begins.

    Raises:
        ChoiceError: too few.
    """
    days = (last_day - BEGIN).days
    if days < _FEWEST_DAYS:
        raise ChoiceError(
            f"TRIALS=1: the trials begin on {BEGIN}, and the last day is {last_day}: name a later START= or more DAYS="
        )
    return min(days, _MOST_DAYS)


def with_lender_of_trials(policies: Policies) -> Policies:
    """
    Return policies with the lender of the trials beside the others.

    Raises:
        ChoiceError: a lender has trials of its own, whose nights would mix with these.
    """
    if has_trials(policies.book):
        raise ChoiceError("TRIALS=1 shows made-up trials, and POLICIES= has trials of its own: leave one of them out")
    book = policies.book
    lenders = {**book.lenders, LENDER: load(POLICIES).book.lenders[LENDER]}
    return replace(policies, book=book.with_lenders(lenders))


def keep_demo_trials(keeper: TrialResultKeeper, days: int) -> Mapping[str, str]:
    """
    Play so many days, keep what each night knows, and return what was planted, by trial, in a sentence.

    Raises:
        PlayError: a service has failed.
    """
    run = play_effect(customers=PEOPLE, days=days, seed=1, effects=_EFFECTS, nights_apart=_NIGHTS_APART, keeper=keeper)
    return run.planted
