"""The words by which replies are read: each means what its examples say, and bad files are refused by name."""

from datetime import date
from pathlib import Path

import pytest

from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.local_reader import LocalReader
from dunning.policy import PolicyError
from dunning.policy.reply_files import (
    FixedWordFile,
    ReplyLanguageFile,
    load_promised_days,
    load_reply_reader,
    read_reply_files,
)

READER = load_reply_reader()
PROMISED_DAYS = load_promised_days()
FILES = read_reply_files()
WORDS = [word for file in FILES.values() for word in file.fixed_words]
TUESDAY = date(2026, 12, 1)


def sender(word: FixedWordFile) -> str:
    return word.countries[0] if word.countries else "TW"


def fixed(text: str, country: str = "TW", reader: LocalReader = READER) -> tuple[ReplyIntent, ...]:
    """Return what a fixed word settles, in the whole reply or on a line of it."""
    parsed = reader.parse(text, said_on=TUESDAY, phone_country=country)
    return parsed.sure if parsed.why and parsed.why[0].startswith("fixed word") else ()


def examples(kind: str) -> list[object]:
    return [pytest.param(word, text, id=f"{word.id}: {text}") for word in WORDS for text in getattr(word, kind)]


@pytest.mark.parametrize(("word", "text"), examples("means"))
def test_a_fixed_word_is_settled(word: FixedWordFile, text: str) -> None:
    assert word.intent in fixed(text, sender(word))


@pytest.mark.parametrize(("word", "text"), examples("does_not"))
def test_a_reply_that_only_looks_like_a_fixed_word_is_not_settled(word: FixedWordFile, text: str) -> None:
    assert word.intent not in fixed(text, sender(word))


WAYS = [days for file in FILES.values() for days in file.days]


NAMED = [pytest.param(text, day, id=f"{days.id}: {text}") for days in WAYS for text, day in days.means.items()]
UNCLEAR = [pytest.param(text, id=f"{days.id}: {text}") for days in WAYS for text in days.unclear]


@pytest.mark.parametrize(("text", "day"), NAMED)
def test_a_day_that_is_named_is_the_promised_day(text: str, day: date) -> None:
    assert PROMISED_DAYS.promised_day(text, said_on=TUESDAY, phone_country="TW") == day


@pytest.mark.parametrize("text", UNCLEAR)
def test_a_promise_with_an_unclear_day_is_for_no_day(text: str) -> None:
    assert PROMISED_DAYS.promised_day(text, said_on=TUESDAY, phone_country="TW") is None


def test_a_word_for_some_countries_holds_for_no_other() -> None:
    limited = [word for word in WORDS if word.countries]
    assert limited
    for word in limited:
        assert word.intent not in fixed(word.means[0], "US"), word.id


@pytest.mark.parametrize("file", [pytest.param(file, id=language) for language, file in FILES.items()])
def test_every_language_has_a_word_that_stops_us(file: ReplyLanguageFile) -> None:
    intents_in_file = {word.intent for word in file.fixed_words}
    assert ReplyIntent.OPT_OUT in intents_in_file
    assert intents_in_file <= {ReplyIntent.OPT_OUT, ReplyIntent.OPT_IN, ReplyIntent.QUESTION}


def test_every_word_says_where_it_is_from() -> None:
    assert {word.mark for word in WORDS} <= {"V", "V2", "M", "D"}
    assert all("our own" in word.source for word in WORDS if word.mark == "D" and "CTIA" not in word.source)


