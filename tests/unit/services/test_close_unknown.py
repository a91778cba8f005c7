"""Texts without a delivery receipt for three days: closed, counted, and never sent again."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.ports.contacts import ContactKey
from dunning.services.close_unknown import NOTHING_COMES_AFTER, CloseUnknownService
from tests.support.fakes import FakeClock, FakeContacts, FakeTelemetry
from tests.support.people import NOW

A_SECOND = timedelta(seconds=1)
OLD = NOW - NOTHING_COMES_AFTER - A_SECOND


def text(number: int = 1, at: datetime = OLD, state: ContactState = ContactState.UNKNOWN) -> Contact:
    return Contact(
        customer_id=f"C{number:04d}",
        send_id=f"s{number}",
        claim_id="c",
        at=at,
        state=state,
        stage=0,
        account_ids=("A1",),
        channel="sms",
        expires_at=NOW + timedelta(days=1827),
    )


class Archive(FakeContacts):
    """An audit table that is asked in batches, and in which some records cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.unreadable: set[str] = set()
        self.reads: list[int] = []

    def find(self, keys: Collection[ContactKey]) -> Mapping[ContactKey, Contact | UnreadableRecordError]:
        self.reads.append(len(keys))
        found = dict(super().find(keys))
        return found | {key: UnreadableRecordError("contact") for key in keys if key.customer_id in self.unreadable}

    def unknown_before(self, moment: datetime) -> Iterator[ContactKey]:
        unreadable = [key for key in self.records if key.customer_id in self.unreadable]
        return iter([*unreadable, *super().unknown_before(moment)])

    @property
    def states(self) -> list[ContactState]:
        return [record.state for record in self.records.values()]


class House:
    """The service with what it touches."""

    def __init__(self) -> None:
        self.contacts, self.telemetry = Archive(), FakeTelemetry()
        self.service = CloseUnknownService(contacts=self.contacts, clock=FakeClock(NOW), telemetry=self.telemetry)


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.parametrize(
    ("at", "closed"), [(OLD, 1), (NOW - NOTHING_COMES_AFTER, 0), (NOW - timedelta(hours=71), 0), (NOW, 0)]
)
def test_a_text_is_closed_once_no_receipt_can_come(house: House, at: datetime, closed: int) -> None:
    house.contacts.write([text(at=at)])
    assert house.service.close() == closed
    assert house.contacts.states == [ContactState.UNCONFIRMED if closed else ContactState.UNKNOWN]
    assert house.telemetry.counts["SmsUnconfirmed"] == closed


def test_nothing_of_the_record_changes_but_the_state(house: House) -> None:
    house.contacts.write([text()])
    house.service.close()
    assert list(house.contacts.records.values()) == [text(state=ContactState.UNCONFIRMED)]


@pytest.mark.parametrize("state", [state for state in ContactState if state is not ContactState.UNKNOWN])
def test_a_record_whose_outcome_is_known_stays(house: House, state: ContactState) -> None:
    house.contacts.write([text(state=state)])
    assert house.service.close() == 0
    assert house.contacts.states == [state]


def test_records_are_read_a_hundred_at_a_time_and_closed_once(house: House) -> None:
    house.contacts.write([text(number) for number in range(250)])
    assert (house.service.close(), house.contacts.reads) == (250, [100, 100, 50])
    assert house.service.close() == 0
    assert house.telemetry.counts == {"SmsUnconfirmed": 250}


def test_a_record_that_a_receipt_settles_meanwhile_is_left_as_it_is(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.contacts.write([text(1), text(2)])
    advance = house.contacts.advance

    def after_a_receipt(contact: Contact, *, expected: ContactState) -> bool:
        if contact.customer_id == "C0001":
            house.contacts.write([text(1, state=ContactState.DELIVERED)])
        return advance(contact, expected=expected)

    monkeypatch.setattr(house.contacts, "advance", after_a_receipt)
    assert house.service.close() == 1
    assert house.contacts.states == [ContactState.DELIVERED, ContactState.UNCONFIRMED]


def test_a_record_that_is_gone_or_settled_since_the_index_was_read_is_not_touched(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.contacts.write([text(1, state=ContactState.FAILED)])
    keys = [ContactKey(contact.customer_id, contact.at, contact.send_id) for contact in (text(1), text(2))]
    monkeypatch.setattr(house.contacts, "unknown_before", lambda _: iter(keys))
    assert house.service.close() == 0
    assert house.contacts.states == [ContactState.FAILED]


def test_a_record_that_cannot_be_read_keeps_no_other_open(house: House) -> None:
    house.contacts.write([text(1), text(2)])
    house.contacts.unreadable.add("C0001")
    assert house.service.close() == 1
    assert house.contacts.states == [ContactState.UNKNOWN, ContactState.UNCONFIRMED]


def test_left_in_the_middle_it_goes_on_the_next_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.contacts.write([text(1), text(2, at=OLD + A_SECOND / 2)])
    advance = house.contacts.advance

    def once(contact: Contact, *, expected: ContactState) -> bool:
        if contact.customer_id == "C0002":
            raise ServiceCallError("UpdateItem", "ThrottlingException")
        return advance(contact, expected=expected)

    with monkeypatch.context() as broken:
        broken.setattr(house.contacts, "advance", once)
        with pytest.raises(ServiceCallError):
            house.service.close()
    assert house.service.close() == 1
    assert house.contacts.states == [ContactState.UNCONFIRMED] * 2


def test_an_archive_without_unknown_texts_is_asked_for_no_record(house: House) -> None:
    house.contacts.write([replace(text(), state=ContactState.SENT)])
    assert (house.service.close(), house.contacts.reads) == (0, [])
