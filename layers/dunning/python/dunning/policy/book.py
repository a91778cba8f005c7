"""
The policies, loaded and checked, and the rules they make for a customer.

A faulty file is refused here, at start, with file, line, field and reason, and never at send time.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.hours import start_of_day
from dunning.domain.decision.rules import Cap, ChannelRules, ContactHours, FatigueLimits, Rules, Scope, Windows
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.payer_segments import segment_rules_from
from dunning.domain.texts.lint import Linter, Severity
from dunning.domain.texts.wording import Text, TextVariant
from dunning.policy.calendar import CalendarFile, CalendarOf, Calendars
from dunning.policy.channel_files import NOTICE_COUNTRIES, is_open
from dunning.policy.column_files import load_headings
from dunning.policy.fields import CapFields, Hours, Sourced
from dunning.policy.files import folders_with, toml_file, toml_files
from dunning.policy.jurisdiction import Place, Places, load_jurisdictions, narrowest, read_places
from dunning.policy.lender import (
    CountryFile,
    Lender,
    LenderFile,
    amount_bands,
    load_lenders,
    order_in,
    read_lenders,
    replies_arrive,
    smallest_amounts,
    with_monthly_cap,
)
from dunning.policy.text_files import Key, Wording, load_texts
from dunning.policy.trial_files import trials_at

_DATA = files("dunning.policy") / "data"
_SUNDAY = 6


type _ByCountry = dict[Annotated[str, Field(pattern="^([A-Z]{2}|default)$")], Annotated[Decimal, Field(gt=0)]]


class ChannelPrices(Sourced):
    """Estimated fee of a message in US dollars, by country of the number. A call counts as one minute."""

    per_message: _ByCountry


class PricesFile(Sourced):
    """Estimated carrier fee of a segment in US dollars, by country of the number; and the fees of other channels."""

    per_segment: _ByCountry
    email: ChannelPrices
    line: ChannelPrices
    voice: ChannelPrices
    whatsapp: ChannelPrices

    def by_channel(self) -> Mapping[Channel, Mapping[str, Decimal]]:
        """Return the fees of a segment, or of a message, by channel and country."""
        return {
            Channel.SMS: self.per_segment,
            Channel.EMAIL: self.email.per_message,
            Channel.LINE: self.line.per_message,
            Channel.VOICE: self.voice.per_message,
            Channel.WHATSAPP: self.whatsapp.per_message,
        }


EVERYWHERE_ELSE = "default"
"""The place of all countries without a law file. A policy's entry of this name is for people who live there."""


def default_urgency(ladder: Iterable[int]) -> tuple[int, ...]:
    """Order stages by urgency: due today, then before due, then overdue by age."""
    return tuple(sorted(ladder, key=lambda stage: (stage != 0, stage > 0, stage if stage > 0 else -stage)))


class _Periods(NamedTuple):
    """The rules of one kind of customer: `rules[0]` until the first of the `starts`, `rules[1]` from then on ..."""

    starts: Sequence[datetime]
    rules: Sequence[Rules | Reason]


