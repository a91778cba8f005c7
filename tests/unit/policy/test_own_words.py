"""Texts, numbers, ways to pay and replies of one lender, or of one country of a lender."""

# ruff: noqa: E501 - texts and lists of examples are written in one line

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Send, trace_of
from dunning.domain.decision.rules import Rules
from dunning.policy import PolicyBook, PolicyError, load_policies
from dunning.policy.text_preview import preview
from tests.support.builders import (
    IN_HONG_KONG,
    IN_MAINLAND_CHINA,
    IN_THE_UNITED_STATES,
    OnlyRules,
    a_customer,
    a_standing,
    an_account,
    an_instalment,
    taipei,
)

LENDER = "lenders/demo-tw.toml"
OWN = "lenders/demo-tw/texts"
WARM = """
[before-3]
stage = -3
version = 7
single = "{name}您好，提醒您末碼{tail}分期款{amount}將於{date}到期，請用{pay}繳款，已繳請忽略，客服{hotline}"
several = "{name}您好，提醒您{count}期分期款（末碼{tail}）共{amount}將於{date}起到期，請用{pay}繳款，已繳請忽略，客服{hotline}"
"""
PLUS_5 = """
[overdue-5]
stage = 5
version = 1
single = "{name}您好，{date}末碼{tail}分期款{amount}未入帳，請用{pay}繳款，已繳請忽略，疑問洽{hotline}"
several = "{name}您好，{count}期分期款（末碼{tail}）共{amount}未入帳，最早{date}到期，請用{pay}繳款，已繳請忽略，疑問洽{hotline}"
"""


def edit(folder: Path, name: str, *pairs: tuple[str, str]) -> None:
    text = (folder / name).read_text("utf-8")
    for old, new in pairs:
        assert old in text, f"{name} has changed: {old!r} is not there"
        text = text.replace(old, new, 1)
    (folder / name).write_text(text, "utf-8")


def own_texts(folder: Path, texts: str, language: str = "zh-Hant", lender: str = "demo-tw") -> None:
    into = folder / "lenders" / lender / "texts"
    into.mkdir(parents=True, exist_ok=True)
    (into / f"{language}.toml").write_text(f'language = "{language}"\n{texts}', "utf-8")


def rules(book: PolicyBook, **where: Any) -> Rules:  # noqa: ANN401 - fields
    found = book.rules_for(a_customer(**where), taipei("2026-12-01 10:00"))
    assert isinstance(found, Rules), found
    return found


def refusal(folder: Path) -> str:
    with pytest.raises(PolicyError) as refused:
        load_policies(folder)
    return str(refused.value)


# Texts.


def test_a_lenders_text_takes_the_place_of_the_packages_by_its_id_and_for_that_lender_alone(folder: Path) -> None:
    own_texts(folder, WARM)
    book = load_policies(folder)
    texts = rules(book).texts
    assert texts["zh-Hant", -3, False].template == "demo-tw/zh-Hant/before-3@7"
    assert texts["zh-Hant", -3, True].template == "demo-tw/zh-Hant/before-3-several@7"
    assert texts["zh-Hant", 0, False].template == "zh-Hant/today@3"
    assert texts["en", -3, False].template == "en/before-3@3"
    other = rules(book, **IN_MAINLAND_CHINA).texts
    assert other["zh-Hant", -3, False].template == "zh-Hant/before-3@3"
    decision = decide(a_customer(), a_standing(), book, taipei("2026-11-28 13:30"))
    assert isinstance(decision, Send)
    assert decision.reminder.text.startswith("【示範分期】王*明您好，提醒您末碼5678分期款")


def test_the_preview_shows_a_lenders_own_texts(folder: Path) -> None:
    own_texts(folder, WARM)
    book = load_policies(folder)
    shown = [message.arriving for message in preview(book, book.lenders["demo-tw"], "zh-Hant", "TW")]
    assert any("提醒您末碼5678" in text for text in shown)


def test_a_text_of_the_packages_with_a_fee_does_not_stand_beside_a_lenders_plain_one(folder: Path) -> None:
    own = WARM.replace("before-3", "overdue-7").replace("stage = -3", "stage = 7").replace("將於", "原應於")
    own_texts(folder, own.replace("到期", "到期，未入帳").replace("客服", "疑問洽"))
    found = rules(load_policies(folder))
    assert ("zh-Hant", 7, False) not in found.texts_with_fee
    assert ("en", 7, False) in found.texts_with_fee


