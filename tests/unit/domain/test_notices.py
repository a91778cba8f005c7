"""A stage that refers to a written notice is sent only once there is a notice; nothing goes round it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.domain.customer.facts import Account, Instalment
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Send, Stop, Wait, trace_of
from dunning.domain.decision.rules import Cap
from tests.support.builders import (
    IN_THE_UNITED_STATES,
    a_customer,
    a_standing,
    a_text,
    an_account,
    an_instalment,
    day,
    instant,
    policies_with,
    progress_at,
    taipei,
    texts_sent,
    the_policies,
)

FROM_HERE_ON = taipei("2027-01-02 12:00")
A_YEAR_LATER = taipei("2027-12-01 00:00")


def late(*, notice: str = "", account_id: str = "A1") -> Account:
    """Describe an account whose +30 was due two days before, with a notice or without."""
    return an_account(an_instalment(stage_reached=15, notice=notice), account_id=account_id)


def not_yet_late(due: str, account_id: str = "A2") -> Account:
    return an_account(an_instalment(due), account_id=account_id)


def test_without_a_notice_a_person_takes_over_until_there_are_new_facts() -> None:
    decision = decide(a_customer(late()), a_standing(), the_policies(), FROM_HERE_ON)
    assert isinstance(decision, Stop)
    assert (decision.reason, decision.until, decision.stage) == (Reason.NO_WRITTEN_NOTICE, None, 30)
    assert trace_of(decision)[-1] == "stage: +30 needs a written notice, none is on record for 1 of the accounts"


@pytest.mark.parametrize(
    "notice",
    [
        pytest.param("2026-12-01", id="issued on the due date"),
        pytest.param("2026-12-20", id="issued since"),
        pytest.param("2027-01-02", id="issued today"),
    ],
)
def test_with_a_notice_the_text_is_sent(notice: str) -> None:
    decision = decide(a_customer(late(notice=notice)), a_standing(), the_policies(), FROM_HERE_ON)
    assert isinstance(decision, Send)
    assert (decision.stage, decision.reminder.template) == (30, "zh-Hant/overdue-30@3")


def test_a_notice_of_another_day_to_come_is_waited_for() -> None:
    facts = a_customer(late(notice="2027-01-05"))
    decision = decide(facts, a_standing(), the_policies(), FROM_HERE_ON)
    assert isinstance(decision, Wait)
    assert decision.until == taipei("2027-01-05 10:00")
    assert texts_sent(facts, FROM_HERE_ON, A_YEAR_LATER) == [("2027-01-05", 30)]


def test_a_notice_is_of_today_by_the_customers_own_calendar() -> None:
    # It is the 2nd in Taipei, and still the 1st in Honolulu.
    now = instant("2027-01-01 12:00", "Pacific/Honolulu")
    on_the_second = late(notice="2027-01-02")
    assert isinstance(decide(a_customer(on_the_second), a_standing(), the_policies(), now), Wait | Send)
    there = replace(a_customer(on_the_second, **IN_THE_UNITED_STATES), time_zone="Pacific/Honolulu")
    decision = decide(there, a_standing(), the_policies(), now)
    assert isinstance(decision, Wait)
    assert decision.until == instant("2027-01-02 10:00", "Pacific/Honolulu")


def test_a_notice_from_before_the_due_date_is_about_something_else() -> None:
    decision = decide(a_customer(late(notice="2026-11-30")), a_standing(), the_policies(), FROM_HERE_ON)
    assert decision.reason is Reason.NO_WRITTEN_NOTICE


def test_the_notice_has_to_be_about_the_earliest_unpaid_instalment() -> None:
    january = an_instalment("2027-01-01", number=2, notice="2027-01-01")
    facts = a_customer(an_account(an_instalment(stage_reached=15), january))
    assert decide(facts, a_standing(), the_policies(), FROM_HERE_ON).reason is Reason.NO_WRITTEN_NOTICE


def test_up_to_the_stage_that_needs_it_a_notice_changes_nothing() -> None:
    until_plus_15 = [("2026-11-28", -3), ("2026-12-01", 0), ("2026-12-04", 3), ("2026-12-08", 7), ("2026-12-16", 15)]
    start = taipei("2026-11-01 00:00")
    assert texts_sent(a_customer(), start, A_YEAR_LATER) == until_plus_15
    noticed = a_customer(an_account(an_instalment(notice="2026-12-20")))
    assert texts_sent(noticed, start, A_YEAR_LATER) == [*until_plus_15, ("2026-12-31", 30)]


def test_before_it_is_due_the_stage_is_waited_for_as_any_other() -> None:
    decision = decide(a_customer(late()), a_standing(), the_policies(), taipei("2026-12-30 12:00"))
    assert isinstance(decision, Wait)
    assert (decision.reason, decision.until) == (Reason.NEXT_STAGE, taipei("2026-12-31 10:00"))


def test_a_later_stage_is_no_way_round_a_missing_notice() -> None:
    facts = a_customer(late())
    texts = the_policies().texts
    with_a_later_stage = policies_with(
        facts,
        ladder=(-3, 0, 3, 7, 15, 30, 45),
        urgency=(0, -3, 3, 7, 15, 30, 45),
        texts={**texts, ("zh-Hant", 45, False): texts["zh-Hant", 15, False]},
    )
    assert texts_sent(facts, FROM_HERE_ON, A_YEAR_LATER, policies=with_a_later_stage) == []
    noticed = a_customer(late(notice="2026-12-20"))
    sent = texts_sent(noticed, FROM_HERE_ON, A_YEAR_LATER, policies=with_a_later_stage)
    assert sent == [("2027-01-02", 30), ("2027-01-17", 45)]


def test_other_accounts_go_on_and_the_text_names_the_one_without_a_notice_in_milder_words() -> None:
    facts = a_customer(late(), an_account(an_instalment("2026-12-28", 100_000), account_id="A2"))
    decision = decide(facts, a_standing(), the_policies(), FROM_HERE_ON)
    assert isinstance(decision, Send)
    assert decision.reminder.account_ids == ("A2", "A1")
    assert [reached.account_id for reached in decision.reminder.reached_stages] == ["A2"]
    assert decision.stage == 3
    assert "NT$4,250" in decision.reminder.text
    assert "stage: +30 needs a written notice, none is on record for 1 of the accounts" in trace_of(decision)


def test_two_accounts_with_notices_make_one_text() -> None:
    both = a_customer(late(notice="2026-12-20"), late(notice="2026-12-22", account_id="A2"))
    decision = decide(both, a_standing(), the_policies(), FROM_HERE_ON)
    assert isinstance(decision, Send)
    assert (decision.reminder.account_ids, decision.stage) == (("A1", "A2"), 30)


def test_a_customer_whose_other_account_comes_due_later_is_listed_and_woken_for_it() -> None:
    facts = a_customer(late(), not_yet_late("2027-01-20"))
    decision = decide(facts, a_standing(), the_policies(), FROM_HERE_ON)
    assert isinstance(decision, Wait)
    assert (decision.reason, decision.until) == (Reason.NO_WRITTEN_NOTICE, taipei("2027-01-17 10:00"))
    sent = texts_sent(facts, FROM_HERE_ON, taipei("2027-02-01 00:00"))
    assert sent == [("2027-01-17", -3), ("2027-01-20", 0), ("2027-01-23", 3), ("2027-01-27", 7)]


def test_an_account_at_its_last_stage_does_not_hide_another_without_a_notice() -> None:
    done = an_account(an_instalment(stage_reached=30), account_id="A0")
    decision = decide(a_customer(done, late()), a_standing(), the_policies(), FROM_HERE_ON)
    assert (decision.reason, decision.until) == (Reason.NO_WRITTEN_NOTICE, None)


def test_a_payment_of_the_instalment_without_a_notice_lets_the_next_one_go_on() -> None:
    paid = Instalment(number=1, due_on=day("2026-12-01"), amount=325_000, paid=325_000)
    facts = a_customer(an_account(paid, an_instalment("2027-01-10", number=2)))
    standing = a_standing(progress=progress_at(15, "2026-12-16"))
    assert texts_sent(facts, FROM_HERE_ON, taipei("2027-01-12 00:00"), standing=standing) == [
        ("2027-01-07", -3),
        ("2027-01-10", 0),
    ]


def test_a_policy_may_need_no_notice_at_all() -> None:
    facts = a_customer(late())
    assert isinstance(decide(facts, a_standing(), policies_with(facts, notice_stages=frozenset()), FROM_HERE_ON), Send)


def test_an_account_without_a_notice_is_counted_once_however_often_its_gate_is_asked() -> None:
    facts = a_customer(late(), not_yet_late("2027-01-05"))
    caps = (Cap(1, timedelta(days=3)),)
    standing = a_standing(a_text(taipei("2027-01-04 12:00"), "A9"))
    decision = decide(facts, standing, policies_with(facts, person_caps=caps), taipei("2027-01-04 13:00"))
    missing = "stage: +30 needs a written notice, none is on record for 1 of the accounts"
    assert trace_of(decision)[-3:] == [
        missing,
        "then cap: 1 text in 3 days for the person, free at 2027-01-07 12:00+08:00",
        f"then {missing}",
    ]
    assert isinstance(decision, Wait)
    assert decision.lacking_notice == ("A1#1",)


def test_of_accounts_that_lack_a_notice_for_different_stages_the_first_names_the_stage_and_all_are_counted() -> None:
    at_fifteen = an_account(an_instalment("2026-12-10", stage_reached=7), account_id="A2")
    facts = a_customer(late(), at_fifteen)
    decision = decide(facts, a_standing(), policies_with(facts, notice_stages=frozenset({15, 30})), FROM_HERE_ON)
    assert isinstance(decision, Stop)
    assert (decision.reason, decision.stage) == (Reason.NO_WRITTEN_NOTICE, 30)
    assert decision.lacking_notice == ("A1#1", "A2#1")
    assert trace_of(decision)[-1] == "stage: +30 needs a written notice, none is on record for 2 of the accounts"


def test_a_missing_notice_stops_no_stage_up_to_the_due_date_of_another_account() -> None:
    facts = a_customer(late(), an_account(an_instalment("2027-01-02"), account_id="A2"))
    only_a_letter = policies_with(facts, ladder=(0, 30), urgency=(0, 30), notice_stages=frozenset({30}))
    decision = decide(facts, a_standing(), only_a_letter, FROM_HERE_ON)
    assert isinstance(decision, Send)
    assert (decision.stage, decision.reminder.account_ids) == (0, ("A2",))


def test_the_trace_says_that_no_words_would_be_true_without_a_notice() -> None:
    facts = a_customer(late(notice="2026-12-20"), an_account(an_instalment("2026-12-20"), account_id="A2"))
    only_a_letter = policies_with(facts, ladder=(0, 30), urgency=(0, 30), notice_stages=frozenset({30}))
    decision = decide(facts, a_standing(), only_a_letter, FROM_HERE_ON)
    assert decision.reason is Reason.NO_WRITTEN_NOTICE
    assert trace_of(decision)[-1] == "stage: every one needs a written notice, none is on record for an account"


def test_a_trace_of_accounts_for_which_no_words_would_be_true_names_the_stage_of_the_earliest() -> None:
    facts = a_customer(
        late(notice="2026-12-20"),
        an_account(an_instalment("2026-12-10", stage_reached=7, notice="2026-12-20"), account_id="A2"),
        an_account(an_instalment("2026-12-20"), account_id="A3"),
    )
    letters = frozenset({15, 30})
    only_letters = policies_with(facts, ladder=(0, 15, 30), urgency=(0, 15, 30), notice_stages=letters)
    decision = decide(facts, a_standing(), only_letters, FROM_HERE_ON)
    assert decision.reason is Reason.NO_WRITTEN_NOTICE
    assert trace_of(decision)[-2] == "stage: +30, due since 2026-12-31"
