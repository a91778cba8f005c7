"""
SMS segments as carriers count and bill them: GSM-7 or UCS-2, packed, never splitting a character.

Source: 3GPP TS 23.038 (alphabet), AWS End User Messaging "SMS character limits": 160 septets single and 153
concatenated, 70 and 67 code units for UCS-2. No national shift tables: AWS does not use them.
"""

import re
from typing import Literal, NamedTuple

type Encoding = Literal["GSM-7", "UCS-2", "text"]
"""How an SMS is written; `text` for the words of any other channel, which nobody counts in segments."""

GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = "\f^{}\\[~]|€"
"""Characters that cost two septets, an escape and a code, which must share a segment."""

_NOT_GSM = re.compile(f"[^{re.escape(GSM_BASIC + GSM_EXTENDED)}]")
_EXTENDED = re.compile(f"[{re.escape(GSM_EXTENDED)}]")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")

_GSM_SINGLE, _GSM_PART = 160, 153
_UCS_SINGLE, _UCS_PART = 70, 67

SNS_MAX_CHARACTERS = 1600
"""API reference of SNS Publish: 'up to 1600 characters'."""
SNS_MAX_BYTES = 1600
"""SNS developer guide: 'total size limit for a single SMS Publish action is 1,600 bytes'. Both are kept."""


class Segments(NamedTuple):
    """How a text travels: its encoding, and how many parts are billed."""

    encoding: Encoding
    parts: int


ONE_MESSAGE = Segments("text", 1)
"""How the words of any channel but SMS travel: whole."""


def is_gsm(text: str) -> bool:
    """Tell whether every character is in the GSM 7-bit alphabet or its extension."""
    return _NOT_GSM.search(text) is None


def count_segments(text: str) -> Segments:
    """
    Count the parts of a text by packing: an escape pair or a surrogate pair is never split.

    An empty text is one part.
    """
    encoding: Encoding
    if _NOT_GSM.search(text) is None:
        encoding, wide, single, part = "GSM-7", _EXTENDED, _GSM_SINGLE, _GSM_PART
    else:
        encoding, wide, single, part = "UCS-2", _ASTRAL, _UCS_SINGLE, _UCS_PART
    units = len(text) if wide.search(text) is None else len(text) + len(wide.findall(text))
    if units <= single:
        return Segments(encoding, 1)
    if units == len(text):
        return Segments(encoding, -(-units // part))
    parts, used = 1, 0
    for character in text:
        width = 2 if wide.match(character) else 1
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return Segments(encoding, parts)


def fits_sns(text: str) -> bool:
    """Tell whether SNS takes a text: not empty, at most 1,600 characters and 1,600 bytes of UTF-8."""
    return 0 < len(text) <= SNS_MAX_CHARACTERS and len(text.encode()) <= SNS_MAX_BYTES
