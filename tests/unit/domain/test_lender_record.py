"""The lender record: which file and which event counts, who is missing in a list, and what an erasure leaves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.lender_record import (
    PAYMENTS_REMEMBERED,
    AccountClosed,
    AddressChanged,
    ConsentChanged,
    CustomerAttended,
    CustomerHold,
    CustomerReleased,
    EventTime,
    InstalmentPaid,
    LenderEvent,
    LenderRecord,
    RecordedEvent,
    erase_record,
    is_barred_by_erasure,
    record_event,
    record_missing,
    record_snapshot,
    with_accounts_indexed,
    with_accounts_to_index,
)
from dunning.domain.delivery.channels import AddressKind, Channel
from tests.support.builders import a_customer, a_lender_record, an_account, by_event, day, facts_of

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOBODY = LenderRecord(customer_id="C1")
OF_NO_KNOWN_TIME = a_lender_record(a_customer())
PAID = InstalmentPaid("A1", 1, 1000, "TWD")
UNTIL = CustomerHold(HoldReason.DISPUTE, day("2026-12-31"))
DISPUTE, HARDSHIP = Hold(HoldReason.DISPUTE), Hold(HoldReason.HARDSHIP)


def with_events(record: LenderRecord, *events: RecordedEvent) -> LenderRecord:
    for recorded in events:
        record = record_event(record, recorded)
    return record


def test_a_file_takes_the_place_of_files_up_to_its_own_moment_and_of_a_list_that_lacked_the_customer_before() -> None:
    record = record_missing(record_snapshot(NOBODY, a_customer(as_of=NOW)), NOW + HOUR)
    assert record_snapshot(record, a_customer(as_of=NOW + HOUR - SECOND)) is record
    assert facts_of(record_snapshot(record, a_customer(as_of=NOW + HOUR))).not_in_list_since is None
    assert facts_of(record_snapshot(OF_NO_KNOWN_TIME, a_customer(as_of=NOW))).as_of == NOW


def test_a_number_that_comes_again_is_known_once() -> None:
    record = NOBODY
    for number, phone in enumerate(["+886911", "+886922", "+886911"]):
        record = record_snapshot(record, a_customer(as_of=NOW + number * DAY, phone=phone))
    assert record.phones == ("+886911", "+886922")
    assert record.revision == 3


@pytest.mark.parametrize(
    ("event", "ago", "is_kept"),
    [
        pytest.param(PAID, DAY, False, id="a payment of a day before"),
        pytest.param(PAID, DAY - SECOND, True, id="a payment that a newer file may not know"),
        pytest.param(AccountClosed("A1"), timedelta(), False, id="a closing"),
        pytest.param(AccountClosed("A1"), -SECOND, True, id="a closing since"),
        pytest.param(CustomerHold(HoldReason.DISPUTE), 9 * DAY, True, id="a hold, which no file knows"),
        pytest.param(CustomerReleased(), 9 * DAY, True, id="a release, which no file knows"),
    ],
)
def test_an_event_is_kept_until_every_newer_file_knows_it(event: LenderEvent, ago: timedelta, *, is_kept: bool) -> None:
    recorded, file = by_event(NOW - ago, event), a_customer(as_of=NOW)
    kept = [recorded] if is_kept else []
    assert list(record_snapshot(record_event(NOBODY, recorded), file).events.values()) == kept
    record = record_snapshot(NOBODY, file)
    assert list(record_event(record, recorded).events.values()) == kept
    assert (record_event(record, recorded) is record) is not is_kept
    assert list(record_event(OF_NO_KNOWN_TIME, recorded).events.values()) == [recorded]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(by_event(NOW, CustomerHold(HoldReason.DISPUTE)), by_event(NOW, UNTIL), id="another content"),
        pytest.param(by_event(NOW, UNTIL), by_event(NOW, UNTIL)._replace(by="clerk-7"), id="another author"),
        pytest.param(by_event(NOW, UNTIL, -1), by_event(NOW, CustomerHold(UNTIL.reason)), id="another place"),
    ],
)
def test_of_two_events_of_a_moment_the_same_counts_whichever_comes_first(
    first: RecordedEvent, second: RecordedEvent
) -> None:
    record = with_events(NOBODY, first, second)
    assert len(record.events) == 1
    assert with_events(NOBODY, second, first).events == record.events


def test_an_event_without_a_place_among_those_of_its_moment_is_before_the_first() -> None:
    plain = CustomerHold(UNTIL.reason)
    unplaced = RecordedEvent(EventTime(NOW), plain)
    assert list(with_events(NOBODY, by_event(NOW, UNTIL, -1), unplaced).events.values()) == [unplaced]
    unplaced, first = RecordedEvent(EventTime(NOW), UNTIL), by_event(NOW, plain, 1)
    assert list(with_events(NOBODY, first, unplaced).events.values()) == [first]


def test_events_of_different_subjects_are_kept_side_by_side() -> None:
    events: list[LenderEvent] = [
        PAID,
        AccountClosed("A1"),
        CustomerHold(HoldReason.DISPUTE),
        CustomerHold(HoldReason.LEGAL),
        CustomerReleased(),
        CustomerReleased(HoldReason.DISPUTE),
        CustomerAttended(),
        AddressChanged(AddressKind.EMAIL, "wang@example.com"),
        AddressChanged(AddressKind.LINE, ""),
        ConsentChanged(Channel.EMAIL),
        ConsentChanged(Channel.LINE),
    ]
    assert [each.subject for each in events] == [
        "paid:A1#1", "closed:A1", "held:dispute", "held:legal", "released:*", "released:dispute", "attended",
        "address:email", "address:line", "consent:email", "consent:line",
    ]  # fmt: skip
    record = with_events(NOBODY, *(by_event(NOW, event) for event in events))
    assert [each.event for each in record.events.values()] == events


def test_an_event_about_an_account_changes_nothing_else() -> None:
    file = a_customer(as_of=NOW, holds=(HARDSHIP, DISPUTE), email="wang@example.com", opted_out=True)
    facts = facts_of(record_event(record_snapshot(NOBODY, file), by_event(NOW + HOUR, PAID)))
    assert facts.accounts != file.accounts
    assert replace(facts, accounts=file.accounts) == file


class TestMissing:
    """Of a customer whom the whole list lacks."""

    KNOWN = record_snapshot(NOBODY, a_customer(as_of=NOW))

    @pytest.mark.parametrize("record", [KNOWN, OF_NO_KNOWN_TIME])
    def test_a_customer_whom_a_later_list_lacks_is_missing_since_then(self, record: LenderRecord) -> None:
        missing = record_missing(record, NOW + SECOND)
        assert facts_of(missing) == replace(facts_of(record), not_in_list_since=NOW + SECOND)
        assert missing.revision == record.revision + 1

    def test_a_customer_whom_a_file_names_from_the_moment_of_the_list_on_is_not_missing(self) -> None:
        assert record_missing(self.KNOWN, NOW) is self.KNOWN
        assert record_missing(self.KNOWN, NOW - SECOND) is self.KNOWN

    def test_a_customer_stays_missing_since_the_first_list(self) -> None:
        missing = record_missing(self.KNOWN, NOW + HOUR)
        assert record_missing(missing, NOW + DAY) is missing
        assert record_missing(missing, NOW + SECOND) is missing

    def test_nobody_is_missing_of_whom_no_file_has_told(self) -> None:
        assert record_missing(NOBODY, NOW) is NOBODY


class TestRememberedPayments:
    """So that a record stays small, a few payments of an instalment are kept."""

    PAYMENTS = tuple(by_event(NOW + number * HOUR, replace(PAID, paid=number)) for number in range(14))
    NEWEST = PAYMENTS[-PAYMENTS_REMEMBERED:]

    @pytest.mark.parametrize("order", [PAYMENTS, PAYMENTS[::-1], (*PAYMENTS[7:], *PAYMENTS[:7])])
    def test_the_newest_are_kept_in_whatever_order_they_come(self, order: tuple[RecordedEvent, ...]) -> None:
        assert sorted(with_events(NOBODY, *order).events.values()) == list(self.NEWEST)

    def test_an_older_payment_than_those_kept_changes_nothing(self) -> None:
        record = with_events(NOBODY, *self.NEWEST)
        assert record_event(record, self.PAYMENTS[0]) is record
        assert record.revision == PAYMENTS_REMEMBERED

    def test_payments_of_other_instalments_and_other_events_take_no_place(self) -> None:
        others = [
            by_event(NOW - DAY, replace(PAID, number=2)),
            by_event(NOW - DAY, replace(PAID, account_id="A2")),
            by_event(NOW - DAY, AccountClosed("A1")),
            by_event(NOW - DAY, CustomerHold(HoldReason.DISPUTE)),
        ]
        record = with_events(NOBODY, *others, *self.PAYMENTS)
        assert sorted(record.events.values(), key=lambda each: each.time) == [*others, *self.NEWEST]


class TestHolds:
    """Holds by file and by event."""

    @pytest.mark.parametrize(
        ("released", "left"),
        [
            pytest.param(CustomerReleased(HoldReason.DISPUTE), (HARDSHIP,), id="holds of the reason"),
            pytest.param(CustomerReleased(), (), id="all holds"),
            pytest.param(CustomerReleased(HoldReason.LEGAL), (DISPUTE, HARDSHIP), id="none of another reason"),
        ],
    )
    @pytest.mark.parametrize("are_by_event", [False, True])
    def test_a_release_lifts_the_holds_from_before(
        self, released: CustomerReleased, left: tuple[Hold, ...], *, are_by_event: bool
    ) -> None:
        file = a_customer(as_of=NOW, holds=() if are_by_event else (DISPUTE, HARDSHIP))
        held = [by_event(NOW, CustomerHold(hold.reason)) for hold in (DISPUTE, HARDSHIP) if are_by_event]
        record = with_events(record_snapshot(NOBODY, file), *held)
        assert facts_of(record_event(record, by_event(NOW, released))).holds == left
        assert facts_of(record_event(record, by_event(NOW - SECOND, released))).holds == (DISPUTE, HARDSHIP)

    def test_a_release_lifts_no_hold_of_a_file_of_no_known_time(self) -> None:
        record = replace(OF_NO_KNOWN_TIME, snapshot=a_customer(holds=(DISPUTE,)))
        assert facts_of(record_event(record, by_event(NOW, CustomerReleased()))).holds == (DISPUTE,)

    def test_of_two_holds_for_a_reason_the_one_by_event_counts(self) -> None:
        until = Hold(HoldReason.DISPUTE, day("2026-12-31"))
        record = record_snapshot(NOBODY, a_customer(as_of=NOW, holds=(DISPUTE, HARDSHIP)))
        record = record_event(record, by_event(NOW - HOUR, CustomerHold(until.reason, until.until)))
        assert facts_of(record).holds == (until, HARDSHIP)

    @pytest.mark.parametrize("stated", list(permutations([Hold(HoldReason.DISPUTE, day("2026-12-31")), DISPUTE])))
    def test_holds_are_in_one_order_however_they_come(self, stated: tuple[Hold, ...]) -> None:
        record = record_snapshot(NOBODY, a_customer(as_of=NOW, holds=(HARDSHIP, *stated)))
        record = record_event(record, by_event(NOW, CustomerHold(HoldReason.COMPLAINT)))
        holds = (Hold(HoldReason.COMPLAINT), Hold(HoldReason.DISPUTE, day("2026-12-31")), DISPUTE, HARDSHIP)
        assert facts_of(record).holds == holds


class TestErasure:
    """What an erasure leaves, and who may return after it."""

    @pytest.mark.parametrize(
        ("consented_at", "as_of", "is_barred"),
        [
            pytest.param(None, NOW + DAY, True, id="no consent"),
            pytest.param(NOW, NOW + DAY, True, id="a consent of that moment"),
            pytest.param(NOW + SECOND, NOW + DAY, False, id="a consent since"),
            pytest.param(NOW + SECOND, None, False, id="a consent since, in a file of no known time"),
            pytest.param(NOW - SECOND, None, True, id="a consent from before, in a file of no known time"),
            pytest.param(NOW + SECOND, NOW, True, id="a file of that moment"),
            pytest.param(NOW + HOUR, NOW + HOUR - SECOND, True, id="a file that cannot know of the consent"),
            pytest.param(NOW + HOUR, NOW + HOUR, False, id="a file of the moment of the consent"),
        ],
    )
    def test_only_who_has_consented_since_and_whose_file_can_know_it_returns(
        self, consented_at: datetime | None, as_of: datetime | None, *, is_barred: bool
    ) -> None:
        facts = a_customer(consented_at=consented_at, as_of=as_of)
        assert is_barred_by_erasure(erase_record(NOBODY, NOW), facts) is is_barred
        assert is_barred_by_erasure(NOBODY, facts) is False

    @pytest.mark.parametrize(("before_the_day", "is_barred"), [(timedelta(), True), (SECOND, False)])
    def test_a_consent_dated_by_its_day_may_be_from_its_first_moment_anywhere(
        self, before_the_day: timedelta, *, is_barred: bool
    ) -> None:
        consented_at = datetime(2026, 12, 3, 23, 59, 59, tzinfo=UTC)
        first_moment = datetime(2026, 12, 2, 10, 0, tzinfo=UTC)
        erased = erase_record(NOBODY, first_moment - before_the_day)
        assert is_barred_by_erasure(erased, a_customer(consented_at=consented_at, as_of=NOW + 9 * DAY)) is is_barred

    def test_an_erasure_that_comes_late_leaves_what_is_newer_to_a_customer_who_has_returned(self) -> None:
        back = a_customer(an_account(account_id="A2"), consented_at=NOW + HOUR, as_of=NOW + HOUR)
        record = replace(
            record_snapshot(NOBODY, back),
            indexed_accounts=("A1", "A2"),
            next_phone="+886911",
            next_addresses=("a@b.c",),
        )
        newer = by_event(NOW + SECOND, CustomerHold(HoldReason.DISPUTE))
        record = with_events(record, newer, by_event(NOW, CustomerHold(HoldReason.HARDSHIP)))
        erased = erase_record(record, NOW)
        assert (erased.snapshot, list(erased.events.values())) == (back, [newer])
        assert (erased.indexed_accounts, erased.next_phone, erased.next_addresses) == (("A2",), "", ())
        assert erased.revision == record.revision + 1

    @pytest.mark.parametrize(("phones", "until"), [((), None), (("+886911",), NOW + DAY)])
    def test_former_addresses_stay_until_no_message_names_them(
        self, phones: tuple[str, ...], until: datetime | None
    ) -> None:
        erased = erase_record(replace(NOBODY, phones=phones), NOW, NOW + DAY)
        assert (erased.phones, erased.phones_until, erased.erased_at) == (phones, until, NOW)


class TestAccountIndex:
    """By which accounts a customer is found."""

    FILE = a_customer(*(an_account(account_id=account_id) for account_id in ("A1", "A2", "A1")), as_of=NOW)

    def test_accounts_of_the_file_that_are_new_are_indexed_once_and_former_ones_stay(self) -> None:
        record = replace(record_snapshot(NOBODY, self.FILE), indexed_accounts=("A9", "A2"))
        indexed, new = with_accounts_indexed(record)
        assert (indexed.indexed_accounts, new) == (("A9", "A2", "A1"), ("A1",))
        again, none = with_accounts_indexed(indexed)
        assert (again.indexed_accounts, none) == (indexed.indexed_accounts, ())

    def test_nothing_is_decided_by_what_is_indexed(self) -> None:
        record = record_snapshot(NOBODY, self.FILE)
        assert with_accounts_indexed(record)[0] == record

    def test_without_a_file_no_account_is_indexed_and_former_ones_stay(self) -> None:
        record = replace(NOBODY, indexed_accounts=("A9",))
        assert with_accounts_indexed(record) == (record, ())
        assert with_accounts_to_index(record).indexed_accounts == ("A9",)
