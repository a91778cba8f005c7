"""Shapes of texts: what no rule tells apart is alike, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from dunning.domain.errors import NoTextError
from dunning.domain.texts.compose import AmountDue, body_of, compose, draft
from dunning.domain.texts.lint import ArrivingText, Characters, LinkData, Linter
from dunning.domain.texts.lint.shapes import (
    ANY_HAN,
    is_neutral,
    shape_of_name,
    shape_of_values,
    values_in_shape,
    values_stand_alone,
)
from dunning.domain.texts.wording import TextVariant, compile_text
from tests.support.builders import a_customer, day, rules_of
from tests.support.reminders import a_message, the_linter

TODAY = day("2026-12-08")
DUE = AmountDue(
    total=335_000, instalments=1, late_fee=0, currency="TWD", due_on=day("2026-12-01"), tail="5678", others=False
)
GOOD = "{name}您好，分期{tail}的{amount}於{date}到期未入帳，請用{pay}繳款，已繳請忽略，有困難請電{hotline}"


def outcome(wording: str, due: AmountDue = DUE, name: str = "王小明", **changes: Any) -> str:  # noqa: ANN401 - fields
    """Compose a text in these words, and tell which rules stop it."""
    facts = a_customer(name=name)
    texts = {("zh-Hant", 3, False): compile_text("zh-Hant/test@1", wording)}
    try:
        compose(facts, replace(rules_of(facts), texts=texts, texts_with_fee={}, **changes), 3, due, TODAY)
    except NoTextError as refused:
        return refused.message % refused.values
    return ""


def test_digits_are_alike_and_nothing_else_is() -> None:
    assert shape_of_values(["12/5", "NT$3,250"]) == shape_of_values(["09/8", "NT$7,999"])
    for other in (["12/15", "NT$3,250"], ["12-5", "NT$3,250"], ["12/5", "US$3,250"], ["12/5", "NT$3,25A"]):
        assert shape_of_values(["12/5", "NT$3,250"]) != shape_of_values(other)


def test_a_shape_gives_back_as_many_values_unless_one_holds_what_stands_between_them() -> None:
    assert values_in_shape(shape_of_values(["王*明", "5678", ""])) == ["王*明", "0000", ""]
    assert len(values_in_shape(shape_of_values(["a\0b", "c"]))) == 3
    assert values_in_shape(shape_of_values(["\ud800"])) == ["\ud800"]


def test_a_character_of_a_name_that_no_rule_looks_for_is_like_any_other() -> None:
    assert shape_of_name("王*明", "法院") == f"{ANY_HAN}*{ANY_HAN}"
    assert shape_of_name("法*明", "法院") == f"法*{ANY_HAN}"
    assert shape_of_name("\u4e00*\u9fff", "") == f"{ANY_HAN}*{ANY_HAN}"


def test_what_takes_the_place_of_two_in_a_segment_or_is_not_chinese_stays() -> None:
    assert shape_of_name("𠮷*J·。", "") == "𠮷*J·。"


@pytest.mark.parametrize("name", ["客戶", "客户"])
def test_the_greeting_of_a_customer_without_a_name_stays(name: str) -> None:
    assert the_linter().shape_of_name(name) == name


def test_no_rule_of_the_package_tells_a_digit_from_another() -> None:
    assert is_neutral(the_linter()._told_apart)  # noqa: SLF001 - what all of it rests on
    assert not is_neutral("法7")
    assert not is_neutral(ANY_HAN)


def test_each_character_that_a_rule_looks_for_is_told_apart() -> None:
    apart = the_linter()._told_apart  # noqa: SLF001 - as above
    assert {*"法院訴诉", *"回覆回复今天未入帳", *"客戶客户"} <= apart


def shape(text: str, **values: str) -> tuple[ArrivingText, dict[str, int]]:
    """Return a message in which each value stands where it is found first."""
    filled = {"amount": "NT$0", "tail": "0000", "date": "0/0", "hotline": "0800-1"} | values
    return a_message(text=text, values=filled), {name: text.find(value) for name, value in filled.items()}


def test_values_stand_alone_where_no_number_goes_on() -> None:
    assert values_stand_alone(*shape("尾號0000，NT$0，0/0，洽0800-1"))


@pytest.mark.parametrize(
    "text",
    [
        "尾號00005，NT$0，0/0，洽0800-1",
        "尾號0000，NT$0.5，0/0，洽0800-1",
        "尾號0000，NT$0，50/0，洽0800-1",
        "尾號0000，NT$0，0/0，洽5-0800-1",
    ],
)
def test_a_value_that_is_a_part_of_a_number_does_not_stand_alone(text: str) -> None:
    assert not values_stand_alone(*shape(text))


@pytest.mark.parametrize("missing", ["amount", "tail", "date", "hotline"])
def test_a_value_of_which_no_place_is_known_does_not_stand_alone(missing: str) -> None:
    message, places = shape("尾號0000，NT$0，0/0，洽0800-1")
    del places[missing]
    assert not values_stand_alone(message, places)


@pytest.mark.parametrize(
    ("hotline", "text"),
    [
        ("1234", "尾號0000，NT$0，0/0，洽1234"),
        ("0000", "尾號0000，NT$0，0/0，洽0000"),
        ("1-2", "1-3，尾號0000，NT$0，0/0，洽1-2"),
        ("1-2", "尾號0000，NT$0，0/0，洽1-2，3-4"),
        ("王12", "尾號0000，NT$0，0/0，洽王12"),
    ],
)
def test_a_hotline_does_not_stand_alone_if_it_may_stand_there_twice(hotline: str, text: str) -> None:
    message, places = shape(text, hotline=hotline)
    assert not values_stand_alone(message, places | {"hotline": text.find("洽") + 1})


@pytest.mark.parametrize(
    ("hotline", "text"),
    [
        ("12345", "尾號0000，NT$0，0/0，洽12345"),
        ("1-2", "尾號0000，NT$0，0/0，洽1-2"),
        ("分行", "尾號0000，NT$0，0/0，洽分行"),
        ("12行", "尾號0000，NT$0，0/0，洽12行"),
    ],
)
def test_a_hotline_stands_alone_if_no_other_words_can_be_the_same(hotline: str, text: str) -> None:
    message, places = shape(text, hotline=hotline)
    assert values_stand_alone(message, places | {"hotline": text.find("洽") + 1})


GOOD_SHAPE = (
    f"【示範分期】{ANY_HAN}*{ANY_HAN}您好，分期0000的NT$0,000將於00/0到期，請用官方APP繳款，已繳請忽略，"
    "有困難請電0800-000-123"
)
IN_SHAPE = {"name": f"{ANY_HAN}*{ANY_HAN}", "tail": "0000", "amount": "NT$0,000", "date": "00/0"}
PHRASES = the_linter()._phrases["zh-Hant"]  # noqa: SLF001 - what the files say


def is_faultless(linter: Linter, text: str = GOOD_SHAPE) -> bool:
    message = a_message(text=text, values=IN_SHAPE)
    return linter.is_faultless_in_shape(message, {name: text.find(value) for name, value in message.values.items()})


def test_a_shape_is_faultless_if_it_is_complete_and_nothing_in_it_has_to_be_read() -> None:
    assert is_faultless(the_linter()) is True
    assert is_faultless(the_linter(), GOOD_SHAPE.replace("已繳請忽略，", "")) is False
    assert is_faultless(the_linter(), GOOD_SHAPE.replace("已繳", "未繳會起訴，已繳")) is False
    assert is_faultless(the_linter(), GOOD_SHAPE.replace("的NT$", "0的NT$")) is False


@pytest.mark.parametrize("word", ["協商0", "困難7", f"{ANY_HAN}困難"])
def test_no_shape_is_faultless_for_a_linter_that_looks_for_what_stands_for_others(word: str) -> None:
    def linter(*more: str) -> Linter:
        phrases = {"zh-Hant": PHRASES._replace(help=(*PHRASES.help, *more))}
        return Linter((), Characters({}, {}), LinkData((), frozenset()), phrases)

    assert is_faultless(linter())
    assert not is_faultless(linter(word))


def test_a_faultless_text_is_sent_whatever_is_filled_in() -> None:
    assert outcome(GOOD) == ""
    assert outcome(GOOD, DUE._replace(tail="0042", total=1_00), name="John") == ""


def test_an_account_that_runs_on_is_not_shown_although_a_year_has_as_many_digits() -> None:
    in_a_year = DUE._replace(due_on=day("2028-01-05"))
    assert "what-account" in outcome(GOOD.replace("{tail}", "{tail}9"), in_a_year)


def test_a_name_that_makes_a_phrase_with_what_follows_is_judged_by_itself() -> None:
    wording = GOOD.replace("{name}", "{name}覆", 1)
    assert outcome(wording, two_way=False) == ""
    assert "reply-in-vain" in outcome(wording, name="王小回", two_way=False)


def test_a_text_that_is_too_long_for_one_customer_is_sent_to_another() -> None:
    filled = GOOD.format(
        name="王*明", tail="5678", amount="NT$3,350", date="12/1", pay="官方APP", hotline="0800-000-123"
    )
    wording = "請" * (2 * 67 - len(f"【示範分期】{filled}")) + GOOD
    assert outcome(wording, max_parts=2) == ""
    assert "takes 3 segments" in outcome(wording, DUE._replace(total=10_000_00), max_parts=2)
    assert "takes 3 segments" in outcome(wording, name="𠮷小明", max_parts=2)


def test_a_number_to_call_is_found_in_the_customers_own_account() -> None:
    to_account: dict[str, Any] = {
        "numbers_to_call_allowed": False,
        "pay_to_account": {"zh-Hant": "ATM {pay_account}"},
        "hotline": {"zh-Hant": "分行"},
    }
    assert outcome(GOOD, **to_account) == ""
    assert "number to call" in outcome(GOOD, DUE._replace(pay_account="12345"), **to_account)
    assert outcome(GOOD, DUE._replace(pay_account="12"), **to_account) == ""


def test_a_value_with_what_stands_between_values_is_judged_by_itself() -> None:
    assert "invisible-character" in outcome(GOOD, DUE._replace(tail="5\0"))


@pytest.mark.parametrize(
    "wording",
    [
        GOOD,
        "{name}您好，分期{tail}應於{date}繳{amount}，未入帳，請用{pay}繳款，已繳請忽略，有困難請電{hotline}",
        "{name}您好，分期{tail}的{amount}於{date}到期，{days}天未入帳，請用{pay}繳款，已繳請忽略，有困難請電{hotline}",
    ],
)
def test_an_arm_says_the_same_whether_or_not_the_usual_words_are_known(wording: str) -> None:
    facts, key = a_customer(), ("zh-Hant", 3, False)
    other = TextVariant({key: compile_text("zh-Hant/other@1", wording)}, {})
    usual_texts = {key: compile_text("zh-Hant/test@1", GOOD)}
    rules = replace(rules_of(facts), texts=usual_texts, texts_with_fee={}, variants={"other": other})
    usual = draft(facts, rules, 3, DUE, TODAY)
    arm = draft(facts, rules, 3, DUE, TODAY, "other", usual)
    assert arm == draft(facts, rules, 3, DUE, TODAY, "other")
    assert arm.template == "zh-Hant/other@1"
    assert body_of(arm, rules) == compose(facts, rules, 3, DUE, TODAY, variant="other").body
    assert compose(facts, rules, 3, DUE, TODAY).template == "zh-Hant/test@1"


def test_what_is_handed_over_lacks_the_signature_that_the_carrier_adds() -> None:
    facts = a_customer()
    texts = {("zh-Hant", 3, False): compile_text("zh-Hant/test@1", GOOD)}
    rules = replace(rules_of(facts), texts=texts, texts_with_fee={}, signature_by_carrier=True)
    message = compose(facts, rules, 3, DUE, TODAY)
    assert (
        body_of(draft(facts, rules, 3, DUE, TODAY), rules)
        == message.body
        == message.arriving.removeprefix("【示範分期】")
    )
