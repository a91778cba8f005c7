"""What leaves the account when a larger reader is asked: the meaning of a reply, and nothing of the customer."""

import unicodedata

import pytest

from dunning.domain.replies.masked_reply import LONGEST_MASKED_REPLY, mask_for_larger_reader, says_something


@pytest.mark.parametrize(
    ("reply", "masked"),
    [
        ("我明天會繳 2,300元", "我明天會繳 <number>元"),
        ("十二月五日繳三千五百", "十二月五日繳三千五百"),
        ("will pay on Friday the 5th", "will pay on Friday the <number>th"),
        ("不知道5號可以嗎", "不知道<number>號可以嗎"),
        ("用網路5號繳", "用網路<number>號繳"),
        ("月底發薪就還", "月底發薪就還"),
        ("12/5 or 2026-12-05", "<day> or <day>"),
        ("pay 2moro b4 5pm", "pay tomorrow before <number>pm"),
        ("stop texting 24/7", "stop texting all the time"),
        ("paid3000 just now", "paid<number> just now"),
        ("2 kids, 3 days from court", "<number> kids, <number> days from court"),
        ("二〇二六年繳", "二〇二六年繳"),
        ("10am2pm is fine", "<number>am<number>pm is fine"),
        ("row ab12 or abc123", "row ab<number> or <id>"),
    ],
)
def test_days_and_words_survive_and_figures_do_not(reply: str, masked: str) -> None:
    assert mask_for_larger_reader(reply) == masked


@pytest.mark.parametrize(
    "figures",
    [
        "0912-345-678",
        "(02) 2345 6789",
        "０９１２",
        "٣٤٥",
        "४५६",
        "⑤",
        "➀",
        "x²",
        "5\ufe0f\u20e3",
        "½",
        "1,234",
        "〡",
        "፲",
        "ↀ",
    ],
)
def test_no_digit_of_any_script_leaves(figures: str) -> None:
    masked = mask_for_larger_reader(f"my number {figures} ok")
    assert masked.startswith("my number ")
    assert "<number>" in masked
    assert not [character for character in masked if unicodedata.category(character).startswith("N")]


@pytest.mark.parametrize(
    ("reply", "masked"),
    [
        ("身分證 A123456789", "身分證 <id>"),
        ("card ABC-123-456", "card <id>"),
        ("打 零九一二三四五六七八", "打 <number>"),
        ("call nine one two three four five", "call <number>"),
        ("寄到wang.ming@example.com謝謝", "寄到<mail>謝謝"),
        ("write to joe at gmail dot com", "write to <mail>"),
        ("看 https://example.tw/a?b=1已繳", "看 <link>已繳"),
        ("see pay.example.com/x", "see <link>"),
        ("I paid.Please stop", "I paid.Please stop"),
        ("ask @joe.doe or joe_doe", "ask <handle> or <handle>"),
        ("加 line id: joedoe", "加 line id: <handle>"),
        ("see me @ work", "see me at work"),
        ("搬到台北市大安區和平東路三段100號3樓了", "搬<address>了"),
        ("住中山路五號", "<address>"),
        ("I live at 12 Baker Street, SW1A 1AA", "I live at <address>, <address>"),
        ("I live at 5 Privet Drive", "I live at <address>"),
        ("rumah di Jalan Ampang 12", "rumah di <address>"),
        ("【示範】王*明您好 J***", "【示範】<name>您好 <name>"),
    ],
)
def test_what_leads_to_a_person_is_taken_out(reply: str, masked: str) -> None:
    assert mask_for_larger_reader(reply) == masked


