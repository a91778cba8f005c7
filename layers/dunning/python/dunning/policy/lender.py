"""Lenders: one policy each. A policy may tighten the law of a place: the loader refuses a policy that loosens it."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool

from dunning.domain.decision.rules import Scope
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.payer_segments import segment_rules_from
from dunning.domain.effect.trials import is_running
from dunning.domain.texts.lint import Linter
from dunning.domain.texts.money import MINOR_DIGITS
from dunning.domain.texts.numbers_to_call import holds_number_to_call
from dunning.policy.channel_files import (
    NOTICE_COUNTRIES,
    ONLY_WHERE_NAMED,
    WITHOUT_EUM,
    ChannelSenders,
    Order,
    StageFile,
    StageKey,
    order_at,
    why_closed,
)
from dunning.policy.fields import CapFields, HoursField, Language, Minute, Spread, Strict, parse_span
from dunning.policy.files import DataFile, PolicyError, Where
from dunning.policy.jurisdiction import JurisdictionFile, Place, Places, first_wider
from dunning.policy.text_files import LONGEST_SENDER_NAME, Wording, load_own_texts
from dunning.policy.trial_files import TrialFile, check_trial_files, check_trials_kept

DEFAULT_MONTHLY_CAP = CapFields.model_validate({"at_most": 8, "within": "30d", "scope": "person"})
"""Our own default for a lender without a cap of a person over more than a week: some two texts a week."""

_MOST_CATCH_UP_DAYS = 60
_A_WEEK = timedelta(days=7)
_SHORTEST_FAILOVER = timedelta(hours=6)

_TEN_UNITS = ("JPY", "TWD")
"""Currencies in which nobody asks for a single unit: a unit is a few US cents, or less than one."""


def with_monthly_cap(caps: tuple[CapFields, ...]) -> tuple[CapFields, ...]:
    """Return a lender's own caps, and our default for a month unless one of them says what is most in a longer time."""
    if any(cap.scope is Scope.PERSON and not cap.channels and cap.within > _A_WEEK for cap in caps):
        return caps
    return (*caps, DEFAULT_MONTHLY_CAP)


_MOST_TIMES_THE_DEFAULT = 100


def _smallest_unit(currency: str) -> int:
    """Return our default of the smallest amount, in units of the currency."""
    return 10 if currency in _TEN_UNITS else 1


def smallest_amounts(own: Mapping[str, Decimal]) -> dict[str, int]:
    """
    Return the smallest amount that counts of every currency in minor units: the lender's own, or our default.

    The default is one unit, ten where a unit buys nothing. It is ours, not law; in the United States no statement is
    due for a balance of a dollar or less either (12 CFR 1026.5(b)(2)(i)).
    """
    return {
        currency: int(own.get(currency, Decimal(_smallest_unit(currency))) * 10**digits)
        for currency, digits in MINOR_DIGITS.items()
    }


def valid_amounts(written: dict[str, Decimal]) -> dict[str, Decimal]:
    """
    Check amounts by currency: no fraction of a minor unit, and nothing that anybody would miss.

    Raises:
        ValueError: a currency is not known, or an amount is no whole number of its minor units or too large.
    """
    for currency, amount in written.items():
        if currency not in MINOR_DIGITS:
            raise ValueError(f"{currency!r} is no currency we know")
        if (amount * 10 ** MINOR_DIGITS[currency]) % 1:
            raise ValueError(f"{amount} has more decimals than {currency}")
        if amount > (most := _MOST_TIMES_THE_DEFAULT * _smallest_unit(currency)):
            raise ValueError(f"{amount} {currency} is no small rest: it would count as paid; at most {most}")
    return written


def valid_bands(written: dict[str, tuple[Decimal, ...]]) -> dict[str, tuple[Decimal, ...]]:
    """
    Check the bounds of amount bands by currency: ascending, and no fraction of a minor unit.

    Raises:
        ValueError: a currency is not known, or its bounds are none.
    """
    for currency, bounds in written.items():
        if currency not in MINOR_DIGITS:
            raise ValueError(f"{currency!r} is no currency we know")
        if not bounds or any((bound * 10 ** MINOR_DIGITS[currency]) % 1 for bound in bounds):
            raise ValueError(f"{currency}: give one bound or more, with no more decimals than {currency} has")
        if list(bounds) != sorted(set(bounds)):
            raise ValueError(f"{currency}: the bounds do not rise; write each once, the lowest first")
    return written


