"""
Shapes of the data files. Strict: an unknown key, a missing source or an impossible hour is refused.

Every limit of a place carries its `source` and a `mark`: V primary text, V2 secondary source, M from memory,
D our own default.
"""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from dunning.domain.hours import zone_named
from dunning.domain.rules import Scope

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

type Windows = tuple[tuple[int, int], ...]
type Week = tuple[Windows, ...]
type Language = Literal["zh-Hant", "zh-Hans", "en"]


def parse_minute(clock: str) -> int:
    """
    Read `09:30` as minutes from midnight; `24:00` is the end of the day.

    Raises:
        ValueError: it is not a time of day.
    """
    match = re.fullmatch(r"(\d\d):(\d\d)", clock)
    if not match:
        raise ValueError(f"{clock!r} is not a time such as 09:30")
    minute = int(match[1]) * 60 + int(match[2])
    if int(match[2]) > 59 or minute > 24 * 60:  # noqa: PLR2004 - minutes of an hour
        raise ValueError(f"{clock!r} is not a time of day")
    return minute


def parse_windows(written: str) -> Windows:
    """
    Read `09:00-12:00, 13:00-20:30` as windows in minutes; an empty string is a day without any.

    Raises:
        ValueError: a window ends before it starts, or overlaps the one before it.
    """
    windows: list[tuple[int, int]] = []
    for piece in filter(None, (piece.strip() for piece in written.split(","))):
        start, _, end = piece.partition("-")
        window = (parse_minute(start), parse_minute(end))
        if window[0] >= window[1]:
            raise ValueError(f"{piece!r} ends before it starts")
        if windows and window[0] < windows[-1][1]:
            raise ValueError(f"{piece!r} overlaps the window before it")
        windows.append(window)
    return tuple(windows)


def parse_week(written: object) -> Week:
    """
    Read a table of days, such as `daily`, `mon-fri` or `sat`, as windows for Monday to Sunday.

    Raises:
        ValueError: a day is unknown, named twice or missing.
    """
    if not isinstance(written, dict):
        raise ValueError('is not a table of days such as { mon-fri = "09:00-18:00", sat = "", sun = "" }')  # noqa: TRY004 - pydantic
    week: dict[str, Windows] = {}
    for days, windows in written.items():
        first, _, last = ("mon", "", "sun") if days == "daily" else str(days).partition("-")
        last = last or first
        if first not in DAYS or last not in DAYS or DAYS.index(first) > DAYS.index(last):
            raise ValueError(f"{days!r} is not a day or a range of days (mon ... sun)")
        for day in DAYS[DAYS.index(first) : DAYS.index(last) + 1]:
            if day in week:
                raise ValueError(f"{day} is named twice")
            week[day] = parse_windows(str(windows))
    missing = [day for day in DAYS if day not in week]
    if missing:
        raise ValueError(f"no hours for {', '.join(missing)}")
    return tuple(week[day] for day in DAYS)


def parse_span(written: object) -> timedelta:
    """
    Read `24h` or `7d`.

    Raises:
        ValueError: it is neither.
    """
    match = re.fullmatch(r"([1-9]\d{0,3})([hd])", str(written))
    if not match:
        raise ValueError(f"{written!r} is not a span such as 24h or 7d")
    return timedelta(hours=int(match[1])) if match[2] == "h" else timedelta(days=int(match[1]))


def known_zone(name: str) -> str:
    """
    Check an IANA time zone name.

    Raises:
        ValueError: there is no such zone.
    """
    if zone_named(name) is None:
        raise ValueError(f"{name!r} is not an IANA time zone")
    return name


def valid_sender_id(written: str) -> str:
    """
    Check a sender id: 3 to 11 letters, digits or hyphens, at least one letter (SNS developer guide).

    Raises:
        ValueError: it is none, and not empty either.
    """
    if written and not re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9-]{3,11}", written):
        raise ValueError(f"{written!r} is not 3 to 11 letters, digits or hyphens with at least one letter")
    return written


