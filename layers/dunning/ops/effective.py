"""
The effective limits for a lender's customers in a place, and the origin of each: the law, our defaults, the lender.

They are for reading and review. Decisions use `PolicyBook.rules_for`, which is made from the same files.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

from dunning.domain.decision.hours import next_open, start_of_day
from dunning.domain.decision.rules import Cap, ContactHours, Rules, Scope, Week
from dunning.domain.errors import CalendarNotCoveredError, NoLawfulMomentError
from dunning.policy.book import PolicyBook
from dunning.policy.fields import DAYS, CapFields, Hours, Mark, Sourced
from dunning.policy.jurisdiction import (
    CallBackNumbers,
    Carrier,
    ClosedDays,
    Consent,
    LinkRules,
    Noted,
    OptOut,
    OverdueGrace,
    Place,
    RefusalToPay,
    Retention,
    Storage,
    TwoWay,
    written,
)
from dunning.policy.lender import Lender, with_monthly_cap

type Origin = Literal["law", "ours", "lender"]

_REST = "own default: nobody is reminded of what is overdue on a day on which people rest"

CALENDAR_WARNING = timedelta(days=60)
"""A calendar that ends within this time leads to a warning: calendars for the next year are published in November."""

UNLESS_OTHERWISE = "unless the policy says otherwise"
"""Where a default of ours is written that no file states."""
CHANGE_WARNING = timedelta(days=60)
"""A law that changes within this time leads to a warning: counsel has to have read it by then."""

STALE = timedelta(days=366)
"""A limit that was last checked longer ago may have changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The limit of one side: the law, our default, or the lender. It `binds` unless a stricter limit makes it idle."""

    origin: Origin
    says: str
    at: str
    mark: Mark | None = None
    source: str = ""
    binds: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """One effective limit, and its parts."""

    topic: str
    effective: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """All limits for a lender in one place. `country` stands for the countries that the place covers."""

    lender: str
    place: str
    name: str
    country: str
    limits: tuple[Limit, ...]
    warnings: tuple[str, ...]


def effective_rules(book: PolicyBook, lender_id: str, today: date) -> Iterator[Effective]:
    """Yield the limits in each place that a lender's policy reaches."""
    lender = book.lenders[lender_id]
    done: set[tuple[str, str]] = set()
    for code in lender.policy.countries:
        for place in book.places.reached_by(code):
            country, region = _somewhere_in(book, lender, code, place)
            if (place.law.id, country) in done:
                continue
            done.add((place.law.id, country))
            rules = book.rules(lender_id, country, region, at=datetime.combine(today, time(12), UTC))
            if isinstance(rules, Rules):
                yield _Explained(book, lender, place, rules, country, region, today).all()


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
            *(Limit("to do", left.what, (self._legal(left, "left to the lender", "left_to_lender", at),))
              for at, left in self._entries("left_to_lender")),
            *(Limit("noted", noted.what, (self._legal(noted, "binds no text", "noted", at),))
              for at, noted in self._entries("noted")),
        )  # fmt: skip
        return Effective(
            lender=self.lender.policy.id,
            place=self.law.id,
            name=self.name,
            country=self.country,
            limits=limits,
            warnings=tuple(self._warnings(limits)),
        )

    def _entries(self, name: str) -> Iterator[tuple[int, Any]]:
        """Yield the entries of a list with their positions: those in force, and those to come."""
        for position, limit in enumerate(getattr(self.written, name)):
            if limit.in_force_until is None or limit.in_force_until >= self.today:
                yield position, limit

    def _section(self, name: str, says: Callable[[Any], str], now: str = "") -> Iterator[Part]:
        """Yield what the law says in a section that it has once: today's (as `now`, if given), and what is to come."""
        section = self.law.hours.law if name == "hours" else getattr(self.law, name)
        if section is not None:
            yield self._legal(section, now or says(section), *self.written.where(name, self.today))
        for position, amendment in enumerate(self.written.amendments):
            later = getattr(amendment, name)
            if later is not None and amendment.in_force_from > self.today:
                says_later = f"{says(later)}, from {amendment.in_force_from}"
                yield self._legal(later, says_later, "amendments", position, name)

    def _legal(self, limit: Sourced, says: str, *where: str | int, binds: bool = True) -> Part:
        origin: Origin = "law" if limit.is_law else "ours"
        if limit.in_force_from and limit.in_force_from > self.today:
            says = f"{says}, from {limit.in_force_from}"
        return Part(
            origin=origin, says=says, at=self.file.at(*where), mark=limit.mark, source=limit.source, binds=binds
        )

    def _of_lender(self, says: str, *where: str | int, binds: bool = True) -> Part:
        return Part(origin="lender", says=says, at=self.lender.file.at(*where), binds=binds)

    def _ladder(self) -> Limit:
        policy = self.lender.policy
        late = "at their own pace" if policy.catch_up == "own_pace" else f"{_days(policy.catch_up)} apart"
        least = f"{policy.min_days_between_stages} days apart or more"
        says = f"{_stages(self.rules.ladder)} days from the due date, {least}; late ones {late}"
        grace = self._section("grace", grace_in_words)
        own = "the same" if self.rules.ladder == policy.ladder else _stages(policy.ladder)
        return Limit("stages", says, (*grace, self._of_lender(own, "ladder")))

    def _turns(self) -> Limit:
        policy = self.lender.policy
        clock = f"{policy.preferred_hour // 60:02}:{policy.preferred_hour % 60:02}"
        says = f"from {clock}, spread over {_minutes(policy.spread)}" if policy.spread else f"at {clock}"
        own = self._of_lender("the same", "spread" if "spread" in self.lender.file.raw else "preferred_hour")
        return Limit("time of day", says, (own,))

    def _smallest_amounts(self) -> Limit:
        own = self.lender.policy.smallest_amounts
        says = "less than one unit of a currency counts as paid, less than ten in JPY and TWD"
        if own:
            says += "; instead: " + ", ".join(f"{currency} {amount}" for currency, amount in sorted(own.items()))
        source = "own default, as 12 CFR 1026.5(b)(2)(i) asks for no statement of a dollar or less"
        parts = [_our_default("the same", source, binds=not own)]
        if own:
            parts.append(self._of_lender("its own", "smallest_amounts"))
        return Limit("smallest amount", says, tuple(parts))

    def _hours(self) -> Iterator[Limit]:
        own = self.own.hours or self.lender.policy.hours
        pair = self.law.hours
        parts = list(self._section("hours", lambda law: hours_in_words(law.week)))
        parts.append(self._legal(pair.ours, hours_in_words(pair.ours.week), "hours", "ours", "week"))
        if not self.lender.policy.rest_on_holidays:
            parts.append(self._of_lender("overdue texts go on public holidays, too", "rest_on_holidays"))
        elif self.book.calendar_of(self.country):
            parts.append(_our_default("none on public holidays, overdue texts", _REST))
        if own:
            where = ("countries", self.key, "hours") if self.own.hours else ("hours",)
            parts.append(self._of_lender(hours_in_words(own), *where))
        parts += [
            self._legal(closed, closed_days_in_words(closed), "closed_days", position)
            for position, closed in self._entries("closed_days")
        ]
        before, overdue = self.rules.hours, self.rules.overdue_hours
        on_holidays = self._on_holidays(before), self._on_holidays(overdue)
        says = ", ".join(filter(None, (week_in_words(before.week), on_holidays[0])))
        if overdue.week != before.week:
            says += "; overdue: " + ", ".join(filter(None, (week_in_words(overdue.week), on_holidays[1])))
        elif on_holidays[1] != on_holidays[0]:
            says += f"; overdue: {on_holidays[1]}"
        yield Limit("hours", says, tuple(parts))
        zones = [zone.key for zone in self.rules.zones]
        everywhere = f"in {zones[0]}" if len(zones) == 1 else f"in all {len(zones)} zones a person may be in"
        yield Limit("time zone", everywhere if len(zones) == 1 else f"{everywhere}: {', '.join(zones)}")
        if self.rules.overdue_hours.covered_until is not None:
            calendar = self.book.calendar_of(self.country)
            known = f"{self.country}, known until {calendar.valid_until}" if calendar else f"none for {self.country}"
            yield Limit("calendar", known)

    def _caps(self) -> Limit:
        rules = self.rules
        all_caps = (*rules.person_caps, *rules.account_caps)
        binding = [cap for cap in all_caps if not _idle(cap, all_caps)]
        parts = [
            self._legal(
                cap, cap_in_words(cap), "caps", position, binds=not cap.holds_on(self.today) or _cap(cap) in binding
            )
            for position, cap in self._entries("caps")
        ]
        own, where = (
            (self.own.caps, ("countries", self.key, "caps"))
            if self.own.caps is not None
            else (self.lender.policy.caps, ("caps",))
        )
        parts += [
            self._of_lender(cap_in_words(cap), *where, position, binds=_cap(cap) in binding)
            for position, cap in enumerate(own)
        ]
        parts += [
            _our_default(cap_in_words(cap), "own default: some two texts a week", binds=_cap(cap) in binding)
            for cap in with_monthly_cap(own)[len(own) :]
        ]
        return Limit("caps", "; ".join(cap_in_words(cap) for cap in binding), tuple(parts))

    def _consent(self) -> Limit:
        parts = self._section("consent", consent_in_words, "the same")
        return Limit("consent", consent_in_words(self.law.consent), tuple(parts))

    def _words(self) -> Limit:
        parts = [
            self._legal(required, "says " + ", ".join(required.says).replace("_", " "), "required", position)
            for position, required in self._entries("required")
        ]
        parts += [
            self._legal(forbidden, "never " + ", ".join(forbidden.rules), "forbidden", position)
            for position, forbidden in self._entries("forbidden")
        ]
        policy = self.lender.policy
        budget = f"{policy.max_segments} segments at most"
        says = f"{', '.join(policy.languages)}; {budget}; each text is held to this before it is sent"
        return Limit("words", says, tuple(parts))

    def _opt_out(self) -> Limit:
        opt_out = self.law.opt_out
        says = "every text says how" if opt_out.line_required else "no line needed"
        if opt_out.line_required and not self.rules.two_way:
            says += ", and asks for no reply"
        within = self.rules.confirmation_within
        says += f"; one text confirms it, within {_minutes(within)}" if within else "; not confirmed by a text"
        words = " ".join(opt_out.words)
        parts = self._section("opt_out", opt_out_in_words, "the same")
        return Limit("opt-out", f"{says}; words: {words}", tuple(parts))

    def _replies(self) -> Limit:
        rules, policy = self.rules, self.lender.policy
        says = (
            f"{_days(rules.grace_days)} of silence for who says it is paid; "
            f"a promise reaches {_days(rules.promise_days)}; "
            f"working days of silence: {rules.question_days} after a question, {rules.doubt_days} in doubt"
        )
        parts = [self._of_lender("the same", "replies")] if "replies" in policy.model_fields_set else []
        if self.law.two_way:
            parts.append(self._legal(self.law.two_way, two_way_in_words(self.law.two_way), "two_way"))
        return Limit("replies", f"{says}; {'they' if rules.two_way else 'none'} can arrive", tuple(parts))

    def _refusal(self) -> Limit:
        says = "ends contact" if self.rules.refusal_ends_contact else "silence until a person has looked"
        return Limit("refusal to pay", says, tuple(self._section("refusal", refusal_in_words, "the same")))

    def _links(self) -> Limit:
        links, domains = self.law.links, self.lender.policy.link_domains
        allowed = links.allowed and domains
        says = f"only to {', '.join(domains)}" if allowed else "none"
        parts = list(self._section("links", links_in_words))
        if domains:
            parts.append(self._of_lender(", ".join(domains), "link_domains", binds=links.allowed))
        return Limit("links", says, tuple(parts))

    def _numbers_to_call(self) -> Iterator[Limit]:
        parts = tuple(self._section("call_back_numbers", call_back_in_words))
        if parts:
            says = (
                "may be in a text"
                if self.rules.numbers_to_call_allowed
                else f"none: ask {_in_languages(self.rules.hotline)}"
            )
            yield Limit("numbers", says, parts)

    def _storage(self) -> Iterator[Limit]:
        parts = tuple(self._section("storage", storage_in_words))
        if parts:
            storage = self.law.storage
            yield Limit("storage", storage_in_words(storage) if storage else "in any AWS Region", parts)

    def _carrier(self) -> Limit:
        own = self.own
        sender = own.sender_id or own.origination_number or "whatever SNS picks"
        ids = f", {len(own.registered)} registered texts" if own.registered else ""
        return Limit(
            "carrier",
            f"from {sender}{ids}, at most USD {own.max_price} a text",
            (
                *self._section("carrier", carrier_in_words),
                self._of_lender(f"sender {sender}", "countries", self.key),
            ),
        )

    def _retention(self) -> Limit:
        parts = self._section("retention", retention_in_words, "the same")
        return Limit("record", retention_in_words(self.law.retention), tuple(parts))

    def _warnings(self, limits: Iterable[Limit]) -> Iterator[str]:
        today = self.today
        parts = [(limit.topic, part) for limit in limits for part in limit.parts]
        for topic, part in parts:
            if part.origin == "lender" and not part.binds:
                yield f"{topic}: {part.says} ({part.at}) has no effect, something stricter holds"
        own = self.own.hours or self.lender.policy.hours
        if own and any(a != b for a, b in zip(own.week, self.rules.hours.week, strict=True)):
            yield f"hours: the lender's are narrowed to {week_in_words(self.rules.hours.week)}"
        if day := self._skipped_day(today):
            yield (
                f"hours: preferred_hour is too late on {day}: a text up to the due date would come a day late, and so "
                "never; choose an earlier one"
            )
        yield from self._price_warnings()
        covered = self.rules.overdue_hours.covered_until
        if covered is not None and self.book.calendar_of(self.country) is None:
            affected = "no overdue text is" if self.rules.hours.covered_until is None else "no text is"
            yield f"calendar: none for {self.country}: {affected} sent there"
        elif covered is not None and covered - today < CALENDAR_WARNING:
            yield f"calendar: ends on {covered}, in {(covered - today).days} days: run make calendars"
        yield from self._law_warnings(parts)

    def _law_warnings(self, parts: Iterable[tuple[str, Part]]) -> Iterator[str]:
        """Warn of what counsel has to look at: what is from memory, old, or about to change."""
        memory = [topic for topic, part in parts if part.mark == "M"]
        if memory:
            yield f"from memory, not verified: {', '.join(dict.fromkeys(memory))}; have counsel check"
        stale = [_name(where) for where, limit, _ in self.written.sourced() if self.today - limit.checked_on > STALE]
        if stale:
            yield f"not looked at for a year: {', '.join(dict.fromkeys(stale))}"
        for change in self.written.changes_on():
            if timedelta() < change - self.today < CHANGE_WARNING:
                changed = [_name(where) for where, limit, since in self.written.sourced()
                           if change in (since, *limit.changes_on) and not isinstance(limit, Noted)]  # fmt: skip
                if changed:
                    yield f"law: changes on {change}: {', '.join(dict.fromkeys(changed))}"

    def _on_holidays(self, hours: ContactHours) -> str:
        """Say what public holidays change; nothing if they are days like others."""
        calendar = self.book.calendar_of(self.country)
        days = [day for day in hours.special if calendar is not None and day in calendar.holidays]
        if not any(hours.special[day] != hours.week[day.weekday()] for day in days):
            return ""
        return "fewer on holidays" if any(hours.special[day] for day in days) else "none on holidays"

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

    def _price_warnings(self) -> Iterator[str]:
        """SNS does not send what would cost more than `max_price`, and says so only afterwards."""
        segments = self.rules.max_parts
        dearest = max(
            (self.book.price(country, segments) for country in self.book.places.countries_under([self.key])),
            default=self.book.price(self.country, segments),
        )
        if Decimal(self.rules.max_price) * 1_000_000 < dearest:
            yield (
                f"carrier: max_price {self.rules.max_price} is less than {segments} segments cost, about "
                f"{dearest / 1e6:.4f}: SNS would not send such a text"
            )


