"""One verdict stands for all texts of a shape: whatever is filled in, each text judged by itself comes to the same."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dunning.domain.decision.rules import Rules
from dunning.domain.errors import NoTextError
from dunning.domain.texts.compose import AmountDue, ComposedText, compose
from dunning.domain.texts.lint.shapes import ANY_HAN
from dunning.domain.texts.wording import Text, compile_text
from tests.support.builders import IN_MAINLAND_CHINA, a_customer, day, rules_of, the_policies
from tests.support.reminders import the_linter

TODAY = day("2026-12-08")
ENGLISH = {"language": "en"}
CUSTOMERS = {
    "zh-Hant": a_customer(),
    "zh-Hans": a_customer(**IN_MAINLAND_CHINA),
    "en": a_customer(**ENGLISH),
}
TOLD_APART = "法院訴诉起上門门警察局家人您的今日天明回覆复收到期請请勿理會会客戶户忽略"
WORDINGS = sorted(the_policies().texts.items(), key=lambda item: item[1].template)


class EachByItself:
    """The linter of the package, which says nothing of shapes."""

    def __init__(self) -> None:
        self.faults = the_linter().faults
        self.shape_of_name = the_linter().shape_of_name

    def is_faultless_in_shape(self, *_: object) -> bool:
        return False


BY_ITSELF: Any = EachByItself()

NEAR_A_VALUE = st.sampled_from(
    ["", "0", "12", "-", ".", ",", " ", "(", "a", "USD", "$", "【", "】", "。", "/", "|", "!", "@", "x1", "王",
     "法", "院", "訴", "上", "門", "0800", "-000", "123", "回覆", "reply", "today", "今", "¥", "\u200b", "😀", "*", ":"]
)  # fmt: skip
BESIDE = st.tuples(NEAR_A_VALUE, NEAR_A_VALUE)
WORDS = st.one_of(
    st.sampled_from(
        ["官方APP", "in our app", "0800-000-123", "123", "0", "000", "客服", "a.tw/pay", "1", "00-00", "x", "5678"]
    ),
    st.text(st.sampled_from("0123456789-() .,aZ法官方:/@|王"), min_size=1, max_size=14),
)
NAMES = st.one_of(
    st.sampled_from(
        ["王小明", "歐陽大文", "法院", "John Smith", "客戶", "林志", "林", f"{ANY_HAN}大", "訴大上", "𠮷田一郎"]
    ),
    st.text(st.sampled_from([*TOLD_APART, "王", "明", ANY_HAN]), min_size=1, max_size=4),
)
TO_ACCOUNT = st.sampled_from(["ATM {pay_account}", "{pay_account}", "繳至{pay_account}。"])
OPT_OUT = st.sampled_from(["回STOP退訂", " Reply STOP to opt out.", "0800-000-123"])
TAILS = st.one_of(
    st.from_regex(r"[0-9]{4}", fullmatch=True),
    st.text(st.sampled_from("0123456789AZi等"), max_size=5),
)
PAY_ACCOUNTS = st.one_of(st.just(""), st.from_regex(r"[0-9]{3,14}", fullmatch=True))


@st.composite
def wordings(draw: st.DrawFn) -> tuple[tuple[str, int, bool], Text]:
    """Take a wording of the package, and put something beside a few of its values."""
    key, text = draw(st.sampled_from(WORDINGS))
    assume("%%" not in text.pattern)
    first, *following = text.pattern.split("%s")
    spoiled = draw(st.dictionaries(st.integers(0, len(text.placeholders) - 1), BESIDE, max_size=2))
    pieces = [
        f"{before}{{{name}}}{after}{words}"
        for at, (name, words) in enumerate(zip(text.placeholders, following, strict=True))
        for before, after in [spoiled.get(at, ("", ""))]
    ]
    return key, compile_text(text.template, first + "".join(pieces))


@st.composite
def changes(draw: st.DrawFn, language: str) -> dict[str, Any]:
    """Say other things about the lender, and let a text hold other things."""
    changed = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "two_way": st.booleans(),
                "numbers_to_call_allowed": st.booleans(),
                "signature_by_carrier": st.booleans(),
                "pay": WORDS.map(lambda words: {language: words}),
                "hotline": WORDS.map(lambda words: {language: words}),
                "sender_name": WORDS.map(lambda words: {language: words}),
                "pay_to_account": TO_ACCOUNT.map(lambda words: {language: words}),
                "opt_out_line": OPT_OUT.map(lambda words: {language: words}),
            },
        )
    )
    few = draw(st.sets(st.sampled_from(sorted(changed)), max_size=2)) if changed else set()
    return {name: changed[name] for name in few} | {"max_parts": draw(st.integers(1, 4)), "registered": None}


def outcome(name: str, rules: Rules, stage: int, due: AmountDue, language: str) -> ComposedText | tuple[object, str]:
    facts = replace(CUSTOMERS[language], name=name)
    try:
        return compose(facts, rules, stage, due, TODAY)
    except NoTextError as refused:
        return refused.reason, refused.message % refused.values
    except UnicodeEncodeError:
        return "not UTF-8", ""


@st.composite
def amounts(draw: st.DrawFn, *, several: bool) -> AmountDue:
    total = draw(st.integers(1, 10**9))
    return AmountDue(
        total=total,
        instalments=draw(st.integers(2, 30)) if several else 1,
        late_fee=0,
        currency=draw(st.sampled_from(["TWD", "CNY", "USD", "JPY", "INR", "HKD", "???"])),
        due_on=TODAY - timedelta(days=draw(st.integers(-400, 400))),
        tail=draw(TAILS),
        others=draw(st.booleans()),
        pay_account=draw(PAY_ACCOUNTS),
    )


@pytest.mark.slow(reason="wordings, lenders and customers of every kind")
@given(wordings(), st.data())
def test_a_text_is_judged_by_its_shape_as_by_itself(
    case: tuple[tuple[str, int, bool], Text], data: st.DataObject
) -> None:
    key, text = case
    language, stage, several = key
    changed = data.draw(changes(language))
    usual = replace(rules_of(CUSTOMERS[language]), texts={key: text}, texts_with_fee={}, **changed)
    by_itself = replace(usual, linter=BY_ITSELF)
    for _ in range(2):
        name = data.draw(NAMES)
        due = data.draw(amounts(several=several))
        assert outcome(name, usual, stage, due, language) == outcome(name, by_itself, stage, due, language)