def test_a_file_of_texts_without_its_language_is_told_what_to_write_at_the_top(folder: Path) -> None:
    own_texts(folder, WARM)
    file = folder / OWN / "zh-Hant.toml"
    file.write_text(file.read_text("utf-8").replace('language = "zh-Hant"', ""), "utf-8")
    assert refusal(folder).endswith(': language: missing; write language = "zh-Hant" at the top')


def test_another_ladder_brings_its_own_texts(folder: Path) -> None:
    edit(
        folder,
        LENDER,
        ("ladder = [-3, 0, 3, 7, 15, 30]", "ladder = [-3, 0, 5, 15, 30]"),
        ('"zh-Hant", "en"]', '"zh-Hant"]'),
    )
    edit(folder, LENDER, ('en = "Demo Finance"\n', ""), ('en = "in our app"\n', ""))
    assert re.match(r"lenders/demo-tw.toml:\d+: ladder: no text for stage \+5 in zh-Hant", refusal(folder))
    own_texts(folder, PLUS_5)
    found = rules(load_policies(folder))
    assert found.ladder == (-3, 0, 5, 15, 30)
    assert found.texts["zh-Hant", 5, False].template == "demo-tw/zh-Hant/overdue-5@1"


def test_a_lenders_own_text_may_be_registered(folder: Path) -> None:
    simplified = """
[today]
stage = 0
version = 1
single = "{name}您好，尾号{tail}分期款{amount}今天{date}到期，请用{pay}还款，已还请忽略，客服{hotline}"
several = "{name}您好，{count}期分期款（尾号{tail}）共{amount}今天{date}起到期，请用{pay}还款，已还请忽略，客服{hotline}"
"""
    own_texts(folder, simplified, "zh-Hans", "demo-cn")
    assert "no such text: zh-Hans/today-several@3, zh-Hans/today@3" in refusal(folder)
    edit(
        folder, "lenders/demo-cn.toml", ('"zh-Hans/today@3"', '"demo-cn/zh-Hans/today@1"'),
        ('"zh-Hans/today-several@3"', '"demo-cn/zh-Hans/today-several@1"'),
    )  # fmt: skip
    registered = rules(load_policies(folder), **IN_MAINLAND_CHINA).registered
    assert registered is not None
    assert registered["demo-cn/zh-Hans/today@1"] == "CN-DEMO-0103"


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        pytest.param(
            WARM.replace("before-3", "gentle"),
            r"zh-Hant.toml:\d+: gentle.stage: the stage has a text, called before-3: a text takes its place by that id",
            id="a new id for a stage that has a text",
        ),
        pytest.param(
            WARM.replace("stage = -3", "stage = -5"),
            r"before-3.stage: before-3 is for stage -3",
            id="the id of a text for another stage",
        ),
        pytest.param(WARM.replace("已繳請忽略，", ""), "before-3.single: .*ignore-if-paid", id="what the linter stops"),
        pytest.param(WARM.replace("{name}您好，", ""), r"before-3.single: lacks \{name\}", id="a missing placeholder"),
        pytest.param('hotline = "1"\n' + WARM, "hotline: is no key here", id="a key that is none"),
        pytest.param(WARM.replace("version = 7", ""), "before-3.version", id="a text without a version"),
        pytest.param(
            PLUS_5.replace("overdue-5", "overdue-60").replace("stage = 5", "stage = 60"),
            "overdue-60: needs a written notice too",
            id="a stage after the notice that needs none",
        ),
    ],
)
def test_a_faulty_text_of_a_lender_is_refused_by_file_line_and_field(folder: Path, texts: str, says: str) -> None:
    own_texts(folder, texts)
    message = refusal(folder)
    assert re.match(rf"{OWN}/zh-Hant\.toml:\d+: ", message)
    assert re.search(says, message), message


def test_texts_of_no_lender_or_in_no_language_are_refused(folder: Path) -> None:
    own_texts(folder, WARM, lender="demo-xx")
    assert "lenders/demo-xx/texts/zh-Hant.toml:1: there is no lender 'demo-xx'" in refusal(folder)
    (folder / "lenders/demo-xx/texts/zh-Hant.toml").rename(folder / "lenders/demo-xx/texts/zh-Hant.off")
    own_texts(folder, WARM, "zh")
    assert "'zh' is none of the languages" in refusal(folder)


