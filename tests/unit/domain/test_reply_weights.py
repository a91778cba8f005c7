"""An estimate is the sum of what the features weigh, and only words of several hands are named as its reason."""

from math import exp, sqrt

import pytest

from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.weights import (
    BIAS,
    ReplyWeights,
    Thresholds,
    decisive_words,
    estimate,
    feature_hash,
    is_said_in_words,
    known_features,
    naming_byte,
)

PAID, CHAT = ReplyIntent.PAID, ReplyIntent.CHAT


def weights(**rows: tuple[int, int, int, int]) -> ReplyWeights:
    """Return weights of two intents; each row has a weight for each, the squared frequency, and whether it is named."""
    named = {name.replace("_", ":", 1).replace("_", " "): row for name, row in rows.items()}
    table = b"".join(
        bytes([BIAS + paid, BIAS + chat, idf, is_named and naming_byte(feature)])
        for feature, (paid, chat, idf, is_named) in named.items()
    )
    return ReplyWeights(
        intents=(PAID, CHAT),
        rows={feature_hash(feature): 4 * at for at, feature in enumerate(named)},
        table=table,
        units=(0.5, 0.25),
        offsets=(-1.0, 0.5),
        slopes=(2.0, 1.0),
        shifts=(0.1, 0.0),
        thresholds={PAID: Thresholds(0.9, 0.3, 0.5), CHAT: Thresholds(0.9, 0.3, 0.5)},
    )


def estimate_of(known: ReplyWeights, features: set[str]) -> dict[ReplyIntent, float]:
    return estimate(known, known_features(known, features))


def test_a_probability_is_the_scaled_sum_over_the_length_of_the_vector() -> None:
    known = weights(w_paid=(20, -8, 8, 1), b_paid_it=(4, 0, 10, 1))
    score = (20 + 4) * 0.5 / sqrt((8 + 10) / 2) - 1.0
    probabilities = estimate_of(known, {"w:paid", "b:paid it", "w:never seen"})
    assert probabilities[PAID] == pytest.approx(1 / (1 + exp(-(2 * score + 0.1))))


def test_without_a_known_feature_the_offsets_decide() -> None:
    probabilities = estimate_of(weights(w_paid=(20, -8, 8, 1)), {"w:zorp"})
    assert probabilities[CHAT] == pytest.approx(1 / (1 + exp(-0.5)))


def test_the_strongest_words_are_named_and_no_parts_of_words_or_names() -> None:
    known = weights(
        w_paid=(20, 0, 8, 1), b_paid_it=(30, 0, 8, 1), c_aid=(90, 0, 8, 1), w_chen=(80, 0, 8, 0), w_no=(-9, 0, 8, 1)
    )
    assert decisive_words(known, known_features(known, ["w:paid", "b:paid it", "c:aid", "w:chen", "w:no"]), PAID) == [
        "paid it",
        "paid",
    ]


def test_parts_of_words_alone_say_nothing() -> None:
    known = weights(c_stop=(90, 0, 8, 1), w_stop=(90, 0, 8, 1))
    assert not is_said_in_words(known, known_features(known, ["c:stop", "w:xstopx"]), PAID)
    assert is_said_in_words(known, known_features(known, ["c:stop", "w:stop"]), PAID)
