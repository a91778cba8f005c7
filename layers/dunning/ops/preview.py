"""
Preview: all texts of a lender as they arrive, with their costs and faults.

The texts come out of `decide`, on made-up customers: no text is rendered here a second time. Only the limits of time
are lifted (hours, caps), so that every stage can be seen on any day.
"""

import argparse
import itertools
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NoReturn

from dunning.domain.customer.facts import Account, Facts, Instalment
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Decision, Reason, Reminder, Send, trace_of
from dunning.domain.decision.rules import ContactHours, Rules
from dunning.domain.texts.lint import Severity
from dunning.domain.texts.money import minor_digits
from dunning.domain.texts.segments import GSM_EXTENDED, count_segments
from dunning.evidence.words import stage_name
from dunning.policy import PolicyBook, PolicyError, load_policies
from dunning.policy.lender import Lender
from ops.columns import WIDTH, fold, pad
from ops.own_policies import over_the_package

_EURO = re.findall("..", "ADATBEBGCYDEEEESFIFRGRHRIEITLTLULVMCMEMTNLPTSISKSM")
_CURRENCY_OF = {
    "TW": "TWD", "CN": "CNY", "HK": "HKD", "MO": "MOP", "US": "USD", "GB": "GBP", "IN": "INR", "SG": "SGD", "MY": "MYR",
    "ID": "IDR", "PH": "PHP", "AU": "AUD", "TH": "THB", "VN": "VND", "KR": "KRW", "JP": "JPY", "BR": "BRL", "NZ": "NZD",
    "CA": "CAD", "CH": "CHF", "NO": "NOK", "SE": "SEK", "DK": "DKK", "PL": "PLN", "CZ": "CZK", "HU": "HUF", "RO": "RON",
    "MX": "MXN", "ZA": "ZAR", **dict.fromkeys(_EURO, "EUR"),
}  # fmt: skip
_ANYWHERE_ELSE = "USD"

_TYPICAL_MONEY = {"TWD": (325_000, 10_000), "CNY": (32_550, 1_000), "HKD": (128_000, 5_000), "USD": (32_500, 2_500)}
"""An amount and a late fee in minor units."""
_LARGE_NUMBERS = frozenset({"IDR", "VND"})

_NAMES = {"zh-Hant": ("王小明", "歐陽小明"), "zh-Hans": ("王小明", "欧阳小明"), "en": ("John Smith", "John Smith")}
"""A typical name, and a name with the longest mask; English texts name nobody."""

_PAY_ACCOUNT = "822-12345678901234"
"""An account to pay to as customers in Taiwan have it, for lenders who take payments that way."""

_TYPICAL_DUE, _LONGEST_DUE = date(2026, 12, 5), date(2026, 12, 31)
_DAYS_LATE = 365
_ACCOUNTS = {False: 2, True: 12}

_ALWAYS = ContactHours(week=(((0, 24 * 60),),) * 7)

_RELAXED: dict[Reason, dict[str, object]] = {
    Reason.TEXT_TOO_LONG: {"max_parts": 99},
    Reason.TEMPLATE_NOT_REGISTERED: {"registered": None},
}
"""The rules lifted to show a text that would be refused for this reason."""

_CAPACITY = {"UCS-2": (70, 67), "GSM-7": (160, 153)}
_LAST_OF_ONE_UNIT = 0xFFFF
"""A character above it takes two of UCS-2's units."""


class UnknownChoiceError(Exception):
    """There is no such lender, language or country. The message lists the valid choices."""


