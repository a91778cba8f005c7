"""What view models are made of: codes and values, which the pages write in the language of whoever reads them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple


class CodeShown(NamedTuple):
    """A code of a group, such as a reason: its words are `<group>.<code>`."""

    group: str
    code: str


class AmountShown(NamedTuple):
    """An amount in minor units of a currency."""

    amount: int
    currency: str


class StageShown(NamedTuple):
    """A stage, in days from the due date; `None` for a text that is no reminder."""

    days: int | None


class MeasureShown(NamedTuple):
    """A number of a unit that the words know (`Translation.number`); `None` is a number that nobody knows."""

    value: float | None
    unit: str


class SentenceShown(NamedTuple):
    """A sentence: its key, and the values of its placeholders."""

    key: str
    values: Mapping[str, object] = {}


_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def rounded_age(age: timedelta) -> timedelta:
    """Return an age as people say it: in minutes, from two hours on in hours, from two days on in days."""
    unit = next((unit for unit in (_DAY, _HOUR) if age >= 2 * unit), _MINUTE)
    return age // unit * unit