class PolicyBook:
    """
    All policies, loaded and checked. Rules are combined once for each kind of customer and period, and then kept.

    `region` is the AWS Region in which data are stored. Without one, as for tools that store nothing, the book does not
    ask whether the data of a place may be stored there.
    """

    def __init__(
        self,
        places: Places,
        lenders: Mapping[str, Lender],
        wordings: Mapping[str, Wording],
        linter: Linter,
        prices: PricesFile,
        calendar_of: CalendarOf,
        region: str | None = None,
        headings: Mapping[str, str] | None = None,
    ) -> None:
        self.places = places
        self.lenders = lenders
        self.linter = linter
        self.wordings = wordings
        self.texts, self.texts_with_fee = _all_texts(wordings)
        self._own_texts = {
            name: _all_texts(lender.wordings)
            for name, lender in lenders.items()
            if lender.wordings and lender.wordings is not wordings
        }
        self.opt_out_lines = {language: wording.phrases["opt_out_line"] for language, wording in wordings.items()}
        self.opt_out_lines_without_replies = {
            language: wording.phrases["opt_out_line_without_replies"] for language, wording in wordings.items()
        }
        self.and_others = {language: wording.phrases["and_others"] for language, wording in wordings.items()}
        self.confirmations = {language: wording.confirmation for language, wording in wordings.items()}
        self.calendar_of = calendar_of
        self.headings: Mapping[str, str] = headings or {}
        self._estimates = prices
        self._region = region
        self._periods: dict[tuple[str, str, str, str], _Periods] = {}
        self._prices = {
            channel: {country: int(price * 1_000_000) for country, price in by_country.items()}
            for channel, by_country in prices.by_channel().items()
        }

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        """Return the rules for a customer at a moment, or why there are none."""
        key = (facts.lender, facts.country, facts.region, facts.phone_country)
        found = self._periods.get(key)
        if found is None:
            return self.rules(*key, at=at)
        return found.rules[bisect_right(found.starts, at) if found.starts else 0]

    def rules(
        self, lender: str, country: str, region: str = "", phone_country: str = "", *, at: datetime
    ) -> Rules | Reason:
        """
        Return the rules at a moment for a lender's customers in a country, with a number of that country or of another.

        On the day of a change, while it has begun in some of the time zones of the place, old and new limits both hold.
        """
        key = (lender, country, region, phone_country or country)
        found = self._periods.get(key)
        if found is None:
            found = self._periods[key] = self._combine(*key)
        return found.rules[bisect_right(found.starts, at)]

    def with_lenders(self, lenders: Mapping[str, Lender]) -> "PolicyBook":
        """Return the same law, words and calendars for other lenders."""
        others = (self.wordings, self.linter, self._estimates, self.calendar_of, self._region, self.headings)
        return PolicyBook(self.places, lenders, *others)

    def stored_in(self, region: str) -> "PolicyBook":
        """Return the same policies for a stack in an AWS Region: no rules for whose data may not be stored there."""
        others = (self.wordings, self.linter, self._estimates, self.calendar_of, region, self.headings)
        return PolicyBook(self.places, self.lenders, *others)

    def at_home_in(self, country: str) -> frozenset[str]:
        """Return the lenders whose first country is this: their files have its customs."""
        homes = {lender_id: self.home_of(lender_id) for lender_id in self.lenders}
        return frozenset(lender_id for lender_id, home in homes.items() if home == country)

    def home_of(self, lender_id: str) -> str:
        """Return the first country of a lender's policy; nothing of a lender that is not known."""
        lender = self.lenders.get(lender_id)
        return next(iter(lender.policy.countries), "") if lender else ""

    def zone_of(self, lender_id: str) -> ZoneInfo:
        """Return the zone in which a lender's days are counted: the first of its first country; UTC if not known."""
        home = self.home_of(lender_id)
        zones = self.places.zones(home, "") if home and self.places.of(home) else ()
        return ZoneInfo(zones[0]) if zones else ZoneInfo("UTC")

    def price(self, country: str, parts: int, channel: Channel = Channel.SMS) -> int:
        """
        Estimate the fee of a message in millionths of a US dollar.

        An SMS has `parts`, which are its segments. Any other message is paid for as one, a call as one minute.
        """
        by_country = self._prices[channel]
        return by_country.get(country, by_country["default"]) * (parts if channel is Channel.SMS else 1)

    def _combine(self, lender_id: str, country: str, region: str, phone_country: str) -> _Periods:
        """Combine law and policy for each period between two changes of a law."""
        places = [self.places.of(country, region)]
        zones = [self.places.zones(country, region)] if places[0] else []
        if phone_country != country:
            places.append(self.places.of(phone_country))
            zones += [self.places.zones(phone_country, "")] if places[-1] else []
        changes = sorted(
            {
                start_of_day((ZoneInfo(zone),), day.toordinal())
                for place, zones_there in zip(places, zones, strict=False)
                if place
                for day in place.law.changes_on()
                for zone in zones_there
            }
        )
        moments = [changes[0] - timedelta(seconds=1), *changes] if changes else [None]
        return _Periods(
            changes, [self._combined_at(lender_id, country, region, phone_country, moment) for moment in moments]
        )

    def _combined_at(
        self, lender_id: str, country: str, region: str, phone_country: str, at: datetime | None
    ) -> Rules | Reason:
        """Combine law and policy at a moment; `None` if the laws never change."""
        lender = self.lenders.get(lender_id)
        if lender is None:
            return Reason.UNKNOWN_LENDER
        home, number = self.places.of(country, region), self.places.of(phone_country)
        if home is None or number is None:
            return Reason.UNKNOWN_JURISDICTION
        here = lender.country(country, region, home.law.id)
        there = here if phone_country == country else lender.country(phone_country, "", number.law.id)
        if here is None or there is None:
            return Reason.COUNTRY_NOT_ALLOWED
        if phone_country != country and there[0] == number.law.id == EVERYWHERE_ELSE:
            # Numbers of far countries earn somebody a share of the fee: each has to be named.
            return Reason.COUNTRY_NOT_ALLOWED
        zones = home_zones = self.places.zones(country, region)
        laws = _laws_at(home, country, home_zones, at)
        laws_of_number = laws
        if phone_country != country:
            # The person may be at either end: the law of both holds.
            number_zones = self.places.zones(phone_country, "")
            zones = tuple(dict.fromkeys((*zones, *number_zones)))
            laws_of_number = _laws_at(number, phone_country, number_zones, at)
            laws = [*laws, *laws_of_number]
        if not all(self._may_store(law.place) for law in laws):
            return Reason.STORED_ELSEWHERE
        policy = lender.policy
        texts, texts_with_fee = self._own_texts.get(lender_id, (self.texts, self.texts_with_fee))
        two_way = replies_arrive(there[1], laws_of_number[-1].place)
        opt_out_lines = self.opt_out_lines if two_way else self.opt_out_lines_without_replies
        first_overdue_day = _first_overdue_day(laws)
        # The stages that come in days of grace are left out.
        ladder = tuple(stage for stage in policy.ladder if stage <= 0 or stage >= first_overdue_day)
        own_hours = here[1].hours or policy.hours
        own_caps = with_monthly_cap(policy.caps if here[1].caps is None else here[1].caps)
        limiting = (*(cap for law in laws for cap in law.place.law.caps), *own_caps)
        caps = {Cap(cap.at_most, cap.within, cap.scope): None for cap in limiting if not cap.channels}
        # Counted are also contacts of the time before a cap that is to come: the ledger has to keep them until then.
        all_caps = (*own_caps, *(cap for place in (home, number) for cap in place.law.caps))
        carrier, sns = laws_of_number[-1].place.law.carrier, there[1]
        confirmation_within = _shortest(law.place.law.opt_out.confirmation_within for law in laws)
        channels = _Channels(self, lender, laws, own_hours, limiting, sns.gateway)
        return Rules(
            lender=policy.id,
            jurisdiction=home.law.id,
            zones=tuple(ZoneInfo(name) for name in zones),
            home_zones=tuple(ZoneInfo(name) for name in home_zones),
            ladder=ladder,
            urgency=tuple(stage for stage in policy.urgency or default_urgency(ladder) if stage in ladder),
            first_overdue_day=first_overdue_day,
            min_days_between_stages=policy.min_days_between_stages,
            catch_up_days=None if policy.catch_up == "own_pace" else policy.catch_up,
            preferred_minute_of_day=policy.preferred_hour,
            spread=policy.spread,
            smallest_amounts=smallest_amounts(policy.smallest_amounts),
            hours=self.hours_under(laws, own_hours),
            overdue_hours=self.hours_under(laws, own_hours, overdue=True, rest=policy.rest_on_holidays),
            person_caps=tuple(cap for cap in caps if cap.scope is Scope.PERSON),
            account_caps=tuple(cap for cap in caps if cap.scope is Scope.ACCOUNT),
            longest_window=max((cap.within for cap in all_caps), default=timedelta()),
            consent_required=any(law.place.law.consent.required for law in laws),
            languages=policy.languages,
            texts=texts,
            texts_with_fee=texts_with_fee,
            # The loader has made sure that the lender's languages agree.
            notice_stages=(lender.wordings or self.wordings)[policy.languages[0]].notice_stages.intersection(ladder),
            sender_name=policy.sender_name,
            pay=here[1].pay or policy.pay,
            # A country with a way to pay of its own does not fall back on the account of another.
            pay_to_account=here[1].pay_to_account or ({} if here[1].pay else policy.pay_to_account),
            hotline=_hotline(policy, here[1], there[1]),
            two_way=two_way,
            opt_out_line=opt_out_lines if any(law.place.law.opt_out.line_required for law in laws) else {},
            and_others=self.and_others,
            linter=self.linter,
            links_allowed=all(law.place.law.links.allowed for law in laws),
            numbers_to_call_allowed=all(law.place.law.numbers_to_call_allowed for law in laws),
            link_domains=frozenset(policy.link_domains),
            signature_by_carrier=carrier.signature_by_carrier,
            max_parts=policy.max_segments,
            registered=sns.registered if carrier.registered_template else None,
            sender_id=sns.sender_id if carrier.sender_id else "",
            origination_number=sns.origination_number,
            entity_id=sns.entity_id,
            max_price=sns.max_price,
            retention_days=max(law.place.law.retention.days for law in laws),
            confirmations=self.confirmations if confirmation_within else {},
            channel_words={
                language: wording.channels for language, wording in (lender.wordings or self.wordings).items()
            },
            confirmation_within=confirmation_within,
            grace_days=policy.replies.grace_days,
            promise_days=policy.replies.promise_days,
            question_days=policy.replies.question_days,
            doubt_days=policy.replies.doubt_days,
            refusal_ends_contact=any(law.place.law.refusal.ends_contact for law in laws if law.place.law.refusal),
            holidays=frozenset(
                day for law in laws if (calendar := self.calendar_of(law.country)) for day in calendar.holidays
            ),
            channels={
                stage: tuple(
                    channels.rules_of(channel)
                    for channel in order_in(lender, here[0], stage)
                    if channels.may_be_used(channel, phone_country)
                    and (there is here or there[1].channels is None or channel in there[1].channels)
                )
                for stage in ladder
            },
            failover_after=policy.failover_after,
            fatigue=FatigueLimits(policy.fatigue.after, policy.fatigue.stop_after) if policy.fatigue else None,
            trials=trials_at(policy.trials, (home.law.id, number.law.id)),
            variants=_all_variants(lender.wordings or self.wordings),
            segment_rules=segment_rules_from(policy.segments),
            amount_bands=amount_bands(policy.amount_bands),
            lists_closed_accounts=policy.lists_closed_accounts,
        )

    def _may_store(self, place: Place) -> bool:
        """Tell whether the data of people of a place may be stored where this book is used."""
        storage = place.law.storage
        return storage is None or self._region is None or self._region in storage.regions

    def hours_under(
        self,
        laws: Iterable["_Law"],
        own: Hours | None,
        *,
        overdue: bool = False,
        rest: bool = False,
        channel: Channel | None = None,
    ) -> ContactHours:
        """
        Return the hours that law, our defaults and the lender's policy all allow, on a channel if one is named.

        With `rest` public holidays are closed, wherever a calendar is known.
        """
        schedules = [
            schedule
            for law in laws
            for schedule in _schedules(
                law, self.calendar_of(law.country), own, overdue=overdue, rest=rest, channel=channel
            )
        ]
        week = tuple(narrowest(schedule.ordinary(day) for schedule in schedules) for day in range(7))
        needing = [schedule for schedule in schedules if schedule.needs_calendar]
        if not needing:
            return ContactHours(week)
        if any(schedule.calendar is None for schedule in needing):
            return ContactHours(week, covered_until=date.min)
        calendars = [schedule.calendar for schedule in needing if schedule.calendar]
        days = {day for calendar in calendars for day in (*calendar.holidays, *calendar.working_days)}
        special = {day: narrowest(schedule.on(day) for schedule in schedules) for day in days}
        return ContactHours(week, special, min(calendar.valid_until for calendar in calendars))


