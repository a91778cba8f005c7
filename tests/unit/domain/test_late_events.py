"""What comes late speaks of what was when it was said, and what is taken back is as if it had not been."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts, HoldReason, open_instalments
from dunning.domain.customer.lender_record import (
    AccountClosed,
    CustomerReleased,
    EventTime,
    InstalmentPaid,
    RecordedEvent,
    project_facts,
    record_event,
)
from dunning.domain.customer.standing import PromiseToPay, Standing
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.promises import settle_promises
from dunning.domain.replies.reply_effects import ReplyLimits, apply_reply
from dunning.services.planning import fingerprint
from tests.support.builders import a_customer, a_lender_record, a_standing, an_account, an_instalment, day, taipei

SAID_AT = taipei("2026-12-10 11:00")
HOUR = timedelta(hours=1)
TAIPEI = (ZoneInfo("Asia/Taipei"),)
OWING = a_customer(
    an_account(an_instalment("2026-12-01"), an_instalment("2027-01-01", number=2), account_id="A1", tail="1111"),
    an_account(an_instalment("2026-12-05"), account_id="A2", tail="2222"),
    as_of=taipei("2026-12-01 10:00"),
)
PAID = InstalmentPaid("A1", 1, 325_000, "TWD")
PROMISED = {"A1#1": PromiseToPay(SAID_AT - 24 * HOUR, day("2026-12-12"))}


def facts_after(*events: RecordedEvent) -> Facts:
    lender_record = a_lender_record(OWING)
    for event in events:
        lender_record = record_event(lender_record, event)
    facts = project_facts(lender_record)
    assert facts is not None
    return facts


def after_reply(facts: Facts, *intents: ReplyIntent, digits: str = "") -> Standing:
    understood = ParsedReply(intents, day("2026-12-12"), digits)
    return apply_reply(facts, a_standing(), understood, SAID_AT, day("2026-12-10"), ReplyLimits()).standing


def test_a_promise_that_comes_after_the_payment_it_spoke_of_is_not_one_for_the_next_instalment() -> None:
    assert set(
        after_reply(
            facts_after(RecordedEvent(EventTime(SAID_AT + HOUR), PAID)), ReplyIntent.PROMISE, digits="1111"
        ).promises
    ) == {"A1#1"}
    assert set(
        after_reply(
            facts_after(RecordedEvent(EventTime(SAID_AT - HOUR), PAID)), ReplyIntent.PROMISE, digits="1111"
        ).promises
    ) == {"A1#2"}


def test_a_payment_statement_before_the_booking_does_not_hold_the_next_instalment() -> None:
    (statement,) = after_reply(
        facts_after(RecordedEvent(EventTime(SAID_AT + HOUR), PAID)), ReplyIntent.PAID, digits="1111"
    ).payment_statements
    assert statement.about == ("A1#1",)


def test_an_opt_out_of_an_account_that_is_closed_by_now_is_no_opt_out_of_all_texts() -> None:
    standing = after_reply(
        facts_after(RecordedEvent(EventTime(SAID_AT + HOUR), AccountClosed("A2"))), ReplyIntent.OPT_OUT, digits="2222"
    )
    assert (standing.opted_out_at, set(standing.opted_out_accounts)) == (None, {"A2"})


def test_a_closed_account_has_nothing_open_whatever_was_paid() -> None:
    facts = facts_after(
        RecordedEvent(EventTime(SAID_AT), AccountClosed("A1")),
        RecordedEvent(EventTime(SAID_AT + HOUR), replace(PAID, paid=1)),
    )
    assert [len(open_instalments(account)) for account in facts.accounts] == [0, 1]


def test_a_promise_whose_payment_is_reversed_is_open_again_and_broken_once_its_day_is_over() -> None:
    kept = settle_promises(
        a_standing(promises=PROMISED), facts_after(RecordedEvent(EventTime(SAID_AT), PAID)), TAIPEI, SAID_AT
    ).standing  # fmt: skip
    assert kept.promises["A1#1"].kept is True
    reversed_ = facts_after(RecordedEvent(EventTime(SAID_AT + HOUR), replace(PAID, paid=0)))
    assert settle_promises(kept, reversed_, TAIPEI, SAID_AT + HOUR).standing.promises["A1#1"].kept is None
    assert settle_promises(kept, reversed_, TAIPEI, taipei("2026-12-13 00:00")).broken == ("A1#1",)


def test_facts_have_one_name_in_whatever_order_holds_were_lifted() -> None:
    lifted = [
        RecordedEvent(EventTime(SAID_AT), CustomerReleased()),
        RecordedEvent(EventTime(SAID_AT), CustomerReleased(HoldReason.DISPUTE)),
    ]
    assert fingerprint(facts_after(*lifted)) == fingerprint(facts_after(*reversed(lifted)))
