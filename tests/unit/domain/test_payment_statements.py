"""What was said of payments is about what was open when it was said, however late it is learnt what that was."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import permutations

import pytest

from dunning.domain.customer.facts import Facts, HoldReason, Instalment
from dunning.domain.customer.lender_record import (
    AccountClosed,
    EventTime,
    InstalmentChanged,
    InstalmentPaid,
    LenderEvent,
    RecordedEvent,
    project_facts,
    record_event,
    record_snapshot,
)
from dunning.domain.customer.standing import (
    PAYMENT_STATEMENT_LIMIT,
    PaymentStatement,
    PromiseToPay,
    Standing,
    holds_now,
)
from dunning.domain.replies.payment_statements import (
    match_to_instalments,
    with_payment_statement,
    without_payment_statements,
)
from tests.support.builders import a_customer, a_lender_record, a_standing, an_account, an_instalment, day, taipei

SAID_AT = taipei("2026-12-10 11:00")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST, SECOND = an_instalment("2026-12-01"), an_instalment("2027-01-01", number=2)
OWING = a_customer(an_account(FIRST, SECOND), as_of=taipei("2026-12-01 10:00"))
PAID = InstalmentPaid("A1", 1, 325_000, "TWD")


def facts_after(*dated_events: tuple[datetime, LenderEvent], facts: Facts = OWING) -> Facts:
    """Return what a customer's file and these events come to."""
    lender_record = a_lender_record(facts)
    for at, event in dated_events:
        lender_record = record_event(lender_record, RecordedEvent(EventTime(at), event))
    worked_out = project_facts(lender_record)
    assert worked_out is not None
    return worked_out


def filed(*instalments: Instalment, as_of: datetime) -> Facts:
    """Return what a newer file says."""
    known = record_snapshot(a_lender_record(OWING), a_customer(an_account(*instalments), as_of=as_of))
    facts = project_facts(known)
    assert facts is not None
    return facts


def promise(on: str = "2026-12-12", at: datetime = SAID_AT, accounts: tuple[str, ...] = ("A1",)) -> PaymentStatement:
    return PaymentStatement(reason=HoldReason.PROMISE, said_at=at, day=at.date(), until=day(on), accounts=accounts)


def promised(facts: Facts = OWING) -> Standing:
    return with_payment_statement(a_standing(), promise(), facts)


def days_of(standing: Standing) -> dict[str, date]:
    return {key: made.on for key, made in standing.promises.items()}


