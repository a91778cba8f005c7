"""
The words by which replies are read, as the files of `replies/` hold them, and the reader made of them and of `reader/`.

One file a language, and `common.toml` for the words that carriers and the law define for all. Words are written in one
script and without regard to case, accents or width: all of them are folded, as replies are.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator

from dunning.domain.replies.dates import DateKind, FigureOrder
from dunning.domain.replies.fixed_words import FixedWord, FixedWords
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.local_reader import Brakes, LocalReader
from dunning.domain.replies.phrases import Pattern, PatternError, PhraseMatcher, Vocabulary, compiled
from dunning.domain.replies.promised_days import DayPhrase, DayRole, PromisedDayReader, PromisedDayWords, RolePhrase
from dunning.domain.replies.quotes import Quotes
from dunning.domain.replies.tokens import words_of
from dunning.domain.texts.lint.folding import Characters, Folding
from dunning.policy.fields import Mark, Strict
from dunning.policy.files import DataFile, PolicyError, toml_files
from dunning.policy.linter_files import characters_in
from dunning.policy.reader_files import load_trained_reader

_DATA = files("dunning.policy") / "data"
_FOLDER = "replies"
_COMMON = "common"
_PLACEHOLDER = re.compile(r"\{[a-z]+\}")

_READ_NO_NUMBERS = frozenset(
    {DateKind.VAGUE, DateKind.PAST, DateKind.NO_DAY, DateKind.NOW, DateKind.TODAY, DateKind.MONTH_END}
)
"""The kinds whose phrases may hold numbers that say nothing: "tonight at 8"."""

type Written = tuple[Annotated[str, Field(min_length=1)], ...]
"""Patterns: see `domain/replies/phrases.py`."""
type Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]


class FixedWordFile(Strict):
    """
    Words that are settled for an intent: see `FixedWord`.

    `means` and `does_not` are examples of what has its meaning and of what has not, which the tests run.
    """

    id: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    intent: ReplyIntent
    source: str = Field(min_length=3)
    mark: Mark
    bare: Written = ()
    alone: Written = ()
    heads: Written = ()
    countries: tuple[Country, ...] = ()
    means: Written = Field(min_length=1)
    does_not: Written = Field(min_length=1)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.bare or self.alone):
            raise ValueError("has neither bare nor alone: nothing could fit it")
        return self


class DaysFile(Strict):
    """
    One way to name a day. `means` and `unclear` are examples, as seen from 2026-12-01, a Tuesday.

    `numbers` stand for numbers that the phrase does not hold: Christmas is the 25 of 12. A way of its `own` counts only
    in a text of its language.
    """

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    is_: DateKind = Field(alias="is")
    says: Written = Field(min_length=1)
    numbers: tuple[Annotated[int, Field(ge=0, le=2999, strict=True)], ...] = ()
    own: bool = False
    means: dict[str, date] = Field(default={})
    unclear: Written = ()

    @model_validator(mode="after")
    def _has_examples(self) -> Self:
        if not self.means and not self.unclear:
            raise ValueError("has no example")
        return self


class FiguresFile(Strict):
    """How figures such as 12/5 are read: see `FigureOrder`."""

    month_first: tuple[Country | Annotated[str, Field(pattern=r"^\*$")], ...]
    unclear: tuple[Country, ...] = ()


class NamesFile(Strict):
    """Names of weekdays from Monday and of months, each with its other forms, and numbers in words."""

    weekdays: tuple[Written, ...] = Field(min_length=7, max_length=7)
    months: tuple[Written, ...] = ()
    numbers: dict[str, Annotated[int, Field(ge=0, le=60, strict=True)]] = Field(default={})
    ordinals: dict[str, Annotated[int, Field(ge=1, le=31, strict=True)]] = Field(default={})

    @model_validator(mode="after")
    def _months_are_all_there(self) -> Self:
        if len(self.months) not in (0, 12):
            raise ValueError("months: not twelve")
        return self

    def vocabulary(self) -> Vocabulary:
        """Return the names with their numbers."""
        return Vocabulary(
            {name: number for number, names in enumerate(self.weekdays) for name in names},
            {name: number for number, names in enumerate(self.months, 1) for name in names},
            self.numbers,
            self.ordinals,
        )


class ReplyLanguageFile(Strict):
    """
    The words of a language: fixed words, days, and the words around them (`FixedWords`, `PromisedDayWords`).

    `instructions` are ways to tell how to opt out, which a reply may quote without meaning them. `crisis`, `denials`,
    `alone_please` and `conditions` are what `Brakes` says.
    """

    language: str
    figures: FiguresFile
    names: NamesFile | None = None
    polite: Written = ()
    instructions: Written = ()
    tails: Written = ()
    units: Written = ()
    on: Written = ()
    small: Written = ()
    crisis: Written = ()
    denials: Written = ()
    alone_please: Written = ()
    conditions: Written = ()
    day_roles: dict[DayRole, Written] = Field(default={})
    days: tuple[DaysFile, ...] = ()
    fixed_words: tuple[FixedWordFile, ...] = Field(min_length=1)


class _ReplyLanguage(NamedTuple):
    """A language's file, its contents, and the compiler of its patterns."""

    source: DataFile
    file: ReplyLanguageFile
    folding: Folding

    def patterns(self, written: Sequence[str], *where: str | int) -> tuple[Pattern, ...]:
        """
        Compile patterns.

        Raises:
            PolicyError: one is not written as patterns are.
        """
        names = self.file.names.vocabulary() if self.file.names else Vocabulary({}, {}, {})
        made = []
        for pattern in written:
            try:
                made.append(compiled(pattern, self.folding, names))
            except PatternError as error:
                raise self.source.refusal(where, f"{pattern!r}: {error}") from error
        return tuple(made)

    def shared(self, field: str) -> tuple[Pattern, ...]:
        """Compile the patterns of a field of the whole file."""
        return self.patterns(getattr(self.file, field), field)

    def words(self, field: str) -> Iterator[str]:
        """Yield the single words of a field, folded."""
        for written in getattr(self.file, field):
            yield self.folding.fold(written)

    def promised_days(self) -> Iterator[tuple[Pattern, DayPhrase]]:
        """
        Yield the ways to name a day in a promise.

        Raises:
            PolicyError: one does not read the numbers that tell such a day.
        """
        for index, days in enumerate(self.file.days):
            of = DayPhrase(days.is_, days.numbers, self.file.language if days.own else "")
            for written, pattern in zip(days.says, self.patterns(days.says, "days", index, "says"), strict=True):
                read = days.is_.numbers() - len(days.numbers)
                if days.is_ not in _READ_NO_NUMBERS and pattern.numbers() != {read}:
                    raise self.source.refusal(
                        ("days", index, "says"), f"{written!r} does not read {read} numbers, as {days.is_} does"
                    )
                yield pattern, of

    def day_roles(self) -> Iterator[tuple[Pattern, RolePhrase]]:
        """Yield the words around a day that say something about it."""
        for role, written in self.file.day_roles.items():
            for pattern in self.patterns(written, "day_roles", role):
                yield pattern, RolePhrase(role, self.file.language)

    def tails(self) -> Iterator[Pattern]:
        """
        Yield the ways to name an account.

        Raises:
            PolicyError: one does not read one number.
        """
        for written, pattern in zip(self.file.tails, self.shared("tails"), strict=True):
            if "{tail}" not in written.split() or pattern.numbers() != {1}:
                raise self.source.refusal(("tails",), f"{written!r} does not hold one {{tail}}")
            yield pattern

    def fixed_words(self) -> Iterator[FixedWord]:
        """Yield the fixed words."""
        for index, word in enumerate(self.file.fixed_words):
            yield FixedWord(
                word.id,
                word.intent,
                self.patterns(word.bare, "fixed_words", index, "bare"),
                self.patterns(word.alone, "fixed_words", index, "alone"),
                tuple([tuple([part.text for part in words_of(head, self.folding)]) for head in word.heads]),
                frozenset(word.countries),
            )


