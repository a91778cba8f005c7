"""
Masked replies: what leaves the account when the larger reader is asked, and nothing else does. Pure.

The larger reader has to hear what a customer means. Who the customer is, where the customer lives and how much is owed
does not matter for that, and the day of a promise is read here. So digits, mail addresses, links, handles, street
addresses and the customer's name become placeholders. Words for numbers and days stay, and so do the signs around them.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

from dunning.domain.texts.lint.folding import HAN, INVISIBLE
from dunning.domain.texts.masking import COMPOUND_SURNAMES

LONGEST_MASKED_REPLY = 500
"""In characters. A longer reply is cut: its beginning says what it is about."""
_READ_AT_MOST = 1000
"""Characters, before and after folding: some of the masks look at each place anew."""

_NUMBER, _DAY, _ID, _MAIL, _LINK, _HANDLE, _ADDRESS, _NAME = map(chr, range(0xE000, 0xE008))
PLACEHOLDERS = {
    _NUMBER: "<number>",
    _DAY: "<day>",
    _ID: "<id>",
    _MAIL: "<mail>",
    _LINK: "<link>",
    _HANDLE: "<handle>",
    _ADDRESS: "<address>",
    _NAME: "<name>",
}
"""Each stands in the text as one character for private use until the end, so that no rule reads into another's."""

_UNWANTED = re.compile(f"[{INVISIBLE}\ue000-\uf8ff\U000f0000-\U0010ffff]+")
_BRACKETS = str.maketrans("<>", "\u2039\u203a")
"""The only angle brackets of a masked reply are those of placeholders: a reply cannot close what it is quoted in."""

_SPELLED_WITH_DIGITS = {
    "2day": "today",
    "2moro": "tomorrow",
    "2morrow": "tomorrow",
    "2mrw": "tomorrow",
    "2nite": "tonight",
    "2night": "tonight",
    "b4": "before",
    "gr8": "great",
    "l8r": "later",
    "24/7": "all the time",
}
_SLANG = re.compile(rf"(?<![\w/])(?:{'|'.join(map(re.escape, _SPELLED_WITH_DIGITS))})(?![\w/])", re.IGNORECASE)

_ZH_DIGIT = "零〇一二三四五六七八九壹貳贰叁參肆伍陸陆柒捌玖幺"
_EN_DIGIT = "(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_SPELLED_NUMBER = re.compile(
    rf"[{_ZH_DIGIT}](?:[ -]?[{_ZH_DIGIT}]){{5,}}|\b{_EN_DIGIT}(?:[ ,-]{{1,2}}{_EN_DIGIT}\b){{5,}}", re.IGNORECASE
)
"""Six digits or more, as words: a phone or an account number. Amounts and days have fewer."""

# From here on, every digit is a 0.
_MAIL_ADDRESS = re.compile(
    r"[A-Za-z0._%+-]+@[A-Za-z0.-]*[A-Za-z0]"
    r"|[A-Za-z0._%+-]+ ?[(\[ ]at[)\] ] ?[A-Za-z0-]+ ?[(\[ ]dot[)\] ] ?[A-Za-z]{2,}",
    re.IGNORECASE,
)
_TOP_LEVEL = "com|net|org|edu|gov|tw|cn|hk|sg|uk|jp|kr|io|ly|cc|app|info|biz|link|xyz|top|vip"
_WEB_ADDRESS = re.compile(
    r"\b[a-z][a-z0+.-]{1,9}://[!-;=?-~]*|\bwww\.[!-;=?-~]+"
    rf"|(?<![A-Za-z0])(?:[A-Za-z0-]+\.)+(?:(?:{_TOP_LEVEL})(?![A-Za-z0])(?:[/?#][!-;=?-~]*)?|[A-Za-z]{{2,}}/[!-;=?-~]+)",
    re.IGNORECASE,
)
_ID_OF_A_MESSENGER = re.compile(
    r"((?:line|賴|ig|instagram|wechat|weixin|微信|whatsapp|telegram|tg|fb|facebook|kakao|zalo|viber)"
    r" ?(?:id|帳號|账号|帐号|號|号) ?(?:is|是|[:=])? ?)[A-Za-z0_][A-Za-z0_.-]{2,}",
    re.IGNORECASE,
)
_WITH_UNDERSCORE = re.compile(r"[A-Za-z0.-]*_[A-Za-z0_.-]*")
_AT_SIGN = re.compile(r"@([\w.]*)")

