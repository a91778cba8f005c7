"""Characters that hide something, cost a segment, or that carriers refuse. Each rule returns what is wrong."""

import re
import unicodedata

from dunning.domain.texts.lint.findings import blocking
from dunning.domain.texts.lint.folding import INVISIBLE
from dunning.domain.texts.segments import is_gsm

HIDDEN = blocking(
    "invisible-character",
    "no invisible or control characters: they hide words from every filter, ours and the carriers'",
    "own default, after Unicode Technical Standard 39",
    "D",
)
REFUSED = blocking(
    "refused-character",
    "no currency signs and symbols that carriers refuse",
    "Tencent Cloud SMS 382/39023 and Huawei Cloud msgsms: no ¥ ★ and the like; the AWS guide advises against them",
    "V",
)
SIGNATURE = blocking(
    "signature-marks",
    "【】 stand around the sender's name in front and nowhere else",
    "Tencent Cloud SMS 382/39023: a template must not contain 【】",
    "V",
)
NOT_GSM = blocking(
    "gsm-alphabet",
    "an English text keeps to the GSM alphabet: any other character cuts 160 characters a segment to 70",
    "3GPP TS 23.038; AWS SMS character limits",
    "V",
)
MIXED = blocking(
    "mixed-alphabets",
    "no word of Latin letters mixed with Greek, Cyrillic or other look-alikes",
    "own default, after Unicode Technical Standard 39, mixed-script detection",
    "D",
)
RULES = (HIDDEN, REFUSED, SIGNATURE, NOT_GSM, MIXED)

_HIDDEN = re.compile(f"[{INVISIBLE}]")
_REFUSED = re.compile("[¥￥\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_SIGNATURE = re.compile("【[^【】]*】")
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_LIKE_LATIN = re.compile(
    "[\u0370-\u03ff\u0400-\u058f\u13a0-\u13ff\u1c80-\u1c8f\u2c80-\u2cff\ua4d0-\ua4ff\uab70-\uabbf]"
)


def hidden(text: str) -> str:
    """Refuse invisible and control characters; a line feed is none."""
    match = _HIDDEN.search(text)
    return f"holds {_named(match[0])}, which cannot be seen" if match else ""


def refused(text: str) -> str:
    """Refuse characters that carriers refuse."""
    match = _REFUSED.search(text)
    return f"holds {match[0]!r}, which carriers refuse" if match else ""


def misplaced_signature(text: str, *, signed: bool) -> str:
    """Refuse 【】, but for one pair in front of a text that is signed."""
    rest = text
    if signed and (signature := _SIGNATURE.match(text)):
        rest = text[signature.end() :]
    return "holds 【 or 】 outside the signature, which carriers refuse" if "【" in rest or "】" in rest else ""


def not_gsm(text: str, language: str) -> str:
    """Refuse what is outside the GSM alphabet in an English text, unless its signature 【…】 is outside already."""
    if language != "en" or text.startswith("【") or is_gsm(text):
        return ""
    wrong = next(character for character in text if not is_gsm(character))
    return f"holds {_named(wrong)}, which is not in the GSM alphabet: 160 characters a segment would become 70"


def mixed_alphabets(text: str) -> str:
    """Refuse words that mix Latin letters with letters that look like them."""
    mixed = any(_LATIN.search(word) and _LIKE_LATIN.search(word) for word in _WORD.findall(text))
    return "mixes alphabets within a word" if mixed else ""


def _named(character: str) -> str:
    return f"{character!r} ({unicodedata.name(character, f'U+{ord(character):04X}')})"
