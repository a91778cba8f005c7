"""
The effective limits for a lender's customers in a place, and the origin of each: the law, our defaults, the lender.

They are for reading and review, in pages and programs alike: what a limit says are sayings, which are written in the
reader's language. Decisions use `PolicyBook.rules_for`, which is made from the same files.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from dunning.domain.decision.hours import next_open, start_of_day
from dunning.domain.decision.rules import Cap, ChannelRules, ContactHours, Rules, Scope, Week, Windows
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import CalendarNotCoveredError, NoLawfulMomentError
from dunning.domain.limits import Effective, Limit, OpenDay, Origin, Part, Wordy
from dunning.domain.sayings import Saying, Sayings
from dunning.policy.book import PolicyBook
from dunning.policy.channel_files import is_accepted
from dunning.policy.fields import DAYS, CapFields, Hours, Sourced
from dunning.policy.jurisdiction import (
    CallBackNumbers,
    Carrier,
    ChannelConsent,
    ChannelLaw,
    ClosedDays,
    Consent,
    ForbiddenContent,
    HoursFile,
    LeftToLender,
    LinkRules,
    Noted,
    OptOut,
    OverdueGrace,
    OwedTexts,
    Place,
    RefusalToPay,
    RequiredContent,
    Retention,
    Storage,
    TwoWay,
    written,
)
from dunning.policy.lender import Lender, order_in, with_monthly_cap
from dunning.policy.trial_files import TrialFile

SAME = Saying("the_same")
"""What a part says that is all that holds."""

_REST = "own default: nobody is reminded of what is overdue on a day on which people rest"

CALENDAR_WARNING = timedelta(days=60)
"""A calendar that ends within this time leads to a warning: calendars for the next year are published in November."""

UNLESS_OTHERWISE = "unless the policy says otherwise"
"""Where a default of ours is written that no file states."""

CHANGE_WARNING = timedelta(days=60)
"""A law that changes within this time leads to a warning: counsel has to have read it by then."""

STALE = timedelta(days=366)
"""A limit that was last checked longer ago may have changed."""

ALL_DAY: Windows = ((0, 24 * 60),)
_EDGES_OF_DAY = frozenset({0, 24 * 60})
_SUNDAY = 6
_HOLIDAY = "holiday"


class _LeftOpen(Protocol):
    """Tells what a part of the contact hours leaves open on a day."""

    def __call__(self, weekday: int, *, is_holiday: bool, overdue: bool) -> Windows:
        """Return the hours that are left open."""
        ...


class ReachedPlace(NamedTuple):
    """A place that a lender's policy reaches. `country` and `region` are somewhere in it."""

    place: Place
    country: str
    region: str


def reached_places(book: PolicyBook, lender_id: str) -> Iterator[ReachedPlace]:
    """Yield the places that a lender's policy reaches, each once for a country that stands for it."""
    lender = book.lenders[lender_id]
    done: set[tuple[str, str]] = set()
    for code in lender.policy.countries:
        for place in book.places.reached_by(code):
            country, region = _somewhere_in(book, lender, code, place)
            if (place.law.id, country) not in done:
                done.add((place.law.id, country))
                yield ReachedPlace(place, country, region)


def effective_rules(book: PolicyBook, lender_id: str, today: date) -> Iterator[Effective]:
    """Yield the limits in each place that a lender's policy reaches."""
    for reached in reached_places(book, lender_id):
        if found := effective_at(book, lender_id, reached, today):
            yield found


def effective_at(book: PolicyBook, lender_id: str, reached: ReachedPlace, today: date) -> Effective | None:
    """Return the limits in a place that a lender's policy reaches; `None` if there are no rules for it."""
    place, country, region = reached
    rules = book.rules(lender_id, country, region, at=datetime.combine(today, time(12), UTC))
    if not isinstance(rules, Rules):
        return None
    return _Explained(book, book.lenders[lender_id], place, rules, country, region, today).all()


def _somewhere_in(book: PolicyBook, lender: Lender, code: str, place: Place) -> tuple[str, str]:
    """Return a country and region that fall under a place by way of a key of the policy."""
    country, _, region = place.law.id.partition("-")
    if book.places.of(country) is None:
        under = [
            country_code
            for country_code in book.places.countries_under([code])
            if country_code not in lender.policy.countries
        ]
        country = next(
            (country_code for country_code in under if book.calendar_of(country_code)), under[0] if under else code
        )
    elif code not in (country, place.law.id):
        country = code
    return country, region


