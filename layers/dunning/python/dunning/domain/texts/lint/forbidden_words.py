"""The list of words: what is looked for, how it is found in a text that is read, and when it is innocent there."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from dunning.domain.texts.lint.english import Token, joined, pieces_of, tokens_of
from dunning.domain.texts.lint.findings import Finding, RuleInfo, found
from dunning.domain.texts.lint.folding import (
    _LEET_TOKEN,
    CLAUSE_MARKS,
    Folding,
    han_reading,
    is_han,
    without_digits_for_letters,
)
from dunning.domain.texts.lint.glance import Glance

type Negation = Literal["innocent", "unless-conditional", "no-excuse"]

_PARTS_A_PHRASE = frozenset(f"{CLAUSE_MARKS}\n")
_WIDEST_GAP = 3

_WHOLE_TOKEN = re.compile(rf"(?<![a-z0-9@$!|]){_LEET_TOKEN.pattern}")
"""The same token, looked for at the beginning of a run only: at each of its letters it takes seconds for a long run."""


class WordRule(NamedTuple):
    """
    Words that one rule is about.

    `zh` are Chinese words in either script, `en` English words and phrases, each inflection of its own; `#` stands for
    any number. `innocent` are contexts, longer than a word and holding it, in which it means something else.
    `negation` says whether a denied word is innocent. `unless` names a value that makes the rule fall silent.
    """

    info: RuleInfo
    zh: tuple[str, ...]
    en: tuple[str, ...]
    innocent: tuple[str, ...] = ()
    negation: Negation = "unless-conditional"
    unless: str = ""


class _ForbiddenWord(NamedTuple):
    """A word as it is compared: `parts` are the words of an English phrase, or the Chinese word alone."""

    rule: WordRule
    written: str
    parts: tuple[str, ...]
    contexts: tuple[tuple[str, ...], ...]


class _WordHit(NamedTuple):
    start: int
    end: int
    word: _ForbiddenWord


class Words:
    """
    Finds the words of some rules in texts.

    `glance` tells for which texts that is worth it: those that may hold a word, a link to one of `hosts` or any other.
    """

    def __init__(self, rules: Sequence[WordRule], folding: Folding, hosts: Sequence[str] = ()) -> None:
        self._zh: dict[str, list[_ForbiddenWord]] = {}
        self._en: dict[str, list[_ForbiddenWord]] = {}
        for rule in rules:
            contexts = [_compared(context, folding) for context in rule.innocent]
            for written in rule.zh:
                parts = _compared(written, folding)
                around = tuple([c for c in contexts if parts[0] in c[0]])
                self._zh.setdefault(parts[0][0], []).append(_ForbiddenWord(rule, written, parts, around))
            for written in rule.en:
                parts = _compared(written, folding)
                around = tuple([c for c in contexts if _offsets(parts, c)])
                self._en.setdefault(parts[0], []).append(_ForbiddenWord(rule, written, parts, around))
        chinese = [word.parts[0] for words in self._zh.values() for word in words]
        phrases = [word.parts for words in self._en.values() for word in words]
        self._pieces = pieces_of(part for parts in phrases for part in parts)
        self.glance = Glance(chinese, phrases, self._pieces, folding, hosts)

    def findings(self, folded: str, values: Mapping[str, str]) -> Iterator[Finding]:
        """Yield the words that a folded text says, each once."""
        seen: set[tuple[str, str]] = set()
        spelled_out = spell_out(folded)
        for reading in (folded,) if spelled_out == folded else (folded, spelled_out):
            for word in self._words_in(reading):
                info = word.rule.info
                key = (info.id, word.written)
                if key not in seen and not (word.rule.unless and values.get(word.rule.unless)):
                    seen.add(key)
                    yield found(info, f"says {word.written!r}: {info.rule}")

    def _words_in(self, reading: str) -> Iterator[_ForbiddenWord]:
        """Yield the words of a reading that are not denied; what continues a list of denied words is denied too."""
        # Imported here: its patterns take long to compile, and no faultless text needs them.
        from dunning.domain.texts.lint.negation import continues_list, is_denied  # noqa: PLC0415

        denied_until = -1
        for start, end, word in sorted([*self._chinese(reading), *self._english(reading)], key=_position):
            negation = word.rule.negation
            if negation != "no-excuse" and (
                is_denied(reading, start, end, even_if_conditional=negation == "innocent")
                or (denied_until >= 0 and continues_list(reading[denied_until:start]))
            ):
                denied_until = max(end, denied_until)
            else:
                yield word

    def _chinese(self, folded: str) -> Iterator[_WordHit]:
        if folded.isascii():
            return
        text, at = han_reading(folded)
        for index, character in enumerate(text):
            for word in self._zh.get(character, ()):
                written = word.parts[0]
                if text.startswith(written, index) and not any(
                    text.startswith(c, index - o) for (c,) in word.contexts for o in _places_of_word(written, c)
                ):
                    yield _WordHit(at[index], at[index + len(written) - 1] + 1, word)

    def _english(self, folded: str) -> Iterator[_WordHit]:
        tokens = joined(tokens_of(folded), folded, self._pieces)
        for index, token in enumerate(tokens):
            for word in self._en.get(token.word, ()):
                if _says(tokens, index, word.parts, folded) and not any(
                    _says(tokens, index - offset, context, folded)
                    for context in word.contexts
                    for offset in _offsets(word.parts, context)
                ):
                    yield _WordHit(token.start, tokens[index + len(word.parts) - 1].end, word)


def spell_out(folded: str) -> str:
    """Return `without_digits_for_letters` of a text, in a time that grows no faster than the text."""
    return _WHOLE_TOKEN.sub(lambda token: without_digits_for_letters(token[0]), folded)


def _position(hit: _WordHit) -> tuple[int, int]:
    return hit.start, hit.end


def _compared(written: str, folding: Folding) -> tuple[str, ...]:
    """Return a word of the list as texts are compared with it."""
    folded = folding.fold(written)
    if not folded.isascii() and any(map(is_han, folded)):
        return (han_reading(folded.replace("#", "0")).text,)
    return tuple([token.word for token in tokens_of(folded)])


def _says(tokens: Sequence[Token], index: int, parts: Sequence[str], folded: str) -> bool:
    """Tell whether the tokens from `index` on are these words, in one clause and with little between them."""
    if index < 0 or index + len(parts) > len(tokens):
        return False
    for offset, part in enumerate(parts):
        if tokens[index + offset].word != part:
            return False
        if offset:
            gap = folded[tokens[index + offset - 1].end : tokens[index + offset].start]
            if len(gap) > _WIDEST_GAP or not _PARTS_A_PHRASE.isdisjoint(gap) or ". " in gap:
                return False
    return True


def _offsets(parts: Sequence[str], context: Sequence[str]) -> list[int]:
    """Return where an English context holds a phrase."""
    length = len(parts)
    return [
        index for index in range(len(context) - length + 1) if tuple(context[index : index + length]) == tuple(parts)
    ]


def _places_of_word(word: str, context: str) -> list[int]:
    """Return where a Chinese context holds a word."""
    return [index for index in range(len(context)) if context.startswith(word, index)]
