"""
Jurisdictions: the limits of one place, each with its source. `jurisdictions/TW.toml` is the law of Taiwan.

A place is a country, a region of one (`US-MA`), several countries (`EU`), or `default`: anywhere else.

A limit of next year is in the file today, with `in_force_from`, and holds from its day. An entry of a list is simply
added; what a file says once (`hours.law`, `consent` ...) is replaced by an entry of `amendments`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, StrictBool, model_validator

from dunning.domain.decision.rules import Windows
from dunning.domain.delivery.channels import Channel
from dunning.policy.fields import DAYS, CapFields, Hours, HoursField, Sourced, Span, Strict, ZoneName
from dunning.policy.files import DataFile, PolicyError

DEFAULT = "default"

type ContentItem = Literal["sender", "name", "account", "amount", "date", "pay", "contact", "way_out", "opt_out"]
"""What a text has to say; `way_out` is help or a dispute path once it is overdue."""

_FULL_DAY: Windows = ((0, 24 * 60),)


class HoursFile(Sourced):
    """Contact hours in local time."""

    week: HoursField


class HoursPair(Strict):
    """The law's limit where it has one, and the limit we use, which is never wider."""

    law: HoursFile | None = None
    ours: HoursFile

    @model_validator(mode="after")
    def _marks_fit(self) -> Self:
        if self.law and not self.law.is_law:
            raise ValueError("law: a default of our own (mark D) is no law")
        if self.ours.is_law:
            raise ValueError("ours: has to be marked D, our own default")
        return self


class ClosedDays(Sourced):
    """Days without contact, for overdue texts or for all."""

    day: Literal["sunday", "public_holiday"]
    stages: Literal["overdue", "all"]


class SourcedCap(CapFields, Sourced):
    """A frequency cap of a place."""


class RequiredContent(Sourced):
    """The contents that a text must have."""

    says: tuple[ContentItem, ...] = Field(min_length=1)


class ForbiddenContent(Sourced):
    """The contents that a text must not have: ids of the linter's rules."""

    rules: tuple[str, ...] = Field(min_length=1)


class OptOut(Sourced):
    """
    Whether every text has to say how to opt out, and the words by which people do.

    With `confirmation` a single text may confirm an opt-out, up to `confirmation_within` after the reply.
    """

    line_required: StrictBool
    confirmation: StrictBool
    confirmation_within: Span | None = None
    words: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _says_how_soon(self) -> Self:
        if self.confirmation is not (self.confirmation_within is not None):
            raise ValueError("confirmation_within belongs to confirmation = true, and only there")
        return self


class RefusalToPay(Sourced):
    """Whether the law ends all contact with a customer who refuses to pay."""

    ends_contact: StrictBool


class LinkRules(Sourced):
    """Whether a text may hold a link."""

    allowed: StrictBool


class CallBackNumbers(Sourced):
    """Whether a text may hold a number to call. Where it may not, carriers block such a text."""

    allowed: StrictBool


class Storage(Sourced):
    """The AWS Regions in which the data of people of a place, and of numbers of it, may be stored and processed."""

    regions: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")], ...] = Field(min_length=1)


class OwedTexts(Sourced):
    """The stages whose text law owes the customer: no trial may leave them out. Empty if it owes none."""

    owed_stages: tuple[Annotated[int, Field(ge=-60, le=365, strict=True)], ...]


class OverdueGrace(Sourced):
    """The first day after the due date on which an overdue text may be sent: 10 is the tenth day."""

    first_overdue_day: int = Field(ge=1, le=60, strict=True)


class Carrier(Sourced):
    """The demands of a country's carriers on a sender. `registered_sender`: a registry has to know the sender id."""

    registered_template: StrictBool
    registered_entity: StrictBool
    registered_sender: StrictBool
    origination_number: StrictBool
    sender_id: StrictBool
    signature_by_carrier: StrictBool


class TwoWay(Sourced):
    """Whether replies reach a sender: by an own number at best, since no sender id can be answered."""

    possible: StrictBool


class Consent(Sourced):
    """The lawful basis of a reminder, and whether it needs a consent on record."""

    basis: Literal["contract", "consent", "legitimate_interest"]
    required: StrictBool


