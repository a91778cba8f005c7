"""
Personal ids: national ids, phone numbers and e-mail addresses that stand where a lender's own id should.

Ids appear in logs and in reject files, so none of these may be loaded or shown. A serial number may look like a
national id by chance: one in ten has a right check digit. So the ids of a file are looked at together.
"""

import re
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

_LETTERS_TW = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_WEIGHTS_TW = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
_WEIGHTS_CN = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CN = "10X98765432"
_PROVINCES_CN = frozenset(
    {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83}
)
_WEIGHTS_SG = (2, 7, 6, 5, 4, 3, 2)
_CHECKS_SG = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}
_OFFSETS_SG = {"T": 4, "G": 4, "M": 3}
_PLACES_MY = frozenset({*range(1, 17), *range(21, 60), 60, 61, 62, 63, 64, 65, 66, 67, 68, 71, 72, 74, *range(75, 80),
                        *range(82, 94), 98, 99})  # fmt: skip
_MOST_MONTHS, _MOST_DAYS = 12, 31


def _is_taiwanese(text: str) -> bool:
    """National id, and resident certificate of either form (checked by the rule of both)."""
    first = _LETTERS_TW.index(text[0]) + 10
    second = int(text[1]) if text[1].isdigit() else (_LETTERS_TW.index(text[1]) + 10) % 10
    digits = (first // 10, first % 10, second, *map(int, text[2:]))
    return sum(digit * weight for digit, weight in zip(digits, _WEIGHTS_TW, strict=True)) % 10 == 0


def _is_mainland(text: str) -> bool:
    if int(text[:2]) not in _PROVINCES_CN:
        return False
    if len(text) == len(_WEIGHTS_CN) + 1:
        total = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS_CN, strict=False))
        return _is_day(text[10:14]) and _CHECK_CN[total % 11] == text[-1]
    return _is_day(text[8:12])


def _is_hong_kong(text: str) -> bool:
    letters, digits, check = text[:-7], text[-7:-1], text[-1]
    values = [36, *(ord(letter) - 55 for letter in letters)][-2:] + [int(digit) for digit in digits]
    total = sum(value * weight for value, weight in zip(values, range(9, 1, -1), strict=True))
    return (total + (10 if check == "A" else int(check))) % 11 == 0


def _is_korean(text: str) -> bool:
    """Tell by the day of birth: since October 2020 there is no check digit."""
    return _is_day(text[2:6]) and text[6] in "12345678"


def _is_singaporean(text: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(text[1:8], _WEIGHTS_SG, strict=True))
    place = (total + _OFFSETS_SG.get(text[0], 0)) % 11
    if text[0] == "M":
        place = 10 - place
    return _CHECKS_SG[text[0]][place] == text[8]


def _is_malaysian(text: str) -> bool:
    return _is_day(text[2:6]) and int(text[6:8]) in _PLACES_MY


def _is_day(month_and_day: str) -> bool:
    return 1 <= int(month_and_day[:2]) <= _MOST_MONTHS and 1 <= int(month_and_day[2:]) <= _MOST_DAYS


_KINDS: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "TW": (re.compile(r"[A-Z][A-D1289][0-9]{8}"), _is_taiwanese),
    "CN": (re.compile(r"[0-9]{17}[0-9X]|[0-9]{15}"), _is_mainland),
    "HK": (re.compile(r"[A-Z]{1,2}[0-9]{6}[0-9A]"), _is_hong_kong),
    "KR": (re.compile(r"[0-9]{13}"), _is_korean),
    "SG": (re.compile(r"[STFGM][0-9]{7}[A-Z]"), _is_singaporean),
    "MY": (re.compile(r"[0-9]{12}"), _is_malaysian),
}

_WITHOUT_CHECK_DIGIT = {
    "KR": re.compile(r"(?<![0-9])[0-9]{6}-[0-9]{7}(?![0-9])"),
    "MY": re.compile(r"(?<![0-9])[0-9]{6}-[0-9]{2}-[0-9]{4}(?![0-9])"),
}