def _all_texts(wordings: Mapping[str, Wording]) -> tuple[Mapping[Key, Text], Mapping[Key, Text]]:
    """Return the texts of all languages, and those with a late fee."""
    return (
        {key: text for wording in wordings.values() for key, text in wording.texts.items()},
        {key: text for wording in wordings.values() for key, text in wording.with_fee.items()},
    )


def _all_variants(wordings: Mapping[str, Wording]) -> Mapping[str, TextVariant]:
    """Return the texts of all languages that trials compare with the usual ones, by arm."""
    found: dict[str, tuple[dict[Key, Text], dict[Key, Text]]] = {}
    for wording in wordings.values():
        for arm, variant in wording.variants.items():
            texts, with_fee = found.setdefault(arm, ({}, {}))
            texts.update(variant.texts)
            with_fee.update(variant.texts_with_fee)
    return {arm: TextVariant(*both) for arm, both in found.items()}


def _hotline(policy: LenderFile, here: CountryFile, there: CountryFile) -> Mapping[str, str]:
    """
    Return whom a customer may ask, by language: whom the policy names for where they live.

    If the policy names words for the place of the number, they count: carriers there may let no number through.
    """
    hotline = here.hotline or policy.hotline
    if isinstance(there.hotline, dict):
        hotline = there.hotline
    if isinstance(hotline, dict):
        return {str(language): words for language, words in hotline.items()}
    return dict.fromkeys(policy.languages, hotline)