class TestPaymentsHeardOfLate:
    """An event tells when the lender knew of a payment."""

    def test_one_from_before_a_promise_makes_it_one_for_the_next_instalment(self) -> None:
        late = facts_after((SAID_AT - HOUR, PAID))
        assert days_of(promised()) == {"A1#1": day("2026-12-12")}
        assert match_to_instalments(promised(), late) == promised(late)
        assert days_of(promised(late)) == {"A1#2": day("2026-12-12")}

    def test_one_from_after_it_leaves_it_where_it_was(self) -> None:
        late = facts_after((SAID_AT + HOUR, PAID))
        assert match_to_instalments(promised(), late) == promised() == promised(late)

    def test_who_says_it_is_paid_is_believed_about_the_next_one_too(self) -> None:
        says_paid = PaymentStatement(
            reason=HoldReason.SAYS_PAID, said_at=SAID_AT, day=SAID_AT.date(), until=day("2026-12-13"), accounts=("A1",)
        )
        late = facts_after((SAID_AT - HOUR, PAID))
        (hold,) = holds_now(late, match_to_instalments(with_payment_statement(a_standing(), says_paid, OWING), late))
        assert (hold.reason, hold.until) == (HoldReason.SAYS_PAID, day("2026-12-13"))
        paid_later = facts_after((SAID_AT + HOUR, PAID))
        assert (
            holds_now(
                paid_later, match_to_instalments(with_payment_statement(a_standing(), says_paid, OWING), paid_later)
            )
            == []
        )

    def test_one_of_the_very_moment_of_a_promise_comes_before_it(self) -> None:
        assert set(promised(facts_after((SAID_AT, PAID))).promises) == {"A1#2"}

    @pytest.mark.parametrize(
        ("amount", "credit", "about"),
        [(100, 0, "A1#1"), (100, 99, "A1#1"), (100, 100, "A1#2"), (0, 0, "A1#1"), (0, 1, "A1#2"), (-1, 0, "A1#2")],
    )
    def test_what_was_paid_or_waived_later_was_open_but_for_what_a_credit_covered(
        self, amount: int, credit: int, about: str
    ) -> None:
        settled_later = replace(FIRST, amount=amount, paid=max(amount, 0), paid_at=SAID_AT + HOUR)
        with_credit = an_instalment("2026-11-01", amount=-credit, number=3)
        facts = a_customer(an_account(with_credit, settled_later, SECOND))
        assert set(promised(facts).promises) == {about}

    @pytest.mark.parametrize("order", list(permutations([0, 1, 2])))
    def test_what_is_said_again_was_paid_when_it_was_said_first(self, order: tuple[int, ...]) -> None:
        payments = [(SAID_AT - 2 * HOUR, PAID), (SAID_AT + HOUR, PAID), (SAID_AT + 2 * HOUR, PAID)]
        facts = facts_after(*(payments[place] for place in order))
        assert facts.accounts[0].instalments[0].paid_at == SAID_AT - 2 * HOUR
        assert set(promised(facts).promises) == {"A1#2"}

    @pytest.mark.parametrize("order", list(permutations([0, 1, 2])))
    def test_what_was_taken_back_and_paid_again_was_open_in_between(self, order: tuple[int, ...]) -> None:
        payments = [
            (SAID_AT - 2 * HOUR, PAID),
            (SAID_AT - HOUR, InstalmentPaid("A1", 1, 0, "TWD")),
            (SAID_AT + HOUR, PAID),
        ]
        facts = facts_after(*(payments[place] for place in order))
        assert facts.accounts[0].instalments[0].paid_at == SAID_AT + HOUR
        assert set(promised(facts).promises) == {"A1#1"}

    def test_an_instalment_that_was_waived_later_is_still_what_was_spoken_of(self) -> None:
        waived = facts_after(
            (
                SAID_AT + HOUR,
                InstalmentChanged(account_id="A1", number=1, due_on=FIRST.due_on, amount=0, currency="TWD"),
            )
        )
        assert set(match_to_instalments(promised(), waived).promises) == {"A1#1"}
        assert set(promised(waived).promises) == {"A1#1"}

    def test_an_account_that_was_closed_later_likewise(self) -> None:
        closed = facts_after((SAID_AT + HOUR, AccountClosed("A1")), (SAID_AT + 2 * HOUR, AccountClosed("A1")))
        assert set(promised(closed).promises) == {"A1#1"}
        long_closed = facts_after((SAID_AT + HOUR, AccountClosed("A1")), (SAID_AT - HOUR, AccountClosed("A1")))
        assert promised(long_closed).promises == {}