_COUNT = f"(?:0+|[{_ZH_DIGIT}十百]+)"
_CHINESE_ADDRESS = re.compile(
    rf"(?:[{HAN}]{{2,3}}?[縣市县省])?(?:[{HAN}]{{1,3}}?[區鄉鎮市区乡镇])?(?:[{HAN}]{{1,3}}?[村里])?"
    rf"[{HAN}]{{1,4}}?(?:大道|(?<![網网馬马通半線线電电])路|(?<!逛)街|(?<!知)道)(?:{_COUNT}段)?"
    rf" ?(?:{_COUNT}[巷弄] ?)*{_COUNT}(?:[之-]{_COUNT})?[號号巷弄](?:之{_COUNT})?"
    rf"(?:[, ]*{_COUNT}(?:[之-]{_COUNT})?[樓楼層层室栋棟F](?:之{_COUNT})?)*"
)
_LATIN_ADDRESS = (
    re.compile(
        r"(?<![A-Za-z0])0+[A-Za-z]?,? (?:[A-Za-z'.-]+ ){1,3}?(?:street|road|avenue|boulevard|lane)\b", re.IGNORECASE
    ),
    re.compile(
        r"(?<![A-Za-z0])0+[A-Za-z]?,? (?:[A-Z][A-Za-z'.-]* ){1,3}?"
        r"(?:St|Rd|Ave|Ln|Dr|Blvd|Drive|Court|Ct|Way|Place|Pl|Terrace|Close|Crescent|Square|Gardens|Hill)\b\.?"
    ),
    re.compile(r"\b(?:jalan|jln|lorong|calle|avenida|rua)\.? (?:[^\W\d_]+,? ){1,4}?(?:n[ºo]?\.? ?)?0+", re.IGNORECASE),
    re.compile(r"\b[A-Z]{1,2}0[A-Z0]? ?0[A-Z]{2}\b"),  # a British postcode
)
"""Ways, courts and drives only with capitals: "3 days from court" is none."""

_DATE = re.compile(r"(?<![0/.-])(?:0{4}([-/.])0{1,2}\1|0{1,2}/)0{1,2}(?:/0{2,4})?(?![0/.-]0|0)")
_MIXED = re.compile(r"(?<![A-Za-z0])(?=[A-Za-z.-]*0)(?=[0.-]*[A-Za-z])[A-Za-z0][A-Za-z0.-]*")
_UNITS = frozenset(
    re.findall(
        r"\w+",
        """
        am pm th st nd rd k hr hrs day days week weeks month months yr yrs year years min mins times
        jan feb mar apr may jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun
        nt ntd nts twd us usd hk hkd rm myr rs inr sgd cny rmb yuan jpy php idr rp thb vnd krw brl eur gbp aud
        paid pay sent send owe stop ok only
        """,
    )
)
"""What may stand beside many digits without being an identity: units, days, and words that lost their space."""
_MANY_DIGITS = 3
_DIGITS = re.compile(r"[+#]?0(?:[ ().,:/+-]{0,2}0)*")

