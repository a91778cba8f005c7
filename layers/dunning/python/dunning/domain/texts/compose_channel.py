"""
Compose for a channel: writes a reminder as a mail, a bubble on LINE, a spoken text or a template of WhatsApp.

All values come from the same amount that an SMS would name. Each part is judged by the linter: what others may see or
hear (subject, preview, spoken text) says nothing of a debt, all else says what an SMS has to say.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from dunning.domain.decision.decisions import Reason
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import NoTextError, TextError, UnknownCurrencyError
from dunning.domain.texts.channel_words import (
    NO_CHANNEL_WORDS,
    SENDER,
    ApprovedWords,
    BubbleWords,
    ChannelWords,
    MailWords,
    SpokenWords,
)
from dunning.domain.texts.compose import AmountDue, ComposedText, language_of, signed, values_of
from dunning.domain.texts.extras import NO_EXTRAS, Extras
from dunning.domain.texts.lint import ArrivingText, Finding
from dunning.domain.texts.mail import FilledMail, mail_as_text, mail_extras
from dunning.domain.texts.numbers_to_call import holds_number_to_call
from dunning.domain.texts.segments import ONE_MESSAGE
from dunning.domain.texts.wording import fill

if TYPE_CHECKING:
    from dunning.domain.customer.facts import Facts
    from dunning.domain.decision.rules import Rules

LONGEST_SUBJECT = 60
"""In columns: a Chinese character takes two. Telephones cut what is longer."""
LONGEST_PREVIEW = 120
LONGEST_BUBBLE = 500
"""In the units of UTF-16 that LINE counts. LINE takes 5,000; nobody reads them."""
LONGEST_SPEECH = 3000
"""Characters that End User Messaging speaks."""
LONGEST_TEMPLATE = 1024
"""Characters of a template that is filled in: Meta's limit for the body."""
LONGEST_BODY = 5000
"""Characters of a mail. Longer ones come from words that were meant for another place."""

_UNFIT_FOR_PARAMETER = re.compile(r"[\n\r\t]| {5}")
"""What Meta takes in no parameter: line feeds, tabs, and more than four blanks in a row."""


def compose_for_channel(
    facts: "Facts", rules: "Rules", stage: int, due: AmountDue, today: date, channel: "Channel"
) -> ComposedText:
    """
    Compose the words of a stage for a channel other than SMS.

    Raises:
        NoTextError: the channel has no words for the stage in the language; a template is not approved; a value is
            missing; a part is too long; or the linter stops the message.
    """
    language = language_of(facts, rules)
    wording = rules.channel_words.get(language, NO_CHANNEL_WORDS)
    words = wording.at(channel, stage, several=due.instalments > 1)
    if words is None:
        raise NoTextError(Reason.NO_TEXT, "text: none for stage %+d on %s in %s", stage, channel.value, language)
    registered = _approved_as(rules, words, stage) if isinstance(words, ApprovedWords) else ""
    try:
        names = _NAMES if rules.linter.names_customers(language) else _NAMES_WITHOUT_NAME
        values = values_of(facts, rules, names, len(names), language, due, today)
        values[SENDER] = rules.sender_name[language]
        body, extras = _filled(words, values, language, with_fee=due.late_fee > 0)
    except UnknownCurrencyError:
        raise NoTextError(Reason.UNKNOWN_CURRENCY, "text: currency %s is not known", due.currency) from None
    except TextError as error:
        raise NoTextError(Reason.TEXT_REFUSED, "text: %s", error) from None
    _check_length(words, body, extras)
    _raise_for(words, _faults(facts, rules, words, body, extras, values, language, stage))
    return ComposedText(body, body, language, stage, words.template, registered, values, ONE_MESSAGE, extras)


def filled_mail(words: MailWords, values: Mapping[str, str], language: str, *, with_fee: bool) -> FilledMail:
    """
    Fill a mail in.

    Raises:
        TextError: a placeholder has no value or an empty one.
    """
    rows = [row for row in words.rows if with_fee or "fee" not in row.value.placeholders]
    return FilledMail(
        language=language,
        sender=values[SENDER],
        subject=fill(words.subject, values),
        preview=fill(words.preview, values),
        greeting=fill(words.greeting, values),
        opening=fill(words.opening, values),
        rows=tuple([(row.label, fill(row.value, values)) for row in rows]),
        closing=tuple([fill(paragraph, values) for paragraph in words.closing]),
        opt_out=fill(words.opt_out, values) if words.opt_out else "",
        whole=tuple([values[name] for name in ("hotline", "date") if name in values]),
    )


