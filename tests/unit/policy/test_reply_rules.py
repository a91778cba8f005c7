"""The rules by which replies are understood: each means what its examples say, and bad files are refused by name."""

from datetime import date
from pathlib import Path

import pytest

from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.reader import PhraseReader
from dunning.policy import PolicyError
from dunning.policy.reply_rules import (
    ReplyLanguageFile,
    RuleFile,
    load_promised_days,
    load_reply_rules,
    read_reply_files,
)

READER = load_reply_rules()
PROMISED_DAYS = load_promised_days()
FILES = read_reply_files()
RULES = [rule for file in FILES.values() for rule in file.rules]
TUESDAY = date(2026, 12, 1)


def sender(rule: RuleFile) -> str:
    return rule.countries[0] if rule.countries else "TW"


def intents(text: str, country: str = "TW", reader: PhraseReader = READER) -> tuple[ReplyIntent, ...]:
    return reader.parse(text, said_on=TUESDAY, phone_country=country).sure


def examples(kind: str) -> list[object]:
    return [pytest.param(rule, text, id=f"{rule.id}: {text}") for rule in RULES for text in getattr(rule, kind)]


@pytest.mark.parametrize(("rule", "text"), examples("means"))
def test_a_reply_has_the_intent_of_the_rule_it_is_an_example_of(rule: RuleFile, text: str) -> None:
    assert rule.intent in intents(text, sender(rule))


@pytest.mark.parametrize(("rule", "text"), examples("does_not"))
def test_a_reply_that_only_looks_like_it_has_not(rule: RuleFile, text: str) -> None:
    assert rule.intent not in intents(text, sender(rule))


WAYS = [days for file in FILES.values() for days in file.days]


def days_named(*, promised: bool) -> list[object]:
    """Return the examples of ways to name a day: of all of them, or of those that need no promise."""
    return [
        pytest.param(text, day, id=f"{days.id}: {text}")
        for days in WAYS
        if promised or not days.promised
        for text, day in days.means.items()
    ]


def days_unclear(*, promised: bool) -> list[object]:
    return [
        pytest.param(text, id=f"{days.id}: {text}")
        for days in WAYS
        if promised or not days.promised
        for text in days.unclear
    ]


@pytest.mark.parametrize(("text", "day"), days_named(promised=False))
def test_a_day_that_is_named_is_the_day_of_the_promise(text: str, day: date) -> None:
    understood = READER.parse(text, said_on=TUESDAY, phone_country="TW")
    assert ReplyIntent.PROMISE in understood.sure
    assert understood.promised_on == day


@pytest.mark.parametrize("text", days_unclear(promised=False))
def test_a_promise_whose_day_is_unclear_names_none(text: str) -> None:
    understood = READER.parse(text, said_on=TUESDAY, phone_country="TW")
    assert ReplyIntent.PROMISE in understood.sure
    assert understood.promised_on is None


@pytest.mark.parametrize(("text", "day"), days_named(promised=True))
def test_a_day_that_is_named_is_the_promised_day(text: str, day: date) -> None:
    assert PROMISED_DAYS.promised_day(text, said_on=TUESDAY, phone_country="TW") == day


@pytest.mark.parametrize("text", days_unclear(promised=True))
def test_a_promise_with_an_unclear_day_is_for_no_day(text: str) -> None:
    assert PROMISED_DAYS.promised_day(text, said_on=TUESDAY, phone_country="TW") is None


def test_a_rule_for_some_countries_holds_for_no_other() -> None:
    limited = [rule for rule in RULES if rule.countries]
    assert limited
    for rule in limited:
        assert rule.intent not in intents(rule.means[0], "US"), rule.id


@pytest.mark.parametrize("file", [pytest.param(file, id=language) for language, file in FILES.items()])
def test_every_language_can_say_the_most_important_things(file: ReplyLanguageFile) -> None:
    intents_in_file = {rule.intent for rule in file.rules}
    if file.language == "common":
        assert intents_in_file == {ReplyIntent.OPT_OUT, ReplyIntent.OPT_IN, ReplyIntent.QUESTION}
    else:
        assert intents_in_file >= {
            ReplyIntent.OPT_OUT,
            ReplyIntent.PAID,
            ReplyIntent.PROMISE,
            ReplyIntent.HARDSHIP,
            ReplyIntent.COMPLAINT,
        }


def test_every_rule_says_where_it_is_from() -> None:
    assert {rule.mark for rule in RULES} <= {"V", "V2", "M", "D"}
    assert all("our own" in rule.source for rule in RULES if rule.mark == "D" and "CTIA" not in rule.source)


