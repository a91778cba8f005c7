"""What a reminder must say and may not show: each rule kept, and broken."""

# ruff: noqa: E501 - texts and lists of examples are written in one line

from typing import Any

import pytest

from dunning.domain.texts.lint import ArrivingText
from dunning.domain.texts.lint.content import (
    CHECKS,
    PHRASE_CHECKS,
    ContentPhrases,
    account_shown,
    amount_shown,
    is_complete,
    long_number_in,
)
from tests.support.reminders import a_message, overdue_form, rules_broken, the_linter

GOOD_ZH = "【示範分期】王*明您好，分期5678的NT$3,250將於12/5到期，請用官方APP繳款，已繳請忽略，有困難請電0800-000-123"
GOOD_EN = "Demo Finance: USD 325.00 (plan ending 5678) is due on Dec 5. Pay in our app. Ignore if paid. Trouble? 0800-000-123."


def without(part: str, instead: str = "") -> str:
    text = GOOD_EN if part.isascii() and part in GOOD_EN else GOOD_ZH
    assert part in text
    return text.replace(part, instead)


def language_of(text: str) -> str:
    return "en" if text.startswith(GOOD_EN[:2]) or text.isascii() else "zh-Hant"


@pytest.mark.parametrize("language", ["zh-Hant", "zh-Hans", "en"])
@pytest.mark.parametrize("overdue", [False, True])
def test_a_good_message_has_nothing_to_find(language: str, overdue: bool) -> None:  # noqa: FBT001 - a parameter
    message = a_message(language, overdue=overdue)
    assert list(the_linter().findings(message)) == []
    assert list(the_linter().faults(message)) == []


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        pytest.param("who-sends", without("Demo Finance: "), id="no sender in front"),
        pytest.param("who-sends", without("【示範分期】"), id="no signature in front"),
        pytest.param("who-sends", GOOD_ZH.replace("示範", "別家"), id="another sender's signature"),
        pytest.param("who-sends", f"Hi! {GOOD_EN}", id="the sender comes second"),
        pytest.param("who-sends", without("【示範分期】", "【示範分期代辦】"), id="a sender whose name begins alike"),
        pytest.param("who-sends", without("Demo Finance: ", "Demo Finance says "), id="the sender without a colon"),
        pytest.param("who-sends", without("Demo Finance: ", "Demo Finance2: "), id="a sender whose name goes on"),
        pytest.param("who-sends", without("Demo Finance: ", "Acme Finance: "), id="another sender before the colon"),
        pytest.param("who-sends", without("【示範分期】", "「示範分期】"), id="another mark before the sender"),
        pytest.param("whom-to-ask", without("0800-000-123", "0800-000-1234"), id="a number that begins as the hotline"),
        pytest.param("whom-to-ask", without("0800-000-123", "40800-000-123"), id="a number that ends as the hotline"),
        pytest.param("long-number", f"{GOOD_EN} Not 0800-000-1234", id="a second number that begins as the hotline"),
        pytest.param("who-is-meant", without("王*明", "客戶"), id="no name"),
        pytest.param("what-amount", without("USD 325.00", "your instalment"), id="no amount"),
        pytest.param("what-amount", without("USD 325.00", "USD 325.001"), id="another amount that begins alike"),
        pytest.param("what-amount", without("NT$3,250", "NT$3,250,000"), id="a larger amount that begins alike"),
        pytest.param("what-account", without("5678", "abcd"), id="no account"),
        pytest.param("what-account", without("5678", "15678"), id="the account within a longer number"),
        pytest.param("when-due", without("Dec 5", "soon"), id="no date"),
        pytest.param("when-due", without("12/5", "12/50"), id="another date that begins alike"),
        pytest.param("how-to-pay", without("官方APP", "刷卡"), id="no way to pay"),
        pytest.param("whom-to-ask", without("0800-000-123", "us"), id="nobody to ask"),
        pytest.param("long-number", without("5678的", "5678的1234567"), id="a second number"),
        pytest.param("long-number", f"{GOOD_EN} Or text +1 (202) 555-0100", id="a second number, written with marks"),
        pytest.param("long-number", GOOD_ZH + "或０９１２３４５６７８", id="a second number in full width"),
        pytest.param("long-number", GOOD_ZH + "或0912\u200b345\u200b678", id="a second number in pieces"),
    ],
)
def test_what_is_missing_or_too_much_is_found(rule: str, text: str) -> None:
    assert rules_broken(a_message(language_of(text), text)) >= {rule}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("5678", True),
        ("a5678b", True),
        ("5678, then", True),
        ("5678. Then", True),
        ("5678-", True),
        ("x-5678", True),
        ("15678 and 5678", True),
        ("5678 and 56781", True),
        ("5678-1, 5678, 5678-2", True),
        ("5678a5", True),
        ("x-5678a5", True),
        ("5a5678", True),
        ("567", False),
        ("156785", False),
        ("56781", False),
        ("5678,1", False),
        ("5678,1 left", False),
        ("at 1,5678", False),
        ("5678.1", False),
        ("5678-1", False),
        ("15678", False),
        ("1,5678", False),
        ("1.5678", False),
        ("1-5678", False),
        ("15678 and 5678-1", False),
    ],
)
def test_a_value_is_shown_where_it_stands_for_itself_and_not_as_part_of_a_number(text: str, shown: bool) -> None:  # noqa: FBT001
    assert (account_shown(a_message("en", text)) == "") is shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("3,250.00元", True), ("3,250.00元5", True), ("13,250.00元", False), ("1.3,250.00元", False)],
)
def test_a_number_goes_on_only_at_an_end_of_a_value_that_is_a_digit(text: str, shown: bool) -> None:  # noqa: FBT001
    assert (amount_shown(a_message("zh-Hans", text)) == "") is shown


