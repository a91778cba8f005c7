"""The texts that come with the package, with the longest values they may ever hold."""

import itertools
import re
from datetime import timedelta
from typing import Any

import pytest

from dunning.domain import Send, Wait, count_segments, decide, trace_of
from dunning.domain.facts import Account, Facts
from dunning.domain.segments import is_gsm
from dunning.domain.standing import Progress
from dunning.domain.text import PLACEHOLDERS, Text
from tests.builders import (
    IN_HONG_KONG,
    IN_MAINLAND_CHINA,
    IN_THE_UNITED_STATES,
    a_customer,
    a_standing,
    an_account,
    an_instalment,
    heard,
    instant,
    the_policies,
)

STAGES = (-3, 0, 3, 7, 15, 30)
TEXTS = the_policies().texts
SINGLE = [key for key in TEXTS if not key[2]]
SEVERAL = [key for key in TEXTS if key[2]]

LENDERS = {"zh-Hant": ("demo-tw",), "zh-Hans": ("demo-cn",), "en": ("demo-tw", "demo-cn")}

LONGEST: dict[str, dict[str, tuple[str, ...]]] = {
    "zh-Hant": {"amount": ("NT$9,999,999", "HK$99,999.99"), "date": ("12/31",), "name": ("歐陽*明", "王**明")},
    "zh-Hans": {"amount": ("99,999.99元", "999,999.00元"), "date": ("12月31日",), "name": ("欧阳*明", "买***")},
    "en": {"amount": ("USD 99,999.99", "HKD 99,999.99", "TWD 9,999,999"), "date": ("31 Dec", "Dec 31"),
           "name": ("J***", "there")},
}  # fmt: skip

FORBIDDEN = (
    *("起诉", "起訴", "法院", "律师", "律師", "立案", "刑事", "查封", "扣押", "失信", "黑名单", "黑名單"),
    *("上门", "上門", "单位", "家人"),
    *("亲友", "親友", "后果", "後果", "最后通", "最後通", "違約金", "罚息", "聯徵", "征信"),
    *("http", "www", "://", "¥", "￥"),
    *("arrest", "jail", "police", "court", "lawsuit", "sue", "garnish", "seize", "blacklist", "employer", "family"),
    *("legal", "warning", "final"),
)  # fmt: skip
"""rules.md section 3.3: threats, third parties, links, and signs a platform refuses."""


def longest_of(language: str, text: Text, lender: str, *, opt_out: bool, others: bool) -> list[str]:
    """Return a text as it arrives, filled with each combination of the longest values."""
    policy = the_policies().lenders[lender]
    values = LONGEST[language]
    filled = []
    for name, amount, date in itertools.product(values["name"], values["amount"], values["date"]):
        fixed = {
            "name": name,
            "tail": "5678" + (the_policies().and_others[language] if others else ""),
            "amount": amount,
            "date": date,
            "days": "365",
            "count": "12",
            "pay": policy.pay[language],
            "hotline": policy.hotline,
        }
        body = text.pattern % tuple(fixed[placeholder] for placeholder in text.placeholders)
        sender = policy.sender_name[language]
        signed = f"{sender}: {body}" if language == "en" else f"【{sender}】{body}"
        filled.append(signed + (the_policies().opt_out_lines[language] if opt_out else ""))
    return filled


def test_there_is_a_text_for_every_stage_language_and_number() -> None:
    assert set(TEXTS) == set(itertools.product(LENDERS, STAGES, (False, True)))


@pytest.mark.parametrize("key", [key for key in SINGLE if key[0] != "en"], ids=str)
def test_a_chinese_text_for_one_instalment_holds_one_segment_with_the_longest_values(
    key: tuple[str, int, bool],
) -> None:
    language = key[0]
    for lender in LENDERS[language]:
        for text in longest_of(language, TEXTS[key], lender, opt_out=False, others=False):
            assert count_segments(text) == ("UCS-2", 1), (len(text), text)


@pytest.mark.parametrize("key", [key for key in SINGLE if key[0] == "en"], ids=str)
def test_an_english_text_for_one_instalment_holds_one_segment_even_with_the_opt_out_line(
    key: tuple[str, int, bool],
) -> None:
    for lender in LENDERS["en"]:
        for text in longest_of("en", TEXTS[key], lender, opt_out=True, others=False):
            assert count_segments(text) == ("GSM-7", 1), (len(text), text)


@pytest.mark.parametrize("key", SEVERAL, ids=str)
def test_a_text_for_several_instalments_holds_two_segments_at_most_even_with_the_opt_out_line(
    key: tuple[str, int, bool],
) -> None:
    language = key[0]
    for lender in LENDERS[language]:
        for text in longest_of(language, TEXTS[key], lender, opt_out=True, others=True):
            assert count_segments(text).parts <= 2, (len(text), text)


@pytest.mark.parametrize("key", TEXTS, ids=str)
def test_every_text_says_for_whom_how_much_when_how_to_pay_and_whom_to_ask(key: tuple[str, int, bool]) -> None:
    language, _, several = key
    placeholders = set(TEXTS[key].placeholders)
    assert {"name", "tail", "amount", "date", "pay", "hotline"} <= placeholders <= PLACEHOLDERS
    assert ("count" in placeholders) is several
    literal = TEXTS[key].pattern
    assert is_gsm(literal) is (language == "en")
    assert not any(word in literal.lower() for word in FORBIDDEN)
    assert "【" not in literal, "the sender's name is put in front by us or by the carrier"