class Retention(Sourced):
    """How long the audit record is kept."""

    days: int = Field(ge=180, strict=True)


class Noted(Sourced):
    """A limit that does not bind texts, or that our own are inside of, kept to show that it was not overlooked."""

    what: str = Field(min_length=10)


class LeftToLender(Sourced):
    """A demand of the place that this program cannot meet, or not alone: the lender has to, and counsel is shown it."""

    what: str = Field(min_length=10)


class ChannelConsent(Sourced):
    """Whether a channel needs a consent of its own on record."""

    required: StrictBool


class ChannelLaw(Sourced):
    """
    Whether a channel may be used in a place, and what is narrower there than for a reminder in general.

    Where it may not, a lender opens it by accepting the `condition`; without one nobody can. `condition_since` is the
    day since which the condition reads so: who accepted it earlier has accepted something else.
    """

    allowed: StrictBool
    condition: str = ""
    condition_since: date | None = None
    hours: HoursFile | None = None
    consent: ChannelConsent | None = None
    left_to_lender: LeftToLender | None = None

    @model_validator(mode="after")
    def _opens_in_one_way(self) -> Self:
        if self.allowed and self.condition:
            raise ValueError("condition: belongs to allowed = false, and only there")
        if bool(self.condition) is not (self.condition_since is not None):
            raise ValueError("condition and condition_since come together or not at all")
        return self

    def limits(self) -> Iterator[tuple[tuple[str, ...], Sourced]]:
        """Yield what is said of the channel, each with its place in the section."""
        yield (), self
        if self.hours:
            yield ("hours",), self.hours
        if self.consent:
            yield ("consent",), self.consent
        if self.left_to_lender:
            yield ("left_to_lender",), self.left_to_lender


class ChannelsFile(Strict):
    """What a place says of each channel but SMS. A channel that is not there is closed."""

    email: ChannelLaw | None = None
    line: ChannelLaw | None = None
    voice: ChannelLaw | None = None
    whatsapp: ChannelLaw | None = None

    @model_validator(mode="after")
    def _keeps_shut_what_has_to_be_accepted(self) -> Self:
        for channel in (Channel.VOICE, Channel.WHATSAPP):
            if (law := self.of(channel)) and law.allowed:
                raise ValueError(f"{channel}: allowed = true: a lender has to accept a condition first; write false")
        return self

    @property
    def changes_on(self) -> list[date]:
        """The days of limits that have days of their own, which none may have: an amendment replaces them."""
        return [day for _, limit in self.limits() for day in limit.changes_on]

    def of(self, channel: Channel) -> ChannelLaw | None:
        """Return what is said of a channel; `None` if nothing is."""
        found: ChannelLaw | None = getattr(self, channel.value, None)
        return found

    def limits(self) -> Iterator[tuple[tuple[str, ...], Sourced]]:
        """Yield every limit, with its place in the section."""
        for name in type(self).model_fields:
            law: ChannelLaw | None = getattr(self, name)
            if law:
                yield from (((name, *where), limit) for where, limit in law.limits())

    def amended(self, later: "ChannelsFile") -> "ChannelsFile":
        """Return the section with the channels of an amendment in place of its own."""
        named = {name: law for name in type(self).model_fields if (law := getattr(later, name)) is not None}
        return self.model_copy(update=named)


class Amendment(Strict):
    """
    The sections of a file that are replaced from a day on. `hours` are those of the law.

    `channels` replaces those that it names.
    """

    in_force_from: date
    hours: HoursFile | None = None
    opt_out: OptOut | None = None
    refusal: RefusalToPay | None = None
    links: LinkRules | None = None
    call_back_numbers: CallBackNumbers | None = None
    storage: Storage | None = None
    grace: OverdueGrace | None = None
    trials: OwedTexts | None = None
    carrier: Carrier | None = None
    consent: Consent | None = None
    retention: Retention | None = None
    channels: ChannelsFile | None = None

    @model_validator(mode="after")
    def _replaces_something(self) -> Self:
        sections = [section for name in _AMENDABLE if (section := getattr(self, name)) is not None]
        if not sections:
            raise ValueError("replaces nothing: name a section, such as [amendments.consent]")
        if any(section.changes_on for section in sections):
            raise ValueError("a section holds from the day of its amendment: it has no in_force_from of its own")
        if self.hours and not self.hours.is_law:
            raise ValueError("hours: a default of our own (mark D) is no law")
        return self


