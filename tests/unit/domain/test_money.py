"""Money and dates, as customers read them."""

import itertools

import pytest

from dunning.domain.errors import UnknownCurrencyError
from dunning.domain.texts.money import MINOR_DIGITS, format_date, format_money, minor_digits
from dunning.domain.texts.segments import is_gsm
from tests.support.builders import day

LANGUAGES = ("zh-Hant", "zh-Hans", "en")

REFUSED_BY_CARRIERS = set("¥￥₹€£★【】\u00a0\u202f\u2009")
"""Each of these is refused by a platform, costs a segment or misleads."""


@pytest.mark.parametrize(
    ("amount", "currency", "language", "written"),
    [
        pytest.param(325_000, "TWD", "zh-Hant", "NT$3,250", id="Taiwan dollars without cents, as in daily life"),
        pytest.param(325_050, "TWD", "zh-Hant", "NT$3,250.50", id="but never less than the claim says"),
        pytest.param(5, "TWD", "zh-Hant", "NT$0.05", id="five cents are five cents"),
        pytest.param(999_999_900, "TWD", "zh-Hant", "NT$9,999,999", id="millions with separators"),
        pytest.param(325_000, "TWD", "zh-Hans", "新台币3,250元", id="Taiwan dollars for a mainlander"),
        pytest.param(325_000, "TWD", "en", "TWD 3,250", id="Taiwan dollars in English"),
        pytest.param(32_550, "CNY", "zh-Hans", "325.50元", id="renminbi without a sign"),
        pytest.param(32_500, "CNY", "zh-Hans", "325元", id="nobody writes 325.00元"),
        pytest.param(32_500, "CNY", "zh-Hant", "人民幣325元", id="renminbi named to a Taiwanese"),
        pytest.param(32_500, "CNY", "en", "CNY 325.00", id="renminbi in English"),
        pytest.param(9_999_999, "HKD", "zh-Hant", "HK$99,999.99", id="Hong Kong dollars, which are no US dollars"),
        pytest.param(9_999_900, "HKD", "zh-Hans", "港币99,999元", id="Hong Kong dollars for a mainlander"),
        pytest.param(32_500, "USD", "en", "USD 325.00", id="a code, not an ambiguous dollar sign"),
        pytest.param(32_501, "USD", "zh-Hant", "US$325.01", id="US dollars in traditional Chinese"),
        pytest.param(32_501, "USD", "zh-Hans", "325.01美元", id="US dollars in simplified Chinese"),
        pytest.param(3_250, "JPY", "en", "JPY 3,250", id="yen have no minor unit"),
        pytest.param(3_250, "JPY", "zh-Hant", "3,250日圓", id="yen in traditional Chinese, without a sign"),
        pytest.param(3_250, "JPY", "zh-Hans", "3,250日元", id="yen in simplified Chinese"),
        pytest.param(325_000, "MOP", "zh-Hant", "MOP$3,250", id="patacas"),
        pytest.param(3_250, "KRW", "zh-Hant", "KRW 3,250", id="a currency without a name of its own keeps its code"),
        pytest.param(3_250_001, "KWD", "en", "KWD 3,250.001", id="dinars have three decimals"),
        pytest.param(3_250_000, "KWD", "en", "KWD 3,250.000", id="and show them"),
        pytest.param(12_500_000, "INR", "en", "INR 1,25,000.00", id="India groups by two after the thousands"),
        pytest.param(1_234_567_890, "INR", "en", "INR 1,23,45,678.90", id="crores and lakhs"),
        pytest.param(99_900, "INR", "en", "INR 999.00", id="less than a thousand has no group"),
        pytest.param(12_500_000, "INR", "zh-Hant", "INR 125,000", id="in Chinese by three"),
        pytest.param(325_000, "HUF", "en", "HUF 3,250", id="forint have no coins below five"),
        pytest.param(-32_550, "USD", "en", "USD -325.50", id="a credit keeps its sign and its cents"),
        pytest.param(-1, "USD", "en", "USD -0.01", id="down to a cent"),
        pytest.param(0, "TWD", "zh-Hant", "NT$0", id="nothing has no sign"),
        pytest.param(3_250_000, "VND", "en", "VND 3,250,000", id="nor have dong"),
        pytest.param(3_250_000, "IDR", "en", "IDR 32,500", id="rupiah have, on paper only"),
        pytest.param(100, "EUR", "en", "EUR 1.00", id="euro without the sign, which costs two septets"),
    ],
)
def test_money_is_written_in_the_customers_manner(amount: int, currency: str, language: str, written: str) -> None:
    assert format_money(amount, currency, language) == written


