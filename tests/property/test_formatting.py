"""Names, account numbers, amounts and dates: whatever they are, they are masked, exact and sendable."""

import re
import unicodedata
from datetime import date
from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from dunning.domain.texts.masking import COMPOUND_SURNAMES, NO_NAME, account_tail, greeting_name, mask_name
from dunning.domain.texts.money import MINOR_DIGITS, format_date, format_money, minor_digits
from dunning.domain.texts.segments import is_gsm

LANGUAGES = st.sampled_from(["zh-Hant", "zh-Hans", "en"])
HAN = st.sampled_from("王李張陳歐陽司馬東方南宮百里何可小明大文美麗買提")
ANY_NAME = st.one_of(
    st.text(max_size=20),
    st.text(HAN, max_size=6),
    st.text("王小明 David·.()（）先生😀かな김", max_size=14),
    st.text("Aé ł'-.ßﬁ", max_size=8),
)
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))
REFUSED_BY_CARRIERS = set("¥￥₹€£★【】\u00a0\u202f\u2009")


def letters(text: str) -> list[str]:
    return [c.casefold() for c in unicodedata.normalize("NFKC", text) if c.isalpha()]


@given(ANY_NAME)
@example("!!!")
@example("O")
@example("先生")
def test_a_masked_name_has_two_to_four_characters_one_of_them_a_star(name: str) -> None:
    masked = mask_name(name)
    assert 2 <= len(masked) <= 4
    assert "*" in masked


@given(ANY_NAME)
def test_a_masked_name_shows_nothing_that_is_not_in_the_name(name: str) -> None:
    shown = letters(mask_name(name).replace("*", ""))
    # The capital of a letter may be another letter's: ı and I.
    assert set(shown) <= {c for letter in letters(name) for c in (*letter, *letter.upper().casefold())}


@given(st.text(HAN, min_size=2, max_size=6))
def test_of_a_chinese_name_the_surname_is_shown_and_at_most_half_of_the_given_name(name: str) -> None:
    surname = 2 if len(name) > 2 and name[:2] in COMPOUND_SURNAMES else 1
    masked = mask_name(name)
    shown = len(masked.replace("*", ""))
    assert masked[:surname] == name[:surname]
    assert shown - surname <= (len(name) - surname) / 2


@given(st.text("abcdefghijklmnopqrstuvwxyzéłñАяがカ김 '-", max_size=20))
def test_of_any_other_name_at_most_half_is_shown(name: str) -> None:
    assert len(mask_name(name).replace("*", "")) <= len(letters(name)) / 2


@given(ANY_NAME, st.sampled_from(sorted(NO_NAME)))
def test_everybody_is_greeted_somehow_in_four_characters_at_most(name: str, language: str) -> None:
    greeted = greeting_name(name, language)
    assert 2 <= len(greeted) <= 4
    assert greeted in {mask_name(name), NO_NAME[language]}


@given(st.text(max_size=30) | st.text("0123456789-／ ٣५A", max_size=24))
def test_an_account_shows_four_characters_at_most_and_never_more_than_half(number: str) -> None:
    tail = account_tail(number)
    of_the_number = [c for c in unicodedata.normalize("NFKC", number) if c.isalnum()]
    assert len(tail) <= 4
    assert len(tail) <= len(of_the_number) / 2
    assert all(c.isalnum() for c in tail)
    assert all(c in "0123456789" for c in tail if c.isdecimal())


@given(st.integers(-(10**13), 10**13), st.sampled_from(sorted(MINOR_DIGITS)), LANGUAGES)
@example(99_999, "INR", "en")
@example(100_000, "INR", "en")
@example(-5, "TWD", "zh-Hant")
def test_every_amount_reads_back_as_the_minor_units_it_was_written_from(
    amount: int, currency: str, language: str
) -> None:
    written = format_money(amount, currency, language)
    assert not set(written) & REFUSED_BY_CARRIERS
    assert language != "en" or is_gsm(written)
    figures = re.sub(r"[^0-9.-]", "", written.replace(",", ""))
    assert Decimal(figures) * 10 ** minor_digits(currency) == amount


@given(DAYS, DAYS, LANGUAGES, st.sampled_from(["TW", "HK", "MO", "CN", "US", "PH", "GB", "DE"]))
def test_every_date_names_its_month_and_day_without_a_second_reading(
    day: date, today: date, language: str, country: str
) -> None:
    written = format_date(day, today, language, country)
    assert not set(written) & REFUSED_BY_CARRIERS
    assert str(day.day) in re.findall(r"\d+", written)
    assert (str(day.year) in written) is (abs((day - today).days) > 300)
    assert ("/" in written) is (language == "zh-Hant" and country == "TW")
    if language == "en":
        assert is_gsm(written)
        assert day.strftime("%b") in written
