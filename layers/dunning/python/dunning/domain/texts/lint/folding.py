"""
Folding: the one form in which differently written words are the same, for the list of words and for the texts.

Folded are width and other compatibility forms, case, accents, characters that cannot be seen, letters that look like
Latin ones, and Traditional characters. What a sender may put between the characters of a word stays: the readings
below take it away where it hides a word, and keep it where it parts two clauses.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from string import ascii_letters
from typing import NamedTuple

_HAN = (("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"), ("\U00020000", "\U0002f7ff"), ("\U00030000", "\U0003ffff"))
HAN = "".join(f"{first}-{last}" for first, last in _HAN)
"""Chinese characters, as the inside of a character class, without the ones that are compatibility forms of others."""

INVISIBLE = (
    "\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000e0000-\U000e0fff"
)
"""Control and format characters, fillers, variation selectors, lone surrogates; a line feed is none of them."""

CLAUSE_MARKS = "。，；：！？,;:!?【】"
"""Marks between clauses: no word reaches across one of them."""

_INVISIBLE = re.compile(f"[{INVISIBLE}]+")
BETWEEN = f"[^{HAN}0-9A-Za-z{CLAUSE_MARKS}]"
"""What may stand between two characters of one Chinese word, as a character class."""

_LETTERS_AND_MARKS = frozenset(f"{ascii_letters}{CLAUSE_MARKS}")
_NUMBER_OR_BETWEEN = re.compile(f"([0-9]+)|{BETWEEN}+")
"""Says Chinese characters once only: each time they stand in a pattern, compiling it takes 2 ms of a cold start."""

_LEET_TOKEN = re.compile(r"[a-z0-9@$!|]*(?:[0-9@$!|][a-z]|[a-z][0-9|][0-9|]?(?![0-9|]|[.,][0-9]))[a-z0-9@$!|]*")
"""Digits and signs among letters; an amount behind its currency, USD325.00, is none of them."""
_LEET = str.maketrans("01!|345789@$", "ollleastbgas")
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u302a-\u302f"
    "\u3099\u309a\ufe20-\ufe2f]+"
)


class Characters(NamedTuple):
    """
    Which characters stand for which.

    `simplified` maps the Traditional and variant characters of the words to Simplified ones, `lookalikes` maps letters
    of other alphabets to the Latin letters they look like.
    """

    simplified: Mapping[str, str]
    lookalikes: Mapping[str, str]


class HanReading(NamedTuple):
    """A folded text without what stands between Chinese characters; `at` tells where each character was."""

    text: str
    at: Sequence[int]


class Folding:
    """Folds texts."""

    def __init__(self, characters: Characters) -> None:
        latin = {lookalike: letter.lower() for lookalike, letter in characters.lookalikes.items()}
        self._plain = str.maketrans({**characters.simplified, **latin, **dict.fromkeys("‘’ʼ", "'")})
        # Compatibility forms of letters that look otherwise: they have to go before they are taken apart.
        self._unstable = frozenset(
            lookalike for lookalike in latin if unicodedata.normalize("NFKD", lookalike) != lookalike
        )
        self._variants: dict[str, str] = {}
        for variant, plain in characters.simplified.items():
            self._variants[plain] = self._variants.get(plain, plain) + variant

    def fold(self, text: str) -> str:
        """Return the folded form of a text."""
        text = _INVISIBLE.sub("", text)
        if text.isascii():
            return text.casefold()
        if not self._unstable.isdisjoint(text):
            text = text.translate(self._plain)
        text = _INVISIBLE.sub("", _MARKS.sub("", unicodedata.normalize("NFKD", text)))
        # Look-alikes before case is lost: a Greek capital looks like H, its small letter like n.
        return text.translate(self._plain).casefold()

    def variants(self, character: str) -> str:
        """Return every character that folds into a folded one, itself included."""
        return self._variants.get(character, character)


def han_reading(folded: str) -> HanReading:
    """Return a folded text as Chinese is read: nothing between its characters, any number written as one `#`."""
    parts: list[str] = []
    at: list[int] = []
    done = 0
    for match in _NUMBER_OR_BETWEEN.finditer(folded):
        start, end = match.span()
        if not match[1] and not _inside_chinese(folded, start, end):
            continue
        parts.append(folded[done:start])
        at.extend(range(done, start))
        if match[1]:
            parts.append("#")
            at.append(start)
        done = end
    parts.append(folded[done:])
    at.extend(range(done, len(folded)))
    return HanReading("".join(parts), at)


def _inside_chinese(folded: str, start: int, end: int) -> bool:
    """Tell whether what stands between characters has one that is read on both sides: Chinese, or a digit."""
    return (
        start > 0
        and end < len(folded)
        and folded[start - 1] not in _LETTERS_AND_MARKS
        and folded[end] not in _LETTERS_AND_MARKS
    )


def is_han(character: str) -> bool:
    """Tell whether a character is one of `HAN`."""
    return any(first <= character <= last for first, last in _HAN)


def without_digits_for_letters(folded: str) -> str:
    """Return a folded text whose `j4il` and `p0lice` are spelled out; numbers that stand alone stay."""
    return _LEET_TOKEN.sub(lambda token: token[0].translate(_LEET), folded)
