"""
Texts: the wording of each stage, one file per language, versioned as `id@version`.

A lender may have texts of its own, `lenders/<id>/texts/<language>.toml`. There a text has the id of the package's text
that it takes the place of, or is for a stage that the package has no text for. It is called `<lender>/<language>/<id>`.

A text with a `variant` is used only where a trial draws the arm of that name.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from dunning.domain.effect.draws import SILENCE, USUAL_TEXT
from dunning.domain.errors import TextError
from dunning.domain.texts.channel_words import NO_CHANNEL_WORDS, ChannelWording
from dunning.domain.texts.compose import signed
from dunning.domain.texts.lint import ArrivingText, Linter
from dunning.domain.texts.segments import count_segments
from dunning.domain.texts.wording import Text, TextVariant, compile_text
from dunning.policy.fields import Strict
from dunning.policy.files import DataFile

_REQUIRED_PLACEHOLDERS = frozenset({"tail", "amount", "date", "pay", "hotline"})
"""Every reminder names the account, the amount, the due date, the ways to pay and the hotline."""

_TABLES_OF_CHANNELS = ("mail", "line", "voice", "whatsapp")
_PHRASES = ("opt_out_line", "opt_out_line_without_replies", "and_others")
_CONFIRMATION = "opt-out-confirmation"
_QUESTIONS_AND_NUMBERS = frozenset("?？0123456789")
"""What a confirmation of an opt-out may not hold: it must not draw the customer into talking."""

LONGEST_SENDER_NAME = 32


class WordingFile(Strict):
    """
    The wording of one stage, for one instalment and for several; the same with a late fee, if it has such texts.

    With `requires_written_notice` the text is not sent before a written notice is on record. `variant` is the arm of a
    trial that the text is for.
    """

    stage: int = Field(strict=True)
    version: int = Field(ge=1, strict=True)
    single: str = Field(min_length=10)
    several: str = Field(min_length=10)
    single_with_fee: str | None = Field(default=None, min_length=10)
    several_with_fee: str | None = Field(default=None, min_length=10)
    requires_written_notice: bool = False
    variant: str = Field(default="", pattern=r"^$|^[a-z0-9_-]{1,16}$")

    @model_validator(mode="after")
    def _fits_its_stage(self) -> Self:
        if (self.single_with_fee is None) is not (self.several_with_fee is None):
            raise ValueError("single_with_fee and several_with_fee come together or not at all")
        if self.stage <= 0 and self.single_with_fee is not None:
            raise ValueError("a text up to the due date has no late fee to name")
        if self.variant == USUAL_TEXT:
            raise ValueError(f"variant: {USUAL_TEXT} is the text without a variant; choose another name")
        if self.variant == SILENCE:
            raise ValueError(f"variant: {SILENCE} is the arm without a text; choose another name")
        if self.stage <= 0 and self.requires_written_notice:
            raise ValueError("a text up to the due date cannot follow a notice about its being late")
        return self


class ConfirmationFile(Strict):
    """The text that confirms an opt-out."""

    version: int = Field(ge=1, strict=True)
    text: str = Field(min_length=10)


type FramePhrases = Mapping[str, str]
"""The phrases around the texts of a language: the two opt-out lines, and the words for further accounts."""

type Key = tuple[str, int, bool]
"""Language, stage, and whether for several instalments."""


class Wording(NamedTuple):
    """
    The texts of one language, those with a late fee apart, and the stages that need a written notice.

    `confirmation` confirms an opt-out. `ids` are the ids of the texts by stage. `channels` are the words of channels
    other than SMS. `variants` are the texts that trials compare with these, by arm.
    """

    texts: Mapping[Key, Text]
    with_fee: Mapping[Key, Text]
    notice_stages: frozenset[int]
    phrases: FramePhrases
    confirmation: Text
    ids: Mapping[int, str]
    channels: ChannelWording = NO_CHANNEL_WORDS
    variants: Mapping[str, TextVariant] = MappingProxyType({})


_SAMPLE_VALUES: Mapping[str, Mapping[str, str]] = {
    "zh-Hant": {"sender": "示範分期", "name": "王*明", "amount": "NT$3,250", "fee": "NT$100", "date": "12/5",
                "pay": "官方APP"},
    "zh-Hans": {"sender": "示范分期", "name": "王*明", "amount": "325.00元", "fee": "10.00元", "date": "12月5日",
                "pay": "官方APP"},
    "en": {"sender": "Demo Finance", "name": "J***", "amount": "USD 325.00", "fee": "USD 10.00", "date": "5 Dec",
           "pay": "in our app"},
}  # fmt: skip
_SAMPLE_NUMBERS: Mapping[str, str] = {"tail": "5678", "days": "15", "count": "3", "hotline": "0800-000-123"}


def load_texts(language: str, file: DataFile, linter: Linter) -> Wording:
    """
    Read the texts of one language and its phrases.

    Raises:
        PolicyError: the file is not as it should be, a text lacks a placeholder it must have, breaks a rule of the
            linter once it is filled in, or needs no written notice though one of an earlier stage does.
    """
    _check_language(language, file)
    phrases = {phrase: file.raw.get(phrase, "") for phrase in _PHRASES}
    for phrase, words in phrases.items():
        if not isinstance(words, str) or not words:
            raise file.refusal((phrase,), "missing")
        for fault in linter.wording_faults(words, language):
            raise file.refusal((phrase,), f"{fault.message} ({fault.rule})")
    read = _read_stages(
        language, file, linter, f"{language}/", ("language", _CONFIRMATION, *_PHRASES, *_TABLES_OF_CHANNELS)
    )
    texts, with_fee, notices = _by_key(language, read)
    _check_notices(file, read, notices)
    ids = {stage.wording.stage: stage.id for stage in read if not stage.wording.variant}
    channels = _channel_words(language, file, linter)
    variants = _variants(file, language, read, ids, notices)
    return Wording(texts, with_fee, notices, phrases, _confirmation(language, file, linter), ids, channels, variants)


def load_own_texts(lender: str, language: str, file: DataFile, linter: Linter, common: Wording) -> Wording:
    """
    Read a lender's own texts of a language, and lay them over the package's.

    Raises:
        PolicyError: as `load_texts`; or a text has the id of a text for another stage, or its stage has a text already.
    """
    _check_language(language, file)
    read = _read_stages(language, file, linter, f"{lender}/{language}/", ("language", *_TABLES_OF_CHANNELS))
    stage_of = {text_id: stage for stage, text_id in common.ids.items()}
    for stage in read:
        if stage.wording.variant:
            if stage.id in stage_of:
                raise file.refusal((stage.id, "variant"), "is the id of a usual text; choose another id")
            continue
        there = common.ids.get(stage.wording.stage)
        if there != stage.id and (there or stage.id in stage_of):
            is_for = (
                f"{stage.id} is for stage {stage_of[stage.id]:+d}" if stage.id in stage_of else "the stage has a text"
            )
            called = f", called {there}: a text takes its place by that id" if there else ""
            raise file.refusal((stage.id, "stage"), f"{is_for}{called}")
    texts, with_fee, notices = _by_key(language, read)
    own = {stage.wording.stage for stage in read if not stage.wording.variant}
    all_notices = notices | {stage for stage in common.notice_stages if stage not in own}
    _check_notices(file, read, all_notices)
    kept_with_fee = {key: text for key, text in common.with_fee.items() if key[1] not in own}
    ids = {**common.ids, **{stage.wording.stage: stage.id for stage in read if not stage.wording.variant}}
    return common._replace(
        texts={**common.texts, **texts},
        with_fee={**kept_with_fee, **with_fee},
        notice_stages=all_notices,
        ids=ids,
        channels=_channel_words(language, file, linter, lender, common.channels),
        variants=_variants(file, language, read, ids, all_notices, common.variants),
    )


def _channel_words(
    language: str, file: DataFile, linter: Linter, lender: str = "", common: ChannelWording = NO_CHANNEL_WORDS
) -> ChannelWording:
    # Imported here: at a cold start all words have been read long ago, when the layer was built.
    from dunning.policy.channel_text_files import load_channel_words  # noqa: PLC0415

    samples = {**_SAMPLE_VALUES[language], **_SAMPLE_NUMBERS}
    return load_channel_words(language, file, linter, samples, lender, common)


class _Stage(NamedTuple):
    """The table of one stage, and its texts by field."""

    id: str
    wording: WordingFile
    texts: Mapping[str, Text]


def _check_language(language: str, file: DataFile) -> None:
    if "language" not in file.raw:
        raise file.refusal(("language",), f'missing; write language = "{language}" at the top')
    if file.raw["language"] != language:
        raise file.refusal(("language",), f"is not {language!r}, as the file's name says")


def _read_stages(
    language: str, file: DataFile, linter: Linter, called: str, others: Collection[str]
) -> Sequence[_Stage]:
    """Read the tables of a file but `others`, a stage each, with all that the linter finds in their texts."""
    read: list[_Stage] = []
    for key in file.raw:
        if key in others:
            continue
        if not isinstance(file.raw[key], dict):
            raise file.refusal((key,), "is no key here")
        wording = file.read(WordingFile, key)
        if any((wording.stage, wording.variant) == (stage.wording.stage, stage.wording.variant) for stage in read):
            raise file.refusal((key, "stage"), f"{wording.stage} is there twice")
        texts = {}
        for field, pattern in _patterns(wording):
            named = f"{called}{key}{_SUFFIX[field]}@{wording.version}"
            text = _compile_wording(file, (key, field), named, pattern, names=linter.names_customers(language))
            message = _filled_in(language, text, wording.stage)
            for fault in (*linter.faults(message), *linter.phrasing_faults(message.text, language)):
                raise file.refusal((key, field), f"{fault.message} ({fault.rule})")
            texts[field] = text
        read.append(_Stage(key, wording, texts))
    return read


def _by_key(language: str, read: Sequence[_Stage]) -> tuple[Mapping[Key, Text], Mapping[Key, Text], frozenset[int]]:
    """Return texts, those with a late fee apart, and the stages that need a written notice."""
    texts: dict[Key, Text] = {}
    with_fee: dict[Key, Text] = {}
    for stage in read:
        if stage.wording.variant:
            continue
        for field, text in stage.texts.items():
            into = with_fee if field.endswith("with_fee") else texts
            into[language, stage.wording.stage, field.startswith("several")] = text
    usual = [stage.wording for stage in read if not stage.wording.variant]
    return texts, with_fee, frozenset(wording.stage for wording in usual if wording.requires_written_notice)


def _variants(
    file: DataFile,
    language: str,
    read: Sequence[_Stage],
    ids: Mapping[int, str],
    notice_stages: Collection[int],
    common: Mapping[str, TextVariant] = MappingProxyType({}),
) -> Mapping[str, TextVariant]:
    """
    Return the texts of each arm, laid over those that are common to all lenders.

    A variant is of a stage that has a usual text, and needs a written notice if that one does: an arm changes words,
    and neither the ladder nor what has to come first.
    """
    found = {arm: (dict(texts), dict(with_fee)) for arm, (texts, with_fee) in common.items()}
    for stage in read:
        wording = stage.wording
        if not wording.variant:
            continue
        if wording.stage not in ids:
            raise file.refusal((stage.id, "stage"), f"no usual text of stage {wording.stage:+d}; write it first")
        if wording.requires_written_notice is not (wording.stage in notice_stages):
            where = (stage.id, "requires_written_notice")
            raise file.refusal(where, f"says otherwise than {ids[wording.stage]}, the usual text; say the same")
        texts, with_fee = found.setdefault(wording.variant, ({}, {}))
        for several in (False, True):
            with_fee.pop((language, wording.stage, several), None)  # an own text replaces both of a common one
        for field, text in stage.texts.items():
            into = with_fee if field.endswith("with_fee") else texts
            into[language, wording.stage, field.startswith("several")] = text
    return {arm: TextVariant(*both) for arm, both in found.items()}


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


def _check_notices(file: DataFile, read: Sequence[_Stage], notice_stages: Collection[int]) -> None:
    """Refuse a later stage without a notice: it would be a way round the stage that needs the notice."""
    if not notice_stages:
        return
    first = min(notice_stages)
    for stage in read:
        if stage.wording.stage > first and stage.wording.stage not in notice_stages:
            raise file.refusal((stage.id,), f"needs a written notice too, as stage {first:+d} before it does")


def _filled_in(language: str, text: Text, stage: int) -> ArrivingText:
    """Fill a text in with ordinary values, as it would arrive where nothing is added and nobody can reply."""
    sample = {**_SAMPLE_VALUES[language], **_SAMPLE_NUMBERS}
    values = {name: sample[name] for name in ("sender", *text.placeholders)}
    body = text.pattern % tuple([values[name] for name in text.placeholders])
    return ArrivingText(
        signed(body, values["sender"], language),
        language,
        values,
        overdue=stage > 0,
        opt_out_line="",
        links_allowed=False,
        link_domains=frozenset(),
        two_way=False,
        due_today=stage == 0,
    )


def _patterns(wording: WordingFile) -> Iterator[tuple[str, str]]:
    yield "single", wording.single
    yield "several", wording.several
    if wording.single_with_fee is not None and wording.several_with_fee is not None:
        yield "single_with_fee", wording.single_with_fee
        yield "several_with_fee", wording.several_with_fee


_SUFFIX = {"single": "", "several": "-several", "single_with_fee": "-fee", "several_with_fee": "-several-fee"}


def _compile_wording(file: DataFile, where: tuple[str, str], named: str, pattern: str, *, names: bool) -> Text:
    """Compile one wording. It must have what every text has, and the name, count or fee that its field is for."""
    try:
        text = compile_text(named, pattern)
    except TextError as error:
        raise file.refusal(where, str(error)) from error
    field = where[1]
    with_fee = field.endswith("with_fee")
    required = set(_REQUIRED_PLACEHOLDERS)
    required |= {"name"} if names else set()
    required |= {"count"} if field.startswith("several") else set()
    required |= {"fee"} if with_fee else set()
    if missing := sorted(required - set(text.placeholders)):
        raise file.refusal(where, f"lacks {{{'}, {'.join(missing)}}}")
    if "fee" in text.placeholders and not with_fee:
        raise file.refusal(where, f"has {{fee}}, which stands in {field}_with_fee only")
    if "name" in text.placeholders and not names:
        raise file.refusal(where, "has {name}, for which the language has no decent mask: name nobody")
    return text
