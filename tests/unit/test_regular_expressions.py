"""No regular expression of the package takes a time that grows faster than its text, or its text is short."""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator

import pytest

import dunning

_UNITS = ("a", "1", " ", ".", "\n", "還", "a1", "a.", "1 ", "_", "ａ", "@")
_SHORT, _LONG = 500, 4000
_NOTICEABLE_SECONDS = 0.003
"""The cheapest square found took 13 ms at this length: none is near the limit."""
_MOST_GROWTH = 2.5 * _LONG / _SHORT
"""Twice and a half of what a linear time grows by; a square of it would be eight times."""

_CUT = 1000
"""Characters to which the readers of replies cut a text before their patterns see it."""

SHORT_TEXTS = {
    "dunning.domain.replies.local_reader._BLANK_LINES": _CUT,
    "dunning.domain.replies.masked_reply._MAIL_ADDRESS": _CUT,
    "dunning.domain.replies.masked_reply._WEB_ADDRESS": _CUT,
    "dunning.domain.replies.masked_reply._WITH_UNDERSCORE": _CUT,
    "dunning.domain.replies.masked_reply._MIXED": _CUT,
    "dunning.domain.texts.lint.folding._LEET_TOKEN": 100,
    "dunning.domain.texts.lint.negation._EN_COMMAND": 100,
    "dunning.services.intake.no_rows._TOTAL": 200,
    "dunning.services.intake.phones._SPELLING": 100,
}
"""
The longest text that each of these gets, whose time grows with the square of it.

`_BLANK_LINES` gets no two blanks in a row; `_LEET_TOKEN` single tokens, found by `_WHOLE_TOKEN`; `_EN_COMMAND` what
stands before a word in a text of ours.
"""

ANCHORED = {
    "dunning.domain.replies.fixed_words._CAPITALISED",
    "dunning.domain.texts.formulas._BEGINNING",
    "dunning.policy.files._ENTRY",
    "dunning.policy.files._TABLE",
    "dunning.services.intake.cells._AT_MIDNIGHT",
    "dunning.services.intake.cells._FLOAT_ID",
    "dunning.services.intake.intake._PLAINLY_AN_ID",
    "dunning.services.intake.no_rows._SURELY_AN_ID",
    "dunning.services.intake.no_rows._TOTAL",
    "dunning.services.intake.phones._DAMAGED",
    "dunning.services.intake.phones._SPELLING",
    "dunning.services.intake.table._FLOAT_ID",
}
"""Patterns that are only tried at the beginning of a text. All others are looked for everywhere in it."""

_LONGEST_SECONDS = 0.1


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield every pattern for texts that a module of the package has, and its name."""
    seen = set()
    for module in pkgutil.walk_packages(dunning.__path__, "dunning."):
        for name, value in vars(importlib.import_module(module.name)).items():
            among = value.values() if isinstance(value, dict) else value if isinstance(value, tuple | list) else [value]
            for pattern in among:
                if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str) and pattern not in seen:
                    seen.add(pattern)
                    yield f"{module.name}.{name}", pattern


PATTERNS = sorted(patterns(), key=lambda found: (found[0], found[1].pattern))


def _seconds(name: str, pattern: re.Pattern[str], unit: str, length: int) -> float:
    text = (unit * length)[:length] + "\0"
    began = time.process_time()
    if name in ANCHORED:
        pattern.match(text)
        pattern.fullmatch(text)
    else:
        pattern.sub("", text)
    return time.process_time() - began


def test_all_patterns_are_here() -> None:
    assert len(PATTERNS) > 100
    assert SHORT_TEXTS.keys() | ANCHORED <= {name for name, _ in PATTERNS}


@pytest.mark.slow(reason="each pattern against twenty kinds of long texts")
def test_the_time_of_a_pattern_grows_as_its_text_does_or_its_text_is_short() -> None:
    grown = {}
    for name, pattern in PATTERNS:
        if name in SHORT_TEXTS:
            continue
        for unit in _UNITS:
            seconds = _seconds(name, pattern, unit, _LONG)
            if seconds < _NOTICEABLE_SECONDS:
                continue
            seconds = min(seconds, *(_seconds(name, pattern, unit, _LONG) for _ in range(2)))
            before = min(_seconds(name, pattern, unit, _SHORT) for _ in range(3))
            if seconds > max(_NOTICEABLE_SECONDS, _MOST_GROWTH * before):
                grown[name, unit] = (before, seconds)
    assert grown == {}


@pytest.mark.slow(reason="as above, at the longest text of each")
def test_a_pattern_whose_time_grows_faster_is_quick_for_the_longest_text_that_it_gets() -> None:
    for name, pattern in PATTERNS:
        for unit in _UNITS if name in SHORT_TEXTS else ():
            assert _seconds(name, pattern, unit, SHORT_TEXTS[name]) < _LONGEST_SECONDS, (name, unit)