WeekField = Annotated[Week, BeforeValidator(parse_week)]
Span = Annotated[timedelta, BeforeValidator(parse_span)]
Minute = Annotated[int, BeforeValidator(lambda written: parse_minute(str(written)))]
ZoneName = Annotated[str, AfterValidator(known_zone)]
Price = Annotated[str, Field(pattern=r"^\d+\.\d{2,5}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Sourced(_Strict):
    source: str = Field(min_length=3)
    mark: Literal["V", "V2", "M", "D"]


class HoursFile(_Sourced):
    """Contact hours in local time."""

    week: WeekField


class HoursPair(_Strict):
    """What the law allows, where it says so, and what we use."""

    law: HoursFile | None = None
    ours: HoursFile


class ClosedDays(_Sourced):
    """Days without contact, for overdue texts or for all."""

    day: Literal["sunday", "public_holiday"]
    stages: Literal["overdue", "all"]


class CapFile(_Strict):
    """A frequency cap of a lender."""

    at_most: int = Field(ge=1)
    within: Span
    scope: Scope


class SourcedCap(CapFile, _Sourced):
    """A frequency cap of a place."""


class Required(_Sourced):
    """Whether a place demands something."""

    required: bool


class CarrierFile(_Sourced):
    """What carriers of a country demand of a sender."""

    registered_template: bool
    signature_by_carrier: bool
    sender_id: bool


class Retention(_Sourced):
    """How long the audit record is kept."""

    days: int = Field(ge=180)


class JurisdictionFile(_Strict):
    """The limits of one place. `regions` narrows the time zones of a country that has several."""

    id: str
    name: str
    checked_on: date
    time_zones: tuple[ZoneName, ...]
    regions: dict[str, tuple[ZoneName, ...]] = {}
    hours: HoursPair
    closed_days: tuple[ClosedDays, ...] = ()
    caps: tuple[SourcedCap, ...]
    consent: Required
    opt_out_line: Required
    carrier: CarrierFile
    retention: Retention


class SnsFile(_Strict):
    """How texts to numbers of one country are published. `registered` maps `id@version` to a registered id."""

    sender_id: Annotated[str, AfterValidator(valid_sender_id)] = ""
    origination_number: str = Field(default="", pattern=r"^$|^\+?\d{5,14}$")
    entity_id: str = Field(default="", max_length=50)
    max_price: Price
    registered: dict[str, str] = {}


class LenderFile(_Strict):
    """One lender's policy. It may tighten the law of a place, never loosen it."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,40}$")
    languages: tuple[Language, ...] = Field(min_length=1)
    ladder: tuple[int, ...] = Field(min_length=1)
    urgency: tuple[int, ...] = ()
    min_days_between_stages: int = Field(ge=1)
    preferred_hour: Minute
    max_segments: int = Field(ge=1, le=4)
    hotline: str = Field(pattern=r"^\+?[0-9][0-9 -]{3,18}$")
    sender_name: dict[str, str]
    pay: dict[str, str]
    hours: WeekField | None = None
    caps: tuple[CapFile, ...] = Field(min_length=1)
    sns: dict[str, SnsFile]


class WordingFile(_Strict):
    """The wording of one stage, for one instalment and for several."""

    stage: int
    version: int = Field(ge=1)
    single: str = Field(min_length=10)
    several: str = Field(min_length=10)


class CalendarFile(_Strict):
    """The public holidays of a country, as far as they are known."""

    country: str
    valid_until: date
    source: str
    holidays: dict[date, str]


class PricesFile(_Sourced):
    """Estimated carrier fee of a segment in US dollars, by country of the number."""

    checked_on: date
    per_segment: dict[str, Decimal]


class ForbiddenWords(_Sourced):
    """Words that one rule forbids: Chinese anywhere in a text, English as whole words."""

    rule: str = Field(min_length=10)
    zh: tuple[str, ...]
    en: tuple[str, ...]


class ForbiddenFile(_Strict):
    """What no text may say."""

    checked_on: date
    words: tuple[ForbiddenWords, ...] = Field(min_length=1)