@pytest.mark.parametrize(("number", "long"), [("123456", False), ("1234567", True), ("12-34-567", True)])
def test_a_number_is_long_from_seven_digits_on(number: str, long: bool) -> None:  # noqa: FBT001 - a parameter
    assert ("long-number" in rules_broken(a_message("en", f"{GOOD_EN} {number}"))) is long


def test_a_value_between_two_numbers_keeps_them_apart() -> None:
    assert rules_broken(a_message("en", f"{GOOD_EN} 123 5678 4567")) == set()


def test_a_long_number_is_found_at_the_beginning_too() -> None:
    assert long_number_in("1234567", {})
    assert not long_number_in("123456", {})


def test_days_say_when_it_is_due_only_where_the_text_says_them() -> None:
    text = GOOD_EN.replace("Dec 5", "soon")
    assert "when-due" in rules_broken(a_message("en", text, values={"days": "7"}))


PHRASES = ContentPhrases(
    names=False,
    help=("trouble",),
    due_day=("today",),
    today=("today",),
    late=("{days} days late",),
    due=("due",),
    overdue=("overdue",),
    ignore=("ignore if paid",),
    reply=("reply stop",),
)
KEPT = {
    "a text before the due date": a_message("en"),
    "a text of the day": a_message("en", GOOD_EN.replace("on Dec 5", "today"), due_today=True),
    "an overdue text": a_message("en", overdue=True),
    "a text with days": a_message("en", GOOD_EN.replace("on Dec 5", ", 7 days late"), values={"days": "7"}),
    "a text with the line for opting out": a_message("en", f"{GOOD_EN} Stop: app", opt_out_line=" Stop: app"),
    "a text with the hotline between numbers": a_message(
        "en", GOOD_EN.replace("0800-000-123.", "123 0800-000-123 4567.")
    ),
    "a text that may be answered": a_message("en", f"{GOOD_EN} Reply STOP.", two_way=True),
    "a text without long numbers": a_message(
        "en", GOOD_EN.replace("0800-000-123", "in our app"), values={"hotline": "in our app"}
    ),
}


@pytest.mark.parametrize("message", KEPT.values(), ids=KEPT)
def test_a_rule_that_is_kept_has_nothing_to_say(message: ArrivingText) -> None:
    assert [check(message) for _, check in CHECKS] == [""] * len(CHECKS)
    assert [check(message, PHRASES) for _, check in PHRASE_CHECKS] == [""] * len(PHRASE_CHECKS)
    assert is_complete(message, PHRASES) is (message not in (KEPT["a text with days"], KEPT["a text of the day"]))