@pytest.mark.parametrize("key", TEXTS, ids=str)
def test_no_two_placeholders_touch_as_platforms_demand(key: tuple[str, int, bool]) -> None:
    assert "%s%s" not in TEXTS[key].pattern


@pytest.mark.parametrize("key", [key for key in TEXTS if key[1] <= 0], ids=str)
def test_texts_up_to_the_due_date_count_no_days(key: tuple[str, int, bool]) -> None:
    assert "days" not in TEXTS[key].placeholders


@pytest.mark.parametrize("key", [key for key in TEXTS if key[1] > 0], ids=str)
def test_every_overdue_text_offers_help(key: tuple[str, int, bool]) -> None:
    offers = ("協商", "困難", "協助", "商量", "协商", "困难", "协助", "trouble", "help", "plan", "hard to pay")
    assert any(offer in TEXTS[key].pattern.lower() for offer in offers)


def test_simplified_and_traditional_characters_are_not_mixed() -> None:
    pairs = dict(zip("將於請號詢訂協還問對來電過繳請帳專額", "将于请号询订协还问对来电过缴请账专额", strict=True))
    for (language, _, _), text in TEXTS.items():
        if language == "zh-Hant":
            assert not set(text.pattern) & set(pairs.values())
        if language == "zh-Hans":
            assert not set(text.pattern) & set(pairs)


# The same through decide(), from facts to the text that is handed over.

PLACES: dict[str, tuple[dict[str, Any], str, str]] = {
    "Taiwan in Chinese": ({}, "TWD", "Asia/Taipei"),
    "Hong Kong in Chinese": (IN_HONG_KONG, "HKD", "Asia/Taipei"),
    "mainland China in Chinese": (IN_MAINLAND_CHINA, "CNY", "Asia/Shanghai"),
    "Taiwan in English": ({"language": "en"}, "TWD", "Asia/Taipei"),
    "mainland China in English": (IN_MAINLAND_CHINA | {"language": "en"}, "CNY", "Asia/Shanghai"),
    "the United States in English": (IN_THE_UNITED_STATES, "USD", "America/New_York"),
}
A_THURSDAY = "2026-10-22"
LARGEST = {"TWD": 999_999_900, "HKD": 9_999_999, "CNY": 99_999_900, "USD": 9_999_999}


def somebody(place: str, accounts: tuple[Account, ...]) -> Facts:
    named = PLACES[place][0]
    name = {"name": "Иван"} if named.get("language") == "en" else {"name": "歐陽小明"}
    return a_customer(*accounts, **name | named)


def decided(facts: Facts, stage: int, due: str, zone: str) -> Send:
    """Let a stage be decided on its day, its forerunner heard long ago, and wait where a Sunday is in the way."""
    now = instant(f"{due} 15:30", zone) + timedelta(days=stage)
    progress: dict[str, Progress] = {}
    if stage > min(STAGES):
        earlier = max(one for one in STAGES if one < stage)
        for account in facts.accounts:
            progress |= heard(earlier, "2026-09-01", due=due, account=account.account_id)
    decision = decide(facts, a_standing(progress=progress), the_policies(), now)
    if isinstance(decision, Wait):
        assert decision.until is not None
        decision = decide(facts, a_standing(progress=progress), the_policies(), decision.until)
    assert isinstance(decision, Send), trace_of(decision)
    return decision


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("place", PLACES)
def test_one_instalment_costs_one_segment_wherever_its_owner_lives(place: str, stage: int) -> None:
    _, currency, zone = PLACES[place]
    facts = somebody(place, (an_account(an_instalment(A_THURSDAY, LARGEST[currency]), currency=currency),))
    reminder = decided(facts, stage, A_THURSDAY, zone).reminder
    # The signature 【…】 that a mainland carrier puts in front turns an English text into UCS-2.
    signed_abroad = place == "mainland China in English"
    assert (reminder.stage, reminder.parts) == (stage, 2 if signed_abroad else 1), reminder.text
    assert reminder.encoding == ("GSM-7" if facts.language == "en" and not signed_abroad else "UCS-2")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("place", PLACES)
def test_twelve_instalments_cost_two_segments_at_most(place: str, stage: int) -> None:
    _, currency, zone = PLACES[place]
    accounts = tuple(
        an_account(an_instalment(A_THURSDAY, LARGEST[currency] // 12), account_id=f"A{number}", currency=currency)
        for number in range(12)
    )
    reminder = decided(somebody(place, accounts), stage, A_THURSDAY, zone).reminder
    assert len(reminder.rungs) == 12
    assert reminder.parts <= 2, reminder.text
    assert "12" in reminder.text


def test_a_text_names_neither_the_whole_name_nor_the_whole_account() -> None:
    reminder = decided(somebody("Taiwan in Chinese", (an_account(),)), 0, "2026-12-01", "Asia/Taipei").reminder
    assert "小明" not in reminder.text
    assert not re.search(r"\d{5,}", reminder.text.replace("0800-000-123", ""))


def test_opt_out_lines_stand_only_where_the_place_demands_them() -> None:
    for place, (named, currency, zone) in PLACES.items():
        facts = somebody(place, (an_account(an_instalment("2026-12-01"), currency=currency),))
        text = decided(facts, 0, "2026-12-01", zone).reminder.text
        assert ("STOP" in text) is (named.get("country") == "US"), text
