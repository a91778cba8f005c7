"""Plain text in columns on a terminal: a Chinese character takes two."""

import unicodedata
from collections.abc import Iterator
from itertools import zip_longest

WIDTH = 100
"""The columns of a line."""

_NEVER_FIRST = frozenset("，。、；：！？）】」』,.;:!?)")


def width_of(text: str) -> int:
    """Return how many columns a text takes: a Chinese character takes two."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Fill a text up with spaces to a width in columns."""
    filling = " " * max(0, width - width_of(text))
    return filling + text if right else text + filling


def fold(text: str, width: int) -> Iterator[str]:
    """Break a text into lines of at most so many columns, at spaces where it has them."""
    line = ""
    for word in _words(text):
        if line and width_of(line) + width_of(word.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += word
    if line:
        yield line.rstrip()


def _words(text: str) -> Iterator[str]:
    """Split at spaces and between Chinese characters, but never before closing punctuation."""
    word = ""
    for character, following in zip_longest(text, text[1:], fillvalue=""):
        if following and following in _NEVER_FIRST:
            word += character
        elif unicodedata.east_asian_width(character) in "WF":
            yield word + character
            word = ""
        else:
            word += character
            if character == " ":
                yield word
                word = ""
    if word:
        yield word