def load_reply_reader(folder: Path | None = None) -> LocalReader:
    """
    Load the words of the package, or of a folder of the same shape, and the trained weights, and make the reader.

    The result is the same at every call: a caller with more than one reply keeps it.

    Raises:
        PolicyError: something in a file is wrong.
    """
    data: Traversable = folder or _DATA
    characters = characters_in(data)
    folding = Folding(characters)
    languages = _languages(data, folding)
    instructions, ours = _our_words(data, languages)
    trained = load_trained_reader()
    return LocalReader(
        folding=folding,
        full_folding=Folding(trained.characters(characters)),
        fixed_words=FixedWords(
            [word for language in languages for word in language.fixed_words()],
            _all(languages, "polite"),
            [tail for language in languages for tail in language.tails()],
            _all_words(languages, "units"),
        ),
        quotes=Quotes(
            [tuple([word.text for word in words_of(text, folding)]) for text in ours],
            PhraseMatcher([(pattern, None) for pattern in instructions]),
        ),
        days=_promised_days(languages, characters, instructions, ours),
        brakes=Brakes(
            **{
                field: PhraseMatcher([(pattern, None) for pattern in _all(languages, field)])
                for field in Brakes._fields
            }
        ),
        weights=trained.weights,
    )


def load_promised_days(folder: Path | None = None) -> PromisedDayReader:
    """
    Load the reader of promised days, from the same files.

    Raises:
        PolicyError: something in a file is wrong.
    """
    data: Traversable = folder or _DATA
    characters = characters_in(data)
    languages = _languages(data, Folding(characters))
    return _promised_days(languages, characters, *_our_words(data, languages))


