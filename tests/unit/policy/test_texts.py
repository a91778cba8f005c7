"""The texts that come with the package, with the longest values they may ever hold."""

import itertools
import re
from datetime import timedelta
from typing import Any, cast

import pytest

from dunning.domain.customer.facts import Account, Facts
from dunning.domain.customer.standing import Progress
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Send, Wait, trace_of
from dunning.domain.texts.segments import count_segments, is_gsm
from dunning.domain.texts.wording import PLACEHOLDERS, Text
from dunning.policy.fields import Language
from tests.support.builders import (
    IN_HONG_KONG,
    IN_MAINLAND_CHINA,
    IN_THE_UNITED_STATES,
    a_customer,
    a_standing,
    an_account,
    an_instalment,
    instant,
    progress_at,
    the_policies,
)

STAGES = (-3, 0, 3, 7, 15, 30)
TEXTS = the_policies().texts
WITH_FEE = the_policies().texts_with_fee
ALL = [*TEXTS.items(), *WITH_FEE.items()]
SINGLE = [key for key in TEXTS if not key[2]]

LENDERS = {"zh-Hant": ("demo-tw",), "zh-Hans": ("demo-cn",), "en": ("demo-tw", "demo-cn")}

type Values = dict[str, tuple[str, ...]]

USUAL: dict[str, Values] = {
    "zh-Hant": {"name": ("王*明",), "amount": ("NT$12,500", "HK$1,280"), "date": ("12/25",)},
    "zh-Hans": {"name": ("王*明",), "amount": ("1,286.50元",), "date": ("12月25日",)},
    "en": {"name": ("",), "amount": ("USD 325.00",), "date": ("Dec 25",)},
}
"""What most customers owe: three characters of a name, five figures, a date of two and two figures."""

LONGEST: dict[str, Values] = {
    "zh-Hant": {"amount": ("NT$9,999,999", "HK$99,999.99"), "date": ("12/31", "12月31日"),
                "name": ("歐陽*明", "王**明")},
    "zh-Hans": {"amount": ("99,999.99元", "999,999.99元"), "date": ("12月31日",), "name": ("欧阳*明", "买***")},
    "en": {"amount": ("USD 99,999.99", "HKD 99,999.99", "TWD 9,999,999"), "date": ("31 Dec", "Dec 31"),
           "name": ("",)},
}  # fmt: skip

FORBIDDEN = (
    *("起诉", "起訴", "法院", "律师", "律師", "立案", "刑事", "查封", "扣押", "失信", "黑名单", "黑名單"),
    *("上门", "上門", "单位", "家人"),
    *("亲友", "親友", "后果", "後果", "最后通", "最後通", "罚息", "聯徵", "征信", "依法", "減免", "减免"),
    *("http", "www", "://", "¥", "￥", "★", "【", "】"),
    *("arrest", "jail", "police", "court", "lawsuit", " sue", "garnish", "seize", "blacklist", "employer", "family"),
    *("legal", "warning", "final", "immediately", "must"),
)  # fmt: skip
"""Threats, third parties, links, and signs a platform refuses."""

FEE_WORDS = ("違約金", "违约金", "late fee")


def filled(
    language: str,
    text: Text,
    lender: str,
    values: Values,
    *,
    opt_out: bool = False,
    several: bool = False,
    fee: str = "",
) -> list[str]:
    """Return a text as it arrives, filled with each combination of the values."""
    policy = the_policies().lenders[lender].policy
    of_lender = cast("Language", language)
    arriving = []
    for name, amount, date in itertools.product(values["name"], values["amount"], values["date"]):
        fixed = {
            "name": name,
            "tail": "5678" + (the_policies().and_others[language] if several else ""),
            "amount": amount,
            "fee": fee,
            "date": date,
            "days": "365",
            "count": "12",
            "pay": policy.pay[of_lender],
            "hotline": str(policy.hotline),
        }
        body = text.pattern % tuple(fixed[placeholder] for placeholder in text.placeholders)
        sender = policy.sender_name[of_lender]
        signed = f"{sender}: {body}" if language == "en" else f"【{sender}】{body}"
        arriving.append(signed + (the_policies().opt_out_lines[language] if opt_out else ""))
    return arriving


def parts(texts: list[str]) -> int:
    return max(count_segments(text).parts for text in texts)


