"""Texts: the wording of each stage, one file per language, versioned as `id@version`."""

from collections.abc import Mapping

from pydantic import Field

from dunning.domain.errors import TextError
from dunning.domain.text import Text, compile_text
from dunning.policy.fields import Strict
from dunning.policy.files import DataFile

_REQUIRED_PLACEHOLDERS = frozenset({"name", "tail", "amount", "date", "pay", "hotline"})
"""A reminder says for whom, which account, how much, due when, how to pay and whom to ask."""

_PHRASES = ("opt_out_line", "and_others")


class WordingFile(Strict):
    """The wording of one stage, for one instalment and for several."""

    stage: int
    version: int = Field(ge=1)
    single: str = Field(min_length=10)
    several: str = Field(min_length=10)


type Phrases = Mapping[str, str]
"""What stands around texts of a language: the opt-out line, and what stands for further accounts."""


def load_texts(language: str, file: DataFile) -> tuple[dict[tuple[str, int, bool], Text], Phrases]:
    """
    Read the texts of one language and its phrases.

    Raises:
        PolicyError: the file is not as it should be, or a text lacks a placeholder it must have.
    """
    raw = file.raw
    if raw.get("language") != language:
        raise file.refusal(("language",), f"is not {language!r}, as the file's name says")
    phrases = {phrase: raw.get(phrase, "") for phrase in _PHRASES}
    for phrase, words in phrases.items():
        if not isinstance(words, str) or not words:
            raise file.refusal((phrase,), "missing")
    texts: dict[tuple[str, int, bool], Text] = {}
    for key in raw:
        if key in ("language", *_PHRASES):
            continue
        wording = file.read(WordingFile, key)
        for several, suffix, pattern in ((False, "", wording.single), (True, "-several", wording.several)):
            field = "several" if several else "single"
            if (language, wording.stage, several) in texts:
                raise file.refusal((key, "stage"), f"{wording.stage} is there twice")
            try:
                text = compile_text(f"{language}/{key}{suffix}@{wording.version}", pattern)
            except TextError as error:
                raise file.refusal((key, field), str(error)) from error
            required = _REQUIRED_PLACEHOLDERS | ({"count"} if several else set())
            if missing := sorted(required - set(text.placeholders)):
                raise file.refusal((key, field), f"lacks {{{'}, {'.join(missing)}}}")
            texts[language, wording.stage, several] = text
    return texts, phrases
