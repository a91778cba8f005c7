"""
What a wording may not hold, checked when it is loaded: forbidden words, and characters that cost or get lost.

The values filled in later cannot bring any of it along: a masked name, digits, a date, and the lender's own words,
which are checked here too.
"""

import re
import unicodedata
from collections.abc import Iterable

from dunning.domain.segments import is_gsm
from dunning.policy.schema import ForbiddenFile

_INVISIBLE = re.compile(r"[\s\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u2064\ufeff]")
_REFUSED_BY_CARRIERS = frozenset("¥￥★☆◆●【】")
"""Mainland carriers refuse a template that holds one of these (rules.md 1.1); the sender's 【…】 is added by us."""


class Wordings:
    """Judges wordings against the list of what no text may say."""

    def __init__(self, forbidden: ForbiddenFile) -> None:
        self._zh = [(folded(word), entry.rule) for entry in forbidden.words for word in entry.zh]
        self._en = [
            (re.compile(rf"\b{re.escape(word)}\b"), word, entry.rule) for entry in forbidden.words for word in entry.en
        ]

    def faults(self, wording: str, language: str) -> Iterable[str]:
        """Yield what is wrong with a wording, a reason each."""
        compact = folded(wording)
        for word, rule in self._zh:
            if word in compact:
                yield f"says {word!r}: {rule}"
        spaced = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", wording)).casefold()
        for pattern, word, rule in self._en:
            if pattern.search(spaced):
                yield f"says {word!r}: {rule}"
        if language == "en" and not is_gsm(wording):
            wrong = next(character for character in wording if not is_gsm(character))
            yield f"holds {wrong!r}, which is not in the GSM alphabet: 160 characters a segment would become 70"
        if refused := sorted(_REFUSED_BY_CARRIERS & set(wording)):
            yield f"holds {refused[0]!r}, which carriers refuse"


def folded(wording: str) -> str:
    """Fold widths and case, and drop blanks and invisible characters, which can hide a word from a list."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", wording)).casefold()
