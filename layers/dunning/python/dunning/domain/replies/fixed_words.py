"""
Fixed words: replies whose meaning law or carriers settle, such as STOP, 退訂 and START. They are exact and always sure.

A reply is a fixed word if nothing stands beside the word but polite words, the last digits of an account, or, for the
words that carriers answer themselves, any number or a name in capitals: `STOP 98765`, `STOP John Smith`.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.phrases import Found, Pattern, PhraseMatcher
from dunning.domain.replies.tokens import Clause, Word

ANYWHERE = "*"
"""Stands for a number of any country, so that words of all countries count."""

_CURRENCIES = frozenset("$¥€£₩₹฿")
_MOST_NAMES = 3
_CAPITALISED = re.compile(r"[^\W\d_a-z][^\W\d_]*[a-z][^\W\d_]*\.?")
_FIGURES = re.compile(r"[\d+][\d .()/-]{2,24}", re.ASCII)


class FixedWord(NamedTuple):
    """
    The words of one language that are settled for an intent.

    `bare` patterns are a whole reply. `alone` patterns are a whole reply, polite words and account digits apart.
    `heads` may be followed by any number, or by a name. `countries` limits the words to numbers of these countries.
    """

    id: str
    intent: ReplyIntent
    bare: tuple[Pattern, ...] = ()
    alone: tuple[Pattern, ...] = ()
    heads: tuple[tuple[str, ...], ...] = ()
    countries: frozenset[str] = frozenset()


class FixedWords:
    """Finds fixed words, and the digits of an account that a reply names."""

    def __init__(
        self, words: Sequence[FixedWord], polite: Sequence[Pattern], tails: Sequence[Pattern], units: frozenset[str]
    ) -> None:
        self._bare = PhraseMatcher([(pattern, word) for word in words for pattern in word.bare])
        self._alone = PhraseMatcher([(pattern, word) for word in words for pattern in word.alone])
        self._heads = [(head, word) for word in words for head in word.heads]
        self._polite = PhraseMatcher([(pattern, None) for pattern in polite])
        self._tails = PhraseMatcher([(pattern, None) for pattern in tails])
        self._units = units

    def of_whole_reply(
        self, text: str, reading: Sequence[str], tails: Sequence[Found[None]], phone_country: str
    ) -> FixedWord | None:
        """
        Return the fixed word that a reply consists of.

        `text` is the reply as written, `reading` its words, `tails` where it names an account.
        """
        found = [
            *self._covering(reading, self._bare, None, ()),
            *self._covering(reading, self._alone, self._polite, tails),
        ]
        fitting = [word for word in found if not word.countries or phone_country in (ANYWHERE, *word.countries)]
        intents = {word.intent for word in fitting}
        if len(intents) > 1:  # "start stop": the longer silence
            fitting = [word for word in fitting if word.intent is ReplyIntent.OPT_OUT]
        word, rest = self._head_of(text, reading)
        return next(iter(fitting), None) or (word if _FIGURES.fullmatch(rest) else None)

    def with_name(self, text: str, reading: Sequence[str]) -> str:
        """
        Return the id of the fixed word that a name follows: `STOP John Smith`; empty if there is none.

        A name may be more than a name, as in "STOP Wife Died". So the rest of the reply is read, too.
        """
        word, rest = self._head_of(text, reading)
        names = rest.split()
        is_name = 0 < len(names) <= _MOST_NAMES and all(map(_CAPITALISED.fullmatch, names))
        return word.id if word and is_name else ""

    def _head_of(self, text: str, reading: Sequence[str]) -> tuple[FixedWord | None, str]:
        """Return the fixed word that a reply begins with, and what follows."""
        word = next((word for head, word in self._heads if tuple(reading[: len(head)]) == head), None)
        return word, " ".join(text.split()[1:])

    def account_digits(
        self, words: Sequence[Word], reading: Sequence[str], clauses: Iterable[Clause]
    ) -> list[Found[None]]:
        """Return the places that name the digits of an account. Amounts and numbers in groups are left out."""
        return [
            found
            for clause in clauses
            for found in self._tails.within(reading, *clause)
            if self._names_account(words, reading, found.read[0], clause)
        ]

    def _names_account(self, words: Sequence[Word], reading: Sequence[str], at: int, clause: Clause) -> bool:
        following = reading[at + 1] if at + 1 < clause.end else ""
        return (
            following not in self._units and not following[:1].isdecimal() and _CURRENCIES.isdisjoint(words[at].before)
        )

    @staticmethod
    def _covering(
        reading: Sequence[str],
        meaningful: PhraseMatcher[FixedWord],
        polite: PhraseMatcher[None] | None,
        tails: Sequence[Found[None]],
    ) -> list[FixedWord]:
        """Return the words whose phrases fill a reply, apart from polite words and account digits."""
        ends = {at: found.end for found in tails for at in (found.start, found.read[0])}
        stop = len(reading)
        words: list[FixedWord] = []
        at = 0
        while at < stop:
            phrases = list(meaningful.at(reading, at, 0, stop))
            end = max((found.end for found in phrases), default=at)
            words += [found.of for found in phrases if found.end == end]
            if not phrases:
                idle = (found.end for found in polite.at(reading, at, 0, stop)) if polite else ()
                end = max(ends.get(at, at), *idle, at)
            if end == at:
                return []
            at = end
        return words