def amount_bands(written: Mapping[str, tuple[Decimal, ...]]) -> dict[str, tuple[int, ...]]:
    """Return the bounds of amount bands by currency, in minor units."""
    return {
        currency: tuple(int(bound * 10 ** MINOR_DIGITS[currency]) for bound in bounds)
        for currency, bounds in written.items()
    }


def valid_sender_id(written: str) -> str:
    """
    Check a sender id: 3 to 11 letters, digits or hyphens, at least one letter (SNS developer guide).

    A `#` in front marks one that is registered in Hong Kong.

    Raises:
        ValueError: it is none, and not empty either.
    """
    if written and not re.fullmatch(r"(?=.*[A-Za-z])#?[A-Za-z0-9-]{3,11}", written):
        raise ValueError(f"{written!r} is not 3 to 11 letters, digits or hyphens with at least one letter")
    return written


def valid_price(written: object) -> str:
    """
    Check a price, which SNS wants as text.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(written, str) or not re.fullmatch(r"\d+\.\d{2,5}", written):
        raise ValueError(f'{written!r} is not US dollars in quotes, with two to five decimals, such as "0.20"')
    return written


def valid_catch_up(written: object) -> object:
    """
    Check the pace of late stages: the ladder's own, or days between them.

    Raises:
        ValueError: it is neither.
    """
    if written != "own_pace" and (type(written) is not int or not 1 <= written <= _MOST_CATCH_UP_DAYS):
        raise ValueError(f'{written!r} is neither "own_pace" nor a number of days from 1 to {_MOST_CATCH_UP_DAYS}')
    return written


def valid_hotline(written: object) -> object:
    """
    Check whom customers may ask: a telephone number as they read it, or words by language where none may stand.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(written, dict):
        for words in written.values():
            if isinstance(words, str) and re.search(r"\d", words):
                raise ValueError(f"{words!r} holds digits: a number is written once, for all languages")
    elif not isinstance(written, str) or not re.fullmatch(r"\+?[0-9][0-9 -]{3,18}", written):
        raise ValueError(
            f"{written!r} is not a number such as 0800-000-123: digits, blanks and hyphens, a + in front; "
            'nor words by language, such as { en = "our app" }'
        )
    return written


def valid_english_way(written: Mapping[str, str]) -> Mapping[str, str]:
    """
    Check that the English way to pay can stand after "Please pay": in our app, by transfer.

    Raises:
        ValueError: it begins with another word.
    """
    english = written.get("en")
    if english is not None and english.partition(" ")[0].casefold() not in _BEFORE_A_WAY:
        raise ValueError(
            f"en: {english!r} does not read after 'Please pay': write 'in our app', 'by transfer' or the like"
        )
    return written


def names_pay_account(written: Mapping[str, str]) -> Mapping[str, str]:
    """
    Check that a way to pay names the customer's own account, once.

    Raises:
        ValueError: it does not, or has another brace.
    """
    for language, words in written.items():
        if words.count(PAY_ACCOUNT) != 1 or set("{}") & set(words.replace(PAY_ACCOUNT, "")):
            raise ValueError(f"{language}: has to name {PAY_ACCOUNT} once, and nothing else in braces")
    return written


_BEFORE_A_WAY = frozenset(("at", "by", "from", "in", "on", "over", "through", "to", "under", "using", "via", "with"))
PAY_ACCOUNT = "{pay_account}"
"""Stands in the way to pay for the customer's own account or code."""

Price = Annotated[str, BeforeValidator(valid_price)]
Registered = Annotated[str, Field(min_length=1, max_length=50)]
Words = Annotated[str, Field(min_length=2, max_length=80)]
Hotline = Annotated[str | dict[Language, Words], BeforeValidator(valid_hotline)]
Pay = Annotated[dict[str, Words], AfterValidator(valid_english_way)]
PayToAccount = Annotated[dict[str, Words], AfterValidator(valid_english_way), AfterValidator(names_pay_account)]


