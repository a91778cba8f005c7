"""
Money and dates as customers read them, in characters every carrier and the GSM alphabet accept.

Locale libraries put no-break spaces, full-width yen signs and ambiguous dollars into texts; each of those turns
an SMS into UCS-2, is refused by a carrier, or misleads (rules.md section 5).
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from dunning.domain.errors import UnknownCurrencyError

MINOR_DIGITS: Mapping[str, int] = {
    "AUD": 2, "BRL": 2, "CAD": 2, "CNY": 2, "CZK": 2, "EUR": 2, "GBP": 2, "HKD": 2, "IDR": 2, "INR": 2,
    "JPY": 0, "KRW": 0, "MOP": 2, "MYR": 2, "NZD": 2, "PHP": 2, "SGD": 2, "THB": 2, "TWD": 2, "USD": 2, "VND": 0,
}  # fmt: skip
"""Decimals of a currency's minor unit (ISO 4217)."""

_WHOLE_IN_DAILY_LIFE = frozenset({"IDR", "TWD"})
"""Currencies whose cents exist on paper only: shown when there are any, left out when there are none."""

_ZH_HANT = {"TWD": "NT${}", "HKD": "HK${}", "USD": "US${}", "CNY": "人民幣{}元"}
_ZH_HANS = {"TWD": "新台币{}元", "HKD": "港币{}元", "USD": "{}美元", "CNY": "{}元"}

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_YEAR_SHOWN_AFTER_DAYS = 300


def minor_digits(currency: str) -> int:
    """
    Return the decimals of a currency.

    Raises:
        UnknownCurrencyError: the currency is not in the table.
    """
    try:
        return MINOR_DIGITS[currency]
    except KeyError:
        raise UnknownCurrencyError(f"currency {currency!r} is not in the table of minor units") from None


@lru_cache(maxsize=16384)
def format_money(amount: int, currency: str, language: str) -> str:
    """Write an amount of minor units, for example `NT$3,250`, `3,250.00元` or `USD 325.00`."""
    digits = minor_digits(currency)
    whole, cents = divmod(amount, 10**digits)
    number = f"{whole:,}"
    if digits and (cents or currency not in _WHOLE_IN_DAILY_LIFE):
        number = f"{number}.{cents:0{digits}d}"
    if language == "zh-Hant" and (pattern := _ZH_HANT.get(currency)):
        return pattern.format(number)
    if language == "zh-Hans" and (pattern := _ZH_HANS.get(currency)):
        return pattern.format(number)
    return f"{currency} {number}"


@lru_cache(maxsize=16384)
def format_date(day: date, today: date, language: str, country: str) -> str:
    """Write a date, for example `12/5`, `12月5日`, `5 Dec` or, in the United States, `Dec 5`.

    The year is named when the date is more than 300 days away, where it could be mistaken.
    """
    with_year = abs((day - today).days) > _YEAR_SHOWN_AFTER_DAYS
    if language == "zh-Hant":
        return f"{day.year}/{day.month}/{day.day}" if with_year else f"{day.month}/{day.day}"
    if language == "zh-Hans":
        short = f"{day.month}月{day.day}日"
        return f"{day.year}年{short}" if with_year else short
    month = _MONTHS[day.month - 1]
    if country == "US":
        return f"{month} {day.day}, {day.year}" if with_year else f"{month} {day.day}"
    return f"{day.day} {month} {day.year}" if with_year else f"{day.day} {month}"