@dataclass(frozen=True, slots=True)
class Case:
    """The text to show: its stage, one or several instalments, with a late fee or not, typical or long values."""

    stage: int
    several: bool
    fee: bool
    worst: bool

    def __str__(self) -> str:
        number = "several" if self.several else "one"
        return f"{number}{' + fee' if self.fee else ''}, {'worst' if self.worst else 'typical'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """
    One text of the preview.

    `arriving` is the text that the customer sees. `refusals` are the reasons that would stop it, in the words of the
    trace. `typical_parts` are the segments of the same text with typical values. `to_check` lists the linter's doubts
    for a person. Without a text `reminder` is `None`.
    """

    case: Case
    reminder: Reminder | None
    arriving: str
    refusals: tuple[tuple[Reason, str], ...]
    typical_parts: int
    price: int
    to_check: tuple[str, ...] = ()


def warnings_of(message: Message) -> list[str]:
    """Return everything a manager should know about a text before using it."""
    warnings = [f"will not be sent: {words.removeprefix('text: ')}" for _, words in message.refusals]
    reminder = message.reminder
    if reminder is None:
        return warnings
    if 0 < message.typical_parts < reminder.parts:
        warnings.append(f"{_segments(reminder.parts)} where {message.typical_parts} is typical")
    if message.case.fee and "-fee@" not in reminder.template:
        warnings.append("the text with a late fee is not used here: it is not registered, or over the budget")
    warnings += [f"check: {check}" for check in message.to_check]
    return warnings


def preview(book: PolicyBook, lender: Lender, language: str, country: str, region: str = "") -> Iterator[Message]:
    """
    Yield all texts of a lender in a language, as somebody in a country gets them.

    Raises:
        UnknownChoiceError: the lender texts nobody there.
    """
    somebody = _somebody(lender, language, country, region)
    rules = book.rules_for(somebody, datetime.combine(_TYPICAL_DUE, time(12), UTC))
    if isinstance(rules, Reason):
        there = ", ".join(lender.policy.countries)
        raise UnknownChoiceError(
            f"{lender.policy.id} texts nobody in {country} ({rules.value}); its countries: {there}"
        )
    rules = replace(
        rules, zones=rules.zones[:1], hours=_ALWAYS, overdue_hours=_ALWAYS, person_caps=(), account_caps=(),
        preferred_minute_of_day=0,
    )  # fmt: skip
    for stage, several in itertools.product(rules.ladder, (False, True)):
        for fee in (False, True) if (language, stage, several) in rules.texts_with_fee else (False,):
            typical_parts = 0
            for worst in (False, True):
                case = Case(stage, several, fee, worst)
                message = _message(book, rules, somebody, case, typical_parts)
                typical_parts = message.reminder.parts if message.reminder else 0
                yield message


def _somebody(lender: Lender, language: str, country: str, region: str) -> Facts:
    return Facts(
        customer_id="preview",
        name="",
        phone="+",
        phone_country=country,
        country=country,
        region=region,
        language=language,
        time_zone="",
        lender=lender.policy.id,
        consented_at=datetime(2000, 1, 1, tzinfo=UTC),
        accounts=(),
    )


def _message(book: PolicyBook, rules: Rules, somebody: Facts, case: Case, typical_parts: int) -> Message:
    facts = replace(
        somebody,
        name=_NAMES[somebody.language][case.worst],
        accounts=_accounts(case, rules, _CURRENCY_OF.get(somebody.country, _ANYWHERE_ELSE)),
    )
    due_on = facts.accounts[0].instalments[0].due_on
    days = max(_DAYS_LATE, case.stage) if case.worst and case.stage > 0 else case.stage
    now = datetime.combine(due_on + timedelta(days=days), time(12), rules.zones[0]).astimezone(UTC)
    decision, refusals = _decided(facts, rules, now)
    if not isinstance(decision, Send):
        return Message(case=case, reminder=None, arriving="", refusals=refusals, typical_parts=typical_parts, price=0)
    reminder = decision.reminder
    arriving = reminder.text
    if rules.signature_by_carrier:
        arriving = f"【{rules.sender_name[somebody.language]}】{arriving}"
    price = book.price(somebody.phone_country, reminder.parts)
    # The amount of a fee is known to be right where a text with a fee is used: the linter need not ask for it.
    known = "fee" if case.fee else ""
    to_check = tuple(
        f"{found.message} ({found.rule})"
        for found in book.linter.wording(reminder.text, somebody.language, links_allowed=True)
        if found.severity is Severity.WARN and found.rule != known
    )
    return Message(
        case=case,
        reminder=reminder,
        arriving=arriving,
        refusals=refusals,
        typical_parts=typical_parts,
        price=price,
        to_check=to_check,
    )


def _decided(facts: Facts, rules: Rules, now: datetime) -> tuple[Decision, tuple[tuple[Reason, str], ...]]:
    """Decide; where a text would not be sent, note why, and look at it all the same."""
    refusals: list[tuple[Reason, str]] = []
    while True:
        decision = decide(facts, Standing(customer_id=facts.customer_id), _OneLender(rules), now)
        if isinstance(decision, Send):
            return decision, tuple(refusals)
        refusals.append((decision.reason, trace_of(decision)[-1]))
        lifted = _RELAXED.get(decision.reason)
        if lifted is None or len(refusals) > len(_RELAXED):
            return decision, tuple(refusals)
        rules = replace(rules, **lifted)  # type: ignore[arg-type]


class _OneLender:
    """Policies that know one set of rules."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def rules_for(self, facts: Facts, at: datetime) -> Rules:
        del facts, at
        return self._rules


