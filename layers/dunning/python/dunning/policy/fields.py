"""Kinds of fields of the data files: hours, spans, zones. Strict: an impossible hour is refused."""

import re
from datetime import date, timedelta
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dunning.domain.decision.hours import zone_named
from dunning.domain.decision.rules import Scope, Week, Windows
from dunning.domain.delivery.channels import Channel

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOLIDAY, _WORKING_DAY = "holiday", "working_day"
_LONGEST_SPREAD = timedelta(hours=12)

type Language = Literal["zh-Hant", "zh-Hans", "en"]
type Mark = Literal["V", "Vq", "V2", "M", "D"]
"""
How sure a limit is: V primary text, Vq its words as a secondary source quotes them, V2 secondary source, M from memory.

D is our own default, and no law.
"""


class Hours(NamedTuple):
    """
    Hours of an ordinary week, and where they differ: of a public holiday, and of a working day that a calendar moved.

    `None` for these: as on any day of that name.
    """

    week: Week
    holiday: Windows | None = None
    working_day: Windows | None = None


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


def parse_hours(written: object) -> Hours:
    """
    Read a table of days, such as `daily`, `mon-fri` or `sat`, and perhaps `holiday` and `working_day`.

    Raises:
        ValueError: a day is unknown, named twice or missing, or no day has any hours.
    """
    if isinstance(written, Hours):
        return written
    if not isinstance(written, dict):
        raise ValueError('is not a table of days such as { mon-fri = "09:00-18:00", sat = "", sun = "" }')  # noqa: TRY004 - pydantic
    week: dict[str, Windows] = {}
    special: dict[str, Windows] = {}
    for days, windows in written.items():
        if days in (_HOLIDAY, _WORKING_DAY):
            special[days] = parse_windows(str(windows))
            continue
        first, _, last = ("mon", "", "sun") if days == "daily" else str(days).partition("-")
        last = last or first
        if first not in DAYS or last not in DAYS or DAYS.index(first) > DAYS.index(last):
            raise ValueError(
                f"{days!r} is not a day or a range of days (mon ... sun), nor {_HOLIDAY!r} or {_WORKING_DAY!r}"
            )
        for day in DAYS[DAYS.index(first) : DAYS.index(last) + 1]:
            if day in week:
                raise ValueError(f"{day} is named twice")
            week[day] = parse_windows(str(windows))
    missing = [day for day in DAYS if day not in week]
    if missing:
        raise ValueError(f"no hours for {', '.join(missing)}")
    if not any(week.values()):
        raise ValueError("no day has any hours: nothing could ever be sent")
    return Hours(tuple(week[day] for day in DAYS), special.get(_HOLIDAY), special.get(_WORKING_DAY))


def parse_span(written: object) -> timedelta:
    """
    Read `5m`, `24h` or `7d`.

    Raises:
        ValueError: it is something else.
    """
    match = re.fullmatch(r"([1-9]\d{0,3})([mhd])", str(written))
    if not match:
        raise ValueError(f"{written!r} is not a span such as 5m, 24h or 7d")
    return int(match[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[match[2]]


def parse_spread(written: object) -> timedelta:
    """
    Read a span of half a day at most, such as `3h`; `0h` is none.

    Raises:
        ValueError: it is something else.
    """
    if re.fullmatch(r"0[mh]", str(written)):
        return timedelta()
    spread = parse_span(written)
    if spread > _LONGEST_SPREAD:
        raise ValueError(f"{written!r} is longer than 12h")
    return spread


def known_zone(name: str) -> str:
    """
    Check an IANA time zone name.

    Raises:
        ValueError: there is no such zone.
    """
    if zone_named(name) is None:
        raise ValueError(f"{name!r} is not an IANA time zone")
    return name


HoursField = Annotated[Hours, BeforeValidator(parse_hours)]
Span = Annotated[timedelta, BeforeValidator(parse_span)]
Spread = Annotated[timedelta, BeforeValidator(parse_spread)]
Minute = Annotated[int, BeforeValidator(lambda written: parse_minute(str(written)))]
ZoneName = Annotated[str, AfterValidator(known_zone)]


class Strict(BaseModel):
    """A table of a data file. An unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # most are built as part of another


class Sourced(Strict):
    """
    What a place demands: where that is written, how sure it is, and when somebody last looked.

    It holds from the start of `in_force_from` to the end of `in_force_until`, on the clocks of the place.
    """

    source: str = Field(min_length=3)
    mark: Mark
    checked_on: date
    in_force_from: date | None = None
    in_force_until: date | None = None

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.in_force_from and self.in_force_until and self.in_force_until < self.in_force_from:
            raise ValueError("in_force_until is before in_force_from: it would never hold")
        return self

    @property
    def is_law(self) -> bool:
        """Whether it is a place's own limit, not a default of ours."""
        return self.mark != "D"

    def holds_on(self, day: date) -> bool:
        """Tell whether it is in force on a day."""
        return (self.in_force_from or day) <= day <= (self.in_force_until or day)

    @property
    def changes_on(self) -> list[date]:
        """The days from which it holds, or no longer holds."""
        ends = self.in_force_until + timedelta(days=1) if self.in_force_until else None
        return [day for day in (self.in_force_from, ends) if day]


class CapFields(Strict):
    """
    A frequency cap: over all channels together, or over the one that `channels` names.

    A cap of a channel counts the person's contacts on it. Two channels have two caps: each would be counted by itself,
    and a list of both reads as if they were counted together.
    """

    at_most: int = Field(ge=1, strict=True)
    within: Span
    scope: Scope
    channels: tuple[Channel, ...] = Field(default=(), max_length=1)

    @model_validator(mode="after")
    def _counts_the_person(self) -> Self:
        if self.channels and self.scope is not Scope.PERSON:
            raise ValueError('scope: a cap of a channel counts the person: write "person"')
        return self
