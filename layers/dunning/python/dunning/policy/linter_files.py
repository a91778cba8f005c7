"""
The list of words and the tables behind it, as the linter's data files hold them, and the linter made of them.

`linter.toml` is written by hand; `characters.toml` is generated from well-kept libraries by `make characters`.
"""

import re
from collections.abc import Mapping
from datetime import date
from importlib.resources.abc import Traversable
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from dunning.domain.texts.lint import (
    Characters,
    ContentPhrases,
    LinkData,
    Linter,
    Phrasing,
    RuleInfo,
    Severity,
    WordRule,
)
from dunning.domain.texts.lint.forbidden_words import Negation
from dunning.policy.fields import Language, Mark, Strict
from dunning.policy.files import toml_file


def has_chinese(word: str) -> str:
    """
    Check a word of the Chinese list.

    Raises:
        ValueError: it holds no Chinese character, or a blank.
    """
    if not any("\u3400" <= character <= "\u9fff" for character in word) or re.search(r"\s", word):
        raise ValueError(f"{word!r} is not a Chinese word")
    return word


def is_english(words: str) -> str:
    """
    Check a word or phrase of the English list.

    Raises:
        ValueError: it is not made of small letters and single blanks.
    """
    if not re.fullmatch(r"(?:[a-z]+|%|#)(?: (?:[a-z]+|#))*", words):
        raise ValueError(f"{words!r} is not words in small letters with one blank between them, # for a number")
    return words


def is_pattern(written: str) -> str:
    """
    Check a regular expression.

    Raises:
        ValueError: it is none.
    """
    try:
        re.compile(written)
    except re.error as error:
        raise ValueError(f"{written!r} is no regular expression: {error}") from error
    return written


class WordsFile(Strict):
    """One rule about words. `fires` are examples that it finds, and `silent` are examples that it must not find."""

    id: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    severity: Literal["block", "warn"]
    rule: str = Field(min_length=8)
    source: str = Field(min_length=3)
    mark: Mark
    negation: Negation = "unless-conditional"
    unless: str = ""
    zh: tuple[Annotated[str, AfterValidator(has_chinese)], ...]
    en: tuple[Annotated[str, AfterValidator(is_english)], ...]
    innocent: tuple[str, ...] = Field(default=(), alias="except")
    fires: tuple[str, ...] = Field(min_length=1)
    silent: tuple[str, ...] = Field(min_length=1)


class PhrasingFile(Strict):
    """
    One rule about how a language is written, in `patterns`, regular expressions.

    `fires` are examples that it finds, and `silent` are examples that it must not find.
    """

    id: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    language: Language
    rule: str = Field(min_length=8)
    source: str = Field(min_length=3)
    mark: Mark
    patterns: tuple[Annotated[str, AfterValidator(is_pattern)], ...] = Field(min_length=1)
    fires: tuple[str, ...] = Field(min_length=1)
    silent: tuple[str, ...] = Field(min_length=1)


Phrases = Annotated[tuple[str, ...], Field(min_length=1)]


class LinterLanguageFile(Strict):
    """A language's words for the required contents: see `ContentPhrases`."""

    names: StrictBool
    help: Phrases
    due_day: Phrases
    today: Phrases
    late: Phrases
    due: Phrases
    overdue: Phrases
    ignore: Phrases
    reply: Phrases

    def phrases(self) -> ContentPhrases:
        """Return them as the linter takes them."""
        return ContentPhrases(**dict(self))


class LinksFile(Strict):
    """Hosts that shorten links, and the endings by which a bare domain is recognised."""

    short_hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")], ...] = Field(min_length=1)
    top_level: tuple[Annotated[str, Field(pattern=r"^[a-z]+$")], ...] = Field(min_length=1)


class LinterFile(Strict):
    """The linter's rules and words."""

    checked_on: date
    languages: dict[str, LinterLanguageFile]
    links: LinksFile
    words: tuple[WordsFile, ...] = Field(min_length=1)
    phrasing: tuple[PhrasingFile, ...] = Field(min_length=1)
    disclosure: tuple[WordsFile, ...] = Field(min_length=1)
    disclosing_sender: tuple[WordsFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        word_lists = (*self.words, *self.disclosure, *self.disclosing_sender)
        ids = [*(words.id for words in word_lists), *(phrasing.id for phrasing in self.phrasing)]
        if twice := sorted({word_id for word_id in ids if ids.count(word_id) > 1}):
            raise ValueError(f"words.id: {', '.join(twice)} is there twice")
        return self


class CharactersFile(Strict):
    """Generated tables: a Simplified character or a Latin letter, and every character that stands for it."""

    source: str
    simplified: dict[Annotated[str, Field(min_length=1, max_length=1)], str]
    lookalikes: dict[Annotated[str, Field(pattern="^[A-Za-z]$")], str]


def characters_in(data: Traversable) -> Characters:
    """
    Return which characters stand for which, from the file of a folder.

    Raises:
        PolicyError: it is not as it should be.
    """
    file = toml_file(data, "characters.toml").read(CharactersFile)
    return Characters(_turned(file.simplified), _turned(file.lookalikes))


def load_linter(data: Traversable) -> Linter:
    """
    Build the linter from the files of a folder.

    Raises:
        PolicyError: a file is not as it should be, or a rule about words is called like one about something else.
    """
    source = toml_file(data, "linter.toml")
    file = source.read(LinterFile)
    try:
        return Linter(
            [_word_rule(words) for words in file.words],
            characters_in(data),
            LinkData(file.links.short_hosts, frozenset(file.links.top_level)),
            {language: of.phrases() for language, of in file.languages.items()},
            [
                Phrasing(RuleInfo(of.id, Severity.BLOCK, of.rule, of.source, of.mark), of.language, of.patterns)
                for of in file.phrasing
            ],
            [_word_rule(words) for words in file.disclosure],
            [_word_rule(words) for words in file.disclosing_sender],
        )
    except ValueError as error:
        raise source.refusal(("words",), str(error)) from error


def _word_rule(words: WordsFile) -> WordRule:
    info = RuleInfo(words.id, Severity(words.severity), words.rule, words.source, words.mark)
    return WordRule(info, words.zh, words.en, words.innocent, words.negation, words.unless)


def _turned(table: Mapping[str, str]) -> dict[str, str]:
    return {variant: plain for plain, variants in table.items() for variant in variants}