def test_there_is_a_text_for_every_stage_language_and_number() -> None:
    assert set(TEXTS) == set(itertools.product(LENDERS, STAGES, (False, True)))
    assert set(WITH_FEE) == set(itertools.product(LENDERS, (7,), (False, True)))


@pytest.mark.parametrize("key", [key for key in SINGLE if key[0] != "en"], ids=str)
def test_a_chinese_text_for_one_instalment_holds_one_segment_with_what_people_usually_owe(
    key: tuple[str, int, bool],
) -> None:
    for lender in LENDERS[key[0]]:
        assert parts(filled(key[0], TEXTS[key], lender, USUAL[key[0]])) == 1


@pytest.mark.parametrize("key", [key for key in SINGLE if key[0] != "en"], ids=str)
def test_a_chinese_text_for_one_instalment_holds_two_segments_at_most(key: tuple[str, int, bool]) -> None:
    for lender in LENDERS[key[0]]:
        assert parts(filled(key[0], TEXTS[key], lender, LONGEST[key[0]], opt_out=True)) <= 2


@pytest.mark.parametrize("key", [key for key in SINGLE if key[0] == "en"], ids=str)
def test_an_english_text_for_one_instalment_holds_one_segment_even_with_the_opt_out_line(
    key: tuple[str, int, bool],
) -> None:
    for text in filled("en", TEXTS[key], "demo-tw", LONGEST["en"], opt_out=True):
        assert count_segments(text) == ("GSM-7", 1), (len(text), text)


@pytest.mark.parametrize("key", [key for key in TEXTS if key[2]], ids=str)
def test_a_text_for_several_instalments_holds_two_segments_at_most_even_with_the_opt_out_line(
    key: tuple[str, int, bool],
) -> None:
    for lender in LENDERS[key[0]]:
        assert parts(filled(key[0], TEXTS[key], lender, LONGEST[key[0]], opt_out=True, several=True)) <= 2


@pytest.mark.parametrize("key", [key for key in TEXTS if key[0] == "en"], ids=str)
def test_an_english_text_to_the_mainland_holds_two_segments_in_spite_of_the_signature_or_three_for_several(
    key: tuple[str, int, bool],
) -> None:
    values = LONGEST["en"] | {"amount": ("CNY 99,999.99",)}
    for text in filled("en", TEXTS[key], "demo-cn", values, several=key[2]):
        signed = text.replace("DemoFin: ", "【DemoFin】")
        assert count_segments(signed).parts <= (3 if key[2] else 2), (len(signed), signed)


@pytest.mark.parametrize("key", [key for key in TEXTS if key[0] != "en" and not key[2]], ids=str)
def test_a_chinese_text_for_one_instalment_leaves_no_room_unused_in_its_segment(key: tuple[str, int, bool]) -> None:
    longest = max(map(len, filled(key[0], TEXTS[key], LENDERS[key[0]][0], USUAL[key[0]])))
    assert 66 <= longest <= 70, "a courtesy may be added, or has to go"


FEES = {"zh-Hant": ("NT$100", "NT$99,999.99"), "zh-Hans": ("20元", "9,999.99元"), "en": ("USD 25.00", "USD 9,999.99")}
TYPICAL: dict[str, Values] = {
    "zh-Hant": {"name": ("王*明",), "amount": ("NT$3,250", "HK$1,280"), "date": ("12/5",)},
    "zh-Hans": {"name": ("王*明",), "amount": ("325.50元",), "date": ("12月5日",)},
    "en": USUAL["en"],
}


@pytest.mark.parametrize("key", WITH_FEE, ids=str)
def test_a_text_with_a_late_fee_holds_two_segments_at_most_and_in_english_typically_one(
    key: tuple[str, int, bool],
) -> None:
    # When the fee was added, what was due on the due date, and whom to ask, do not fit into 70 characters.
    language, _, several = key
    small, large = FEES[language]
    lender = LENDERS[language][0]
    typical = filled(language, WITH_FEE[key], lender, TYPICAL[language], several=several, fee=small)
    assert parts(typical) <= (1 if language == "en" and not several else 2)
    longest = filled(language, WITH_FEE[key], lender, LONGEST[language], opt_out=True, several=several, fee=large)
    assert parts(longest) <= 2