GOOD_WORD = (
    'id = "one"\nintent = "opt_in"\nsource = "a test"\nmark = "D"\n'
    'alone = ["paid"]\nmeans = ["paid"]\ndoes_not = ["no"]\n'
)
NAMES = f"[names]\nweekdays = {[['a']] * 7}\nmonths = {[['b']] * 12}\n"
DAY = '[[days]]\nid = "d"\nis = "day"\n'
HEAD = 'language = "en"\n[figures]\nmonth_first = []\n[[fixed_words]]\n'


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        ("language = ", "replies/en.toml: not TOML"),
        (HEAD.replace('"en"', '"fr"') + GOOD_WORD, "replies/en.toml:1: language: is not 'en', as the file's name says"),
        (HEAD + GOOD_WORD.replace("alone", "alon"), "fixed_words.0.alon: is no key here"),
        (HEAD + GOOD_WORD.replace('"opt_in"', '"optin"'), "fixed_words.0.intent: Input should"),
        (HEAD + GOOD_WORD.replace('mark = "D"', 'mark = "X"'), "replies/en.toml:8: fixed_words.0.mark: Input should"),
        (HEAD + GOOD_WORD.replace('source = "a test"\n', ""), "fixed_words.0.source: Field required"),
        (HEAD + GOOD_WORD.replace('means = ["paid"]\n', ""), "fixed_words.0.means: Field required"),
        (HEAD + GOOD_WORD.replace('["no"]', "[]"), "fixed_words.0.does_not: Tuple should have at least 1"),
        (HEAD + GOOD_WORD.replace('alone = ["paid"]\n', ""), "has neither bare nor alone"),
        (HEAD + GOOD_WORD.replace('["paid"]\nmeans', '["paid?"]\nmeans'), "alone: 'paid?': a pattern has a word"),
        (HEAD + GOOD_WORD.replace('["paid"]\nmeans', '[".. paid"]\nmeans'), "a pattern does not begin with a gap"),
        (HEAD + GOOD_WORD.replace('["paid"]\nmeans', '["a|| b"]\nmeans'), "has no word in one of its choices"),
        (HEAD + GOOD_WORD.replace('["paid"]\nmeans', '["{dya}"]\nmeans'), "{dya} stands for nothing"),
        (HEAD + GOOD_WORD.replace('["paid"]\nmeans', '["{weekday}"]\nmeans'), "{weekday} has no names in this file"),
        (HEAD + GOOD_WORD.replace('"one"', '"stop-words"'), "id: stop-words is there twice: also in replies/common"),
        (HEAD + GOOD_WORD + "[[fixed_words]]\n" + GOOD_WORD, "1.id: one is there twice: also in replies/en.toml:5"),
        ('tails = ["plan"]\n' + HEAD + GOOD_WORD, "replies/en.toml:1: tails: 'plan' does not hold one {tail}"),
        (
            HEAD + GOOD_WORD.replace('["paid"]\nmeans', '["{day}"]\nmeans') + NAMES + '[names.numbers]\n"?" = 3\n',
            "the name '?' has no word",
        ),
        (HEAD + GOOD_WORD + DAY + 'says = ["today"]\nunclear = ["x"]\n', "'today' does not read 1 numbers"),
        (HEAD + GOOD_WORD + DAY + 'says = ["the {day}"]\n', "days.0: has no example"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_by_name_field_and_reason(folder: Path, written: str, refusal: str) -> None:
    (folder / "replies" / "en.toml").write_text(written, "utf-8")
    with pytest.raises(PolicyError) as refused:
        load_reply_reader(folder)
    assert str(refused.value).startswith("replies/en.toml")
    assert refusal in str(refused.value)


def test_the_words_for_everybody_have_to_be_there(folder: Path) -> None:
    (folder / "replies" / "common.toml").unlink()
    with pytest.raises(PolicyError, match=r"replies/common\.toml: missing"):
        load_reply_reader(folder)


def test_a_language_of_texts_without_an_opt_out_line_is_refused(folder: Path) -> None:
    texts = folder / "texts" / "en.toml"
    texts.write_text(texts.read_text("utf-8").replace("opt_out_line", "opt_out"), "utf-8")
    with pytest.raises(PolicyError, match=r"texts/en\.toml:\d+: opt_out_line: missing"):
        load_reply_reader(folder)


def test_what_a_folder_says_is_what_its_reader_knows(folder: Path) -> None:
    (folder / "replies" / "en.toml").write_text(HEAD + GOOD_WORD.replace("paid", "zorp"), "utf-8")
    assert fixed("Zorp!", reader=load_reply_reader(folder)) == (ReplyIntent.OPT_IN,)
    assert fixed("Zorp!") == ()