class CountryFile(Strict):
    """
    How a lender texts people in one country, and numbers of it. `registered` maps `id@version` to a registered id.

    `hours`, `caps`, `hotline`, `pay`, `pay_to_account` and `channels` replace the lender's own there. `two_way` says
    whether replies can arrive; left out, they can if there is an own number, no sender id, and the place's carriers
    know replies. `gateway` is the way of SMS to numbers of the country.
    """

    sender_id: Annotated[str, AfterValidator(valid_sender_id)] = ""
    origination_number: str = Field(default="", pattern=r"^$|^\+?\d{5,14}$")
    entity_id: str = Field(default="", max_length=50)
    max_price: Price
    registered: dict[str, Registered] = Field(default_factory=dict)
    hours: HoursField | None = None
    caps: tuple[CapFields, ...] | None = None
    hotline: Hotline | None = None
    pay: Pay | None = None
    pay_to_account: PayToAccount | None = None
    two_way: bool | None = Field(default=None, strict=True)
    channels: Order | None = None
    gateway: Literal["sns", "eum"] = "sns"


class RepliesFile(Strict):
    """
    The effects of replies.

    Who says to have paid is left alone for `grace_days`; a promise may name a day up to `promise_days` ahead. Who asks
    something is left alone for `question_days`, and whose reply is in doubt for `doubt_days`. Both are working days.
    """

    grace_days: int = Field(default=3, ge=1, le=14, strict=True)
    promise_days: int = Field(default=14, ge=1, le=31, strict=True)
    question_days: int = Field(default=2, ge=1, le=10, strict=True)
    doubt_days: int = Field(default=3, ge=1, le=10, strict=True)


class FatigueFile(Strict):
    """
    What follows when reminders are left unanswered: so many in a row, since a payment, a reply or a failed delivery.

    After `after` of them `min_days_between_stages` is doubled. After `stop_after` a person takes over; left out, never.
    """

    after: int = Field(ge=2, le=20, strict=True)
    stop_after: int | None = Field(default=None, ge=3, le=40, strict=True)


def valid_failover(written: object) -> timedelta:
    """
    Read after how many hours of outage another channel takes over.

    Raises:
        ValueError: it is less than six hours: a short fault of a provider must not change what people read.
    """
    after = parse_span(written)
    if after < _SHORTEST_FAILOVER:
        raise ValueError(
            f"{written!r} is shorter than 6h: a short fault of a provider must not change what people read"
        )
    return after


