"""No disguise hides a forbidden word, no ordinary value makes a good text bad, and the quick look misses nothing."""

import tomllib
from datetime import date, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.texts.lint import ArrivingText, Severity
from dunning.domain.texts.lint.content import CHECKS, PHRASE_CHECKS, is_complete
from dunning.domain.texts.lint.linter import Linter
from dunning.domain.texts.masking import account_tail, greeting_name
from dunning.domain.texts.money import MINOR_DIGITS, format_date, format_money
from dunning.domain.texts.wording import render
from dunning.policy.linter_files import LinterFile
from tests.devtools.characters import converted
from tests.support.builders import the_policies
from tests.support.reminders import a_message, staged_reminders, the_linter, with_words

FILE = LinterFile.model_validate(tomllib.loads((files("dunning.policy") / "data" / "linter.toml").read_text("utf-8")))
CHINESE = [(rule.id, word) for rule in FILE.words if rule.severity == "block" for word in rule.zh]
ENGLISH = [(rule.id, word) for rule in FILE.words if rule.severity == "block" for word in rule.en]
SCRIPTS = ("s2t", "s2tw", "s2hk", "t2s")

UNSEEN = ["\u200b", "\u200d", "\u00ad", "\u2060", "\ufeff", "\ufe0f", "\u202e", "\u034f", "\U000e0101", "\u3164"]
BETWEEN_HAN = [
    "",
    " ",
    "  ",
    "\u3000",
    "\n",
    "-",
    "*",
    ".",
    "_",
    "·",
    "~",
    "/",
    "|",
    " - ",
    "❤",
    "、",
    "(",
    "\u00a0",
    *UNSEEN,
]
BETWEEN_LETTERS = [" ", ".", "-", "_", "*", " . ", "\u00a0", "·"]
LOOKALIKES = {
    "a": "аαɑａ𝐚ⓐ@4", "b": "ᖯ𝐛8", "c": "сϲｃ", "e": "еεｅ𝗲3", "g": "ɡ9", "h": "һ𝘩", "i": "іιI1!", "j": "ј𝓳",
    "l": "ӏI1|ⅼ", "m": "ｍм", "n": "ո𝑛", "o": "оοｏ0", "p": "рρ", "r": "гｒ", "s": "ѕｓ5$", "t": "тτ7", "u": "υｕ",
    "v": "ν", "w": "ѡｗ", "x": "х", "y": "уｙ",
}  # fmt: skip
LEET = frozenset("@48390!1|5$7")
READ_WHOLE_ONLY = frozenset("alstdmi")
"""A word of these letters alone is not read from single letters: each of them is common on its own."""
SURROUNDINGS = [("", ""), ("請", "謝謝"), ("您將面對 ", " 。"), ("。", "，"), ("（", "）"), ("【示範】", "")]


@st.composite
def disguised_chinese(draw: st.DrawFn) -> tuple[str, str]:
    rule, word = draw(st.sampled_from(CHINESE))
    forms = [word, *(converted(word, direction) for direction in SCRIPTS)]
    written = ""
    for index in range(len(word)):
        if index:
            written += draw(st.sampled_from(BETWEEN_HAN)) + draw(st.sampled_from(["", *UNSEEN]))
        written += draw(st.sampled_from(forms))[index]
    before, after = draw(st.sampled_from(SURROUNDINGS))
    return rule, f"{before}{written}{after}"


@st.composite
def disguised_word(draw: st.DrawFn, word: str) -> str:
    looks, spaced = draw(st.booleans()), draw(st.booleans()) and len(word) > 2 and not set(word) <= READ_WHOLE_ONLY
    letters: list[str] = []
    for letter in word:
        other = draw(st.sampled_from([letter, letter.upper(), *(LOOKALIKES.get(letter, "") if looks else "")]))
        # A digit or a sign passes for a letter only among letters, once in a word here, and not at either end.
        among_letters = 0 < len(letters) < len(word) - 1 and not spaced and LEET.isdisjoint(letters)
        letters.append(other if among_letters or other not in LEET else letter)
    return draw(st.sampled_from(BETWEEN_LETTERS if spaced else ["", *UNSEEN])).join(letters)