def display_columns(text: str) -> int:
    """Return how many columns a text takes: two for a Chinese character."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def length_fault(words: ChannelWords, body: str, extras: Extras) -> str:
    """Say which part of a message is too long, and by how much; empty if none is."""
    utf16 = len(body.encode("utf-16-le", "surrogatepass")) // 2
    measured: Iterable[tuple[str, int, int]]
    match words:
        case MailWords():
            measured = (
                ("subject", display_columns(extras.subject), LONGEST_SUBJECT),
                ("preview", display_columns(extras.preview), LONGEST_PREVIEW),
                ("body", len(body), LONGEST_BODY),
            )
        case BubbleWords():
            measured = (("bubble", utf16, LONGEST_BUBBLE),)
        case SpokenWords():
            measured = (("spoken text", len(body), LONGEST_SPEECH),)
        case ApprovedWords():
            measured = (("template", len(body), LONGEST_TEMPLATE),)
    return next((f"{part} takes {length}, {most} allowed" for part, length, most in measured if length > most), "")


_NAMES_WITHOUT_NAME = ("tail", "amount", "date", "pay", "hotline", "count", "days", "fee")
_NAMES = ("name", *_NAMES_WITHOUT_NAME)
"""Every value there is: the parts of a message need different ones."""


def _filled(words: ChannelWords, values: Mapping[str, str], language: str, *, with_fee: bool) -> tuple[str, Extras]:
    match words:
        case MailWords():
            mail = filled_mail(words, values, language, with_fee=with_fee)
            return mail_as_text(mail), mail_extras(mail)
        case BubbleWords():
            body = signed(fill(words.text, values), values[SENDER], language)
            return body, Extras(buttons=words.buttons)
        case SpokenWords():
            return fill(words.text, values), NO_EXTRAS
        case ApprovedWords():
            body = fill(words.text, values)
            parameters = tuple([values[name] for name in words.text.placeholders])
            if any(map(_UNFIT_FOR_PARAMETER.search, parameters)):
                raise TextError(f"{words.template}: a value has line feeds or many blanks, which Meta takes in none")
            return body, Extras(language=words.language, parameters=parameters)


def _approved_as(rules: "Rules", words: ApprovedWords, stage: int) -> str:
    """Return the name of the template that Meta has approved for a wording."""
    approved = ""
    for of_channel in rules.channels.get(stage, ()):
        if of_channel.channel is Channel.WHATSAPP and of_channel.registered:
            approved = of_channel.registered.get(words.template, "")
    if not approved:
        message = "text: %s is not a template that Meta has approved"
        raise NoTextError(Reason.TEMPLATE_NOT_REGISTERED, message, words.template)
    return approved


def _check_length(words: ChannelWords, body: str, extras: Extras) -> None:
    if fault := length_fault(words, body, extras):
        raise NoTextError(Reason.TEXT_TOO_LONG, "text: %s: its %s", words.template, fault)


def _faults(
    facts: "Facts",
    rules: "Rules",
    words: ChannelWords,
    body: str,
    extras: Extras,
    values: Mapping[str, str],
    language: str,
    stage: int,
) -> Iterable[Finding]:
    """Judge each part of a message, and say what stops it."""
    if isinstance(words, SpokenWords):
        if not holds_number_to_call(values["hotline"]):
            wrong = "text: %s names no number to call back: the hotline is words there"
            raise NoTextError(Reason.TEXT_REFUSED, wrong, words.template)
        return rules.linter.disclosures(body, language, values, facts.name)
    has_mail = isinstance(words, MailWords)
    opt_out = fill(words.opt_out, values) if isinstance(words, MailWords) and words.opt_out else ""
    message = ArrivingText(
        body, language, values, stage > 0, opt_out, rules.links_allowed, rules.link_domains,
        two_way=not has_mail, due_today=stage == 0,
    )  # fmt: skip
    faults = list(rules.linter.channel_faults(message))
    if has_mail:
        for part in (extras.subject, extras.preview):
            faults += rules.linter.disclosures(part, language, values, facts.name)
    return faults


def _raise_for(words: ChannelWords, faults: Iterable[Finding]) -> None:
    broken = "; ".join([f"{fault.rule}, {fault.message}" for fault in faults])
    if broken:
        raise NoTextError(Reason.TEXT_REFUSED, "text: %s %s", words.template, broken)
