"""No promise is for a day before it is made, no text breaks the reader of days, and a long text costs no more."""

from datetime import date, timedelta
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dunning.policy.reply_files import load_promised_days, read_reply_files

READER = load_promised_days()
TUESDAY = date(2026, 12, 1)
DATES = st.dates(date(2000, 1, 1), date(2900, 12, 31))
COUNTRIES = st.sampled_from(["TW", "US", "CN", "HK", "GB", "MX", "BR", "FR", "ID", "PH", "ZZ"])

WORDS = """
pay paid will on by friday last 12/5 31/2 115/12/5 5-6 99/99/9999 2026-12-05 not no or and after before the 5th 31st of
next week month end february tomorrow yesterday 5號 下個月 週五 上週五 今晚 月底 初五
除夕 繳 不 會 已 過 或 以後 二十五 十 月 日 年 民國
el viernes pasado mañana dia demain le vendredi prochain besok tgl hb bukas
sa katapusan remind me half rest
black xmas eve in 60 days 3 weeks , . > ? ( )
"""
EXAMPLES = [text for file in read_reply_files().values() for days in file.days for text in (*days.means, *days.unclear)]
PIECES = st.sampled_from([*WORDS.split(), *EXAMPLES, "\n"])


def check(text: str, said_on: date, country: str, *ours: str) -> None:
    day = READER.promised_day(text, said_on=said_on, phone_country=country, our_texts=ours)
    mentions = READER.mentions(text, said_on=said_on, phone_country=country, our_texts=ours)
    assert day is None or day >= said_on
    assert day is None or day in [mention.date for mention in mentions if mention.certain and not mention.is_past]
    assert all(mention.date is None or mention.date >= said_on for mention in mentions)


@given(st.text(max_size=2000), DATES, COUNTRIES, st.text(max_size=200))
@example("\ud800friday\udfff", TUESDAY, "TW", "")
@example("२०२६ will pay on २/३", TUESDAY, "TW", "²")
@example("99999999999999999999號 0號 00/00 2026/13/45", TUESDAY, "TW", "")
def test_no_text_breaks_the_reader_of_days(text: str, said_on: date, country: str, ours: str) -> None:
    check(text, said_on, country, ours)


@given(st.lists(PIECES, max_size=30), DATES, COUNTRIES)
def test_a_promised_day_is_never_before_the_day_of_writing(pieces: list[str], said_on: date, country: str) -> None:
    check(" ".join(pieces), said_on, country)


@given(DATES.filter(lambda day: day.year < 2900), st.integers(0, 300))
def test_a_day_written_in_full_is_that_day(said_on: date, days: int) -> None:
    day = said_on + timedelta(days=days)
    for text in (f"{day.isoformat()} 會繳", f"{day.year}年{day.month}月{day.day}日繳", f"I'll pay {day:%Y/%m/%d}"):
        assert READER.promised_day(text, said_on=said_on, phone_country="TW") == day


@given(st.sampled_from(["friday ", "5號", "a 5 ", "the 5th or ", "no ", "下", "週五或", "1,", "5-", "{", "二十"]))
def test_a_hostile_text_costs_no_more_than_its_first_thousand_characters(piece: str) -> None:
    check(piece * 400, TUESDAY, "TW")
    check(piece * 40_000, TUESDAY, "TW")


@pytest.mark.slow(reason="reads long texts several times, to compare how long they take")
@pytest.mark.parametrize("piece", ["friday ", "5號", "the 5th or ", "下個月", "二十"])
def test_the_time_is_linear_in_the_length_of_a_text(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        took = []
        for _ in range(5):
            began = process_time()
            for _ in range(10):
                READER.promised_day(text, said_on=TUESDAY, phone_country="TW")
            took.append(process_time() - began)
        return min(took)

    assert seconds(1000) < 12 * seconds(200)
