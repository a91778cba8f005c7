"""Cells: a reader for each kind of cell. An uncertain value is refused, never guessed."""

import re
from datetime import UTC, date, datetime, time
from functools import cache
from typing import NamedTuple
from zoneinfo import available_timezones

from phonenumbers import SUPPORTED_REGIONS

from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.pay_account import is_card_number, is_identity_number, is_pay_account
from dunning.domain.errors import UnknownCurrencyError
from dunning.domain.texts.masking import account_tail
from dunning.domain.texts.money import minor_digits
from dunning.services.intake.plain_text import DAMAGED, words
from dunning.services.intake.refusals import CellError, Refusal

LONGEST_TEXT = 80
FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST_INSTALMENTS = 99_999
FIRST_STAGE, LAST_STAGE = -365, 3650

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_DATE = re.compile(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})")
_AMOUNT = re.compile(r"(-?)([0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.([0-9]*))?")
_DOTTED_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}")
_WHOLE = re.compile(r"([+-]?[0-9]{1,9})(?:\.0)?")
_REGION = re.compile(r"[A-Z0-9]{1,3}")
RULES_DIFFER_BY_REGION = frozenset({"AU", "BR", "ID", "US"})
"""The countries whose regions have time zones or law of their own; a test holds this against the jurisdiction files."""

_EXPONENT = re.compile(r"[0-9](?:\.[0-9]+)?e\+?[0-9]+|#+", re.IGNORECASE)
_FLOAT_END = re.compile(r"(?<=[0-9])\.0$")
_CUT_TO_15_DIGITS = re.compile(r"[1-9][0-9]{14}0+")

_SCRIPT_OF_LANGUAGE = {
    "zh-tw": "zh-Hant",
    "zh-hk": "zh-Hant",
    "zh-mo": "zh-Hant",
    "zh-hant": "zh-Hant",
    "zh-cn": "zh-Hans",
    "zh-sg": "zh-Hans",
    "zh-hans": "zh-Hans",
    "en": "en",
}

OPTED_OUT_WORDS = frozenset(
    {"opted_out", "opt_out", "optout", "stop", "unsubscribed", "unsubscribe", "退訂", "退订", "拒收"}
)


def is_id(text: str) -> bool:
    """Tell whether a text can stand in a log line as an id."""
    return _ID.fullmatch(text) is not None


def read_id(text: str) -> str:
    """Accept an id."""
    if not is_id(text):
        raise CellError(Refusal.MALFORMED_ID)
    return text


def read_name(text: str) -> str:
    """Accept a name of 1 to 80 characters with a letter in it."""
    name = words(text)
    if len(name) > LONGEST_TEXT or DAMAGED in name or not any(map(str.isalpha, name)):
        raise CellError(Refusal.NOT_A_NAME)
    return name


def read_product(text: str) -> str:
    """Accept up to 80 characters."""
    product = words(text)
    if len(product) > LONGEST_TEXT or DAMAGED in product:
        raise CellError(Refusal.NOT_A_PRODUCT)
    return product


def read_country(text: str) -> str:
    """Accept the two letters of ISO 3166."""
    country = text.upper()
    if country not in SUPPORTED_REGIONS:
        raise CellError(Refusal.UNKNOWN_COUNTRY)
    return country


def read_region(text: str, country: str) -> str:
    """
    Accept a code of ISO 3166-2, with or without its country.

    If rules or time zones differ by region, a name is refused, because it would miss them. Else a name is kept.
    """
    region = words(text).upper().removeprefix(f"{country}-")
    if not _REGION.fullmatch(region) and (country in RULES_DIFFER_BY_REGION or len(region) > LONGEST_TEXT):
        raise CellError(Refusal.NOT_A_REGION_CODE)
    return region


def read_language(text: str) -> str:
    """Accept a language whose script is certain: `zh` alone is not."""
    tag = text.replace("_", "-").lower()
    while tag:
        if tag in _SCRIPT_OF_LANGUAGE:
            return _SCRIPT_OF_LANGUAGE[tag]
        tag = tag.rpartition("-")[0]
    raise CellError(Refusal.UNKNOWN_LANGUAGE)


@cache
def _time_zones() -> dict[str, str]:
    """Area and city only: `EST` is not where people live, and `Etc/GMT+8` means the opposite of what it says."""
    return {name.lower(): name for name in available_timezones() if "/" in name and not name.startswith("Etc/")}


def read_time_zone(text: str) -> str:
    """Accept a name of the tz database such as `Asia/Taipei`."""
    try:
        return _time_zones()[text.lower()]
    except KeyError:
        raise CellError(Refusal.UNKNOWN_TIME_ZONE) from None