@pytest.mark.parametrize(
    ("digits", "currencies"),
    [
        (0, "JPY KRW VND CLP ISK"),
        (2, "TWD CNY HKD MOP USD GBP EUR INR SGD MYR IDR PHP AUD NZD CAD THB BRL CHF"),
        (2, "BGN CZK DKK HUF PLN RON SEK NOK"),
        (3, "KWD BHD JOD OMR TND"),
    ],
)
def test_currencies_have_the_decimals_of_iso_4217(digits: int, currencies: str) -> None:
    assert {minor_digits(currency) for currency in currencies.split()} == {digits}


@pytest.mark.parametrize("currency", MINOR_DIGITS)
def test_no_amount_breaks_a_carriers_rules_nor_the_gsm_alphabet_in_english(currency: str) -> None:
    for amount, language in itertools.product((1, 99, 100, 325_000, 999_999_999), LANGUAGES):
        written = format_money(amount, currency, language)
        assert not set(written) & REFUSED_BY_CARRIERS, written
        if language == "en":
            assert is_gsm(written), written


def test_an_unknown_currency_is_refused_not_guessed() -> None:
    with pytest.raises(UnknownCurrencyError, match="XAU"):
        minor_digits("XAU")
    with pytest.raises(UnknownCurrencyError):
        format_money(100, "twd", "en")


@pytest.mark.parametrize(
    ("due", "language", "country", "written"),
    [
        pytest.param("2026-12-05", "zh-Hant", "TW", "12/5", id="Taiwan: month/day"),
        pytest.param("2026-12-05", "zh-Hant", "HK", "12月5日", id="Hong Kong: 12/5 would be a day in May to many"),
        pytest.param("2026-12-05", "zh-Hant", "MO", "12月5日", id="Macau too"),
        pytest.param("2026-12-05", "zh-Hant", "US", "12月5日", id="and wherever else it is read"),
        pytest.param("2026-12-05", "zh-Hans", "CN", "12月5日", id="China: 月 and 日"),
        pytest.param("2026-12-05", "zh-Hans", "TW", "12月5日", id="in simplified Chinese in Taiwan too"),
        pytest.param("2026-12-05", "en", "PH", "Dec 5", id="Philippines: month first"),
        pytest.param("2026-12-05", "en", "GB", "5 Dec", id="Britain: day first"),
        pytest.param("2026-02-03", "zh-Hant", "HK", "2026年2月3日", id="a year in Hong Kong"),
        pytest.param("2026-12-05", "en", "TW", "5 Dec", id="English: no order to mistake"),
        pytest.param("2026-12-05", "en", "US", "Dec 5", id="United States: month first"),
        pytest.param("2026-02-04", "zh-Hant", "TW", "2/4", id="exactly 300 days ago needs no year"),
        pytest.param("2026-02-03", "zh-Hant", "TW", "2026/2/3", id="301 days ago it could be mistaken"),
        pytest.param("2026-02-03", "zh-Hans", "CN", "2026年2月3日", id="a year in simplified Chinese"),
        pytest.param("2026-02-03", "en", "HK", "3 Feb 2026", id="a year in English"),
        pytest.param("2026-02-03", "en", "US", "Feb 3, 2026", id="a year in the United States"),
        pytest.param("2027-12-31", "en", "US", "Dec 31, 2027", id="a year far ahead"),
    ],
)
def test_dates_are_written_in_the_customers_manner(due: str, language: str, country: str, written: str) -> None:
    assert format_date(day(due), day("2026-12-01"), language, country) == written