@pytest.mark.parametrize(("key", "text"), ALL, ids=lambda value: value.template if isinstance(value, Text) else "")
def test_every_text_says_for_whom_how_much_when_how_to_pay_and_whom_to_ask(
    key: tuple[str, int, bool], text: Text
) -> None:
    language, _, several = key
    placeholders = set(text.placeholders)
    assert {"tail", "amount", "date", "pay", "hotline"} <= placeholders <= PLACEHOLDERS
    assert ("name" in placeholders) is (language != "en"), "a language without a decent mask names nobody"
    assert ("count" in placeholders) is several
    assert is_gsm(text.pattern) is (language == "en")
    assert not any(word in text.pattern.lower() for word in FORBIDDEN)
    assert len(text.placeholders) == text.distinct, "a value that stands twice costs twice"


@pytest.mark.parametrize(("key", "text"), ALL, ids=lambda value: value.template if isinstance(value, Text) else "")
def test_a_late_fee_is_named_only_where_its_amount_is(key: tuple[str, int, bool], text: Text) -> None:
    assert any(word in text.pattern for word in FEE_WORDS) is ("fee" in text.placeholders), key


@pytest.mark.parametrize(("key", "text"), ALL, ids=lambda value: value.template if isinstance(value, Text) else "")
def test_who_has_paid_is_told_to_ignore_the_text_in_a_whole_sentence(key: tuple[str, int, bool], text: Text) -> None:
    sentences = {
        "zh-Hant": ("已繳請忽略", "若已繳款請忽略本訊息。", "若已繳款請忽略本訊息；", "若已繳款請忽略；"),
        "zh-Hans": ("已还请忽略", "如已还款请忽略本短信。", "如已还款请忽略本短信；", "如已还款请忽略；"),
        "en": (
            "If paid, ignore this.",
            "If paid, please ignore this.",
            "If you have paid, please ignore this.",
            "Ignore if paid.",
        ),
    }
    assert any(sentence in text.pattern for sentence in sentences[key[0]])


@pytest.mark.parametrize(("key", "text"), ALL, ids=lambda value: value.template if isinstance(value, Text) else "")
def test_a_text_says_that_the_payment_is_due_due_today_or_overdue_since_when(
    key: tuple[str, int, bool], text: Text
) -> None:
    language, stage, _ = key
    due, today, overdue = {
        "zh-Hant": ("到期", "今天", ("未入帳", "逾期")),
        "zh-Hans": ("到期", "今天", ("未到账", "逾期")),
        "en": ("due", "today", ("overdue", "not received")),
    }[language]
    assert (today in text.pattern) is (stage == 0)
    assert any(word in text.pattern for word in overdue) is (stage > 0)
    assert stage > 0 or due in text.pattern
    assert "date" in text.placeholders


@pytest.mark.parametrize("key", [key for key in WITH_FEE if not key[2]], ids=str)
def test_no_late_fee_is_said_to_have_been_due_on_the_due_date(key: tuple[str, int, bool]) -> None:
    words = {
        "zh-Hant": "到期，尚未入帳，加計違約金",
        "zh-Hans": "到期，尚未到账，加计违约金",
        "en": "is overdue: %s with a %s late fee",
    }
    assert words[key[0]] in WITH_FEE[key].pattern


@pytest.mark.parametrize(("key", "text"), ALL, ids=lambda value: value.template if isinstance(value, Text) else "")
def test_no_text_promises_how_many_digits_it_shows(key: tuple[str, int, bool], text: Text) -> None:
    assert not re.search("[四4]碼|[四4]位|four", text.pattern), key


@pytest.mark.parametrize(("key", "text"), ALL, ids=lambda value: value.template if isinstance(value, Text) else "")
def test_no_two_placeholders_touch_as_platforms_demand(key: tuple[str, int, bool], text: Text) -> None:
    assert "%s%s" not in text.pattern, key


@pytest.mark.parametrize("key", [key for key in TEXTS if key[1] <= 0], ids=str)
def test_texts_up_to_the_due_date_count_no_days(key: tuple[str, int, bool]) -> None:
    assert "days" not in TEXTS[key].placeholders


@pytest.mark.parametrize(
    ("key", "text"),
    [(key, text) for key, text in ALL if key[1] > 0],
    ids=lambda value: value.template if isinstance(value, Text) else "",
)
def test_every_overdue_text_offers_help(key: tuple[str, int, bool], text: Text) -> None:
    chinese = ("協商", "困難", "協助", "專人", "商量", "疑問", "协商", "困难", "协助", "专人", "疑问", "核实")
    offers = ("trouble", "help", "questions", "for a plan") if key[0] == "en" else chinese
    assert any(offer in text.pattern.lower() for offer in offers)