def _our_default(says: str, source: str, *, binds: bool = True) -> Part:
    """Return a default of ours that no file of a place states: it holds unless a policy says otherwise."""
    return Part(origin="ours", says=says, at=UNLESS_OTHERWISE, mark="D", source=source, binds=binds)


def _name(where: Sequence[str | int]) -> str:
    """Return the name of a section, whether it stands there or in an amendment."""
    return str(where[2] if where[0] == "amendments" else where[0])


def _stages(ladder: Iterable[int]) -> str:
    return " ".join(f"{stage:+d}" if stage else "0" for stage in ladder)


def closed_days_in_words(closed: ClosedDays) -> str:
    """Return the days without contact."""
    return f"none on {closed.day.replace('_', ' ')}s, {_of_stages(closed.stages)}"


def grace_in_words(grace: OverdueGrace) -> str:
    """Return when overdue texts begin."""
    return f"overdue texts from day {grace.first_overdue_day}"


def consent_in_words(consent: Consent) -> str:
    """Return what a place says of consent."""
    says = "has to be on record" if consent.required else "none needed"
    return f"{says}; basis: {consent.basis.replace('_', ' ')}"


def opt_out_in_words(opt_out: OptOut) -> str:
    """Return what a place says of opting out, without the words by which people do."""
    says = "every text says how" if opt_out.line_required else "no line needed"
    within = opt_out.confirmation_within
    return says + (f"; one text confirms it, within {_minutes(within)}" if within else "; not confirmed by a text")