def test_words_are_compared_as_they_stand_in_chinese_and_whatever_their_case_elsewhere() -> None:
    chinese = PHRASES._replace(names=True, due=("到期，請用官方APP",), ignore=("已繳請忽略",))
    assert is_complete(a_message("zh-Hant"), chinese)
    assert not is_complete(a_message("zh-Hant"), chinese._replace(due=("到期，請用官方app",)))
    assert is_complete(a_message("en", GOOD_EN.replace("is due", "IS DUE")), PHRASES)


def test_an_amount_that_begins_with_a_letter_does_not_go_on_before_it() -> None:
    assert amount_shown(a_message("en", "1USD 325.00")) == ""


def test_in_a_language_that_nobody_has_described_a_text_says_for_whom_it_is() -> None:
    assert "who-is-meant" in rules_broken(a_message("en", GOOD_EN)._replace(language="xx"))


def test_a_number_that_begins_as_the_hotline_is_seen_beside_it_however_the_hotline_is_written() -> None:
    hotline = "T-800-000-1"
    text = GOOD_EN.replace("0800-000-123", hotline)
    assert rules_broken(a_message("en", text, values={"hotline": hotline})) == set()
    assert rules_broken(a_message("en", f"{text} {hotline}2", values={"hotline": hotline})) == {"long-number"}


def test_a_text_of_nobody_is_not_signed_by_its_colon() -> None:
    text = GOOD_EN.replace("Demo Finance: ", ": ")
    assert rules_broken(a_message("en", text, values={"sender": ""})) == {"who-sends"}


def test_of_two_values_the_longer_is_taken_out_first_when_long_numbers_are_looked_for() -> None:
    pay = "7-ELEVEN 822-1234567890"
    text = GOOD_ZH.replace("5678", "822").replace("官方APP", pay)
    assert rules_broken(a_message("zh-Hant", text, values={"pay": pay, "tail": "822"})) == set()


@pytest.mark.parametrize("number", ["0912345678", "０９１２３４５６７８", "0912\u200b345\u200b678"])
def test_a_second_number_is_found_once_however_it_is_written(number: str) -> None:
    found = [finding.rule for finding in the_linter().findings(a_message("zh-Hant", f"{GOOD_ZH}或{number}"))]
    assert found.count("long-number") == 1


@pytest.mark.parametrize(
    ("language", "text", "values"),
    [
        pytest.param("en", GOOD_EN.replace("Dec 5", "today"), {}, id="today says when"),
        pytest.param("zh-Hant", GOOD_ZH.replace("12/5到期", "今日到期"), {}, id="今日 says when"),
        pytest.param("en", GOOD_EN.replace("due on Dec 5", "due in 7 days"), {"days": "7"}, id="days say when"),
        pytest.param("zh-Hant", GOOD_ZH.replace("王*明", "客戶"), {"name": "客戶"}, id="a name that cannot be shown"),
        pytest.param("zh-Hant", GOOD_ZH.replace("5678", "5678等"), {"tail": "5678等"}, id="several accounts"),
        pytest.param("en", GOOD_EN.replace("5678", "5678 etc."), {"tail": "5678 etc."}, id="several, in English"),
        pytest.param("zh-Hant", GOOD_ZH.replace("官方APP", "ATM 822-1234567890"), {"pay": "ATM 822-1234567890"},
                     id="a long number that is the way to pay"),
        pytest.param("zh-Hant", GOOD_ZH.replace("NT$3,250", "NT$1,303,250"), {"amount": "NT$1,303,250"},
                     id="a large amount"),
        pytest.param("zh-Hant", GOOD_ZH.replace("12/5", "2026/12/5"), {"date": "2026/12/5"}, id="a date with its year"),
    ],
)  # fmt: skip
def test_another_way_to_say_it_is_good_too(language: str, text: str, values: dict[str, str]) -> None:
    message = a_message(language, text, values=values)
    assert rules_broken(message) == set()
    assert list(the_linter().findings(message)) == []