class _Explained:
    """One lender in one place, limit by limit."""

    def __init__(
        self,
        book: PolicyBook,
        lender: Lender,
        place: Place,
        rules: Rules,
        country: str,
        region: str,
        today: date,
    ) -> None:
        found = lender.country(country, region, place.law.id)
        assert found is not None  # noqa: S101 - there are rules, so the policy reaches the country
        self.key, self.own = found
        self.book, self.lender, self.rules, self.country = book, lender, rules, country
        self.written, self.law, self.file, self.name = place.law, place.law.on(today), place.file, place.law.name
        self.today = today

    def all(self) -> Effective:
        limits = (
            self._ladder(),
            self._turns(),
            self._smallest_amounts(),
            *self._hours(),
            self._caps(),
            self._channels(),
            self._consent(),
            self._words(),
            self._opt_out(),
            self._replies(),
            self._refusal(),
            self._links(),
            *self._numbers_to_call(),
            self._carrier(),
            self._retention(),
            *self._storage(),
            *self._trials(),
            *(Limit("to do", left.what, (self._legal(left, Saying("left_to_lender"), "left_to_lender", at),))
              for at, left in self._entries("left_to_lender")),
            *(Limit("noted", noted.what, (self._legal(noted, Saying("binds_no_text"), "noted", at),))
              for at, noted in self._entries("noted")),
        )  # fmt: skip
        return Effective(
            lender=self.lender.policy.id,
            place=self.law.id,
            name=self.name,
            country=self.country,
            limits=limits,
            warnings=tuple(self._warnings(limits)),
            days=tuple(self._days()),
        )

    def _entries(self, name: str) -> Iterator[tuple[int, Any]]:
        """Yield the entries of a list with their positions: those in force, and those to come."""
        for position, limit in enumerate(getattr(self.written, name)):
            if limit.in_force_until is None or limit.in_force_until >= self.today:
                yield position, limit

    def _section(self, name: str, says: Callable[[Any], Wordy], now: Wordy = "") -> Iterator[Part]:
        """Yield what the law says in a section that it has once: today's (as `now`, if given), and what is to come."""
        section = self.law.hours.law if name == "hours" else getattr(self.law, name)
        if section is not None:
            yield self._legal(section, now or says(section), *self.written.where(name, self.today))
        for position, amendment in enumerate(self.written.amendments):
            later = getattr(amendment, name)
            if later is not None and amendment.in_force_from > self.today:
                begins = amendment.in_force_from
                says_later = Saying.of("from_day", says=says(later), day=begins.isoformat())
                yield replace(self._legal(later, says_later, "amendments", position, name), in_force_from=begins)

    def _legal(self, limit: Sourced, says: Wordy, *where: str | int, binds: bool = True) -> Part:
        origin: Origin = "law" if limit.is_law else "ours"
        if limit.in_force_from and limit.in_force_from > self.today:
            says = Saying.of("from_day", says=says, day=limit.in_force_from.isoformat())
        return Part(
            origin=origin,
            says=says,
            at=self.file.at(*where),
            mark=limit.mark,
            source=limit.source,
            binds=binds,
            checked_on=limit.checked_on,
            in_force_from=limit.in_force_from,
            in_force_until=limit.in_force_until,
        )

    def _of_lender(self, says: Wordy, *where: str | int, binds: bool = True) -> Part:
        return Part(origin="lender", says=says, at=self.lender.file.at(*where), binds=binds)

    def _ladder(self) -> Limit:
        policy = self.lender.policy
        late = Saying("own_pace") if policy.catch_up == "own_pace" else Saying.of("apart", days=_days(policy.catch_up))
        says: Wordy = Saying.of(
            "ladder", stages=_stages(self.rules.ladder), least=policy.min_days_between_stages, late=late
        )
        if fatigue := policy.fatigue:
            rest = [Saying.of("fatigue", after=fatigue.after, least=2 * policy.min_days_between_stages)]
            if fatigue.stop_after is not None:
                rest.append(Saying.of("fatigue_stop", after=fatigue.stop_after))
            says = Sayings((says, *rest))
        grace = self._section("grace", grace_in_words)
        own = SAME if self.rules.ladder == policy.ladder else _stages(policy.ladder)
        return Limit("stages", says, (*grace, self._of_lender(own, "ladder")))

    def _turns(self) -> Limit:
        policy = self.lender.policy
        clock = f"{policy.preferred_hour // 60:02}:{policy.preferred_hour % 60:02}"
        says = Saying.of("turn_at", clock=clock)
        if policy.spread:
            says = Saying.of("turn_spread", clock=clock, span=_minutes(policy.spread))
        own = self._of_lender(SAME, "spread" if "spread" in self.lender.file.raw else "preferred_hour")
        return Limit("time of day", says, (own,))

    def _trials(self) -> Iterator[Limit]:
        """Yield what trials may leave out here, and the trials of the policy; nothing if there is neither."""
        policy = self.lender.policy
        here = [(at, each) for at, each in enumerate(policy.trials) if self.law.id in each.places]
        owed = tuple(self._section("trials", owed_in_words))
        if not here and not owed:
            return
        says = tuple(trial_in_words(each) for _, each in here if each.approved_by) or (Saying("no_trials"),)
        parts = [*owed]
        if policy.contract_owes:
            stages = Saying.of("contract_owes", stages=_stages(policy.contract_owes))
            parts.append(self._of_lender(stages, "contract_owes"))
        parts += [
            self._of_lender(trial_in_words(each), "trials", at, binds=bool(each.approved_by)) for at, each in here
        ]
        yield Limit("trials", Sayings(says), tuple(parts))

    def _smallest_amounts(self) -> Limit:
        own = self.lender.policy.smallest_amounts
        says: Wordy = Saying("smallest")
        if own:
            amounts = tuple(f"{currency} {amount}" for currency, amount in sorted(own.items()))
            says = Sayings((says, Saying.of("instead", amounts=amounts)))
        source = "own default, as 12 CFR 1026.5(b)(2)(i) asks for no statement of a dollar or less"
        parts = [_our_default(SAME, source, binds=not own)]
        if own:
            parts.append(self._of_lender(Saying("its_own"), "smallest_amounts"))
        return Limit("smallest amount", says, tuple(parts))

    def _hours_parts(self) -> Iterator[tuple[Part, _LeftOpen]]:
        """Yield the parts of the contact hours, each with what it leaves open on a day."""
        pair, own = self.law.hours, self.own.hours or self.lender.policy.hours
        for part in self._section("hours", lambda law: hours_in_words(law.week)):
            is_of_today = pair.law is not None and part.in_force_from is None
            yield part, _left_open_by(pair.law.week) if pair.law and is_of_today else _all_day
        ours = self._legal(pair.ours, hours_in_words(pair.ours.week), "hours", "ours", "week")
        yield ours, _left_open_by(pair.ours.week)
        if not self.lender.policy.rest_on_holidays:
            yield self._of_lender(Saying("goes_on_holidays"), "rest_on_holidays"), _all_day
        elif self.book.calendar_of(self.country):
            yield _our_default(Saying("rest_on_holidays"), _REST), _left_open_but(_HOLIDAY, overdue_only=True)
        if own:
            where = ("countries", self.key, "hours") if self.own.hours else ("hours",)
            yield self._of_lender(hours_in_words(own), *where), _left_open_by(own)
        for position, closed in self._entries("closed_days"):
            part = self._legal(closed, closed_days_in_words(closed), "closed_days", position)
            day = _HOLIDAY if closed.day == "public_holiday" else DAYS[_SUNDAY]
            overdue_only = closed.stages == "overdue"
            yield part, _left_open_but(day, overdue_only=overdue_only) if closed.holds_on(self.today) else _all_day

    def _hours(self) -> Iterator[Limit]:
        parts = [part for part, _ in self._hours_parts()]
        before, overdue = self.rules.hours, self.rules.overdue_hours
        on_holidays = self._on_holidays(before), self._on_holidays(overdue)
        says = [(week_in_words(before.week), *on_holidays[0])]
        if overdue.week != before.week:
            says.append((Saying.of("overdue", says=(week_in_words(overdue.week), *on_holidays[1])),))
        elif on_holidays[1] != on_holidays[0]:
            says.append((Saying.of("overdue", says=on_holidays[1]),))
        yield Limit("hours", Sayings(tuple(says)), tuple(parts))
        zones = tuple(zone.key for zone in self.rules.zones)
        everywhere = Saying.of("all_zones", count=len(zones), zones=zones)
        yield Limit("time zone", Saying.of("zone", zone=zones[0]) if len(zones) == 1 else everywhere)
        if self.rules.overdue_hours.covered_until is not None:
            calendar = self.book.calendar_of(self.country)
            known = Saying.of("no_calendar", country=self.country)
            if calendar:
                known = Saying.of("calendar", country=self.country, day=calendar.valid_until.isoformat())
            yield Limit("calendar", known)

    def _caps(self) -> Limit:
        rules = self.rules
        all_caps = (*rules.person_caps, *rules.account_caps)
        binding: dict[tuple[Cap, tuple[Channel, ...]], None] = {
            (cap, ()): None for cap in all_caps if not _idle(cap, all_caps)
        }
        used = {channel.channel: channel for channel in self._used()}
        for channel in used.values():
            counted = (*all_caps, *channel.caps)
            binding |= {(cap, (channel.channel,)): None for cap in channel.caps if not _idle(cap, counted)}
        parts = [
            self._legal(
                cap,
                cap_in_words(cap),
                "caps",
                position,
                binds=not cap.holds_on(self.today) or _counting(cap) in binding,
            )
            for position, cap in self._entries("caps")
            if not cap.channels or cap.channels[0] in used
        ]
        own, where = (
            (self.own.caps, ("countries", self.key, "caps"))
            if self.own.caps is not None
            else (self.lender.policy.caps, ("caps",))
        )
        parts += [
            self._of_lender(cap_in_words(cap), *where, position, binds=_counting(cap) in binding)
            for position, cap in enumerate(own)
        ]
        parts += [
            _our_default(cap_in_words(cap), "own default: some two texts a week", binds=_counting(cap) in binding)
            for cap in with_monthly_cap(own)[len(own) :]
        ]
        says = tuple(cap_in_words(cap, channels) for cap, channels in binding)
        return Limit("caps", Sayings(says), tuple(parts))

    def _used(self) -> list[ChannelRules]:
        """Return the channels that some stage uses, in order of preference."""
        return list(dict.fromkeys(channel for order in self.rules.channels.values() for channel in order))

    def _channels(self) -> Limit:
        orders = groupby(self.rules.channels.items(), key=lambda item: [channel.channel for channel in item[1]])
        runs = [(order, [stage for stage, _ in run]) for order, run in orders]
        says: list[Wordy] = [_order_in_words(order) for order, _ in runs]
        if len(runs) > 1:
            says = [
                Saying.of("channels_at", stages=_stages(stages), channels=_order_in_words(order))
                for order, stages in runs
            ]
        return Limit("channels", Sayings(tuple(says)), (*self._channel_law(), *self._channel_choice()))

    def _channel_law(self) -> Iterator[Part]:
        """Yield what the place says of each channel, today and later: all of it if the lender uses it."""
        used = {channel.channel for channel in self._used()}
        for channel in Channel:
            if law := self.law.channels.of(channel):
                where = self.written.where_channel(channel, self.today)
                for within, limit in law.limits():
                    if not within or channel in used:
                        yield self._legal(limit, channel_in_words(channel, limit), *where, *within)
        for position, amendment in enumerate(self.written.amendments):
            if amendment.channels and (begins := amendment.in_force_from) > self.today:
                for place_in_it, limit in amendment.channels.limits():
                    says_then = channel_in_words(Channel(place_in_it[0]), limit)
                    says = Saying.of("from_day", says=says_then, day=begins.isoformat())
                    part = self._legal(limit, says, "amendments", position, "channels", *place_in_it)
                    yield replace(part, in_force_from=begins)

    def _channel_choice(self) -> Iterator[Part]:
        """Yield what the lender chooses: orders, the way of its texts, and the conditions it has accepted."""
        policy, own = self.lender.policy, self.own
        if "channels" in policy.model_fields_set:
            yield self._of_lender(_order_in_words(policy.channels), "channels", binds=own.channels is None)
        if own.channels:
            yield self._of_lender(_order_in_words(own.channels), "countries", self.key, "channels")
        for stage, chosen in sorted(policy.stages.items()):
            says = Saying.of("channels_at", stages=_stages([stage]), channels=_order_in_words(chosen.channels))
            yield self._of_lender(says, "stages", str(stage), "channels")
        if own.gateway != "sns":
            yield self._of_lender(Saying("sms_by_eum"), "countries", self.key, "gateway")
        for channel in Channel:
            law, accepted = self.law.channels.of(channel), policy.accepted(channel)
            if law and accepted and accepted.accepted_on and is_accepted(law, accepted):
                says = Saying.of(
                    "channel_accepted", channel=channel_saying(channel), day=accepted.accepted_on.isoformat()
                )
                yield self._of_lender(says, channel.value, "accepted_on")

    def _consent(self) -> Limit:
        parts = self._section("consent", consent_in_words, SAME)
        return Limit("consent", consent_in_words(self.law.consent), tuple(parts))

    def _words(self) -> Limit:
        parts = [
            self._legal(required, required_in_words(required), "required", position)
            for position, required in self._entries("required")
        ]
        parts += [
            self._legal(forbidden, forbidden_in_words(forbidden), "forbidden", position)
            for position, forbidden in self._entries("forbidden")
        ]
        policy = self.lender.policy
        budget = Saying.of("budget", count=policy.max_segments)
        return Limit("words", Sayings((policy.languages, budget, Saying("held_to_this"))), tuple(parts))

    def _opt_out(self) -> Limit:
        opt_out = self.law.opt_out
        line = Saying("opt_out_line" if opt_out.line_required else "no_opt_out_line")
        if opt_out.line_required and not self.rules.two_way:
            line = Saying("opt_out_line_without_replies")
        says = line, _confirmed(self.rules.confirmation_within), Saying.of("words", words=" ".join(opt_out.words))
        return Limit("opt-out", Sayings(says), tuple(self._section("opt_out", opt_out_in_words, SAME)))

    def _replies(self) -> Limit:
        rules, policy = self.rules, self.lender.policy
        says = (
            Saying.of("silence_if_paid", days=_days(rules.grace_days)),
            Saying.of("promise_reaches", days=_days(rules.promise_days)),
            Saying.of("silence_of_working_days", question=rules.question_days, doubt=rules.doubt_days),
            Saying("replies_arrive" if rules.two_way else "no_reply_arrives"),
        )
        parts = [self._of_lender(SAME, "replies")] if "replies" in policy.model_fields_set else []
        if self.law.two_way:
            parts.append(self._legal(self.law.two_way, two_way_in_words(self.law.two_way), "two_way"))
        return Limit("replies", Sayings(says), tuple(parts))

    def _refusal(self) -> Limit:
        says = Saying("ends_contact" if self.rules.refusal_ends_contact else "silence_until_looked")
        return Limit("refusal to pay", says, tuple(self._section("refusal", refusal_in_words, SAME)))

    def _links(self) -> Limit:
        links, domains = self.law.links, self.lender.policy.link_domains
        says = Saying.of("links_to", domains=tuple(domains)) if links.allowed and domains else Saying("no_links")
        parts = list(self._section("links", links_in_words))
        if domains:
            parts.append(self._of_lender(", ".join(domains), "link_domains", binds=links.allowed))
        return Limit("links", says, tuple(parts))

    def _numbers_to_call(self) -> Iterator[Limit]:
        parts = tuple(self._section("call_back_numbers", call_back_in_words))
        if parts:
            says = Saying.of("ask_instead", whom=_in_languages(self.rules.hotline))
            if self.rules.numbers_to_call_allowed:
                says = Saying("may_be_in_text")
            yield Limit("numbers", says, parts)

    def _storage(self) -> Iterator[Limit]:
        parts = tuple(self._section("storage", storage_in_words))
        if parts:
            storage = self.law.storage
            yield Limit("storage", storage_in_words(storage) if storage else Saying("stored_anywhere"), parts)

    def _carrier(self) -> Limit:
        own = self.own
        sender = own.sender_id or own.origination_number or Saying("sns_picks")
        says = Saying.of("carrier", sender=sender, price=str(own.max_price))
        if own.registered:
            says = Saying.of("carrier_registered", sender=sender, count=len(own.registered), price=str(own.max_price))
        return Limit(
            "carrier",
            says,
            (
                *self._section("carrier", carrier_in_words),
                self._of_lender(Saying.of("sender", sender=sender), "countries", self.key),
            ),
        )

    def _retention(self) -> Limit:
        parts = self._section("retention", retention_in_words, SAME)
        return Limit("record", retention_in_words(self.law.retention), tuple(parts))

    def _days(self) -> Iterator[OpenDay]:
        """Yield when texts go out on each day of the week and, where a calendar is known, on the next holiday."""
        before, overdue = self.rules.hours, self.rules.overdue_hours
        parts = list(self._hours_parts())
        for weekday, name in enumerate(DAYS):
            yield _open_day(name, weekday, before.week[weekday], overdue.week[weekday], parts)
        calendar = self.book.calendar_of(self.country)
        to_come = sorted(day for day in calendar.holidays if day >= self.today) if calendar else []
        # A holiday on a Sunday would show what Sundays are like.
        for day in sorted(to_come, key=lambda day: day.weekday() == _SUNDAY)[:1]:
            usual, late = (found.special.get(day, found.week[day.weekday()]) for found in (before, overdue))
            yield _open_day(_HOLIDAY, day.weekday(), usual, late, parts)

    def _warnings(self, limits: Iterable[Limit]) -> Iterator[Saying]:
        today = self.today
        parts = [(limit.topic, part) for limit in limits for part in limit.parts]
        for topic, part in parts:
            if part.origin == "lender" and not part.binds:
                yield Saying.of("warn_idle", topic=topic_saying(topic), says=part.says, at=part.at)
        own = self.own.hours or self.lender.policy.hours
        if own and any(a != b for a, b in zip(own.week, self.rules.hours.week, strict=True)):
            yield Saying.of("warn_narrowed", says=week_in_words(self.rules.hours.week))
        if day := self._skipped_day(today):
            yield Saying.of("warn_skipped_day", day=Saying(day))
        yield from self._price_warnings()
        yield from self._channel_warnings()
        covered = self.rules.overdue_hours.covered_until
        if covered is not None and self.book.calendar_of(self.country) is None:
            stops = "warn_no_overdue_text" if self.rules.hours.covered_until is None else "warn_no_text"
            yield Saying.of(stops, country=self.country)
        elif covered is not None and covered - today < CALENDAR_WARNING:
            yield Saying.of("warn_calendar_ends", day=covered.isoformat(), left=(covered - today).days)
        yield from self._law_warnings(parts)

    def _channel_warnings(self) -> Iterator[Saying]:
        """Warn of a channel that nobody can be reached on."""
        policy = self.lender.policy
        used_somewhere = {
            channel
            for code in policy.countries
            for stage in policy.ladder
            for channel in order_in(self.lender, code, stage)
        }
        for channel in Channel:
            if getattr(policy, channel.value, None) is not None and channel not in used_somewhere:
                at = self.lender.file.at(channel.value)
                yield Saying.of("warn_channel_unused", channel=channel_saying(channel), at=at)
        for used in self._used():
            if not all(any(used.hours_for(self.rules, stage).week) for stage in (0, 1)):
                yield Saying.of("warn_channel_never_open", channel=channel_saying(used.channel))
        for stage, order in self.rules.channels.items():
            if not order:
                yield Saying.of("warn_no_channel", stage=_stages([stage]))

    def _law_warnings(self, parts: Iterable[tuple[str, Part]]) -> Iterator[Saying]:
        """Warn of what counsel has to look at: what is from memory, old, or about to change."""
        memory = [topic for topic, part in parts if part.mark == "M"]
        if memory:
            yield Saying.of("warn_from_memory", topics=tuple(map(topic_saying, dict.fromkeys(memory))))
        stale = [_section(where) for where, limit, _ in self.written.sourced() if self.today - limit.checked_on > STALE]
        if stale:
            yield Saying.of("warn_stale", sections=_section_sayings(stale))
        for change in self.written.changes_on():
            if timedelta() < change - self.today < CHANGE_WARNING:
                changed = [_section(where) for where, limit, since in self.written.sourced()
                           if change in (since, *limit.changes_on) and not isinstance(limit, Noted)]  # fmt: skip
                if changed:
                    yield Saying.of("warn_law_changes", day=change.isoformat(), sections=_section_sayings(changed))

    def _on_holidays(self, hours: ContactHours) -> tuple[Saying, ...]:
        """Say what public holidays change; nothing if they are days like others."""
        calendar = self.book.calendar_of(self.country)
        days = [day for day in hours.special if calendar is not None and day in calendar.holidays]
        if not any(hours.special[day] != hours.week[day.weekday()] for day in days):
            return ()
        return (Saying("fewer_on_holidays" if any(hours.special[day] for day in days) else "none_on_holidays"),)

    def _skipped_day(self, today: date) -> str:
        """Return the first day of a week that is open, and on which the lender's preferred hour is too late."""
        rules = self.rules
        for ordinal in range(today.toordinal(), today.toordinal() + 7):
            day = date.fromordinal(ordinal)
            if not rules.hours.week[day.weekday()] or day in rules.hours.special:
                continue
            try:
                opens = next_open(
                    rules.hours, rules.zones, start_of_day(rules.zones, ordinal, rules.preferred_minute_of_day)
                )
            except (CalendarNotCoveredError, NoLawfulMomentError):
                return ""
            if opens.astimezone(rules.zones[0]).toordinal() > ordinal:
                return DAYS[day.weekday()]
        return ""

    def _price_warnings(self) -> Iterator[Saying]:
        """SNS does not send what would cost more than `max_price`, and says so only afterwards."""
        segments = self.rules.max_parts
        dearest = max(
            (self.book.price(country, segments) for country in self.book.places.countries_under([self.key])),
            default=self.book.price(self.country, segments),
        )
        if Decimal(self.rules.max_price) * 1_000_000 < dearest:
            yield Saying.of(
                "warn_price", price=str(self.rules.max_price), count=segments, dearest=f"{dearest / 1e6:.4f}"
            )


