"""The day of a promise is the day that the customer means: none of the past, and none of a reminder."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from dunning.domain.replies.dates import DateKind
from dunning.policy.reply_files import load_promised_days

READER = load_promised_days()
TUESDAY = date(2026, 12, 1)


def promised(text: str, country: str = "TW", said_on: date = TUESDAY, our_texts: Sequence[str] = ()) -> date | None:
    return READER.promised_day(text, said_on=said_on, phone_country=country, our_texts=our_texts)


def december(day: int) -> date:
    return date(2026, 12, day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("end of next week no, make it the 26th", december(26)),
        ("I'll pay Thursday, no, Friday, promise", december(4)),
        ("明天不行 後天吧", december(3)),
        ("下週... 不，這個禮拜三", december(2)),
        ("el jueves, perdón, el viernes", december(4)),
        ("not this friday, friday of next week", december(11)),
        ("20號左右…好啦就20號", december(20)),
    ],
)
def test_of_a_correction_the_later_day_counts(text: str, day: date) -> None:
    assert promised(text) == day


@pytest.mark.parametrize(
    "text",
    [
        "the 5th or 6th",
        "5號或6號",
        "5、6號",
        "half on Friday and the rest on the 15th",
        "後天先繳一半，月底再繳剩下的",
        "mañana o pasado",
        "demain ou après-demain",
        "after the 10th",
        "10號以後",
        "depois do dia 10",
        "next week",
        "soon",
        "when I get paid",
        "等發薪",
        "este fin de semana",
    ],
)
def test_two_days_or_a_day_not_named_are_no_day(text: str) -> None:
    assert promised(text) is None


@pytest.mark.parametrize(
    "text", ["12/20以前", "20號之前", "by the 20th", "before the 20th", "avant le 20", "até dia 20"]
)
def test_a_day_to_pay_by_is_the_day(text: str) -> None:
    assert promised(text) == december(20)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("SSDI hits on the 15th, then you'll have it", december(15)),
        ("15號領薪水就繳", december(15)),
        ("cobro la quincena el 15 y les deposito", december(15)),
        ("dia 10 cai o salário e eu pago", december(10)),
        ("jeudi je touche ma paie et je vous paie", december(3)),
    ],
)
def test_the_day_of_the_money_is_the_day_of_the_payment(text: str, day: date) -> None:
    assert promised(text) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("paid half on Monday, the rest on Friday", december(4)),
        ("昨天繳了一半，剩下10號繳", december(10)),
        ("my dad died yesterday, will pay on the 12th", december(12)),
        ("remind me on the 9th, I'll pay on the 10th", december(10)),
        ("10號發薪會繳，但請9號再傳一次簡訊提醒我", december(10)),
        ("告別式在14號，我回來20號去繳", december(20)),
        ("le 29, mon salaire arrive le 28", december(29)),
        ("dia 17 eu pago, a loja vai estar aberta no sábado?", december(17)),
    ],
)
def test_days_of_something_else_do_not_count(text: str, day: date) -> None:
    assert promised(text) == day


def test_what_the_reply_quotes_does_not_count() -> None:
    ours = "Your instalment of NT$3,000 is due on 12/05. Pay at FamilyMart, by transfer or in the app."
    assert promised(f"> {ours}\nFriday works", our_texts=[ours]) == december(4)


@pytest.mark.parametrize(
    ("text", "country", "day"),
    [
        ("12/5會繳", "TW", december(5)),
        ("will pay 12/5", "US", december(5)),
        ("will pay 12/5", "GB", None),  # the 12th of May is long past
        ("will pay 5/12", "GB", december(5)),
        ("115/12/5會繳", "TW", december(5)),
        ("民國115年12月5日", "TW", december(5)),
        ("12/10(四)匯", "TW", december(10)),
        ("付3000，20號補", "TW", december(20)),
        ("pago el 05-12", "MX", december(5)),
    ],
)
def test_figures_are_read_as_the_country_writes_them(text: str, country: str, day: date | None) -> None:
    if day is None:
        day = date(2027, 5, 12)
    assert promised(text, country) == day


def test_a_weekday_in_brackets_parts_the_date_before_it_from_the_hour_behind_it() -> None:
    assert promised("12/11(五)10點前繳") == december(11)


@pytest.mark.parametrize(
    ("text", "kind", "is_past"),
    [
        ("paid it yesterday", DateKind.PAST, True),
        ("on Friday I paid", DateKind.WEEKDAY, True),
        ("上週五繳的", DateKind.PAST, True),
        ("今天已繳", DateKind.TODAY, True),
        ("paid this morning", DateKind.TODAY, True),
        ("transferred on 11/28", DateKind.FIGURES, True),
        ("ya pagué el viernes", DateKind.WEEKDAY, True),
        ("will pay on Friday", DateKind.WEEKDAY, False),
        ("今天會繳", DateKind.TODAY, False),
        ("pago mañana", DateKind.TOMORROW, False),
    ],
)
def test_a_day_with_a_past_verb_is_past(text: str, kind: DateKind, is_past: bool) -> None:  # noqa: FBT001 - of the table
    mentions = READER.mentions(text, said_on=TUESDAY, phone_country="TW")
    assert [(day.kind, day.is_past) for day in mentions] == [(kind, is_past)]
    if is_past:
        assert promised(text) is None


def test_a_mention_says_how_certain_it_is() -> None:
    certain, vague = (
        READER.mentions(text, said_on=TUESDAY, phone_country="TW")[0] for text in ("on the 5th", "after the 5th")
    )
    assert certain == (DateKind.DAY, december(5), False, True)
    assert vague == (DateKind.DAY, december(5), False, False)


@pytest.mark.parametrize(
    ("text", "said_on", "day"),
    [
        ("Friday", date(2026, 12, 4), date(2026, 12, 11)),
        ("這禮拜五繳", date(2026, 12, 6), date(2026, 12, 11)),
        ("下週五繳", date(2026, 12, 4), date(2026, 12, 11)),
        ("月底繳", date(2026, 12, 31), date(2026, 12, 31)),
        ("the 31st", date(2027, 2, 1), None),
        ("Black Friday", date(2026, 11, 19), date(2026, 11, 27)),
        ("Black Friday", date(2026, 11, 28), date(2027, 11, 26)),
        ("大年初五開工那天匯", date(2027, 1, 29), date(2027, 2, 10)),
        ("大年初五開工那天匯", date(2026, 8, 1), None),
        ("雙十那天", date(2026, 10, 11), date(2027, 10, 10)),
    ],
)
def test_a_day_is_seen_from_the_day_of_writing(text: str, said_on: date, day: date | None) -> None:
    assert promised(text, said_on=said_on) == day


def test_nothing_behind_a_thousand_characters_is_read() -> None:
    assert promised("x " * 400 + "friday") == TUESDAY + timedelta(days=3)
    assert promised("x " * 600 + "friday") is None
