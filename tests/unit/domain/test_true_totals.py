"""An overdue text says what is true: all that is overdue, nothing that is not, in words that fit every account."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dunning.domain.customer.facts import Account, Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Reminder, Send, Stop, trace_of
from dunning.domain.decision.rules import Cap, Policies, Scope
from tests.support.builders import (
    a_customer,
    a_standing,
    a_text,
    after,
    an_account,
    an_instalment,
    day,
    policies_with,
    progress_at,
    taipei,
    the_policies,
)

DAY = timedelta(days=1)


def reminder(
    facts: Facts, now: datetime, standing: Standing | None = None, policies: Policies | None = None
) -> Reminder:
    decision = decide(facts, standing or a_standing(), policies or the_policies(), now)
    assert isinstance(decision, Send), trace_of(decision)
    return decision.reminder


def owing(account_id: str, due: str, amount: int, *, tail: str = "5678", notice: str = "") -> Account:
    return an_account(an_instalment(due, amount, notice=notice), account_id=account_id, tail=tail)


def test_what_falls_due_that_very_day_is_not_overdue() -> None:
    account = an_account(an_instalment("2026-12-01", number=1), an_instalment("2026-12-16", number=2))
    sent = reminder(a_customer(account), taipei("2026-12-16 10:00"), a_standing(progress=progress_at(7, "2026-12-08")))
    assert sent.stage == 15
    assert "NT$3,250" in sent.text
    assert "NT$6,500" not in sent.text
    on_the_next_day = reminder(
        a_customer(account), taipei("2026-12-17 10:00"), a_standing(progress=progress_at(7, "2026-12-08"))
    )
    assert "NT$6,500" in on_the_next_day.text


def test_an_account_whose_own_stage_is_not_due_is_named_and_not_marked() -> None:
    facts = a_customer(owing("A1", "2026-12-01", 100_000, tail="1111"), owing("A2", "2026-12-03", 200_000, tail="2222"))
    sent = reminder(facts, taipei("2026-12-04 10:00"))
    assert "NT$3,000" in sent.text
    assert sent.account_ids == ("A1", "A2")
    assert sent.also_named == ("A2",)
    assert [reached.account_id for reached in sent.reached_stages] == ["A1"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(an_instalment("2026-11-01", 200_000, stage_reached=15), id="its notice is missing"),
        pytest.param(an_instalment("2026-11-01", 200_000, stage_reached=30, notice="2026-11-20"), id="it is finished"),
        pytest.param(an_instalment("2026-11-01", 200_000, stage_reached=30), id="it is finished elsewhere, unnoticed"),
    ],
)
def test_an_account_that_hears_no_more_stages_is_still_overdue_and_still_named(other: object) -> None:
    facts = a_customer(
        owing("A1", "2026-12-01", 100_000, tail="1111"),
        an_account(other, account_id="A2", tail="2222"),  # type: ignore[arg-type]
    )
    sent = reminder(facts, taipei("2026-12-04 10:00"))
    assert (sent.stage, sent.also_named) == (3, ("A2",))
    assert "NT$3,000" in sent.text


def test_no_words_about_a_letter_where_one_of_the_accounts_has_had_none() -> None:
    noticed = an_account(an_instalment("2026-12-01", stage_reached=15, notice="2026-12-20"), account_id="A1")
    unnoticed = an_account(an_instalment("2026-12-01", stage_reached=30), account_id="A2")
    sent = reminder(a_customer(noticed, unnoticed), taipei("2027-01-02 12:00"))
    assert sent.stage == 15
    assert [(reached.account_id, reached.stage) for reached in sent.reached_stages] == [("A1", 30)]


def test_where_every_stage_refers_to_a_letter_nobody_is_texted_about_a_debt_without_one() -> None:
    noticed = an_account(an_instalment("2026-12-01", notice="2026-12-20"), account_id="A1")
    unnoticed = an_account(an_instalment("2026-12-20"), account_id="A2")
    facts = a_customer(noticed, unnoticed)
    only_a_letter = policies_with(facts, ladder=(30,), urgency=(30,), notice_stages=frozenset({30}))
    decision = decide(facts, a_standing(), only_a_letter, taipei("2027-01-02 12:00"))
    assert decision.reason is Reason.NO_WRITTEN_NOTICE
    alone = decide(a_customer(noticed), a_standing(), only_a_letter, taipei("2027-01-02 12:00"))
    assert isinstance(alone, Send)


def test_an_account_that_the_customer_has_opted_out_of_is_not_named() -> None:
    facts = a_customer(owing("A1", "2026-12-01", 100_000), owing("A2", "2026-12-01", 200_000))
    out = a_standing(opted_out_accounts={"A2": taipei("2026-12-02 10:00")})
    sent = reminder(facts, taipei("2026-12-04 10:00"), out)
    assert sent.account_ids == ("A1",)
    assert "NT$1,000" in sent.text


def test_other_accounts_texts_do_not_push_an_accounts_own_stage_back() -> None:
    facts = a_customer(owing("A1", "2026-12-01", 100_000), owing("A2", "2026-12-03", 200_000))
    now = taipei("2026-12-04 10:00")
    first = reminder(facts, now)
    standing = after(a_standing(), facts, first, now)
    assert standing.ledger[-1].also_named == ("A2",)
    second = reminder(facts, taipei("2026-12-06 10:00"), standing)
    assert [(reached.account_id, reached.stage) for reached in second.reached_stages] == [("A2", 3)]
    assert second.account_ids == ("A2", "A1")


def test_a_text_that_names_an_account_counts_for_the_accounts_own_cap() -> None:
    facts = a_customer(owing("A1", "2026-12-01", 100_000), owing("A2", "2026-12-03", 200_000))
    once_a_week = policies_with(facts, account_caps=(Cap(1, 7 * DAY, Scope.ACCOUNT),))
    now = taipei("2026-12-04 10:00")
    standing = after(a_standing(), facts, reminder(facts, now, policies=once_a_week), now)
    decision = decide(facts, standing, once_a_week, taipei("2026-12-06 10:00"))
    assert (decision.reason, decision.until) == (Reason.ACCOUNT_CAP, now + 7 * DAY)
    assert "cap: 1 text in 7 days for the account, free at 2026-12-11 10:00+08:00" in trace_of(decision)


def test_a_cap_that_waits_names_itself() -> None:
    now = taipei("2026-12-04 10:00")
    texts = [a_text(now - days * DAY, "A9") for days in (6, 4, 2)]
    decision = decide(a_customer(), a_standing(*texts), the_policies(), now)
    assert trace_of(decision)[-1] == "cap: 3 texts in 7 days for the person, free at 2026-12-05 10:00+08:00"


def test_a_trace_names_the_stage_that_is_sent() -> None:
    late = an_account(an_instalment("2026-11-01", 100_000, stage_reached=7), account_id="A1")
    facts = a_customer(late, owing("A2", "2026-12-01", 200_000))
    decision = decide(facts, a_standing(), the_policies(), taipei("2026-12-04 10:00"))
    assert decision.stage == 3
    assert "stage: +3, due since 2026-12-04" in trace_of(decision)
    not_yet = replace(facts.accounts[1], instalments=(an_instalment("2026-12-03", 200_000),))
    milder = decide(a_customer(late, not_yet), a_standing(), the_policies(), taipei("2026-12-04 10:00"))
    assert milder.stage == 3
    assert "stage: +3, the mildest of the 2 accounts that are overdue" in trace_of(milder)
    at_night = decide(facts, a_standing(), the_policies(), taipei("2026-12-04 22:00"))
    assert "stage: +3, due since 2026-12-04" in trace_of(at_night)


def test_without_any_words_there_is_a_stop_and_no_search() -> None:
    facts = a_customer(an_account(an_instalment("2026-11-01", stage_reached=15)))
    decision = decide(facts, a_standing(), the_policies(), taipei("2026-12-02 10:00"))
    assert isinstance(decision, Stop)
    assert decision.lacking_notice == ("A1#1",)


def test_the_late_fee_of_what_falls_due_today_is_not_in_the_text() -> None:
    account = an_account(
        an_instalment("2026-12-01", number=1, late_fee=10_000), an_instalment("2026-12-08", number=2, late_fee=20_000)
    )
    standing = a_standing(progress=progress_at(3, "2026-12-04"))
    sent = reminder(a_customer(account), taipei("2026-12-08 10:00"), standing)
    assert (sent.stage, day("2026-12-08")) == (7, sent.on)
    assert "NT$100" in sent.text
    assert "NT$300" not in sent.text


def test_a_debt_that_still_has_days_of_grace_is_not_named_as_overdue() -> None:
    account = an_account(
        an_instalment("2026-12-01", 100_000, number=1), an_instalment("2026-12-08", 300_000, number=2), account_id="A1"
    )
    facts = a_customer(account, owing("A2", "2026-12-09", 200_000))
    with_grace = policies_with(facts, ladder=(15, 30), urgency=(15, 30), first_overdue_day=10)
    sent = reminder(facts, taipei("2026-12-16 10:00"), policies=with_grace)
    assert sent.account_ids == ("A1",)
    assert "NT$1,000" in sent.text
    later = reminder(facts, taipei("2026-12-18 10:00"), policies=with_grace)
    assert "NT$4,000" in later.text