GOOD_RULE = (
    'id = "one"\nintent = "paid"\nsource = "a test"\nmark = "D"\n'
    'alone = ["paid"]\nmeans = ["paid"]\ndoes_not = ["no"]\n'
)
DAY = '[[days]]\nid = "d"\nis = "day"\n'
HEAD = 'language = "en"\n[figures]\nmonth_first = []\n[[rules]]\n'


@pytest.mark.parametrize(
    ("written", "refusal"),
    [
        ("language = ", "replies/en.toml: not TOML"),
        (HEAD.replace('"en"', '"fr"') + GOOD_RULE, "replies/en.toml:1: language: is not 'en', as the file's name says"),
        (HEAD + GOOD_RULE.replace("alone", "alon"), "rules.0.alon: is no key here"),
        (HEAD + GOOD_RULE.replace('"paid"\nsource', '"payed"\nsource'), "rules.0.intent: Input should"),
        (HEAD + GOOD_RULE.replace('mark = "D"', 'mark = "X"'), "replies/en.toml:8: rules.0.mark: Input should"),
        (HEAD + GOOD_RULE.replace('source = "a test"\n', ""), "rules.0.source: Field required"),
        (HEAD + GOOD_RULE.replace('means = ["paid"]\n', ""), "rules.0.means: Field required"),
        (HEAD + GOOD_RULE.replace('["no"]', "[]"), "rules.0.does_not: Tuple should have at least 1"),
        (HEAD + GOOD_RULE.replace('alone = ["paid"]\n', ""), "has none of bare, alone, says and with_day"),
        (HEAD + GOOD_RULE + 'except = ["x"]\n', "except is about says and with_day: it has neither"),
        (HEAD + GOOD_RULE + 'with_day = ["pay"]\n', "with_day is for promises"),
        (HEAD + GOOD_RULE.replace('["paid"]\nmeans', '["paid?"]\nmeans'), "alone: 'paid?': a pattern has a word"),
        (HEAD + GOOD_RULE.replace('["paid"]\nmeans', '[".. paid"]\nmeans'), "a pattern does not begin with a gap"),
        (HEAD + GOOD_RULE.replace('["paid"]\nmeans', '["a|| b"]\nmeans'), "has no word in one of its choices"),
        (HEAD + GOOD_RULE.replace('["paid"]\nmeans', '["{dya}"]\nmeans'), "{dya} stands for nothing"),
        (HEAD + GOOD_RULE.replace('["paid"]\nmeans', '["{weekday}"]\nmeans'), "{weekday} has no names in this file"),
        (HEAD + GOOD_RULE.replace('"one"', '"stop-words"'), "id: stop-words is there twice: also in replies/common"),
        (HEAD + GOOD_RULE + "[[rules]]\n" + GOOD_RULE, "rules.1.id: one is there twice: also in replies/en.toml:5"),
        ('tails = ["plan"]\n' + HEAD + GOOD_RULE, "replies/en.toml:1: tails: 'plan' does not hold one {tail}"),
        (HEAD + GOOD_RULE + DAY + 'says = ["today"]\nunclear = ["x"]\n', "'today' does not read 1 numbers"),
        (HEAD + GOOD_RULE + DAY + 'says = ["the {day}"]\n', "days.0: has no example"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_by_name_field_and_reason(folder: Path, written: str, refusal: str) -> None:
    (folder / "replies" / "en.toml").write_text(written, "utf-8")
    with pytest.raises(PolicyError) as refused:
        load_reply_rules(folder)
    assert str(refused.value).startswith("replies/en.toml")
    assert refusal in str(refused.value)


def test_the_words_for_everybody_have_to_be_there(folder: Path) -> None:
    (folder / "replies" / "common.toml").unlink()
    with pytest.raises(PolicyError, match=r"replies/common\.toml: missing"):
        load_reply_rules(folder)


def test_a_language_of_texts_without_an_opt_out_line_is_refused(folder: Path) -> None:
    texts = folder / "texts" / "en.toml"
    texts.write_text(texts.read_text("utf-8").replace("opt_out_line", "line"), "utf-8")
    with pytest.raises(PolicyError, match=r"texts/en\.toml:\d+: opt_out_line: missing"):
        load_reply_rules(folder)


def test_what_a_folder_says_is_what_its_reader_knows(folder: Path) -> None:
    (folder / "replies" / "en.toml").write_text(
        HEAD + GOOD_RULE.replace("paid", "zorp").replace('"zorp"', '"paid"', 1), "utf-8"
    )
    assert intents("Zorp!", reader=load_reply_rules(folder)) == (ReplyIntent.PAID,)
    assert intents("Zorp!") == ()
