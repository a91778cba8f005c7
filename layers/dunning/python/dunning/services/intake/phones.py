"""
Phones: a number in any common spelling becomes E.164 and must be able to receive SMS. Never guessed.

`phonenumbers` reads leniently: it cuts text after a slash, takes letters for digits and drops what it does not
know. So a spelling has to be one we know before it is asked.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
)

from dunning.services.intake.plain_text import plain
from dunning.services.intake.refusals import CellError, Refusal


class PhoneError(CellError):
    """A cell does not hold one number that can be texted."""


class Phone(NamedTuple):
    """A number that can be texted. `country` is the number's own; `national` is it without country code."""

    e164: str
    country: str
    national: str


_FORMULA_TEXT = re.compile(r'="(.*)"')
"""How some exports keep a spreadsheet from changing a number: `="0912345678"`."""

_SPELLING = re.compile(
    r"(?:tel:)?\s*(?P<number>\(?\+?[0-9 ().\-]+)"
    r"(?P<extension>(?:;?ext(?:ension)?[.=]?|x|#)\s*[0-9]{1,6})?",
    re.IGNORECASE,
)
_FLOAT = re.compile(r"(\+?[0-9]{6,15})\.([0-9]{1,2})")
_DAMAGED = re.compile(
    r"""
    [0-9]+(?:\.[0-9]+)?e\+?[0-9]+       # 9.12345678E8
    | -[0-9]+(?:\.[0-9]+)?              # 0912-345-678 read as a sum
    | [0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?
    | \#+                               # a column that was too narrow
    """,
    re.VERBOSE | re.IGNORECASE,
)
_WHOLE_NUMBER_DIGITS = 7
_LONGEST_NUMBER_DIGITS = 15
_LONGEST_CELL = 100

_USUAL = re.compile(r"\+?[0-9]+(?:[ -][0-9]+)*")
_MOST_DIGITS_OF_ONE = 2 * _WHOLE_NUMBER_DIGITS - 1
"""So many digits are not two numbers, however they are parted."""

_TEXTABLE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
"""Kinds of number that may be mobile: the North American plan does not tell mobile numbers from others."""


def normalise_phone(raw: str, country: str) -> Phone:
    """
    Read a phone number as written by people and spreadsheets in `country` (ISO 3166 alpha-2).

    Raises:
        PhoneError: the number is not certain, or cannot receive SMS.
    """
    return usual_mobile(raw, country) or read_any_number(raw, country)


class _NumberingPlan(NamedTuple):
    """How the mobile numbers of a country are written, from the metadata of `phonenumbers`."""

    code: str
    trunk: str
    before_number: re.Pattern[str]
    """What may stand before a number inside the country: the trunk prefix, and codes of carriers."""
    not_local: re.Pattern[str]
    """What begins a number with another country's code, or may begin one with this country's."""
    mobile: re.Pattern[str]
    """Mobile numbers without any prefix, but those that may be of a dearer kind."""


@lru_cache(maxsize=256)  # there are 245 countries
def _numbering_plan(country: str) -> _NumberingPlan | None:
    """Return the plan of a country, or `None` if it shares its code with others, or tells no mobile numbers."""
    metadata = PhoneMetadata.metadata_for_region(country, None)
    if metadata is None or COUNTRY_CODE_TO_REGION_CODE.get(metadata.country_code or 0) != (country,):
        return None
    every, mobile = metadata.general_desc, metadata.mobile
    if not every or not mobile or not mobile.national_number_pattern or metadata.same_mobile_and_fixed_line_pattern:
        return None
    # `phonenumbers` asks these before it asks for mobile numbers.
    first_asked = [
        kind.national_number_pattern
        for kind in (metadata.premium_rate, metadata.toll_free, metadata.shared_cost, metadata.voip,
                     metadata.personal_number, metadata.pager, metadata.uan, metadata.voicemail)
        if kind and kind.national_number_pattern
    ]  # fmt: skip
    lengths = {*(mobile.possible_length or every.possible_length)} & {*every.possible_length}
    of_length = "|".join(f".{{{length}}}" for length in sorted(lengths))
    code = str(metadata.country_code)
    return _NumberingPlan(
        code=code,
        trunk=metadata.national_prefix or "",
        before_number=re.compile(metadata.national_prefix_for_parsing or "(?!)"),
        not_local=re.compile(f"{metadata.international_prefix or code}|{code}"),
        mobile=re.compile(
            f"(?!0)(?=(?:{of_length})\\Z)(?=(?:{every.national_number_pattern})\\Z)"
            f"(?!(?:{'|'.join(first_asked) or '(?!)'})\\Z)(?:{mobile.national_number_pattern})"
        ),
    )


