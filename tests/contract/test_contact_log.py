"""The audit table: what the port promises, of the fake and of DynamoDB alike."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.adapters.dynamodb.contacts import DynamoContacts
from dunning.adapters.dynamodb.items import contact_item, contact_of
from dunning.domain.contact import Contact, ContactState
from dunning.ports import OutsideError
from tests.contract.conftest import Archive
from tests.integration.people import NOW
from tests.integration.requests import Requests, error, first, success
from tests.local.cloud import LocalCloud


def _contact(number: int = 1, **changes: object) -> Contact:
    contact = Contact(
        customer_id=f"C{number:04d}",
        send_id=f"{number:032x}",
        claim_id=f"claim-{number}",
        at=NOW + timedelta(microseconds=number),
        state=ContactState.SENT,
        stage=-3,
        account_ids=("A1", "A2"),
        channel="sms",
        expires_at=NOW + timedelta(days=1827),
        lender="demo-tw",
        jurisdiction="TW",
        phone="+886900000001",
        text="【示範分期】王*明您好",
        encoding="UCS-2",
        parts=1,
        template="zh-Hant/before-3@2",
        message_id="message-1",
        price=41_700,
        reasons=("hold: none is running", "hours: open in TW"),
    )
    return replace(contact, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, 1, 25, 60])
def test_records_are_kept_as_written_however_many_there_are(archive: Archive, count: int) -> None:
    contacts = [_contact(number) for number in range(count)]
    archive.log.write(contacts)
    assert sorted(archive.stored(), key=lambda contact: contact.at) == contacts


def test_a_record_of_the_same_message_is_replaced(archive: Archive) -> None:
    archive.log.write([_contact(state=ContactState.UNKNOWN, message_id="")])
    archive.log.write([_contact()])
    assert archive.stored() == [_contact()]


def test_several_messages_of_a_customer_are_several_records(archive: Archive) -> None:
    several = [
        _contact(),
        _contact(send_id="another"),
        _contact(at=NOW + timedelta(days=3)),
    ]
    archive.log.write(several)
    assert len(archive.stored()) == 3


def test_a_record_that_is_missing_is_written(archive: Archive) -> None:
    assert archive.log.write_if_absent(_contact(state=ContactState.UNKNOWN))
    assert archive.stored() == [_contact(state=ContactState.UNKNOWN)]


def test_a_record_that_is_there_is_left_alone(archive: Archive) -> None:
    archive.log.write([_contact()])
    assert not archive.log.write_if_absent(_contact(state=ContactState.UNKNOWN))
    assert archive.stored() == [_contact()]


class TestOnDynamoDb:
    """What only a table can do."""

    def test_a_batch_of_the_size_the_queue_hands_over_is_one_call(
        self, contacts_table: DynamoContacts, requests: Requests
    ) -> None:
        contacts_table.write([_contact(number) for number in range(25)])
        assert requests.sent == {"dynamodb.BatchWriteItem": 1}

    def test_what_a_busy_table_has_left_is_written_again(
        self, cloud: LocalCloud, contacts_table: DynamoContacts, requests: Requests
    ) -> None:
        left = {cloud.stack.contacts_table: [{"PutRequest": {"Item": contact_item(_contact(2))}}]}
        busy = success({"UnprocessedItems": left})
        requests.answer("dynamodb.BatchWriteItem", first(busy))
        contacts_table.write([_contact(), _contact(2)])
        assert requests.sent == {"dynamodb.BatchWriteItem": 2}
        assert [contact_of(item) for item in cloud.items(cloud.stack.contacts_table)] == [_contact(2)]
        requests.answer("dynamodb.BatchWriteItem", busy)
        with pytest.raises(OutsideError, match="UnprocessedItems"):
            contacts_table.write([_contact(2)])

    def test_an_error_tells_its_code_and_no_record(self, contacts_table: DynamoContacts, requests: Requests) -> None:
        for operation in ("BatchWriteItem", "PutItem"):
            requests.answer(f"dynamodb.{operation}", error("AccessDeniedException", message="+886900000001"))
        for call in (lambda: contacts_table.write([_contact()]), lambda: contacts_table.write_if_absent(_contact())):
            with pytest.raises(OutsideError, match=r"^[A-Za-z]+: AccessDeniedException$"):
                call()