def _promised_days(
    languages: Sequence[_ReplyLanguage], characters: Characters, instructions: Sequence[Pattern], ours: Sequence[str]
) -> PromisedDayReader:
    words = PromisedDayWords(
        phrases=[phrase for language in languages for phrase in language.promised_days()],
        roles=[role for language in languages for role in language.day_roles()],
        orders=_orders(languages),
        small={language.file.language: frozenset(language.words("small")) for language in languages},
        on=_all_words(languages, "on"),
        instructions=instructions,
        ours=ours,
    )
    return PromisedDayReader(words, characters)


def read_reply_files(folder: Path | None = None) -> Mapping[str, ReplyLanguageFile]:
    """
    Return what the files say, by language: for those who check the examples.

    Raises:
        PolicyError: a file is not as it should be.
    """
    data: Traversable = folder or _DATA
    return {language.file.language: language.file for language in _languages(data, Folding(characters_in(data)))}


def _languages(data: Traversable, folding: Folding) -> list[_ReplyLanguage]:
    """Read the files. Their names are their languages', and no id is there twice."""
    sources = toml_files(data, _FOLDER)
    if _COMMON not in sources:
        raise PolicyError(f"{_FOLDER}/{_COMMON}.toml: missing")
    languages = []
    taken: dict[str, str] = {}
    for name, source in sources.items():
        file = source.read(ReplyLanguageFile)
        if file.language != name:
            raise source.refusal(("language",), f"is not {name!r}, as the file's name says")
        ids = [
            *(("fixed_words", index, word.id) for index, word in enumerate(file.fixed_words)),
            *(("days", index, days.id) for index, days in enumerate(file.days)),
        ]
        for kind, index, taking in ids:
            if taking in taken:
                raise source.refusal((kind, index, "id"), f"{taking} is there twice: also in {taken[taking]}")
            taken[taking] = source.at(kind, index, "id")
        languages.append(_ReplyLanguage(source, file, folding))
    return languages


def _all(languages: Sequence[_ReplyLanguage], field: str) -> list[Pattern]:
    return [pattern for language in languages for pattern in language.shared(field)]


def _all_words(languages: Sequence[_ReplyLanguage], field: str) -> frozenset[str]:
    return frozenset(word for language in languages for word in language.words(field))


def _orders(languages: Sequence[_ReplyLanguage]) -> dict[str, FigureOrder]:
    return {
        "" if language.file.language == _COMMON else language.file.language: FigureOrder(
            frozenset(language.file.figures.month_first), frozenset(language.file.figures.unclear)
        )
        for language in languages
    }


def _our_words(data: Traversable, languages: Sequence[_ReplyLanguage]) -> tuple[list[Pattern], list[str]]:
    """Return the ways to say how to opt out, and the passages of our texts."""
    ours, lines = _our_texts(data)
    folding = languages[0].folding
    return [*_all(languages, "instructions"), *(_as_written(line, folding) for line in lines)], ours


def _our_texts(data: Traversable) -> tuple[list[str], list[str]]:
    """Return the pieces that our texts have between their values, and their opt-out lines."""
    pieces: list[str] = []
    lines: list[str] = []
    for source in toml_files(data, "texts").values():
        line = source.raw.get("opt_out_line")
        if not isinstance(line, str):
            raise source.refusal(("opt_out_line",), "missing")
        lines.append(line)
        for wording in source.raw.values():
            written = wording.values() if isinstance(wording, dict) else ()
            pieces += [piece for text in written if isinstance(text, str) for piece in _PLACEHOLDER.split(text)]
    return pieces, lines


def _as_written(line: str, folding: Folding) -> Pattern:
    return compiled(re.sub(r"[^\w\s]", " ", line), folding, Vocabulary({}, {}, {}))