class TestFiles:
    """A file tells what is paid, and not since when."""

    def test_one_from_after_a_promise_leaves_it_where_it_was(self) -> None:
        facts = filed(an_instalment("2026-12-01", paid=325_000), SECOND, as_of=SAID_AT + DAY)
        assert set(match_to_instalments(promised(), facts).promises) == {"A1#1"}

    @pytest.mark.parametrize("paid", [0, 1, 324_999, 325_000])
    def test_one_whose_credit_covers_what_was_promised_leaves_it_where_it_was(self, paid: int) -> None:
        overpaid = an_instalment("2026-11-01", paid=650_000 - paid, number=3)
        facts = filed(overpaid, an_instalment("2026-12-01", paid=paid), SECOND, as_of=SAID_AT + DAY)
        assert set(match_to_instalments(promised(), facts).promises) == {"A1#1"}

    def test_one_in_which_what_was_promised_is_a_credit_leaves_it_where_it_was(self) -> None:
        facts = filed(an_instalment("2026-12-01", amount=-1), SECOND, as_of=SAID_AT + DAY)
        assert set(match_to_instalments(promised(), facts).promises) == {"A1#1"}

    def test_one_without_a_time_leaves_it_where_it_was(self) -> None:
        paid = a_customer(an_account(an_instalment("2026-12-01", paid=325_000), SECOND), as_of=None)
        assert set(match_to_instalments(promised(), paid).promises) == {"A1#1"}

    def test_one_of_the_very_moment_of_a_promise_comes_before_it(self) -> None:
        facts = filed(an_instalment("2026-12-01", paid=325_000), SECOND, as_of=SAID_AT)
        assert set(match_to_instalments(promised(), facts).promises) == {"A1#2"}

    def test_one_from_before_it_that_comes_late_makes_it_one_for_the_next_instalment(self) -> None:
        facts = filed(an_instalment("2026-12-01", paid=325_000), SECOND, as_of=SAID_AT - HOUR)
        assert match_to_instalments(promised(), facts) == promised(facts)
        assert set(promised(facts).promises) == {"A1#2"}

    def test_the_moment_of_an_event_is_kept_when_a_file_takes_its_place(self) -> None:
        late = match_to_instalments(promised(), facts_after((SAID_AT - HOUR, PAID)))
        facts = filed(an_instalment("2026-12-01", paid=325_000), SECOND, as_of=SAID_AT + 2 * DAY)
        assert set(match_to_instalments(late, facts).promises) == {"A1#2"}

    def test_one_that_no_longer_names_what_is_paid_moves_no_promise_to_the_next_instalment(self) -> None:
        assert set(match_to_instalments(promised(), filed(SECOND, as_of=SAID_AT + DAY)).promises) == {"A1#1"}

    def test_an_account_that_is_new_since_was_not_spoken_of(self) -> None:
        new = an_account(an_instalment("2026-12-05"), account_id="A2", tail="2222")
        assert set(
            match_to_instalments(promised(), a_customer(*OWING.accounts, new, as_of=SAID_AT + DAY)).promises
        ) == {"A1#1"}


class TestSeveralAccounts:
    """What was meant is what was pressing."""

    TWO = a_customer(
        an_account(FIRST, SECOND),
        an_account(an_instalment("2026-12-12"), account_id="A2", tail="2222"),
        an_account(an_instalment("2026-12-15"), account_id="A3", tail="3333"),
    )

    @pytest.mark.parametrize(
        ("on", "about"),
        [("2026-12-11", {"A1#1"}), ("2026-12-12", {"A1#1", "A2#1"}), ("2026-12-15", {"A1#1", "A2#1", "A3#1"})],
    )
    def test_a_promise_is_about_all_that_is_due_by_its_day(self, on: str, about: set[str]) -> None:
        made = promise(on, accounts=("A1", "A2", "A3"))
        assert set(with_payment_statement(a_standing(), made, self.TWO).promises) == about

    def test_the_order_in_which_a_lender_names_accounts_makes_no_difference(self) -> None:
        made = promise("2026-12-15", accounts=("A1", "A2", "A3"))
        turned = replace(self.TWO, accounts=self.TWO.accounts[::-1])
        upwards = with_payment_statement(a_standing(), made, self.TWO)
        assert with_payment_statement(a_standing(), made, turned) == upwards

    def test_where_nothing_is_due_it_is_about_what_comes_next_in_any_of_them(self) -> None:
        made = promise("2026-12-11", accounts=("A2", "A3"))
        assert set(with_payment_statement(a_standing(), made, self.TWO).promises) == {"A2#1"}