_LATIN = "A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_PART = re.compile(rf"[{HAN}]+|[{_LATIN}]+|[^\W\d_{HAN}{_LATIN}]+")
_HAN_FIRST = re.compile(f"[{HAN}]")
_LATIN_FIRST = re.compile(f"[{_LATIN}]")
_HAN_OR_LATIN_FIRST = re.compile(f"[{HAN}{_LATIN}]")
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "madam"})
_CHINESE_TITLE = "先生|小姐|女士|太太|夫人|媽媽|妈妈|爸爸|阿姨|老師|老师|同學|同学|經理|经理|總|总|董"
_ENDS_WITH_TITLE = re.compile(rf"(?<=.)(?:{_CHINESE_TITLE})$")
_MASKED_NAME = re.compile(rf"[{HAN}]{{1,2}}\*+[{HAN}]?|\b[{_LATIN}]\*{{2,}}")
"""As our own texts write it, which a reply may quote."""

_SHORTEST_PART = 2
_LONG_PART = 5
"""Latin parts of so many letters are masked inside longer words, too."""
_GAP = r"[ ·•・.*_-]?"


def mask_for_larger_reader(text: str, customer_name: str = "") -> str:
    """
    Return a reply as the larger reader gets it.

    `customer_name` may hold the names of several customers, a line each. The result has at most 500 characters, and in
    it no digit, no @ and no part of a name: of a Latin name no part of two letters or more, of a Chinese name neither
    the whole nor a given name or surname of two characters. A surname of one character is masked where people are
    called by it (王先生, 老王, 姓王), for it is a part of ordinary words.
    """
    text = _tidy(text[:_READ_AT_MOST])[:_READ_AT_MOST].translate(_BRACKETS)
    text = _SLANG.sub(lambda slang: _SPELLED_WITH_DIGITS[slang[0].lower()], text)
    text = _SPELLED_NUMBER.sub(_NUMBER, text)
    text = "".join("0" if _is_digit(character) else character for character in text)
    text = _WEB_ADDRESS.sub(_LINK, _MAIL_ADDRESS.sub(_MAIL, text))
    text = _ID_OF_A_MESSENGER.sub(rf"\1{_HANDLE}", text)
    text = _WITH_UNDERSCORE.sub(_HANDLE, text)
    text = _AT_SIGN.sub(lambda handle: _HANDLE if handle[1] else "at", text)
    for pattern in (_CHINESE_ADDRESS, *_LATIN_ADDRESS):
        text = pattern.sub(_ADDRESS, text)
    text = _MASKED_NAME.sub(_NAME, text)
    for name in customer_name.splitlines():
        text = _without_name(text, name)
    text = _DATE.sub(_DAY, text)
    text = _MIXED.sub(lambda token: _ID if _is_identity(token[0]) else token[0], text)
    return _written_out(_DIGITS.sub(_NUMBER, text))


def says_something(masked: str) -> bool:
    """Tell whether a masked reply holds a letter beside its placeholders. Figures alone are for the local reader."""
    for placeholder in PLACEHOLDERS.values():
        masked = masked.replace(placeholder, "")
    return any(character.isalpha() for character in masked)


def _tidy(text: str) -> str:
    """Return a text without compatibility forms and invisible characters, its white space single spaces."""
    return " ".join(unicodedata.normalize("NFKC", _UNWANTED.sub(_seen, text)).split())


def _seen(unwanted: re.Match[str]) -> str:
    """Return what is left of invisible characters: a space if some of them is white space."""
    return " " if any(character.isspace() for character in unwanted[0]) else ""


def _is_digit(character: str) -> bool:
    """Tell whether a character is a digit or a numeral of any script. 三 is a word, and 〇 is written in words."""
    return character.isdigit() or (character != "〇" and unicodedata.category(character) in {"No", "Nl"})


def _is_identity(token: str) -> bool:
    """Tell whether letters and digits in one word may name a person or an account."""
    letters = re.sub(r"[0.-]+", " ", token).lower().split()
    return token.count("0") >= _MANY_DIGITS and not _UNITS.issuperset(letters)


def _without_name(text: str, name: str) -> str:
    """Return a text without a customer's name."""
    exact, folded = _name_patterns(name)
    for pattern in exact:
        text = pattern.sub(_NAME, text)
    for pattern in folded:
        # Case and accents are folded character by character, so that places are the same in both.
        for found in reversed(list(pattern.finditer(_plain_letters(text)))):
            text = f"{text[: found.start()]}{_NAME}{text[found.end() :]}"
    return text


