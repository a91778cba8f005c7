"""Quotations against the plainest search: every passage of ours laid beside every place of a reply."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dunning.domain.replies.phrases import PhraseMatcher, Vocabulary, compiled
from dunning.domain.replies.quotes import Quotes
from dunning.domain.replies.tokens import Clause, Word
from dunning.domain.texts.lint.folding import Characters, Folding

INSTRUCTION = compiled("reply stop", Folding(Characters({}, {})), Vocabulary({}, {}, {}))
NO_INSTRUCTION: PhraseMatcher[None] = PhraseMatcher([])


def weight(words: Sequence[str]) -> int:
    """Weigh words: Latin words twice, Chinese characters and numbers once."""
    return sum(2 if word in {"stop", "pay", "reply", "now"} else 1 for word in words)


def quoted_plainly(text: Sequence[Word], passages: Sequence[Sequence[str]]) -> set[int]:
    words, hidden, at = [word.text for word in text], set[int](), 0
    while at < len(words):
        longest = 0
        for passage in passages:
            for place in range(len(passage)):
                run = 0
                while words[at + run : at + run + 1] == list(passage[place + run : place + run + 1]) != []:
                    run += 1
                enough = 4 if text[at].quoted else 10
                if run == len(passage):
                    enough = min(enough, 6)
                if run >= 3 and weight(words[at : at + run]) >= enough:
                    longest = max(longest, run)
        hidden |= set(range(at, at + longest))
        at += max(longest, 1)
    return hidden


words = st.sampled_from(["stop", "pay", "reply", "now", "已", "繳", "請", "5", "1234"])
passages = st.lists(st.lists(words, min_size=1, max_size=12), max_size=3)


@st.composite
def replies(draw: st.DrawFn, ours: list[list[str]]) -> list[Word]:
    """Draw a reply that repeats parts of our passages between words of its own."""
    text: list[str] = []
    for passage in draw(st.lists(st.sampled_from(ours or [["now"]]), max_size=3)):
        begin = draw(st.integers(0, min(3, len(passage))))
        text += [*draw(st.lists(words, max_size=2)), *passage[begin : draw(st.integers(begin, len(passage)))]]
    marked = draw(st.booleans())
    return [Word(word, 1, marked) for word in text]


@given(st.data())
def test_what_is_quoted_is_what_laying_the_texts_side_by_side_finds(data: st.DataObject) -> None:
    ours, theirs = data.draw(passages), data.draw(passages)
    text = data.draw(replies([*ours, *theirs]))
    hidden = Quotes(ours, NO_INSTRUCTION).hidden(text, [Clause(0, len(text))], theirs)
    assert hidden == quoted_plainly(text, ours) | quoted_plainly(text, theirs)


@given(st.lists(words, min_size=1, max_size=12))
@example(["已", "繳", "請", "5", "已", "繳"])  # six characters are enough for a whole passage
@example(["已", "繳", "請", "5", "已"])
@example(["stop", "pay", "now"])
@example(["stop", "pay"])
def test_a_whole_passage_is_a_quotation_if_it_weighs_enough(passage: list[str]) -> None:
    text = [Word(word, 1) for word in ["now", *passage]]
    expected = quoted_plainly(text, [passage])
    assert Quotes([passage], NO_INSTRUCTION).hidden(text, [Clause(0, len(text))], ()) == expected


@pytest.mark.parametrize(
    ("count", "marked", "is_quoted"),
    [(9, False, False), (10, False, True), (3, True, False), (4, True, True)],
)
def test_ten_characters_are_a_quotation_and_four_in_a_marked_line(count: int, *, marked: bool, is_quoted: bool) -> None:
    passage = list("請於期限前繳款若已繳納請忽略")
    text = [Word(word, 1, marked) for word in passage[:count]]
    assert Quotes([passage], NO_INSTRUCTION).hidden(text, [Clause(0, count)], ()) == set(range(count * is_quoted))


def test_our_instruction_how_to_opt_out_is_always_a_quotation_within_a_clause() -> None:
    quotes = Quotes([], PhraseMatcher([(INSTRUCTION, None)]))
    text = [Word(word, 1) for word in ["now", "reply", "stop", "reply", "stop"]]
    assert quotes.hidden(text, [Clause(0, 5)], ()) == {1, 2, 3, 4}
    assert quotes.hidden(text, [Clause(0, 2), Clause(2, 5)], ()) == {3, 4}
    assert quotes.hidden(text, [], ()) == set()


def test_of_two_passages_that_begin_alike_the_longer_is_the_quotation() -> None:
    longer = ["pay", "now", "or", "reply", "stop", "please", "thanks"]
    shorter = longer[:3]
    text = [Word(word, 1) for word in longer]
    for ours in ([longer, shorter], [shorter, longer]):
        assert Quotes(ours, NO_INSTRUCTION).hidden(text, [Clause(0, len(text))], ()) == set(range(len(longer)))


def test_two_words_are_no_quotation_though_a_passage_ends_with_them() -> None:
    passage = ["reply", "stop", "or", "pay", "now"]
    text = [Word(word, 1, quoted=True) for word in passage[-2:]]
    assert Quotes([passage], NO_INSTRUCTION).hidden(text, [Clause(0, len(text))], ()) == set()