def refusal_in_words(refusal: RefusalToPay) -> str:
    """Return what a refusal to pay leads to."""
    return "ends contact" if refusal.ends_contact else "does not end contact"


def links_in_words(links: LinkRules) -> str:
    """Return whether a text may hold a link."""
    return "may be, to a lender's own domains" if links.allowed else "none"


def _in_languages(words: Mapping[str, str]) -> str:
    return "; ".join(f"{text} ({language})" for language, text in sorted(words.items()))


def call_back_in_words(numbers: CallBackNumbers) -> str:
    """Return whether a text may hold a number to call."""
    return "a number to call may be in a text" if numbers.allowed else "no number to call in a text"


def storage_in_words(storage: Storage) -> str:
    """Return where data may be stored."""
    return f"only in {', '.join(storage.regions)}"


def carrier_in_words(carrier: Carrier) -> str:
    """Return what carriers demand."""
    demands = (
        ("registered texts", carrier.registered_template),
        ("a registered entity", carrier.registered_entity),
        ("a registered sender id", carrier.registered_sender),
        ("an origination number", carrier.origination_number),
        ("the signature is added by them", carrier.signature_by_carrier),
    )
    return ", ".join(name for name, demanded in demands if demanded) or "no demands"


def two_way_in_words(two_way: TwoWay) -> str:
    """Return whether replies can arrive."""
    return "can arrive" if two_way.possible else "none arrives"


