"""
Translations: the words of the console in each language, and how values are written in it.

Services hand over codes and values; here they become words. Each language is a file of `words/`, with the same keys.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from dunning.domain.errors import UnknownCurrencyError
from dunning.domain.sayings import Saying, Sayings
from dunning.domain.texts.money import format_money
from dunning.services.console.shown import AmountShown, CodeShown, MeasureShown, SentenceShown, StageShown

WORDS = Path(__file__).parent / "words"

LANGUAGES: Mapping[str, str] = {"en": "English", "zh-Hant": "正體中文", "zh-Hans": "简体中文"}
"""Each language by its own name. The first is for browsers that ask for none of them."""

_WEEKDAYS: Mapping[str, tuple[str, ...]] = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "zh-Hant": tuple("一二三四五六日"),
    "zh-Hans": tuple(f"周{day}" for day in "一二三四五六日"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LISTED = {"en": ", ", "zh-Hant": "、", "zh-Hans": "、"}
_PARTED = {"en": "; ", "zh-Hant": "；", "zh-Hans": "；"}
_MICRO = 1_000_000
_NO_CENTS_FROM = 1000 * _MICRO
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


UNKNOWN = "\N{EN DASH}"
"""Stands for a number that nobody knows."""

_SIGNS = {1: "+", 0: "", -1: "\N{MINUS SIGN}"}


def with_sign(number: float, form: str) -> str:
    """Write a number with its sign, a true minus; nought has none."""
    return f"{_SIGNS[(number > 0) - (number < 0)]}{abs(number):{form}}"


class Translation:
    """The words of one language, and the zone in which it writes times."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.language = language
        self.zone = zone
        self._words = words_in(language)

    def in_zone(self, zone: ZoneInfo) -> "Translation":
        """Return the same language with times of another zone."""
        return Translation(self.language, zone)

    def say(self, key: str, **values: object) -> str:
        """
        Return the sentence of a key with its values.

        Raises:
            KeyError: there is no such key, or a value is missing.
        """
        sentence = self._words[key].format_map({name: self.write(value) for name, value in values.items()})
        return sentence if self.language == "en" else sentence.replace("） ", "）")

    def write(self, value: object) -> str:  # noqa: PLR0911 - one a kind of value
        """Write a value as people of the language do. A code without words stays as it is."""
        match value:
            case CodeShown(group, code):
                return self._words.get(f"{group}.{code}", code)
            case SentenceShown() | Saying() | Sayings():
                return self._sentence(value)
            case AmountShown(amount, currency):
                return self._money(amount, currency)
            case MeasureShown(value, unit):
                return UNKNOWN if value is None else self.number(value, unit)
            case StageShown(days):
                return self._stage(days)
            case datetime():
                return self._moment(value)
            case date():
                return self._date(value)
            case timedelta():
                return self._window(value)
            case int() | float():
                return self.number(value)
            case tuple():
                return _LISTED[self.language].join(map(self.write, value))
            case _:
                return str(value)

    @property
    def colon(self) -> str:
        """What stands between a name and its value."""
        return ": " if self.language == "en" else "："

    def number(self, number: float, unit: str = "count") -> str:  # noqa: PLR0911 - one a unit
        """Write a number with its unit."""
        match unit:
            case "usd_micros":
                return f"US${number / _MICRO:,.{2 if number < _NO_CENTS_FROM else 0}f}"
            case "usd_exact":
                return f"US${number / _MICRO:,.4f}"
            case "per_thousand" | "decimal":
                return f"{number:,.1f}"
            case "points":
                return with_sign(round(100 * number, 1), ".1f")
            case "size_in_points":
                return f"{100 * number:g}"
            case "percent":
                return f"{number:.1%}"
            case "difference":
                return with_sign(number, ",.0f")
            case "usd_difference":
                return f"{_SIGNS[(number > 0) - (number < 0)]}{self.number(abs(number), 'usd_micros')}"
            case _:
                return f"{number:,.0f}"

    def short_date(self, day: date) -> str:
        """Write a day without its year, for the edge of a chart."""
        return f"{day.day} {_MONTHS[day.month - 1]}" if self.language == "en" else f"{day.month}/{day.day}"

    def plain_date(self, day: date) -> str:
        """Write a day without its weekday, for a column of days."""
        return f"{self.short_date(day)} {day.year}" if self.language == "en" else f"{day.year}/{day.month}/{day.day}"

    def short_moment(self, moment: datetime) -> str:
        """Write a moment without its weekday and year, for a list of what is to come soon."""
        return f"{self.short_date(self.local_date(moment))} {self.time_of_day(moment)}"

    def time_of_day(self, moment: datetime) -> str:
        """Write the time of a moment."""
        return moment.astimezone(self.zone).strftime("%H:%M")

    def local_date(self, moment: datetime) -> date:
        """Return the local day of a moment."""
        return moment.astimezone(self.zone).date()

    def _sentence(self, value: SentenceShown | Saying | Sayings) -> str:
        match value:
            case Sayings(parts):
                return _PARTED[self.language].join(map(self.write, parts))
            case Saying(code, values):
                rule = code.removeprefix("rule_").replace("_", "-")  # a lender's own rule has no words
                return self.say(f"saying.{code}", **values) if f"saying.{code}" in self._words else rule
            case SentenceShown(key, values) if key in self._words:
                return self.say(key, **values)
            case SentenceShown(key, values):
                group, _, code = key.partition(".")  # a code that is younger than the words
                return self.say(f"{group}.other", code=code, **values)

    def _money(self, amount: int, currency: str) -> str:
        try:
            return format_money(amount, currency, self.language)
        except UnknownCurrencyError:
            return f"{amount} {currency}"

    def _stage(self, days: int | None) -> str:
        match days:
            case None:
                return self.say("stage.none")
            case 0:
                return self.say("stage.on")
            case _:
                return self.say("stage.before" if days < 0 else "stage.after", days=abs(days))

    def _window(self, window: timedelta) -> str:
        if window > _DAY and not window % _DAY:
            return self.say("window.days", count=window // _DAY)
        if window < 2 * _HOUR:
            return self.say("window.minutes", count=window // timedelta(minutes=1))
        return self.say("window.hours", count=window // _HOUR)

    def _date(self, day: date) -> str:
        weekday = _WEEKDAYS[self.language][day.weekday()]
        if self.language == "en":
            return f"{weekday} {day.day} {_MONTHS[day.month - 1]} {day.year}"
        return f"{day.year}/{day.month}/{day.day}（{weekday}）"

    def _moment(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone)
        between = ", " if self.language == "en" else ""
        return f"{self._date(local.date())}{between}{local:%H:%M}"


@cache
def words_in(language: str) -> Mapping[str, str]:
    """Return the words of a language, by `group.key`."""
    tables = tomllib.loads((WORDS / f"{language}.toml").read_text("utf-8"))
    return {f"{group}.{key}": sentence for group, table in tables.items() for key, sentence in table.items()}


def language_for(chosen: str, accepted: str) -> str:
    """Return the language that a person has chosen, or else the first of those a browser asks for that there is."""
    if chosen in LANGUAGES:
        return chosen
    for written in accepted.split(","):
        tag = written.partition(";")[0].strip().lower()
        if tag.startswith("zh"):
            is_simplified = "hans" in tag or tag in {"zh", "zh-cn", "zh-sg", "zh-my"}
            return "zh-Hans" if is_simplified else "zh-Hant"
        if tag.startswith("en"):
            return "en"
    return next(iter(LANGUAGES))
