"""
Content rules: the contents that a reminder must have, such as amount and hotline, and those it must not have.

Each rule is a function that returns the faults of a message.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from dunning.domain.texts.lint.findings import ArrivingText, RuleInfo, blocking
from dunning.domain.texts.masking import NO_NAME

_CONTENT = "own default: the union of the places' duties, policy/data/jurisdictions/*.toml, required"
_LONG_NUMBER = b"0" * 7
_NUMBER_SEPARATORS = b" -()"
_DIGITS_ONLY = bytes(ord("0") if chr(byte) in "0123456789" else ord(".") for byte in range(256))
"""Turns ASCII into digits, all of them 0, and dots: a long number is found without looking at each digit in turn."""
_LONGEST_TAIL = 4
_AND_OTHERS = ("等", " etc.")
_UNNAMED = frozenset(NO_NAME.values())


class ContentPhrases(NamedTuple):
    """
    How one language says what a rule demands.

    `names` tells whether a text names the customer: where the language has a decent mask. `help` are words that offer a
    way out. `due_day` are the words for a due date that need no date, such as "today", and `today` those of them that
    mean today; `late` how it says that a payment is `{days}` days late. `due` says that a payment falls due, `overdue`
    that it has and is not there, and `ignore` what to do who has paid. `reply` are words that ask for a reply.
    """

    names: bool
    help: tuple[str, ...]
    due_day: tuple[str, ...]
    today: tuple[str, ...]
    late: tuple[str, ...]
    due: tuple[str, ...]
    overdue: tuple[str, ...]
    ignore: tuple[str, ...]
    reply: tuple[str, ...]


NO_PHRASES = ContentPhrases(True, (), (), (), (), (), (), (), ())  # noqa: FBT003 - a field


def sender_in_front(message: ArrivingText) -> str:
    """Demand the sender's name first: the signature 【…】, or the name and a colon."""
    sender = message.values.get("sender")
    if sender:
        text, length = message.text, len(sender)
        signed = text.startswith(sender, 1) and text[0] == "【" and text.startswith("】", length + 1)
        if signed or (text.startswith(sender) and text[length : length + 1] in {":", "："}):
            return ""
    return "does not begin with the sender's name"


def sender_shown(message: ArrivingText) -> str:
    """Demand the sender's name anywhere, for messages that show in their head who sends them."""
    sender = message.values.get("sender")
    return "" if sender and sender in message.text else "does not name the sender"


def name_shown(message: ArrivingText, phrases: ContentPhrases) -> str:
    """Demand the name of the person meant, where the language has a decent mask."""
    name = message.values.get("name")
    return "" if not phrases.names or (name and name in message.text) else "does not say for whom it is"


def name_masked(message: ArrivingText, phrases: ContentPhrases) -> str:
    """Demand that a name is masked: a glance at the phone must not show the debtor's name."""
    name = message.values.get("name", "")
    if not phrases.names:
        return "names the customer in a language that has no decent mask" if name else ""
    return "" if "*" in name or name in _UNNAMED else "holds a name that is not masked"


def amount_shown(message: ArrivingText) -> str:
    """Demand the amount, exact and with its currency."""
    return "" if _shows(message.text, message.values.get("amount")) else "does not say how much is due"


def account_shown(message: ArrivingText) -> str:
    """Demand the last characters of the account."""
    return "" if _shows(message.text, message.values.get("tail")) else "does not say which account it is about"


def account_masked(message: ArrivingText) -> str:
    """Demand that no more of an account number is shown than its last four characters."""
    tail = message.values.get("tail", "")
    if len(tail) > _LONGEST_TAIL:
        for suffix in _AND_OTHERS:
            tail = tail.removesuffix(suffix)
    return "" if len(tail) <= _LONGEST_TAIL else "shows more than four characters of the account number"


def way_to_pay(message: ArrivingText) -> str:
    """Demand how to pay."""
    pay = message.values.get("pay")
    return "" if pay and pay in message.text else "does not say how to pay"


def whom_to_ask(message: ArrivingText) -> str:
    """Demand the lender's one official number, or the other contact that the lender has where no number may stand."""
    return "" if _shows(message.text, message.values.get("hotline")) else "does not say whom to ask"


def opt_out_told(message: ArrivingText) -> str:
    """Demand the opt-out line at the end, where one is due."""
    return "" if message.text.endswith(message.opt_out_line) else "does not end with the opt-out line"


def no_long_number(message: ArrivingText) -> str:
    """Refuse seven digits and more that are neither the hotline nor part of a value: one official number, no other."""
    return long_number_in(message.text, message.values)