# Numbers and ways to pay.


def test_hotline_way_to_pay_and_hours_may_be_a_countrys_own(folder: Path) -> None:
    edit(
        folder, LENDER, ("[countries.HK]", '[countries.HK]\nhotline = "3000-1234"\npay = { zh-Hant = "轉數快", en = "by FPS" }'),
    )  # fmt: skip
    book = load_policies(folder)
    here, there = rules(book), rules(book, **IN_HONG_KONG)
    assert (here.hotline["zh-Hant"], here.pay["zh-Hant"]) == ("0800-000-123", "官方APP")
    assert (there.hotline["zh-Hant"], there.pay["en"]) == ("3000-1234", "by FPS")


def test_where_no_number_may_stand_whom_to_ask_is_words_in_each_language(folder: Path) -> None:
    book = load_policies()
    malaysian = rules(book, lender="demo-world", country="MY", phone="+60123456789", phone_country="MY", language="en")
    assert malaysian.hotline == {"en": "in our app"}
    # Also for who lives elsewhere: it is the carrier of the number that blocks the text.
    abroad = rules(book, lender="demo-world", country="TW", phone="+60123456789", phone_country="MY", language="en")
    assert abroad.hotline == {"en": "in our app"}
    edit(folder, "lenders/demo-world.toml", ('hotline = { en = "in our app" }', 'hotline = { en = "0800-000-123" }'))
    assert re.match(r"lenders/demo-world.toml:\d+: countries.MY.hotline: .*holds digits", refusal(folder))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('hotline = { en = "our branch" }', "countries.HK.hotline: nothing for zh-Hant"),
        ('hotline = { en = "our branch", zh-Hant = "上門" }', "countries.HK.hotline.zh-Hant: says"),
        ('hotline = "ask us"', "countries.HK.hotline: 'ask us' is not a number such as"),
        ('pay = { zh-Hant = "轉數快" }', "countries.HK.pay: nothing for en"),
        ('pay = { zh-Hant = "轉數快", en = "FPS" }', "does not read after 'Please pay'"),
        ('pay = { zh-Hant = "轉數快", en = "at http://x.hk" }', "countries.HK.pay.en: .*link"),
        ('pay_to_account = { zh-Hant = "轉帳", en = "by transfer" }', r"has to name \{pay_account\} once"),
        ('pay_to_account = { zh-Hant = "{pay_account}", en = "to {pay_account} {name}" }', "nothing else in braces"),
        ("two_way = true", "countries.HK.two_way: nobody can answer a sender id"),
    ],
)
def test_a_countrys_own_words_are_checked(folder: Path, line: str, says: str) -> None:
    edit(folder, LENDER, ("[countries.HK]", f"[countries.HK]\n{line}"))
    message = refusal(folder)
    assert re.match(r"lenders/demo-tw\.toml:\d+: ", message)
    assert re.search(says, message), message


# The customer's own account.

TO_ACCOUNT = '[pay_to_account]\nzh-Hant = "虛擬帳號{pay_account}"\nen = "by transfer to {pay_account}"\n\n[replies]'
VIRTUAL = "822-12345678901234"


def text_for(book: PolicyBook, *pay_accounts: str) -> str:
    accounts = [
        replace(an_account(an_instalment("2026-12-01"), account_id=f"A{number}"), pay_account=pay_account)
        for number, pay_account in enumerate(pay_accounts)
    ]
    customer = a_customer(*accounts)
    found = rules(book)
    decision = decide(customer, a_standing(), OnlyRules(found), taipei("2026-12-01 13:30"))
    assert isinstance(decision, Send), decision
    assert VIRTUAL not in "".join(trace_of(decision))
    return decision.reminder.text


def test_a_customer_pays_to_the_account_of_the_contract_that_the_text_is_about(folder: Path) -> None:
    edit(folder, LENDER, ("[replies]", TO_ACCOUNT))
    book = load_policies(folder)
    assert f"請用虛擬帳號{VIRTUAL}繳款" in text_for(book, VIRTUAL)
    assert "請用官方APP繳款" in text_for(book, "")