def _open_day(
    name: str, weekday: int, before: Windows, overdue: Windows, parts: Iterable[tuple[Part, _LeftOpen]]
) -> OpenDay:
    """Return a day with each part at whose limit the hours end, or that closes the day for some texts."""
    limiting: list[Part] = []
    for part, left_open in parts:
        for windows, is_overdue in ((before, False), (overdue, True)):
            leaves = left_open(weekday, is_holiday=name == _HOLIDAY, overdue=is_overdue)
            edges = {edge for window in leaves for edge in window} - _EDGES_OF_DAY
            if not leaves or edges.intersection(edge for window in windows for edge in window):
                limiting.append(part)
                break
    return OpenDay(
        day=name, before=_windows_in_words(before), overdue=_windows_in_words(overdue), limited_by=tuple(limiting)
    )


def _all_day(weekday: int, *, is_holiday: bool, overdue: bool) -> Windows:
    """Leave every day open."""
    del weekday, is_holiday, overdue
    return ALL_DAY


def _left_open_by(hours: Hours) -> _LeftOpen:
    """Return what hours leave open."""

    def left_open(weekday: int, *, is_holiday: bool, overdue: bool) -> Windows:
        del overdue
        return hours.holiday if is_holiday and hours.holiday is not None else hours.week[weekday]

    return left_open


