"""
Names: a cell holds one person's name, and nothing else that a text would greet.

A name that says the person has died silences. A remark, a second person, a formula or lost characters are refused.
"""

import re
import unicodedata
from typing import NamedTuple

from dunning.services.intake.plain_text import DAMAGED, without_wrapping, words
from dunning.services.intake.refusals import CellError, Refusal

LONGEST_NAME = 80

_NOBODY = frozenset(
    {
        "test",
        "tester",
        "unknown",
        "n/a",
        "na",
        "none",
        "null",
        "nil",
        "無",
        "无",
        "不詳",
        "不详",
        "未知",
        "測試",
        "测试",
        "loading",
    }
)
_DECEASED_WORDS = (
    "已故|亡故|往生|過世|过世|去世|逝世|已?[歿殁]|身故|死亡|(?:之)?(?:遺產|遗产|遺族|遗族|繼承人|继承人|遺孀|遗孀)"
)
_DECEASED = re.compile(
    rf"{_DECEASED_WORDS}|^故(?=\S\S)|\b(?:the\s+)?estate\s+of\b|\bestate\b|\bthe\s+late\b|\bdeceased\b|\bdec'd\b",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[(（\[［【〔「<＜{].*?(?:[)）\]］】〕」>＞}]|$)")
_ENDS = " ,.;:-–—/'"

# The range stands alone: in a pattern that ignores case, compiling it takes 3 ms of a cold start.
_REMARK = re.compile(
    r"(?-i:[\u4e00-\u9fff]) ?-|勿|請|请|聯絡|联系|聯繫|拒接|轉告|转告|\bdo not\b|\bdon't\b|\bcall\b"
    r"|破產|破产|清算|之[父母夫妻子女]$|(?:代理|監護|监护|保證|保证)人|家屬|家属"
    r"|\bbankrupt|\binsolven|\bin liquidation\b|\battn\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"\b[1-9](?:st|nd|rd|th)\b", re.IGNORECASE)
_FORMULA = re.compile(r"[=+@].|-[A-Za-z=(]", re.DOTALL)
_SAYS_MORE = re.compile(r"[0-9\u00b2\u00b3\u00b9()（）\[\]［］【】〔〕「」<>＜＞{}/／\\|;；:：、&＆@#=+%!！~_\"“”\n]")
_LOST = re.compile(r"[?？*＊○●□■▯〓\u02b0-\u02ff\ue000-\uf8ff]")
_LATIN_READ_WRONGLY = re.compile(
    "[\u00c0-\u00ff][\u0080-\u00bf\u0192\u02c6\u02dc\u201a-\u201e\u201c\u201d\u2020-\u2022\u2026\u2030\u2039\u203a"
    "\u20ac\u2122]"
)
"""UTF-8 read as Windows-1252: a letter of the upper half, and a sign that never follows one in a name."""


_FIRST_OF_CHINESE = range(0xE4, 0xEA)
"""The first bytes of Chinese characters in UTF-8."""


class ReadName(NamedTuple):
    """A name, and whether the cell says that its person has died."""

    name: str
    says_deceased: bool = False


def read_name(text: str) -> ReadName:
    """Accept a name of 1 to 80 characters with a letter in it, and nothing beside it but that the person has died."""
    cell = words(without_wrapping(text))
    if _FORMULA.match(cell):
        raise CellError(Refusal.NAME_IS_A_FORMULA)
    if len(cell) > LONGEST_NAME or not any(map(_is_letter, cell)) or cell.casefold().rstrip(".\u2026") in _NOBODY:
        raise CellError(Refusal.NOT_A_NAME)
    if _is_damaged(cell):
        raise CellError(Refusal.NAME_DAMAGED)
    if _DECEASED.search(cell):
        name = _without_remarks(cell)
        if not any(map(_is_letter, name)):
            raise CellError(Refusal.NAME_SAYS_MORE)
        return ReadName(name, says_deceased=True)
    if _REMARK.search(cell) or _SAYS_MORE.search(_ORDINAL.sub("", cell)) or len(text.strip().splitlines()) > 1:
        raise CellError(Refusal.NAME_SAYS_MORE)
    return ReadName(cell)


def _is_letter(character: str) -> bool:
    return character.isalpha() and unicodedata.category(character) != "Lm"


def _without_remarks(cell: str) -> str:
    name = _DECEASED.sub(" ", _BRACKETS.sub(" ", cell))
    return words(_SAYS_MORE.sub(" ", name)).strip(_ENDS)


def _is_damaged(name: str) -> bool:
    """Tell whether characters are lost, or were read in another encoding than they were written in."""
    if name.isascii():
        return "?" in name or "*" in name
    if DAMAGED in name or "锟斤" in name or _LOST.search(name) or _LATIN_READ_WRONGLY.search(name):
        return True
    return any(_was_utf_8(name, codec) for codec in ("gb18030", "cp950"))


def _was_utf_8(name: str, codec: str) -> bool:
    """
    Tell whether the bytes of a name in a Chinese encoding are Chinese in UTF-8.

    Bytes are left over if the name has an odd number of them; a program drops these.
    """
    try:
        coded = name.encode(codec)
    except UnicodeEncodeError:
        return False
    if coded[0] not in _FIRST_OF_CHINESE:
        return False
    for end in (len(coded), len(coded) - 1, len(coded) - 2):
        try:
            original = coded[:end].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return len(original) > 1 and all("\u4e00" <= character <= "\u9fff" for character in original)
    return False