@st.composite
def disguised_english(draw: st.DrawFn) -> tuple[str, str]:
    rule, phrase = draw(st.sampled_from(ENGLISH))
    spelled = [draw(disguised_word(word)) for word in phrase.split()]
    before, after = draw(st.sampled_from(SURROUNDINGS))
    return rule, f"{before}{draw(st.sampled_from([' ', '  ', '-'])).join(spelled)}{after}"


def rules_in(linter: Linter, message: ArrivingText) -> set[str]:
    return {finding.rule for finding in linter.faults(message)}


@given(disguised_chinese())
def test_a_chinese_word_is_found_in_any_disguise(case: tuple[str, str]) -> None:
    rule, written = case
    assert rule in {finding.rule for finding in the_linter().wording(written, "zh-Hant")}
    assert rule in rules_in(the_linter(), with_words(written, "zh-Hant"))


@given(disguised_english())
def test_an_english_word_is_found_in_any_disguise(case: tuple[str, str]) -> None:
    rule, written = case
    assert rule in {finding.rule for finding in the_linter().wording(written, "en")}
    assert rule in rules_in(the_linter(), with_words(written, "zh-Hant"))


FAMILY = ["王", "陳", "欧阳", "歐陽", "林", "张", "買", "𠮷", "Smith", "O'Neil", "Ñandú", "Йован", "Øst", "Ng"]
names = st.one_of(
    st.builds("".join, st.tuples(st.sampled_from(FAMILY), st.text("小明大文美麗志强国", min_size=1, max_size=3))),
    st.builds(
        "{} {}".format,
        st.sampled_from(["John", "Émile", "Ana-María", "Zoë", "Łukasz", "Anne", "Sue", "Jean-Luc"]),
        st.sampled_from(FAMILY),
    ),
    st.text(min_size=1, max_size=20).filter(lambda name: name.strip() and name.strip()[0].isalpha()),
)
today = date(2026, 12, 1)


@st.composite
def ordinary_messages(draw: st.DrawFn) -> ArrivingText:
    policies = the_policies()
    (language, stage, several), text = draw(
        st.sampled_from(sorted(policies.texts.items(), key=lambda item: item[1].template))
    )
    lender = draw(
        st.sampled_from([lender.policy for lender in policies.lenders.values() if language in lender.policy.languages])
    )
    name = draw(names)
    due = today - timedelta(days=draw(st.integers(-3, 700)) if stage > 0 else -draw(st.integers(0, 400)))
    tail = account_tail(draw(st.from_regex(r"[0-9A-Z]{0,20}[0-9]{8}", fullmatch=True)))
    currency = draw(st.sampled_from(sorted(MINOR_DIGITS)))
    values = {
        "tail": tail + (policies.and_others[language] if several else ""),
        "amount": format_money(draw(st.integers(1, 10**10)), currency, language),
        "date": format_date(due, today, language, draw(st.sampled_from(["TW", "CN", "HK", "US", "GB"]))),
        "days": str((today - due).days),
        "count": str(draw(st.integers(2, 60))),
        "pay": lender.pay[language],
        "hotline": draw(st.sampled_from([str(policies.lenders["demo-tw"].policy.hotline), "our branch"])),
    }
    if language != "en":
        values["name"] = greeting_name(name, language)
    body = render(text, {name: values[name] for name in text.placeholders})
    two_way = draw(st.booleans())
    lines = policies.opt_out_lines if two_way else policies.opt_out_lines_without_replies
    opt_out = draw(st.sampled_from(["", lines[language]]))
    if opt_out:
        body = f"{body}{'。' if language != 'en' and body[-1] != '。' else ''}{opt_out}"
    sender = lender.sender_name[language]
    signed = f"【{sender}】" if language != "en" or draw(st.booleans()) else f"{sender}: "
    return ArrivingText(
        signed + body,
        language,
        values | {"sender": sender},
        overdue=stage > 0,
        opt_out_line=opt_out,
        links_allowed=False,
        link_domains=frozenset(),
        two_way=two_way,
        due_today=stage == 0,
    )