def usual_mobile(cell: str, country: str) -> Phone | None:
    """
    Read a mobile number in the usual spelling of its country as `phonenumbers` does, in a tenth of the time.

    Returns None if the number is not surely one of these: then `phonenumbers` has to be asked. The patterns are its
    own, and only such numbers are read here for which nothing else that it looks at could change the answer.
    """
    if not _USUAL.fullmatch(cell) or (plan := _numbering_plan(country)) is None:
        return None
    digits = cell.replace("-", "").replace(" ", "")
    if digits[0] == "+":
        digits = digits[1:]
        if not digits.startswith(plan.code):
            return None
        number = digits[len(plan.code) :]
        is_certain = plan.before_number.match(number) is None
    elif plan.not_local.match(digits):
        return None
    else:
        before = plan.before_number.match(digits)
        number = digits[before.end() :] if before else digits
        # With a group the number would be written anew, or a carrier's code taken off.
        is_certain = before is None or (before[0] == plan.trunk and not any(before.groups()))
    if not is_certain or len(digits) > _MOST_DIGITS_OF_ONE or not plan.mobile.fullmatch(number):
        return None
    return Phone(f"+{plan.code}{number}", country, number)


def read_any_number(raw: str, country: str) -> Phone:
    """
    Read a number in any spelling, by `phonenumbers`.

    Raises:
        PhoneError: the number is not certain, or cannot receive SMS.
    """
    cell = _undamaged(plain(raw))
    if _has_two_numbers(cell):
        raise PhoneError(Refusal.PHONE_TWO_NUMBERS)
    spelling = _SPELLING.fullmatch(cell) if len(cell) <= _LONGEST_CELL else None
    if spelling is None:
        raise PhoneError(Refusal.PHONE_INVALID)
    spelled = spelling["number"]
    number = _parse(spelled, country)
    kind = PhoneNumberType.UNKNOWN if number is None else phonenumbers.number_type(number)
    if number is None or kind == PhoneNumberType.UNKNOWN:
        too_long = len(_digits(spelled)) > _LONGEST_NUMBER_DIGITS
        raise PhoneError(Refusal.PHONE_TWO_NUMBERS if too_long else Refusal.PHONE_INVALID)
    if _could_be_international(spelled, number):
        raise PhoneError(Refusal.PHONE_AMBIGUOUS)
    region = phonenumbers.region_code_for_number(number)
    # A number that may be a landline and has an extension is an office's.
    is_office = bool(spelling["extension"]) and kind != PhoneNumberType.MOBILE
    if is_office or kind not in _TEXTABLE or region is None or not region.isalpha():  # "001": satellites, no country
        raise PhoneError(Refusal.PHONE_NOT_MOBILE)
    national = phonenumbers.national_significant_number(number)
    return Phone(phonenumbers.format_number(number, PhoneNumberFormat.E164), region, national)


def _digits(spelled: str) -> str:
    return re.sub(r"[^0-9]", "", spelled)


def _undamaged(cell: str) -> str:
    """Undo a spreadsheet's change to a number, if the original is certain."""
    if formula := _FORMULA_TEXT.fullmatch(cell):
        cell = formula[1].strip()
    cell = cell.lstrip("'‘’`").strip()  # what marks a cell as text
    if as_float := _FLOAT.fullmatch(cell):
        if as_float[2] != "0":
            raise PhoneError(Refusal.PHONE_DAMAGED_BY_SPREADSHEET)
        return as_float[1]
    if _DAMAGED.fullmatch(cell):
        raise PhoneError(Refusal.PHONE_DAMAGED_BY_SPREADSHEET)
    return cell


def _has_two_numbers(cell: str) -> bool:
    """Tell whether there are two plus signs, or two parts that are each long enough for a number."""
    if cell.count("+") > 1:
        return True
    # Anything but the marks inside a number parts two numbers; a space or hyphen does between long runs of digits.
    parts = re.split(r"[^0-9 ().+\-]+", cell)
    whole = sum(len(_digits(part)) >= _WHOLE_NUMBER_DIGITS for part in parts)
    return whole > 1 or len(re.findall(rf"[0-9]{{{_WHOLE_NUMBER_DIGITS},}}", cell)) > 1


def _parse(spelled: str, country: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(spelled, country)
    except NumberParseException:
        return None


def _could_be_international(spelled: str, number: PhoneNumber) -> bool:
    """
    Tell whether a number that begins with 00 would mean another number if 00 is the international prefix.

    Some countries dial another prefix, and 00 begins numbers of their own.
    """
    digits = _digits(spelled)
    if "+" in spelled or not digits.startswith("00"):
        return False
    international = _parse(f"+{digits[2:]}", "")
    if international is None or not phonenumbers.is_valid_number(international):
        return False
    return (international.country_code, international.national_number) != (
        number.country_code,
        number.national_number,
    )
