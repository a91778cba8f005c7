"""Cells: a reader for each kind of cell. An uncertain value is refused, never guessed."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time
from functools import cache
from typing import NamedTuple
from zoneinfo import available_timezones

from phonenumbers import SUPPORTED_REGIONS

from dunning.domain.customer.addresses import is_line_user_id, is_mail_address
from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.pay_account import is_card_number, is_pay_account
from dunning.domain.errors import UnknownCurrencyError
from dunning.domain.texts.masking import account_tail
from dunning.domain.texts.money import minor_digits
from dunning.services.intake.personal_ids import is_national_id
from dunning.services.intake.plain_text import DAMAGED, words
from dunning.services.intake.refusals import CellError, Refusal

LONGEST_TEXT = 80
FIRST_YEAR, LAST_YEAR = 2000, 2100
MOST_INSTALMENTS = 99_999
FIRST_STAGE, LAST_STAGE = -365, 3650

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_DATE = re.compile(r"(?P<year>[0-9]{4})(?P<sign>[-/.])(?P<month>[0-9]{1,2})(?P=sign)(?P<day>[0-9]{1,2})")
_WORDED_DATE = re.compile(r"(?P<year>[0-9]{4}) ?年 ?(?P<month>[0-9]{1,2}) ?月 ?(?P<day>[0-9]{1,2}) ?[日號号]")
_JOINED_DATE = re.compile(r"(?P<year>20[0-9]{2})(?P<month>[01][0-9])(?P<day>[0-3][0-9])")
"""20261205. With a year of this century it cannot be mistaken: there is no month 20."""
_AT_MIDNIGHT = re.compile(
    r"(.{8,20}?)(?:T| +)(?:(?:0?0|上午 ?(?:12|0?0)):00(?::00(?:\.0+)?)?|12:00(?::00)? ?AM)", re.IGNORECASE
)
_ROC_DATE = re.compile(
    r"(?P<era>(?:中華)?民國|民国)? ?(?P<year>[0-9]{3}) ?(?P<sign>[-/.年]) ?(?P<month>[0-9]{1,2}) ?(?P<next>[-/.月]) ?"
    r"(?P<day>[0-9]{1,2}) ?[日號]?"
)
LONGEST_DATE = len("2026-12-05")
_ROC_YEAR_ZERO = 1911
_END_OF_DAY = time(23, 59, 59)
_AMOUNT = re.compile(r"(-?)([0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.([0-9]*))?")
_DECIMAL_COMMA = re.compile(r"-?(?:[0-9]{1,15}|[0-9]{1,3}(?:\.[0-9]{3}){1,4}),[0-9]{1,2}")
_DOTTED_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2}\.[0-9]{3}")
_WHOLE = re.compile(r"([+-]?[0-9]{1,9})(?:\.0)?")
_REGION = re.compile(r"[A-Z0-9]{1,3}")
RULES_DIFFER_BY_REGION = frozenset({"AU", "BR", "ID", "US"})
"""The countries whose regions have time zones or law of their own; a test holds this against the jurisdiction files."""

_WORDED_NUMBER = re.compile(r"第? ?([0-9]{1,5}) ?期")
EXACT_DIGITS = 15
"""A spreadsheet keeps so many digits of a number."""

_FLOAT_ID = re.compile(r"[0-9]+\.0+")
_EXPONENT = re.compile(r"[0-9](?:\.[0-9]+)?e\+?[0-9]+|#+", re.IGNORECASE)
_FLOAT_END = re.compile(r"(?<=[0-9])\.0$")

_SCRIPT_OF_LANGUAGE = {
    "zh-tw": "zh-Hant",
    "zh-hk": "zh-Hant",
    "zh-mo": "zh-Hant",
    "zh-hant": "zh-Hant",
    "zh-cn": "zh-Hans",
    "zh-sg": "zh-Hans",
    "zh-hans": "zh-Hans",
    "en": "en",
    "繁體中文": "zh-Hant",
    "繁体中文": "zh-Hant",
    "正體中文": "zh-Hant",
    "繁中": "zh-Hant",
    "中文(繁體)": "zh-Hant",
    "traditional chinese": "zh-Hant",
    "chinese (traditional)": "zh-Hant",
    "簡體中文": "zh-Hans",
    "简体中文": "zh-Hans",
    "簡中": "zh-Hans",
    "简中": "zh-Hans",
    "中文(简体)": "zh-Hans",
    "simplified chinese": "zh-Hans",
    "chinese (simplified)": "zh-Hans",
    "english": "en",
    "英文": "en",
    "英語": "en",
    "英语": "en",
}
LONGEST_LANGUAGE_TAG = 40

_COUNTRY_NAMES = {
    **dict.fromkeys(("台灣", "臺灣", "台湾", "taiwan", "twn", "中華民國"), "TW"),
    **dict.fromkeys(("香港", "hong kong", "hongkong", "hkg"), "HK"),
    **dict.fromkeys(("澳門", "澳门", "macau", "macao", "mac"), "MO"),
    **dict.fromkeys(("中國", "中国", "中國大陸", "中国大陆", "china", "chn"), "CN"),
    **dict.fromkeys(("美國", "美国", "usa", "united states", "united states of america"), "US"),
    **dict.fromkeys(("英國", "英国", "uk", "united kingdom", "great britain", "gbr"), "GB"),
    **dict.fromkeys(("新加坡", "singapore", "sgp"), "SG"),
    **dict.fromkeys(("馬來西亞", "马来西亚", "malaysia", "mys"), "MY"),
    **dict.fromkeys(("日本", "japan", "jpn"), "JP"),
    **dict.fromkeys(("韓國", "韩国", "南韓", "south korea", "kor"), "KR"),
}
_CURRENCY_NAMES = {
    **dict.fromkeys(("ntd", "nt$", "nt", "新台幣", "新臺幣", "台幣", "臺幣"), "TWD"),
    **dict.fromkeys(("rmb", "人民幣", "人民币"), "CNY"),
    **dict.fromkeys(("hk$", "港幣", "港币", "港元"), "HKD"),
    **dict.fromkeys(("us$", "美元", "美金"), "USD"),
}
_SIGNS_OF_AMOUNTS = {
    "TWD": ("NT$", "NTD", "TWD", "NT", "$", "新台幣", "新臺幣", "元", "圓"),
    "CNY": ("RMB", "CNY", "CN¥", "¥", "人民币", "人民幣", "元"),
    "HKD": ("HK$", "HKD", "$", "港幣", "元"),
    "USD": ("US$", "USD", "$"),
    "SGD": ("S$", "SGD", "$"),
    "MYR": ("RM", "MYR"),
    "JPY": ("JP¥", "JPY", "¥", "円"),
    "GBP": ("GBP", "£"),
    "EUR": ("EUR", "€"),
}
"""The signs that may stand beside an amount in a currency."""

_NO_HOLD = frozenset(
    {"n", "no", "0", "false", "f", "none", "nil", "n/a", "-", "--", "無", "无", "否", "沒有", "没有", "不"}
)
_HOLD_WORDS = {
    **dict.fromkeys(("y", "yes", "1", "true", "t", "是", "有"), HoldReason.OTHER),
    **dict.fromkeys(("爭議", "争议", "disputed"), HoldReason.DISPUTE),
    **dict.fromkeys(("困難", "困难"), HoldReason.HARDSHIP),
    **dict.fromkeys(("已故", "死亡", "往生", "過世", "过世", "身故", "death", "dead"), HoldReason.DECEASED),
    **dict.fromkeys(("破產", "破产", "bankruptcy"), HoldReason.BANKRUPT),
    **dict.fromkeys(("訴訟", "诉讼"), HoldReason.LEGAL),
}
"""Words for yes, which give no reason, and the reasons people write in other words."""

OPTED_OUT_WORDS = frozenset(
    {"opted_out", "opt_out", "optout", "stop", "unsubscribed", "unsubscribe", "退訂", "退订", "拒收"}
)


def is_id(text: str) -> bool:
    """Tell whether a text can stand in a log line as an id."""
    return _ID.fullmatch(text) is not None


def read_id(text: str) -> str:
    """Accept an id that no spreadsheet has turned into a number."""
    if not is_id(text):
        if "@" in text:
            raise CellError(Refusal.PERSONAL_DATA_IN_ID)
        raise CellError(Refusal.DAMAGED_BY_SPREADSHEET if _EXPONENT.fullmatch(text) else Refusal.MALFORMED_ID)
    if _FLOAT_ID.fullmatch(text):
        raise CellError(Refusal.DAMAGED_BY_SPREADSHEET)
    return text


def read_email(text: str) -> str:
    """Accept an e-mail address as people and spreadsheets write it, in small letters; a word for none is none."""
    address = text.casefold().removeprefix("mailto:").strip()
    if address in _NO_ADDRESS:
        return ""
    if not is_mail_address(address):
        raise CellError(Refusal.NOT_AN_EMAIL_ADDRESS)
    return address


def read_line_user_id(text: str) -> str:
    """Accept the id by which an account on LINE knows a user; a word for none is none."""
    if text.casefold() in _NO_ADDRESS:
        return ""
    user_id = f"{text[0]}{text[1:].lower()}"
    if not is_line_user_id(user_id):
        raise CellError(Refusal.NOT_A_LINE_USER_ID)
    return user_id


_NO_ADDRESS = frozenset({"-", "--", "n/a", "na", "none", "no", "無", "无", "沒有", "没有", "未提供"})
"""How people write that a customer has no address."""


def read_product(text: str) -> str:
    """Accept up to 80 characters."""
    product = words(text)
    if len(product) > LONGEST_TEXT or DAMAGED in product:
        raise CellError(Refusal.NOT_A_PRODUCT)
    return product


def read_country(text: str) -> str:
    """Accept the two letters of ISO 3166, and the names people write in Chinese and English."""
    country = _COUNTRY_NAMES.get(text.casefold()) or text.upper()
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
    if len(tag) > LONGEST_LANGUAGE_TAG:
        raise CellError(Refusal.UNKNOWN_LANGUAGE)
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
    currency = _CURRENCY_NAMES.get(text.casefold()) or text.upper()
    try:
        minor_digits(currency)
    except UnknownCurrencyError:
        raise CellError(Refusal.UNKNOWN_CURRENCY) from None
    return currency


def read_date(text: str, *, roc_years: bool = False) -> date:
    """
    Accept year, month and day in this order only: the other orders can be mistaken for each other.

    A time of midnight is no more than the day. Other times are refused: in another time zone the day may be another.
    `roc_years` says that a year of three digits counts from 1912, as in Taiwan.
    """
    written = _DATE.fullmatch(text) or _WORDED_DATE.fullmatch(text) or _JOINED_DATE.fullmatch(text)
    if written is None and (with_time := _AT_MIDNIGHT.fullmatch(text)):
        text = with_time[1]
        written = _DATE.fullmatch(text) or _WORDED_DATE.fullmatch(text)
    first_year = 0
    if written is None and (written := _ROC_DATE.fullmatch(text)) and (roc_years or written["era"]):
        first_year = _ROC_YEAR_ZERO
    if written is None or (first_year == 0 and "era" in written.re.groupindex):
        raise CellError(Refusal.NOT_A_DATE)
    try:
        day = date(first_year + int(written["year"]), int(written["month"]), int(written["day"]))
    except ValueError:
        raise CellError(Refusal.NOT_A_DATE) from None
    _check_year(day.year)
    return day


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CellError(Refusal.DATE_OUT_OF_RANGE)


def read_instant(text: str, *, roc_years: bool = False) -> datetime:
    """Accept an instant with its offset, or a date, which counts as its end in UTC, when it is surely over."""
    moment = None
    if len(text) > LONGEST_DATE:
        with suppress(ValueError):
            moment = datetime.fromisoformat(text)
    if moment is None or moment.utcoffset() is None:
        try:
            return datetime.combine(read_date(text, roc_years=roc_years), _END_OF_DAY, UTC)
        except CellError as error:
            reason = error.reason if error.reason is Refusal.DATE_OUT_OF_RANGE else Refusal.NOT_AN_INSTANT
            raise CellError(reason) from None
    _check_year(moment.year)
    return moment.astimezone(UTC)


def read_amount(text: str, digits: int, currency: str = "", *, decimal_comma: bool = False) -> int:
    """
    Accept a plain decimal, its thousands grouped by commas or not at all, as minor units.

    Args:
        text: the amount. A sign of `currency` may stand beside it.
        digits: the decimals of the currency.
        currency: the currency of the row.
        decimal_comma: whether the file is from a place that writes 3250,00.
    """
    written = _AMOUNT.fullmatch(text)
    if written is None and currency:
        text = _without_sign(text, currency)
        written = _AMOUNT.fullmatch(text)
    if written is None and decimal_comma and _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
        written = _AMOUNT.fullmatch(text)
    if written is None:
        raise CellError(Refusal.NOT_AN_AMOUNT)
    sign, whole, decimals = written[1], written[2], written[3] or ""
    if decimals[digits:].strip("0") or _DOTTED_THOUSANDS.fullmatch(text):  # 1.000 is a thousand in half of Europe
        raise CellError(Refusal.TOO_MANY_DECIMALS)
    minor = int(whole.replace(",", "") + decimals[:digits].ljust(digits, "0"))
    return -minor if sign else minor


def _without_sign(text: str, currency: str) -> str:
    """Take a sign of the currency from before or behind an amount."""
    minus, rest = ("-", text[1:].lstrip()) if text.startswith("-") else ("", text)
    for sign in _SIGNS_OF_AMOUNTS.get(currency, (currency,)):
        if rest.upper().startswith(sign):
            return minus + rest[len(sign) :].lstrip()
        if rest.upper().endswith(sign):
            return minus + rest[: -len(sign)].rstrip()
    return text


def _is_cut(number: str, long_numbers_are_exact: bool) -> bool:  # noqa: FBT001 - what the file tells of all of them
    """Tell whether a number may have zeros where it had other digits."""
    if len(number) <= EXACT_DIGITS or not number.isdigit() or number[EXACT_DIGITS:].strip("0"):
        return False
    is_one_zero = len(number) == EXACT_DIGITS + 1
    return not (is_one_zero and long_numbers_are_exact)


def read_account_number(text: str, *, long_numbers_are_exact: bool = False) -> str:
    """
    Accept an account number with at least one letter or digit that may be shown.

    A spreadsheet writes zeros for the digits after the fifteenth. One zero may be right, if other long numbers of the
    file end otherwise (`long_numbers_are_exact`).
    """
    if _EXPONENT.fullmatch(text):
        raise CellError(Refusal.DAMAGED_BY_SPREADSHEET)
    number = _FLOAT_END.sub("", text)
    if _is_cut(number, long_numbers_are_exact):
        raise CellError(Refusal.DAMAGED_BY_SPREADSHEET)
    if not account_tail(number):
        raise CellError(Refusal.NOT_AN_ACCOUNT_NUMBER)
    return number


def read_pay_account(text: str, *, long_numbers_are_exact: bool = False) -> str:
    """
    Accept a virtual account or payment code, and nobody's card or identity number: texts show it in full.

    `long_numbers_are_exact` as for account numbers.
    """
    if _EXPONENT.fullmatch(text) or _FLOAT_END.search(text) or _is_cut(text, long_numbers_are_exact):
        raise CellError(Refusal.DAMAGED_BY_SPREADSHEET)
    if not is_pay_account(text):
        raise CellError(Refusal.NOT_A_PAY_ACCOUNT)
    if is_card_number(text) or is_national_id(text):
        raise CellError(Refusal.PERSONAL_PAY_ACCOUNT)
    return text


def read_instalment_no(text: str) -> int:
    """Accept the number of an instalment, as `1` or `第1期`."""
    worded = _WORDED_NUMBER.fullmatch(text) if text.endswith("期") else None
    return read_whole(worded[1] if worded else text, 1, MOST_INSTALMENTS)


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
    """
    Accept any words. An unknown word is honoured as `OTHER`, because silence is the safe side.

    A word for no is no hold. A word for yes is a hold without a reason.
    """
    if text.casefold() in _NO_HOLD:
        return HoldWords()
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
            reasons.add(_HOLD_WORDS.get(word, HoldReason.OTHER))
            not_understood = not_understood or word not in _HOLD_WORDS
    if not reasons and not opted_out:  # only separators: somebody meant something
        return HoldWords(frozenset({HoldReason.OTHER}), not_understood=True)
    return HoldWords(frozenset(reasons), opted_out, not_understood)
