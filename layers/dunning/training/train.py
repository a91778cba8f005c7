"""
Train the statistical reader of replies: `make replies-train`. It takes a few minutes.

    corpus/train ──> features ──> a weight for each feature and intent (logistic regression, one an intent)
                        │
                        └──> the same with each group of writers held out ──> scores of replies of unseen writers
                                   └──> probabilities (second step), and thresholds with their measured precision

The same corpus and program give the same weights. The weights remember a digest of both, and `make build` refuses a
layer whose weights are older than the corpus or the program.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from math import log, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from opencc import OpenCC  # type: ignore[attr-defined]
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from dunning.domain.replies.features import features_of, folded_for_features
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.weights import BIAS, IDF_SQUARED_UNIT, feature_hash, naming_byte
from dunning.domain.texts.lint.folding import Characters, Folding
from dunning.policy.linter_files import characters_in
from training.corpus import TRAIN, LabelledReply, read_corpus
from training.stale import training_digest

READER = Path(__file__).parents[1] / "python/dunning/policy/data/reader"

INTENTS = tuple(ReplyIntent)
FOLDS = 6
FEWEST_REPLIES = 3
"""A feature of fewer replies teaches nothing about other people's replies."""
MOST_FEATURES = 40_000
PENALTY, SECOND_PENALTY = 1 / 60, 1e-3
FEWEST_HANDS = 4
"""A word that fewer writers used may be a name."""
LARGEST_BYTE = 127

USUAL_PRECISION = 0.87
WANTED_PRECISION = {
    ReplyIntent.OPT_OUT: 0.97,
    ReplyIntent.WRONG_PERSON: 0.97,
    ReplyIntent.DECEASED: 0.97,
    ReplyIntent.REPRESENTED: 0.97,
    ReplyIntent.ACKNOWLEDGED: 0.97,
    ReplyIntent.AUTO_REPLY: 0.97,
    ReplyIntent.OPT_IN: 0.95,
    ReplyIntent.REFUSAL: 0.95,
}
"""The share that has to be right where an intent is acted on without a person."""
USUAL_LIKELY = 0.40
LIKELY = {
    ReplyIntent.OPT_OUT: 0.12,
    ReplyIntent.DISTRESS: 0.08,
    ReplyIntent.WRONG_PERSON: 0.2,
    ReplyIntent.DECEASED: 0.2,
}
"""What must not be missed is likely early."""

_INSIDE_A_SENTENCE = re.compile(r"(?<=[a-z,] )[^\W\d_]+")
_FAMILY_NAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段钱汤尹黎易常武乔贺赖龚詹洪柯简游翁卓纪欧阳司马"
)
_NUMERALS = "零〇一二两三四五六七八九十百千万"
"""A log names none of these characters, although some of them are words, too."""

type Matrix = NDArray[np.float64]
type Flags = NDArray[np.bool_]


class Vocabulary(NamedTuple):
    """The features that are kept: their columns, and their inverse document frequencies as they are stored."""

    columns: dict[str, int]
    idf: Matrix
    stored: NDArray[np.uint8]


def full_folding() -> tuple[Folding, dict[str, str]]:
    """Return the folding of replies, with every character that has a Simplified form, and these characters."""
    characters = characters_in(READER.parent)
    every = [chr(code) for code in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    simplified = dict(characters.simplified)
    for direction in ("hk2s", "tw2s", "t2s"):
        plain = _converted("\n".join(every), direction).split("\n")
        simplified |= {variant: form for variant, form in zip(every, plain, strict=True) if variant != form}
    simplified = {variant: form for variant, form in simplified.items() if len(form) == 1 and form not in simplified}
    return Folding(Characters(simplified, characters.lookalikes)), simplified


def _converted(text: str, direction: str) -> str:
    return str(OpenCC(direction).convert(text))  # type: ignore[no-untyped-call]


def vocabulary_of(feature_sets: Sequence[set[str]], wanted: frozenset[str] | None = None) -> Vocabulary:
    """Return the features that enough replies have, in the order of their names."""
    counts = Counter(feature for features in feature_sets for feature in features)
    kept = sorted(
        feature
        for feature, count in counts.items()
        if count >= FEWEST_REPLIES and (wanted is None or feature in wanted)
    )
    total = len(feature_sets)
    idf = np.array([log((1 + total) / (1 + counts[feature])) + 1 for feature in kept])
    stored = np.clip(np.rint(idf**2 * IDF_SQUARED_UNIT), 1, 255).astype(np.uint8)
    return Vocabulary(
        {feature: column for column, feature in enumerate(kept)}, np.sqrt(stored / IDF_SQUARED_UNIT), stored
    )


def vectors_of(feature_sets: Sequence[set[str]], vocabulary: Vocabulary) -> csr_matrix:
    """Return one normalised row a reply."""
    columns, starts, values = [], [0], []
    for features in feature_sets:
        known = sorted([vocabulary.columns[feature] for feature in features if feature in vocabulary.columns])
        weights = vocabulary.idf[known]
        columns += known
        values += list(weights / (sqrt(float((weights**2).sum())) or 1.0))
        starts.append(len(columns))
    return csr_matrix((values, columns, starts), shape=(len(feature_sets), len(vocabulary.columns)))


def fit(vectors: csr_matrix, given: Flags, penalty: float) -> tuple[Matrix, Matrix]:
    """Fit a logistic regression for each intent; return weights (features x intents) and offsets."""
    width, intents = vectors.shape[1], given.shape[1]
    signs = np.where(given, 1.0, -1.0)
    transposed = vectors.T.tocsr()

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        weights, offsets = flat[: width * intents].reshape(width, intents), flat[width * intents :]
        margins = signs * (vectors @ weights + offsets)
        errors = -signs / (1 + np.exp(np.clip(margins, -30, 30)))
        gradient = np.concatenate([(transposed @ errors + penalty * weights).ravel(), errors.sum(axis=0)])
        return float(np.logaddexp(0, -margins).sum() + penalty / 2 * (weights**2).sum()), gradient

    start = np.zeros(width * intents + intents)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 150, "maxcor": 8, "ftol": 1e-7})
    return found.x[: width * intents].reshape(width, intents), found.x[width * intents :]


