"""
Distributions: the functions of probability that the standard library lacks, in double precision.

Sources: C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000), for the binomial and beta
densities; NIST Digital Library of Mathematical Functions 8.7.1 and 8.9.2 for the incomplete gamma function, 8.17.22 for
the incomplete beta function; W. Lentz's way to compute a continued fraction.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

_TINY = 1e-300
_CLOSE = 1e-16
_MOST_TERMS = 100_000
_LEAST_FOR_STIRLING = 16.0
_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
_AS_LIKELY = 1 + 1e-7
"""Two counts are equally likely if their probabilities differ by less: as R's and scipy's binomial tests have it."""


class BetaShape(NamedTuple):
    """A beta distribution. `successes` and `failures` are above zero; they are its two shape parameters."""

    successes: float
    failures: float

    @property
    def mean(self) -> float:
        """The mean of the distribution."""
        return self.successes / (self.successes + self.failures)

    @property
    def deviation(self) -> float:
        """The standard deviation of the distribution."""
        total = self.successes + self.failures
        return math.sqrt(self.successes * self.failures / (total + 1)) / total


def _stirling_error(count: float) -> float:
    """Return log(count!) less Stirling's formula; for any real number above zero."""
    if count < _LEAST_FOR_STIRLING:
        return math.lgamma(count + 1) - (count + 0.5) * math.log(count) + count - _HALF_LOG_TWO_PI
    square = count * count
    series = 1 / 1188 / square
    for term in (1 / 1680, 1 / 1260, 1 / 360):
        series = (term - series) / square
    return (1 / 12 - series) / count


def _deviance(count: float, expected: float) -> float:
    """Return count * log(count / expected) + expected - count without loss where the two are close."""
    difference = count - expected
    if abs(difference) >= 0.1 * (count + expected):
        return count * math.log(count / expected) + expected - count
    ratio = difference / (count + expected)
    total = difference * ratio
    power, square = 2 * count * ratio, ratio * ratio
    for odd in range(3, 1001, 2):
        power *= square
        following = total + power / odd
        if following == total:
            break
        total = following
    return total


def binomial_probability(count: float, draws: float, share: float) -> float:
    """
    Return the probability of `count` successes in `draws`, each with the probability `share`.

    Real numbers are allowed: the beta density is made of it.
    """
    if share <= 0 or share >= 1:
        return float(count == (0 if share <= 0 else draws))
    rest = draws - count
    if count <= 0:
        return math.exp(draws * math.log1p(-share)) if count == 0 else 0.0
    if rest <= 0:
        return math.exp(draws * math.log(share)) if rest == 0 else 0.0
    exponent = (
        _stirling_error(draws)
        - _stirling_error(count)
        - _stirling_error(rest)
        - _deviance(count, draws * share)
        - _deviance(rest, draws * (1 - share))
    )
    return math.exp(exponent) * math.sqrt(draws / (2 * math.pi * count * rest))


def binomial_test(count: int, draws: int, share: float) -> float:
    """Return the two-sided p-value of a count: the probability of all counts that are no more likely than it."""
    limit = binomial_probability(count, draws, share) * _AS_LIKELY
    expected = draws * share
    if count == expected:
        return 1.0
    below = count < expected
    tail = binomial_tail(count, draws, share, upper=not below)
    # On the other side probabilities fall away from the expected count: find the nearest count that is as unlikely.
    low, high = (math.ceil(expected), draws + 1) if below else (-1, math.floor(expected))
    while low < high:
        middle = (low + high) // 2 if below else (low + high + 1) // 2
        unlikely = binomial_probability(middle, draws, share) <= limit
        if below:
            low, high = (low, middle) if unlikely else (middle + 1, high)
        else:
            low, high = (middle, high) if unlikely else (low, middle - 1)
    return min(1.0, tail + binomial_tail(low, draws, share, upper=below))


def binomial_tail(count: int, draws: int, share: float, *, upper: bool) -> float:
    """Return the probability of at least `count` successes, or of at most `count`."""
    if upper:
        if count <= 0:
            return 1.0
        return incomplete_beta(BetaShape(count, draws - count + 1), share) if count <= draws else 0.0
    if count >= draws:
        return 1.0
    return incomplete_beta(BetaShape(draws - count, count + 1), 1 - share) if count >= 0 else 0.0


def beta_density(shape: BetaShape, at: float) -> float:
    """Return the density of a beta distribution inside 0 and 1."""
    total = shape.successes + shape.failures
    factor = shape.successes * shape.failures / total / (at * (1 - at))
    return binomial_probability(shape.successes, total, at) * factor


def incomplete_beta(shape: BetaShape, at: float) -> float:
    """Return the regularised incomplete beta function: the probability that a beta variable is at most `at`."""
    if at <= 0:
        return 0.0
    if at >= 1:
        return 1.0
    successes, failures = shape
    total = successes + failures
    # The fraction converges fast on this side of the mean only; elsewhere the distribution is turned round.
    if at > (successes + 1) / (total + 2):
        return 1 - incomplete_beta(BetaShape(failures, successes), 1 - at)
    front = binomial_probability(successes, total, at) * failures / total
    return front * _beta_fraction(successes, failures, at)


