"""What the quick look notices, and what it passes: it may see too much, and never too little."""

import pickle
import re

import pytest

from dunning.domain.texts.lint.english import pieces_of
from dunning.domain.texts.lint.folding import Characters, Folding
from dunning.domain.texts.lint.glance import Glance

FOLDING = Folding(Characters({"訴": "诉", "催": "催"}, {}))
PHRASES = [("lawsult",), ("court",), ("flnal", "notlce"), ("#", "off"), ("your", "vlslt", "home")]
CHINESE = ["起诉", "催", "收到警", "#折价", "通知", "到您的"]
GLANCE = Glance(
    CHINESE, PHRASES, pieces_of(part for parts in PHRASES for part in parts), FOLDING, hosts=["bit.ly", "sho.rt"]
)


def is_read(text: str) -> bool:
    return GLANCE.must_be_read(text)


@pytest.mark.parametrize(
    "text", ["a lawsuit", "Lawsuit!", "LAWSUIT", "see (lawsuit)", "notice", "home", "off", "court"]
)
def test_the_most_telling_word_of_a_phrase_is_noticed(text: str) -> None:
    assert is_read(text)


@pytest.mark.parametrize("text", ["Pay now", "lawsuits", "final offer", "your visit", "visit", "often", "%", "# 5"])
def test_other_words_and_the_ordinary_words_of_a_phrase_are_passed(text: str) -> None:
    assert not is_read(text)


@pytest.mark.parametrize("text", ["a bit late", "sho", "bit ly"])
def test_the_most_telling_word_of_a_host_is_noticed(text: str) -> None:
    assert is_read(text)


@pytest.mark.parametrize("text", ["ly", "rt"])
def test_the_other_word_of_a_host_is_passed(text: str) -> None:
    assert not is_read(text)


@pytest.mark.parametrize(
    "text",
    [
        "law suit",
        "law-suit",
        "the cou rt",
        "cou r t",
        "c our",
        "c o u r t",
        "c x",
        "a c the",
        "c the c then",
        "the c then c the",
        "x the law suit",
        "cou the law suit",
    ],
)
def test_two_pieces_of_a_word_are_noticed(text: str) -> None:
    assert is_read(text)


@pytest.mark.parametrize(
    "text", ["law", "law soon", "suit law", "cou the rt", "the cou", "c", "the c", "c the", "our t", "law and order"]
)
def test_a_piece_alone_is_passed(text: str) -> None:
    assert not is_read(text)


@pytest.mark.parametrize(
    "text",
    ["起诉", "將起訴您", "起 诉", "起-訴", "催", "請勿催", "到警", "折价", "起立，起訴", "起立，催", "通知", "到您"],
)
def test_two_characters_of_a_chinese_word_are_noticed_and_a_word_of_one(text: str) -> None:
    assert is_read(text)


@pytest.mark.parametrize("text", ["起", "起立", "上訴", "起，訴", "收到", "警到", "价折", "到期，警告", "不知", "您的"])
def test_other_chinese_words_and_ordinary_pairs_are_passed(text: str) -> None:
    assert not is_read(text)


@pytest.mark.parametrize(
    "text",
    ["pay\u200bnow", "★", "pay`", "pay\tnow", "pay\x00", "¥5", "é", "\ud800", "繳★款", "繳\u200b款", "😀"],
)
def test_odd_characters_are_noticed(text: str) -> None:
    assert is_read(text)


@pytest.mark.parametrize(
    "text", ["pay\nnow", "繳\n款", "“Pay” — now·", "（繳款）【示範】《頁》「好」", "Pay 50%; (now) - ok?"]
)
def test_ordinary_characters_are_passed(text: str) -> None:
    assert not is_read(text)


@pytest.mark.parametrize(
    "text",
    [
        "5pm",
        "|aw",
        "@home",
        "a.tw",
        "x/y",
        "!a",
        "ok..",
        "$$",
        "./",
        "A4",
        "A12",
        "no5, then",
        "no5. Then",
        "no|",
        "app。tw",
        "好app。tw",
    ],
)
def test_what_may_pass_for_a_letter_or_be_a_link_is_noticed(text: str) -> None:
    assert is_read(text)


@pytest.mark.parametrize(
    "text",
    [
        "A123",
        "USD325",
        "no5,000",
        "no5.5",
        "NT$3",
        "a. Tw",
        "app。 tw",
        "app。好",
        "好。tw",
        "。tw",
        "5 pm",
        "ok!",
        "1.5",
    ],
)
def test_other_digits_and_marks_are_passed(text: str) -> None:
    assert not is_read(text)


def test_a_quick_look_is_handed_on_without_its_pattern_and_sees_the_same() -> None:
    GLANCE.get_ready()
    handed_on = pickle.loads(pickle.dumps(GLANCE))
    assert not [name for name, value in vars(handed_on).items() if isinstance(value, re.Pattern)]
    assert handed_on.must_be_read("將起訴您")
    assert not handed_on.must_be_read("起立")


def test_where_nothing_is_looked_for_no_word_is_noticed() -> None:
    nothing = Glance([], [], pieces_of([]), FOLDING, hosts=[])
    nothing.get_ready()
    assert not nothing.must_be_read("起訴 lawsuit 催")
    assert nothing.must_be_read("★")