_ANY_FORM = re.compile("|".join(f"(?P<{country}>{form.pattern})" for country, (form, _) in _KINDS.items()))

type Serials = frozenset[str]
"""Countries whose national ids the ids of a file look like by chance only."""

_CHANCE = 3
"""At least one in so many ids of a form has to be right before the others are taken for national ids."""

_PARTS = re.compile(r"[._:-]")
_SHORTEST, _BARE = 8, 11
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def serial_forms(ids: Iterable[str]) -> Serials:
    """Return the countries whose national ids these ids are not: too few of that form have the right check digit."""
    formed = dict.fromkeys(_KINDS, 0)
    right = dict.fromkeys(_KINDS, 0)
    for text in ids:
        for found in filter(None, map(_ANY_FORM.fullmatch, _parts_of_id(text))):
            if country := found.lastgroup:
                formed[country] += 1
                right[country] += _KINDS[country][1](found[0])
    return frozenset(country for country in _KINDS if right[country] * _CHANCE < formed[country])


def is_national_id(text: str) -> bool:
    """Tell whether a text as a whole is a person's national id, by its form and check digit, or its day of birth."""
    for country, form in _WITHOUT_CHECK_DIGIT.items():
        if form.fullmatch(text) and _KINDS[country][1](text.replace("-", "")):
            return True
    bare = re.sub("[ -]", "", text).upper()
    return any(
        form.fullmatch(bare) and is_right(bare)
        for country, (form, is_right) in _KINDS.items()
        # Fifteen digits have no check digit, and are more often an account.
        if country not in _WITHOUT_CHECK_DIGIT and not (bare.isdigit() and len(bare) <= len(_WEIGHTS_CN))
    )


@lru_cache(maxsize=4096)
def is_personal_id(text: str, country: str, serials: Serials = frozenset()) -> bool:
    """
    Tell whether an id is, or holds, a national id, a mobile number or an e-mail address.

    Args:
        text: the id.
        country: where its customer lives, which tells how phone numbers are written; empty if not known.
        serials: what `serial_forms` says of the file.
    """
    if "@" in text:
        return True
    if sum(map(str.isdigit, text)) < _SHORTEST - 1:
        return False
    for part in _parts_of_id(text):
        formed = _ANY_FORM.fullmatch(part)
        kind = formed and formed.lastgroup
        if kind and kind not in serials and _KINDS[kind][1](part) and _is_plain(kind, text, country):
            return True
    return _is_mobile(text, country)


def _is_plain(kind: str, text: str, country: str) -> bool:
    """Tell whether an id without a check digit is one: it is of the customer's country, or written with its hyphens."""
    usual = _WITHOUT_CHECK_DIGIT.get(kind)
    return usual is None or country in {"", kind} or usual.search(text) is not None


def is_like_a_number(text: str) -> bool:
    """Tell whether an id consists of so many digits that it may be a phone number: it is not shown."""
    digits = _PARTS.sub("", text).lstrip("+")
    return digits.isdigit() and len(digits) >= _SHORTEST - 1


def _parts_of_id(text: str) -> Collection[str]:
    upper = text.upper()
    if text.isalnum():
        return (upper,)
    return {*_PARTS.split(upper), _PARTS.sub("", upper)}


def _is_mobile(text: str, country: str) -> bool:
    """Tell whether an id is a mobile number, as people write it: a bare short number without a zero may be a serial."""
    if text[0].isalpha():
        return False
    digits = _PARTS.sub("", text).lstrip("+")
    if not digits.isdigit() or len(digits) < _SHORTEST:
        return False
    is_written_as_one = digits != text or digits[0] == "0" or len(digits) >= _BARE
    return is_written_as_one and (_is_mobile_of(digits, country) or _is_mobile_of(f"+{digits}", country))


def _is_mobile_of(written: str, country: str) -> bool:
    try:
        number = phonenumbers.parse(written, country or None)
    except NumberParseException:
        return False
    of_country = not country or phonenumbers.region_code_for_number(number) == country
    return of_country and phonenumbers.number_type(number) in _MOBILE
