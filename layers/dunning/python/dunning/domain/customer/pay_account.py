"""
The account or code to which a customer pays: a virtual account, a payment code.

It stands in texts in full, because the customer pays with it. So it has to look like one, and must be nobody's card or
identity number.
"""

import re
from datetime import date

LONGEST = 34
"""Characters; as many as the longest IBAN has."""

_SHAPE = re.compile(r"[A-Z0-9]+(?:[ -][A-Z0-9]+)*", re.IGNORECASE)
_FEWEST = 6
_WITH_BANK_CODE = re.compile(r"[0-9]{3}[ -](?![0-9]{3}[ -])[0-9 -]{6,}")
"""A bank's code of three digits in front, as people write accounts in Taiwan: no card is written so."""

_CARD_BRANDS = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"  # Mastercard
    r"|3[47][0-9]{13}|35[0-9]{14}|3[0689][0-9]{12}"  # American Express, JCB, Diners
    r"|6(?:011|5[0-9]{2}|4[4-9][0-9])[0-9]{12}|62[0-9]{14,17}"  # Discover, UnionPay
)
_TAIWAN = re.compile(r"[A-Z][1289A-D][0-9]{8}")
_MAINLAND = re.compile(r"[0-9]{17}[0-9X]")
_HONG_KONG = re.compile(r"[A-Z]{1,2}[0-9]{6}[0-9A]")
_SINGAPORE = re.compile(r"[STFGM][0-9]{7}[A-Z]")
_KOREA_OR_MALAYSIA = re.compile(r"[0-9]{6}-(?:[1-8][0-9]{6}|[0-9]{2}-[0-9]{4})")

_MAINLAND_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_TAIWAN_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_FIRST_OF_TAIWAN = 10


def is_pay_account(written: str) -> bool:
    """Tell whether a cell looks like an account or code: Latin letters and digits, at least half of them digits."""
    characters = [character for character in written if character not in " -"]
    digits = sum(map(str.isdigit, characters))
    return (
        len(written) <= LONGEST
        and _SHAPE.fullmatch(written) is not None
        and len(characters) >= _FEWEST
        and 2 * digits >= len(characters)
    )


def is_card_number(written: str) -> bool:
    """Tell whether this is the number of a payment card: of a brand's length and digits, with a right check digit."""
    if _WITH_BANK_CODE.fullmatch(written):
        return False
    number = re.sub(r"[ -]", "", written)
    return _CARD_BRANDS.fullmatch(number) is not None and _luhn(number)


def _luhn(number: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def is_identity_number(written: str) -> bool:
    """Tell whether this is the identity number of a person in one of six places in Asia."""
    if _KOREA_OR_MALAYSIA.fullmatch(written):
        return _begins_with_a_day(f"20{written}") or _begins_with_a_day(f"19{written}")
    number = re.sub(r"[ -]", "", written).upper()
    return (
        (_TAIWAN.fullmatch(number) is not None and _is_of_taiwan(number))
        or (_MAINLAND.fullmatch(number) is not None and _is_of_the_mainland(number))
        or _HONG_KONG.fullmatch(number) is not None
        or _SINGAPORE.fullmatch(number) is not None
    )


def _is_of_taiwan(number: str) -> bool:
    """Check the check digit of an identity or residence number."""
    first = _FIRST_OF_TAIWAN + _TAIWAN_LETTERS.index(number[0])
    second = int(number[1]) if number[1].isdigit() else (_FIRST_OF_TAIWAN + _TAIWAN_LETTERS.index(number[1])) % 10
    weighed = (first // 10, 9 * (first % 10), 8 * second)
    return (sum(weighed) + sum((7 - n) * int(d) for n, d in enumerate(number[2:9])) + int(number[9])) % 10 == 0


def _is_of_the_mainland(number: str) -> bool:
    total = sum(weight * int(digit) for weight, digit in zip(_MAINLAND_WEIGHTS, number, strict=False))
    return "10X98765432"[total % 11] == number[17] and _begins_with_a_day(number[6:])


def _begins_with_a_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True