@pytest.mark.parametrize(
    ("rule", "language", "text", "fields"),
    [
        pytest.param(
            "says-due", "zh-Hant", GOOD_ZH.replace("到期", "的款項"), {}, id="a text that is not about a due date"
        ),
        pytest.param("says-due", "en", GOOD_EN.replace("is due on", "on"), {}, id="in English"),
        pytest.param("says-due", "zh-Hant", GOOD_ZH, {"due_today": True}, id="the day's own text, without today"),
        pytest.param("says-due", "en", GOOD_EN, {"due_today": True}, id="in English, without today"),
        pytest.param("says-overdue", "zh-Hant", GOOD_ZH, {"overdue": True}, id="an overdue one that only says due"),
        pytest.param("says-overdue", "en", GOOD_EN, {"overdue": True}, id="in English"),
        pytest.param("ignore-if-paid", "zh-Hant", GOOD_ZH.replace("請忽略", "請略"), {}, id="a clipped ignore"),
        pytest.param(
            "ignore-if-paid", "en", GOOD_EN.replace("Ignore if paid. ", ""), {}, id="no word for who has paid"
        ),
        pytest.param(
            "ignore-if-paid",
            "en",
            overdue_form(GOOD_EN).replace("Ignore if paid. ", ""),
            {"overdue": True},
            id="an overdue text without a word for who has paid",
        ),
        pytest.param(
            "ignore-if-paid",
            "en",
            GOOD_EN.replace("on Dec 5", "today, Dec 5").replace("Ignore if paid. ", ""),
            {"due_today": True},
            id="the day's own text without a word for who has paid",
        ),
        pytest.param(
            "says-due",
            "en",
            GOOD_EN.replace("is due on Dec 5", "is for today, Dec 5"),
            {"due_today": True},
            id="the day's own text that does not say due",
        ),
        pytest.param("reply-in-vain", "en", f"{GOOD_EN} Reply STOP.", {"two_way": False}, id="a reply nobody gets"),
        pytest.param("reply-in-vain", "zh-Hant", f"{GOOD_ZH}。回STOP退訂", {"two_way": False}, id="in Chinese"),
    ],
)
def test_what_a_text_of_its_stage_has_to_say_is_missed(
    rule: str, language: str, text: str, fields: dict[str, bool]
) -> None:
    assert rules_broken(a_message(language, text, **fields)) == {rule}


@pytest.mark.parametrize(
    ("language", "text", "fields"),
    [
        ("zh-Hant", GOOD_ZH.replace("將於12/5", "今天12/5"), {"due_today": True}),
        ("en", GOOD_EN.replace("on Dec 5", "today, Dec 5"), {"due_today": True}),
        ("zh-Hant", GOOD_ZH.replace("將於12/5到期", "於12/5到期，未入帳"), {"overdue": True}),
        ("en", GOOD_EN.replace("is due on Dec 5", "due Dec 5 is overdue"), {"overdue": True}),
        ("en", f"{GOOD_EN} Reply STOP.", {"two_way": True}),
        ("en", f"{GOOD_EN} Reply STOP.", {}),
        ("en", f"{GOOD_EN} To stop texts, tell us.", {"two_way": False}),
    ],
)
def test_a_text_that_says_what_its_stage_is_about_is_good(language: str, text: str, fields: dict[str, bool]) -> None:
    assert rules_broken(a_message(language, text, **fields)) == set()


def test_in_a_language_without_a_decent_mask_nobody_is_named() -> None:
    text = GOOD_EN.replace("USD 325.00 (", "Hi J***, USD 325.00 (")
    assert rules_broken(a_message("en", text, values={"name": "J***"})) == {"masked-name"}


def test_whom_to_ask_may_be_words_where_no_number_may_stand() -> None:
    text = GOOD_EN.replace("0800-000-123", "in our app")
    assert rules_broken(a_message("en", text, values={"hotline": "in our app"})) == set()


def test_the_account_to_pay_to_is_the_only_long_number_beside_the_hotline() -> None:
    pay = "by transfer to 822-12345678901234"
    text = GOOD_EN.replace("in our app", pay)
    assert rules_broken(a_message("en", text, values={"pay": pay})) == set()
    assert rules_broken(a_message("en", f"{text} Or 822-98765432109876.", values={"pay": pay})) == {"long-number"}