def groups_of_writers(replies: Sequence[LabelledReply]) -> list[frozenset[str]]:
    """Part the writers into groups of about equal size, the largest writers first."""
    sizes = Counter(reply.writer for reply in replies)
    groups: list[set[str]] = [set() for _ in range(FOLDS)]
    for writer, _ in sorted(sizes.items(), key=lambda pair: (-pair[1], pair[0])):
        min(groups, key=lambda group: sum(sizes[member] for member in group)).add(writer)
    return [frozenset(group) for group in groups]


def held_out_scores(replies: Sequence[LabelledReply], vectors: csr_matrix, given: Flags) -> Matrix:
    """Return the scores of each reply by weights that were trained without its writer."""
    scores = np.zeros(given.shape)
    writers = np.array([reply.writer for reply in replies])
    for group in groups_of_writers(replies):
        out = np.isin(writers, sorted(group))
        weights, offsets = fit(vectors[~out], given[~out], PENALTY)
        scores[out] = vectors[out] @ weights + offsets
        print(f"  held out: {', '.join(sorted(group))}", file=sys.stderr, flush=True)
    return scores


def calibrated(scores: Matrix, given: Flags) -> tuple[Matrix, Matrix]:
    """Fit the slope and the shift that turn the scores of each intent into logits (Platt scaling)."""
    fitted = [
        fit(csr_matrix(scores[:, [column]]), given[:, [column]], SECOND_PENALTY) for column in range(given.shape[1])
    ]
    return np.array([slope[0, 0] for slope, _ in fitted]), np.array([shift[0] for _, shift in fitted])


def loggable_features(
    vocabulary: Vocabulary, feature_sets: Sequence[set[str]], replies: Sequence[LabelledReply]
) -> NDArray[np.uint8]:
    """Tell of each feature whether a log may name it: words of several hands, without a figure or a name."""
    names = words_like_names(replies)
    hands: dict[str, set[str]] = {}
    for reply, features in zip(replies, feature_sets, strict=True):
        for feature in features:
            if feature[0] != "c" and "0" not in feature and feature in vocabulary.columns:
                hands.setdefault(feature, set()).add(reply.writer)
    return np.array(
        [
            naming_byte(feature)
            if len(hands.get(feature, ())) >= FEWEST_HANDS and names.isdisjoint(feature[2:].split(" "))
            else 0
            for feature in vocabulary.columns
        ],
        dtype=np.uint8,
    )


def words_like_names(replies: Sequence[LabelledReply]) -> set[str]:
    """Return words that are mostly written with a capital where no sentence begins, and Chinese family names."""
    counts: dict[str, list[int]] = {}
    for reply in replies:
        for word in _INSIDE_A_SENTENCE.findall(reply.text):
            if len(word) > 1 and not word.isupper():
                counted = counts.setdefault(word.lower(), [0, 0])
                counted[word[0].isupper()] += 1
    return {word for word, (small, capital) in counts.items() if capital > small} | {*_FAMILY_NAMES, *_NUMERALS}


def quantised(weights: Matrix) -> tuple[NDArray[np.uint8], Matrix]:
    """Return weights as bytes, and the value of one unit for each intent."""
    units = np.abs(weights).max(axis=0) / LARGEST_BYTE
    return (np.rint(weights / units) + BIAS).astype(np.uint8), units


