"""
Write the table of known answers of our statistics with scipy: `python -m tests.devtools.statistics_table`.

scipy is too large for the environment of the tests, which compare with the table alone. Run this in an environment that
has scipy, with `layers/dunning/python` left out of the path: nothing of ours takes part. With `--check` nothing is
written, and the exit status is 1 if the table would differ.
"""

import json
import math
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from scipy import integrate, special, stats

from tests.devtools.generated import write_or_check

TABLE = Path(__file__).parents[1] / "support" / "vectors" / "statistics.json"

SHAPES = [(1, 1), (0.5, 0.5), (2.43, 397.6), (60, 40), (6_000, 4_000), (100_000, 30_000), (3, 100_000), (0.3, 12)]
RATES = [
    ((3, 200), (20, 9_980), 1.5),
    ((2.43, 397.6), (22, 10_178), 1.5),
    ((0.9, 200.5), (0.7, 10_000), 1.5),
    ((600, 400), (580, 420), 1.0),
    ((6, 4), (5, 5), 1.0),
    ((6, 4), (5, 5), 0.5),
    ((30_000, 20_000), (1_500, 1_000), 1.0),
    ((1, 1), (1, 1), 1.5),
]
ARMS = [
    [(600, 400), (620, 380), (640, 360), (590, 410)],
    [(60, 40), (600, 400), (6_000, 4_000), (61_000, 40_000)],
    [(5, 5), (3, 2), (2, 3), (8, 9)],
    [(1, 1), (300, 200), (301, 200)],
    [(30, 1), (29, 2), (200, 4)],
]
COUNTS = [
    ([9_500, 500], [0.95, 0.05]),
    ([9_620, 380], [0.95, 0.05]),
    ([300, 350, 350], [1 / 3, 1 / 3, 1 / 3]),
    ([40, 20, 20, 20], [0.4, 0.2, 0.2, 0.2]),
]
TABLES = [([30, 60], [1_000, 1_000]), ([500, 30], [9_500, 500]), ([11, 40, 25], [200, 300, 250])]
TRAITS = [
    [[30, 70], [60, 40]],
    [[12, 30, 8], [40, 10, 20]],
    [[5, 9, 4, 3], [6, 2, 8, 8], [9, 9, 1, 2]],
    [[30, 31], [29, 30]],
]
BINOMIALS = [(3, 100, 0.05), (12, 100, 0.05), (0, 150, 0.05), (47, 100, 0.5), (60, 100, 0.5), (1, 100, 0.01),
             (5_300, 100_000, 0.05), (100, 100, 0.95), (5, 100, 0.05)]  # fmt: skip
TWO_GROUPS = [(1_850, 1_900, 95, 100), (56, 70, 48, 80), (9, 10, 3, 10), (10, 10, 0, 20), (600, 1_000, 28, 50)]


def _rounded(value: float) -> float:
    """Return a number with the digits that are sure."""
    return float(f"{float(value):.13g}")


def _greater(first: tuple[float, float], second: tuple[float, float], times: float) -> float:
    """Integrate over the square root of the second rate, so that no density is steep at 0."""

    def height(root: float) -> float:
        at = root * root
        return float(2 * root * stats.beta.pdf(at, *second) * stats.beta.sf(times * at, *first))

    end = math.sqrt(min(1.0, 1 / times))
    marks = [
        math.sqrt(stats.beta.ppf(q, *second)) for q in (1e-12, 1e-6, 0.01, 0.2, 0.5, 0.8, 0.99, 1 - 1e-6, 1 - 1e-12)
    ]
    marks += [math.sqrt(stats.beta.ppf(q, *first) / times) for q in (1e-6, 0.01, 0.5, 0.99, 1 - 1e-6)]
    edges = [0.0, *sorted(mark for mark in marks if 0 < mark < end), end]
    pieces = pairwise(edges)
    return math.fsum(
        integrate.quad(height, low, high, epsabs=1e-14, epsrel=1e-12, limit=200)[0] for low, high in pieces
    )


def _best(shapes: Sequence[tuple[float, float]]) -> list[float]:
    """Add up the products of the other arms' distributions over steps of the own distribution."""
    steps = np.linspace(0, 1, 40_001)
    grid = np.unique(np.concatenate([stats.beta.ppf(steps, *shape) for shape in shapes]))
    cumulated = [stats.beta.cdf(grid, *shape) for shape in shapes]
    weights = []
    for own, column in enumerate(cumulated):
        others = np.prod([each for other, each in enumerate(cumulated) if other != own], axis=0)
        weights.append(round(float(np.sum(np.diff(column) * (others[1:] + others[:-1]) / 2)), 6))
    return weights


def _newcombe(y: int, n: int, other_y: int, other_n: int) -> list[float]:
    ours = stats.binomtest(y, n).proportion_ci(method="wilson")
    theirs = stats.binomtest(other_y, other_n).proportion_ci(method="wilson")
    rate, other = y / n, other_y / other_n
    low = rate - other - math.sqrt((rate - ours.low) ** 2 + (theirs.high - other) ** 2)
    high = rate - other + math.sqrt((ours.high - rate) ** 2 + (other - theirs.low) ** 2)
    return [_rounded(low), _rounded(high)]


