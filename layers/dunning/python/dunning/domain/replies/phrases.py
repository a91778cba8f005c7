"""
Phrases: the patterns of the data files, and the search for them among words.

A pattern is a row of slots with blanks between them: `stop|quit texting|calling me?`. A slot lists words to choose
from, with `_` for a blank inside a choice; a slot with `?` may be missing. `..` stands for up to four words, `{day}`
and its like for a number or a name, `{start}` and `{end}` for the ends of the clause. Every slot has few choices, so
the search is linear in the length of the text.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Self

from dunning.domain.errors import DunningError
from dunning.domain.replies.tokens import words_of
from dunning.domain.texts.lint.folding import Folding

_WIDEST_GAP = 4
_ANY_NUMBER = "#"
_ANY_WORD = ""
_NUMBERS = {"day": (1, 31), "month": (1, 12), "n": (1, 60), "year": (2000, 2999), "roc": (100, 199)}
_TAIL_LENGTHS = (2, 3, 4)
_TEN = 10
_LONGEST_NUMERAL = 4
"""三十一 has three characters: what is longer is no number, and is not read to its end at each of its places."""

type State = tuple[int, tuple[int, ...]]
"""The position that a match has reached, and the numbers it has read."""


class PatternError(DunningError):
    """A pattern breaks the rules of the pattern language."""


class Vocabulary(NamedTuple):
    """Names that stand for numbers in a language: weekdays from 0 for Monday, months, numbers and ordinals in words."""

    weekdays: Mapping[str, int]
    months: Mapping[str, int]
    numbers: Mapping[str, int]
    ordinals: Mapping[str, int] = MappingProxyType({})


class _Choice(NamedTuple):
    """Words to choose from, by their first word; each may stand for a number."""

    by_first: Mapping[str, Sequence[tuple[tuple[str, ...], tuple[int, ...]]]]

    @classmethod
    def of(cls, words: Iterable[tuple[tuple[str, ...], tuple[int, ...]]]) -> Self:
        by_first: dict[str, list[tuple[tuple[str, ...], tuple[int, ...]]]] = {}
        for choice, value in words:
            by_first.setdefault(choice[0], []).append((choice, value))
        return cls(by_first)

    def firsts(self) -> set[str]:
        return set(self.by_first)

    def followed(self, first: str, rest: set[str]) -> set[str]:
        """Return the words that may follow a first word; none if any may. `rest` follow the whole slot."""
        seconds: set[str] = set()
        for words, _ in self.by_first[first]:
            if len(words) == 1 and not rest:
                return set()
            seconds |= {words[1]} if len(words) > 1 else rest
        return seconds

    def reads(self) -> bool:
        return any(value for words in self.by_first.values() for _, value in words)

    def ends(self, text: Sequence[str], state: State, stop: int) -> Iterator[State]:
        at, read = state
        if at >= stop:
            return
        for words, value in self.by_first.get(text[at], ()):
            end = at + len(words)
            if end == at + 1 or (end <= stop and tuple(text[at:end]) == words):
                yield end, read + value


class _NumberSlot(NamedTuple):
    """A number in figures or in words."""

    lowest: int
    highest: int
    in_words: Mapping[str, int]

    def firsts(self) -> set[str]:
        return {_ANY_NUMBER, *self.in_words}

    def followed(self, first: str, rest: set[str]) -> set[str]:
        """Return the words that may follow a first word: of the number, if it is spelled in characters, or the rest."""
        return {*rest, *self.in_words} if rest and not first.isascii() else rest

    def ends(self, text: Sequence[str], state: State, stop: int) -> Iterator[State]:
        at, read = state
        if at >= stop:
            return
        if text[at].isdecimal():
            end, value = at + 1, int(text[at][:5])
        else:
            end, value = self._spelled(text, at, stop)
        if self.lowest <= value <= self.highest:
            yield end, (*read, value)

    def _spelled(self, text: Sequence[str], at: int, stop: int) -> tuple[int, int]:
        """Read `two`, or characters put together: 二十五 is two times ten and five. Where none is read it is 0."""
        value, end = 0, at
        while end < stop and (part := self.in_words.get(text[end])) is not None:
            if end > at and (text[end].isascii() or (value >= _TEN if part == _TEN else value % _TEN)):
                break
            if end - at == _LONGEST_NUMERAL:
                return at, 0
            value = value * _TEN if 0 < value < _TEN else value + part
            end += 1
        return end, value


class _Tail(NamedTuple):
    """The last digits of an account, read as a number behind their count, so that zeros in front stay."""

    def firsts(self) -> set[str]:
        return {_ANY_NUMBER}

    def followed(self, first: str, rest: set[str]) -> set[str]:
        del first
        return rest

    def ends(self, text: Sequence[str], state: State, stop: int) -> Iterator[State]:
        at, read = state
        if at < stop and text[at].isdecimal() and len(text[at]) in _TAIL_LENGTHS:
            yield at + 1, (*read, at)


class _Gap(NamedTuple):
    def firsts(self) -> set[str]:
        raise PatternError("a pattern does not begin with a gap")

    def followed(self, first: str, rest: set[str]) -> set[str]:
        del first, rest
        return set()

    def ends(self, text: Sequence[str], state: State, stop: int) -> Iterator[State]:
        del text
        at, read = state
        for end in range(at, min(stop, at + _WIDEST_GAP) + 1):
            yield end, read


class _Slot(NamedTuple):
    content: _Choice | _NumberSlot | _Tail | _Gap
    optional: bool


class Pattern(NamedTuple):
    """A compiled pattern."""

    slots: tuple[_Slot, ...]
    at_start: bool
    at_end: bool

    def numbers(self) -> set[int]:
        """Return the possible counts of numbers read: one a slot that stands for a number, none if it is missing."""
        counts = {0}
        for slot in self.slots:
            reads = isinstance(slot.content, _NumberSlot | _Tail) or (
                isinstance(slot.content, _Choice) and slot.content.reads()
            )
            if reads:
                counts = {count + 1 for count in counts} | (counts if slot.optional else set())
        return counts

    def firsts(self) -> set[str]:
        """
        Return the words that a match may begin with.

        Raises:
            PatternError: the whole pattern may be missing, or it begins with a gap.
        """
        firsts: set[str] = set()
        for slot in self.slots:
            firsts |= slot.content.firsts()
            if not slot.optional:
                return firsts
        raise PatternError("a pattern has a word that is never missing")

    def seconds(self, first: str) -> set[str]:
        """Return the words that follow a first word in every match; none if a match may end there, or is not sure."""
        seconds: set[str] = set()
        for index, (content, optional) in enumerate(self.slots):
            if first in content.firsts():
                following = content.followed(first, self._firsts_from(index + 1))
                if not following:
                    return set()
                seconds |= following
            if not optional:
                break
        return seconds

    def _firsts_from(self, index: int) -> set[str]:
        """Return the words that have to follow, from a slot on; none if any word may, or none has to."""
        firsts: set[str] = set()
        for content, optional in self.slots[index:]:
            if isinstance(content, _Gap):
                return set()
            firsts |= content.firsts()
            if not optional:
                return firsts
        return set()

    def match(self, text: Sequence[str], at: int, stop: int) -> State | None:
        """Return where the longest match from a word on ends, and the numbers it reads."""
        states: Sequence[State] = [(at, ())]
        for content, optional in self.slots:
            following = list(content.ends(text, states[0], stop))
            if len(states) > 1:
                following = list(dict.fromkeys(end for state in states for end in content.ends(text, state, stop)))
            if optional:
                following += [state for state in states if state not in following]
            if not following:
                return None
            states = following
        if self.at_end:
            return next((state for state in states if state[0] == stop), None)
        return max(states)


class Found[Of](NamedTuple):
    """A phrase in a text: its start and end, the object it belongs to, and the numbers it holds."""

    start: int
    end: int
    of: Of
    read: tuple[int, ...]


class PhraseMatcher[Of]:
    """
    Finds phrases. Each pattern belongs to an object, such as a rule, which a match returns.

    Patterns are kept by the words that a match may begin with, and by the words that may follow these: few are tried.
    """

    def __init__(self, phrases: Sequence[tuple[Pattern, Of]]) -> None:
        self._begun: dict[tuple[str, str], list[tuple[int, Pattern, Of]]] = {}
        firsts: set[str] = set()
        for order, (pattern, of) in enumerate(phrases):
            for first in sorted(pattern.firsts()):  # a set's order is another in each process
                firsts.add(first)
                for second in sorted(pattern.seconds(first) or {_ANY_WORD}):
                    self._begun.setdefault((first, second), []).append((order, pattern, of))
        self._firsts = frozenset(firsts)

    def at(self, text: Sequence[str], at: int, start: int, stop: int) -> Iterator[Found[Of]]:
        """Yield the phrases that begin at a word of the clause from `start` to `stop`."""
        for _, pattern, of in self._candidates(text, at, stop):
            if pattern.at_start and at != start:
                continue
            match = pattern.match(text, at, stop)
            if match:
                yield Found(at, match[0], of, match[1])

    def _candidates(self, text: Sequence[str], at: int, stop: int) -> list[tuple[int, Pattern, Of]]:
        """Return the patterns that may match from a word on, in their order."""
        firsts = [first for first in _keys(text[at]) if first in self._firsts]
        if not firsts:
            return []
        seconds = (_ANY_WORD, *_keys(text[at + 1])) if at + 1 < stop else (_ANY_WORD,)
        begun = [found for first in firsts for second in seconds if (found := self._begun.get((first, second)))]
        if len(begun) == 1:
            return begun[0]
        by_order = {candidate[0]: candidate for found in begun for candidate in found}
        return [by_order[order] for order in sorted(by_order)]

    def within(self, text: Sequence[str], start: int, stop: int) -> Iterator[Found[Of]]:
        """Yield the phrases of a clause."""
        for at in range(start, stop):
            yield from self.at(text, at, start, stop)


def _keys(word: str) -> tuple[str, ...]:
    """Return the keys by which patterns that hold a word are found: itself, and that it is a number."""
    return (word, _ANY_NUMBER) if word.isdecimal() else (word,)


def compiled(pattern: str, folding: Folding, names: Vocabulary) -> Pattern:
    """
    Compile a pattern.

    Raises:
        PatternError: the pattern breaks the rules of the pattern language.
    """
    pieces = pattern.split()
    at_start, at_end = pieces[:1] == ["{start}"], pieces[-1:] == ["{end}"]
    inner = pieces[at_start : len(pieces) - at_end]
    made = Pattern(tuple([_slot(piece, folding, names) for piece in inner]), at_start, at_end)
    made.firsts()
    return made


def _slot(piece: str, folding: Folding, names: Vocabulary) -> _Slot:
    if piece == "..":
        return _Slot(_Gap(), optional=False)
    written = piece.removesuffix("?")
    optional = written != piece
    if written.startswith("{"):
        return _Slot(_placeholder(written.strip("{}"), folding, names), optional)
    words = [_folded(choice, folding) for choice in written.split("|")]
    if not all(words):
        raise PatternError(f"{piece!r} has no word in one of its choices")
    return _Slot(_Choice.of((choice, ()) for choice in words), optional)


def _placeholder(name: str, folding: Folding, names: Vocabulary) -> _Choice | _NumberSlot | _Tail:
    if name == "tail":
        return _Tail()
    if name in _NUMBERS:
        lowest, highest = _NUMBERS[name]
        return _NumberSlot(
            lowest, highest, {_word_of_number(word, folding): value for word, value in names.numbers.items()}
        )
    named = {"weekday": names.weekdays, "monthname": names.months, "ordinal": names.ordinals}.get(name)
    if named is None:
        raise PatternError(f"{{{name}}} stands for nothing")
    if not named:
        raise PatternError(f"{{{name}}} has no names in this file")
    return _Choice.of((_words_of_name(word, folding), (value,)) for word, value in named.items())


def _word_of_number(name: str, folding: Folding) -> str:
    word, *more = _words_of_name(name, folding)
    if more:
        raise PatternError(f"the number {name!r} has more than one word, as only names and ordinals may")
    return word


def _words_of_name(name: str, folding: Folding) -> tuple[str, ...]:
    words = _folded(name, folding)
    if not words:
        raise PatternError(f"the name {name!r} has no word")
    return words


def _folded(written: str, folding: Folding) -> tuple[str, ...]:
    return tuple([word.text for word in words_of(written.replace("_", " "), folding)])