class JurisdictionFile(Strict):
    """
    The limits of one place.

    `countries` are those that have no file of their own and fall under this one (the EU). `time_zones` may be left
    out: then they are the country's own. `regions` narrows them for a country that has several. Without `two_way` it is
    not known whether a reply can arrive: then none can. Without `trials` it is not known which texts are owed: then no
    trial may leave one out.
    """

    id: str
    name: str
    countries: tuple[str, ...] = ()
    time_zones: tuple[ZoneName, ...] = ()
    regions: dict[str, tuple[ZoneName, ...]] = Field(default_factory=dict)
    hours: HoursPair
    closed_days: tuple[ClosedDays, ...] = ()
    caps: tuple[SourcedCap, ...] = Field(min_length=1)
    required: tuple[RequiredContent, ...] = Field(min_length=1)
    forbidden: tuple[ForbiddenContent, ...] = Field(min_length=1)
    opt_out: OptOut
    refusal: RefusalToPay | None = None
    links: LinkRules
    call_back_numbers: CallBackNumbers | None = None
    storage: Storage | None = None
    grace: OverdueGrace | None = None
    trials: OwedTexts | None = None
    carrier: Carrier
    two_way: TwoWay | None = None
    consent: Consent
    retention: Retention
    channels: ChannelsFile = ChannelsFile()
    noted: tuple[Noted, ...] = ()
    left_to_lender: tuple[LeftToLender, ...] = ()
    amendments: tuple[Amendment, ...] = ()

    @property
    def numbers_to_call_allowed(self) -> bool:
        """Whether a text may hold a number to call: it may, unless the file says otherwise."""
        return self.call_back_numbers is None or self.call_back_numbers.allowed

    def changes_on(self) -> list[date]:
        """Return the days on which a limit begins or ends to hold, in order."""
        days = {day for name in _LISTS for limit in getattr(self, name) for day in limit.changes_on}
        return sorted(days.union(amendment.in_force_from for amendment in self.amendments))

    def versions(self) -> Iterator[tuple[date, Self]]:
        """Yield what the file says before its first change, and from each change on, with the day (at first `min`)."""
        for day in (date.min, *self.changes_on()):
            yield day, self.on(day)

    def on(self, day: date) -> Self:
        """Return the limits that hold on a day of the place."""
        held: dict[str, object] = {
            name: tuple(limit for limit in getattr(self, name) if limit.holds_on(day)) for name in _LISTS
        }
        channels = self.channels
        for amendment in self.amendments:
            if amendment.in_force_from <= day:
                held |= {name: section for name in _AMENDABLE if (section := getattr(amendment, name)) is not None}
                if amendment.channels:
                    held["channels"] = channels = channels.amended(amendment.channels)
        if isinstance(law := held.get("hours"), HoursFile):
            held["hours"] = self.hours.model_copy(update={"law": law})
        return self.model_copy(update=held | {"amendments": ()})

    def where(self, section: str, day: date) -> tuple[str | int, ...]:
        """Return where the file says what holds of a section on a day: in the section itself, or in an amendment."""
        found: tuple[str | int, ...] = ("hours", "law") if section == "hours" else (section,)
        for position, amendment in enumerate(self.amendments):
            if amendment.in_force_from <= day and getattr(amendment, section) is not None:
                found = ("amendments", position, section)
        return found

    def where_channel(self, channel: Channel, day: date) -> tuple[str | int, ...]:
        """Return where the file says what holds of a channel on a day; the file itself if it says nothing."""
        found: tuple[str | int, ...] = ("channels", channel.value) if self.channels.of(channel) else ()
        for position, amendment in enumerate(self.amendments):
            if amendment.in_force_from <= day and amendment.channels and amendment.channels.of(channel):
                found = ("amendments", position, "channels", channel.value)
        return found

    def sourced(self) -> Iterator[tuple[tuple[str | int, ...], Sourced, date | None]]:
        """Yield every limit of the file with its place in it, and the day from which it holds if a day is named."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, HoursPair):
                yield from ((("hours", "law"), value.law, None),) if value.law else ()
                yield ("hours", "ours"), value.ours, None
            elif isinstance(value, Sourced):
                yield (name,), value, None
            elif isinstance(value, ChannelsFile):
                yield from (((name, *where), limit, None) for where, limit in value.limits())
            elif name in _LISTS:
                yield from (((name, at), limit, limit.in_force_from) for at, limit in enumerate(value))
        for at, amendment in enumerate(self.amendments):
            for name in _AMENDABLE:
                section = getattr(amendment, name)
                if isinstance(section, ChannelsFile):
                    for within, limit in section.limits():
                        yield ("amendments", at, name, *within), limit, amendment.in_force_from
                elif section is not None:
                    yield ("amendments", at, name), section, amendment.in_force_from


_LISTS = ("closed_days", "caps", "required", "forbidden", "noted", "left_to_lender")
"""What a file may say several times: an entry holds from its `in_force_from` to its `in_force_until`."""

_AMENDABLE = tuple(name for name in Amendment.model_fields if name != "in_force_from")
"""What a file says once, and an amendment replaces."""


class Place(NamedTuple):
    """A jurisdiction and the file it is from."""

    law: JurisdictionFile
    file: DataFile


class Places:
    """All places, by id."""

    def __init__(self, by_id: Mapping[str, Place]) -> None:
        self.by_id = by_id
        self._zones_of = zones_of_countries()
        self._of_country = {code: place for place in by_id.values() for code in place.law.countries}

    def of(self, country: str, region: str = "") -> Place | None:
        """Return the place whose law holds for a country and region; `None` if there is no such country."""
        if country not in self._zones_of:
            return None
        return (
            self.by_id.get(f"{country}-{region}")
            or self.by_id.get(country)
            or self._of_country.get(country)
            or self.by_id[DEFAULT]
        )

    def zones(self, country: str, region: str) -> tuple[str, ...]:
        """Return the time zones a person in a region may be in: all of the country's if the region is not known."""
        place = self.by_id.get(country)
        own = self._zones_of[country]
        return place.law.regions.get(region, place.law.time_zones or own) if place else own

    def countries_under(self, codes: Iterable[str]) -> list[str]:
        """Return the countries that keys of a policy reach: themselves, and those under a place such as `EU`."""
        found: dict[str, None] = {}
        for country in self._zones_of:
            place = self.of(country)
            if place and not {country, place.law.id}.isdisjoint(codes):
                found[country] = None
        return list(found)

    def reached_by(self, code: str) -> list[Place]:
        """Return the places that a key of a policy reaches: a place's id, or a country with its regions."""
        regions = [place for name, place in self.by_id.items() if name.startswith(f"{code}-")]
        place = self.by_id.get(code) or self.of(code)
        return [place, *regions] if place else []


