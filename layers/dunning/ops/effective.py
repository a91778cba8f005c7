"""
The effective limits for a lender's customers in a place, and the origin of each: the law, our defaults, the lender.

They are for reading and review. Decisions use `PolicyBook.rules_for`, which is made from the same files.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Literal

from dunning.domain.decision.hours import next_open, start_of_day
from dunning.domain.decision.rules import Cap, ContactHours, Rules, Scope, Week
from dunning.domain.errors import CalendarNotCoveredError, NoLawfulMomentError
from dunning.policy.book import PolicyBook
from dunning.policy.fields import DAYS, CapFields, Hours, Mark, Sourced
from dunning.policy.jurisdiction import Place, written
from dunning.policy.lender import Lender, with_monthly_cap

type Origin = Literal["law", "ours", "lender"]

_REST = "own default: nobody is reminded of what is overdue on a day on which people rest"

CALENDAR_WARNING = timedelta(days=60)
"""A calendar that ends within this time leads to a warning: calendars for the next year are published in November."""

UNLESS_OTHERWISE = "unless the policy says otherwise"
"""Where a default of ours is written that no file states."""

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
            rules = book.rules(lender_id, country, region)
            if isinstance(rules, Rules):
                yield _Explained(book, lender, place, rules, country, region).all(today)


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

    def __init__(self, book: PolicyBook, lender: Lender, place: Place, rules: Rules, country: str, region: str) -> None:
        found = lender.country(country, region, place.law.id)
        assert found is not None  # noqa: S101 - there are rules, so the policy reaches the country
        self.key, self.own = found
        self.book, self.lender, self.rules, self.country = book, lender, rules, country
        self.law, self.file, self.name = place.law, place.file, place.law.name

    def all(self, today: date) -> Effective:
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
            self._carrier(),
            self._retention(),
            *(Limit("noted", noted.what, (self._legal(noted, "binds no text", "noted", at),))
              for at, noted in enumerate(self.law.noted)),
        )  # fmt: skip
        return Effective(
            lender=self.lender.policy.id,
            place=self.law.id,
            name=self.name,
            country=self.country,
            limits=limits,
            warnings=tuple(self._warnings(limits, today)),
        )

    def _legal(self, limit: Sourced, says: str, *where: str | int, binds: bool = True) -> Part:
        origin: Origin = "law" if limit.is_law else "ours"
        return Part(
            origin=origin, says=says, at=self.file.at(*where), mark=limit.mark, source=limit.source, binds=binds
        )

    def _of_lender(self, says: str, *where: str | int, binds: bool = True) -> Part:
        return Part(origin="lender", says=says, at=self.lender.file.at(*where), binds=binds)

    def _ladder(self) -> Limit:
        policy = self.lender.policy
        stages = " ".join(f"{stage:+d}" if stage else "0" for stage in policy.ladder)
        late = "at their own pace" if policy.catch_up == "own_pace" else f"{_days(policy.catch_up)} apart"
        says = f"{stages} days from the due date, {policy.min_days_between_stages} days apart or more; late ones {late}"
        return Limit("stages", says, (self._of_lender("the same", "ladder"),))

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
        parts = []
        if pair.law:
            parts.append(self._legal(pair.law, hours_in_words(pair.law.week), "hours", "law", "week"))
        parts.append(self._legal(pair.ours, hours_in_words(pair.ours.week), "hours", "ours", "week"))
        if not self.lender.policy.rest_on_holidays:
            parts.append(self._of_lender("overdue texts go on public holidays, too", "rest_on_holidays"))
        elif self.book.calendar_of(self.country):
            parts.append(_our_default("none on public holidays, overdue texts", _REST))
        if own:
            where = ("countries", self.key, "hours") if self.own.hours else ("hours",)
            parts.append(self._of_lender(hours_in_words(own), *where))
        parts += [
            self._legal(
                closed, f"none on {closed.day.replace('_', ' ')}s, {_of_stages(closed.stages)}", "closed_days", position
            )
            for position, closed in enumerate(self.law.closed_days)
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
            self._legal(cap, _cap_in_words(cap), "caps", position, binds=_cap(cap) in binding)
            for position, cap in enumerate(self.law.caps)
        ]
        own, where = (
            (self.own.caps, ("countries", self.key, "caps"))
            if self.own.caps is not None
            else (self.lender.policy.caps, ("caps",))
        )
        parts += [
            self._of_lender(_cap_in_words(cap), *where, position, binds=_cap(cap) in binding)
            for position, cap in enumerate(own)
        ]
        parts += [
            _our_default(_cap_in_words(cap), "own default: some two texts a week", binds=_cap(cap) in binding)
            for cap in with_monthly_cap(own)[len(own) :]
        ]
        return Limit("caps", "; ".join(_cap_in_words(cap) for cap in binding), tuple(parts))

    def _consent(self) -> Limit:
        consent = self.law.consent
        says = "has to be on record" if consent.required else "none needed"
        basis = consent.basis.replace("_", " ")
        return Limit("consent", f"{says}; basis: {basis}", (self._legal(consent, "the same", "consent"),))

    def _words(self) -> Limit:
        parts = [
            self._legal(required, "says " + ", ".join(required.says).replace("_", " "), "required", position)
            for position, required in enumerate(self.law.required)
        ]
        parts += [
            self._legal(forbidden, "never " + ", ".join(forbidden.rules), "forbidden", position)
            for position, forbidden in enumerate(self.law.forbidden)
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
        return Limit("opt-out", f"{says}; words: {words}", (self._legal(opt_out, "the same", "opt_out"),))

    def _replies(self) -> Limit:
        rules, policy = self.rules, self.lender.policy
        says = (
            f"{_days(rules.grace_days)} of silence for who says it is paid; "
            f"a promise reaches {_days(rules.promise_days)}; "
            f"working days of silence: {rules.question_days} after a question, {rules.doubt_days} in doubt"
        )
        parts = [self._of_lender("the same", "replies")] if "replies" in policy.model_fields_set else []
        if self.law.two_way:
            parts.append(
                self._legal(self.law.two_way, "can arrive" if self.law.two_way.possible else "none arrives", "two_way")
            )
        return Limit("replies", f"{says}; {'they' if rules.two_way else 'none'} can arrive", tuple(parts))

    def _refusal(self) -> Limit:
        refusal = self.law.refusal
        says = "ends contact" if self.rules.refusal_ends_contact else "silence until a person has looked"
        return Limit("refusal to pay", says, (self._legal(refusal, "the same", "refusal"),) if refusal else ())

    def _links(self) -> Limit:
        links, domains = self.law.links, self.lender.policy.link_domains
        allowed = links.allowed and domains
        says = f"only to {', '.join(domains)}" if allowed else "none"
        parts = [self._legal(links, "may be, to a lender's own domains" if links.allowed else "none", "links")]
        if domains:
            parts.append(self._of_lender(", ".join(domains), "link_domains", binds=links.allowed))
        return Limit("links", says, tuple(parts))

    def _carrier(self) -> Limit:
        carrier, own = self.law.carrier, self.own
        demands = [
            name
            for name, demanded in (
                ("registered texts", carrier.registered_template),
                ("a registered entity", carrier.registered_entity),
                ("a registered sender id", carrier.registered_sender),
                ("an origination number", carrier.origination_number),
                ("the signature is added by them", carrier.signature_by_carrier),
            )
            if demanded
        ]
        sender = own.sender_id or own.origination_number or "whatever SNS picks"
        ids = f", {len(own.registered)} registered texts" if own.registered else ""
        return Limit(
            "carrier",
            f"from {sender}{ids}, at most USD {own.max_price} a text",
            (
                self._legal(carrier, ", ".join(demands) or "no demands", "carrier"),
                self._of_lender(f"sender {sender}", "countries", self.key),
            ),
        )

    def _retention(self) -> Limit:
        retention = self.law.retention
        return Limit("record", f"kept {retention.days} days", (self._legal(retention, "the same", "retention"),))

    def _warnings(self, limits: Iterable[Limit], today: date) -> Iterator[str]:
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
        memory = [topic for topic, part in parts if part.mark == "M"]
        if memory:
            yield f"from memory, not verified: {', '.join(dict.fromkeys(memory))}; have counsel check"
        stale = [where for where, limit in _sourced(self.law) if today - limit.checked_on > STALE]
        if stale:
            yield f"not looked at for a year: {', '.join(stale)}"

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


def _sourced(law: object) -> Iterator[tuple[str, Sourced]]:
    for name in type(law).model_fields:  # type: ignore[attr-defined]
        value = getattr(law, name)
        for limit in value if isinstance(value, tuple) else (value,):
            if isinstance(limit, Sourced):
                yield name, limit


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


def _cap_in_words(cap: Cap | CapFields) -> str:
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
