"""What a text says, whom it speaks of, and what it marks."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide, send_id_of
from dunning.domain.decision.decisions import ReachedStage, Reminder, Send, Wait, trace_of
from dunning.domain.texts.segments import count_segments
from tests.support.builders import (
    IN_HONG_KONG,
    IN_MAINLAND_CHINA,
    IN_THE_UNITED_STATES,
    a_customer,
    a_standing,
    an_account,
    an_instalment,
    day,
    instant,
    policies_with,
    progress_at,
    taipei,
    the_policies,
)

DUE_DAY = taipei("2026-12-01 10:00")


def reminder(facts: Facts, now: datetime = DUE_DAY, standing: Standing | None = None) -> Reminder:
    decision = decide(facts, standing or a_standing(), the_policies(), now)
    assert isinstance(decision, Send), trace_of(decision)
    return decision.reminder


def owing(account_id: str, *due_and_amount: tuple[str, int], currency: str = "TWD", tail: str = "5678") -> Account:
    instalments = [an_instalment(due, amount, number=i + 1) for i, (due, amount) in enumerate(due_and_amount)]
    return an_account(*instalments, account_id=account_id, currency=currency, tail=tail)


@pytest.mark.parametrize(
    ("facts", "now", "text"),
    [
        pytest.param(
            a_customer(),
            taipei("2026-11-28 10:00"),
            "【示範分期】王*明您好，末碼5678分期款NT$3,250將於12/1到期，請用官方APP繳款，已繳請忽略，客服0800-000-123",
            id="Taiwan, three days before",
        ),
        pytest.param(
            a_customer(an_account(an_instalment(paid=125_000))),
            taipei("2026-12-05 10:00"),
            "【示範分期】王*明您好，12/1末碼5678分期款NT$2,000未入帳，請用官方APP繳款，已繳請忽略，困難洽0800-000-123",
            id="Taiwan, after a partial payment",
        ),
        pytest.param(
            a_customer(owing("A1", ("2026-12-01", 32_500), currency="CNY"), **IN_MAINLAND_CHINA),
            DUE_DAY,
            "王*明您好，尾号5678分期325元今天12月1日到期，请用官方APP还款，已还请忽略，客服400-000-1234",
            id="mainland China: the carrier puts the name in front",
        ),
        pytest.param(
            a_customer(owing("A1", ("2026-12-01", 32_500), currency="HKD"), **IN_HONG_KONG | {"language": "en"}),
            DUE_DAY,
            "Demo Finance: HKD 325.00 (plan ending 5678) is due today, 1 Dec. Please pay in our app. "
            "If paid, ignore this. Help: 0800-000-123.",
            id="Hong Kong in English: no name",
        ),
        pytest.param(
            a_customer(owing("A1", ("2026-11-01", 32_500), currency="USD"), **IN_THE_UNITED_STATES),
            instant("2026-12-01 15:30", "America/New_York"),
            "Demo Finance: We have not received USD 325.00 due Nov 1 (plan ending 5678). Pay in our app. "
            "If paid, ignore this. Help: 0800-000-123. Reply STOP to opt out.",
            id="United States: with the opt-out line",
        ),
        pytest.param(
            a_customer(owing("A1", ("2026-12-01", 32_500), currency="USD"), **IN_THE_UNITED_STATES | {
                "language": "zh-Hant", "name": "王小明"}),
            instant("2026-12-01 15:30", "America/New_York"),
            "【示範分期】王*明您好，末碼5678分期款US$325今天12月1日到期，請用官方APP繳款，已繳請忽略，客服0800-000-123。回STOP退訂",
            id="United States in Chinese: the opt-out line too",
        ),
        pytest.param(
            a_customer(language="fr"),
            DUE_DAY,
            "【示範分期】王*明您好，末碼5678分期款NT$3,250今天12/1到期，請用官方APP繳款，已繳請忽略，客服0800-000-123",
            id="a language the lender has not: its first",
        ),
    ],
)  # fmt: skip
def test_a_text_reads_as_the_customer_expects(facts: Facts, now: datetime, text: str) -> None:
    assert reminder(facts, now).text == text


def test_a_chinese_carriers_signature_is_counted_though_it_is_not_sent() -> None:
    facts = a_customer(owing("A1", ("2026-12-01", 32_500), currency="CNY"), **IN_MAINLAND_CHINA)
    sent = reminder(facts)
    assert "【" not in sent.text
    assert sent.registered_template == "CN-DEMO-0103"
    exactly_full = "字" * 70
    padded = exactly_full[: 70 - len(sent.text)]
    longer = policies_with(facts, pay={"zh-Hans": f"官方APP{padded}"})
    decision = decide(facts, a_standing(), longer, DUE_DAY)
    assert isinstance(decision, Send)
    assert count_segments(decision.reminder.text).parts == 1
    assert decision.reminder.parts == 2


def test_several_accounts_make_one_text_with_the_total_the_count_and_the_earliest_date() -> None:
    facts = a_customer(
        owing("A1", ("2026-12-01", 100_000), tail="1111"),
        owing("A2", ("2026-11-20", 200_000), tail="2222"),
        owing("A3", ("2026-11-25", 300_000), tail="3333"),
    )
    sent = reminder(facts, taipei("2026-12-04 10:00"))
    assert sent.text == (
        "【示範分期】王*明您好，您有3期分期款（末碼2222等）共NT$6,000尚未入帳，最早一期於11/20到期，"
        "請用官方APP繳款。若已繳款請忽略本訊息；若有困難，請洽0800-000-123，我們一起想辦法。"
    )
    assert sent.reached_stages == (
        ReachedStage("A2", 1, day("2026-11-20"), 3),
        ReachedStage("A3", 1, day("2026-11-25"), 3),
        ReachedStage("A1", 1, day("2026-12-01"), 3),
    )


def test_several_instalments_of_one_account_make_one_text_without_others() -> None:
    facts = a_customer(owing("A1", ("2026-11-01", 100_000), ("2026-12-01", 100_000), ("2027-01-01", 100_000)))
    sent = reminder(facts, taipei("2026-12-04 10:00"))
    assert "您有2期分期款（末碼5678）共NT$2,000尚未入帳，最早一期於11/1到期" in sent.text
    assert [reached.number for reached in sent.reached_stages] == [1]


def test_what_is_not_due_yet_is_not_asked_for() -> None:
    facts = a_customer(owing("A1", ("2026-12-01", 100_000), ("2026-12-02", 100_000)))
    assert "末碼5678分期款NT$1,000今天12/1" in reminder(facts).text


def test_a_credit_within_the_account_lessens_what_is_asked() -> None:
    account = an_account(an_instalment("2026-11-01", paid=400_000, number=1), an_instalment("2026-12-01", number=2))
    assert "NT$2,500" in reminder(a_customer(account)).text


def test_a_credit_of_one_account_does_not_pay_another() -> None:
    credit = an_account(an_instalment("2026-11-01", paid=400_000), account_id="A2")
    assert "NT$3,250" in reminder(a_customer(an_account(), credit)).text


def test_two_currencies_are_never_added_up() -> None:
    facts = a_customer(
        owing("A1", ("2026-12-01", 100_000)),
        owing("A2", ("2026-11-30", 20_000), currency="USD"),
        owing("A3", ("2026-12-01", 300_000)),
    )
    now = taipei("2026-12-05 10:00")
    first = reminder(facts, now)
    assert first.account_ids == ("A2",)
    assert "US$200" in first.text
    standing = a_standing(progress=progress_at(3, "2026-12-05", due="2026-11-30", account="A2"))
    second = reminder(facts, now, standing)
    assert second.account_ids == ("A1", "A3")
    assert "NT$4,000" in second.text


def test_what_is_overdue_and_what_is_not_are_never_added_up_and_what_is_due_today_goes_first() -> None:
    facts = a_customer(owing("A1", ("2026-11-01", 100_000)), owing("A2", ("2026-12-01", 200_000), tail="2222"))
    first = reminder(facts)
    assert (first.account_ids, first.stage) == (("A2",), 0)
    assert "NT$2,000今天12/1" in first.text
    second = reminder(facts, standing=a_standing(progress=progress_at(0, "2026-12-01", account="A2")))
    assert (second.account_ids, second.stage) == (("A1",), 3)
    assert "NT$1,000" in second.text


def test_a_lender_may_put_what_is_overdue_first() -> None:
    facts = a_customer(owing("A1", ("2026-11-01", 100_000)), owing("A2", ("2026-12-01", 200_000)))
    overdue_first = policies_with(facts, urgency=(30, 15, 7, 3, 0, -3))
    decision = decide(facts, a_standing(), overdue_first, DUE_DAY)
    assert isinstance(decision, Send)
    assert decision.reminder.account_ids == ("A1",)


def test_what_is_due_today_and_what_is_due_soon_make_one_text_about_today() -> None:
    facts = a_customer(owing("A1", ("2026-12-04", 100_000)), owing("A2", ("2026-12-01", 200_000), tail="2222"))
    sent = reminder(facts)
    assert "您有2期分期款（末碼2222等）共NT$3,000，最早一期今天（12/1）到期" in sent.text
    assert {(reached.account_id, reached.stage) for reached in sent.reached_stages} == {("A1", -3), ("A2", 0)}


def test_the_mildest_of_several_overdue_stages_lends_its_words() -> None:
    long_overdue = an_account(an_instalment("2026-11-01", 100_000, notice="2026-11-25"))
    facts = a_customer(long_overdue, owing("A2", ("2026-11-28", 200_000), tail="2222"))
    standing = a_standing(progress=progress_at(15, "2026-11-16", due="2026-11-01"))
    sent = reminder(facts, DUE_DAY, standing)
    assert (sent.stage, sent.template) == (3, "zh-Hant/overdue-3-several@3")
    assert {(reached.account_id, reached.stage) for reached in sent.reached_stages} == {("A1", 30), ("A2", 3)}


def test_two_deliveries_of_one_job_compute_the_same_id_whatever_the_order_of_accounts() -> None:
    first, other = owing("A1", ("2026-12-01", 100_000)), owing("A2", ("2026-12-01", 200_000))
    morning, evening = (
        reminder(a_customer(first, other)),
        reminder(a_customer(other, first), taipei("2026-12-01 20:00")),
    )
    assert morning.send_id == evening.send_id


def test_the_order_of_its_stages_does_not_change_an_id() -> None:
    reached_stages = [ReachedStage("A1", 1, day("2026-12-01"), 0), ReachedStage("A2", 1, day("2026-11-30"), 0)]
    assert send_id_of("C1", reached_stages, 0, "sms") == send_id_of("C1", reached_stages[::-1], 0, "sms")
    assert send_id_of("C1", reached_stages, 0, "sms") != send_id_of("C1", reached_stages, 0, "voice")


@pytest.mark.parametrize(
    ("changed", "now"),
    [
        pytest.param(a_customer(customer_id="C2"), DUE_DAY, id="another customer"),
        pytest.param(a_customer(an_account(account_id="A2")), DUE_DAY, id="another account"),
        pytest.param(a_customer(an_account(an_instalment(number=2))), DUE_DAY, id="another instalment"),
        pytest.param(a_customer(), taipei("2026-12-04 10:00"), id="another stage"),
        pytest.param(
            a_customer(an_account(an_instalment("2026-12-02"))), taipei("2026-12-02 10:00"), id="another due date"
        ),
        pytest.param(a_customer(an_account(), an_account(account_id="A2")), DUE_DAY, id="one account more"),
    ],
)  # fmt: skip
def test_another_reminder_has_another_id(changed: Facts, now: datetime) -> None:
    assert reminder(changed, now).send_id != reminder(a_customer()).send_id


@pytest.mark.parametrize(
    ("due", "urgency", "stage"),
    [
        pytest.param("2026-12-02", 0, 0, id="due tomorrow: the most urgent then"),
        pytest.param("2026-12-20", 1, -3, id="before the due date"),
        pytest.param("2026-11-29", 2, 3, id="overdue"),
    ],
)
def test_a_wait_says_what_will_be_due_and_how_urgent_it_is_among_all_who_wake_then(
    due: str, urgency: int, stage: int
) -> None:
    decision = decide(a_customer(an_account(an_instalment(due))), a_standing(), the_policies(), DUE_DAY)
    assert isinstance(decision, Wait)
    assert (decision.urgency, decision.stage) == (urgency, stage)


@pytest.mark.parametrize(
    ("changes", "now", "trace"),
    [
        pytest.param(
            {},
            DUE_DAY,
            [
                "accounts with something open: 1",
                "no opt-out, no permanent stop",
                "hold: none is running",
                "stage: +0, due since 2026-12-01",
                "hours: open in TW",
                "caps: 0 texts on record, none in the way",
                "text: zh-Hant/today@3, 1 x UCS-2",
            ],
            id="sent",
        ),
        pytest.param(
            {},
            taipei("2026-12-05 21:00"),
            [
                "accounts with something open: 1",
                "no opt-out, no permanent stop",
                "hold: none is running",
                "stage: +3, due since 2026-12-04",
                "hours: quiet, open at 2026-12-06 09:00+08:00",
            ],
            id="quiet hours",
        ),
        pytest.param(
            {"opted_out": True},
            DUE_DAY,
            ["accounts with something open: 1", "opted out"],
            id="opted out",
        ),
    ],
)
def test_a_trace_names_the_gates_passed_and_the_one_that_is_shut(
    changes: dict[str, Any], now: datetime, trace: list[str]
) -> None:
    assert trace_of(decide(a_customer(**changes), a_standing(), the_policies(), now)) == trace


def test_a_customer_on_hold_whose_ladder_is_finished_is_handed_over_when_the_hold_ends() -> None:
    finished = an_account(an_instalment(stage_reached=30))
    held = a_customer(finished, holds=(Hold(HoldReason.PROMISE, day("2026-12-10")),))
    decision = decide(held, a_standing(), the_policies(), DUE_DAY)
    assert trace_of(decision)[-1] == "hold: running until 2026-12-11 00:00+08:00"
    assert decision.until == taipei("2026-12-11 00:00")
    later = decide(held, a_standing(), the_policies(), taipei("2026-12-11 00:00"))
    assert (later.reason.value, later.until) == ("ladder_finished", None)


def test_no_trace_holds_what_belongs_to_the_person() -> None:
    secret = a_customer(an_account(currency="XAU", tail="9876"), name="Zebedee Q", phone="+886955555555")
    cases = [
        secret,
        replace(secret, accounts=(an_account(tail=""),)),
        replace(secret, time_zone="x"),
        replace(secret, lender="x"),
        replace(secret, accounts=(an_account(),)),
    ]
    for facts in cases:
        trace = "\n".join(trace_of(decide(facts, a_standing(), the_policies(), DUE_DAY)))
        for word in ("Zebedee", "Z***", "955555555", "9876", "3,250", "325000"):
            assert word not in trace
