"""
The learning curve: how much better the reader gets with more replies. `make replies-curve`; it takes some minutes.

Each step trains on every n-th reply of the corpus, with all features that are frequent enough, and answers the exams.
"""

import sys

import numpy as np

from dunning.domain.replies.features import features_of, folded_for_features
from training.corpus import EXAMS, TRAIN, read_corpus
from training.evaluate import EVERYDAY
from training.train import INTENTS, PENALTY, fit, full_folding, vectors_of, vocabulary_of

STEPS = (16, 8, 4, 2, 1)


def main() -> None:
    """Print a line for each step: replies, features, exact sets in the exams."""
    folding, _ = full_folding()
    taught = read_corpus(TRAIN)
    exam = [reply for reply in read_corpus(EXAMS) if reply.writer != EVERYDAY]
    answers = [features_of(folded_for_features(reply.text, folding)) for reply in exam]
    wanted = np.array([[intent in reply.intents for intent in INTENTS] for reply in exam])
    print(f"{'replies':>8}{'features':>10}{'exact sets':>12}")
    for step in STEPS:
        part = taught[::step]
        feature_sets = [features_of(folded_for_features(reply.text, folding)) for reply in part]
        given = np.array([[intent in reply.intents for intent in INTENTS] for reply in part])
        vocabulary = vocabulary_of(feature_sets)
        weights, offsets = fit(vectors_of(feature_sets, vocabulary), given, PENALTY)
        scores = vectors_of(answers, vocabulary) @ weights + offsets
        chosen = scores > 0
        nothing = ~chosen.any(axis=1)
        chosen[np.where(nothing)[0], scores[nothing].argmax(axis=1)] = True
        right = (chosen == wanted).all(axis=1).mean()
        print(f"{len(part):>8,}{len(vocabulary.columns):>10,}{right:>12.3f}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