def _left_open_but(closed: str, *, overdue_only: bool) -> _LeftOpen:
    """Return what is left open by a part that closes Sundays or public holidays."""

    def left_open(weekday: int, *, is_holiday: bool, overdue: bool) -> Windows:
        is_closed = is_holiday if closed == _HOLIDAY else weekday == _SUNDAY
        return () if is_closed and (overdue or not overdue_only) else ALL_DAY

    return left_open


def _our_default(says: Wordy, source: str, *, binds: bool = True) -> Part:
    """Return a default of ours that no file of a place states: it holds unless a policy says otherwise."""
    return Part(origin="ours", says=says, at=UNLESS_OTHERWISE, mark="D", source=source, binds=binds)


def topic_saying(topic: str) -> Saying:
    """Return the name of a topic as a saying."""
    return Saying("topic_" + topic.replace(" ", "_").replace("-", "_"))


def _section(where: Sequence[str | int]) -> str:
    """Return the name of a section, whether it stands there or in an amendment."""
    return str(where[2] if where[0] == "amendments" else where[0])


def _section_sayings(sections: Iterable[str]) -> tuple[Saying, ...]:
    return tuple(Saying(f"section_{section}") for section in dict.fromkeys(sections))


def _stages(ladder: Iterable[int]) -> str:
    return " ".join(f"{stage:+d}" if stage else "0" for stage in ladder)


