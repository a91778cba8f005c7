"""
Tokens: the words of a reply, which are Latin words, numbers and single Chinese characters, and its clauses.

Apostrophes are no part of a word (`don't` is `dont`), because people leave them out. A number with signs inside, such
as a date, an amount or a telephone number, is one word, so that no part of it is taken for something else.
"""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

from dunning.domain.texts.lint.folding import HAN, Folding

_WORD = re.compile(f"[a-z]+(?:'[a-z]+)*|[0-9]+(?:[.,:/-][0-9]+)*|[{HAN}]|[^\\W_]")
_SAME_CLAUSE = re.compile(r"[\s\-_'\"/*&+~#$%|^=<>“”«»「」『』]*")
_APOSTROPHES = str.maketrans("`´", "''")
_EMOJI_OF_LETTERS = re.compile("[\u2122\u2139\u24c2\u3297\u3299\U0001f100-\U0001f2ff]")
"""Flags, buttons and signs that fold into letters, but are pictures to their senders."""
_SHORTENED = re.compile(r"[a-z]{3,4}")
"""A word that a full stop may shorten before a number: `Jan. 3`."""
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")
_SPELLED_GAP = 3
_SHORTEST_SPELLED = 3


class Word(NamedTuple):
    """A word, the number of its clause, whether its line is marked as a quotation, and the characters before it."""

    text: str
    clause: int
    quoted: bool = False
    before: str = ""


class Clause(NamedTuple):
    """The start and the end of a clause among the words."""

    start: int
    end: int


def words_of(text: str, folding: Folding) -> list[Word]:
    """Return the words of a text."""
    folded = folding.fold(_EMOJI_OF_LETTERS.sub(" ", text).translate(_APOSTROPHES))
    found: list[Word] = []
    clause = 0
    for line in folded.split("\n"):
        quoted = line.lstrip().startswith(">")
        spelled = -1  # where letters standing alone began
        end = 0
        clause += 1
        for match in _WORD.finditer(line):
            gap = line[end : match.start()]
            word = _DRAWN_OUT.sub(r"\1", match[0].replace("'", ""))
            letter = len(word) == 1 and "a" <= word <= "z"
            goes_on = letter and spelled >= 0 and len(gap) <= _SPELLED_GAP
            if not goes_on:
                _join(found, spelled)
                spelled = len(found) if letter else -1
            if end and not goes_on and not _SAME_CLAUSE.fullmatch(gap):
                shortened = gap == ". " and word[0].isdecimal() and _SHORTENED.fullmatch(found[-1].text)
                clause += not shortened
            found.append(Word(word, clause, quoted, gap))
            end = match.end()
        _join(found, spelled)
    return found


def _join(found: list[Word], start: int) -> None:
    """Join letters that stand alone, such as `s.t.o.p`, to one word, from `start` on."""
    if start >= 0 and len(found) - start >= _SHORTEST_SPELLED:
        word = "".join([letter.text for letter in found[start:]])
        found[start:] = [found[start]._replace(text=word)]


def without(words: Sequence[Word], hidden: Collection[int]) -> list[Word]:
    """Return the words without the hidden words. The words around a hidden word belong to different clauses."""
    left: list[Word] = []
    shift = 0
    for at, word in enumerate(words):
        if at in hidden:
            shift += at - 1 not in hidden
        else:
            left.append(word._replace(clause=word.clause + shift))
    return left


def clauses_of(words: Sequence[Word]) -> list[Clause]:
    """Return the clauses of the words, in order."""
    starts = [at for at, word in enumerate(words) if not at or words[at - 1].clause != word.clause]
    return [Clause(start, end) for start, end in pairwise([*starts, len(words)])]