def valid_segments(written: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    """
    Check the rules of payer segments.

    Raises:
        ValueError: a rule is not of their form, or tells customers apart by who they are.
    """
    segment_rules_from(written)
    return written


FailoverAfter = Annotated[timedelta, BeforeValidator(valid_failover)]


class LenderFile(ChannelSenders):
    """
    One lender's policy. `countries` are the only ones whose people and numbers are texted.

    `languages` come in order of preference; the first is for customers who read none of them. `link_domains` are the
    lender's own, the only ones a link may lead to. `smallest_amounts` are in units of the currency, not in cents.
    `pay_to_account` takes the place of `pay` for a customer who has a `pay_account` of their own. `channels` come in
    order of preference; a stage in `stages`, and a country, may have others. A gateway that takes nothing for
    `failover_after` loses its customers to the next channel; left out, it never does. Unanswered reminders change
    nothing unless there is a `fatigue`. `contract_owes` are the stages whose texts the lender's contracts promise: no
    trial leaves one out. `segments` are the rules of payer segments, of which the first that fits counts.
    `amount_bands` are the bounds of the bands of what is open, in units of the currency. `lists_closed_accounts` says
    that the lender's data name every loan that a customer ever had: only then is a first loan known.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,40}$")
    languages: tuple[Language, ...] = Field(min_length=1)
    ladder: tuple[Annotated[int, Field(ge=-60, le=365, strict=True)], ...] = Field(min_length=1)
    urgency: tuple[Annotated[int, Field(strict=True)], ...] = ()
    min_days_between_stages: int = Field(ge=1, strict=True)
    catch_up: Annotated[Literal["own_pace"] | int, BeforeValidator(valid_catch_up)] = "own_pace"
    preferred_hour: Minute
    spread: Spread = timedelta(hours=3)
    smallest_amounts: Annotated[
        dict[str, Annotated[Decimal, Field(ge=0, le=1_000_000)]], AfterValidator(valid_amounts)
    ] = Field(default_factory=dict)
    rest_on_holidays: StrictBool = True
    max_segments: int = Field(ge=1, le=4, strict=True)
    hotline: Hotline
    link_domains: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")], ...] = ()
    sender_name: dict[str, Annotated[str, Field(min_length=2, max_length=LONGEST_SENDER_NAME)]]
    pay: Pay
    pay_to_account: PayToAccount = Field(default_factory=dict)
    hours: HoursField | None = None
    caps: tuple[CapFields, ...] = Field(min_length=1)
    replies: RepliesFile = RepliesFile()
    channels: Order = (Channel.SMS,)
    stages: dict[StageKey, StageFile] = Field(default_factory=dict)
    failover_after: FailoverAfter | None = None
    fatigue: FatigueFile | None = None
    contract_owes: tuple[Annotated[int, Field(strict=True)], ...] = ()
    trials: tuple[TrialFile, ...] = ()
    segments: Annotated[tuple[dict[str, Any], ...], AfterValidator(valid_segments)] = ()
    amount_bands: Annotated[
        dict[str, tuple[Annotated[Decimal, Field(gt=0, le=1_000_000_000)], ...]], AfterValidator(valid_bands)
    ] = Field(default_factory=dict)
    lists_closed_accounts: StrictBool = False
    countries: dict[str, CountryFile] = Field(min_length=1)


class Lender(NamedTuple):
    """
    A policy, the file it is from, and the texts it uses: the package's, and its own laid over them.

    `wordings` is empty if nobody has asked for texts.
    """

    policy: LenderFile
    file: DataFile
    wordings: Mapping[str, Wording] = MappingProxyType({})

    def country(self, country: str, region: str, place_id: str) -> tuple[str, CountryFile] | None:
        """
        Return the policy's entry for a country, and its key; `None` if the policy has no texts for it.

        A key is a region (`US-MA`), a country, or a place that several countries fall under (`EU`, `default`).
        """
        for key in (f"{country}-{region}", country, place_id):
            if found := self.policy.countries.get(key):
                return key, found
        return None


def read_lenders(found: Mapping[str, DataFile]) -> dict[str, Lender]:
    """
    Read the policies, each by itself.

    Raises:
        PolicyError: one is not as it should be.
    """
    return {name: Lender(file.read(LenderFile), file) for name, file in found.items()}


def load_lenders(
    found: Mapping[str, DataFile],
    wordings: Mapping[str, Wording],
    places: Places,
    linter: Linter,
    own_texts: Mapping[str, Mapping[str, DataFile]] = MappingProxyType({}),
) -> dict[str, Lender]:
    """
    Read the policies and check them.

    Args:
        found: the policies' files, by lender.
        wordings: the package's texts, by language.
        places: the law.
        linter: judges the words.
        own_texts: the files of texts that lenders have of their own, by lender and language.

    Raises:
        PolicyError: one is not as it should be, contradicts itself, or is looser than the law.
    """
    lenders = {
        name: lender._replace(wordings=_texts_of(name, own_texts.get(name, {}), wordings, linter))
        for name, lender in read_lenders(found).items()
    }
    for name, files in own_texts.items():
        if name not in lenders and files:
            raise next(iter(files.values())).refusal((), f"there is no lender {name!r}")
    for name, lender in lenders.items():
        if lender.policy.id != name:
            raise lender.file.refusal(("id",), f"{lender.policy.id!r} is not the file's name")
        _check_ladder(lender)
        _check_words(lender)
        _check_channels(lender)
        for code in lender.policy.countries:
            reached = places.reached_by(code)
            if not reached:
                raise lender.file.refusal(("countries", code), "is no country (ISO 3166), nor a file of jurisdictions")
            for place in reached:
                for day, version in place.law.versions():
                    there = _Version(place, version, day)
                    for refusal in (
                        *_unmet(lender, code, there),
                        *_deaf(lender, code, there),
                        *_looser(lender, code, there),
                        *_closed_channels(lender, code, there),
                    ):
                        raise refusal
                    _check_spoken(lender, there, linter)
                    _check_numbers_to_call(lender, code, there)
                    _check_grace(lender, there)
        _check_own_trials(lender, places)
    return lenders


def check_running_trials(before: Mapping[str, Lender], after: Mapping[str, Lender], today: date) -> None:
    """
    Check that changed policies leave the trials that run under those in force as they were written down.

    Args:
        before: the policies in force.
        after: the changed ones. A lender or a trial that is gone is turned off.
        today: the local day of the change.

    Raises:
        PolicyError: a running trial, or who takes part in it, was changed. A trial may end early or be turned off.
    """
    for name, (policy, file, _) in after.items():
        if name not in before:
            continue
        in_force = before[name].policy
        check_trials_kept(in_force.trials, policy.trials, file, today)
        told_apart = [(each.segments, each.amount_bands, each.lists_closed_accounts) for each in (in_force, policy)]
        if told_apart[0] == told_apart[1]:
            continue
        for each in policy.trials:
            if (each.segments or each.learned) and is_running(each.trial(), today):
                fault = f"trial {each.id} is running, and tells customers apart by payer segments"
                raise file.refusal(("segments",), f"{fault}; leave them and their bands as they are until it ends")


def _check_own_trials(lender: Lender, places: Places) -> None:
    """Trials are of the ladder, of places that are reached and of texts that there are; none drops what is owed."""
    policy, file, wordings = lender
    if unknown := [stage for stage in policy.contract_owes if stage not in policy.ladder]:
        raise file.refusal(("contract_owes",), f"{unknown[0]:+d} is not one of the ladder's; take it out")
    for position, rule in enumerate(policy.segments):
        fault = "it is known of nobody"
        if "amount_band" in rule and not policy.amount_bands:
            fix = "say the bounds of bands in amount_bands, or take it out"
            raise file.refusal(("segments", position, "amount_band"), f"{fault}; {fix}")
        if rule.get("first_loan") and not policy.lists_closed_accounts:
            fix = "if your data name loans that are paid off, too, write lists_closed_accounts = true; else take it out"
            raise file.refusal(("segments", position, "first_loan"), f"{fault}; {fix}")
    check_trial_files(
        policy.trials,
        file,
        policy.ladder,
        policy.contract_owes,
        [wordings[language] for language in policy.languages],
        [str(rule["name"]) for rule in policy.segments],
        [place for code in policy.countries for place in places.reached_by(code)],
        places,
    )


def _texts_of(
    lender: str, own: Mapping[str, DataFile], wordings: Mapping[str, Wording], linter: Linter
) -> Mapping[str, Wording]:
    """Return the texts a lender uses, by language."""
    if not own:
        return wordings
    for language, file in own.items():
        if language not in wordings:
            raise file.refusal((), f"{language!r} is none of the languages: {', '.join(wordings)}")
    return {
        language: load_own_texts(lender, language, own[language], linter, common) if language in own else common
        for language, common in wordings.items()
    }


def _check_ladder(lender: Lender) -> None:
    """Stages ascend, and are no closer together than they may be."""
    policy, file, _ = lender
    if list(policy.ladder) != sorted(set(policy.ladder)):
        raise file.refusal(("ladder",), "not ascending, or a stage is there twice")
    gaps = [later - earlier for earlier, later in zip(policy.ladder, policy.ladder[1:], strict=False)]
    if gaps and min(gaps) < policy.min_days_between_stages:
        raise file.refusal(
            ("min_days_between_stages",),
            f"{policy.min_days_between_stages} is more than the {min(gaps)} days between two stages of the ladder; "
            "the later one would always be late",
        )
    if policy.catch_up != "own_pace" and policy.catch_up < policy.min_days_between_stages:
        raise file.refusal(
            ("catch_up",),
            f"{policy.catch_up} has no effect: min_days_between_stages is {policy.min_days_between_stages}",
        )
    fatigue = policy.fatigue
    if fatigue and fatigue.stop_after is not None and fatigue.stop_after <= fatigue.after:
        raise file.refusal(
            ("fatigue", "stop_after"),
            f"{fatigue.stop_after} is not more than after = {fatigue.after}, which would have no effect; raise it",
        )
    if policy.urgency and sorted(policy.urgency) != sorted(policy.ladder):
        raise file.refusal(("urgency",), "is not the ladder's stages in another order")


def _spoken(policy: LenderFile) -> Iterator[tuple[Where, Mapping[str, str]]]:
    """Yield the lender's own words by language, each with its field."""
    yield ("sender_name",), policy.sender_name
    for around, of in (((), policy), *((("countries", code), country) for code, country in policy.countries.items())):
        for field in ("pay", "pay_to_account", "hotline"):
            words = getattr(of, field)
            if isinstance(words, dict) and words:
                yield (*around, field), words


def _check_words(lender: Lender) -> None:
    """Each language has the lender's words and a text for every stage; languages agree; registered texts exist."""
    policy, file, wordings = lender
    for where, values in _spoken(policy):
        if odd := sorted(values.keys() ^ set(policy.languages)):
            missing = odd[0] in policy.languages
            raise file.refusal(where, f"nothing for {odd[0]}" if missing else f"{odd[0]} is not one of languages")
    first = policy.languages[0]
    for language in policy.languages:
        wording = wordings.get(language)
        for stage in policy.ladder:
            if wording is None or (language, stage, False) not in wording.texts:
                raise file.refusal(("ladder",), f"no text for stage {stage:+d} in {language}")
            if (stage in wording.notice_stages) is not (stage in wordings[first].notice_stages):
                message = f"stage {stage:+d} needs a written notice in {first} or in {language}, not in both"
                raise file.refusal(("languages",), message)
    if noticed := sorted(wordings[first].notice_stages.intersection(policy.ladder)):
        for stage in policy.ladder:
            if stage > noticed[0] and stage not in noticed:
                message = f"stage {stage:+d} needs a written notice too, as stage {noticed[0]:+d} before it does"
                raise file.refusal(("ladder",), message)
    templates = {
        text.template for w in wordings.values() for text in (*w.texts.values(), *w.with_fee.values(), w.confirmation)
    }
    templates |= {
        text.template
        for wording in wordings.values()
        for variant in wording.variants.values()
        for text in (*variant.texts.values(), *variant.texts_with_fee.values())
    }
    for code, country in policy.countries.items():
        if unknown := sorted(set(country.registered) - templates):
            raise file.refusal(("countries", code, "registered"), f"no such text: {', '.join(unknown)}")


def order_in(lender: Lender, code: str, stage: int) -> tuple[Channel, ...]:
    """Return the channels that a policy wants at a stage, by a key of its countries."""
    return order_at(stage, lender.policy.channels, lender.policy.stages, lender.policy.countries[code].channels)


def _where_ordered(lender: Lender, code: str, stage: int) -> Where:
    """Return the field that orders the channels of a stage in a country."""
    if stage in lender.policy.stages:
        return ("stages", str(stage), "channels")
    return ("countries", code, "channels") if lender.policy.countries[code].channels else ("channels",)


def _check_channels(lender: Lender) -> None:
    """Stages are the ladder's, and each channel has a sender, a stage that may use it, and words that are approved."""
    policy, file, _ = lender
    for stage, of_stage in policy.stages.items():
        if stage not in policy.ladder:
            raise file.refusal(
                ("stages", str(stage)),
                f"is not one of the ladder's: {', '.join(map(str, policy.ladder))}; take it out, or add it to ladder",
            )
        if Channel.WHATSAPP in of_stage.channels and stage > 0:
            raise file.refusal(
                ("stages", str(stage), "channels"),
                "whatsapp is for stages up to the due date only; take it out of this one",
            )
    if named := sorted(set(ONLY_WHERE_NAMED).intersection(policy.channels)):
        raise file.refusal(
            ("channels",), f'{named[0]} is used by the stages that name it only; write it in [stages."-3"] or the like'
        )
    for code in policy.countries:
        _check_orders(lender, code)
        _check_gateways(lender, code)
        _check_channel_words(lender, code)
    _check_whatsapp_templates(lender)


def _check_orders(lender: Lender, code: str) -> None:
    """Each stage has a channel in a country, and each channel there a sender and a stage that uses it."""
    policy, file, _ = lender
    used: set[Channel] = set()
    for stage in policy.ladder:
        order = order_in(lender, code, stage)
        if not order:
            raise file.refusal(
                ("countries", code, "channels"), f"leaves no channel for stage {stage:+d}; add one of the stage's"
            )
        for channel in order:
            if channel is not Channel.SMS and getattr(policy, channel.value) is None:
                raise file.refusal(
                    _where_ordered(lender, code, stage),
                    f"{channel} has no sender; add [{channel}], or take {channel} out",
                )
        used.update(order)
    for channel in policy.countries[code].channels or ():
        if channel not in used:
            raise file.refusal(
                ("countries", code, "channels"), f"no stage uses {channel} there; take it out, or name it in a stage"
            )


def _check_gateways(lender: Lender, code: str) -> None:
    """Each gateway of a country reaches its numbers."""
    policy, file, _ = lender
    if policy.countries[code].gateway == "eum" and code in WITHOUT_EUM:
        raise file.refusal(
            ("countries", code, "gateway"),
            'End User Messaging has no field for a registered text, and carriers there block all others; write "sns"',
        )
    uses_line = any(Channel.LINE in order_in(lender, code, stage) for stage in policy.ladder)
    if uses_line and policy.line and policy.line.gateway == "line_notification" and code not in NOTICE_COUNTRIES:
        raise file.refusal(
            ("line", "gateway"),
            f"LINE's notices go to numbers of {', '.join(sorted(NOTICE_COUNTRIES))} only; "
            f'write "line", or give countries.{code} channels without line',
        )


def _check_channel_words(lender: Lender, code: str) -> None:
    """Each channel of a stage has words for it in each language, and each of WhatsApp an approved template."""
    policy, file, wordings = lender
    for stage in policy.ladder:
        for channel in order_in(lender, code, stage):
            if channel is Channel.SMS:
                continue
            for language in policy.languages:
                for several in (False, True):
                    words = wordings[language].channels.at(channel, stage, several=several)
                    if words is None:
                        raise file.refusal(
                            _where_ordered(lender, code, stage),
                            f"{channel} has no words for stage {stage:+d} in {language}: write some, see "
                            f'texts/{language}.toml, or take {channel} out of stages."{stage}"',
                        )
                    if channel is Channel.WHATSAPP:
                        _check_template(lender, stage, words.template)


def _check_template(lender: Lender, stage: int, template: str) -> None:
    policy, file, _ = lender
    if policy.whatsapp is None or template not in policy.whatsapp.registered:
        raise file.refusal(
            ("whatsapp", "registered"),
            f"no template for {template}: Meta has to approve one for each language and text of stage "
            f'{stage:+d}; add it, or take whatsapp out of stages."{stage}"',
        )


def _check_whatsapp_templates(lender: Lender) -> None:
    """Each approved template is of words that there are."""
    policy, file, wordings = lender
    if policy.whatsapp is None:
        return
    known = {
        words.template
        for wording in wordings.values()
        for staged in wording.channels.words.get(Channel.WHATSAPP, ())
        for words in (staged.single, staged.several)
    }
    if unknown := sorted(set(policy.whatsapp.registered) - known):
        raise file.refusal(("whatsapp", "registered"), f"no such text: {', '.join(unknown)}")


def _closed_channels(lender: Lender, code: str, there: "_Version") -> Iterator[PolicyError]:
    """Yield the channels of a policy that a place keeps closed."""
    policy, file, _ = lender
    for stage in policy.ladder:
        for channel in order_in(lender, code, stage):
            for reason, can_be_accepted in why_closed(channel, there.law, policy):
                fix = f"give countries.{code} channels without {channel}"
                if can_be_accepted:
                    fix = f"write accepted_by and accepted_on in [{channel}], or {fix}"
                yield file.refusal(_where_ordered(lender, code, stage), f"{reason}, {there.at_channel(channel)}; {fix}")


class _Version(NamedTuple):
    """What a place's file says from a day on; the first version has no day (`date.min`)."""

    place: Place
    law: JurisdictionFile
    day: date

    def at(self, section: str, *within: str | int) -> str:
        """Return where a section stands, with the day from which it holds if that is not always."""
        return f"{self.place.file.at(*self.place.law.where(section, self.day), *within)}{self._since}"

    def at_channel(self, channel: Channel) -> str:
        """Return where the section of a channel stands, or the file if it has none."""
        return f"{self.place.file.at(*self.place.law.where_channel(channel, self.day))}{self._since}"

    @property
    def _since(self) -> str:
        return "" if self.day == date.min else f" (from {self.day})"


def _check_spoken(lender: Lender, there: _Version, linter: Linter) -> None:
    """The lender's own words say nothing that no text may say, and link only where a place allows it."""
    policy, file, _ = lender
    for where, words in _spoken(policy):
        for language, wording in words.items():
            faults = linter.wording_faults(
                wording.replace(PAY_ACCOUNT, ""),
                language,
                links_allowed=there.law.links.allowed,
                link_domains=policy.link_domains,
            )
            for fault in faults:
                raise file.refusal((*where, language), f"{fault.message} ({fault.rule}, in {there.law.name})")


def _check_numbers_to_call(lender: Lender, code: str, there: _Version) -> None:
    """Where carriers block texts with a number to call, the lender's words hold none."""
    if there.law.numbers_to_call_allowed:
        return
    policy, file, _ = lender
    country = policy.countries[code]
    spoken: list[tuple[Where, str]] = []
    for field, own, general in (("hotline", country.hotline, policy.hotline), ("pay", country.pay, policy.pay)):
        where: Where = ("countries", code, field) if own else (field,)
        words = own or general
        if isinstance(words, dict):
            spoken += [((*where, language), in_language) for language, in_language in words.items()]
        else:
            spoken.append((where, words))
    spoken += [(("sender_name", language), words) for language, words in policy.sender_name.items()]
    for where, words in spoken:
        if holds_number_to_call(words):
            raise file.refusal(
                where,
                f"{words!r} is a number to call, and carriers of {there.law.name} block texts that hold one, "
                f"{there.at('call_back_numbers')}; give countries.{code} a hotline in words, or take that out",
            )


def _check_grace(lender: Lender, there: _Version) -> None:
    """Days of grace leave a stage of the ladder."""
    grace = there.law.grace
    if grace and all(0 < stage < grace.first_overdue_day for stage in lender.policy.ladder):
        raise lender.file.refusal(
            ("ladder",),
            f"no stage is left in {there.law.name}: overdue texts from day {grace.first_overdue_day}, "
            f"{there.at('grace')}",
        )


def _unmet(lender: Lender, code: str, there: _Version) -> Iterator[PolicyError]:
    """Yield the demands of a place's carriers that the policy does not meet."""
    carrier, country = there.law.carrier, lender.policy.countries[code]
    demands = (
        ("sender_id", carrier.registered_sender and not country.sender_id, "a registered sender id"),
        ("origination_number", carrier.origination_number and not country.origination_number, "an own number"),
        ("entity_id", carrier.registered_entity and not country.entity_id, "a registered entity"),
        ("registered", carrier.registered_template and not country.registered, "registered texts"),
    )
    if country.sender_id and not carrier.sender_id:
        yield lender.file.refusal(
            ("countries", code, "sender_id"),
            f"carriers of {there.law.name} take no sender id, {there.at('carrier')}",
        )
    for field, unmet, demanded in demands:
        if unmet:
            yield lender.file.refusal(
                ("countries", code, field),
                f"carriers of {there.law.name} demand {demanded}, {there.at('carrier')}",
            )


def replies_arrive(country: CountryFile, place: Place) -> bool:
    """Tell whether a reply to a text of the lender can arrive: never to a sender id."""
    possible = place.law.two_way is not None and place.law.two_way.possible
    if country.two_way is not None:
        return country.two_way
    return possible and bool(country.origination_number) and not country.sender_id


def _deaf(lender: Lender, code: str, there: _Version) -> Iterator[PolicyError]:
    """Yield why no reply can arrive where a policy says that replies do."""
    country = lender.policy.countries[code]
    if not country.two_way:
        return
    two_way = there.law.two_way
    where = ("countries", code, "two_way")
    if country.sender_id:
        yield lender.file.refusal(where, "nobody can answer a sender id; use an origination_number, or write false")
    elif not country.origination_number:
        yield lender.file.refusal(where, "nobody can answer without an origination_number; give one, or write false")
    elif two_way is None or not two_way.possible:
        at = there.at("two_way") if two_way else there.place.file.name
        yield lender.file.refusal(where, f"carriers of {there.law.name} bring no replies, {at}; write false")


def _looser(lender: Lender, code: str, there: _Version) -> Iterator[PolicyError]:
    """Yield the limits of a policy that are wider than the law of a place."""
    policy, file, _ = lender
    country = policy.countries[code]
    law = there.law.hours.law
    for hours, where in ((country.hours, ("countries", code, "hours")), (policy.hours, ("hours",))):
        if hours is None:
            continue
        if law and (wider := first_wider(hours, law.week)):
            yield file.refusal(
                where,
                f"{wider} is looser than the law of {there.law.name}, {there.at('hours', 'week')}; "
                f"narrow it, or give countries.{code} hours of its own",
            )
        break
    own_caps = country.caps is not None
    for position, cap in enumerate(country.caps if country.caps is not None else policy.caps):
        for legal_position, legal in enumerate(there.place.law.caps):
            if not legal.is_law or legal not in there.law.caps:
                continue
            if cap.channels != legal.channels:
                continue
            if cap.scope == legal.scope and cap.within <= legal.within and cap.at_most > legal.at_most:
                yield file.refusal(
                    ("countries", code, "caps", position) if own_caps else ("caps", position),
                    f"at most {cap.at_most} is looser than the law of {there.law.name}, at most {legal.at_most}, "
                    f"{there.place.file.at('caps', legal_position)}",
                )