def closed_days_in_words(closed: ClosedDays) -> Saying:
    """Return the days without contact."""
    return Saying(f"closed_{closed.day}_{closed.stages}")


def grace_in_words(grace: OverdueGrace) -> Saying:
    """Return when overdue texts begin."""
    return Saying.of("grace", day=grace.first_overdue_day)


def owed_in_words(owed: OwedTexts) -> Saying:
    """Return which texts a place owes its people."""
    return Saying.of("owed_texts", stages=_stages(owed.owed_stages)) if owed.owed_stages else Saying("no_owed_texts")


def trial_in_words(trial: TrialFile) -> Sayings:
    """Return what a trial draws, when, and who approved it."""
    arms = tuple(Saying.of("trial_arm", arm=name, share=f"{share:.0%}") for name, share in trial.arms.items())
    what = Saying.of(
        "trial",
        trial=trial.id,
        arms=arms,
        stages=_stages(trial.stages),
        starts=trial.starts_on.isoformat(),
        ends=trial.ends_on.isoformat(),
    )
    more = [Saying.of("trial_segments", segments=", ".join(trial.segments))] if trial.segments else []
    if trial.learned:
        more.append(Saying("trial_learned"))
        if trial.may_be_silent:
            more.append(Saying.of("trial_weighs", value=trial.value_of_cure, annoyance=trial.annoyance))
    if not trial.approved_by or trial.approved_on is None:
        return Sayings((what, *more, Saying("trial_off")))
    return Sayings((what, *more, Saying.of("trial_approved", by=trial.approved_by, day=trial.approved_on.isoformat())))


