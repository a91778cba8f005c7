"""
Weights: the numbers that the statistical reader has learned, and the estimate made with them.

The reader is linear. Each intent has a weight for each feature; the sum over the features of a reply, divided by the
length of their vector, is the score of the intent. A slope and an offset turn a score into a probability: they are
measured with replies of writers that the weights were not trained on (Platt scaling). `make replies-train` learns both.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import exp, sqrt
from typing import NamedTuple
from zlib import crc32

from dunning.domain.replies.intents import ReplyIntent

BIAS = 128
"""A stored weight is a byte: 128 stands for zero."""
IDF_SQUARED_UNIT = 2
"""The squared inverse document frequency of a feature is stored in halves."""
_DECISIVE = 3
_ENDS = frozenset("<>")
"""Stand for the start and the end of a reply."""
_NO_WORDS = " .,;:!?…\"'()*-"
_LOGIT_LIMIT = 30.0


class Thresholds(NamedTuple):
    """The lowest probability at which an intent is sure, is likely, and belongs to the best guess."""

    sure: float
    likely: float
    guess: float


class ReplyWeights(NamedTuple):
    """
    The learned numbers. `rows` maps the hash of a feature to the position of its row in `table`.

    A row holds a byte for each intent, in the order of `intents`, a byte for the squared inverse document frequency,
    and a byte that is zero unless a log may name the feature (several hands wrote it, and it is no name or figure).
    That byte is a second hash, so that a word with the first hash of another is not named in its place.
    """

    intents: tuple[ReplyIntent, ...]
    rows: Mapping[int, int]
    table: bytes
    units: Sequence[float]
    """The value of one step of a byte, for each intent."""
    offsets: Sequence[float]
    slopes: Sequence[float]
    shifts: Sequence[float]
    thresholds: Mapping[ReplyIntent, Thresholds]

    @property
    def width(self) -> int:
        """The bytes of a row."""
        return len(self.intents) + 2


def feature_hash(feature: str) -> int:
    """Return the hash of a feature: the same on every machine."""
    return crc32(feature.encode())


def naming_byte(feature: str) -> int:
    """Return the second hash of a feature that a log may name: a byte that is not zero."""
    return 1 + crc32(feature[::-1].encode()) % 255


def known_features(weights: ReplyWeights, features: Iterable[str]) -> dict[str, int]:
    """Return the features that the reader knows, each with the position of its row."""
    rows = weights.rows
    return {feature: row for feature in features if (row := rows.get(crc32(feature.encode()))) is not None}


def estimate(weights: ReplyWeights, known: Mapping[str, int]) -> dict[ReplyIntent, float]:
    """Estimate the probability of each intent of a reply from its known features."""
    table, width = weights.table, weights.width
    rows = [table[row : row + width] for row in known.values()]
    *sums, squares, _ = map(sum, zip(*rows, strict=True)) if rows else [0] * width
    length = sqrt(squares / IDF_SQUARED_UNIT) or 1.0
    zero = BIAS * len(rows)
    return {
        intent: _sigmoid(slope * ((total - zero) * unit / length + offset) + shift)
        for intent, total, unit, offset, slope, shift in zip(
            weights.intents, sums, weights.units, weights.offsets, weights.slopes, weights.shifts, strict=True
        )
    }


def decisive_words(weights: ReplyWeights, known: Mapping[str, int], intent: ReplyIntent) -> list[str]:
    """Return the words and neighbours that spoke most for an intent, the strongest first, if a log may name them."""
    position = weights.intents.index(intent)
    strength: dict[str, int] = {}
    for feature, row in known.items():
        weight = weights.table[row + position]
        if feature[0] == "c" or weight <= BIAS or weights.table[row + weights.width - 1] != naming_byte(feature):
            continue
        words = " ".join([word for word in feature[2:].split(" ") if word not in _ENDS]).strip(_NO_WORDS)
        if words and weight > strength.get(words, 0):
            strength[words] = weight
    return sorted(strength, key=lambda words: (-strength[words], words))[:_DECISIVE]


def is_said_in_words(weights: ReplyWeights, known: Mapping[str, int], intent: ReplyIntent) -> bool:
    """Tell whether a known word speaks for an intent, and not only parts of words: `xremovex` asks for nothing."""
    position = weights.intents.index(intent)
    return any(
        feature[0] != "c" and weights.table[row + position] > BIAS and not _ENDS.issuperset(feature[2:].split(" "))
        for feature, row in known.items()
    )


def _sigmoid(logit: float) -> float:
    return 1 / (1 + exp(-max(-_LOGIT_LIMIT, min(_LOGIT_LIMIT, logit))))