class TestSeveral:
    """All are kept as they were said; of promises for one instalment the first counts."""

    def test_a_later_promise_counts_if_the_first_turns_out_to_be_for_another_instalment(self) -> None:
        both = with_payment_statement(promised(), promise("2026-12-20", SAID_AT + 2 * HOUR), OWING)
        assert days_of(both) == {"A1#1": day("2026-12-12")}
        late = facts_after((SAID_AT + HOUR, PAID))
        assert days_of(match_to_instalments(both, late)) == {"A1#1": day("2026-12-12"), "A1#2": day("2026-12-20")}

    def test_one_that_was_judged_stays_so_while_it_is_the_same(self) -> None:
        judged = a_standing(
            payment_statements=promised().payment_statements,
            promises={"A1#1": PromiseToPay(SAID_AT, day("2026-12-12"), kept=False)},
        )
        assert match_to_instalments(judged, OWING) == judged
        earlier = with_payment_statement(judged, promise("2026-12-11", SAID_AT - HOUR), OWING)
        assert earlier.promises == {"A1#1": PromiseToPay(SAID_AT - HOUR, day("2026-12-11"))}

    def test_two_of_one_moment_about_two_accounts_are_one_about_both(self) -> None:
        two = a_customer(*OWING.accounts, an_account(FIRST, account_id="A2", tail="2222"))
        first = with_payment_statement(a_standing(), promise(accounts=("A2",)), two)
        assert set(with_payment_statement(first, promise(), two).promises) == {"A1#1", "A2#1"}

    def test_only_so_many_are_remembered_the_newest_in_whatever_order_they_come(self) -> None:
        promises = [promise(at=SAID_AT + number * HOUR) for number in range(PAYMENT_STATEMENT_LIMIT + 2)]
        upwards = downwards = a_standing()
        for made in promises:
            upwards = with_payment_statement(upwards, made, OWING)
        for made in reversed(promises):
            downwards = with_payment_statement(downwards, made, OWING)
        assert upwards == downwards
        assert [statement.said_at for statement in upwards.payment_statements] == [
            made.said_at for made in promises[2:]
        ]


def test_promises_do_not_crowd_out_payment_claims() -> None:
    claim = replace(promise(), reason=HoldReason.SAYS_PAID)
    standing = with_payment_statement(a_standing(), claim, OWING)
    for number in range(1, PAYMENT_STATEMENT_LIMIT + 2):
        standing = with_payment_statement(standing, promise(at=SAID_AT + number * HOUR), OWING)
    reasons = [statement.reason for statement in standing.payment_statements]
    assert (reasons.count(HoldReason.PROMISE), reasons.count(HoldReason.SAYS_PAID)) == (PAYMENT_STATEMENT_LIMIT, 1)


def test_of_a_reply_that_is_read_anew_the_statements_go_that_it_no_longer_makes_and_no_others() -> None:
    first, later = promise(), promise("2026-12-20", at=SAID_AT + HOUR)
    both = with_payment_statement(with_payment_statement(a_standing(), first, OWING), later, OWING)
    assert without_payment_statements(both, SAID_AT, [first], OWING) is both
    assert without_payment_statements(both, SAID_AT + DAY, [], OWING) is both
    without = without_payment_statements(both, SAID_AT, [promise("2026-12-13")], OWING)
    assert [statement.said_at for statement in without.payment_statements] == [later.said_at]
    nothing = without_payment_statements(promised(), SAID_AT, [], OWING)
    assert (nothing.payment_statements, nothing.promises) == ((), {})


def test_a_statement_that_arrives_in_pieces_names_its_accounts_in_their_order() -> None:
    names = tuple(f"A{number}" for number in range(1, 10))
    standing = with_payment_statement(a_standing(), promise(accounts=names[::2]), OWING)
    (merged,) = with_payment_statement(standing, promise(accounts=names[1::2]), OWING).payment_statements
    assert merged.accounts == names


def test_a_payment_claim_and_a_promise_of_one_moment_are_two_statements() -> None:
    claim = replace(promise(), reason=HoldReason.SAYS_PAID)
    both = with_payment_statement(promised(), claim, OWING)
    assert [statement.reason for statement in both.payment_statements] == [HoldReason.PROMISE, HoldReason.SAYS_PAID]


def test_a_judgement_stays_with_the_promise_that_is_left() -> None:
    later = promise("2026-12-20", at=SAID_AT + HOUR)
    both = with_payment_statement(promised(), later, OWING)
    broken = {"A1#1": PromiseToPay(later.said_at, later.until, kept=False)}
    left = without_payment_statements(replace(both, promises=broken), SAID_AT, [], OWING)
    assert left.promises == broken


def test_a_standing_without_payment_statements_stays_the_same_object() -> None:
    standing = a_standing()
    assert match_to_instalments(standing, OWING) is standing