def _accounts(case: Case, rules: Rules, currency: str) -> tuple[Account, ...]:
    """Make up accounts that have reached a stage; of several, the first has the fee and what does not divide."""
    amount, fee = _money(currency, worst=case.worst)
    count = _ACCOUNTS[case.worst] if case.several else 1
    due_on = _LONGEST_DUE if case.worst else _TYPICAL_DUE
    reached = max((stage for stage in rules.ladder if stage < case.stage), default=None)
    share = amount // count
    accounts = []
    for number in range(count):
        owed = share if number else amount - share * (count - 1)
        late_fee = min(fee, owed) if case.fee and not number else 0
        instalment = Instalment(
            number=1,
            due_on=due_on,
            amount=owed,
            paid=0,
            stage_reached=reached,
            written_notice_on=due_on if case.stage > 0 else None,
            late_fee=late_fee,
        )
        accounts.append(Account(account_id=f"A{number:02}", tail="5678", currency=currency, instalments=(instalment,),
                                pay_account=_PAY_ACCOUNT if rules.pay_to_account else ""))  # fmt: skip
    return tuple(accounts)


def _money(currency: str, *, worst: bool) -> tuple[int, int]:
    """Return an amount and a late fee: typical ones, or the largest that are plausible, with all their decimals."""
    unit = 10 ** minor_digits(currency)
    scale = 1 if unit > 1 and currency not in _LARGE_NUMBERS else 100
    if worst:
        return (100_000 * unit - 1) * scale + scale - 1, (1000 * unit - 1) * scale + scale - 1
    return _TYPICAL_MONEY.get(currency, (325 * unit * scale, 10 * unit * scale))


def report(messages: Sequence[Message], title: str) -> Iterator[str]:
    """Yield the lines of the preview."""
    yield title
    for stage, texts in itertools.groupby(messages, key=lambda message: message.case.stage):
        yield ""
        yield f"{stage_sign(stage)}  {stage_name(stage)}"
        for message in texts:
            yield ""
            yield from _lines(message)
    yield ""
    yield _summary(messages)


def stage_sign(stage: int) -> str:
    """Write a stage as policies do: `-3`, `0`, `+3`."""
    return f"{stage:+d}" if stage else "0"


def _lines(message: Message) -> Iterator[str]:
    reminder = message.reminder
    if reminder is None:
        yield f"  {message.case}"
    else:
        length = _length(message.arriving)
        figures = f"{_segments(reminder.parts):10}  {reminder.encoding:5}  {length:>10}  ${message.price / 1e6:.4f}"
        yield f"  {pad(str(message.case), 22)}  {figures}  {reminder.template}"
        yield from (f"  | {line}" for line in fold(message.arriving, WIDTH - 8))
    yield from (f"  ! {warning}" for warning in warnings_of(message))


def _segments(parts: int) -> str:
    return "1 segment" if parts == 1 else f"{parts} segments"


def _length(text: str) -> str:
    """Say how full the segments are, in the units that are counted: `68 of 70`."""
    encoding, parts = count_segments(text)
    single, part = _CAPACITY[encoding]
    gsm = encoding == "GSM-7"
    units = len(text) + sum(c in GSM_EXTENDED if gsm else ord(c) > _LAST_OF_ONE_UNIT for c in text)
    return f"{units} of {single if parts == 1 else part * parts}"