def read_places(found: Mapping[str, DataFile]) -> Places:
    """
    Read the places, each by itself.

    Raises:
        PolicyError: one is not as it should be, or `default` is missing.
    """
    if DEFAULT not in found:
        raise PolicyError(f"jurisdictions/{DEFAULT}.toml: missing")
    return Places({name: Place(file.read(JurisdictionFile), file) for name, file in found.items()})


def load_jurisdictions(found: Mapping[str, DataFile], rule_ids: Collection[str]) -> Places:
    """
    Read the places and check them.

    Raises:
        PolicyError: one is not as it should be, contradicts itself, or forbids what no rule of `rule_ids` stops.
    """
    places = read_places(found)
    covered = {name: f"jurisdictions/{name}.toml" for name in places.by_id}
    for name, (law, file) in places.by_id.items():
        if law.id != name:
            raise file.refusal(("id",), f"{law.id!r} is not the file's name")
        _check_countries(law, file, covered)
        _check_amendments(law, file)
        for position, forbidden in enumerate(law.forbidden):
            if unknown := sorted(set(forbidden.rules).difference(rule_ids)):
                raise file.refusal(
                    ("forbidden", position, "rules"), f"the linter stops no text by a rule called {', '.join(unknown)}"
                )
        for day, version in law.versions():
            _check_version(law, version, day, file)
    return places


