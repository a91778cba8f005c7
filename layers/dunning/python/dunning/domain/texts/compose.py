"""
Compose: writes the text of a reminder in the customer's language.

A wording with a late fee is used if the fee is certain, if the wording is registered where it has to be, and if it fits
the budget. Else the plain wording is used, whose amount is just as exact.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import NoTextError, TextError, UnknownCurrencyError
from dunning.domain.texts.extras import NO_EXTRAS, Extras
from dunning.domain.texts.lint import ArrivingText, Linter
from dunning.domain.texts.lint.shapes import shape_of_values, values_in_shape
from dunning.domain.texts.masking import greeting_name
from dunning.domain.texts.money import format_date, format_money
from dunning.domain.texts.numbers_to_call import holds_number_to_call
from dunning.domain.texts.segments import Segments, count_segments, fits_sns
from dunning.domain.texts.wording import Text, render

_LENDERS_WORDS = ("sender", "pay", "hotline")
"""The values that are a lender's own words, the same for all customers."""

_IN_EVERY_TEXT = ("tail", "amount", "date", "pay", "hotline")
_IN_OTHER_TEXTS = ("name", "count", "days", "fee")
"""The values of a text, in the order of `values_of`."""

_SHAPES_CACHED = 16384
"""The shapes of values are few: of amounts their lengths, of names those with characters that a rule looks for."""


class AmountDue(NamedTuple):
    """
    The amount that a text asks for: the sum, the number of instalments, and the earliest due date with its account.

    Money is minor units of `currency`. `late_fee` is the part of `total` that is a late fee: zero if there is no fee,
    or if the open part of the fee is not certain. `others` says whether the text speaks of further accounts.
    `pay_account` is what the customer pays with, if it is the same for all accounts the text speaks of.
    """

    total: int
    instalments: int
    late_fee: int
    currency: str
    due_on: date
    tail: str
    others: bool
    pay_account: str = ""


class ComposedText(NamedTuple):
    """
    A text, ready to be sent: the gateway gets `body`, the customer sees `arriving`, and `values` are filled in.

    `body` and `arriving` differ if the carrier puts the sender's name in front. `segments` counts `arriving`; on other
    channels than SMS it is `ONE_MESSAGE`, and `extras` has what is beyond the text. Of a mail `body` is the plain text.
    """

    body: str
    arriving: str
    language: str
    stage: int
    template: str
    registered: str
    values: Mapping[str, str]
    segments: Segments
    extras: Extras = NO_EXTRAS


class Confirmation(NamedTuple):
    """The confirmation of an opt-out: the `text` for the gateway, and its encoding and segments once it is signed."""

    text: str
    encoding: str
    parts: int
    template: str
    registered_template: str
    extras: Extras = NO_EXTRAS


_SMS = Channel.SMS


def compose(
    facts: Facts, rules: Rules, stage: int, due: AmountDue, today: date, channel: Channel = _SMS, variant: str = ""
) -> ComposedText:
    """
    Compose the text of a stage, in the words of a channel; for SMS perhaps in those of an arm (`Rules.variants`).

    Raises:
        NoTextError: no wording exists, is registered where it must be, or fits; a value is missing; or the linter
            stops the text.
    """
    if channel is not _SMS:
        # Imported here: a sender of SMS needs none of it.
        from dunning.domain.texts.compose_channel import compose_for_channel  # noqa: PLC0415

        return compose_for_channel(facts, rules, stage, due, today, channel)
    drafted = draft(facts, rules, stage, due, today, variant)
    body, arriving = _body_and_arriving(drafted, rules)
    values = {**drafted.values, "sender": rules.sender_name[drafted.language]}
    return ComposedText(
        body, arriving, drafted.language, stage, drafted.template, drafted.registered, values, drafted.segments
    )


class Draft(NamedTuple):
    """
    A text that may be sent, before it is filled in: `text` and the `values` that make it, with its segments.

    `shape` is that of the values (`shapes`). `written` is the text as it is handed over and as it arrives, if it had to
    be written to be judged. The rest is as in `ComposedText`.
    """

    text: Text
    language: str
    template: str
    registered: str
    values: Mapping[str, str]
    shape: bytes
    segments: Segments
    written: tuple[str, str] | None
    extras: Extras = NO_EXTRAS


def draft(
    facts: Facts,
    rules: Rules,
    stage: int,
    due: AmountDue,
    today: date,
    variant: str = "",
    like: Draft | None = None,
) -> Draft:
    """
    Choose and judge the SMS of a stage, perhaps in the words of an arm, and leave to `body_of` what it says.

    `like` is a draft for the same customer, stage, amount and day: what both say is found once.

    Raises:
        NoTextError: as of `compose`.
    """
    language = language_of(facts, rules)
    key = language, stage, due.instalments > 1
    texts, texts_with_fee = rules.variants[variant] if variant else (rules.texts, rules.texts_with_fee)
    with_fee = texts_with_fee.get(key) if due.late_fee else None
    if with_fee is not None:
        try:
            return _drafted(facts, rules, with_fee, language, stage, due, today, like)
        except NoTextError:
            if key not in texts:
                raise
    plain = texts.get(key)
    if plain is None:
        raise NoTextError(Reason.NO_TEXT, "text: none for stage %+d in %s", stage, language)
    return _drafted(facts, rules, plain, language, stage, due, today, like)