def _summary(messages: Sequence[Message]) -> str:
    sendable = [message for message in messages if not message.refusals]
    segments = sum(message.reminder.parts for message in sendable if message.reminder)
    dearest = max(sendable, key=lambda message: message.price, default=None)
    parts = [f"{len(messages)} texts", _segments(segments)]
    if dearest:
        parts.append(f"dearest ${dearest.price / 1e6:.4f} ({stage_sign(dearest.case.stage)} {dearest.case})")
    warnings = sum(len(warnings_of(message)) for message in messages)
    parts.append("1 warning" if warnings == 1 else f"{warnings or 'no'} warnings")
    unsent = len(messages) - len(sendable)
    parts.append(f"{unsent} cannot be sent" if unsent else "all can be sent")
    return " · ".join(parts)


class _Parser(argparse.ArgumentParser):
    """Reports an error in one line; `--help` prints the rest."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m ops.preview",
        description="Show all texts of a lender as they arrive, with their segments, their price and every warning.",
        epilog="make preview LENDER=demo-tw LANGUAGE=zh-Hant COUNTRY=TW POLICIES=folder\n\n"
        "Exit status: 0 every text can be sent, 1 one cannot, 2 something asked for is not there or not loaded.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--lender", metavar="ID", help="whose texts")
    parser.add_argument("--language", metavar="TAG", help="in which language (default: the lender's first)")
    parser.add_argument("--country", metavar="CODE", help="where, as US or US-MA (default: the lender's first)")
    parser.add_argument("--policies", type=Path, metavar="FOLDER", help="a folder of policies, laid over the package's")
    return parser


def _chosen(
    book: PolicyBook, lender_id: str, language: str | None, country: str | None
) -> tuple[Lender, str, str, str]:
    """Return the lender, language, country and region that are asked for, or the lender's first ones."""
    lender = book.lenders.get(lender_id)
    if lender is None:
        raise UnknownChoiceError(f"no lender is called {lender_id!r}; there are: {', '.join(book.lenders)}")
    policy = lender.policy
    if language is not None and language not in policy.languages:
        raise UnknownChoiceError(f"{lender_id} has no texts in {language!r}; it has: {', '.join(policy.languages)}")
    code, _, region = (country or _first_country(book, lender)).upper().partition("-")
    if country and book.places.of(code) is None:
        there = ", ".join(policy.countries)
        raise UnknownChoiceError(f"{country!r} is no country (ISO 3166); {lender_id} texts people in: {there}")
    return lender, language or policy.languages[0], code, region


def _first_country(book: PolicyBook, lender: Lender) -> str:
    """Return the first country of a policy; of a key that means many, one of them."""
    key = next(iter(lender.policy.countries))
    under = (code for code in _CURRENCY_OF if (place := book.places.of(code)) and place.law.id == key)
    return key if book.places.of(key.partition("-")[0]) else next(under, key)


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the texts that are asked for."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    out = sys.stdout.write
    if asked.policies and not asked.policies.is_dir():
        parser.error(f"there is no folder {asked.policies}")
    try:
        book = load_policies(asked.policies and over_the_package(asked.policies))
        if not asked.lender:
            out(f"{parser.format_help()}\nlenders:\n")
            for lender_id, lender in book.lenders.items():
                languages, countries = ", ".join(lender.policy.languages), ", ".join(lender.policy.countries)
                out(f"  {lender_id:12} languages {languages}; countries {countries}\n")
            return 0
        lender, language, country, region = _chosen(book, asked.lender, asked.language, asked.country)
        messages = list(preview(book, lender, language, country, region))
    except (UnknownChoiceError, PolicyError, OSError) as error:
        parser.error(str(error))
    place = f"{country}-{region}" if region else country
    title = f"{lender.policy.id} in {language}, to {place}: at most {_segments(lender.policy.max_segments)} a text"
    for line in report(messages, title):
        out(f"{line}\n")
    return 1 if any(message.refusals for message in messages) else 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make preview | head` ends quietly
    sys.exit(main())