def _clusters() -> list[dict[str, Any]]:
    """Return customers with several rungs, and their ratio with the variance of its linear part."""
    tables = []
    for seed, customers in ((1, 40), (2, 300)):
        rng = np.random.default_rng(seed)
        rungs = rng.integers(1, 5, customers)
        cured = rng.binomial(rungs, rng.beta(3, 2, customers))
        rate = cured.sum() / rungs.sum()
        linear = (cured - rate * rungs) / rungs.mean()
        tables.append(
            {
                "y": cured.tolist(),
                "k": rungs.tolist(),
                "rate": _rounded(rate),
                "error": _rounded(stats.sem(linear)),
            }
        )
    return tables


def _snips() -> dict[str, Any]:
    """Return logged draws, and the value of other weights with the error of its linear part, by customer."""
    rng = np.random.default_rng(3)
    logged = np.array([0.5, 0.3, 0.2])
    new = np.array([0.2, 0.2, 0.6])
    arms = rng.choice(3, 400, p=logged)
    cured = rng.random(400) < np.array([0.6, 0.55, 0.65])[arms]
    clusters = rng.integers(0, 250, 400)
    weights = (0.1 / 3 + 0.9 * new[arms]) / logged[arms]
    former = (0.1 / 3 + 0.9 * logged[arms]) / logged[arms]
    value, old = np.average(cured, weights=weights), np.average(cured, weights=former)
    parts = weights * (cured - value) / weights.sum() - former * (cured - old) / former.sum()
    error = math.sqrt(np.sum(np.bincount(clusters, parts) ** 2))
    half = stats.norm.ppf(0.975) * error
    return {
        "logged": logged.tolist(),
        "weights": new.tolist(),
        "arms": arms.tolist(),
        "cured": cured.astype(int).tolist(),
        "clusters": clusters.tolist(),
        "new": _rounded(value),
        "old": _rounded(old),
        "difference": [_rounded(value - old - half), _rounded(value - old + half)],
        "effective": _rounded(weights.sum() ** 2 / (weights**2).sum()),
    }


def _association(rows: list[list[int]]) -> float:
    """Return Cramer's V with the correction of W. Bergsma (2013)."""
    total, (height, width) = np.sum(rows), np.shape(rows)
    squared = stats.chi2_contingency(rows, correction=False)[0] / total
    squared = max(0, squared - (height - 1) * (width - 1) / (total - 1))
    height, width = height - (height - 1) ** 2 / (total - 1), width - (width - 1) ** 2 / (total - 1)
    return _rounded(math.sqrt(squared / (min(height, width) - 1)))


def _answers(function: Callable[..., float], questions: list[Any]) -> list[list[Any]]:
    return [[*question, _rounded(function(*question))] for question in questions]


def table() -> str:
    """Return the file."""
    points = [
        (*shape, _rounded(stats.beta.ppf(q, *shape))) for shape in SHAPES for q in (1e-6, 0.01, 0.3, 0.5, 0.9, 0.999)
    ]
    inside = [point for point in points if 0 < point[2] < 1]
    answers = {
        "scipy": scipy.__version__,
        "incomplete_beta": _answers(special.betainc, inside),
        "beta_density": _answers(lambda a, b, x: stats.beta.pdf(x, a, b), inside),
        "chi_square_tail": _answers(
            stats.chi2.sf,
            [(3.84, 1), (10.83, 1), (40, 1), (5, 2), (20, 3), (0.1, 4), (100, 7), (40, 60)],
        ),
        "binomial_test": _answers(lambda y, n, p: stats.binomtest(y, n, p).pvalue, BINOMIALS),
        "normal_quantile": _answers(stats.norm.ppf, [(q,) for q in (1e-10, 0.001, 0.025, 0.5, 0.8, 0.975, 0.9995)]),
        "probability_greater": [[list(a), list(b), t, _rounded(_greater(a, b, t))] for a, b, t in RATES],
        "best_arm_weights": [[[list(shape) for shape in shapes], _best(shapes)] for shapes in ARMS],
        "newcombe": [[*groups, _newcombe(*groups)] for groups in TWO_GROUPS],
        "fit_to_shares": [
            [counts, shares, _rounded(stats.chisquare(counts, np.array(shares) * sum(counts)).pvalue)]
            for counts, shares in COUNTS
        ],
        "fit_of_rates": [
            [
                ys,
                ns,
                _rounded(
                    stats.chi2_contingency([ys, [n - y for y, n in zip(ys, ns, strict=True)]], correction=False)[1]
                ),
            ]
            for ys, ns in TABLES
        ],
        "association": [[rows, _association(rows)] for rows in TRAITS],
        "clusters": _clusters(),
        "snips": _snips(),
    }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in answers.items())
    return "{\n" + lines + "\n}\n"


def _differing() -> list[str]:
    return [] if TABLE.exists() and TABLE.read_text("utf-8") == table() else [TABLE.name]


def _write() -> None:
    TABLE.write_text(table(), "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Write the table, or with `--check` tell whether it would differ."""
    return write_or_check(__doc__ or "", _write, _differing, arguments)


if __name__ == "__main__":
    sys.exit(main())