def body_of(drafted: Draft, rules: Rules) -> str:
    """Return the words that are handed over to the gateway."""
    return _body_and_arriving(drafted, rules)[0]


def _body_and_arriving(drafted: Draft, rules: Rules) -> tuple[str, str]:
    return drafted.written or _complete(render(drafted.text, drafted.values), rules, drafted.language)


def compose_confirmation(facts: Facts, rules: Rules) -> Confirmation:
    """
    Compose the confirmation of an opt-out, with the sender.

    Its words were judged when they were loaded, with all that is filled in here.

    Raises:
        NoTextError: the place allows none, or it is not registered where it must be.
    """
    language = language_of(facts, rules)
    text = rules.confirmations.get(language)
    if text is None:
        raise NoTextError(Reason.NO_TEXT, "text: no confirmation in %s", language)
    registered = _registered(rules, text)
    body, arriving = _handed_over(render(text, {}), rules, language)
    segments = count_segments(arriving)
    return Confirmation(body, segments.encoding, segments.parts, text.template, registered)


def language_of(facts: Facts, rules: Rules) -> str:
    """Return the language a customer is written to in: their own, or the lender's first."""
    return facts.language if facts.language in rules.languages else rules.languages[0]


def _registered(rules: Rules, text: Text) -> str:
    """Return the id a text is registered under; empty where none is needed."""
    if rules.registered is None:
        return ""
    registered = rules.registered.get(text.template, "")
    if not registered:
        message = "text: %s is not registered where the number is"
        raise NoTextError(Reason.TEMPLATE_NOT_REGISTERED, message, text.template)
    return registered


def _drafted(
    facts: Facts,
    rules: Rules,
    text: Text,
    language: str,
    stage: int,
    due: AmountDue,
    today: date,
    like: Draft | None,
) -> Draft:
    """Find what one text says, and check that it may go where it goes."""
    registered = _registered(rules, text)
    written = None
    try:
        if like is not None and _say_the_same(text, like.text):
            values, shape = like.values, like.shape
        else:
            values = values_of(facts, rules, text.placeholders, text.distinct, language, due, today)
            shape = _shape_of(values, rules.linter)
        segments = _segments_of_shape(rules, text, language, stage, shape)
        if segments is None:
            written = _complete(render(text, values), rules, language)
    except UnknownCurrencyError:
        raise NoTextError(Reason.UNKNOWN_CURRENCY, "text: currency %s is not known", due.currency) from None
    except TextError as error:
        raise NoTextError(Reason.TEXT_REFUSED, "text: %s", error) from None
    if segments is None:
        assert written is not None  # noqa: S101 - what has no shape to go by was written above
        known = {**values, "sender": rules.sender_name[language]}
        segments = _judged(rules, text, language, stage, written[1], known)
    return Draft(text, language, text.template, registered, values, shape, segments, written)


def _say_the_same(text: Text, other: Text) -> bool:
    """Tell whether two wordings are filled in with the same values, in whatever order."""
    return text.placeholders == other.placeholders or set(text.placeholders) == set(other.placeholders)


def _judged(rules: Rules, text: Text, language: str, stage: int, arriving: str, values: Mapping[str, str]) -> Segments:
    """
    Judge a text by all that it says, and return its segments.

    Raises:
        NoTextError: it is too long, holds a number to call where none may stand, or the linter stops it.
    """
    segments = count_segments(arriving)
    if not _is_short_enough(rules, arriving, segments):
        message = "text: %s takes %s segments, %s allowed"
        raise NoTextError(Reason.TEXT_TOO_LONG, message, text.template, segments.parts, rules.max_parts)
    if not _may_be_called(rules, values):
        message = "text: %s holds a number to call, and carriers of the place block such a text"
        raise NoTextError(Reason.TEXT_REFUSED, message, text.template)
    faults = rules.linter.faults(_as_judged(rules, language, stage, arriving, values))
    if faults:
        broken = "; ".join([f"{fault.rule}, {fault.message}" for fault in faults])
        raise NoTextError(Reason.TEXT_REFUSED, "text: %s %s", text.template, broken)
    return segments


