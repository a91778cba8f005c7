"""What a fixed word is, rule by rule, with a small language of our own: a word or two for each kind."""

import pytest

from dunning.domain.replies.fixed_words import ANYWHERE, FixedWord, FixedWords
from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.phrases import Pattern, Vocabulary, compiled
from dunning.domain.replies.tokens import clauses_of, words_of
from dunning.domain.texts.lint.folding import Characters, Folding

FOLDING = Folding(Characters({}, {}))


def patterns(*written: str) -> tuple[Pattern, ...]:
    return tuple([compiled(text, FOLDING, Vocabulary({}, {}, {})) for text in written])


WORDS = [
    FixedWord("start", ReplyIntent.OPT_IN, bare=patterns("start", "start stop")),
    FixedWord("stop", ReplyIntent.OPT_OUT, alone=patterns("stop", "stop now"), heads=(("stop",), ("opt", "out"))),
    FixedWord("gone", ReplyIntent.DECEASED, alone=patterns("gone", "now", "stop for good", "{start} halt")),
    FixedWord("letters", ReplyIntent.OPT_OUT, bare=patterns("td"), countries=frozenset({"CN"})),
]
FIXED = FixedWords(WORDS, patterns("please", "thank you", "stop", "{start} well"),
                   patterns("card no? {tail}", "last 4? {tail}", "{tail} card", "{start} gone {tail} {end}"),
                   frozenset({"euros"}))  # fmt: skip


def found(text: str, country: str = "TW") -> str:
    """Return the id of the fixed word that a reply consists of."""
    words = words_of(text, FOLDING)
    reading = [word.text for word in words]
    tails = FIXED.account_digits(words, reading, clauses_of(words))
    word = FIXED.of_whole_reply(text, reading, tails, country)
    return word.id if word else ""


def with_name(text: str) -> str:
    return FIXED.with_name(text, [word.text for word in words_of(text, FOLDING)])


def digits(text: str) -> list[str]:
    """Return the digits of the accounts that a text names."""
    words = words_of(text, FOLDING)
    reading = [word.text for word in words]
    return [reading[place.read[0]] for place in FIXED.account_digits(words, reading, clauses_of(words))]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("start", "start"),
        ("stop", "stop"),
        ("stop now", "stop"),
        ("please stop", "stop"),
        ("stop, thank you", "stop"),
        ("please stop, thank you please", "stop"),
        ("stop stop", "stop"),
        ("well, stop", "stop"),
        ("stop, well", ""),
        ("halt", "gone"),
        ("please halt", ""),
        ("please", ""),
        ("thank you", ""),
        ("thank stop", ""),
        ("stop the noise", ""),
        ("the stop", ""),
        ("", ""),
    ],
)
def test_nothing_stands_beside_a_fixed_word_but_polite_words(text: str, word: str) -> None:
    assert found(text) == word


@pytest.mark.parametrize("text", ["please start", "start please", "start card 5678", "td please"])
def test_nothing_at_all_stands_beside_a_bare_word(text: str) -> None:
    assert found(text, "CN") == ""


@pytest.mark.parametrize(
    "text", ["stop card 5678", "card 5678 stop", "stop 5678 card", "stop card no 5678 please", "5678 card, please stop"]
)
def test_the_digits_of_an_account_may_stand_beside_a_fixed_word(text: str) -> None:
    assert found(text) == "stop"


def test_the_digits_of_an_account_may_follow_a_fixed_word_that_leads_to_them() -> None:
    assert found("gone 5678") == "gone"
    assert found("gone 56789") == ""


@pytest.mark.parametrize("text", ["stop card", "stop card 5678 card", "card 5678", "stop card 5678 euros"])
def test_of_an_account_nothing_else_may_stand_there(text: str) -> None:
    assert found(text) == ""


def test_the_longest_phrase_counts() -> None:
    assert found("stop for good") == "gone"
    assert found("stop now") == "stop"
    assert found("now") == "gone"


def test_of_words_that_mean_different_things_the_opt_out_counts() -> None:
    assert found("start stop") == "start"
    assert found("gone stop") == "stop"
    assert found("stop gone") == "stop"
    assert found("gone gone") == "gone"


@pytest.mark.parametrize(("country", "word"), [("CN", "letters"), ("TW", ""), (ANYWHERE, "letters")])
def test_a_word_of_one_country_counts_for_its_numbers_only(country: str, word: str) -> None:
    assert found("td", country) == word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("stop 98765", "stop"),
        ("STOP +886 900 000 001", "stop"),
        ("stop (02) 2345-6789", ""),
        ("stop 02/2345.6789", "stop"),
        ("  stop  98765  ", "stop"),
        ("stop 98", ""),
        ("stop 987", "stop"),
        ("stop 98765 euros", ""),
        ("stop 98765 and the rest", ""),
        ("gone 98765", ""),
        ("98765 stop", ""),
        ("98765", ""),
        ("stop " + "9" * 25, "stop"),
        ("stop " + "9" * 26, ""),
    ],
)
def test_any_number_may_follow_a_word_that_carriers_answer_themselves(text: str, word: str) -> None:
    assert found(text) == word


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("STOP John Smith", "stop"),
        ("stop John", "stop"),
        ("stop Mary Ann Smith", "stop"),
        ("stop Mary Ann Lee Smith", ""),
        ("stop John W. Smith", ""),
        ("Stop Jr. Smith", "stop"),
        ("stop  Élodie Šmíd", "stop"),
        ("stop john Smith", ""),
        ("stop John smith", ""),
        ("stop JOHN", ""),
        ("stop", ""),
        ("", ""),
        ("John Smith", ""),
        ("gone John", ""),
        ("stop 98765", ""),
        ("opt-out John", "stop"),
        ("opt John", ""),
    ],
)
def test_up_to_three_capitalised_words_behind_such_a_word_are_a_name(text: str, word: str) -> None:
    assert with_name(text) == word


@pytest.mark.parametrize(
    ("text", "accounts"),
    [
        ("card 5678", ["5678"]),
        ("card 5678 is mine", ["5678"]),
        ("my card no 5678, thanks", ["5678"]),
        ("card 1234. card 5678", ["1234", "5678"]),
        ("card 5678 euros", []),
        ("card 5678 1234", []),
        ("card 5678 5,000", []),
        ("card 5678, 1234", ["5678"]),
        ("last 4 5678", ["5678"]),
        ("card 5678, euros", ["5678"]),
        ("5678 card or 12", ["5678"]),
        ("my 5678 card", ["5678"]),
        ("card $5678", []),
        ("card NT$ 5678", []),
        ("card ¥ 5678", []),
        ("card #5678", ["5678"]),
        ("5678", []),
    ],
)
def test_digits_name_an_account_unless_they_are_an_amount_or_part_of_a_longer_number(
    text: str, accounts: list[str]
) -> None:
    assert digits(text) == accounts
