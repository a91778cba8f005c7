"""
Masking: enough of a name and an account number to be recognised by their owner, too little for anyone else.

Of a Chinese name the surname is shown and at most half of the given name, of any other its first letter. A masked
name is at most four characters, so that texts keep to one segment.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

COMPOUND_SURNAMES = frozenset(
    re.findall(
        r"\w+",
        """
        歐陽 欧阳 司馬 司马 上官 諸葛 诸葛 東方 东方 皇甫 尉遲 尉迟 公孫 公孙 慕容 令狐 宇文 長孫 长孙 司徒
        司空 夏侯 端木 百里 南宮 南宫 獨孤 独孤 申屠 鍾離 鐘離 钟离 太史 公冶 澹臺 澹台 濮陽 濮阳 淳于 單于
        单于 万俟 萬俟 聞人 闻人 赫連 赫连 公羊 太叔 仲孫 仲孙 軒轅 轩辕 鮮于 鲜于 閭丘 闾丘 亓官 司寇 子車
        子车 顓孫 颛孙 巫馬 巫马 公西 漆雕 樂正 乐正 壤駟 壤驷 公良 拓跋 夾谷 夹谷 宰父 穀梁 東郭 东郭 東門
        东门 西門 西门 南門 南门 呼延 羊舌 微生 第五 有琴 伯賞 伯赏 納蘭 纳兰 完顏 完颜 耶律 張簡 張廖 范姜
        """,
    )
)
"""
The compound surnames of the Hundred Family Surnames (百家姓), some of later times, and three double ones of Taiwan.

Left out are those that begin with a common surname of one character (梁丘, 段干, 左丘, 宗政, 谷梁, 葉赫): such a name
is more often that surname and a given name.
"""

# In one pattern only, and once: each time Chinese characters stand in one, compiling it takes 2 ms of a cold start.
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff〇々"
_HAN_RUN = re.compile(rf"(?:[{_HAN}]\s*)+")
_DOT = re.compile(r"[·•‧・･∙⋅.]")

_CHINESE_TITLE = re.compile(r"(?<=.)(?:先生|小姐|女士|太太|夫人)$")
_LATIN_TITLE = re.compile(r"(?:mrs|mr|ms|miss|mx|dr|prof)\b\.?\s*(?=\w)", re.IGNORECASE)

_LONGEST = 4
_NOTHING = "***"
NO_NAME = {"zh-Hant": "客戶", "zh-Hans": "客户"}
"""
The greeting of a customer whose name cannot be shown: 客戶您好.

The languages are those that have a decent mask. English has none: a text that begins "Hi D***" reads like phishing, and
a surname with a title needs to know both. So English texts name nobody.
"""

_LONGEST_HAN = 8
"""Characters of the longest name that is taken for a name, with two compound surnames or a title."""
_BESIDE_A_NAME = frozenset(" .'-,")
_NO_PERSON = frozenset(
    re.findall(
        r"\w+",
        """
        故 亡 歿 殁 逝 過世 过世 去世 辭世 辞世 往生 遺產 遗产 遺屬 遗属 繼承 继承 管理人 代理 監護 监护
        公司 商行 企業 企业 銀行 银行 工作室 測試 测试 客戶 客户 用戶 用户 無名 无名 不詳 不详 未知 本人 刪除 删除 停用
        """,
    )
)
"""Words that no name of a living person holds, and that a cell for the name does hold now and then."""
_NO_PERSON_IN_ENGLISH = frozenset(
    ("estate", "deceased", "late", "executor", "guardian", "attn", "co", "ltd", "inc", "company", "test", "unknown")
)

_NAMES_CACHED = 16384
"""A text is composed twice before it is sent, and many customers share a name. A full cache takes a few megabytes."""


@lru_cache(maxsize=_NAMES_CACHED)
def greeting_name(name: str, language: str) -> str:
    """
    Return the masked name as a text in a language of `NO_NAME` greets with it: 王*明您好.

    Only a Chinese name is greeted, and only if the cell holds nothing beside it that might say more than a name, such
    as 王小明(已故). All others are greeted as a customer: 客戶您好.
    """
    return mask_name(name) if _is_surely_a_name(name) else NO_NAME[language]


def _is_surely_a_name(name: str) -> bool:
    """Tell whether a cell holds a Chinese name and nothing else but another form of it, such as 王小明 David."""
    name = unicodedata.normalize("NFKC", name).strip()
    chinese = _HAN_RUN.findall(name)
    if len(chinese) != 1 and not _is_dotted(name):
        return False
    if sum(not character.isspace() for run in chinese for character in run) > _LONGEST_HAN and not _is_dotted(name):
        return False
    if any(word in "".join(name.split()) for word in _NO_PERSON):
        return False
    rest = _DOT.sub(" ", _HAN_RUN.sub(" ", name))
    if not _NO_PERSON_IN_ENGLISH.isdisjoint(rest.casefold().split()):
        return False
    return all(character in _BESIDE_A_NAME or character.isalpha() for character in rest)


@lru_cache(maxsize=_NAMES_CACHED)
def mask_name(name: str) -> str:
    """
    Mask a name: 王小明 to 王*明, 歐陽小明 to 歐陽*明, 王明 to 王*, John Smith to J***.

    Of a name in two scripts the Chinese part counts. Titles are no part of a name. A name without two letters to choose
    from, such as one of punctuation, is `***`.
    """
    name = unicodedata.normalize("NFKC", name).strip()
    if han := _HAN_RUN.search(name):
        if _is_dotted(name):
            return f"{han[0][0]}***"
        return _mask_chinese(_CHINESE_TITLE.sub("", "".join(han[0].split())))
    letters = [character for character in _LATIN_TITLE.sub("", name) if character.isalpha()]
    # Some letters have no single capital: ß becomes SS.
    return f"{letters[0].upper()[0]}***" if len(letters) > 1 else _NOTHING


def _is_dotted(name: str) -> bool:
    """Tell whether a dot stands between Chinese characters. The part before it, as in 买买提·吐尔逊, is no surname."""
    return any(
        _HAN_RUN.match(before.rstrip()[-1:]) and _HAN_RUN.match(after.lstrip())
        for before, after in pairwise(_DOT.split(name))
    )


def _mask_chinese(name: str) -> str:
    if len(name) <= 2:  # noqa: PLR2004 - a surname alone, or with a one-character given name
        return f"{name[0]}*"
    if name[:2] in COMPOUND_SURNAMES:
        # Two characters of a given name show the second; one, or three, show none.
        return f"{name[:2]}*{name[3]}" if len(name) == _LONGEST else f"{name[:2]}*"
    if len(name) > _LONGEST:
        return f"{name[0]}***"
    return f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"


def account_tail(account_number: str) -> str:
    """
    Return the last four letters or digits of an account number, fewer if it has fewer than eight.

    At least half of a number stays hidden, however short it is. Digits of any script are written 0 to 9.
    """
    visible = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", account_number)))
    tail = visible[len(visible) - min(4, len(visible) // 2) :]
    return tail if tail.isascii() else "".join(str(unicodedata.decimal(c, c)) for c in tail)
