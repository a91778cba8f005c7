"""A file and what has been said by event since: which of the two is believed."""

from datetime import datetime, timedelta

import pytest

from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.lender_record import (
    CustomerReleased,
    EventTime,
    InstalmentPaid,
    LenderEvent,
    RecordedEvent,
    record_event,
)
from dunning.ports.customers import StoredCustomer
from tests.support.lender_files import UPLOADED_AT, WANG, Office, row

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
FULL = 325_000


@pytest.fixture
def office() -> Office:
    return Office()


def tell(office: Office, at: datetime, event: LenderEvent) -> None:
    """Let the lender's systems say something."""
    stored = office.store.load_stored(["C-1001"])["C-1001"]
    assert isinstance(stored, StoredCustomer)
    after = record_event(stored.lender_record, RecordedEvent(EventTime(at), event))
    office.store.save_lender_record(after, expected_revision=stored.lender_record.revision)


def paid(office: Office) -> int:
    """Return what is known to be paid."""
    return office.store.facts["C-1001"].accounts[0].instalments[0].paid


def held(office: Office) -> list[HoldReason]:
    """Return why there is silence, as the lender sees it."""
    return [hold.reason for hold in office.store.facts["C-1001"].holds]


def a_payment(amount: int) -> InstalmentPaid:
    return InstalmentPaid("A-1", 1, amount, "TWD")


def test_a_payment_of_this_morning_is_not_taken_back_by_a_file_written_last_night(office: Office) -> None:
    office.load_rows(WANG)
    tell(office, UPLOADED_AT + WEEK - timedelta(hours=3), a_payment(FULL))
    office.load_rows(row(product="another"), at=UPLOADED_AT + WEEK)
    assert paid(office) == FULL


def test_a_file_that_knows_of_more_than_an_event_of_the_day_before_is_believed(office: Office) -> None:
    office.load_rows(WANG)
    tell(office, UPLOADED_AT + WEEK - timedelta(hours=3), a_payment(100_000))
    office.load_rows(row(paid_amount="3250"), at=UPLOADED_AT + WEEK)
    assert paid(office) == FULL


def test_a_file_takes_back_a_payment_of_two_days_ago_that_it_does_not_know(office: Office) -> None:
    office.load_rows(WANG)
    tell(office, UPLOADED_AT + WEEK - 2 * DAY, a_payment(FULL))
    office.load_rows(WANG, at=UPLOADED_AT + WEEK)
    assert paid(office) == 0


def test_a_payment_reversed_after_the_file_is_open_again(office: Office) -> None:
    office.load_rows(row(paid_amount="3250"))
    tell(office, UPLOADED_AT + timedelta(hours=1), a_payment(0))
    assert paid(office) == 0


def test_a_file_that_says_nothing_new_writes_nothing_although_there_were_events(office: Office) -> None:
    office.load_rows(row(paid_amount="3250"))
    tell(office, UPLOADED_AT + DAY, a_payment(FULL))
    office.load_rows(row(paid_amount="3250"), at=UPLOADED_AT + 2 * DAY)
    writes = office.store.writes
    summary = office.load_rows(row(paid_amount="3250"), at=UPLOADED_AT + 3 * DAY)
    assert (summary.customers_unchanged, office.store.writes) == (1, writes)


def test_a_hold_of_the_file_that_a_person_has_lifted_stays_lifted_until_a_newer_file_says_it_again(
    office: Office,
) -> None:
    office.load_rows(row(hold="dispute"))
    tell(office, UPLOADED_AT + DAY, CustomerReleased(HoldReason.DISPUTE))
    assert held(office) == []
    office.load_rows(row(hold="dispute"), at=UPLOADED_AT + 2 * DAY)
    assert held(office) == [HoldReason.DISPUTE]
