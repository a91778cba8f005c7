"""
Sample ratio: signs that a trial is broken, or does harm.

Groups whose sizes do not fit the configured shares, draws that left no record, silence that was broken, groups that
lose their customers or that differed before: with any of these a lift means nothing. The level is 0.001, because the
signs are looked at every day, and a false alarm is expensive.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from dunning.domain.delivery.channels import NO_CONTACT
from dunning.domain.effect.distributions import BetaShape, binomial_test, chi_square_tail, probability_greater

ALARM_LEVEL = 0.001
"""The p-value below which groups do not fit by chance alone."""

LEAST_DRAWS = 100
"""Draws before the ratio of a sample is judged."""

LEAST_EXPECTED = 10
"""The expected count below which the exact test takes the place of chi-square."""

LARGEST_Z = 3.3
"""The standard deviations by which an arm's count may differ where shares move: as rare as `ALARM_LEVEL`."""

HARMFUL_TIMES = 1.5
"""An arm harms if its rate of opt-outs, complaints and wrong persons is above so many times the even slice's."""

SURE_OF_HARM = 0.95
"""The probability of harm above which an arm is paused."""

LEAST_TEXTS = 200
"""Texts of an arm before its harm is judged."""

PRIOR_TEXTS = 200
"""
The texts that the rate of both groups together is worth, as what is expected of each of them.

Without it an arm would be paused for the first one or two opt-outs that chance brings.
"""


class FitOfCounts(NamedTuple):
    """How well counts fit what was expected of them: the p-value, and the largest difference as a share of all."""

    p_value: float
    off_by: float
    draws: int

    def is_alarming(self, comparisons: int = 1, least: int = LEAST_DRAWS) -> bool:
        """Tell whether the counts do not fit, if so many counts are compared at once (Bonferroni)."""
        return self.draws >= least and self.p_value < ALARM_LEVEL / comparisons


def fit_to_shares(counts: Sequence[int], shares: Sequence[float]) -> FitOfCounts:
    """
    Compare the counts of the arms with their configured shares, which sum to 1.

    Pearson's chi-square; where fewer than ten draws are expected of an arm, the exact binomial test of each arm against
    the rest (Bonferroni). An arm with the share 0 may have no draw at all.

    Raises:
        ValueError: counts and shares are not of the same arms, or the shares do not sum to 1.
    """
    if len(counts) != len(shares) or not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise ValueError("shares: they do not sum to 1, or are not of the same arms as the counts; give one per arm")
    draws = sum(counts)
    if draws == 0:
        return FitOfCounts(1.0, 0.0, 0)
    off_by = max(abs(count / draws - share) for count, share in zip(counts, shares, strict=True))
    if any(count and share <= 0 for count, share in zip(counts, shares, strict=True)):
        return FitOfCounts(0.0, off_by, draws)
    drawn = [(count, share) for count, share in zip(counts, shares, strict=True) if share > 0]
    if min(share * draws for _, share in drawn) < LEAST_EXPECTED:
        tests = drawn[:1] if len(drawn) == 2 else drawn  # noqa: PLR2004 - of two arms the second is the rest
        p_value = min(1.0, len(tests) * min(binomial_test(count, draws, share) for count, share in tests))
    else:
        statistic = sum((count - share * draws) ** 2 / (share * draws) for count, share in drawn)
        p_value = chi_square_tail(statistic, len(drawn) - 1)
    return FitOfCounts(p_value, off_by, draws)


class MovingCount(NamedTuple):
    """The draws that fell on an arm while its share moved, and the sums over all draws of p and of p * (1 - p)."""

    drawn: int
    expected: float
    variance: float

    @property
    def z(self) -> float:
        """The standard deviations by which the count differs from what its probabilities add up to."""
        if self.variance <= 0:
            return 0.0 if math.isclose(self.drawn, self.expected, abs_tol=1e-6) else math.inf
        return (self.drawn - self.expected) / math.sqrt(self.variance)

    @property
    def is_alarming(self) -> bool:
        """Whether the count does not fit its probabilities."""
        return abs(self.z) > LARGEST_Z