def long_number_in(text: str, values: Mapping[str, str]) -> str:
    """Tell whether a text holds a number of seven digits or more, besides those in the values filled in."""
    if not _has_long_number(text):
        return ""
    rest = text
    for value in sorted(filter(None, values.values()), key=len, reverse=True):
        # Only where it stands alone: an account's 5678 does not make another number of 0912345678.
        rest = re.sub(rf"(?<![0-9])(?<![0-9]-){re.escape(value)}(?![0-9])", "x", rest)
    return "holds a long number that is not the hotline" if _has_long_number(rest) else ""


def _has_long_number(text: str) -> bool:
    digits = text.encode("ascii", "replace").translate(_DIGITS_ONLY, _NUMBER_SEPARATORS)
    return digits.find(_LONG_NUMBER) >= 0


def due_date_shown(message: ArrivingText, phrases: ContentPhrases) -> str:
    """Demand the due date, or words for it: "today", or the number of days since."""
    text, values = message.text, message.values
    if _shows(text, values.get("date")):
        return ""
    days = values.get("days")
    if days and any(_shows(text, late.replace("{days}", days)) for late in phrases.late):
        return ""
    return "" if _mentions(message, phrases.due_day) else "does not say when it is due"


def due_told(message: ArrivingText, phrases: ContentPhrases) -> str:
    """Demand of a text up to the due date that it says "due", and of one on that day "today"."""
    if message.overdue:
        return ""
    if not _mentions(message, phrases.due):
        return "does not say that the payment falls due"
    if message.due_today and not _mentions(message, phrases.today):
        return "does not say that the payment is due today"
    return ""


def overdue_told(message: ArrivingText, phrases: ContentPhrases) -> str:
    """Demand of an overdue text that it says so: beside the date it then says since when."""
    if not message.overdue or _mentions(message, phrases.overdue):
        return ""
    return "does not say that the payment is overdue"


def ignore_if_paid(message: ArrivingText, phrases: ContentPhrases) -> str:
    """Demand that the customer who has paid is told to ignore the text."""
    return "" if _mentions(message, phrases.ignore) else "does not say to ignore it if it is paid"


def no_reply_in_vain(message: ArrivingText, phrases: ContentPhrases) -> str:
    """Refuse to ask for a reply where none can arrive."""
    if message.two_way or not _mentions(message, phrases.reply):
        return ""
    return "asks for a reply, and none can arrive"


def _mentions(message: ArrivingText, words: tuple[str, ...]) -> bool:
    text = message.text if message.language[:2] == "zh" else message.text.casefold()
    for word in words:  # noqa: SIM110 - a generator takes twice as long
        if word in text:
            return True
    return False


def way_out_offered(message: ArrivingText, phrases: ContentPhrases) -> str:
    """Demand a way out in every overdue text: help, a payment plan, or a contact for questions."""
    if not message.overdue or _mentions(message, phrases.help):
        return ""
    return "is about an overdue amount and offers no help"


type Check = Callable[[ArrivingText], str]
type PhraseCheck = Callable[[ArrivingText, ContentPhrases], str]

LONG_NUMBER = blocking(
    "long-number", "one official number, and no number in full", f"{_CONTENT}; against phishing", "D"
)

WHO_SENDS = blocking(
    "who-sends",
    "the lender's name comes first",
    "TW outsourcing rules art. 14-I-5; TW credit card rules art. 51",
    "V",
)

CHECKS: tuple[tuple[RuleInfo, Check], ...] = (
    (WHO_SENDS, sender_in_front),
    (
        blocking(
            "what-amount",
            "says how much, exactly: no amount beyond the claim",
            "TW outsourcing rules art. 14-II-3",
            "V",
        ),
        amount_shown,
    ),
    (blocking("what-account", "says which account, by its last characters", _CONTENT, "D"), account_shown),
    (
        blocking(
            "masked-account",
            "at most the last four characters of an account number",
            "PIPL (CN) art. 6 and 28: financial accounts are sensitive, the least that serves the purpose",
            "V",
        ),
        account_masked,
    ),
    (blocking("how-to-pay", "says how to pay, by the lender's own channel", _CONTENT, "D"), way_to_pay),
    (
        blocking(
            "whom-to-ask",
            "says whom to ask, by the lender's own number",
            "CN draft rules on SMS 2020: the sender's name and telephone number",
            "V2",
        ),
        whom_to_ask,
    ),
    (
        blocking(
            "opt-out-line",
            "ends with the opt-out line where one is due",
            "US Reg F 1006.6(e); CN rules on SMS 2015; HK UEMO",
            "V2",
        ),
        opt_out_told,
    ),
    (LONG_NUMBER, no_long_number),
)
"""Rules about a message alone."""