def _shortest(spans: Iterable[timedelta | None]) -> timedelta | None:
    """Return the shortest of the spans that several laws allow; `None` if one of the laws allows none."""
    allowed = list(spans)
    return None if None in allowed else min(span for span in allowed if span is not None)


class _Law(NamedTuple):
    """A place whose law holds for a customer, and the country whose calendar goes with it."""

    place: Place
    country: str


def _laws_at(place: Place, country: str, zones: Iterable[str], at: datetime | None) -> list[_Law]:
    """Return what a place's file says at a moment, oldest first: twice if its zones are on two sides of a change."""
    if at is None or not place.law.changes_on():
        return [_Law(place, country)]
    days = {at.astimezone(ZoneInfo(zone)).date() for zone in zones}
    changes = place.law.changes_on()
    since = sorted({max((change for change in changes if change <= day), default=date.min) for day in days})
    return [_Law(Place(place.law.on(day), place.file), country) for day in since]


def _first_overdue_day(laws: Iterable[_Law]) -> int:
    """Return the first day after the due date on which a text may call a debt overdue: after any days of grace."""
    return max([law.place.law.grace.first_overdue_day for law in laws if law.place.law.grace], default=1)


class _Schedule(NamedTuple):
    """Hours of one origin, and the calendar of the country they hold in."""

    hours: Hours
    calendar: CalendarFile | None

    @property
    def needs_calendar(self) -> bool:
        return self.hours.holiday is not None or self.hours.working_day is not None

    def ordinary(self, weekday: int) -> Windows:
        return self.hours.week[weekday]

    def on(self, day: date) -> Windows:
        """Return the windows of a day that may be a holiday, or a working day at a weekend."""
        calendar, hours = self.calendar, self.hours
        if calendar and hours.holiday is not None and day in calendar.holidays:
            return hours.holiday
        if calendar and hours.working_day is not None and day in calendar.working_days:
            return hours.working_day
        return hours.week[day.weekday()]


