"""
The account or code to which a customer pays: a virtual account, a payment code.

It stands in texts in full, because the customer pays with it. So it has to look like one, and must be nobody's card.
"""

import re

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
