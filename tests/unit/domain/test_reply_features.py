"""Features are the same for texts that differ only in how they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.domain.replies.features import LONGEST_READ, features_of, folded_for_features
from dunning.domain.texts.lint.folding import Characters, Folding

FOLDING = Folding(Characters({"繳": "缴", "錢": "钱"}, {}))


def features(text: str) -> set[str]:
    return features_of(folded_for_features(text, FOLDING))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("I'VE PAID", "ive paid"),
        ("paid 300", "paid 450"),
        ("sooooo late", "sooo late"),
        ("ya pagué", "ya pague"),
        ("ＰＡＩＤ", "paid"),
        ("繳錢", "缴钱"),
        ("ok 👍🏽", "ok 👍"),
        ("paid\n  today ", "paid today"),
    ],
)
def test_what_makes_no_difference_to_a_reader_makes_none_here(text: str, same: str) -> None:
    assert features(text) == features(same)


def test_words_neighbours_and_gaps_are_features() -> None:
    assert {"w:not", "b:< not", "b:not paid", "s:not yet", "c:paid", "b:yet >"} <= features("not paid yet")


def test_each_chinese_character_is_a_word() -> None:
    assert {"w:没", "b:没 有", "c:没有"} <= features("没有")


def test_nothing_has_no_features() -> None:
    assert features(" \n\u200b") == set()


@given(st.text())
def test_the_number_of_features_is_bounded_by_the_text(text: str) -> None:
    assert len(features(text)) <= 8 * min(len(text) * 18, LONGEST_READ * 18) + 20


def test_only_the_first_thousand_characters_are_read() -> None:
    assert features("a b " * 250) == features("a b " * 250 + "stop")
