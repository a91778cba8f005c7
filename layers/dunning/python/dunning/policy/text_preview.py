"""
Text preview: all texts of a lender as they arrive, with their costs and faults, for pages and programs alike.

The texts come out of `decide`, on made-up customers: no text is rendered here a second time. Only the limits of time
are lifted (hours, caps), so that every stage can be seen on any day. The words of other channels than SMS come out of
`compose`, which `decide` asks, whether or not a policy uses the channel.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from dunning.domain.customer.facts import Account, Facts, Instalment
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Decision, Reason, Reminder, Send, trace_of
from dunning.domain.decision.rules import ChannelRules, ContactHours, Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import DunningError, NoTextError
from dunning.domain.texts.compose import AmountDue, ComposedText, compose
from dunning.domain.texts.lint import Severity
from dunning.domain.texts.money import minor_digits
from dunning.domain.texts.previewed import Doubt, Message, PreviewedCase
from dunning.policy.book import PolicyBook
from dunning.policy.lender import Lender

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


class UnknownChoiceError(DunningError):
    """There is no such lender, language or country. The message lists the valid choices."""


def preview(
    book: PolicyBook,
    lender: Lender,
    language: str,
    country: str,
    region: str = "",
    channel: Channel = Channel.SMS,
) -> Iterator[Message]:
    """
    Yield all texts of a lender in a language, as somebody in a country gets them on a channel.

    Raises:
        UnknownChoiceError: the lender texts nobody there.
    """
    somebody, rules = _somebody_with_rules(book, lender, language, country, region)
    if channel is not Channel.SMS:
        yield from _on_channel(book, rules, somebody, channel)
        return
    rules = replace(
        rules, zones=rules.zones[:1], hours=_ALWAYS, overdue_hours=_ALWAYS, person_caps=(), account_caps=(),
        preferred_minute_of_day=0, trials=(),
    )  # fmt: skip
    yield from _in_each_case(book, rules, somebody, rules.ladder)
    for variant in rules.variants.values():
        in_its_words = replace(rules, texts=variant.texts, texts_with_fee=variant.texts_with_fee)
        stages = [stage for stage in rules.ladder if (language, stage, False) in variant.texts]
        yield from _in_each_case(book, in_its_words, somebody, stages)


def _in_each_case(book: PolicyBook, rules: Rules, somebody: Facts, stages: Iterable[int]) -> Iterator[Message]:
    """Yield the texts of some stages, for one instalment and several, with a fee and without, typical and worst."""
    for stage, several in itertools.product(stages, (False, True)):
        for fee in (False, True) if (somebody.language, stage, several) in rules.texts_with_fee else (False,):
            typical_parts = 0
            for worst in (False, True):
                case = PreviewedCase(stage, several, fee, worst)
                message = _text_of_case(book, rules, somebody, case, typical_parts)
                typical_parts = message.reminder.parts if message.reminder else 0
                yield message


def channels_used(book: PolicyBook, lender: Lender, country: str, region: str = "") -> tuple[Channel, ...]:
    """
    Return the channels that a lender uses in a place, in the order in which they are defined.

    Raises:
        UnknownChoiceError: the lender texts nobody there.
    """
    _, rules = _somebody_with_rules(book, lender, lender.policy.languages[0], country, region)
    used = {each.channel for of_stage in rules.channels.values() for each in of_stage}
    return tuple(channel for channel in Channel if channel in used)


def _somebody_with_rules(
    book: PolicyBook, lender: Lender, language: str, country: str, region: str
) -> tuple[Facts, Rules]:
    somebody = _somebody(lender, language, country, region)
    rules = book.rules_for(somebody, datetime.combine(_TYPICAL_DUE, time(12), UTC))
    if isinstance(rules, Reason):
        there = ", ".join(lender.policy.countries)
        raise UnknownChoiceError(
            f"{lender.policy.id} texts nobody in {country} ({rules.value}); its countries: {there}"
        )
    return somebody, rules


def _on_channel(book: PolicyBook, rules: Rules, somebody: Facts, channel: Channel) -> Iterator[Message]:
    """
    Yield what a channel other than SMS says, at the stages where the lender uses it, or else wherever it has words.

    A call says the same whatever is due, and only a mail names a fee.
    """
    words = rules.channel_words[somebody.language]
    used = [stage for stage in rules.ladder if channel in {each.channel for each in rules.channels[stage]}]
    stages = used or [stage for stage in rules.ladder if words.at(channel, stage, several=False)]
    for stage, several in itertools.product(stages, (False,) if channel is Channel.VOICE else (False, True)):
        for fee in (False, True) if channel is Channel.EMAIL and stage > 0 else (False,):
            for worst in (False, True):
                yield _message_of_case(book, rules, somebody, PreviewedCase(stage, several, fee, worst, channel))


def _message_of_case(book: PolicyBook, rules: Rules, somebody: Facts, case: PreviewedCase) -> Message:
    facts = _with_accounts(somebody, case, rules)
    today = facts.accounts[0].instalments[0].due_on + timedelta(days=_days_late(case))
    due = _amount_of(facts.accounts)
    refusals: list[tuple[Reason, str]] = []
    while True:
        try:
            composed = compose(facts, rules, case.stage, due, today, case.channel)
        except NoTextError as error:
            refusals.append((error.reason, str(error)))
            if error.reason is not Reason.TEMPLATE_NOT_REGISTERED or len(refusals) > 1:
                return Message(
                    case=case, reminder=None, arriving="", refusals=tuple(refusals), typical_parts=0, price=0
                )
            rules = _as_if_approved(rules, case, facts.language)
            continue
        return Message(
            case=case,
            reminder=_reminder_of(composed, case, today),
            arriving=composed.arriving,
            refusals=tuple(refusals),
            typical_parts=composed.segments.parts,
            price=_price(book, somebody.phone_country, case.channel),
            to_check=_doubts(book, composed.body, facts.language, "fee" if case.fee else ""),
        )


def _amount_of(accounts: Sequence[Account]) -> AmountDue:
    """Return what made-up accounts owe, each with one instalment, all due on one day."""
    first, instalments = accounts[0], [account.instalments[0] for account in accounts]
    return AmountDue(
        total=sum(instalment.amount for instalment in instalments),
        instalments=len(instalments),
        late_fee=sum(instalment.late_fee for instalment in instalments),
        currency=first.currency,
        due_on=instalments[0].due_on,
        tail=first.tail,
        others=len(accounts) > 1,
        pay_account=first.pay_account,
    )


def _as_if_approved(rules: Rules, case: PreviewedCase, language: str) -> Rules:
    """Return the rules as they would be if Meta had approved the template of a case."""
    words = rules.channel_words[language].at(case.channel, case.stage, several=case.several)
    assert words is not None  # noqa: S101 - `compose` has asked for its template
    approved = ChannelRules(
        channel=case.channel,
        gateway="whatsapp",
        hours=rules.hours,
        overdue_hours=rules.overdue_hours,
        registered={words.template: "not_approved"},
    )
    return replace(rules, channels={case.stage: (approved,)})


def _reminder_of(composed: ComposedText, case: PreviewedCase, today: date) -> Reminder:
    return Reminder(
        send_id="preview",
        channel=case.channel.value,
        stage=case.stage,
        on=today,
        reached_stages=(),
        text=composed.body,
        encoding=composed.segments.encoding,
        parts=composed.segments.parts,
        template=composed.template,
        registered_template=composed.registered,
        extras=composed.extras,
    )


def _price(book: PolicyBook, country: str, channel: Channel) -> int:
    """Return the price of one message of a channel."""
    return book.price(country, 1, channel)


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


def _text_of_case(book: PolicyBook, rules: Rules, somebody: Facts, case: PreviewedCase, typical_parts: int) -> Message:
    facts = _with_accounts(somebody, case, rules)
    due_on = facts.accounts[0].instalments[0].due_on
    now = datetime.combine(due_on + timedelta(days=_days_late(case)), time(12), rules.zones[0]).astimezone(UTC)
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
    to_check = _doubts(book, reminder.text, somebody.language, known)
    return Message(
        case=case,
        reminder=reminder,
        arriving=arriving,
        refusals=refusals,
        typical_parts=typical_parts,
        price=price,
        to_check=to_check,
    )


def _with_accounts(somebody: Facts, case: PreviewedCase, rules: Rules) -> Facts:
    return replace(
        somebody,
        name=_NAMES[somebody.language][case.worst],
        accounts=_made_up_accounts(case, rules, _CURRENCY_OF.get(somebody.country, _ANYWHERE_ELSE)),
    )


def _days_late(case: PreviewedCase) -> int:
    return max(_DAYS_LATE, case.stage) if case.worst and case.stage > 0 else case.stage


def _doubts(book: PolicyBook, text: str, language: str, known: str) -> tuple[Doubt, ...]:
    """Return the linter's doubts about a text for a person to settle, but for the rule whose fact is known."""
    return tuple(
        Doubt(found.rule, found.message)
        for found in book.linter.wording(text, language, links_allowed=True)
        if found.severity is Severity.WARN and found.rule != known
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


def _made_up_accounts(case: PreviewedCase, rules: Rules, currency: str) -> tuple[Account, ...]:
    """Make up accounts that have reached a stage; of several, the first has the fee and what does not divide."""
    amount, fee = _made_up_money(currency, worst=case.worst)
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


def _made_up_money(currency: str, *, worst: bool) -> tuple[int, int]:
    """Return an amount and a late fee: typical ones, or the largest that are plausible, with all their decimals."""
    unit = 10 ** minor_digits(currency)
    scale = 1 if unit > 1 and currency not in _LARGE_NUMBERS else 100
    if worst:
        return (100_000 * unit - 1) * scale + scale - 1, (1000 * unit - 1) * scale + scale - 1
    return _TYPICAL_MONEY.get(currency, (325 * unit * scale, 10 * unit * scale))


def first_country(book: PolicyBook, lender: Lender) -> str:
    """Return the first country of a policy; of a key that means many, one of them."""
    key = next(iter(lender.policy.countries))
    under = (code for code in _CURRENCY_OF if (place := book.places.of(code)) and place.law.id == key)
    return key if book.places.of(key.partition("-")[0]) else next(under, key)
