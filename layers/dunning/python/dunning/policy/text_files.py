"""Texts: the wording of each stage, one file per language, versioned as `id@version`."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from dunning.domain.errors import TextError
from dunning.domain.texts.compose import signed
from dunning.domain.texts.lint import ArrivingText, Linter
from dunning.domain.texts.segments import count_segments
from dunning.domain.texts.wording import Text, compile_text
from dunning.policy.fields import Strict
from dunning.policy.files import DataFile

_REQUIRED_PLACEHOLDERS = frozenset({"name", "tail", "amount", "date", "pay", "hotline"})
"""Every reminder names the customer, the account, the amount, the due date, the ways to pay and the hotline."""

_PHRASES = ("opt_out_line", "and_others")
_CONFIRMATION = "opt-out-confirmation"
_QUESTIONS_AND_NUMBERS = frozenset("?？0123456789")
"""What a confirmation of an opt-out may not hold: it must not draw the customer into talking."""

LONGEST_SENDER_NAME = 32


class WordingFile(Strict):
    """
    The wording of one stage, for one instalment and for several; the same with a late fee, if it has such texts.

    With `requires_written_notice` the text is not sent before a written notice is on record.
    """

    stage: int = Field(strict=True)
    version: int = Field(ge=1, strict=True)
    single: str = Field(min_length=10)
    several: str = Field(min_length=10)
    single_with_fee: str | None = Field(default=None, min_length=10)
    several_with_fee: str | None = Field(default=None, min_length=10)
    requires_written_notice: bool = False

    @model_validator(mode="after")
    def _fits_its_stage(self) -> Self:
        if (self.single_with_fee is None) is not (self.several_with_fee is None):
            raise ValueError("single_with_fee and several_with_fee come together or not at all")
        if self.stage <= 0 and self.single_with_fee is not None:
            raise ValueError("a text up to the due date has no late fee to name")
        if self.stage <= 0 and self.requires_written_notice:
            raise ValueError("a text up to the due date cannot follow a notice about its being late")
        return self


class ConfirmationFile(Strict):
    """The text that confirms an opt-out."""

    version: int = Field(ge=1, strict=True)
    text: str = Field(min_length=10)


type FramePhrases = Mapping[str, str]
"""The phrases around the texts of a language: the opt-out line, and the words for further accounts."""

type Key = tuple[str, int, bool]
"""Language, stage, and whether for several instalments."""


class Wording(NamedTuple):
    """
    The texts of one language, those with a late fee apart, and the stages that need a written notice.

    `confirmation` confirms an opt-out.
    """

    texts: Mapping[Key, Text]
    with_fee: Mapping[Key, Text]
    notice_stages: frozenset[int]
    phrases: FramePhrases
    confirmation: Text


_SAMPLE_VALUES: Mapping[str, Mapping[str, str]] = {
    "zh-Hant": {"sender": "示範分期", "name": "王*明", "amount": "NT$3,250", "fee": "NT$100", "date": "12/5",
                "pay": "官方APP"},
    "zh-Hans": {"sender": "示范分期", "name": "王*明", "amount": "325.00元", "fee": "10.00元", "date": "12月5日",
                "pay": "官方APP"},
    "en": {"sender": "Demo Finance", "name": "J***", "amount": "USD 325.00", "fee": "USD 10.00", "date": "5 Dec",
           "pay": "our app"},
}  # fmt: skip
_SAMPLE_NUMBERS: Mapping[str, str] = {"tail": "5678", "days": "15", "count": "3", "hotline": "0800-000-123"}


def load_texts(language: str, file: DataFile, linter: Linter) -> Wording:
    """
    Read the texts of one language and its phrases.

    Raises:
        PolicyError: the file is not as it should be, a text lacks a placeholder it must have, breaks a rule of the
            linter once it is filled in, or needs no written notice though one of an earlier stage does.
    """
    raw = file.raw
    if raw.get("language") != language:
        raise file.refusal(("language",), f"is not {language!r}, as the file's name says")
    phrases = {phrase: raw.get(phrase, "") for phrase in _PHRASES}
    for phrase, words in phrases.items():
        if not isinstance(words, str) or not words:
            raise file.refusal((phrase,), "missing")
        for fault in linter.wording_faults(words, language):
            raise file.refusal((phrase,), f"{fault.message} ({fault.rule})")
    texts: dict[Key, Text] = {}
    with_fee: dict[Key, Text] = {}
    notice_stages: set[int] = set()
    for key in raw:
        if key in ("language", _CONFIRMATION, *_PHRASES):
            continue
        wording = file.read(WordingFile, key)
        if (language, wording.stage, False) in texts:
            raise file.refusal((key, "stage"), f"{wording.stage} is there twice")
        if wording.requires_written_notice:
            notice_stages.add(wording.stage)
        for field, pattern in _patterns(wording):
            several = field.startswith("several")
            into = with_fee if field.endswith("with_fee") else texts
            text = _compile_wording(file, language, key, wording.version, field, pattern)
            for fault in linter.faults(_filled_in(language, text, overdue=wording.stage > 0)):
                raise file.refusal((key, field), f"{fault.message} ({fault.rule})")
            into[language, wording.stage, several] = text
    _check_notices(file, notice_stages)
    return Wording(texts, with_fee, frozenset(notice_stages), phrases, _confirmation(language, file, linter))


def _confirmation(language: str, file: DataFile, linter: Linter) -> Text:
    """
    Read the text that confirms an opt-out: that it was heard and is honoured, and nothing else, in one segment.

    No question, no number to call, nothing about a debt (12 CFR 1006.14(h)(2)(i)). The text is measured with the
    longest name that a lender may have.
    """
    if _CONFIRMATION not in file.raw:
        raise file.refusal((_CONFIRMATION,), "missing")
    wording = file.read(ConfirmationFile, _CONFIRMATION)
    where = (_CONFIRMATION, "text")
    try:
        text = compile_text(f"{language}/{_CONFIRMATION}@{wording.version}", wording.text)
    except TextError as error:
        raise file.refusal(where, str(error)) from error
    if text.placeholders or not _QUESTIONS_AND_NUMBERS.isdisjoint(text.pattern):
        raise file.refusal(where, "has to say that the request was heard and is honoured: no question, number or more")
    body = text.pattern % ()
    for fault in linter.wording_faults(body, language):
        raise file.refusal(where, f"{fault.message} ({fault.rule})")
    letter = "x" if language == "en" else "名"
    longest = signed(body, letter * LONGEST_SENDER_NAME, language)
    if count_segments(longest).parts > 1:
        raise file.refusal(where, "is longer than one segment with the longest name a lender may have")
    return text


def _check_notices(file: DataFile, notice_stages: set[int]) -> None:
    """Refuse a later stage without a notice: it would be a way round the stage that needs the notice."""
    if not notice_stages:
        return
    first = min(notice_stages)
    for key, table in file.raw.items():
        if key == _CONFIRMATION or not isinstance(table, dict):
            continue
        if table["stage"] > first and table["stage"] not in notice_stages:
            raise file.refusal((key,), f"needs a written notice too, as stage {first:+d} before it does")


def _filled_in(language: str, text: Text, *, overdue: bool) -> ArrivingText:
    """Fill a text in with ordinary values, as it would arrive where nothing is added at its end."""
    sample = {**_SAMPLE_VALUES[language], **_SAMPLE_NUMBERS}
    values = {name: sample[name] for name in ("sender", *text.placeholders)}
    body = text.pattern % tuple([values[name] for name in text.placeholders])
    arriving = signed(body, values["sender"], language)
    return ArrivingText(arriving, language, values, overdue, "", links_allowed=False, link_domains=frozenset())


def _patterns(wording: WordingFile) -> Iterator[tuple[str, str]]:
    yield "single", wording.single
    yield "several", wording.several
    if wording.single_with_fee is not None and wording.several_with_fee is not None:
        yield "single_with_fee", wording.single_with_fee
        yield "several_with_fee", wording.several_with_fee


_SUFFIX = {"single": "", "several": "-several", "single_with_fee": "-fee", "several_with_fee": "-several-fee"}


def _compile_wording(file: DataFile, language: str, key: str, version: int, field: str, pattern: str) -> Text:
    """Compile one wording. It must have what every text has, and the count or the fee that its field is for."""
    try:
        text = compile_text(f"{language}/{key}{_SUFFIX[field]}@{version}", pattern)
    except TextError as error:
        raise file.refusal((key, field), str(error)) from error
    with_fee = field.endswith("with_fee")
    required = set(_REQUIRED_PLACEHOLDERS)
    required |= {"count"} if field.startswith("several") else set()
    required |= {"fee"} if with_fee else set()
    if missing := sorted(required - set(text.placeholders)):
        raise file.refusal((key, field), f"lacks {{{'}, {'.join(missing)}}}")
    if "fee" in text.placeholders and not with_fee:
        raise file.refusal((key, field), f"has {{fee}}, which stands in {field}_with_fee only")
    return text
