"""
Quotations: the parts of a reply that repeat our own texts, which say "Reply STOP to opt out" and "Already paid?".

A run of our words is a quotation if it is longer than people write by chance: a customer may answer "STOP to opt out"
and mean it. A shorter run is enough if it is the whole passage between two values of a text, or if its line is marked
with `>`. Our instruction how to opt out is always a quotation.
"""

from collections.abc import Iterable, Sequence

from dunning.domain.replies.phrases import PhraseMatcher
from dunning.domain.replies.tokens import Clause, Word

_RUN = 3
_LONG, _LONG_IF_WHOLE, _LONG_IF_MARKED = 10, 6, 4

type _Positions = dict[tuple[str, ...], list[tuple[int, int]]]


class Quotes:
    """Finds quotations of the passages in all our texts, and of the texts that one number got."""

    def __init__(self, ours: Iterable[Sequence[str]], instructions: PhraseMatcher[None]) -> None:
        self._ours = list(dict.fromkeys(tuple(words) for words in ours))
        self._places = _places_in(self._ours)
        self._instructions = instructions

    def hidden(self, words: Sequence[Word], clauses: Sequence[Clause], theirs: Sequence[Sequence[str]]) -> set[int]:
        """Return the positions of words quoted from our passages or from the texts that this number got."""
        text = [word.text for word in words]
        hidden = self._runs(words, text, self._ours, self._places)
        if theirs:
            hidden |= self._runs(words, text, theirs, _places_in(theirs))
        for start, end in clauses:
            for found in self._instructions.within(text, start, end):
                hidden.update(range(found.start, found.end))
        return hidden

    @staticmethod
    def _runs(
        words: Sequence[Word], text: Sequence[str], sources: Sequence[Sequence[str]], places: _Positions
    ) -> set[int]:
        hidden: set[int] = set()
        at = 0
        while at < len(text):
            end = at
            enough = _LONG_IF_MARKED if words[at].quoted else _LONG
            for source, place in places.get(tuple(text[at : at + _RUN]), ()):
                to = _end_of_run(text, at, sources[source], place)
                whole = to - at == len(sources[source])
                if to > end and sum(map(_word_weight, text[at:to])) >= (
                    min(enough, _LONG_IF_WHOLE) if whole else enough
                ):
                    end = to
            hidden.update(range(at, end))
            at = max(end, at + 1)
        return hidden


def _places_in(texts: Sequence[Sequence[str]]) -> _Positions:
    places: _Positions = {}
    for index, words in enumerate(texts):
        for at in range(len(words) - _RUN + 1):
            places.setdefault(tuple(words[at : at + _RUN]), []).append((index, at))
    return places


def _end_of_run(text: Sequence[str], at: int, source: Sequence[str], place: int) -> int:
    while at < len(text) and place < len(source) and text[at] == source[place]:
        at, place = at + 1, place + 1
    return at


def _word_weight(word: str) -> int:
    """A Latin word says as much as two Chinese characters."""
    return 2 if word.isascii() and word.isalpha() else 1