@pytest.mark.parametrize("language", LENDERS)
def test_only_the_last_stage_refers_to_a_written_notice_and_it_needs_one(language: str) -> None:
    words = ("已寄", "書面", "书面", "letter")
    for key, text in TEXTS.items():
        may_refer = key[1] == 30 and (key[2] or key[0] == "en")  # in 70 characters there is no room for it
        assert any(word in text.pattern for word in words) is may_refer, text.template
    assert the_policies().wordings[language].notice_stages == {30}


def test_simplified_and_traditional_characters_are_not_mixed() -> None:
    traditional, simplified = (
        "將於請號詢訂協還問對來電過繳帳專額碼應違約詳書難",
        "将于请号询订协还问对来电过缴账专额码应违约详书难",
    )
    pairs = dict(zip(traditional, simplified, strict=True))
    for key, text in ALL:
        if key[0] == "zh-Hant":
            assert not set(text.pattern) & set(pairs.values())
        if key[0] == "zh-Hans":
            assert not set(text.pattern) & set(pairs)


def test_each_script_has_the_words_of_its_place() -> None:
    for key, text in ALL:
        if key[0] == "zh-Hant":
            assert "末碼" in text.pattern
            assert not any(word in text.pattern for word in ("尾號", "還款", "到賬", "短信", "致電"))
        if key[0] == "zh-Hans":
            assert "尾号" in text.pattern
            assert not any(word in text.pattern for word in ("末四码", "缴款", "入账", "讯息", "来电"))


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
AMOUNTS = {"TWD": 1_250_000, "HKD": 128_000, "CNY": 128_650, "USD": 9_999_999}
LARGEST = {"TWD": 999_999_900, "HKD": 9_999_999, "CNY": 99_999_900, "USD": 9_999_999}


def somebody(place: str, accounts: tuple[Account, ...]) -> Facts:
    named = PLACES[place][0]
    name = {"name": "Иван"} if named.get("language") == "en" else {"name": "王小明"}
    return a_customer(*accounts, **name | named)


def decided(facts: Facts, stage: int, due: str, zone: str) -> Send:
    """Let a stage be decided on its day, its forerunner sent long ago, and wait where a Sunday is in the way."""
    now = instant(f"{due} 15:30", zone) + timedelta(days=stage)
    progress: dict[str, Progress] = {}
    if stage > min(STAGES):
        earlier = max(earlier_stage for earlier_stage in STAGES if earlier_stage < stage)
        for account in facts.accounts:
            progress |= progress_at(earlier, "2026-09-01", due=due, account=account.account_id)
    decision = decide(facts, a_standing(progress=progress), the_policies(), now)
    if isinstance(decision, Wait):
        assert decision.until is not None
        decision = decide(facts, a_standing(progress=progress), the_policies(), decision.until)
    assert isinstance(decision, Send), trace_of(decision)
    return decision


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("place", PLACES)
def test_a_text_about_one_instalment_costs_one_segment_in_every_place(place: str, stage: int) -> None:
    _, currency, zone = PLACES[place]
    due = an_instalment(A_THURSDAY, AMOUNTS[currency], notice=A_THURSDAY)
    facts = somebody(place, (an_account(due, currency=currency),))
    reminder = decided(facts, stage, A_THURSDAY, zone).reminder
    # The signature 【…】 that a mainland carrier puts in front turns an English text into UCS-2.
    signed_abroad = place == "mainland China in English"
    assert (reminder.stage, reminder.parts) == (stage, 2 if signed_abroad else 1), reminder.text
    assert reminder.encoding == ("GSM-7" if facts.language == "en" and not signed_abroad else "UCS-2")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("place", PLACES)
def test_twelve_instalments_cost_two_segments_at_most_or_three_where_english_is_signed_abroad(
    place: str, stage: int
) -> None:
    _, currency, zone = PLACES[place]
    accounts = tuple(
        an_account(
            an_instalment(A_THURSDAY, LARGEST[currency] // 12, notice=A_THURSDAY),
            account_id=f"A{number}",
            currency=currency,
        )
        for number in range(12)
    )
    reminder = decided(somebody(place, accounts), stage, A_THURSDAY, zone).reminder
    assert len(reminder.reached_stages) == 12
    assert reminder.parts <= (3 if place == "mainland China in English" else 2), reminder.text
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
