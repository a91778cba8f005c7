"""Planning: what a customer's standing says after new facts, and which wake follows."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import AddressSince, PromiseToPay, Standing, Wake
from dunning.domain.decision.decisions import Decision, Reason, Send, Stop, Wait
from dunning.domain.decision.rules import Policies
from dunning.domain.outbound_events import CustomerNeedsPerson, PromiseBroken, ReminderStopped, ReviewReason
from dunning.domain.replies.promises import JudgedPromises
from dunning.services.planning import (
    broken,
    plan,
    replan,
    replan_as_told,
    stopped,
    told_again,
    wake_for_promises,
    with_payments_recorded,
    with_reviews,
    with_shared_addresses,
)
from tests.support.builders import a_lender_record, a_text, policies_with, taipei, the_policies
from tests.support.people import NOW, paid_up, someone, waking

POLICIES = the_policies()
EARLIER = NOW - timedelta(days=9)
OTHER_NUMBER = "+886900000009"


def as_told(facts: Facts, before: Standing | None, *shared: str) -> Standing:
    return replan_as_told(a_lender_record(facts), facts, before, POLICIES, NOW, shared=shared).standing


class TestAStatementOfTheLender:
    """Is planned from, and takes nothing back that a customer has said."""

    @pytest.mark.parametrize(
        ("said_before", "lender_says", "opted_out_at"),
        [(None, True, NOW), (EARLIER, True, EARLIER), (EARLIER, False, EARLIER), (None, False, None)],
    )
    def test_adds_an_opt_out_and_neither_moves_nor_ends_one(
        self,
        said_before: datetime | None,
        lender_says: bool,  # noqa: FBT001
        opted_out_at: datetime | None,
    ) -> None:
        facts = someone(opted_out=lender_says)
        assert as_told(facts, waking(facts, opted_out_at=said_before)).opted_out_at == opted_out_at

    def test_names_the_lender_by_whose_policy_the_wake_was_made(self) -> None:
        assert as_told(someone(), None).lender_id == "demo-tw"

    def test_leaves_no_text_among_the_decisions_not_to_send(self) -> None:
        facts = someone()
        assert isinstance(plan(facts, waking(facts), POLICIES, NOW).decision, Send)
        assert as_told(facts, waking(facts)).recent == ()
        assert [decision.reason for decision in as_told(paid_up(facts), waking(facts)).recent] == ["nothing_open"]

    def test_of_a_customer_who_returns_fills_the_caps_beside_what_was_sent_before_the_load_came_to_its_end(
        self,
    ) -> None:
        facts = someone(consented_at=NOW - timedelta(hours=1))
        confirmation = a_text(NOW - timedelta(minutes=1), claim_id="confirmation")
        before = Standing(customer_id=facts.customer_id, version=1, ledger=(confirmation,))
        record = replace(a_lender_record(facts), erased_at=NOW - timedelta(days=1))
        ledger = replan_as_told(record, facts, before, POLICIES, NOW).standing.ledger
        assert ledger[-1] is confirmation
        assert len(ledger) > 1

    def test_announces_no_shared_address_where_none_was_found_whatever_stops_the_customer(self) -> None:
        facts = someone(opted_out=True)
        standing = as_told(facts, waking(facts))
        assert (standing.shared, standing.announced, standing.attention) == ({}, (), ())
        standing = as_told(facts, waking(facts), facts.phone)
        assert (set(standing.shared), standing.announced) == ({"number"}, ("shared_phone",))


def test_a_shared_address_is_announced_beside_what_is_announced_already() -> None:
    standing = with_shared_addresses(waking(someone(), announced=("no_text",)), [OTHER_NUMBER], NOW)
    assert standing.announced == ("no_text", "shared_phone")


def test_a_payment_is_on_time_or_late_by_the_customers_own_place_and_not_by_a_foreign_numbers() -> None:
    before = someone(due_in=3)
    (account,) = before.accounts
    at = taipei("2026-12-05 01:00")  # a day late in Taipei; on the day it is due in New York
    (instalment,) = account.instalments
    settled = replace(account, instalments=(replace(instalment, paid=instalment.amount, paid_at=at),))
    after = replace(before, accounts=(settled,))
    policies = policies_with(before, zones=(ZoneInfo("Asia/Taipei"), ZoneInfo("America/New_York")))
    history = with_payments_recorded(waking(before), before, after, policies, NOW).history
    assert (history.on_time, history.late, history.last_late_days) == (0, 1, 1)


def test_a_broken_promise_names_account_and_instalment_though_the_account_has_a_hash_in_its_name() -> None:
    on = date(2026, 11, 30)
    standing = waking(someone(), promises={"A#7#12": PromiseToPay(EARLIER, on, kept=False)})
    assert broken(JudgedPromises(standing, ("A#7#12",)), NOW) == [
        PromiseBroken(customer_id="C0001", at=NOW, account_id="A#7", number=12, promised_on=on)
    ]


def test_the_end_of_reminders_is_told_once_and_of_nobody_who_was_never_reminded() -> None:
    end = Stop(Reason.NOTHING_OPEN, ())
    assert stopped(waking(someone()), end, NOW) == [ReminderStopped("C0001", NOW, "nothing_open")]
    assert stopped(waking(someone(), reason="nothing_open"), end, NOW) == []
    assert stopped(Standing(customer_id="C0001"), end, NOW) == []


class TestReviews:
    """Each stop that only a person can end is announced once; a shared address as long as it is shared."""

    FACTS = someone(email="ming@example.com")
    SHARING = waking(
        FACTS, shared={"email": AddressSince("ming@example.com", EARLIER)}, announced=("number_refused", "shared_phone")
    )

    def stops(self, standing: Standing, decision: Decision, facts: Facts | None = FACTS) -> tuple[str, ...]:
        return with_reviews(standing, decision, NOW, facts)[0].announced

    def test_of_a_shared_address_stays_beside_those_of_a_decision_and_keeps_no_stop_that_has_ended(self) -> None:
        assert self.stops(self.SHARING, Wait(NOW, Reason.NEXT_STAGE, ())) == ("shared_phone",)
        assert self.stops(self.SHARING, Stop(Reason.NO_TEXT, ())) == ("no_text", "shared_phone")

    def test_are_kept_in_one_order(self) -> None:
        lacking = tuple(f"A{number}#1" for number in range(9))
        stops = self.stops(self.SHARING, Wait(NOW, Reason.NEXT_STAGE, (), lacking_notice=lacking))
        assert stops == (*(f"no_written_notice:{key}" for key in lacking), "shared_phone")

    def test_of_a_customer_without_facts_need_none(self) -> None:
        assert self.stops(self.SHARING, Stop(Reason.UNKNOWN_LENDER, ()), None)[-1] == "unknown_lender"

    def test_are_events_once(self) -> None:
        standing, events = with_reviews(waking(self.FACTS), Stop(Reason.NO_TEXT, ()), NOW, self.FACTS)
        assert events == [CustomerNeedsPerson("C0001", NOW, ReviewReason.NO_TEXT)]
        assert with_reviews(standing, Stop(Reason.NO_TEXT, ()), NOW, self.FACTS) == (standing, [])


class TestThePromisedDay:
    """Ends with a wake, so that a broken promise is noticed."""

    PROMISING = waking(someone(), promises={"A0001-0#1": PromiseToPay(EARLIER, date(2026, 12, 2))})
    ENDS = taipei("2026-12-03 00:00")

    def wake(self, wake: Wake | None, policies: Policies = POLICIES, facts: Facts | None = None) -> Wake | None:
        return wake_for_promises(wake, facts or someone(), self.PROMISING, policies, NOW)

    @pytest.mark.parametrize("early", [timedelta(), timedelta(seconds=1)])
    def test_leaves_a_wake_that_comes_no_later_as_it_is_with_its_urgency(self, early: timedelta) -> None:
        wake = Wake(self.ENDS - early, 3)
        assert self.wake(wake) == wake

    @pytest.mark.parametrize("wake", [None, Wake(ENDS + timedelta(seconds=1), 3)], ids=["no wake", "a later wake"])
    def test_comes_before_a_later_wake_and_is_less_urgent_than_any_text(self, wake: Wake | None) -> None:
        found = self.wake(wake)
        assert found is not None
        assert (found.at, found.urgency > 3) == (self.ENDS, True)

    @pytest.mark.parametrize("case", ["no rules", "no zones"])
    def test_ends_by_the_clocks_of_utc_for_a_customer_whose_place_is_not_known(self, case: str) -> None:
        facts = someone(lender="nobody") if case == "no rules" else someone()
        found = self.wake(None, POLICIES if case == "no rules" else policies_with(facts, zones=()), facts)
        assert found is not None
        assert found.at == datetime(2026, 12, 3, tzinfo=UTC)


def test_a_replan_raises_the_version_though_nothing_else_changes() -> None:
    facts = someone()
    before = replan(facts, waking(facts), waking(facts), POLICIES, NOW).standing
    assert replan(facts, before, before, POLICIES, NOW).standing == replace(before, version=before.version + 1)


class TestARefusedWriteThatMayHaveBeenMade:
    """Is told of as far as the stored standing bears it out, for somebody else has written since."""

    @pytest.mark.parametrize(
        ("announced", "again"),
        [
            (("no_written_notice:A0001-0#1",), True),
            (("ladder_finished:A0001-0#1", "no_written_notice:A0001-0#2"), True),
            (("ladder_finished:A0001-0#1",), False),
            ((), False),
        ],
    )
    def test_a_call_for_a_person_is_repeated_while_it_is_announced_of_any_instalment(
        self,
        announced: tuple[str, ...],
        again: bool,  # noqa: FBT001
    ) -> None:
        call = CustomerNeedsPerson("C0001", NOW, ReviewReason.NO_WRITTEN_NOTICE)
        stored = Standing(customer_id="C0001", announced=announced)
        assert told_again([call], stored) == [call] * again

    def test_a_call_about_a_reply_comes_with_the_reply(self) -> None:
        call = CustomerNeedsPerson("C0001", NOW, ReviewReason.NO_WRITTEN_NOTICE, reply_id="in-1")
        assert told_again([call], Standing(customer_id="C0001", announced=("no_written_notice",))) == []

    @pytest.mark.parametrize("reason", ["opted_out", "next_stage"])
    def test_a_stop_is_repeated_if_it_still_holds(self, reason: str) -> None:
        stop = ReminderStopped("C0001", NOW, "opted_out")
        assert told_again([stop], Standing(customer_id="C0001", reason=reason)) == [stop] * (reason == "opted_out")