def consent_in_words(consent: Consent) -> Sayings:
    """Return what a place says of consent."""
    says = Saying("consent_needed" if consent.required else "no_consent_needed")
    return Sayings((says, Saying.of("basis", basis=Saying(f"basis_{consent.basis}"))))


def opt_out_in_words(opt_out: OptOut) -> Sayings:
    """Return what a place says of opting out, without the words by which people do."""
    line = Saying("opt_out_line" if opt_out.line_required else "no_opt_out_line")
    return Sayings((line, _confirmed(opt_out.confirmation_within)))


def _confirmed(within: timedelta | None) -> Saying:
    return Saying.of("confirmed", span=_minutes(within)) if within else Saying("not_confirmed")


def refusal_in_words(refusal: RefusalToPay) -> Saying:
    """Return what a refusal to pay leads to."""
    return Saying("ends_contact" if refusal.ends_contact else "goes_on_after_refusal")


def links_in_words(links: LinkRules) -> Saying:
    """Return whether a text may hold a link."""
    return Saying("own_links" if links.allowed else "no_links")


def _in_languages(words: Mapping[str, str]) -> str:
    return "; ".join(f"{text} ({language})" for language, text in sorted(words.items()))


def call_back_in_words(numbers: CallBackNumbers) -> Saying:
    """Return whether a text may hold a number to call."""
    return Saying("number_to_call" if numbers.allowed else "no_number_to_call")