@lru_cache(maxsize=256)
def _name_patterns(name: str) -> tuple[tuple[re.Pattern[str], ...], tuple[re.Pattern[str], ...]]:
    """Return what finds a name: patterns for the text as it is, and patterns for the folded text."""
    parts = _PART.findall(_ENDS_WITH_TITLE.sub("", _tidy(name)))
    chinese = [part for part in parts if _HAN_FIRST.match(part)]
    latin = [_plain_letters(part) for part in parts if _LATIN_FIRST.match(part)]
    latin = [part for part in latin if part not in _TITLES]
    others = [part for part in parts if len(part) >= _SHORTEST_PART and not _HAN_OR_LATIN_FIRST.match(part)]
    exact = [re.compile(_GAP.join(map(re.escape, form))) for form in _longest_first(_chinese_forms(chinese))]
    exact += [_where_called_by(character) for character in _single_characters(chinese)]
    exact += [re.compile(re.escape(part), re.IGNORECASE) for part in _longest_first(others)]
    folded = [_latin_pattern(form) for form in _longest_first(_latin_forms(latin))]
    return tuple(exact), tuple(folded)


def _longest_first(forms: Iterator[str] | list[str]) -> list[str]:
    return sorted(dict.fromkeys(forms), key=len, reverse=True)


def _chinese_forms(parts: list[str]) -> Iterator[str]:
    """Yield the forms of a Chinese name that have two characters or more: whole, given names, compound surname."""
    whole = "".join(parts)
    surname = _surname(whole)
    forms = (whole, *parts, surname, whole[len(surname) :], whole[-2:])
    yield from (form for form in forms if len(form) >= _SHORTEST_PART)


def _surname(whole: str) -> str:
    return whole[:2] if whole[:2] in COMPOUND_SURNAMES else whole[:1]


def _single_characters(parts: list[str]) -> list[str]:
    """Return the surname and the given name if they are one character each."""
    whole = "".join(parts)
    surname = _surname(whole)
    return [part for part in (surname, whole[len(surname) :]) if len(part) == 1]


def _where_called_by(character: str) -> re.Pattern[str]:
    """Return what finds a character where a person is called by it, or where it stands alone."""
    x = re.escape(character)
    return re.compile(
        rf"(?<=[姓阿老]){x}|(?<=我叫){x}|(?<=小){x}(?![{HAN}])|{x}(?={_CHINESE_TITLE})|(?<![{HAN}]){x}(?![{HAN}])"
    )


def _latin_forms(parts: list[str]) -> Iterator[str]:
    """Yield the parts of a Latin name, and neighbouring parts in one word: meiling, johnsmith, smithjohn."""
    for first, last in combinations(range(len(parts) + 1), 2):
        form = "".join(parts[first:last])
        if len(form) >= _SHORTEST_PART:
            yield form
    if len(parts) > 1:
        yield "".join((parts[-1], *parts[:-1]))


def _latin_pattern(form: str) -> re.Pattern[str]:
    if len(form) >= _LONG_PART:
        return re.compile(re.escape(form))
    return re.compile(rf"(?<![{_LATIN}]){re.escape(form)}(?![{_LATIN}])")


def _plain_letters(text: str) -> str:
    """Return a text in small letters without accents, as many characters as before."""
    return "".join(unicodedata.normalize("NFKD", character)[0].casefold()[0] for character in text)


def _written_out(text: str) -> str:
    """Return a text with its placeholders written out, cut where it becomes too long, and not inside a placeholder."""
    written: list[str] = []
    room = LONGEST_MASKED_REPLY
    for character in text:
        piece = PLACEHOLDERS.get(character, character)
        room -= len(piece)
        if room < 0:
            break
        written.append(piece)
    return "".join(written)