CHANNEL_CHECKS: tuple[tuple[RuleInfo, Check], ...] = ((WHO_SENDS, sender_shown), *CHECKS[1:])
"""The same rules for messages of other channels than SMS, which show in their head who sends them."""

PHRASE_CHECKS: tuple[tuple[RuleInfo, PhraseCheck], ...] = (
    (
        blocking("who-is-meant", "says for whom it is, where the language has a decent mask", _CONTENT, "D"),
        name_shown,
    ),
    (
        blocking(
            "masked-name",
            "the debt is not exposed to bystanders: a masked name only",
            "TW outsourcing rules art. 14-III-2 and 14-III-3; Civil Code (CN) art. 1032 and 1033",
            "V",
        ),
        name_masked,
    ),
    (blocking("when-due", "says when it is due", _CONTENT, "D"), due_date_shown),
    (
        blocking(
            "way-out",
            "an overdue text offers help: hardship, dispute, a plan, a person to talk to",
            "GB CONC 7.3; EU 2023/2225 art. 35 and 36",
            "M",
        ),
        way_out_offered,
    ),
    (
        blocking("says-due", "says that the payment falls due, and on that day that it is today", _CONTENT, "D"),
        due_told,
    ),
    (blocking("says-overdue", "says that the payment is overdue", _CONTENT, "D"), overdue_told),
    (
        blocking(
            "ignore-if-paid",
            "says to ignore it if it is paid: a payment may be on its way",
            "own default: no amount beyond the claim (TW outsourcing rules art. 14-II-3)",
            "D",
        ),
        ignore_if_paid,
    ),
    (
        blocking(
            "reply-in-vain",
            "asks for no reply where none can arrive",
            "AWS End User Messaging, two-way SMS: sender ids do not support it",
            "V",
        ),
        no_reply_in_vain,
    ),
)
"""Rules that also need to know how a language says it."""


def is_complete(message: ArrivingText, phrases: ContentPhrases) -> bool:
    """
    Tell at a glance that a message keeps every rule above; if not, the rules are to be asked.

    A faultless message is the common case: this is all of the rules in one, for an ordinary message.
    """
    text, language, values, overdue, opt_out_line, _, _, two_way, due_today = message
    names, help_words, _, today, _, due, late, ignore, reply = phrases
    try:
        sender, tail, day = values["sender"], values["tail"], values["date"]
        amount, pay, hotline = values["amount"], values["pay"], values["hotline"]
        name = values["name"] if names else ""
    except KeyError:
        return False
    if not (
        sender
        and text.startswith(f"【{sender}】" if text[:1] == "【" else f"{sender}:")
        and ((name in text and ("*" in name or name in _UNNAMED)) if names else not values.get("name"))
        and pay
        and pay in text
        and _shows(text, hotline)
        and text.endswith(opt_out_line)
        and (len(tail) <= _LONGEST_TAIL or not account_masked(message))
        and _shows(text, amount)
        and _shows(text, tail)
        and _shows(text, day)
        # A number that stands there again may be a part of another one; words are none.
        and (text.count(hotline) == 1 or not hotline[-1].isdigit())
        and not _has_long_number(text.replace(hotline, "x"))
    ):
        return False
    spoken = text if language[:2] == "zh" else text.casefold()
    for words in (ignore, late, help_words) if overdue else (ignore, due, today) if due_today else (ignore, due):
        for word in words:
            if word in spoken:
                break
        else:
            return False
    return two_way or not _mentions(message, reply)


_IN_NUMBERS = frozenset("0123456789,.-")


def _shows(text: str, value: str | None) -> bool:
    """Tell whether a value stands in a text as itself, and not as a part of a longer number."""
    if not value:
        return False
    start = text.find(value)
    while start >= 0:
        if stands_alone(text, value, start):
            return True
        start = text.find(value, start + 1)
    return False


def stands_alone(text: str, value: str, start: int) -> bool:
    """Tell whether a value that stands at a place of a text is no part of a longer number there."""
    end = start + len(value)
    after, before = text[end : end + 1], text[start - 1 : start]
    if after not in _IN_NUMBERS and before not in _IN_NUMBERS:
        return True
    return not (value[-1].isdigit() and _digit_goes_on(text[end : end + 2])) and not (
        value[0].isdigit() and _digit_goes_on(text[max(0, start - 2) : start][::-1])
    )


def _digit_goes_on(neighbours: str) -> bool:
    """Tell whether a number goes on: with a digit, or with a mark and a digit."""
    return neighbours[:1].isdigit() or (neighbours[:1] in {",", ".", "-"} and neighbours[1:].isdigit())
