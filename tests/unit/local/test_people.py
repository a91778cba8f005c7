"""People of the sample write replies of the exams that fit who they are, what they do, and the day."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.replies.intents import ReplyIntent
from tests.local.people import (
    Answer,
    Writer,
    answer_to,
    distance,
    exams,
    fits_day,
    moved_to,
    replies_for,
    shares_of,
)
from training.corpus import TRAIN, LabelledReply, read_corpus
from training.evaluate import EVERYDAY

AT = datetime(2026, 11, 17, 2, tzinfo=UTC)
TUESDAY = date(2026, 11, 17)
TAIPEI = ZoneInfo("Asia/Taipei")
SHORT = 12
"""A shorter text, such as OK, is everybody's."""
MONEY = {ReplyIntent.PAID, ReplyIntent.PROMISE}


def a_reply(text: str, promised_on: date | None = None, language: str = "en", country: str = "US") -> LabelledReply:
    return LabelledReply("somebody", language, country, TUESDAY, (ReplyIntent.PROMISE,), promised_on, text)


def answers(pays_in: timedelta | None, language: str = "zh-Hant", country: str = "TW") -> list[Answer]:
    """Return what a thousand customers answer to their first text."""
    writers = (
        Writer(f"+8869{number:08}", language, country, TAIPEI, AT + pays_in if pays_in is not None else None)
        for number in range(1000)
    )
    return [answer for writer in writers if (answer := answer_to(writer, 1, AT))]


def intents_of(answered: list[Answer]) -> Counter[ReplyIntent]:
    return Counter(intent for answer in answered for intent in answer.written.intents)


def test_nobody_writes_what_the_reader_was_trained_on_or_what_was_written_to_friends() -> None:
    taught = {reply.text.lower() for reply in read_corpus(TRAIN)}
    assert exams()
    assert not [reply.text for reply in exams() if len(reply.text) > SHORT and reply.text.lower() in taught]
    assert EVERYDAY not in {reply.writer for reply in exams()}


def test_most_texts_are_not_answered_and_the_same_number_writes_the_same_again() -> None:
    assert 100 < len(answers(None)) < 200
    assert answers(None) == answers(None)


def test_who_has_paid_says_so_and_who_will_pay_promises_it() -> None:
    has_paid, will_pay = intents_of(answers(timedelta(hours=12))), intents_of(answers(timedelta(days=5)))
    assert has_paid.most_common(1)[0][0] is ReplyIntent.PAID
    assert not has_paid[ReplyIntent.PROMISE]
    assert will_pay.most_common(1)[0][0] is ReplyIntent.PROMISE
    assert not will_pay[ReplyIntent.PAID]


def test_others_say_all_there_is_to_say() -> None:
    heard_of = intents_of([answer for language in ("zh-Hant", "zh-Hans", "en") for answer in answers(None, language)])
    assert len(heard_of) > 12
    assert shares_of(None).keys() == set(ReplyIntent)
    assert shares_of(timedelta(days=60)) == shares_of(None)


def test_most_who_say_they_have_paid_or_will_do_pay_and_a_promise_is_kept_by_its_day() -> None:
    about_money = [answer for answer in answers(None) if MONEY & set(answer.written.intents)]
    paying = [answer for answer in about_money if answer.pays_at]
    assert 0.5 < len(paying) / len(about_money) < 0.9
    for answer in paying:
        assert answer.pays_at is not None
        assert answer.pays_at >= answer.at
        if answer.written.promised_on:
            assert answer.pays_at.astimezone(TAIPEI).date() <= answer.written.promised_on


def test_whose_payment_is_known_to_come_pays_nothing_else() -> None:
    assert not [answer for answer in answers(timedelta(days=5)) if answer.pays_at]


@pytest.mark.parametrize(
    ("text", "promised_on", "day", "fits"),
    [
        ("friday for sure", date(2026, 11, 20), date(2026, 11, 24), True),
        ("friday for sure", date(2026, 11, 20), date(2026, 11, 25), False),
        ("on the 20th", date(2026, 11, 20), date(2026, 11, 24), False),
        ("on the 20th", date(2026, 11, 20), TUESDAY, True),
        ("end of the month", date(2026, 11, 30), date(2026, 11, 24), False),
        ("月底", date(2026, 11, 30), date(2026, 11, 24), False),
        ("十五號", date(2026, 12, 15), date(2026, 11, 24), False),
        ("明天", date(2026, 11, 18), date(2026, 12, 1), True),
        ("when I can", None, date(2026, 11, 25), True),
    ],
)
def test_a_promise_is_written_only_on_a_day_on_which_it_means_the_same(
    text: str,
    promised_on: date | None,
    day: date,
    fits: bool,  # noqa: FBT001
) -> None:
    assert fits_day(a_reply(text, promised_on), day) is fits


def test_a_language_of_which_no_dates_are_known_promises_a_day_on_its_own_day_alone() -> None:
    reply = a_reply("vendredi", date(2026, 11, 20), "fr", "FR")
    assert fits_day(reply, TUESDAY)
    assert not fits_day(reply, TUESDAY + timedelta(days=7))


def test_the_promised_day_moves_with_the_day_of_the_reply() -> None:
    moved = moved_to(a_reply("friday", date(2026, 11, 20)), date(2026, 12, 1))
    assert moved.promised_on == date(2026, 12, 4)
    assert moved_to(a_reply("soon"), date(2026, 12, 1)).promised_on is None


def test_people_write_as_where_they_live_then_in_their_language_then_in_english() -> None:
    spoken = [("zh-HK", "HK"), ("mixed", "HK"), ("zh-HK", "SG"), ("zh-Hant", "TW"), ("en", "GB"), ("fr", "FR")]
    replies = [a_reply("x", language=language, country=country) for language, country in spoken]
    assert [distance(reply, "zh-Hant", "HK") for reply in replies] == [0, 0, 1, 2, 3, 4]
    assert distance(a_reply("x", language="zh-Hant", country="TW"), "zh-Hant", "TW") == 0


@pytest.mark.parametrize("intent", ReplyIntent)
@pytest.mark.parametrize("language", ["zh-Hant", "zh-Hans", "en", "ja"])
def test_there_is_a_reply_with_each_intent_for_everybody_on_each_day(intent: ReplyIntent, language: str) -> None:
    for day in range(7):
        found = replies_for(intent, language, "JP", TUESDAY + timedelta(days=day))
        assert found
        assert all(intent in reply.intents for reply in found)