class _Channels:
    """The channels of a lender's customers of one kind: each is made once, however many stages use it."""

    def __init__(
        self,
        book: PolicyBook,
        lender: Lender,
        laws: Sequence[_Law],
        own_hours: Hours | None,
        caps: Iterable[CapFields],
        sms_gateway: str,
    ) -> None:
        self._book, self._policy, self._laws, self._own_hours = book, lender.policy, laws, own_hours
        self._caps = [cap for cap in caps if cap.channels]
        self._sms_gateway = sms_gateway
        self._made: dict[Channel, ChannelRules] = {}

    def may_be_used(self, channel: Channel, phone_country: str) -> bool:
        """Tell whether all laws open a channel to the lender, and its gateway reaches numbers of the country."""
        if not all(is_open(channel, law.place.law, self._policy) for law in self._laws):
            return False
        return self._gateway(channel) != "line_notification" or phone_country in NOTICE_COUNTRIES

    def rules_of(self, channel: Channel) -> ChannelRules:
        """Return the rules of a channel."""
        if channel not in self._made:
            self._made[channel] = self._make(channel)
        return self._made[channel]

    def _make(self, channel: Channel) -> ChannelRules:
        says = [law for each in self._laws if (law := each.place.law.channels.of(channel))]
        hours = overdue_hours = None
        if any(law.hours for law in says):
            hours = self._book.hours_under(self._laws, self._own_hours, channel=channel)
            rest = self._policy.rest_on_holidays
            overdue_hours = self._book.hours_under(
                self._laws, self._own_hours, overdue=True, rest=rest, channel=channel
            )
        caps = {Cap(cap.at_most, cap.within, cap.scope): None for cap in self._caps if channel in cap.channels}
        sender, reply_to, voice = self._sender(channel)
        whatsapp = self._policy.whatsapp if channel is Channel.WHATSAPP else None
        return ChannelRules(
            channel=channel,
            gateway=self._gateway(channel),
            hours=hours,
            overdue_hours=overdue_hours,
            caps=tuple(caps),
            consent_required=any(law.consent.required for law in says if law.consent),
            sender=sender,
            reply_to=reply_to,
            voice=voice,
            registered=whatsapp.registered if whatsapp else None,
        )

    def _gateway(self, channel: Channel) -> str:
        match channel:
            case Channel.SMS:
                return self._sms_gateway
            case Channel.EMAIL:
                return "ses"
            case Channel.LINE:
                return self._policy.line.gateway if self._policy.line else ""
            case Channel.VOICE:
                return "eum_voice"
            case Channel.WHATSAPP:
                return "whatsapp"

    def _sender(self, channel: Channel) -> tuple[str, str, str]:
        """Return who sends, where answers go, and the voice. The loader has made sure that there is a section."""
        policy = self._policy
        if channel is Channel.EMAIL and policy.email:
            return policy.email.sender_address, policy.email.reply_to, ""
        if channel is Channel.LINE and policy.line:
            return policy.line.account, "", ""
        if channel is Channel.VOICE and policy.voice:
            return policy.voice.origination_number, "", policy.voice.voice
        if channel is Channel.WHATSAPP and policy.whatsapp:
            return policy.whatsapp.sender, "", ""
        return "", "", ""