def storage_in_words(storage: Storage) -> Saying:
    """Return where data may be stored."""
    return Saying.of("stored_only_in", regions=storage.regions)


def carrier_in_words(carrier: Carrier) -> Wordy:
    """Return what carriers demand."""
    demands = (
        ("registered_texts", carrier.registered_template),
        ("registered_entity", carrier.registered_entity),
        ("registered_sender", carrier.registered_sender),
        ("origination_number", carrier.origination_number),
        ("carrier_signs", carrier.signature_by_carrier),
    )
    return tuple(Saying(code) for code, demanded in demands if demanded) or Saying("no_demands")


def channel_saying(channel: Channel) -> Saying:
    """Return the name of a channel as a saying."""
    return Saying(f"channel_{channel.value}")


def _order_in_words(order: Iterable[Channel]) -> tuple[Saying, ...]:
    return tuple(map(channel_saying, order)) or (Saying("no_channel"),)


def channel_in_words(channel: Channel, limit: Sourced) -> Saying:
    """
    Return what a place says of a channel: whether it is open, its hours, its consent, or what is left to the lender.

    Raises:
        TypeError: it is no limit of a channel.
    """
    name = channel_saying(channel)
    match limit:
        case ChannelLaw(allowed=True):
            return Saying.of("channel_open", channel=name)
        case ChannelLaw(condition=""):
            return Saying.of("channel_closed", channel=name)
        case ChannelLaw():
            return Saying.of("channel_to_accept", channel=name)
        case HoursFile():
            return Saying.of("channel_hours", channel=name, hours=hours_in_words(limit.week))
        case ChannelConsent():
            code = "channel_needs_consent" if limit.required else "channel_needs_no_consent"
            return Saying.of(code, channel=name)
        case LeftToLender():
            return Saying.of("channel_left_to_lender", channel=name, what=limit.what)
        case _:
            raise TypeError(f"{type(limit).__name__} is no limit of a channel")


