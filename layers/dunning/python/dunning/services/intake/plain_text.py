"""Plain text: turns the characters of spreadsheets, input methods and mail programs into plain ones, if certain."""

import re
import unicodedata
from functools import lru_cache

_HYPHENS = frozenset("\u2212\u30fc")  # the minus sign, and the long vowel mark that stands for a hyphen in Japan
_WRAPPINGS = frozenset("='\u2018\u2019`")
_FORMULA_TEXT = re.compile(r'="([^"]*)"')
DAMAGED = "\N{REPLACEMENT CHARACTER}"


def plain(cell: str) -> str:
    """
    Return a cell with full-width forms, digits of other scripts, dashes and spaces in ASCII, invisibles dropped.

    Nothing else is folded: full NFKC would turn the footnote mark of `100²` into a digit.
    """
    if cell.isascii():
        return cell.strip()
    return "".join(map(_plain_character, cell)).strip()


def without_wrapping(cell: str) -> str:
    """Return a cell without what keeps a spreadsheet from changing it: `="0012"`, or an apostrophe in front."""
    if cell[:1] not in _WRAPPINGS:
        return cell
    if formula := _FORMULA_TEXT.fullmatch(cell):
        return formula[1].strip()
    return cell.lstrip("'\u2018\u2019`").strip()


@lru_cache(maxsize=4096)  # the characters outside ASCII in ids, dates and amounts: full-width forms and a few signs
def _plain_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Cf":
        return ""
    if category == "Zs":
        return " "
    if category == "Pd" or character in _HYPHENS:
        return "-"
    if unicodedata.east_asian_width(character) == "F":
        return unicodedata.normalize("NFKC", character)
    return character


def words(cell: str) -> str:
    """Return free text composed (NFC) and on one line, without control, bidi and zero-width characters."""
    if cell.isascii() and cell.isprintable():
        return " ".join(cell.split())
    composed = unicodedata.normalize("NFC", cell)
    return " ".join("".join(map(_printable, composed)).split())


@lru_cache(maxsize=16384)  # the Chinese characters in use, some 10,000, and every alphabet
def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return "" if category == "Cf" else character
