"""What a lender's statement adds to how a customer has paid so far."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.customer.facts import Facts, Instalment
from dunning.domain.customer.settled_instalments import with_payments_known
from dunning.domain.customer.standing import with_answer, without_claim
from dunning.domain.delivery.undelivered import with_delivery
from dunning.domain.effect.payer_segments import NO_HISTORY, PaymentHistory
from tests.support.arms import a_holdout
from tests.support.builders import (
    OnlyRules,
    a_customer,
    a_standing,
    a_text,
    after,
    an_account,
    an_instalment,
    day,
    rules_of,
    taipei,
)
from tests.unit.domain.test_chance import claimed_at

TAIPEI = ZoneInfo("Asia/Taipei")
OPEN = a_customer()


def paid_at(moment: datetime | None, **changes: int) -> Facts:
    paid = replace(an_instalment(paid=changes.get("paid", 325_000)), paid_at=moment)
    return a_customer(an_account(paid))


def history(before: Facts | None, now: Facts, start: PaymentHistory = NO_HISTORY, **paid_on: str) -> PaymentHistory:
    days = {key.replace("_", "#"): day(written) for key, written in paid_on.items()}
    return with_payments_known(start, before, now, days, TAIPEI)


def test_a_payment_by_event_counts_by_its_day_where_the_customer_lives() -> None:
    assert history(OPEN, paid_at(taipei("2026-12-01 23:59"))) == PaymentHistory(on_time=1, streak=1)
    assert history(OPEN, paid_at(taipei("2026-12-02 00:00"))) == PaymentHistory(late=1, last_late_days=1)


def test_a_payment_in_a_file_counts_by_the_day_that_the_file_gives() -> None:
    assert history(OPEN, paid_at(None), A1_1="2026-11-29") == PaymentHistory(on_time=1, streak=1)
    assert history(OPEN, paid_at(None), A1_1="2026-12-11") == PaymentHistory(late=1, last_late_days=10)


def test_a_payment_whose_day_nobody_says_counts_for_nothing_but_ends_the_silence() -> None:
    assert history(OPEN, paid_at(None), PaymentHistory(on_time=4, streak=4, silent_run=3)) == PaymentHistory(4, 0, 0, 4)


def test_a_payment_in_part_ends_the_silence_and_settles_nothing() -> None:
    partly = paid_at(taipei("2026-12-01 12:00"), paid=100_000)
    assert history(OPEN, partly, PaymentHistory(silent_run=3)) == NO_HISTORY


@pytest.mark.parametrize("paid", [100_000, 99_999, 0])
def test_a_file_that_names_no_further_payment_leaves_the_silence(paid: int) -> None:
    silent = PaymentHistory(silent_run=3)
    assert history(paid_at(None, paid=100_000), paid_at(None, paid=paid), silent) == silent


def test_an_instalment_is_settled_once_no_cent_of_it_is_open() -> None:
    moment = taipei("2026-12-01 12:00")
    assert history(OPEN, paid_at(moment, paid=324_999)) == NO_HISTORY
    assert history(paid_at(None, paid=324_999), paid_at(moment)) == PaymentHistory(on_time=1, streak=1)


@pytest.mark.parametrize(("amount", "counted"), [(1, 1), (0, 0), (-1, 0)])
def test_only_of_an_instalment_with_an_amount_to_pay_a_payment_counts(amount: int, counted: int) -> None:
    facts = a_customer(an_account(an_instalment(amount=amount, paid=amount)))
    assert history(None, facts, A1_1="2026-12-01").on_time == counted


def test_payments_count_in_the_order_of_their_days() -> None:
    account = an_account(*(an_instalment("2026-12-01", paid=325_000, number=number) for number in (1, 2)))
    late_first = history(None, a_customer(account), A1_1="2026-12-08", A1_2="2026-12-01")
    assert late_first == PaymentHistory(on_time=1, late=1, last_late_days=7)


def test_an_instalment_counts_once_whoever_says_again_that_it_is_paid() -> None:
    paid = paid_at(taipei("2026-12-01 12:00"))
    assert history(paid, paid_at(None), PaymentHistory(1, 0, 0, 1), A1_1="2026-12-01") == PaymentHistory(1, 0, 0, 1)


def test_a_first_file_tells_of_what_was_paid_before_in_the_order_of_the_payments() -> None:
    facts = a_customer(
        an_account(
            an_instalment("2026-09-01", paid=325_000, number=1),
            an_instalment("2026-10-01", paid=325_000, number=2),
            an_instalment("2026-11-01", paid=325_000, number=3),
            an_instalment("2026-12-01", number=4),
        )
    )
    found = history(None, facts, A1_1="2026-09-08", A1_2="2026-10-01", A1_3="2026-11-01")
    assert found == PaymentHistory(on_time=2, late=1, last_late_days=7, streak=2)


def test_what_comes_as_paid_later_may_have_been_counted_and_is_not_counted_again() -> None:
    assert history(a_customer(an_account(account_id="A9")), paid_at(None), A1_1="2026-12-01") == NO_HISTORY


def test_a_credit_is_no_payment() -> None:
    credit = a_customer(an_account(Instalment(number=1, due_on=day("2026-12-01"), amount=-500, paid=0)))
    assert history(None, credit, A1_1="2026-12-01") == NO_HISTORY


NOW = taipei("2026-12-01 10:00")
PLAIN = OnlyRules(rules_of(a_customer()))


def test_each_text_lengthens_the_silence_and_one_that_is_held_out_does_not() -> None:
    texted = after(a_standing(), a_customer(), claimed_at(NOW, PLAIN), NOW)
    assert texted.history.silent_run == 1
    silent = OnlyRules(replace(rules_of(a_customer()), trials=(a_holdout(),)))
    assert after(a_standing(), a_customer(), claimed_at(NOW, silent), NOW).history == NO_HISTORY


def test_a_text_that_was_never_sent_is_taken_back_unless_the_customer_answered_meanwhile() -> None:
    before = a_standing(history=PaymentHistory(silent_run=2))
    claimed = after(before, a_customer(), claimed_at(NOW, PLAIN), NOW)
    assert claimed.history.silent_run == 3
    assert without_claim(claimed, before, claimed.ledger[-1].claim_id).history.silent_run == 2
    answered = replace(claimed, history=NO_HISTORY)
    assert without_claim(answered, before, claimed.ledger[-1].claim_id).history.silent_run == 0


def test_a_text_that_did_not_arrive_was_ignored_by_nobody() -> None:
    standing = a_standing(a_text(NOW), history=PaymentHistory(silent_run=4))
    assert with_delivery(standing, "claim", failed=True).history.silent_run == 0


def test_a_reply_ends_the_silence_up_to_its_moment_told_twice_or_late() -> None:
    first, second = a_text(NOW), a_text(taipei("2026-12-04 10:00"), stage=3)
    standing = a_standing(first, second, history=PaymentHistory(silent_run=2))
    late = with_answer(standing, taipei("2026-12-02 09:00"))
    assert late.history.silent_run == 1, "the second text came after it"
    assert with_answer(late, taipei("2026-12-02 09:00")) is late
    assert with_answer(late, taipei("2026-12-05 09:00")).history.silent_run == 0
