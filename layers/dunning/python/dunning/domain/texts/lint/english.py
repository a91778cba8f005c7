"""
English words of a folded text, and words in pieces: `l a w s u i t`, `j.a.i.l`, `arr-est`.

The letters i and l are one here: in most typefaces a capital I and a small l look the same.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_TOKEN = re.compile("[a-z]+|[0-9]+|[%#]")
_SHORTEST_IN_PIECES = 5
_WIDEST_GAP = 3

COMMON = frozenset(
    "a i s t d m am an and any are as at be by can do for go had has have he her hi how if in is it me may my no not "
    "of off on one or our out per see she so the to up us was we who you your app pay pro act car new all re"
    .replace("i", "l").split()
)  # fmt: skip
"""Words that longer ones begin with, and letters that stand behind an apostrophe: no word in pieces begins so."""


class Token(NamedTuple):
    """A word of a text, a percent sign, or # for a number; and where it stands."""

    word: str
    start: int
    end: int


class Pieces(NamedTuple):
    """The words that are looked for in pieces, and all their beginnings."""

    words: frozenset[str]
    beginnings: frozenset[str]


def pieces_of(words: Iterable[str]) -> Pieces:
    """Return what is needed to find words in pieces."""
    every = frozenset(words)
    return Pieces(every, frozenset(word[:length] for word in every for length in range(1, len(word))))


def tokens_of(folded: str) -> list[Token]:
    """Return the words of a folded text, in order."""
    return [
        Token("#" if match[0].isdigit() else match[0].replace("i", "l"), match.start(), match.end())
        for match in _TOKEN.finditer(folded)
    ]


def joined(tokens: Sequence[Token], folded: str, pieces: Pieces) -> list[Token]:
    """Return the tokens with those joined that are one word in pieces."""
    whole: list[Token] = []
    index = 0
    while index < len(tokens):
        token, following = tokens[index], index + 1
        if token.word in pieces.beginnings:
            token, following = _word_in_pieces(tokens, index, folded, pieces)
        whole.append(token)
        index = following
    return whole


def _word_in_pieces(tokens: Sequence[Token], index: int, folded: str, pieces: Pieces) -> tuple[Token, int]:
    spelled, start = tokens[index].word, tokens[index].start
    letters = len(spelled) == 1
    common = spelled in COMMON
    found, after = tokens[index], index + 1
    for following in range(index + 1, len(tokens)):
        before, token = tokens[following - 1], tokens[following]
        letters = letters and len(token.word) == 1
        gap = folded[before.end : token.start]
        if spelled not in pieces.beginnings or not _joins(gap, letters=letters, common=common):
            break
        spelled += token.word
        if spelled in pieces.words and _is_spelled_out(spelled, letters=letters):
            found, after = Token(spelled, start, token.end), following + 1
    return found, after


def _joins(gap: str, *, letters: bool, common: bool) -> bool:
    """Tell whether two pieces may be of one word: single letters a little apart, others by one character only."""
    if letters:
        return len(gap) <= _WIDEST_GAP
    return not common and len(gap) <= 1 and gap not in {",", ";", ":", "!", "?", "/"}


def _is_spelled_out(word: str, *, letters: bool) -> bool:
    if letters:
        return not COMMON.issuperset(word)
    return len(word) >= _SHORTEST_IN_PIECES
