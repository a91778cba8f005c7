"""
Words of channels: the wordings of mail, LINE, calls and WhatsApp, in the file of a language beside the texts for SMS.

A wording is for a range of stages, `[mail.overdue]` with `stages = [1, 14]`, because one friendly sentence fits many. A
lender's own wording has the id of the package's wording whose place it takes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, Field, RootModel

from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import TextError
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.texts.channel_words import (
    NO_CHANNEL_WORDS,
    SENDER,
    ApprovedWords,
    BubbleWords,
    ChannelWording,
    ChannelWords,
    MailFrame,
    MailRow,
    MailWords,
    SpokenWords,
    StagedWords,
)
from dunning.domain.texts.compose import signed
from dunning.domain.texts.compose_channel import LONGEST_PREVIEW, LONGEST_SUBJECT, display_columns, filled_mail
from dunning.domain.texts.extras import Button
from dunning.domain.texts.lint import ArrivingText, Finding, Linter
from dunning.domain.texts.mail import mail_as_text
from dunning.domain.texts.wording import PLACEHOLDERS, Text, compile_text, fill
from dunning.policy.fields import Strict
from dunning.policy.files import DataFile

CHANNEL_TABLES = {"mail": Channel.EMAIL, "line": Channel.LINE, "voice": Channel.VOICE, "whatsapp": Channel.WHATSAPP}
"""The tables of a file that hold words of other channels than SMS."""

_FRAME = "frame"
_NAMES = PLACEHOLDERS | {SENDER}
_OPEN_NAMES = frozenset({SENDER, "hotline"})
"""What may be filled in where others can see or hear it."""
_EVERY_REMINDER = frozenset({"tail", "amount", "date", "pay", "hotline"})
_LONGEST_LABEL = 20
_META_LANGUAGE = re.compile(r"[a-z]{2,3}(?:_[A-Z]{2,3})?")
_FIRST_STAGE, _LAST_STAGE = -365, 3650


def _ascending(stages: tuple[int, int]) -> tuple[int, int]:
    first, last = stages
    if not _FIRST_STAGE <= first <= last <= _LAST_STAGE:
        raise ValueError(f"write the first and the last stage, from {_FIRST_STAGE} to {_LAST_STAGE}: [1, 14]")
    return stages


def _of_one_kind(stages: tuple[int, int]) -> tuple[int, int]:
    first, last = stages
    if not (last < 0 or first == last == 0 or first > 0):
        raise ValueError("stages before, on and after the due date need words of their own: [-30, -1], [0, 0], [1, 14]")
    return stages


_AnyStages = Annotated[tuple[int, int], AfterValidator(_ascending)]
_OneKind = Annotated[_AnyStages, AfterValidator(_of_one_kind)]
_Version = Annotated[int, Field(ge=1, strict=True)]
_Sentence = Annotated[str, Field(min_length=2, pattern=r"\S")]
_Label = Annotated[str, Field(min_length=1, max_length=_LONGEST_LABEL, pattern=r"\S")]
_Row = tuple[_Label, _Sentence]


class MailFrameFile(Strict):
    """
    What all mails of a language have: greeting, table and the line about opting out.

    `rows` are the lines of the table, a label and a value each. One with {fee} stands only where there is a fee.
    """

    greeting: _Sentence
    rows: tuple[_Row, ...] = Field(min_length=1)
    rows_for_several: tuple[_Row, ...] = Field(min_length=1)
    opt_out: _Sentence


class MailFile(Strict):
    """The wording of a mail. `closing` are the paragraphs below the table."""

    stages: _OneKind
    version: _Version
    subject: _Sentence
    preview: _Sentence
    single: _Sentence
    several: _Sentence
    closing: tuple[_Sentence, ...] = Field(min_length=1)


class BubbleFile(Strict):
    """The wording of a message on LINE, or of a template for WhatsApp."""

    stages: _OneKind
    version: _Version
    single: _Sentence
    several: _Sentence


class ButtonsFile(RootModel[Annotated[dict[ReplyIntent, _Label], Field(min_length=1, max_length=13)]]):
    """The labels of the buttons below a bubble, by the intent that a press means."""


class SpokenFile(Strict):
    """The wording of a call."""

    stages: _AnyStages
    version: _Version
    text: _Sentence


def load_channel_words(
    language: str, file: DataFile, linter: Linter, samples: Mapping[str, str], lender: str = "",
    common: ChannelWording = NO_CHANNEL_WORDS,
) -> ChannelWording:  # fmt: skip
    """
    Read the words of the channels in the file of a language, a lender's own over the `common` ones.

    `samples` are ordinary values, with which each wording is judged.

    Raises:
        PolicyError: a table is not as it should be, two are for one stage, a wording lacks a placeholder, is too long,
            discloses a debt to others, or breaks another rule of the linter.
    """
    reader = _Reader(language, file, linter, samples, f"{lender}/" if lender else "", common)
    words = dict(common.words)
    for table, channel in CHANNEL_TABLES.items():
        if table not in file.raw:
            continue
        if not isinstance(file.raw[table], dict):
            raise file.refusal((table,), "is no table of words")
        read = list(reader.staged(table, channel))
        own = {each.id for each in read}
        for key in _BESIDE[table]:
            if key in file.raw[table] and not read:
                raise file.refusal((table, key), "is for wordings of this file, and it has none for the channel")
        kept = [each for each in words.get(channel, ()) if each.id not in own]
        words[channel] = tuple(sorted((*kept, *read), key=lambda each: each.first))
        _check_ranges(file, table, words[channel], own)
    return ChannelWording(words, reader.frame, reader.buttons, reader.meta_language)


def _check_ranges(file: DataFile, table: str, words: Sequence[StagedWords], own: set[str]) -> None:
    for earlier, later in pairwise(words):
        if later.first <= earlier.last:
            mine, other = (later, earlier) if later.id in own else (earlier, later)
            raise file.refusal(
                (table, mine.id, "stages"),
                f"{other.id} is for stages {other.first:+d} to {other.last:+d}: use that id, or other stages",
            )


class _Reader:
    """Reads the tables of one file."""

    def __init__(
        self, language: str, file: DataFile, linter: Linter, samples: Mapping[str, str], called: str,
        common: ChannelWording,
    ) -> None:  # fmt: skip
        self._language = language
        self._file = file
        self._linter = linter
        self._samples = {
            name: value for name, value in samples.items() if name != "name" or linter.names_customers(language)
        }
        self._called = called
        self.frame = self._read_frame() or common.frame
        self.buttons = self._read_buttons() or common.buttons
        self.meta_language = self._read_meta_language() or common.meta_language

    def staged(self, table: str, channel: Channel) -> Iterator[StagedWords]:
        """Yield the words of a channel."""
        for key in self._file.raw[table]:
            if key in _NOT_STAGED[table]:
                continue
            where = (table, key)
            if not isinstance(self._file.raw[table][key], dict):
                raise self._file.refusal(where, "is no key here")
            match channel:
                case Channel.EMAIL:
                    yield self._mail(where)
                case Channel.VOICE:
                    yield self._spoken(where)
                case _:
                    yield self._bubble(where, channel)

    def _named(self, where: tuple[str, str], version: int, suffix: str = "") -> str:
        table, key = where
        return f"{self._called}{table}/{self._language}/{key}{suffix}@{version}"

    def _compiled(
        self, where: tuple[str, ...], field: str, named: str, written: str, names: frozenset[str] = _NAMES
    ) -> Text:
        """Compile a sentence."""
        try:
            text = compile_text(named, written, names)
        except TextError as error:
            raise self._file.refusal((*where, field), str(error)) from error
        if "name" in text.placeholders and not self._linter.names_customers(self._language):
            raise self._file.refusal(
                (*where, field), "has {name}, for which the language has no decent mask: name nobody"
            )
        return text

    def _mail(self, where: tuple[str, str]) -> StagedWords:
        frame = self.frame
        if frame is None:
            raise self._file.refusal(("mail", _FRAME), "missing: the greeting, table and opt-out line of all mails")
        file = self._file.read(MailFile, *where)
        forms = []
        for field, opening, rows, suffix in (
            ("single", file.single, frame.rows, ""), ("several", file.several, frame.rows_for_several, "-several")
        ):  # fmt: skip
            named = self._named(where, file.version, suffix)
            mail = MailWords(
                template=named,
                subject=self._compiled(where, "subject", named, file.subject, _OPEN_NAMES),
                preview=self._compiled(where, "preview", named, file.preview, _OPEN_NAMES),
                greeting=frame.greeting,
                opening=self._compiled(where, field, named, opening),
                rows=rows,
                closing=tuple([self._compiled(where, "closing", named, paragraph) for paragraph in file.closing]),
                opt_out=frame.opt_out,
            )
            if suffix and "count" not in mail.opening.placeholders:
                raise self._file.refusal((*where, field), "lacks {count}")
            self._judge_lengths(where, mail)
            for part, text in (("subject", mail.subject), ("preview", mail.preview)):
                self._judge_open((*where, part), text)
            filled = filled_mail(mail, self._samples, self._language, with_fee=True)
            self._judge(where, field, mail_as_text(filled), file.stages, filled.opt_out, two_way=False)
            forms.append(mail)
        return StagedWords(where[1], *file.stages, *forms)

    def _judge_lengths(self, where: tuple[str, str], mail: MailWords) -> None:
        for part, text, most in (
            ("subject", mail.subject, LONGEST_SUBJECT), ("preview", mail.preview, LONGEST_PREVIEW)
        ):  # fmt: skip
            line = fill(text, self._samples)
            if len(line.splitlines()) > 1:
                raise self._file.refusal((*where, part), "is more than one line")
            if (columns := display_columns(line)) > most:
                raise self._file.refusal(
                    (*where, part), f"takes {columns} columns, {most} allowed; a Chinese character takes two"
                )

    def _bubble(self, where: tuple[str, str], channel: Channel) -> StagedWords:
        file = self._file.read(BubbleFile, *where)
        if channel is Channel.LINE and not self.buttons:
            raise self._file.refusal(("line", "buttons"), "missing: without one nobody could end the messages")
        if channel is Channel.WHATSAPP and not self.meta_language:
            raise self._file.refusal(("whatsapp", "language"), 'missing: the language as Meta writes it, "zh_TW"')
        required = _EVERY_REMINDER | ({"name"} if self._linter.names_customers(self._language) else set())
        forms: list[ChannelWords] = []
        for field, written, suffix in (("single", file.single, ""), ("several", file.several, "-several")):
            named = self._named(where, file.version, suffix)
            text = self._compiled(where, field, named, written)
            if missing := sorted((required | ({"count"} if suffix else set())) - set(text.placeholders)):
                raise self._file.refusal((*where, field), f"lacks {{{'}, {'.join(missing)}}}")
            body = fill(text, self._samples)
            if channel is Channel.LINE:
                body = signed(body, self._samples[SENDER], self._language)
                forms.append(BubbleWords(named, text, self.buttons))
            else:
                self._judge_template((*where, field), written)
                forms.append(ApprovedWords(named, text, self.meta_language))
            self._judge(where, field, body, file.stages, "", two_way=True)
        return StagedWords(where[1], *file.stages, *forms)

    def _judge_template(self, where: tuple[str, ...], written: str) -> None:
        """Meta approves no template that begins or ends with a value: nobody could tell what it will say."""
        if written.lstrip().startswith("{") or written.rstrip(" .。!！").endswith("}"):
            raise self._file.refusal(where, "begins or ends with a value, which Meta does not approve: put words there")

    def _read_frame(self) -> MailFrame | None:
        where = ("mail", _FRAME)
        if _FRAME not in self._table("mail"):
            return None
        file = self._file.read(MailFrameFile, *where)
        named = f"{self._called}mail/{self._language}/{_FRAME}"
        greeting = self._compiled(where, "greeting", named, file.greeting)
        if self._linter.names_customers(self._language) and "name" not in greeting.placeholders:
            raise self._file.refusal((*where, "greeting"), "lacks {name}")

        def rows(field: str, written: Iterable[tuple[str, str]]) -> tuple[MailRow, ...]:
            return tuple([MailRow(label, self._compiled(where, field, named, value)) for label, value in written])

        return MailFrame(
            greeting,
            rows("rows", file.rows),
            rows("rows_for_several", file.rows_for_several),
            self._compiled(where, "opt_out", named, file.opt_out),
        )

    def _read_buttons(self) -> tuple[Button, ...]:
        """Return the buttons below a bubble, by the intent that a press means. One has to be for opting out."""
        if "buttons" not in self._table("line"):
            return ()
        where = ("line", "buttons")
        labels = self._file.read(ButtonsFile, *where).root
        if ReplyIntent.OPT_OUT not in labels:
            raise self._file.refusal(where, f"lacks {ReplyIntent.OPT_OUT}: nobody could end the messages")
        for intent, label in labels.items():
            self._refuse((*where, intent), self._linter.wording_faults(label, self._language))
        return tuple([Button(label, intent.value) for intent, label in labels.items()])

    def _read_meta_language(self) -> str:
        if "language" not in self._table("whatsapp"):
            return ""
        language = self._table("whatsapp")["language"]
        if not isinstance(language, str) or not _META_LANGUAGE.fullmatch(language):
            raise self._file.refusal(("whatsapp", "language"), 'is no language as Meta writes it, such as "zh_TW"')
        return language

    def _table(self, name: str) -> Mapping[str, Any]:
        table = self._file.raw.get(name, {})
        return table if isinstance(table, dict) else {}

    def _spoken(self, where: tuple[str, str]) -> StagedWords:
        file = self._file.read(SpokenFile, *where)
        named = self._named(where, file.version)
        text = self._compiled(where, "text", named, file.text, _OPEN_NAMES)
        if missing := sorted(_OPEN_NAMES - set(text.placeholders)):
            raise self._file.refusal((*where, "text"), f"lacks {{{'}, {'.join(missing)}}}")
        self._judge_open((*where, "text"), text)
        words = SpokenWords(named, text)
        return StagedWords(where[1], *file.stages, words, words)

    def _judge_open(self, where: tuple[str, ...], text: Text) -> None:
        self._refuse(where, self._linter.disclosures(fill(text, self._samples), self._language, self._samples))

    def _judge(
        self, where: tuple[str, str], field: str, body: str, stages: tuple[int, int], opt_out: str, *, two_way: bool
    ) -> None:
        """Judge a message as it arrives with ordinary values, where no links are allowed."""
        message = ArrivingText(
            body, self._language, self._samples, stages[0] > 0, opt_out, links_allowed=False,
            link_domains=frozenset(), two_way=two_way, due_today=stages == (0, 0),
        )  # fmt: skip
        self._refuse((*where, field), self._linter.channel_faults(message))
        self._refuse((*where, field), self._linter.phrasing_faults(body, self._language))

    def _refuse(self, where: tuple[str, ...], faults: Iterable[Finding]) -> None:
        for fault in faults:
            raise self._file.refusal(where, f"{fault.message} ({fault.rule})")


_BESIDE: Mapping[str, tuple[str, ...]] = {
    "mail": (_FRAME,), "line": ("buttons",), "voice": (), "whatsapp": ("language",)
}  # fmt: skip
"""What stands beside the wordings of a channel, and is for them."""

_NOT_STAGED: Mapping[str, frozenset[str]] = {
    "mail": frozenset({_FRAME}),
    "line": frozenset({"buttons"}),
    "voice": frozenset(),
    "whatsapp": frozenset({"language"}),
}
