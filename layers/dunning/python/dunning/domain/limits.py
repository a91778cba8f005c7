"""Limits: what holds for a lender in a place, and who has set it. They are for reading and review."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from dunning.domain.sayings import Saying, Sayings

type Origin = Literal["law", "ours", "lender"]

type Wordy = Saying | Sayings | tuple[Saying, ...] | str
"""What is said: sayings, or a sentence that stands in a file as people wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    The limit of one side: the law, our default, or the lender. It `binds` unless a stricter limit makes it idle.

    `at` is the file and line. `checked_on` is the day on which somebody last looked at the source.
    """

    origin: Origin
    says: Wordy
    at: str
    mark: str | None = None
    source: str = ""
    binds: bool
    checked_on: date | None = None
    in_force_from: date | None = None
    in_force_until: date | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """One effective limit, and its parts."""

    topic: str
    effective: Wordy
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDay:
    """
    When texts go out on a day of the week, or on a public holiday (`holiday`), and who has set it.

    `limited_by` names each part whose limit is met at an edge of the hours, or that closes the day.
    """

    day: str
    before: Wordy
    overdue: Wordy
    limited_by: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """All limits for a lender in one place. `country` stands for the countries that the place covers."""

    lender: str
    place: str
    name: str
    country: str
    limits: tuple[Limit, ...]
    warnings: tuple[Saying, ...]
    days: tuple[OpenDay, ...] = ()