def _check_amendments(law: JurisdictionFile, file: DataFile) -> None:
    """Amendments come in order, and what a file says once has no days of its own: an amendment replaces it."""
    days = [amendment.in_force_from for amendment in law.amendments]
    if days != sorted(set(days)):
        raise file.refusal(("amendments",), "not in the order of in_force_from, or a day is there twice")
    for where, limit, _ in law.sourced():
        if limit.changes_on and where[0] not in _LISTS:
            raise file.refusal(
                where, "in_force_from and in_force_until are for entries of lists; put what follows into [[amendments]]"
            )


def _check_version(law: JurisdictionFile, version: JurisdictionFile, day: date, file: DataFile) -> None:
    """A file contradicts itself on no day."""
    since = "" if day == date.min else f", from {day}"
    if version.hours.law and (wider := first_wider(version.hours.ours.week, version.hours.law.week)):
        raise file.refusal(
            ("hours", "ours", "week"),
            f"{wider} is outside the law's hours, {file.at(*law.where('hours', day), 'week')}{since}",
        )
    if not (version.caps and version.required and version.forbidden):
        raise file.refusal(("caps",), f"no cap, no required or no forbidden content is left{since}")
    if version.links.allowed and any("link-not-allowed" in forbidden.rules for forbidden in version.forbidden):
        raise file.refusal(
            (*law.where("links", day), "allowed"),
            f"says otherwise than `forbidden`, which names link-not-allowed{since}",
        )
    says = {item for required in version.required for item in required.says}
    if version.opt_out.line_required is not ("opt_out" in says):
        raise file.refusal(
            (*law.where("opt_out", day), "line_required"),
            f"says otherwise than `required`, which names opt_out or does not{since}",
        )


def _check_countries(law: JurisdictionFile, file: DataFile, covered: dict[str, str]) -> None:
    world = zones_of_countries()
    country = law.id.partition("-")[0]
    if law.id != DEFAULT and not law.countries and country not in world:
        raise file.refusal(("id",), f"{country!r} is not a country (ISO 3166)")
    for covered_country in law.countries:
        if covered_country not in world:
            raise file.refusal(("countries",), f"{covered_country!r} is not a country (ISO 3166)")
        if covered_country in covered:
            raise file.refusal(
                ("countries",), f"{covered_country} is there twice, also under {covered[covered_country]}"
            )
        covered[covered_country] = f"jurisdictions/{law.id}.toml"
    if law.id in world and not law.time_zones and len(world[law.id]) > 1 and not law.countries:
        raise file.refusal(("time_zones",), f"missing: {law.name} has {len(world[law.id])}")


def first_wider(hours: Hours, limit: Hours) -> str:
    """Return the first day, with its hours, on which `hours` are open while `limit` is shut; empty if there is none."""
    for name, ours, theirs in zip(DAYS, hours.week, limit.week, strict=True):
        if not _inside(ours, theirs):
            return f"{name} {written(ours)}"
    # A holiday, or a day moved to a weekend, may fall on any weekday: too wide is what no weekday would allow.
    for name, own, allowed in (
        ("holiday", hours.holiday, limit.holiday),
        ("working_day", hours.working_day, limit.working_day),
    ):
        if own is not None and not any(_inside(own, day) for day in (limit.week if allowed is None else (allowed,))):
            return f"{name} {written(own)}"
    return ""


def _inside(ours: Windows, theirs: Windows) -> bool:
    return all(any(a <= start and end <= b for a, b in theirs) for start, end in ours)


def written(windows: Windows) -> str:
    """Return windows as people write them: `09:00-12:00, 13:00-20:30`."""
    return ", ".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in windows) or "closed"


def intersect(first: Windows, second: Windows) -> Windows:
    """Return the times that are in both windows."""
    overlaps = ((max(a, c), min(b, d)) for a, b in first for c, d in second)
    return tuple(sorted((start, end) for start, end in overlaps if start < end))


def narrowest(windows: Iterable[Windows]) -> Windows:
    """Return the times that are in the windows of all days."""
    common = _FULL_DAY
    for day in windows:
        common = intersect(common, day)
    return common


@cache
def zones_of_countries() -> Mapping[str, tuple[str, ...]]:
    """Return the time zones of every country, from the IANA table zone.tab."""
    zones: dict[str, tuple[str, ...]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, name, *_ = line.split("\t")
            zones[country] = (*zones.get(country, ()), name)
    return zones