def retention_in_words(retention: Retention) -> str:
    """Return how long the record is kept."""
    return f"kept {retention.days} days"


def _minutes(span: timedelta) -> str:
    return f"{span // timedelta(minutes=1)} minutes"


def _days(count: int) -> str:
    return f"{count} day{'s' if count > 1 else ''}"


def _of_stages(stages: str) -> str:
    return "any text" if stages == "all" else "overdue texts"


def _cap(cap: CapFields) -> Cap:
    return Cap(cap.at_most, cap.within, cap.scope)


def _idle(cap: Cap, caps: Sequence[Cap]) -> bool:
    """Tell whether another cap is at least as strict in every respect: fewer, in as long a time or longer."""
    return any(
        wider != cap
        and wider.count <= cap.count
        and wider.window >= cap.window
        and (wider.scope is cap.scope or wider.scope is Scope.PERSON)
        for wider in caps
    )


def cap_in_words(cap: Cap | CapFields) -> str:
    """Return a cap as people say it: `2 in 7 days, a person`."""
    count, window = (cap.count, cap.window) if isinstance(cap, Cap) else (cap.at_most, cap.within)
    hours = int(window / timedelta(hours=1))
    span = f"{hours // 24} days" if hours % 24 == 0 and hours > 24 else f"{hours} hours"  # noqa: PLR2004 - a day
    return f"{count} in {span}, {'a person' if cap.scope is Scope.PERSON else 'each account'}"


def hours_in_words(hours: Hours) -> str:
    """Return hours as people write them: `mon-fri 08:00-20:00, sat-sun 08:00-18:00, holidays 08:00-18:00`."""
    parts = [week_in_words(hours.week)]
    if hours.holiday is not None:
        parts.append(f"holidays {written(hours.holiday)}")
    if hours.working_day is not None:
        parts.append(f"moved working days {written(hours.working_day)}")
    return ", ".join(parts)


def week_in_words(week: Week) -> str:
    """Return a week as people write it: `mon-sat 09:00-19:00, sun closed`."""
    if len(set(week)) == 1:
        return f"{written(week[0])} every day"
    runs = [(windows, [day for day, _ in run]) for windows, run in groupby(zip(DAYS, week, strict=True), itemgetter(1))]
    return ", ".join(
        f"{days[0] if len(days) == 1 else f'{days[0]}-{days[-1]}'} {written(windows)}" for windows, days in runs
    )