def test_a_text_about_two_contracts_names_their_account_only_if_it_is_the_same(folder: Path) -> None:
    # Else the sum of both would go to one of them.
    edit(folder, LENDER, ("[replies]", TO_ACCOUNT))
    book = load_policies(folder)
    assert f"請用虛擬帳號{VIRTUAL}繳款" in text_for(book, VIRTUAL, VIRTUAL)
    assert "請用官方APP繳款" in text_for(book, VIRTUAL, "822-99999999999999")
    assert "請用官方APP繳款" in text_for(book, VIRTUAL, "")


def test_a_lender_that_takes_no_payments_that_way_does_not_name_the_account() -> None:
    assert VIRTUAL not in text_for(load_policies(), VIRTUAL)


def test_the_preview_shows_an_account_to_pay_to_where_the_lender_names_one(folder: Path) -> None:
    edit(folder, LENDER, ("[replies]", TO_ACCOUNT), ("max_segments = 2", "max_segments = 3"))
    book = load_policies(folder)
    shown = list(preview(book, book.lenders["demo-tw"], "zh-Hant", "TW"))
    assert all("虛擬帳號822-" in message.arriving for message in shown)
    assert not any(message.refusals for message in shown)


# Replies.


def test_replies_arrive_at_an_own_number_of_a_place_that_has_them_and_never_at_a_sender_id() -> None:
    book = load_policies()
    assert rules(book).two_way
    assert rules(book, **IN_MAINLAND_CHINA).two_way
    assert rules(book, **IN_THE_UNITED_STATES).two_way
    assert not rules(book, **IN_HONG_KONG).two_way
    assert not rules(book, lender="demo-world", language="en").two_way, "Taiwan, by a sender id"


def test_each_place_says_whether_replies_arrive_and_a_state_says_what_its_country_says() -> None:
    places = load_policies().places.by_id
    possible = {name: place.law.two_way.possible for name, place in places.items() if place.law.two_way}
    assert possible.keys() == places.keys()
    for name, is_possible in possible.items():
        assert is_possible == possible[name.split("-")[0]], name


def test_a_policy_says_of_a_country_that_replies_arrive_also_where_states_have_files(folder: Path) -> None:
    edit(folder, LENDER, ("[countries.US]", "[countries.US]\ntwo_way = true"))
    new_york = rules(load_policies(folder), **(IN_THE_UNITED_STATES | {"region": "NY"}))
    assert new_york.opt_out_line["en"] == " Reply STOP to opt out."


def test_a_number_that_nobody_can_answer_is_said_to_be_one(folder: Path) -> None:
    edit(folder, LENDER, ("[countries.US]", "[countries.US]\ntwo_way = false"))
    found = rules(load_policies(folder), **IN_THE_UNITED_STATES)
    assert not found.two_way
    assert found.opt_out_line["en"] == " To stop texts, tell us."
    assert "STOP" not in "".join(found.opt_out_line.values())


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        pytest.param(
            ('origination_number = "+886900000100" # customers can answer it, and opt out', 'sender_id = "DEMO"\ntwo_way = true'),
            "countries.TW.two_way: nobody can answer a sender id",
            id="Taiwan's sender ids",
        ),
        pytest.param(
            ('origination_number = "+886900000100" # customers can answer it, and opt out', "two_way = true"),
            "countries.TW.two_way: nobody can answer without an origination_number",
            id="whatever SNS picks",
        ),
        pytest.param(
            (
                "[countries.HK]",
                '[countries.KR]\norigination_number = "+821000000000"\ntwo_way = true\nmax_price = "0.20"\n[countries.HK]',
            ),
            "countries.KR.two_way: carriers of South Korea bring no replies, jurisdictions/KR.toml",
            id="a place without replies",
        ),
    ],
)  # fmt: skip
def test_replies_are_not_promised_where_none_can_arrive(folder: Path, edits: tuple[str, str], says: str) -> None:
    edit(folder, LENDER, edits)
    message = refusal(folder)
    assert re.match(r"lenders/demo-tw\.toml:\d+: ", message)
    assert says in message, message


def test_of_a_place_that_does_not_say_so_no_reply_is_expected(folder: Path) -> None:
    path = folder / "jurisdictions/TW.toml"
    text = path.read_text("utf-8")
    path.write_text(re.sub(r"\[two_way\][^\[]*", "", text), "utf-8")
    assert not rules(load_policies(folder)).two_way