@pytest.mark.parametrize("missing", ["sender", "name", "tail", "amount", "date", "pay", "hotline"])
@pytest.mark.parametrize("empty", [True, False])
def test_a_value_that_was_never_filled_in_is_found(missing: str, empty: bool) -> None:  # noqa: FBT001 - a parameter
    message = a_message()
    values = dict(message.values)
    if empty:
        values[missing] = ""
    else:
        del values[missing]
    assert rules_broken(message._replace(values=values))


@pytest.mark.parametrize(
    ("name", "masked"), [("王*明", True), ("买***", True), ("王小明", False), ("John Smith", False)]
)
def test_a_name_is_masked(name: str, masked: bool) -> None:  # noqa: FBT001 - a parameter
    message = a_message("zh-Hant", GOOD_ZH.replace("王*明", name), values={"name": name})
    assert ("masked-name" not in rules_broken(message)) is masked


@pytest.mark.parametrize(("tail", "masked"), [("5678", True), ("78", True), ("15678", False), ("15678等", False)])
def test_an_account_shows_four_characters_at_most(tail: str, masked: bool) -> None:  # noqa: FBT001 - a parameter
    message = a_message("zh-Hant", GOOD_ZH.replace("5678", tail), values={"tail": tail})
    assert ("masked-account" not in rules_broken(message)) is masked


@pytest.mark.parametrize(
    ("text", "overdue", "kept"),
    [
        (overdue_form(GOOD_ZH), True, True),
        (overdue_form(GOOD_ZH).replace("有困難請電", "洽"), True, False),
        (GOOD_ZH.replace("有困難請電", "洽"), False, True),
        (overdue_form(GOOD_EN), True, True),
        (overdue_form(GOOD_EN).replace("Trouble? ", "Tel "), True, False),
    ],
)
def test_an_overdue_text_offers_a_way_out(text: str, overdue: bool, kept: bool) -> None:  # noqa: FBT001 - parameters
    assert ("way-out" not in rules_broken(a_message(language_of(text), text, overdue=overdue))) is kept


@pytest.mark.parametrize(
    ("line", "written", "kept"),
    [
        ("", "", True),
        (" Reply STOP to opt out.", " Reply STOP to opt out.", True),
        (" Reply STOP to opt out.", "", False),
    ],
)
def test_the_opt_out_line_stands_at_the_end_where_it_is_due(line: str, written: str, kept: bool) -> None:  # noqa: FBT001
    message = a_message("en", GOOD_EN + written, opt_out_line=line)
    assert ("opt-out-line" not in rules_broken(message)) is kept


def test_no_finding_quotes_what_a_message_holds() -> None:
    secrets = {"name": "王小明", "tail": "98765", "amount": "NT$98,765", "hotline": "0987654321", "date": "9/8"}
    values: dict[str, Any] = {"values": secrets}
    text = "王小明 98765 NT$98,765 https://bit.ly/98765 0912345678 法院起訴\u200b lаwsuit"
    found = the_linter().findings(a_message("zh-Hant", text, **values))
    assert len(found) > 8
    for finding in found:
        assert not [word for word in ("王小明", "98765", "98,765", "bit.ly", "0912345678") if word in finding.message]


@pytest.mark.parametrize("name", ["公*安", "王*八", "法*", "單*位"])
def test_a_masked_name_is_no_word_of_the_list(name: str) -> None:
    text = GOOD_ZH.replace("王*明", name)
    message = a_message("zh-Hant", text, values={"name": name})
    assert list(the_linter().faults(message)) == []
    assert list(the_linter().findings(message)) == []
    assert rules_broken(message._replace(text=f"{text}，公*安")) == ({"false-authority"} if name != "公*安" else set())


@pytest.mark.parametrize(("language", "name"), [("zh-Hant", "客戶"), ("zh-Hans", "客户")])
def test_somebody_of_whose_name_nothing_can_be_shown_is_greeted_all_the_same(language: str, name: str) -> None:
    good = a_message(language)
    text = good.text.replace(good.values["name"], name)
    assert rules_broken(a_message(language, text, values={"name": name})) == set()
