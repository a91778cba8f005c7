"""Unanswered reminders: what ends a run of them, and what follows from a long one."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.standing import PaymentStatement, Progress, PromiseToPay, ReplyLabel, Standing, label_key
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason, Send, Stop, Wait, trace_of
from dunning.domain.decision.fatigue import silent_run_of
from dunning.domain.decision.rules import FatigueLimits, Policies, Rules
from tests.support.builders import (
    OnlyRules,
    a_customer,
    a_standing,
    a_text,
    an_account,
    an_instalment,
    instant,
    progress_at,
    rules_of,
    taipei,
)

NOW = taipei("2026-12-20 11:00")
DAY = timedelta(days=1)
OPEN = a_customer(an_account(an_instalment("2026-12-01")))


def after_texts(*days_ago: int, **more: object) -> Standing:
    """Return the standing of a customer who was reminded so many days ago."""
    ledger = tuple(a_text(NOW - days * DAY, stage=3) for days in sorted(days_ago, reverse=True))
    return replace(a_standing(), ledger=ledger, **more)  # type: ignore[arg-type]


def test_without_reminders_there_is_no_run() -> None:
    assert silent_run_of(a_standing(), OPEN) == 0


def test_every_reminder_counts_and_what_is_no_reminder_does_not() -> None:
    standing = after_texts(9, 6, 3)
    assert silent_run_of(standing, OPEN) == 3
    confirmation = replace(a_text(NOW - 2 * DAY), stage=None)
    held_back = replace(a_text(NOW - DAY), channel="none")
    assert silent_run_of(replace(standing, ledger=(*standing.ledger, confirmation, held_back)), OPEN) == 3


FIVE_AGO = NOW - 5 * DAY
REPLIES: dict[str, dict[str, object]] = {
    "an opt-in": {"opted_in_at": FIVE_AGO},
    "an opt-out that was taken back": {"opted_out_at": FIVE_AGO},
    "an opt-out of an account": {"opted_out_accounts": {"A9": FIVE_AGO}},
    "a hold from a reply": {"holds": (Hold(HoldReason.QUESTION, date(2026, 12, 16), FIVE_AGO),)},
    "a payment claim": {
        "payment_statements": (
            PaymentStatement(
                reason=HoldReason.SAYS_PAID, said_at=FIVE_AGO, day=FIVE_AGO.date(), until=NOW.date(), accounts=("A1",)
            ),
        )
    },
    "a promise": {"promises": {"A1#1": PromiseToPay(FIVE_AGO, date(2026, 12, 18), kept=False)}},
    "a reply that a person has labelled": {"reply_labels": {label_key(FIVE_AGO): ReplyLabel(at=NOW)}},
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_ends_the_run_and_later_reminders_begin_another(name: str) -> None:
    assert silent_run_of(after_texts(9, 6, 3, **REPLIES[name]), OPEN) == 1


def test_a_text_that_did_not_arrive_ends_the_run_because_nobody_ignored_it() -> None:
    standing = after_texts(9, 6, 3)
    first, second, third = standing.ledger
    failed = replace(standing, ledger=(first, replace(second, failed=True), third))
    assert silent_run_of(failed, OPEN) == 1
    assert silent_run_of(replace(standing, ledger=(first, second, replace(third, failed=True))), OPEN) == 0


def test_a_payment_of_what_was_asked_for_ends_the_run_at_its_last_reminder() -> None:
    asked = {"progress": {"A1#1": Progress(3, (NOW - 6 * DAY).date(), date(2026, 12, 1), 325_000)}}
    standing = after_texts(9, 6, 3, **asked)
    first, second = an_instalment("2026-12-01"), an_instalment("2026-12-15", number=2)
    for settled, run in ((0, 3), (100, 1), (325_000, 1)):
        facts = a_customer(an_account(replace(first, paid=settled), second))
        assert silent_run_of(standing, facts) == run, settled
    assert silent_run_of(standing, a_customer(an_account(second))) == 1  # gone from the lender's data


def test_a_payment_that_the_lender_has_dated_ends_the_run_at_its_very_moment() -> None:
    later = an_instalment("2026-12-15", number=2)
    for account in (
        an_account(replace(an_instalment("2026-12-01"), paid=325_000, paid_at=NOW - 6 * DAY), later),
        an_account(replace(an_instalment("2026-12-01"), paid=100, paid_at=NOW - 6 * DAY), later),
    ):
        assert silent_run_of(after_texts(9, 6, 3), a_customer(account)) == 1
    just_before = replace(an_instalment("2026-12-01"), paid=325_000, paid_at=NOW - 6 * DAY - timedelta(seconds=1))
    assert silent_run_of(after_texts(9, 6, 3), a_customer(an_account(just_before, later))) == 2


def test_what_is_settled_ends_the_run_although_nobody_knows_what_was_asked_for() -> None:
    """A stage of an older release has no amount beside it: what is gone or paid in full is settled all the same."""
    reached = Progress(3, (NOW - 6 * DAY).date(), date(2026, 12, 1))
    standing = after_texts(9, 6, 3, progress={"A1#1": reached})
    later = an_instalment("2026-12-15", number=2)
    for left, run in ((0, 1), (1, 3), (2, 3)):
        first = replace(an_instalment("2026-12-01"), paid=325_000 - left)
        assert silent_run_of(standing, a_customer(an_account(first, later))) == run, left
    assert silent_run_of(standing, a_customer(an_account(later))) == 1


def test_a_reminder_of_the_day_of_the_last_one_is_answered_by_a_payment_wherever_the_day_ends() -> None:
    last_minute = instant("2026-12-14 23:59", "Etc/GMT+12")
    standing = a_standing(a_text(last_minute, stage=3), progress=progress_at(3, "2026-12-14"))
    assert silent_run_of(standing, a_customer(an_account(an_instalment("2026-12-15", number=2)))) == 0


def test_a_reminder_of_the_next_day_is_unanswered_where_that_day_begins_last() -> None:
    next_day = instant("2026-12-15 00:01", "Etc/GMT+12")
    standing = a_standing(a_text(next_day, stage=3), progress=progress_at(3, "2026-12-14"))
    assert silent_run_of(standing, a_customer(an_account(an_instalment("2026-12-15", number=2)))) == 1


def test_of_several_answers_the_last_counts_and_it_answers_a_reminder_of_its_very_moment() -> None:
    answers = {"opted_in_at": NOW - 10 * DAY, "opted_out_accounts": {"A9": NOW - 6 * DAY, "A8": NOW - 20 * DAY}}
    assert silent_run_of(after_texts(9, 6, 3, **answers), OPEN) == 1


def test_a_hold_of_the_lender_is_no_reply() -> None:
    of_the_lender = (Hold(HoldReason.DISPUTE),)
    assert silent_run_of(after_texts(9, 6, 3, holds=of_the_lender), OPEN) == 3
    assert silent_run_of(after_texts(9, 6, 3, holds=of_the_lender, opted_in_at=FIVE_AGO), OPEN) == 1


def under(limits: FatigueLimits | None) -> Policies:
    return OnlyRules(replace(rules_of(OPEN), fatigue=limits))


def decided(standing: Standing, limits: FatigueLimits | None, now: datetime = NOW) -> Send | Wait | Stop:
    return decide(OPEN, standing, under(limits), now)


def test_off_unless_the_policy_names_it() -> None:
    rules = rules_of(OPEN)
    assert isinstance(rules, Rules)
    assert rules.fatigue is None
    assert decided(after_texts(14, 11, 8, 4), None).reason is Reason.DUE


def test_from_the_named_number_on_reminders_are_twice_as_far_apart() -> None:
    limits = FatigueLimits(after=4, stop_after=6)
    assert decided(after_texts(14, 11, 4), limits).reason is Reason.DUE
    decision = decided(after_texts(14, 11, 8, 4), limits)
    assert (decision.reason, decision.until) == (Reason.NEXT_STAGE, taipei("2026-12-22 10:00"))
    assert "fatigue: 4 reminders without an answer, none before 2026-12-22" in trace_of(decision)
    assert decided(after_texts(16, 13, 10, 6), limits).reason is Reason.DUE


def test_after_too_many_a_person_takes_over_and_nothing_wakes_the_customer() -> None:
    decision = decided(after_texts(30, 25, 20, 15, 14, 8), FatigueLimits(after=4, stop_after=6))
    assert (decision.kind, decision.reason, decision.until) == ("stop", Reason.UNANSWERED, None)
    assert trace_of(decision)[-1] == "fatigue: 6 reminders without an answer; over to a person"
    endless = decided(after_texts(30, 25, 20, 15, 14, 8), FatigueLimits(after=4, stop_after=None))
    assert endless.reason is Reason.DUE


def test_once_the_ladder_has_ended_that_is_the_reason() -> None:
    done = a_customer(an_account(replace(an_instalment("2026-12-01"), stage_reached=30)))
    standing = after_texts(30, 25, 20, 15, 14, 8)
    limits = FatigueLimits(after=4, stop_after=6)
    assert decide(done, standing, under(limits), NOW).reason is Reason.LADDER_FINISHED
