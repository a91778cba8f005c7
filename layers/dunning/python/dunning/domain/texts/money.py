"""
Money and dates as customers read them, in characters every carrier and the GSM alphabet accept.

Locale libraries put no-break spaces, full-width yen signs and ambiguous dollars into texts; each of those turns
an SMS into UCS-2, is refused by a carrier (Tencent and Huawei take no ¥), or misleads.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from dunning.domain.errors import UnknownCurrencyError

MINOR_DIGITS: Mapping[str, int] = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(
        (
            *("AED", "ARS", "AUD", "BDT", "BGN", "BND", "BRL", "CAD", "CHF", "CNY", "COP", "CRC", "CZK", "DKK", "DOP"),
            *("EGP", "EUR", "GBP", "GEL", "GHS", "GTQ", "HKD", "HUF", "IDR", "ILS", "INR", "KES", "KHR", "KZT", "LAK"),
            *("LKR", "MAD", "MMK", "MNT", "MOP", "MUR", "MXN", "MYR", "NGN", "NOK", "NPR", "NZD", "PAB", "PEN", "PHP"),
            *("PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "TZS", "UAH", "USD"),
            *("UYU", "UZS", "ZAR", "ZMW"),
        ),
        2,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Decimals of a currency's minor unit (ISO 4217)."""

_WHOLE_IN_DAILY_LIFE = frozenset({"COP", "HUF", "IDR", "KHR", "LAK", "MMK", "TWD"})
"""Currencies whose cents exist on paper only: shown when there are any, left out when there are none."""

_ZH_HANT = {
    "TWD": "NT${}", "HKD": "HK${}", "MOP": "MOP${}", "USD": "US${}", "SGD": "S${}",
    "CNY": "人民幣{}元", "JPY": "{}日圓", "EUR": "{}歐元", "GBP": "{}英鎊",
}  # fmt: skip
_ZH_HANS = {
    "CNY": "{}元", "TWD": "新台币{}元", "HKD": "港币{}元", "MOP": "澳门币{}元", "USD": "{}美元", "SGD": "{}新元",
    "JPY": "{}日元", "EUR": "{}欧元", "GBP": "{}英镑",
}  # fmt: skip

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_MONTH_FIRST = frozenset({"US", "PH"})

_YEAR_SHOWN_AFTER_DAYS = 300

_TEXTS_CACHED = 16384
"""Instalments of one product share their amounts, and all customers share the dates. A full cache takes a few MB."""


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


@lru_cache(maxsize=_TEXTS_CACHED)
def format_money(amount: int, currency: str, language: str) -> str:
    """
    Write an amount of minor units, for example `NT$3,250`, `325元`, `325.50元` or `USD 325.00`.

    Decimals are left out only where they are zero: in Chinese, where people write none then, and for currencies
    without cents in daily life. India groups digits by two after the thousands: `INR 1,25,000.00`.

    Raises:
        UnknownCurrencyError: the currency is not in the table.
    """
    digits = minor_digits(currency)
    chinese = language[:2] == "zh"
    whole, cents = divmod(abs(amount), 10**digits)
    number = _grouped_as_in_india(whole) if currency == "INR" and not chinese else f"{whole:,}"
    if amount < 0:
        number = f"-{number}"
    if digits and (cents or not (chinese or currency in _WHOLE_IN_DAILY_LIFE)):
        number = f"{number}.{cents:0{digits}d}"
    pattern = (_ZH_HANT if language == "zh-Hant" else _ZH_HANS).get(currency) if chinese else None
    return pattern.format(number) if pattern else f"{currency} {number}"


def _grouped_as_in_india(whole: int) -> str:
    rest, thousands = divmod(whole, 1000)
    if not rest:
        return str(thousands)
    pairs = f"{rest}"
    pairs = "0" * (len(pairs) % 2) + pairs
    grouped = ",".join(pairs[at : at + 2] for at in range(0, len(pairs), 2))
    return f"{grouped.removeprefix('0')},{thousands:03}"


@lru_cache(maxsize=_TEXTS_CACHED)
def format_date(day: date, today: date, language: str, country: str) -> str:
    """
    Write a date, for example `12/5`, `12月5日`, `5 Dec` or, in the United States and the Philippines, `Dec 5`.

    Figures alone stand in Taiwan only, where the month always comes first; in Hong Kong and Macau 12/5 is a day in May
    to many. The year is named when the date is more than 300 days away, where it could be mistaken.
    """
    with_year = abs((day - today).days) > _YEAR_SHOWN_AFTER_DAYS
    if language == "zh-Hant" and country == "TW":
        return f"{day.year}/{day.month}/{day.day}" if with_year else f"{day.month}/{day.day}"
    if language[:2] == "zh":
        short = f"{day.month}月{day.day}日"
        return f"{day.year}年{short}" if with_year else short
    month = _MONTHS[day.month - 1]
    if country in _MONTH_FIRST:
        return f"{month} {day.day}, {day.year}" if with_year else f"{month} {day.day}"
    return f"{day.day} {month} {day.year}" if with_year else f"{day.day} {month}"