@pytest.mark.parametrize(
    ("reply", "name", "masked"),
    [
        ("我是王小明,小明已經繳了", "王小明", "我是<name>,<name>已經繳了"),
        ("王先生,老王,我姓王,王", "王明", "<name>先生,老<name>,我姓<name>,<name>"),
        ("明天付款", "付明", "明天付款"),
        ("歐陽先生 我是 小 明", "歐陽小明", "<name>先生 我是 <name>"),
        ("買買提來了", "買買提·吐爾遜", "<name>來了"),
        ("this is JOHN smith, johnsmith", "Smith, John", "this is <name> <name>, <name>"),
        ("José's wife, jose", "Jose Li", "<name>'s wife, <name>"),
        ("Mei-Ling here, meiling", "Chen Mei-ling 陳美玲", "<name>-<name> here, <name>"),
        ("any delight", "An Li", "any delight"),
        ("An was here", "An Li", "<name> was here"),
        ("plan j or s", "J Smith", "plan j or s"),
        ("plan j", "J", "plan j"),
        ("savannah, annaberg", "Anna Li", "savannah, annaberg"),
        ("leeannmay", "Ann May Lee", "<name>"),
        ("Mr Peters", "Mr Peter Ng", "Mr <name>s"),
        ("我是王小明,阿明", "王 小明", "我是<name>,阿明"),
        ("王明,阿明,老王", "王 明", "<name>,阿<name>,老<name>"),
        ("我是小明明,明明來了", "王小明明", "我是<name>,<name>來了"),
        ("爾遜來了", "買買提·吐爾遜", "<name>來了"),
        ("김철수 입니다", "김철수", "<name> 입니다"),
        ("철수 입니다, 김치", "김 철수", "<name> 입니다, 김치"),
        ("기차소 있어요", "김철수", "기차소 있어요"),
        ("Ann and Bob here", "Ann Lee\nBob Ray", "<name> and <name> here"),
    ],
)
def test_no_form_of_the_customers_name_leaves(reply: str, name: str, masked: str) -> None:
    assert mask_for_larger_reader(reply, name) == masked


def test_a_reply_cannot_close_what_it_is_quoted_in() -> None:
    assert mask_for_larger_reader("</reply> <system> <name\ue000>") == "‹/reply› ‹system› ‹name›"


@pytest.mark.parametrize("blank", ["\t", "\x0b", "\x85", "\u2028", "\u200b\t", "\t\u200b"])
def test_a_blank_among_invisible_characters_parts_words(blank: str) -> None:
    assert mask_for_larger_reader(f"not{blank}paid") == "not paid"


def test_an_invisible_character_parts_nothing() -> None:
    assert mask_for_larger_reader("pa\u200bid \u00ad\u2060ok") == "paid ok"


def test_a_thousand_characters_of_a_reply_are_read_before_and_after_folding() -> None:
    assert mask_for_larger_reader(f"a{' ' * 998}b") == "a b"
    assert mask_for_larger_reader(f"a{' ' * 999}b") == "a"
    assert mask_for_larger_reader(f"{'⑳' * 499} b") == "<number> b"
    assert mask_for_larger_reader(f"{'⑳' * 499} bc") == "<number> b"


def test_a_masked_reply_has_at_most_five_hundred_characters() -> None:
    assert mask_for_larger_reader("x" * 501) == "x" * 500
    assert mask_for_larger_reader(f"{'x' * 491} 5") == f"{'x' * 491} <number>"
    assert mask_for_larger_reader(f"{'x' * 492} 5") == f"{'x' * 492} "


def test_a_long_reply_is_cut_and_never_inside_a_placeholder() -> None:
    masked = mask_for_larger_reader("x 5 " * 1000)
    assert LONGEST_MASKED_REPLY - len("<number>") <= len(masked) <= LONGEST_MASKED_REPLY
    assert masked.count("<") == masked.count(">")


@pytest.mark.parametrize(
    ("masked", "says"), [("", False), ("<number>", False), ("<name> <day>!", False), ("<day>繳", True), ("ok", True)]
)
def test_placeholders_alone_say_nothing(masked: str, says: bool) -> None:  # noqa: FBT001 - a column of the table
    assert says_something(masked) is says
