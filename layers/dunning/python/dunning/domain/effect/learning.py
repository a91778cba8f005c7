"""
Learning: how the shares of hour bands and wordings follow what came of them, slowly and within bounds.

A weight is a share of draws, and never a finding: without any effect weights wander. Findings come from the even slice
and from trials with fixed shares. Learning chooses among arms that a policy lists and the law allows, and nothing else.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from dunning.domain.effect.distributions import BetaShape, normal_quantile
from dunning.domain.effect.draws import (
    LEAST_SILENT,
    LEAST_TEXTED,
    SHARE_DIGITS,
    SILENCE,
    Arm,
    learned_share,
    weight_for_share,
)
from dunning.domain.effect.intervals import (
    DEFAULT_ALPHA,
    Interval,
    RateEstimate,
    best_arm_weights,
    confidence_sequence,
)
from dunning.domain.effect.strategies import EVERY_SEGMENT, FLOOR, TrialWeights, iso_week

HALF_LIFE_DAYS = 60
"""After so many days an outcome counts half."""

PRIOR_DRAWS = 20
"""What all segments together say of an arm is worth so many draws in each segment."""

CAP = 0.8
"""The weight above which no arm rises."""

LARGEST_MOVE = 0.15
"""The most by which a weight moves in a week."""

LEAST_ARMS, LEAST_SETTLED, LEAST_WEEKS = 3, 100, 4
"""What it takes to learn: arms, settled draws of each, and ISO weeks with draws."""

CHECKED_WEEKS = 8
"""The weeks back from today on which new weights are checked before they are published."""

LEAST_EFFECTIVE = 200
"""The effective number of draws below which a check says nothing."""

TOLERATED_LOSS = 0.01
"""The share of cures that new weights may lose at worst, as far as the check can tell."""

_MOST_ROUNDS, _SETTLED = 200, 1e-9


class SettledDraw(NamedTuple):
    """A draw of a learned trial with its outcome: all that learning sees. No name, number or text."""

    cluster: str
    """Whose draws belong together: the customer, or what stands for the customer."""
    drawn_on: date
    payer_segment: str
    arm: str
    propensity: float
    """The probability of the arm when it was drawn."""
    is_cured: bool


class WeightedRate(NamedTuple):
    """A rate, and the number of equal draws that would be as sure."""

    rate: float
    effective: float


def weighted_rates(draws: Iterable[SettledDraw], today: date) -> dict[str, WeightedRate]:
    """
    Return the cure rate of each arm that was drawn, as if all arms had been drawn alike in each ISO week.

    Within a week each draw weighs the inverse of its probability (D. Horvitz and D. Thompson 1952, normalised as by
    J. Hajek 1971). Across weeks the rates are taken apart into what the week and what the arm adds, by weighted least
    squares: so an arm that was drawn more often in the week of pay-day gains nothing by it. Older draws weigh less, by
    `HALF_LIFE_DAYS`. The effective numbers are L. Kish's (1965).
    """
    cells: dict[tuple[str, str], list[float]] = {}
    for draw in draws:
        decay = 0.5 ** ((today - draw.drawn_on).days / HALF_LIFE_DAYS)
        inverse = 1 / draw.propensity
        cell = cells.setdefault((iso_week(draw.drawn_on), draw.arm), [0.0, 0.0, 0.0, 0.0])
        for index, value in enumerate((inverse * draw.is_cured, inverse, inverse * inverse, decay * inverse)):
            cell[index] += value
    known = [
        _Cell(week, arm, cured / total, total * total / squares, decayed / total)
        for (week, arm), (cured, total, squares, decayed) in cells.items()
    ]
    rates = _rates_apart_from_weeks(known)
    sums: dict[str, list[float]] = {arm: [0.0, 0.0] for arm in rates}
    for each in known:
        sums[each.arm][0] += each.decay * each.effective
        sums[each.arm][1] += each.decay * each.decay * each.effective
    return {arm: WeightedRate(rates[arm], total * total / squares) for arm, (total, squares) in sums.items()}


class _Cell(NamedTuple):
    """What is known of an arm in a week."""

    week: str
    arm: str
    rate: float
    effective: float
    decay: float

    @property
    def weight(self) -> float:
        return self.effective * self.decay


def _rates_apart_from_weeks(cells: Sequence[_Cell]) -> dict[str, float]:
    """Return the rate of each arm in the average week: the least squares of week plus arm, by backfitting."""
    of_week = dict.fromkeys((cell.week for cell in cells), 0.0)
    of_arm = dict.fromkeys((cell.arm for cell in cells), 0.0)
    for _ in range(_MOST_ROUNDS):
        _refit(of_week, [(cell.week, cell.rate - of_arm[cell.arm], cell.weight) for cell in cells])
        if _refit(of_arm, [(cell.arm, cell.rate - of_week[cell.week], cell.weight) for cell in cells]) < _SETTLED:
            break
    total = sum(cell.weight for cell in cells)
    average = sum(cell.weight * of_week[cell.week] for cell in cells) / total if total else 0.0
    return {arm: min(max(average + value, 0.0), 1.0) for arm, value in of_arm.items()}


def _refit(values: dict[str, float], rests: Sequence[tuple[str, float, float]]) -> float:
    """Put the weighted mean of its rests in place of each value; return the largest change."""
    sums = {name: [0.0, 0.0] for name in values}
    for name, rest, weight in rests:
        sums[name][0] += weight * rest
        sums[name][1] += weight
    change = 0.0
    for name, (rest, weight) in sums.items():
        change = max(change, abs(rest / weight - values[name]))
        values[name] = rest / weight
    return change


def posteriors(draws: Sequence[SettledDraw], arms: Sequence[str], today: date) -> dict[str, tuple[BetaShape, ...]]:
    """
    Return what is known of each arm, for each payer segment and for all others (`EVERY_SEGMENT`).

    A segment's arm is shrunk to the arm of all segments, which is worth `PRIOR_DRAWS`. An arm of which nothing is known
    is expected to be as the average.
    """
    pooled = weighted_rates(draws, today)
    average = sum(known.rate * known.effective for known in pooled.values()) + 1
    average /= sum(known.effective for known in pooled.values()) + 2
    expected = {arm: _updated(average, 2, pooled.get(arm)) for arm in arms}
    segments: dict[str, list[SettledDraw]] = {}
    for draw in draws:
        segments.setdefault(draw.payer_segment, []).append(draw)
    shapes = {EVERY_SEGMENT: tuple(expected[arm] for arm in arms)}
    for segment, own in segments.items():
        rates = weighted_rates(own, today)
        shapes[segment] = tuple(_updated(expected[arm].mean, PRIOR_DRAWS, rates.get(arm)) for arm in arms)
    return shapes


def _updated(prior: float, worth: float, known: WeightedRate | None) -> BetaShape:
    cured = prior * worth + (known.rate * known.effective if known else 0)
    return BetaShape(cured, worth + (known.effective if known else 0) - cured)


def may_learn(draws: Iterable[SettledDraw], arms: Sequence[str]) -> bool:
    """Tell whether there are enough arms, settled draws and weeks for shares to move at all."""
    return len(arms) >= LEAST_ARMS and is_enough_known(draws, arms)


def is_enough_known(draws: Iterable[SettledDraw], arms: Iterable[str]) -> bool:
    """Tell whether there are enough settled draws of each arm, over enough weeks."""
    counts: Counter[str] = Counter()
    weeks = set()
    for draw in draws:
        counts[draw.arm] += 1
        weeks.add(iso_week(draw.drawn_on))
    return len(weeks) >= LEAST_WEEKS and all(counts[arm] >= LEAST_SETTLED for arm in arms)


def starting_weights(arms: Sequence[Arm]) -> TrialWeights:
    """Return the weights that come nearest to the shares of a trial: from there a learner begins."""
    names = tuple(arm.name for arm in arms)
    wanted = [weight_for_share(arm.share, len(arms)) for arm in arms]
    if SILENCE in names:
        silent = min(max(wanted[names.index(SILENCE)], 0.0), 1 - weight_for_share(LEAST_TEXTED, len(arms)))
        weights = tuple(round(silent if name == SILENCE else 1 - silent, SHARE_DIGITS) for name in names)
    else:
        weights = bounded_weights(wanted, wanted)
    return TrialWeights(names, {EVERY_SEGMENT: weights})


def without_paused(weights: TrialWeights, paused: Collection[str]) -> TrialWeights:
    """Return weights in which paused arms have none, and the others share what those had."""
    positions = {index for index, arm in enumerate(weights.arms) if arm in paused}
    if not positions:
        return weights
    return weights._replace(
        by_segment={name: bounded_weights(each, each, positions) for name, each in weights.by_segment.items()}
    )


def bounded_weights(
    wanted: Sequence[float], before: Sequence[float], paused: Collection[int] = ()
) -> tuple[float, ...]:
    """
    Return the weights nearest to those wanted that no bound forbids: floor, cap, and the move of a week.

    Arms at the positions `paused` get nothing, at once; the others share what they had. Weights sum to 1, and have as
    many decimals as a record.
    """
    active = [index for index in range(len(wanted)) if index not in paused]
    if not active:
        raise ValueError("paused: every arm is paused; end the trial")
    if len(active) == 1:
        return tuple(float(index in active) for index in range(len(wanted)))
    floor = FLOOR / len(wanted)
    had = sum(before[index] for index in active) or 1.0
    kept = _between([before[index] / had for index in active], [floor] * len(active), [CAP] * len(active))
    low = [max(floor, weight - LARGEST_MOVE) for weight in kept]
    high = [min(CAP, weight + LARGEST_MOVE) for weight in kept]
    moved = [round(weight, SHARE_DIGITS) for weight in _between([wanted[index] for index in active], low, high)]
    # What rounding has left over goes to the arm that has most room.
    widest = max(range(len(active)), key=lambda index: min(high[index] - moved[index], moved[index] - low[index]))
    moved[widest] = round(moved[widest] + 1 - sum(moved), SHARE_DIGITS)
    weights = [0.0] * len(wanted)
    for index, weight in zip(active, moved, strict=True):
        weights[index] = weight
    return tuple(weights)


def _between(wanted: Sequence[float], low: Sequence[float], high: Sequence[float]) -> list[float]:
    """Return the point nearest to `wanted` within the bounds whose values sum to 1 (by bisection of the multiplier)."""
    below, above = -2.0, 2.0
    for _ in range(60):
        shift = (below + above) / 2
        total = sum(min(max(value + shift, least), most) for value, least, most in zip(wanted, low, high, strict=True))
        below, above = (shift, above) if total < 1 else (below, shift)
    return [min(max(value + below, least), most) for value, least, most in zip(wanted, low, high, strict=True)]


def learned_weights(
    draws: Sequence[SettledDraw], before: TrialWeights, today: date, paused: Collection[str] = ()
) -> TrialWeights:
    """
    Return the weights of the next week: for each arm the probability that it is the best, within all bounds.

    Until there is enough to learn from (`may_learn`), weights stay as they are, but for paused arms.
    """
    positions = {index for index, arm in enumerate(before.arms) if arm in paused}
    left = [arm for arm in before.arms if arm not in paused]
    shapes = posteriors(draws, before.arms, today) if may_learn(draws, left) else None
    segments = {EVERY_SEGMENT, *before.by_segment, *(shapes or ())}
    weights = {}
    for segment in sorted(segments):
        old = before.of(segment)
        wanted = old
        if shapes is not None:
            known = shapes.get(segment, shapes[EVERY_SEGMENT])
            best = iter(best_arm_weights([each for index, each in enumerate(known) if index not in positions]))
            wanted = tuple(0.0 if index in positions else next(best) for index in range(len(known)))
        elif not positions:
            weights[segment] = old
            continue
        weights[segment] = bounded_weights(wanted, old, positions)
    return TrialWeights(before.arms, weights)


def texting_share(before: float, highest_lift: float | None, *, value: float, price: float, annoyance: float) -> float:
    """
    Return the share of a payer segment that is texted next week at a stage where a text may be left out.

    If even the highest lift that the interval allows is worth less than a text costs, texting falls step by step to
    `LEAST_TEXTED`, never to nothing: so it is noticed when the segment changes. Otherwise it rises to all but
    `LEAST_SILENT`. `value` is what a cure is worth, `price` a text's price and `annoyance` what it costs the lender in
    good will, all in the same unit. `highest_lift` is `None` while too little is known: then most are texted.
    """
    is_worthless = highest_lift is not None and value * highest_lift < price + annoyance
    wanted = LEAST_TEXTED if is_worthless else 1 - LEAST_SILENT
    moved = min(max(wanted, before - LARGEST_MOVE), before + LARGEST_MOVE)
    return round(min(max(moved, LEAST_TEXTED), 1 - LEAST_SILENT), SHARE_DIGITS)


class Worth(NamedTuple):
    """What a share of silence is learned by: the value of a cure, the price of a text, and its annoyance, alike."""

    value: float
    price: float
    annoyance: float


def texting_lift(draws: Iterable[SettledDraw], planned_customers: int) -> Interval | None:
    """
    Return the interval of what a text adds to the cure rate, beside silence; `None` if too few were drawn to say.

    Each draw weighs the inverse of its probability, so that shares which move from week to week make no lift. The
    customer is the unit. Rates near 1 are not taken for certain (as in `rate_by_customer`), and all weekly looks hold
    together (`confidence_sequence`).
    """
    rows = [(draw.cluster, draw.arm == SILENCE, 1 / draw.propensity, float(draw.is_cured)) for draw in draws]
    customers = [{cluster for cluster, is_silent, _, _ in rows if is_silent == side} for side in (False, True)]
    if min(map(len, customers)) < LEAST_SETTLED:
        return None
    rates, cautious = [], 0.0
    for side in (False, True):
        weights = [weight for _, is_silent, weight, _ in rows if is_silent == side]
        cured = sum(weight * cured for _, is_silent, weight, cured in rows if is_silent == side)
        effective = sum(weights) ** 2 / sum(weight * weight for weight in weights)
        rates.append((cured / sum(weights), sum(weights)))
        shrunk = (cured / sum(weights) * effective + 2) / (effective + 4)
        cautious += shrunk * (1 - shrunk) / (effective + 4)
    by_customer: dict[str, float] = {}
    for cluster, is_silent, weight, cured in rows:
        rate, total = rates[is_silent]
        part = weight * (cured - rate) / total
        by_customer[cluster] = by_customer.get(cluster, 0.0) + (-part if is_silent else part)
    error = math.sqrt(max(cautious, math.fsum(part * part for part in by_customer.values())))
    estimate = RateEstimate(rates[False][0] - rates[True][0], error)
    return confidence_sequence(estimate, len(by_customer), planned_customers)


def texting_weights(
    draws: Sequence[SettledDraw], before: TrialWeights, worth: Worth, planned_customers: int
) -> TrialWeights:
    """
    Return the weights of the next week where a text may be left out: each payer segment by itself (`texting_share`).

    Until there is enough to learn from in a segment (settled draws of both arms, over some weeks), its shares stay.
    """
    silent = before.arms.index(SILENCE)
    segments: dict[str, list[SettledDraw]] = {}
    for draw in draws:
        segments.setdefault(draw.payer_segment, []).append(draw)
    weights = dict(before.by_segment)
    for segment, own in sorted(segments.items()):
        lift = texting_lift(own, planned_customers) if is_enough_known(own, before.arms) else None
        if lift is None:
            continue
        texted = learned_share(before.of(segment)[1 - silent], len(before.arms))
        share = texting_share(texted, lift.high, value=worth.value, price=worth.price, annoyance=worth.annoyance)
        weight = min(max(round(weight_for_share(share, len(before.arms)), SHARE_DIGITS), 0.0), 1.0)
        weights[segment] = tuple(
            round(1 - weight, SHARE_DIGITS) if index == silent else weight for index in range(len(before.arms))
        )
    return TrialWeights(before.arms, weights)


class PublishReason(StrEnum):
    """Why new weights are published or not."""

    BETTER_OR_ALIKE = "better_or_alike"
    UNCHANGED = "unchanged"
    TOO_FEW_DRAWS = "too_few_draws"
    """The effective number of draws is too low to check anything: the old weights stay."""
    MAY_BE_WORSE = "may_be_worse"
    """The new weights may lose more cures than is tolerated: the old weights stay."""
    TOO_LARGE = "too_large"
    """The new weights do not fit into a strategy, for all the arms and segments: the old weights stay."""


class OffPolicyCheck(NamedTuple):
    """What new weights would have come to on the draws of the last weeks, beside today's weights. Shares of 1."""

    reason: PublishReason
    new: float
    old: float
    difference: Interval
    effective: float

    @property
    def may_publish(self) -> bool:
        """Whether the new weights may be published."""
        return self.reason is PublishReason.BETTER_OR_ALIKE


