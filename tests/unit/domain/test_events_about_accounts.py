"""Events about accounts: what a file and later payments, changes and closings come to."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from dunning.domain.customer.facts import Account, Instalment
from dunning.domain.customer.lender_record import (
    AccountClosed,
    EventTime,
    InstalmentChanged,
    InstalmentPaid,
    LenderEvent,
    LenderRecord,
    RecordedEvent,
    project_facts,
    record_event,
    record_snapshot,
)
from tests.support.builders import a_customer, a_lender_record, an_account, an_instalment, by_event, day, facts_of

FILE_AT = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAID = InstalmentPaid("A1", 1, 1000, "TWD")
CHANGED = InstalmentChanged(account_id="A1", number=1, due_on=day("2026-12-20"), amount=1000, currency="TWD")

type TimedEvent = tuple[float, LenderEvent]
"""An event, and how many hours after the file it was said."""


def account_after(*events: TimedEvent, stated: Account | None = None, paid_as_of: datetime | None = None) -> Account:
    """Return the account `A1` after a file and events, which come in this order."""
    account = stated or an_account(an_instalment(amount=1000))
    record = record_snapshot(
        LenderRecord(customer_id="C1"), a_customer(account, as_of=FILE_AT, paid_as_of=paid_as_of)
    )  # fmt: skip
    return _after(record, *events)


def _after(record: LenderRecord, *events: TimedEvent) -> Account:
    for hours, event in events:
        record = record_event(record, by_event(FILE_AT + hours * HOUR, event))
    return facts_of(record).accounts[0]


def first_of(account: Account) -> Instalment:
    return account.instalments[0]


def test_a_change_says_all_of_an_instalment_but_what_was_paid_and_sent() -> None:
    stated = an_account(an_instalment(amount=1000, paid=300, stage_reached=4, notice="2026-12-03", late_fee=10))
    changed = replace(CHANGED, amount=900, late_fee=20, written_notice_on=day("2026-12-04"))
    assert account_after((1, changed), stated=stated).instalments == (
        an_instalment("2026-12-20", 900, paid=300, stage_reached=4, notice="2026-12-04", late_fee=20),
    )


def test_a_change_of_an_instalment_that_is_not_known_brings_it_unpaid() -> None:
    assert account_after((1, replace(CHANGED, number=2))).instalments == (
        an_instalment(amount=1000),
        an_instalment("2026-12-20", 1000, number=2),
    )


def test_instalments_are_ordered_by_due_date_then_number() -> None:
    changes = [(3, "2026-12-01"), (2, "2026-12-01"), (4, "2026-11-01")]
    events = [
        (hours, replace(CHANGED, number=number, due_on=day(due))) for hours, (number, due) in enumerate(changes, 1)
    ]
    assert [each.number for each in account_after(*events).instalments] == [4, 1, 2, 3]


@pytest.mark.parametrize(
    ("paid", "amount", "since"),
    [
        pytest.param(300, 299, 1, id="less than is paid"),
        pytest.param(300, 300, 1, id="what is paid"),
        pytest.param(300, 301, None, id="more than is paid"),
        pytest.param(999, 999, 1, id="what is paid, where a cent was open"),
        pytest.param(1000, 1000, None, id="what was settled before"),
        pytest.param(1000, 900, None, id="less than was settled before"),
    ],
)
def test_a_change_that_leaves_nothing_open_counts_as_a_payment(paid: int, amount: int, since: int | None) -> None:
    stated = an_account(an_instalment(amount=1000, paid=paid))
    changed = first_of(account_after((1, replace(CHANGED, amount=amount)), stated=stated))
    assert changed.paid_at == (None if since is None else FILE_AT + since * HOUR)


def test_a_new_instalment_with_nothing_to_pay_is_settled_from_the_start() -> None:
    account = account_after((1, replace(CHANGED, number=2, amount=0)))
    assert account.instalments[1].paid_at == FILE_AT + HOUR


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_payment_finds_its_instalment_whichever_is_said_or_comes_first(order: tuple[int, ...]) -> None:
    new = replace(CHANGED, number=2)
    for hours in (1, 3):
        events: list[TimedEvent] = [(2, replace(PAID, number=2, paid=400)), (hours, new)]
        account = account_after(*(events[index] for index in order))
        assert [each.open for each in account.instalments] == [1000, 600]


def test_a_payment_of_an_instalment_that_nobody_has_named_changes_nothing() -> None:
    elsewhere = replace(PAID, number=2, currency="USD")
    assert account_after((1, elsewhere)) == an_account(an_instalment(amount=1000))


@pytest.mark.parametrize("event", [replace(PAID, currency="USD"), replace(CHANGED, currency="USD")])
def test_an_amount_in_another_currency_makes_the_account_unreadable(event: InstalmentPaid | InstalmentChanged) -> None:
    assert account_after((1, replace(event, currency="TWD"))).currency == "TWD"
    assert account_after((1, event)).currency == ""
    assert account_after((1, event), (2, replace(PAID, paid=500))).currency == ""


@pytest.mark.parametrize(
    ("hours", "paid", "counts"),
    [
        pytest.param(1, 200, True, id="a reversal since"),
        pytest.param(1, 700, True, id="a payment since"),
        pytest.param(0, 700, True, id="a payment the file may not know"),
        pytest.param(0, 200, False, id="a reversal the file may know"),
        pytest.param(0, 500, False, id="a payment the file has"),
        pytest.param(-23, 700, True, id="a payment within the day before"),
        pytest.param(-24, 700, False, id="a payment the file knows"),
    ],
)
def test_of_a_payment_that_the_file_may_know_the_lower_claim_counts(
    hours: int, paid: int, *, counts: bool
) -> None:  # fmt: skip
    stated = an_account(an_instalment(amount=1000, paid=500))
    account = account_after((hours, replace(PAID, paid=paid)), stated=stated, paid_as_of=FILE_AT - 24 * HOUR)
    if counts:
        assert first_of(account).paid == paid
    else:
        assert account == stated


def test_a_payment_counts_against_a_file_of_no_known_time() -> None:
    stated = a_lender_record(a_customer(an_account(an_instalment(amount=1000, paid=500))))
    assert first_of(_after(stated, (1, replace(PAID, paid=200)))).paid == 200


@pytest.mark.parametrize(
    ("stated_paid", "payments", "since"),
    [
        pytest.param(0, {1: 1000}, 1, id="once it is paid"),
        pytest.param(0, {1: 1000, 2: 1000}, 1, id="repeated, from the first time"),
        pytest.param(0, {1: 400, 2: 1000}, 2, id="in two parts, from the last"),
        pytest.param(0, {1: 1000, 2: 400, 3: 1000}, 3, id="taken back and paid again, from the last time"),
        pytest.param(0, {1: 1000, 2: 400}, 1, id="what is left of a reversal was paid from the first time"),
        pytest.param(0, {1: 1000, 2: 1300}, 1, id="more than the amount settles it no more"),
        pytest.param(999, {1: 1000}, 1, id="but for a cent by the file"),
        pytest.param(1000, {1: 1000}, None, id="settled by the file"),
        pytest.param(1000, {1: 1200}, None, id="settled by the file, more paid since"),
        pytest.param(1000, {1: 400, 2: 1000}, 2, id="settled by the file, taken back and paid again"),
        pytest.param(500, {1: 500}, 1, id="a part that the file knows"),
    ],
)
def test_what_is_paid_has_been_paid_since_nobody_took_it_back(
    stated_paid: int, payments: Mapping[int, int], since: int | None
) -> None:
    stated = an_account(an_instalment(amount=1000, paid=stated_paid))
    events = [(hours, replace(PAID, paid=paid)) for hours, paid in payments.items()]
    for order in permutations(events):
        paid_at = first_of(account_after(*order, stated=stated)).paid_at
        assert paid_at == (None if since is None else FILE_AT + since * HOUR)


def test_a_closed_account_is_paid_since_it_was_first_said_to_be_closed() -> None:
    stated = an_account(
        an_instalment(amount=1000, paid=300),
        an_instalment("2027-01-01", 1000, number=2, paid=1000),
        an_instalment("2027-02-01", 1000, number=3, paid=1200),
        an_instalment("2027-03-01", 1, number=4),
    )
    closed = AccountClosed("A1")
    for order in permutations([(1, closed), (2, closed), (3, closed)]):
        account = account_after(*order, stated=stated)
        assert [(each.paid, each.paid_at) for each in account.instalments] == [
            (1000, FILE_AT + HOUR), (1000, None), (1200, None), (1, FILE_AT + HOUR)
        ]  # fmt: skip
    assert account_after((1, AccountClosed("A2")), stated=stated) == stated


@pytest.mark.parametrize("event", [AccountClosed("A1"), replace(CHANGED, amount=500)])
@pytest.mark.parametrize("paid_as_of", [None, FILE_AT - 24 * HOUR])
def test_a_file_knows_changes_and_closings_up_to_its_own_moment(
    event: LenderEvent, paid_as_of: datetime | None
) -> None:
    stated: dict[str, Any] = {"stated": an_account(an_instalment(amount=1000)), "paid_as_of": paid_as_of}
    assert account_after((0, event), **stated) == account_after(**stated)
    assert account_after((0.01, event), **stated) != account_after(**stated)


def test_a_file_knows_payments_up_to_its_own_moment_unless_it_says_another() -> None:
    stated = an_account(an_instalment(amount=1000))
    assert account_after((0, PAID), stated=stated) == stated
    assert account_after((0.01, PAID), stated=stated) != stated


def test_events_about_one_account_are_none_about_another() -> None:
    assert account_after((1, replace(PAID, account_id="A2"))) == an_account(an_instalment(amount=1000))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_events_of_one_moment_the_sequence_tells_which_is_the_newer(order: tuple[int, ...]) -> None:
    record = record_snapshot(LenderRecord(customer_id="C1"), a_customer(an_account(), as_of=FILE_AT))
    for sequence in order:
        time = EventTime(FILE_AT + HOUR, sequence)
        record = record_event(record, RecordedEvent(time, replace(PAID, paid=100 + sequence)))
        record = record_event(record, RecordedEvent(time, replace(CHANGED, amount=200 + sequence)))
    facts = project_facts(record)
    assert facts is not None
    assert [(each.amount, each.paid) for each in facts.accounts[0].instalments] == [(202, 102)]