def strongest(vocabulary: Vocabulary, weights: Matrix) -> frozenset[str]:
    """Return the features that move some intent most."""
    strength = (np.abs(weights) * vocabulary.idf[:, None]).max(axis=1)
    order = np.argsort(-strength, kind="stable")[:MOST_FEATURES]
    names = list(vocabulary.columns)
    return frozenset(names[index] for index in order)


class Precision(NamedTuple):
    """What was measured above a threshold: the share that is right, with the lower end of its 95 % interval."""

    right: float
    at_least: float
    recall: float


def thresholds_document(probabilities: Matrix, given: Flags, at_zero: Matrix) -> str:
    """
    Choose the thresholds by replies of writers that were held out, and write them with what was measured.

    An intent is sure from the lowest probability on above which the wanted share is right. It is likely from a fixed
    probability on. It belongs to the best guess where its score is above zero.
    """
    lines = [
        "# The probabilities at which an intent is sure, is likely, and belongs to the best guess. Written by",
        "# `make replies-train`, measured with replies of writers that the weights were not trained on.",
    ]
    for column, intent in enumerate(INTENTS):
        sure = sure_threshold(probabilities[:, column], given[:, column], WANTED_PRECISION.get(intent, USUAL_PRECISION))
        likely = LIKELY.get(intent, USUAL_LIKELY)
        lines += ["", f"[{intent}]"]
        for name, threshold in (("sure", sure), ("likely", likely), ("guess", float(at_zero[column]))):
            measured = precision_above(threshold, probabilities[:, column], given[:, column])
            lines.append(
                f"{name} = {threshold:.3f} # right: {measured.right:.3f} (at least {measured.at_least:.3f}); "
                f"heard: {measured.recall:.3f}"
            )
    return "\n".join(lines) + "\n"


def sure_threshold(probabilities: Matrix, given: Flags, wanted: float) -> float:
    """Return the lowest hundredth above which the wanted share is right, at the lower end of its interval."""
    for threshold in np.arange(0.50, 0.995, 0.01):
        if precision_above(float(threshold), probabilities, given).at_least >= wanted:
            return float(threshold)
    return 0.99


def precision_above(threshold: float, probabilities: Matrix, given: Flags) -> Precision:
    """Measure what is above a threshold (Wilson's interval)."""
    chosen = probabilities >= threshold
    total, right = int(chosen.sum()), int((chosen & given).sum())
    if not total:
        return Precision(0.0, 0.0, 0.0)
    share, z = right / total, 1.96
    centre = share + z * z / (2 * total)
    spread = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return Precision(share, (centre - spread) / (1 + z * z / total), right / int(given.sum()))


def main() -> None:
    """Train, and write the weights, the thresholds and what was measured."""
    folding, simplified = full_folding()
    replies = read_corpus(TRAIN)
    print(f"{len(replies):,} replies of {len({reply.writer for reply in replies})} writers", file=sys.stderr)
    feature_sets = [features_of(folded_for_features(reply.text, folding)) for reply in replies]
    given = np.array([[intent in reply.intents for intent in INTENTS] for reply in replies])
    every = vocabulary_of(feature_sets)
    weights, _ = fit(vectors_of(feature_sets, every), given, PENALTY)
    vocabulary = vocabulary_of(feature_sets, strongest(every, weights))
    vectors = vectors_of(feature_sets, vocabulary)
    weights, offsets = fit(vectors, given, PENALTY)
    print(f"{len(vocabulary.columns):,} features of {len(every.columns):,}", file=sys.stderr)
    held_out = held_out_scores(replies, vectors, given)
    slopes, shifts = calibrated(held_out, given)
    table, units = quantised(weights * vocabulary.idf[:, None])
    hashes = np.array([feature_hash(feature) for feature in vocabulary.columns], dtype="<u4")
    order = np.argsort(hashes, kind="stable")
    loggable = loggable_features(vocabulary, feature_sets, replies)
    rows = np.hstack([table, vocabulary.stored[:, None], loggable[:, None]])[order]
    READER.mkdir(exist_ok=True)
    (READER / "weights.bin").write_bytes(hashes[order].tobytes() + rows.tobytes())
    document = {
        "digest": training_digest(),
        "replies": len(replies),
        "intents": list(INTENTS),
        "features": len(hashes),
        "units": _rounded(units),
        "offsets": _rounded(offsets),
        "slopes": _rounded(slopes),
        "shifts": _rounded(shifts),
        "variants": "".join(sorted(simplified)),
        "simplified": "".join([simplified[variant] for variant in sorted(simplified)]),
    }
    (READER / "weights.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
    probabilities = 1 / (1 + np.exp(-(held_out * slopes + shifts)))
    at_zero = 1 / (1 + np.exp(-shifts))
    (READER / "thresholds.toml").write_text(thresholds_document(probabilities, given, at_zero), "utf-8")


def _rounded(values: Matrix) -> list[float]:
    return [float(f"{value:.6g}") for value in values]


if __name__ == "__main__":
    main()