def fit_of_rates(successes: Sequence[int], totals: Sequence[int]) -> FitOfCounts:
    """
    Compare the rates of several groups: does one lose more of its customers, or did one pay better before?

    Pearson's chi-square of homogeneity; where fewer than ten are expected in a cell, the exact binomial test of each
    group's part of all successes, or of all failures if they are fewer. Then the test is on the careful side.
    """
    total = sum(totals)
    if not total:
        return FitOfCounts(1.0, 0.0, 0)
    rate = sum(successes) / total
    off_by = max(abs(success / count - rate) for success, count in zip(successes, totals, strict=True) if count)
    if min(min(rate, 1 - rate) * count for count in totals if count) < LEAST_EXPECTED:
        failures = [count - success for success, count in zip(successes, totals, strict=True)]
        rarer = successes if sum(successes) <= sum(failures) else failures
        part = fit_to_shares(rarer, [count / total for count in totals])
        return FitOfCounts(part.p_value, off_by, total)
    statistic = sum(
        (success - rate * count) ** 2 / (rate * (1 - rate) * count)
        for success, count in zip(successes, totals, strict=True)
        if count
    )
    return FitOfCounts(chi_square_tail(statistic, sum(1 for count in totals if count) - 1), off_by, total)


def differential_loss(lost: Sequence[int], drawn: Sequence[int]) -> FitOfCounts:
    """Compare by arm how many draws have no outcome: unreadable, erased, or gone from the lender's data."""
    return fit_of_rates(lost, drawn)


def pre_trend(cured_before: Sequence[int], drawn: Sequence[int]) -> FitOfCounts:
    """Compare by arm how many customers cured before the draw, which cannot be its effect: an A/A test."""
    return fit_of_rates(cured_before, drawn)


class HeldOutSpan(NamedTuple):
    """A customer held out at stages of a trial, from the first silent rung to the last day of the epoch."""

    customer_id: str
    stages: frozenset[int]
    since: date
    until: date


class ContactMade(NamedTuple):
    """A contact that a customer had: the stage whose words it used, the local day, and the channel."""

    customer_id: str
    stage: int | None
    on: date
    channel: str
    send_id: str


def leaks(held_out: Iterable[HeldOutSpan], contacts: Iterable[ContactMade]) -> list[ContactMade]:
    """
    Return the contacts that broke a silence, on any channel. A single one is an alarm.

    A claim that sent nothing is no contact, and neither is a text that is no reminder.
    """
    spans: dict[str, list[HeldOutSpan]] = {}
    for span in held_out:
        spans.setdefault(span.customer_id, []).append(span)
    return [
        contact
        for contact in contacts
        if contact.channel != NO_CONTACT
        and any(
            contact.stage in span.stages and span.since <= contact.on <= span.until
            for span in spans.get(contact.customer_id, ())
        )
    ]


class Unmatched(NamedTuple):
    """Draws of claims that have no record, and records that no claim drew; each is an alarm."""

    without_record: frozenset[str]
    without_draw: frozenset[str]

    @property
    def is_alarming(self) -> bool:
        """Whether anything is unmatched."""
        return bool(self.without_record or self.without_draw)


def unmatched(drawn: Collection[str], recorded: Collection[str]) -> Unmatched:
    """Compare the send ids of the rungs that were drawn with those of the records that have a draw."""
    return Unmatched(frozenset(drawn) - frozenset(recorded), frozenset(recorded) - frozenset(drawn))


class HarmCount(NamedTuple):
    """Texts, and the opt-outs, complaints and wrong persons that followed them."""

    events: int
    texts: int


def probability_of_harm(arm: HarmCount, even_slice: HarmCount) -> float:
    """
    Return the probability that an arm's rate of harm is above 1.5 times that of the even slice.

    Both rates have beta posteriors, whose common prior is the rate of both together, worth `PRIOR_TEXTS` texts.
    """
    events, texts = arm.events + even_slice.events, arm.texts + even_slice.texts
    expected = PRIOR_TEXTS * (events + 0.5) / (texts + 1)
    return probability_greater(_posterior(arm, expected), _posterior(even_slice, expected), HARMFUL_TIMES)


def _posterior(count: HarmCount, expected: float) -> BetaShape:
    return BetaShape(count.events + expected, count.texts - count.events + PRIOR_TEXTS - expected)


def is_harmful(arm: HarmCount, even_slice: HarmCount) -> bool:
    """Tell whether an arm has to be paused at once."""
    return arm.texts >= LEAST_TEXTS and probability_of_harm(arm, even_slice) > SURE_OF_HARM


def arms_to_pause(by_arm: Mapping[str, HarmCount], even_slice: HarmCount) -> frozenset[str]:
    """Return the arms that harm."""
    return frozenset(name for name, count in by_arm.items() if is_harmful(count, even_slice))