def two_way_in_words(two_way: TwoWay) -> Saying:
    """Return whether replies can arrive."""
    return Saying("can_arrive" if two_way.possible else "none_arrives")


def retention_in_words(retention: Retention) -> Saying:
    """Return how long the record is kept."""
    return Saying.of("kept", days=_days(retention.days))


def required_in_words(required: RequiredContent) -> Saying:
    """Return what a text has to say."""
    return Saying.of("text_says", items=tuple(Saying(f"item_{item}") for item in required.says))


def forbidden_in_words(forbidden: ForbiddenContent) -> Saying:
    """Return what a text may not hold."""
    return Saying.of("text_never", rules=tuple(map(rule_saying, forbidden.rules)))


def rule_saying(rule: str) -> Saying:
    """Return the name of a rule of the linter as a saying."""
    return Saying(f"rule_{rule.replace('-', '_')}")


def _minutes(span: timedelta) -> Saying:
    return Saying.of("minutes", count=span // timedelta(minutes=1))


def _days(count: int) -> Saying:
    return Saying.of("days", count=count) if count > 1 else Saying("a_day")


def _counting(cap: CapFields) -> tuple[Cap, tuple[Channel, ...]]:
    """Return a cap, and the channel whose contacts it counts; none if it counts all."""
    return Cap(cap.at_most, cap.within, cap.scope), cap.channels


def _idle(cap: Cap, caps: Sequence[Cap]) -> bool:
    """Tell whether another cap is at least as strict in every respect: fewer, in as long a time or longer."""
    return any(
        wider != cap
        and wider.count <= cap.count
        and wider.window >= cap.window
        and (wider.scope is cap.scope or wider.scope is Scope.PERSON)
        for wider in caps
    )


def cap_in_words(cap: Cap | CapFields, channels: tuple[Channel, ...] = ()) -> Saying:
    """Return a cap as people say it: `2 in 7 days, a person`. `channels` are those that it counts, if not all."""
    count, window = (cap.count, cap.window) if isinstance(cap, Cap) else (cap.at_most, cap.within)
    channels = channels if isinstance(cap, Cap) else cap.channels
    hours = int(window / timedelta(hours=1))
    is_days = hours % 24 == 0 and hours > 24  # noqa: PLR2004 - a day
    span = _days(hours // 24) if is_days else Saying.of("hours", count=hours)
    if channels:
        return Saying.of("cap_channel", count=count, span=span, channel=channel_saying(channels[0]))
    return Saying.of("cap_person" if cap.scope is Scope.PERSON else "cap_account", count=count, span=span)


def hours_in_words(hours: Hours) -> tuple[Saying, ...]:
    """Return hours as people write them: `mon-fri 08:00-20:00, sat-sun 08:00-18:00, holidays 08:00-18:00`."""
    parts = [*week_in_words(hours.week)]
    if hours.holiday is not None:
        parts.append(Saying.of("holidays", windows=_windows_in_words(hours.holiday)))
    if hours.working_day is not None:
        parts.append(Saying.of("moved_working_days", windows=_windows_in_words(hours.working_day)))
    return tuple(parts)


def week_in_words(week: Week) -> tuple[Saying, ...]:
    """Return a week as people write it: `mon-sat 09:00-19:00, sun closed`."""
    if len(set(week)) == 1:
        return (Saying.of("every_day", windows=_windows_in_words(week[0])),)
    runs = [(windows, [day for day, _ in run]) for windows, run in groupby(zip(DAYS, week, strict=True), itemgetter(1))]
    return tuple(
        Saying.of("on_day", day=Saying(days[0]), windows=_windows_in_words(windows))
        if len(days) == 1
        else Saying.of("on_days", first=Saying(days[0]), last=Saying(days[-1]), windows=_windows_in_words(windows))
        for windows, days in runs
    )


def _windows_in_words(windows: Windows) -> Wordy:
    return written(windows) if windows else Saying("closed")
