"""Erasing a customer: what both ports promise, of the fakes and of DynamoDB alike."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from dunning.adapters.dynamodb.items import contact_of
from dunning.domain.contact import Contact, ContactState
from dunning.ports import ContactErasure, ContactLog, CustomerErasure, CustomerStore, OutsideError
from tests.builders import tell
from tests.fakes import FakeContacts, FakeCustomers
from tests.integration.people import NOW, someone, waking
from tests.integration.requests import Requests, error
from tests.local.cloud import LocalCloud


@dataclass
class Shelf:
    """Both tables, seen through the ports of erasing and beside them."""

    customers: CustomerErasure
    contacts: ContactErasure
    store: CustomerStore
    log: ContactLog
    records: Callable[[], list[Contact]]

    def fill(self, *numbers: int, texts: int = 2) -> None:
        """Put customers there who have been sent some texts."""
        for number in numbers:
            tell(self.store, someone(number))
            self.store.save_standing(waking(someone(number)), expected_version=0)
            self.log.write([_contact(number, text) for text in range(texts)])


def _contact(number: int, text: int) -> Contact:
    return Contact(
        f"C{number:04d}", f"send-{text}", "claim", NOW + timedelta(minutes=text), ContactState.SENT, -3, ("A1",), "sms",
        NOW + timedelta(days=1827), "demo-tw", "TW", "+886900000001", "【示範分期】王*明您好", "UCS-2", 1,
        "zh-Hant/before-3@1", "", "message-1", "", 41_700, ("stage: -3",),
    )  # fmt: skip


@pytest.fixture(params=["fake", "moto"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    if request.param == "fake":
        customers, contacts = FakeCustomers(), FakeContacts()
        return Shelf(customers, contacts, customers, contacts, lambda: list(contacts.records.values()))
    cloud: LocalCloud = request.getfixturevalue("cloud")
    dynamo, log = request.getfixturevalue("dynamo"), request.getfixturevalue("contacts_table")
    return Shelf(
        dynamo, log, dynamo, log, lambda: [contact_of(item) for item in cloud.items(cloud.stack.contacts_table)]
    )


def test_everything_stored_of_a_customer_is_deleted_and_nothing_of_another(shelf: Shelf) -> None:
    shelf.fill(1, 2)
    assert shelf.customers.stored_items("C0001") == 2
    assert shelf.customers.erase_items("C0001") == 2
    assert shelf.customers.stored_items("C0001") == 0
    assert shelf.customers.stored_items("C0002") == 2


def test_records_lose_who_and_what_and_keep_that_and_when(shelf: Shelf) -> None:
    shelf.fill(1, 2)
    assert shelf.contacts.telling_records("C0001") == 2
    assert shelf.contacts.redact("C0001", NOW) == 2
    assert shelf.contacts.telling_records("C0001") == 0
    kept = sorted((one for one in shelf.records() if one.customer_id == "C0001"), key=lambda one: one.at)
    assert kept == [replace(_contact(1, text), phone="", text="") for text in range(2)]
    assert [one for one in shelf.records() if one.customer_id == "C0002" and one.phone and one.text]


def test_what_is_erased_can_be_erased_again(shelf: Shelf) -> None:
    shelf.fill(1)
    for items, records in ((2, 2), (0, 0)):
        assert shelf.customers.erase_items("C0001") == items
        assert shelf.contacts.redact("C0001", NOW) == records


def test_nobody_is_nothing_to_erase(shelf: Shelf) -> None:
    assert shelf.customers.erase_items("C0009") == shelf.contacts.redact("C0009", NOW) == 0


class TestOnDynamoDb:
    """What only a table can do."""

    @pytest.fixture(params=["moto"])
    def shelf(self, request: pytest.FixtureRequest) -> Shelf:
        cloud: LocalCloud = request.getfixturevalue("cloud")
        dynamo, log = request.getfixturevalue("dynamo"), request.getfixturevalue("contacts_table")
        return Shelf(
            dynamo, log, dynamo, log, lambda: [contact_of(item) for item in cloud.items(cloud.stack.contacts_table)]
        )

    def test_facts_go_first(self, shelf: Shelf, requests: Requests) -> None:
        shelf.fill(1)
        requests.clear()
        shelf.customers.erase_items("C0001")
        deleted = [call["Key"]["item"]["S"] for call in requests.of("dynamodb.DeleteItem")]
        assert deleted == ["facts", "standing"]

    def test_items_of_a_later_version_and_broken_ones_go_too(self, cloud: LocalCloud, shelf: Shelf) -> None:
        shelf.fill(1)
        boto3.client("dynamodb").put_item(
            TableName=cloud.stack.customers_table,
            Item={"customer_id": {"S": "C0001"}, "item": {"S": "promises"}, "phone": {"S": "+886900000001"}},
        )
        assert shelf.customers.erase_items("C0001") == 3
        assert not list(cloud.items(cloud.stack.customers_table))

    def test_the_first_moment_of_erasing_is_kept(self, cloud: LocalCloud, shelf: Shelf) -> None:
        shelf.fill(1, texts=1)
        shelf.contacts.redact("C0001", NOW)
        (before,) = cloud.items(cloud.stack.contacts_table)
        shelf.contacts.redact("C0001", NOW + timedelta(days=1))
        (after,) = cloud.items(cloud.stack.contacts_table)
        assert before["erased_at"] == after["erased_at"]

    def test_a_record_that_has_expired_meanwhile_does_not_come_back(
        self, cloud: LocalCloud, shelf: Shelf, requests: Requests
    ) -> None:
        shelf.fill(1, texts=1)

        def expires(request: Any, work: Any) -> Any:  # noqa: ANN401 - as botocore's
            requests.let_all_through()
            (item,) = cloud.items(cloud.stack.contacts_table)
            boto3.client("dynamodb").delete_item(
                TableName=cloud.stack.contacts_table, Key={name: item[name] for name in ("customer_id", "contact")}
            )
            del request
            return work()

        requests.answer("dynamodb.UpdateItem", expires)
        assert shelf.contacts.redact("C0001", NOW) == 1
        assert not list(cloud.items(cloud.stack.contacts_table))

    @pytest.mark.parametrize("operation", ["Query", "DeleteItem", "UpdateItem"])
    def test_an_error_tells_its_code_and_nobodys_number(self, shelf: Shelf, requests: Requests, operation: str) -> None:
        shelf.fill(1)
        requests.answer(f"dynamodb.{operation}", error("AccessDeniedException", message="+886900000001"))

        def erase() -> None:
            shelf.customers.erase_items("C0001")
            shelf.contacts.redact("C0001", NOW)

        with pytest.raises(OutsideError, match=r"^[A-Za-z]+: AccessDeniedException$"):
            erase()
