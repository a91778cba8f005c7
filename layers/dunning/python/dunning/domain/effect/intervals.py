"""
Intervals: how sure a difference is, how large a trial has to be, and which of several rates is the highest.

Rates and differences are shares of 1: 0.029 is 2.9 points. Sources stand with each function.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from dunning.domain.effect.distributions import BetaShape, beta_density, normal_quantile

DEFAULT_ALPHA = 0.05
"""The probability with which an interval may miss the truth."""

POWER = 0.8
"""The probability with which a trial of the planned size finds the planned lift."""


class Interval(NamedTuple):
    """The lowest and the highest value that the data allow."""

    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Tell whether a value lies within, both ends included."""
        return self.low <= value <= self.high

    @property
    def width(self) -> float:
        """The distance of the ends."""
        return self.high - self.low


class ClusterSums(NamedTuple):
    """
    Sums over customers, each of whom has `k` rungs, and `y` of them cured.

    They are all that a rate and its variance need, with the customer as the unit.
    """

    customers: int
    y: float
    k: float
    yy: float
    yk: float
    kk: float


class RateEstimate(NamedTuple):
    """A rate, and its standard error."""

    rate: float
    error: float


def wilson(successes: float, draws: float, alpha: float = DEFAULT_ALPHA) -> Interval:
    """Return the score interval of a rate (E. B. Wilson 1927)."""
    z = normal_quantile(1 - alpha / 2)
    rate, square = successes / draws, z * z / draws
    middle = rate + square / 2
    half = z * math.sqrt(rate * (1 - rate) / draws + square / (4 * draws))
    low = 0.0 if successes == 0 else (middle - half) / (1 + square)
    high = 1.0 if successes == draws else (middle + half) / (1 + square)
    return Interval(low, high)


def newcombe(
    successes: float, draws: float, other_successes: float, other_draws: float, alpha: float = DEFAULT_ALPHA
) -> Interval:
    """
    Return the interval of a rate less another, for customers with one rung each.

    The hybrid score interval without correction for continuity (R. G. Newcombe 1998, method 10). It keeps its coverage
    for rates near 1 and for small groups, where the usual interval does not.
    """
    rate, other = successes / draws, other_successes / other_draws
    ours, theirs = wilson(successes, draws, alpha), wilson(other_successes, other_draws, alpha)
    difference = rate - other
    return Interval(
        difference - math.hypot(rate - ours.low, theirs.high - other),
        difference + math.hypot(ours.high - rate, other - theirs.low),
    )


def rate_by_customer(sums: ClusterSums) -> RateEstimate:
    """
    Return the share of rungs that were cured, and its standard error with the customer as the unit.

    The ratio of two sums, linearised (W. G. Cochran, Sampling Techniques, 1977, 6.4): customers differ in their number
    of rungs, and the rungs of a customer end alike. The variance is no smaller than that of the rate with two cured and
    two other rungs added (A. Agresti and B. A. Coull 1998), divided by the same rungs: a small group in which all were
    cured is not certain.
    """
    n, y, k, yy, yk, kk = sums
    rate = y / k
    residual = max(0.0, yy - 2 * rate * yk + rate * rate * kk)
    variance = residual * n / (n - 1) / (k * k) if n > 1 else math.inf
    cautious = (y + 2) / (k + 4)
    return RateEstimate(rate, math.sqrt(max(variance, cautious * (1 - cautious) / (k + 4))))


def difference_of(first: RateEstimate, second: RateEstimate) -> RateEstimate:
    """Return a rate less another of other customers, with its standard error."""
    return RateEstimate(first.rate - second.rate, math.hypot(first.error, second.error))


def normal_interval(estimate: RateEstimate, alpha: float = DEFAULT_ALPHA) -> Interval:
    """Return the interval that holds if it is looked at once, at the planned end."""
    half = normal_quantile(1 - alpha / 2) * estimate.error
    return Interval(estimate.rate - half, estimate.rate + half)


def confidence_sequence(
    estimate: RateEstimate, customers: float, planned: float, alpha: float = DEFAULT_ALPHA
) -> Interval:
    """
    Return the interval that may be looked at every day: all looks hold together with the probability 1 - alpha.

    The asymptotic confidence sequence of I. Waudby-Smith, D. Arbour, R. Sinha, E. Kennedy and A. Ramdas, "Time-uniform
    central limit theory and asymptotic confidence sequences" (2021), theorem 2.2, narrowest at `planned` customers,
    which is fixed before the start. `customers` is the number so far, in customers with one rung each.
    """
    half = estimate.error * sequence_factor(customers, planned, alpha)
    return Interval(estimate.rate - half, estimate.rate + half)