def off_policy_check(
    draws: Iterable[SettledDraw], new: TrialWeights, old: TrialWeights, today: date, alpha: float = DEFAULT_ALPHA
) -> OffPolicyCheck:
    """
    Return what logged draws say of new weights, before they are published.

    Self-normalised inverse propensity scoring (A. Swaminathan and T. Joachims 2015), linearised by customer; both
    policies are scored on the same draws, so that their difference is surer than either of them.
    """
    since = today - timedelta(weeks=CHECKED_WEEKS)
    rows = [
        (draw.cluster, _logged_weight(draw, new), _logged_weight(draw, old), float(draw.is_cured))
        for draw in draws
        if draw.drawn_on >= since and draw.arm in new.arms
    ]
    nothing = Interval(-1.0, 1.0)
    total_new, total_old = sum(row[1] for row in rows), sum(row[2] for row in rows)
    if not total_new or not total_old:
        return OffPolicyCheck(PublishReason.TOO_FEW_DRAWS, 0.0, 0.0, nothing, 0.0)
    value_new = sum(weight * cured for _, weight, _, cured in rows) / total_new
    value_old = sum(weight * cured for _, _, weight, cured in rows) / total_old
    by_customer: dict[str, float] = {}
    for cluster, fresh, former, cured in rows:
        part = fresh * (cured - value_new) / total_new - former * (cured - value_old) / total_old
        by_customer[cluster] = by_customer.get(cluster, 0.0) + part
    half = normal_quantile(1 - alpha / 2) * math.sqrt(sum(part * part for part in by_customer.values()))
    difference = Interval(value_new - value_old - half, value_new - value_old + half)
    effective = total_new**2 / sum(weight * weight for _, weight, _, _ in rows)
    if new == old:
        reason = PublishReason.UNCHANGED
    elif effective < LEAST_EFFECTIVE:
        reason = PublishReason.TOO_FEW_DRAWS
    elif difference.low < -TOLERATED_LOSS:
        reason = PublishReason.MAY_BE_WORSE
    else:
        reason = PublishReason.BETTER_OR_ALIKE
    return OffPolicyCheck(reason, value_new, value_old, difference, effective)


def _logged_weight(draw: SettledDraw, weights: TrialWeights) -> float:
    """Return how much more often weights would draw an arm than it was drawn."""
    of = dict(zip(weights.arms, weights.of(draw.payer_segment), strict=True))
    return learned_share(of.get(draw.arm, 0.0), len(weights.arms)) / draw.propensity