def _schedules(
    law: _Law,
    calendar: CalendarFile | None,
    own: Hours | None,
    *,
    overdue: bool,
    rest: bool,
    channel: Channel | None = None,
) -> list[_Schedule]:
    """Return the hours of a place by the law, by our defaults and by the policy, each with its closed days."""
    pair = law.place.law.hours
    of_channel = law.place.law.channels.of(channel) if channel else None
    closed = {entry.day for entry in law.place.law.closed_days if overdue or entry.stages == "all"}
    narrower = of_channel.hours.week if of_channel and of_channel.hours else None
    weeks = [entry for entry in (pair.law and pair.law.week, pair.ours.week, own, narrower) if entry]
    schedules = [_Schedule(hours, calendar) for hours in weeks]
    if rest and calendar is not None:
        closed.add("public_holiday")
    if closed:
        full: Windows = ((0, 24 * 60),)
        week = tuple(() if day == _SUNDAY and "sunday" in closed else full for day in range(7))
        schedules.append(_Schedule(Hours(week, () if "public_holiday" in closed else None), calendar))
    return schedules


def _needs_calendar(lender: Lender, place: Place, country: str, calendar: CalendarFile) -> bool:
    found = lender.country(country, "", place.law.id)
    own = (found[1].hours if found else None) or lender.policy.hours
    return any(
        schedule.needs_calendar
        for _, version in place.law.versions()
        for schedule in _schedules(
            _Law(Place(version, place.file), country), calendar, own, overdue=True, rest=lender.policy.rest_on_holidays
        )
    )


def load_calendars_needed(folder: Path | None = None) -> dict[str, date]:
    """
    Return the countries whose calendar some lender's rules need, and the last day it covers.

    For the scanner, which needs nothing else and would otherwise read every text and word at its start. Only the form
    of lenders and places is checked here: whoever uses them has loaded all policies, and with them all checks.

    Raises:
        PolicyError: a file is not as it should be.
    """
    data: Traversable = folder or _DATA
    places, lenders = read_places(toml_files(data, "jurisdictions")), read_lenders(toml_files(data, "lenders"))
    calendar_of = Calendars(data)
    needed: dict[str, date] = {}
    for lender in lenders.values():
        for code in places.countries_under(lender.policy.countries):
            place = places.of(code)
            calendar = calendar_of(code) if code not in needed and place else None
            if calendar and place and _needs_calendar(lender, place, code, calendar):
                needed[code] = calendar.valid_until
    return needed


def load_policies(folder: Path | None = None) -> PolicyBook:
    """
    Load the policies of the package, or of a folder of the same shape.

    Raises:
        PolicyError: something in a file is wrong.
    """
    # Imported here: at a cold start the linter has been made long ago, when the layer was built.
    from dunning.policy.linter_files import load_linter  # noqa: PLC0415

    data: Traversable = folder or _DATA
    linter = load_linter(data)
    stopping = [name for name, rule in linter.rules().items() if rule.severity is Severity.BLOCK]
    places = load_jurisdictions(toml_files(data, "jurisdictions"), stopping)
    wordings = {language: load_texts(language, file, linter) for language, file in toml_files(data, "texts").items()}
    found = toml_files(data, "lenders")
    own_texts = {name: toml_files(data, folder) for name, folder in folders_with(data, "lenders", "texts").items()}
    lenders = load_lenders(found, wordings, places, linter, own_texts)
    prices = toml_file(data, "prices.toml")
    estimates = prices.read(PricesFile)
    for channel, by_country in estimates.by_channel().items():
        if "default" not in by_country:
            table = ("per_segment",) if channel is Channel.SMS else (channel.value, "per_message")
            raise prices.refusal((*table, "default"), "missing")
    headings = load_headings(toml_files(data, "columns")) if (data / "columns").is_dir() else {}
    return PolicyBook(places, lenders, wordings, linter, estimates, Calendars(data), headings=headings)