def sequence_factor(customers: float, planned: float, alpha: float = DEFAULT_ALPHA) -> float:
    """Return the half-width of the confidence sequence in standard errors."""
    doubled = -2 * math.log(alpha)
    information = customers * (doubled + math.log(doubled + 1)) / planned
    return math.sqrt(2 * (information + 1) / information * math.log(math.sqrt(information + 1) / alpha))


def customers_needed(
    base: float, lift: float, share: float, *, looked_at_daily: bool = False, alpha: float = DEFAULT_ALPHA
) -> int:
    """
    Return the number of customers, both groups together, that it takes to find a lift with the probability `POWER`.

    `base` is the rate of the smaller group, which gets `share` of the customers. The usual formula for two proportions
    with variances of their own (J. L. Fleiss, Statistical Methods for Rates and Proportions, without correction). If
    the interval is looked at daily, it is wider, and more customers are needed.

    Raises:
        ValueError: no number of customers would do; the message names the argument.
    """
    if not lift or not 0 < base + lift < 1 or not 0 < base < 1:
        raise ValueError(f"lift is {lift} from {base}: both rates have to lie between 0 and 1, and to differ")
    if not 0 < share < 1:
        raise ValueError(f"share is {share}: a group needs a share between 0 and 1")
    quantile = sequence_factor(1, 1, alpha) if looked_at_daily else normal_quantile(1 - alpha / 2)
    raised = base + lift
    variance = raised * (1 - raised) / (1 - share) + base * (1 - base) / share
    return math.ceil((quantile + normal_quantile(POWER)) ** 2 * variance / lift**2)


def weeks_needed(customers: int, a_week: float) -> int | None:
    """Return the whole weeks until so many customers have been drawn; `None` if nobody is."""
    return math.ceil(customers / a_week) if a_week > 0 else None


_POINTS = 36
"""Points per arm in the quadrature of `best_arm_weights`."""

_REACH = 7.0
"""The standard deviations on either side of an arm's mean that its points cover."""


def best_arm_weights(shapes: Sequence[BetaShape]) -> tuple[float, ...]:
    """
    Return for each arm the probability that its rate is the highest: the weights of Thompson sampling, without chance.

    By quadrature instead of samples. The points of all arms together are the grid, so that each arm is resolved at its
    own width. Between points the trapezoid is corrected by the slopes (Euler and Maclaurin), which leaves errors below
    one thousandth.
    """
    if len(shapes) == 1:
        return (1.0,)
    grid = _grid(shapes)
    densities = [_densities(shape, grid) for shape in shapes]
    heights = [[1.0] * len(grid) for _ in shapes]
    for own, (values, slopes) in enumerate(densities):
        below = _cumulated(grid, values, slopes)
        for other, column in enumerate(heights):
            if other != own:
                heights[other] = [height * share for height, share in zip(column, below, strict=True)]
    areas = [
        _area(grid, [value * height for value, height in zip(values, column, strict=True)])
        for (values, _), column in zip(densities, heights, strict=True)
    ]
    total = sum(areas)
    return tuple(area / total for area in areas)


def _grid(shapes: Sequence[BetaShape]) -> list[float]:
    points: set[float] = set()
    for shape in shapes:
        low = max(1e-9, shape.mean - _REACH * shape.deviation)
        high = min(1 - 1e-9, shape.mean + _REACH * shape.deviation)
        points.update(low + (high - low) * index / _POINTS for index in range(_POINTS + 1))
    return sorted(points)


def _densities(shape: BetaShape, grid: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the density of a beta distribution at each point, and its slope."""
    up, down = shape.successes - 1, shape.failures - 1
    centre = min(max(shape.mean, grid[0]), grid[-1])
    constant = math.log(beta_density(shape, centre)) - up * math.log(centre) - down * math.log1p(-centre)
    values = [math.exp(constant + up * math.log(at) + down * math.log1p(-at)) for at in grid]
    return values, [value * (up / at - down / (1 - at)) for value, at in zip(values, grid, strict=True)]


def _cumulated(grid: Sequence[float], values: Sequence[float], slopes: Sequence[float]) -> list[float]:
    """Return the share of a distribution up to each point."""
    total, cumulated = 0.0, [0.0]
    for index in range(1, len(grid)):
        step = grid[index] - grid[index - 1]
        area = step * (values[index] + values[index - 1]) / 2 + step * step * (slopes[index - 1] - slopes[index]) / 12
        total += max(0.0, area)
        cumulated.append(total)
    return [share / total for share in cumulated] if total else cumulated


def _area(grid: Sequence[float], values: Sequence[float]) -> float:
    return sum(
        (grid[index] - grid[index - 1]) * (values[index] + values[index - 1]) / 2 for index in range(1, len(grid))
    )