@given(ordinary_messages())
def test_no_text_of_the_package_is_stopped_whatever_ordinary_values_fill_it(message: ArrivingText) -> None:
    assert list(the_linter().faults(message)) == []


TEXTS = [message.text for message in staged_reminders().values()]
tricky = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *"lawsuit起訴法院上門家人sueIjail.-_ @$!|/。，:;0123456789\n王*【】",
                "court",
                "your ",
                "off",
                "% ",
                "bit",
                "ly",
                "不會",
                " or ",
            ]
        ),
        st.sampled_from([word for _, word in [*CHINESE, *ENGLISH]]),
        st.sampled_from([word[: len(word) // 2] for _, word in ENGLISH]),
        st.sampled_from([*UNSEEN, "¥", "★", "а", "ο", "ｌ", "\ud800", "https://", "a.tw", "😀", "é", "’", "`"]),
    ),
    max_size=8,
).map("".join)


@given(st.sampled_from(["zh-Hant", "zh-Hans", "en"]), st.one_of(tricky, st.text(max_size=12)), st.data())
def test_the_quick_look_never_lets_through_what_reading_would_find(
    language: str, words: str, data: st.DataObject
) -> None:
    good = a_message(language).text
    at = data.draw(st.integers(0, len(good)))
    spoiled = f"{good[:at]}{words}{good[at:]}" if data.draw(st.booleans()) else f"{good[:at]}{good[at + len(words) :]}"
    message = a_message(language, spoiled or "x", overdue=data.draw(st.booleans()))
    read = [finding for finding in the_linter().findings(message) if finding.severity is Severity.BLOCK]
    assert list(the_linter().faults(message)) == read


@given(
    st.sampled_from(["zh-Hant", "zh-Hans", "en"]),
    st.sampled_from(["王*明", "J***", "客戶", "客户", "there", "王小明", ""]),
    st.sampled_from(["5678", "78", "5678等", "5678 etc.", "15678", "15678等", "15678 etc.", ""]),
    st.data(),
)
def test_a_complete_message_is_one_that_each_rule_of_content_lets_through(
    language: str, name: str, tail: str, data: st.DataObject
) -> None:
    draw = data.draw
    good = a_message(language, overdue=draw(st.booleans()))
    values = {**good.values, "tail": tail}
    text = good.text.replace(good.values["tail"], tail)
    if "name" in good.values or draw(st.booleans()):
        text = text.replace(good.values.get("name", "5678"), name)
        values["name"] = name
    spoiled = draw(
        st.sampled_from(["", "忽略", "gnore", "到期", "未入帳", "未到账", "overdue", "due", "困難", "rouble"])
    )
    text = text.replace(spoiled, "") if spoiled else text
    text += draw(st.sampled_from(["", "今天", "today", " Reply STOP to opt out.", "回STOP退訂"]))
    message = good._replace(
        text=text,
        values=values,
        overdue=draw(st.booleans()),
        two_way=draw(st.booleans()),
        due_today=draw(st.booleans()),
    )
    phrases = FILE.languages[language].phrases()
    silent = not any(check(message) for _, check in CHECKS) and not any(
        check(message, phrases) for _, check in PHRASE_CHECKS
    )
    assert is_complete(message, phrases) is silent


@given(st.text(max_size=80), st.sampled_from(["zh-Hant", "zh-Hans", "en"]))
def test_any_text_can_be_judged(text: str, language: str) -> None:
    the_linter().findings(a_message(language, text))
    wording = [finding for finding in the_linter().wording(text, language) if finding.severity is Severity.BLOCK]
    assert list(the_linter().wording_faults(text, language)) == wording


@pytest.mark.parametrize("word", [word for _, word in [*CHINESE, *ENGLISH]])
def test_a_wording_that_only_mentions_a_word_in_a_denial_of_ours_passes(word: str) -> None:
    denial = f"we will never say {word}" if word.isascii() else f"我司絕不會說{word}"
    found = {
        finding.rule for finding in the_linter().wording(denial, "en") if finding.rule not in {"abuse", "gsm-alphabet"}
    }
    assert found <= {rule.id for rule in FILE.words if rule.severity == "warn"}
