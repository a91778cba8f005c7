"""
Encodings: which encoding a file is in, told from its bytes.

UTF-8 is certain: text in another encoding is hardly ever valid UTF-8. An old Chinese encoding is not: each of them
reads most of what is written in another. So such a file is read only in the encoding the stack names, and only if its
bytes do not plainly look like another.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

UTF_8 = "utf-8"

_CODECS: Mapping[str, tuple[str, str]] = {
    "big5": ("cp950", "Big5"),
    "cp950": ("cp950", "Big5"),
    "big5-hkscs": ("big5hkscs", "Big5"),
    "gb2312": ("gb18030", "GB18030"),
    "gbk": ("gb18030", "GB18030"),
    "cp936": ("gb18030", "GB18030"),
    "gb18030": ("gb18030", "GB18030"),
    "shift_jis": ("cp932", "Shift JIS"),
    "cp932": ("cp932", "Shift JIS"),
    "euc-kr": ("cp949", "EUC-KR"),
    "cp949": ("cp949", "EUC-KR"),
    "windows-1252": ("cp1252", "Windows-1252"),
    "cp1252": ("cp1252", "Windows-1252"),
}
"""By the names a stack may give: the codec that programs really mean by it, and the family that a guess can tell."""

NAMES = tuple(_CODECS)

_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
_HIGH = re.compile(rb"[\x80-\xff]")
_LONELY = re.compile(rb"(?<![\x80-\xff])[\xc7-\xff](?![\x80-\xff])")
"""An accented letter between plain letters. In Big5 a second byte may be plain, but then the first is lower."""
_KANA = re.compile(r"[\u3041-\u30ff]")
_SURE, _AHEAD = 0.75, 0.1


class NamedEncoding(NamedTuple):
    """An encoding besides UTF-8: Python's codec, and its family, as `looks_like` tells it."""

    codec: str
    family: str


def encoding_named(name: str) -> NamedEncoding | None:
    """
    Return the encoding of a name of `NAMES`; `None` for an empty name.

    Raises:
        KeyError: no file can be read in an encoding of this name.
    """
    return NamedEncoding(*_CODECS[name.lower()]) if name else None


def looks_like(sample: bytes) -> str:
    """Return the family of encodings that bytes outside UTF-8 are most likely in, or nothing if it is not plain."""
    high = len(_HIGH.findall(sample))
    if not high:
        return ""
    shift_jis = _text_or_nothing(sample, "cp932")
    if shift_jis and len(_KANA.findall(shift_jis)) * 3 > high // 2:
        return "Shift JIS"
    shares = sorted(((_share_read(sample, family), family) for family in _IN_USE), reverse=True)
    (best, family), (second, _) = shares
    if best >= _SURE:
        return family if best - second >= _AHEAD else ""
    return "Windows-1252" if len(_LONELY.findall(sample)) > high // 2 else ""


def _text_or_nothing(sample: bytes, codec: str) -> str:
    try:
        return sample.decode(codec)
    except UnicodeDecodeError:
        return ""


def _in_use_in_big5(pair: bytes) -> bool:
    return 0xA1 <= pair[0] <= 0xC6 and (pair[1] <= 0x7E or pair[1] >= 0xA1)  # noqa: PLR2004 - signs and first level


def _in_use_in_gb(pair: bytes) -> bool:
    return (0xB0 <= pair[0] <= 0xD7 or 0xA1 <= pair[0] <= 0xA3) and pair[1] >= 0xA1  # noqa: PLR2004 - as above


_IN_USE = {"Big5": _in_use_in_big5, "GB18030": _in_use_in_gb}


def _share_read(sample: bytes, family: str) -> float:
    """Return how many of the high bytes belong to characters that are in daily use in this family."""
    is_in_use = _IN_USE[family]
    taken: int = sum(1 + (pair[1] >= 0x80) for pair in _PAIR.findall(sample) if is_in_use(pair))  # noqa: PLR2004
    return float(taken / len(_HIGH.findall(sample)))
