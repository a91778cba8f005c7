"""
Features: the marks of a reply from which the statistical reader estimates its intents.

A feature is a short string: characters in a row (`c:`), a word or Chinese character (`w:`), two neighbours (`b:`), or
two words with any word between them (`s:`). Case, accents, width, script and drawn-out letters are folded away before,
and every digit is `0`. A feature counts once, however often it occurs.
"""

import re
from itertools import pairwise

from dunning.domain.texts.lint.folding import HAN, Folding

LONGEST_READ = 1000
"""Characters of a reply that are read. No person writes more, and the cost stays bounded."""

_LONGEST_ROW = 5
_DIGIT = re.compile(r"[0-9]")
_DRAWN_OUT = re.compile(r"(\D)\1{2,}")
_APOSTROPHES = re.compile("['`´’]")
_SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
_BLANKS = re.compile(r"\s+")
_WORD = re.compile(f"[{HAN}]|[^\\W_{HAN}]+|[^\\w\\s]|_")


def folded_for_features(text: str, folding: Folding) -> str:
    """Return the form of a text from which features are taken."""
    folded = folding.fold(_SKIN_TONES.sub("", text[:LONGEST_READ]))[:LONGEST_READ]
    folded = _DRAWN_OUT.sub(r"\1\1", _DIGIT.sub("0", _APOSTROPHES.sub("", folded)))
    return _BLANKS.sub(" ", folded).strip()


def features_of(folded: str) -> set[str]:
    """Return the features of a folded text; none if it is empty."""
    if not folded:
        return set()
    words = ["<", *_WORD.findall(folded), ">"]
    row = f" {folded} "
    ends = range(1, len(row) + 1)
    features = {f"c:{row[end - length : end]}" for length in range(1, _LONGEST_ROW + 1) for end in ends[length - 1 :]}
    features.update([f"w:{word}" for word in words[1:-1]])
    features.update([f"b:{first} {second}" for first, second in pairwise(words)])
    features.update([f"s:{first} {third}" for first, third in zip(words, words[2:], strict=False)])
    return features