def read_currency(text: str) -> str:
    """Accept a currency whose decimals we know."""
    currency = text.upper()
    try:
        minor_digits(currency)
    except UnknownCurrencyError:
        raise CellError(Refusal.UNKNOWN_CURRENCY) from None
    return currency


def read_date(text: str) -> date:
    """Accept year, month and day in this order only: the other orders can be mistaken for each other."""
    written = _DATE.fullmatch(text)
    if written is None:
        raise CellError(Refusal.NOT_A_DATE)
    try:
        day = date(int(written[1]), int(written[3]), int(written[4]))
    except ValueError:
        raise CellError(Refusal.NOT_A_DATE) from None
    _check_year(day.year)
    return day


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CellError(Refusal.DATE_OUT_OF_RANGE)


def read_instant(text: str) -> datetime:
    """Accept an instant with its offset, or a date, which counts as its end in UTC, when it is surely over."""
    if _DATE.fullmatch(text):
        return datetime.combine(read_date(text), time(23, 59, 59), UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CellError(Refusal.NOT_AN_INSTANT) from None
    if moment.utcoffset() is None:
        raise CellError(Refusal.NOT_AN_INSTANT)
    _check_year(moment.year)
    return moment.astimezone(UTC)


def read_amount(text: str, digits: int) -> int:
    """Accept a plain decimal, its thousands grouped by commas or not at all, as minor units."""
    written = _AMOUNT.fullmatch(text)
    if written is None:
        raise CellError(Refusal.NOT_AN_AMOUNT)
    sign, whole, decimals = written[1], written[2], written[3] or ""
    if decimals[digits:].strip("0") or _DOTTED_THOUSANDS.fullmatch(text):  # 1.000 is a thousand in half of Europe
        raise CellError(Refusal.TOO_MANY_DECIMALS)
    minor = int(whole.replace(",", "") + decimals[:digits].ljust(digits, "0"))
    return -minor if sign else minor


def read_account_number(text: str) -> str:
    """Accept an account number with at least one letter or digit that may be shown."""
    if _EXPONENT.fullmatch(text):
        raise CellError(Refusal.DAMAGED_BY_SPREADSHEET)
    number = _FLOAT_END.sub("", text)
    if not account_tail(number):
        raise CellError(Refusal.NOT_AN_ACCOUNT_NUMBER)
    return number


def read_pay_account(text: str) -> str:
    """Accept a virtual account or payment code, and nobody's card or identity number: texts show it in full."""
    if _EXPONENT.fullmatch(text) or _FLOAT_END.search(text) or _CUT_TO_15_DIGITS.fullmatch(text):
        raise CellError(Refusal.DAMAGED_BY_SPREADSHEET)
    if not is_pay_account(text):
        raise CellError(Refusal.NOT_A_PAY_ACCOUNT)
    if is_card_number(text) or is_identity_number(text):
        raise CellError(Refusal.PERSONAL_PAY_ACCOUNT)
    return text


def read_whole(text: str, least: int, most: int) -> int:
    """Accept a whole number within bounds, a spreadsheet's `1.0` included."""
    written = _WHOLE.fullmatch(text)
    if written is None:
        raise CellError(Refusal.NOT_A_NUMBER)
    number = int(written[1])
    if not least <= number <= most:
        raise CellError(Refusal.NUMBER_OUT_OF_RANGE)
    return number


class HoldWords(NamedTuple):
    """The contents of a hold cell: holds, an opt-out, and whether a word was not understood."""

    reasons: frozenset[HoldReason] = frozenset()
    opted_out: bool = False
    not_understood: bool = False


def read_hold(text: str) -> HoldWords:
    """Accept any words. An unknown word is honoured as `OTHER`, because silence is the safe side."""
    reasons: set[HoldReason] = set()
    opted_out = not_understood = False
    for part in re.split(r"[;,/|、\n]", text):
        word = re.sub(r"[\s_-]+", "_", part.casefold().strip(" \t\r_-"))
        if not word:
            continue
        if word in OPTED_OUT_WORDS:
            opted_out = True
        elif word in HoldReason:
            reasons.add(HoldReason(word))
        else:
            reasons.add(HoldReason.OTHER)
            not_understood = True
    if not reasons and not opted_out:  # only separators: somebody meant something
        return HoldWords(frozenset({HoldReason.OTHER}), not_understood=True)
    return HoldWords(frozenset(reasons), opted_out, not_understood)