@lru_cache(maxsize=_SHAPES_CACHED)
def _segments_of_shape(rules: Rules, text: Text, language: str, stage: int, shape: bytes) -> Segments | None:
    """
    Return the segments of all texts whose values have a shape; `None` if each text is to be judged by itself.

    What is found of a shape holds for each of its texts: `_judged` would let them pass, with as many segments.
    """
    known = values_in_shape(shape)
    names = [*_IN_EVERY_TEXT, *[name for name in _IN_OTHER_TEXTS if name in text.placeholders]]
    if len(known) != len(names):
        return None
    values = dict(zip(names, known, strict=True)) | {"hotline": rules.hotline[language]}
    try:
        arriving = _complete(render(text, values), rules, language)[1]
    except TextError:
        return None
    places = _places_of_values(arriving, text, values, rules, language)
    segments = count_segments(arriving)
    values["sender"] = rules.sender_name[language]
    message = _as_judged(rules, language, stage, arriving, values)
    is_faultless = (
        places is not None
        and _is_short_enough(rules, arriving, segments)
        and _may_be_called(rules, values)
        and rules.linter.is_faultless_in_shape(message, places)
    )
    return segments if is_faultless else None


def _shape_of(values: Mapping[str, str], linter: Linter) -> bytes:
    if "name" not in values:
        return shape_of_values(values.values())
    return shape_of_values({**values, "name": _known_shape(linter, values["name"])}.values())


@lru_cache(maxsize=_SHAPES_CACHED)
def _known_shape(linter: Linter, name: str) -> str:
    return linter.shape_of_name(name)


def _places_of_values(
    arriving: str, text: Text, values: Mapping[str, str], rules: Rules, language: str
) -> Mapping[str, int] | None:
    """Return where the values of a text stand once it has arrived; `None` if that is in doubt."""
    mark = "\0"
    marked = text.pattern % tuple([f"{mark}{values[name]}{mark}" for name in text.placeholders])
    pieces = _complete(marked, rules, language)[1].split(mark)
    if "".join(pieces) != arriving or len(pieces) != 2 * len(text.placeholders) + 1:
        return None
    ends = list(accumulate(map(len, pieces)))
    return dict(zip(text.placeholders, ends[::2], strict=False))


def _is_short_enough(rules: Rules, arriving: str, segments: Segments) -> bool:
    return segments.parts <= rules.max_parts and fits_sns(arriving)


def _may_be_called(rules: Rules, values: Mapping[str, str]) -> bool:
    """Tell whether the lender's words hold no number to call, or may hold one."""
    return rules.numbers_to_call_allowed or not any(holds_number_to_call(values[name]) for name in _LENDERS_WORDS)


def _as_judged(rules: Rules, language: str, stage: int, arriving: str, values: Mapping[str, str]) -> ArrivingText:
    opt_out_line = rules.opt_out_line.get(language, "")
    return ArrivingText(
        arriving, language, values, stage > 0, opt_out_line, rules.links_allowed, rules.link_domains,
        rules.two_way, stage == 0,
    )  # fmt: skip


def values_of(
    facts: Facts, rules: Rules, names: Sequence[str], distinct: int, language: str, due: AmountDue, today: date
) -> dict[str, str]:
    """Return the values common to all texts, and those `names` have beside, of which `distinct` are different."""
    values = {
        "tail": due.tail + rules.and_others[language] if due.others else due.tail,
        "amount": format_money(due.total, due.currency, language),
        "date": format_date(due.due_on, today, language, facts.country),
        "pay": _means_of_payment(rules, language, due.pay_account),
        "hotline": rules.hotline[language],
    }
    if "name" in names:
        values["name"] = greeting_name(facts.name, language)
    if distinct > len(values):
        more = {
            "count": str(due.instalments),
            "days": str((today - due.due_on).days),
            "fee": format_money(due.late_fee, due.currency, language),
        }
        values |= {name: value for name, value in more.items() if name in names}
    return values


def _means_of_payment(rules: Rules, language: str, pay_account: str) -> str:
    """Return how to pay: to the customer's own account, if there is one and the lender takes payments that way."""
    if pay_account and (to_account := rules.pay_to_account.get(language)):
        return to_account.replace("{pay_account}", pay_account)
    return rules.pay[language]


def _complete(body: str, rules: Rules, language: str) -> tuple[str, str]:
    """Return the text to hand over, and the text as it arrives, which a carrier's signature may lengthen."""
    chinese = language[:2] == "zh"
    opt_out = rules.opt_out_line.get(language)
    if opt_out:
        full_stop = "。" if chinese and body[-1] != "。" else ""
        body = f"{body}{full_stop}{opt_out}"
    return _handed_over(body, rules, language)


def _handed_over(body: str, rules: Rules, language: str) -> tuple[str, str]:
    """Return a text that lacks only the sender's name: as it is handed over, and as it arrives."""
    if rules.signature_by_carrier:
        return body, f"【{rules.sender_name[language]}】{body}"
    complete = signed(body, rules.sender_name[language], language)
    return complete, complete


def signed(body: str, sender: str, language: str) -> str:
    """Put the sender's name in front of a text, as it is written in a language."""
    return f"【{sender}】{body}" if language[:2] == "zh" else f"{sender}: {body}"
