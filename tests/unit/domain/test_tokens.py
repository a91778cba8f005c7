"""The words of a reply and its clauses: what is one word, and where a clause ends."""

import pytest

from dunning.domain.replies.tokens import Clause, Word, clauses_of, without, words_of
from dunning.domain.texts.lint.folding import Characters, Folding

FOLDING = Folding(Characters({}, {}))


def clauses(text: str) -> list[str]:
    """Return the words of each clause, with blanks between."""
    words = [word.text for word in words_of(text, FOLDING)]
    return [" ".join(words[start:end]) for start, end in clauses_of(words_of(text, FOLDING))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("?!", []),
        ("Pay", ["pay"]),
        ("don't", ["dont"]),
        ("I`ll pay", ["ill", "pay"]),
        ("I´ll pay", ["ill", "pay"]),
        ("'pay'", ["pay"]),
        ("3,250.00", ["3,250.00"]),
        ("12/5", ["12/5"]),
        ("15:30-16:00", ["15:30-16:00"]),
        ("12/", ["12"]),
        ("5pm", ["5", "pm"]),
        ("12月5日", ["12", "月", "5", "日"]),
        ("已繳ok", ["已", "繳", "ok"]),
        ("sooo", ["so"]),
        ("soo", ["soo"]),
        ("pleaaaase", ["please"]),
        ("1000", ["1000"]),
        ("é", ["e"]),
    ],
)
def test_a_word_is_of_letters_a_number_or_one_chinese_character(text: str, words: list[str]) -> None:
    assert [word.text for word in words_of(text, FOLDING)] == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s.t.o.p", ["stop"]),
        ("s t o p now", ["stop now"]),
        ("now s-t-o-p", ["now stop"]),
        ("s - t - o - p", ["stop"]),
        ("s -- t -- o -- p", ["s t o p"]),
        ("a b", ["a b"]),
        ("a b c", ["abc"]),
        ("a. b", ["a b"]),
        ("a. b. c", ["abc"]),
        ("s t o p. n o w", ["stopnow"]),
        ("s t o p 1 2 3", ["stop 1 2 3"]),
        ("z z a a", ["zzaa"]),
        ("s t\no p", ["s t", "o p"]),
        ("s t o\np", ["sto", "p"]),
        ("1 a 2 b", ["1 a 2 b"]),
    ],
)
def test_letters_that_stand_alone_are_one_word_from_three_on(text: str, expected: list[str]) -> None:
    assert clauses(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ok bye", ["ok bye"]),
        ("ok - bye", ["ok bye"]),
        ("ok & bye", ["ok bye"]),
        ("ok, bye", ["ok", "bye"]),
        ("ok. bye", ["ok", "bye"]),
        ("ok! bye? yes", ["ok", "bye", "yes"]),
        ("好，再見", ["好", "再 見"]),
        ("ok\nbye", ["ok", "bye"]),
        ("\n\nok", ["ok"]),
        ("jan. 3", ["jan 3"]),
        ("sept. 3", ["sept 3"]),
        ("ok jan. 3", ["ok jan 3"]),
        (". 3", ["3"]),
        ("friday. 3", ["friday", "3"]),
        ("march. 3", ["march", "3"]),
        ("on. 3", ["on", "3"]),
        ("jan.  3", ["jan", "3"]),
        ("jan, 3", ["jan", "3"]),
        ("jan. may", ["jan", "may"]),
        ("...ok", ["ok"]),
    ],
)
def test_a_clause_ends_at_a_mark_and_at_the_end_of_a_line(text: str, expected: list[str]) -> None:
    assert clauses(text) == expected


@pytest.mark.parametrize("emoji", ["\U0001f171", "\u2122", "\u3297", "\u24c2"])
def test_a_picture_of_letters_is_no_word(emoji: str) -> None:
    assert clauses(f"a{emoji}b") == ["a b"]


def test_a_word_knows_its_clause_what_stands_before_it_and_whether_its_line_is_quoted() -> None:
    assert words_of("ok, bye\n > a >b\nc > d", FOLDING) == [
        Word("ok", 1, quoted=False, before=""),
        Word("bye", 2, quoted=False, before=", "),
        Word("a", 3, quoted=True, before=" > "),
        Word("b", 3, quoted=True, before=" >"),
        Word("c", 4, quoted=False, before=""),
        Word("d", 4, quoted=False, before=" > "),
    ]


def test_a_word_spelled_out_stands_where_its_first_letter_stood() -> None:
    assert words_of("no, s t o p", FOLDING) == [
        Word("no", 1, quoted=False, before=""),
        Word("stop", 2, quoted=False, before=", "),
    ]


@pytest.mark.parametrize(
    ("hidden", "left"),
    [
        (set(), [("a1", 1), ("b1", 1), ("c1", 1), ("d1", 1), ("e1", 2)]),
        ({0}, [("b1", 2), ("c1", 2), ("d1", 2), ("e1", 3)]),
        ({1}, [("a1", 1), ("c1", 2), ("d1", 2), ("e1", 3)]),
        ({1, 2}, [("a1", 1), ("d1", 2), ("e1", 3)]),
        ({1, 3}, [("a1", 1), ("c1", 2), ("e1", 4)]),
        ({4}, [("a1", 1), ("b1", 1), ("c1", 1), ("d1", 1)]),
    ],
)
def test_words_around_hidden_ones_belong_to_different_clauses(hidden: set[int], left: list[tuple[str, int]]) -> None:
    assert Word("a1", 1) == Word("a1", 1, quoted=False, before="")
    words = [Word("a1", 1), Word("b1", 1), Word("c1", 1), Word("d1", 1), Word("e1", 2)]
    assert [(word.text, word.clause) for word in without(words, hidden)] == left


def test_the_clauses_of_words_are_where_they_start_and_end() -> None:
    assert clauses_of([]) == []
    assert clauses_of(words_of("ok, see you. bye", FOLDING)) == [Clause(0, 1), Clause(1, 3), Clause(3, 4)]
