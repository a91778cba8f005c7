"""
Masking: enough of a name and an account number to be recognised by their owner, too little for anyone else.

A masked name is at most four characters, so that texts keep to one segment.
"""

import re
import unicodedata
from functools import lru_cache

from dunning.domain.segments import is_gsm

COMPOUND_SURNAMES = frozenset(
    [
        "歐陽",
        "欧阳",
        "司馬",
        "司马",
        "上官",
        "諸葛",
        "诸葛",
        "東方",
        "东方",
        "皇甫",
        "尉遲",
        "尉迟",
        "公孫",
        "公孙",
        "慕容",
        "令狐",
        "宇文",
        "長孫",
        "长孙",
        "司徒",
        "司空",
        "夏侯",
        "端木",
        "百里",
        "南宮",
        "南宫",
        "獨孤",
        "独孤",
        "張簡",
        "范姜",
        "申屠",
        "鍾離",
        "钟离",
        "太史",
        "公冶",
        "澹臺",
        "澹台",
        "濮陽",
        "濮阳",
        "淳于",
        "單于",
        "单于",
    ]
)

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_LONG_NAME = 4


@lru_cache(maxsize=16384)
def mask_name(name: str) -> str:
    """Mask a name: 王小明 to 王*明, 歐陽小明 to 歐陽*明, 王明 to 王*, John Smith to J***."""
    name = unicodedata.normalize("NFKC", name).strip()
    compact = re.sub(r"\s+", "", name)
    if _HAN.fullmatch(compact):
        return _mask_chinese(compact)
    if _HAN.match(name):  # 买买提·吐尔逊, or a Chinese name followed by a Latin one
        return f"{name[0]}***"
    first = next((character for character in name if character.isalpha()), "")
    return f"{first.upper()}***"


def _mask_chinese(name: str) -> str:
    if len(name) <= 2:  # noqa: PLR2004 - a surname alone, or with a one-character given name
        return f"{name[0]}*"
    if name[:2] in COMPOUND_SURNAMES:
        return f"{name[:2]}*{name[3:4]}"
    if len(name) > _LONG_NAME:
        return f"{name[0]}***"
    return f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"


def gsm_name(masked: str) -> str:
    """
    Return a masked name that keeps a GSM-7 text GSM-7: accents are dropped, another script is left out ("Hi there").

    One character outside the alphabet would turn 160 characters a segment into 70.
    """
    if is_gsm(masked):
        return masked
    plain = "".join(c for c in unicodedata.normalize("NFKD", masked) if not unicodedata.combining(c))
    return plain if is_gsm(plain) else "there"


def account_tail(account_number: str) -> str:
    """Return the last four letters or digits of an account number, fewer if it has fewer than eight.

    At least half of a number stays hidden, however short it is.
    """
    visible = "".join(c for c in unicodedata.normalize("NFKC", account_number) if c.isalnum())
    return visible[len(visible) - min(4, len(visible) // 2) :]