def _beta_fraction(successes: float, failures: float, at: float) -> float:
    """Return the continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz."""
    total = successes + failures
    denominator = 1 - total * at / (successes + 1)
    denominator = 1 / (denominator if abs(denominator) > _TINY else _TINY)
    numerator = 1.0
    fraction = denominator
    for term in range(1, _MOST_TERMS):
        twice = successes + 2 * term
        even = term * (failures - term) * at / ((twice - 1) * twice)
        odd = -(successes + term) * (total + term) * at / (twice * (twice + 1))
        for part in (even, odd):
            denominator = 1 + part * denominator
            denominator = 1 / (denominator if abs(denominator) > _TINY else _TINY)
            numerator = 1 + part / numerator
            numerator = numerator if abs(numerator) > _TINY else _TINY
            step = denominator * numerator
            fraction *= step
        if abs(step - 1) < _CLOSE:
            break
    return fraction


def chi_square_tail(statistic: float, freedom: int) -> float:
    """
    Return the probability that a chi-square variable with `freedom` degrees of freedom is above `statistic`.

    Without a degree of freedom nothing can differ but by rounding: 1.
    """
    if statistic <= 0 or freedom < 1:
        return 1.0
    if freedom == 1:
        return math.erfc(math.sqrt(statistic / 2))
    return _upper_gamma(freedom / 2, statistic / 2)


def _upper_gamma(shape: float, at: float) -> float:
    """Return the regularised upper incomplete gamma function Q: by its series or its fraction, whichever converges."""
    front = math.exp(shape * math.log(at) - at - math.lgamma(shape))
    if at < shape + 1:
        term = total = 1 / shape
        for step in range(1, _MOST_TERMS):
            term *= at / (shape + step)
            total += term
            if term < total * _CLOSE:
                break
        return 1 - front * total
    bottom = at + 1 - shape
    numerator = 1 / _TINY
    denominator = 1 / bottom
    fraction = denominator
    for step in range(1, _MOST_TERMS):
        part = -step * (step - shape)
        bottom += 2
        denominator = bottom + part * denominator
        denominator = 1 / (denominator if abs(denominator) > _TINY else _TINY)
        numerator = bottom + part / numerator
        numerator = numerator if abs(numerator) > _TINY else _TINY
        change = denominator * numerator
        fraction *= change
        if abs(change - 1) < _CLOSE:
            break
    return front * fraction


def normal_quantile(probability: float) -> float:
    """
    Return the value below which a standard normal variable lies with a probability strictly between 0 and 1.

    By Newton's method on `erfc`, from a rational start (Abramowitz and Stegun 26.2.23): the standard library's own
    (`statistics`) costs ten milliseconds of import.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability is {probability}: a quantile needs one between 0 and 1")
    tail = min(probability, 1 - probability)
    root = math.sqrt(-2 * math.log(tail))
    value = root - (2.515517 + root * (0.802853 + root * 0.010328)) / (
        1 + root * (1.432788 + root * (0.189269 + root * 0.001308))
    )
    for _ in range(4):
        error = 0.5 * math.erfc(value / math.sqrt(2)) - tail
        value += error / (math.exp(-value * value / 2) / math.sqrt(2 * math.pi))
    return value if probability >= 0.5 else -value  # noqa: PLR2004 - the middle


def probability_greater(first: BetaShape, second: BetaShape, times: float = 1.0) -> float:
    """
    Return the probability that the rate of `first` is above `times` the rate of `second`.

    The integral over the rate that is known better is taken by double-exponential quadrature (Takahasi and Mori 1974),
    which bears densities that are steep at an end.
    """
    if times <= 0:
        raise ValueError(f"times is {times}: rates are compared by a factor above 0")
    if first.deviation < second.deviation * times:
        return _integral(first, lambda rate: incomplete_beta(second, rate / times), 1.0)
    turned = BetaShape(first.failures, first.successes)
    return _integral(second, lambda rate: incomplete_beta(turned, 1 - times * rate), 1 / times)


def _integral(shape: BetaShape, function: Callable[[float], float], end: float) -> float:
    """Return the mean of a function of a beta variable over the values up to `end`."""
    low, high = _bulk(shape)
    high = min(high, end)
    if high <= low:
        return 0.0
    half = (high - low) / 2
    total = 0.0
    for distance, weight in _NODES:
        for rate in (low + half * distance, high - half * distance):
            if low < rate < high:
                total += weight * beta_density(shape, rate) * function(rate)
    return min(1.0, total * half)


def _bulk(shape: BetaShape) -> tuple[float, float]:
    """Return bounds outside which a beta distribution has no weight that counts."""
    turned = BetaShape(shape.failures, shape.successes)
    return _lower_bound(shape), 1 - _lower_bound(turned)


def _lower_bound(shape: BetaShape) -> float:
    below, above, step = shape.mean, shape.mean, shape.deviation
    while below > 0 and incomplete_beta(shape, below) > _CLOSE:
        below, above, step = max(0.0, below - step), below, step * 1.5
    for _ in range(4):
        middle = (below + above) / 2
        below, above = (below, middle) if incomplete_beta(shape, middle) > _CLOSE else (middle, above)
    return below


def _double_exponential(step: float, count: int) -> tuple[tuple[float, float], ...]:
    """Return the nodes of the quadrature as distances from either end of an interval of half-width 1, with weights."""
    nodes = []
    for index in range(count + 1):
        inner = math.pi / 2 * math.sinh(index * step)
        weight = step * math.pi / 2 * math.cosh(index * step) / math.cosh(inner) ** 2
        nodes.append((2 / (1 + math.exp(2 * inner)), weight if index else weight / 2))
    return tuple(nodes)


_NODES = _double_exponential(0.04, 85)
