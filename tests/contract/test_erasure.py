"""Erasing a customer: what both ports promise, of the fakes and of DynamoDB alike."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from dunning.adapters.dynamodb.items import contact_of
from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.lender_record import (
    CustomerHold,
    EventTime,
    LenderRecord,
    RecordedEvent,
    erase_record,
    forget_former_addresses,
    record_event,
)
from dunning.domain.customer.standing import ReplyLabel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.contacts import ContactLog, ReplyLog
from dunning.ports.customers import Customer, CustomerStore
from dunning.ports.erasure import ContactErasure, CustomerErasure
from tests.contract.conftest import BACKENDS, contacts_in, customers_in, engine_of
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, error
from tests.support.builders import a_lender_record, store_facts
from tests.support.damage import write_attribute
from tests.support.fakes import FakeContacts, FakeCustomers
from tests.support.people import NOW, someone, waking
from tests.support.stand_in import Aws


@dataclass
class Shelf:
    """Both tables, seen through the ports of erasing and beside them."""

    customers: CustomerErasure
    contacts: ContactErasure
    store: CustomerStore
    log: ContactLog
    replies: ReplyLog
    records: Callable[[], list[Contact]]
    spoil: Callable[[str], None]

    def lender_record(self, number: int = 1) -> LenderRecord:
        """Read what the lender has said."""
        found = self.customers.lender_record(f"C{number:04d}")
        assert isinstance(found, LenderRecord)
        return found

    def fill(self, *numbers: int, texts: int = 2) -> None:
        """Put customers there who have been sent some texts."""
        for number in numbers:
            store_facts(self.store, someone(number))
            self.store.save_standing(waking(someone(number)), expected_version=0)
            self.log.write([_contact(number, text) for text in range(texts)])


def _contact(number: int, text: int) -> Contact:
    return Contact(
        customer_id=f"C{number:04d}",
        send_id=f"send-{text}",
        claim_id="claim",
        at=NOW + timedelta(minutes=text),
        state=ContactState.SENT,
        stage=-3,
        account_ids=("A1",),
        channel="sms",
        expires_at=NOW + timedelta(days=1827),
        lender="demo-tw",
        jurisdiction="TW",
        phone="+886900000001",
        text="【示範分期】王*明您好",
        encoding="UCS-2",
        parts=1,
        template="zh-Hant/before-3@1",
        registered_template="",
        message_id="message-1",
        code="",
        price_usd_micros=41_700,
        reasons=("stage: -3",),
    )


def _on_dynamodb(aws: Aws) -> Shelf:
    dynamo, log = customers_in(aws), contacts_in(aws)

    def records() -> list[Contact]:
        return [contact_of(item) for item in aws.items(aws.stack.contacts_table) if "inbound_id" not in item]

    def spoil(customer_id: str) -> None:
        write_attribute(aws, customer_id, "facts", accounts={"S": "?"})

    return Shelf(dynamo, log, dynamo, log, log, records, spoil)


@pytest.fixture(params=BACKENDS)
def shelf(request: pytest.FixtureRequest) -> Shelf:
    if request.param != "fake":
        return _on_dynamodb(engine_of(request))
    customers, contacts = FakeCustomers(), FakeContacts()
    return Shelf(
        customers,
        contacts,
        customers,
        contacts,
        contacts,
        lambda: list(contacts.records.values()),
        customers.unreadable.add,
    )


def test_everything_but_what_the_lender_has_said_is_deleted_and_nothing_of_another(shelf: Shelf) -> None:
    shelf.fill(1, 2)
    assert shelf.customers.stored_items("C0001") == 2
    assert shelf.customers.erase_items("C0001") == 1
    assert shelf.customers.stored_items("C0001") == 1
    assert shelf.lender_record().snapshot == someone()
    assert shelf.customers.stored_items("C0002") == 2


def test_a_tombstone_identifies_nobody_and_with_numbers_or_events_it_would(shelf: Shelf) -> None:
    shelf.fill(1)
    shelf.customers.erase_items("C0001")
    with_numbers = erase_record(shelf.lender_record(), NOW)
    assert shelf.store.save_lender_record(with_numbers, expected_revision=1)
    assert shelf.customers.stored_items("C0001") == 1
    bare = forget_former_addresses(with_numbers)
    assert shelf.store.save_lender_record(bare, expected_revision=with_numbers.revision)
    assert shelf.lender_record() == bare == LenderRecord(customer_id="C0001", revision=3, erased_at=NOW)
    assert shelf.customers.stored_items("C0001") == 0
    overtaking = record_event(
        LenderRecord(customer_id="C0002"), RecordedEvent(EventTime(NOW), CustomerHold(HoldReason.DISPUTE))
    )
    assert shelf.store.save_lender_record(overtaking, expected_revision=0)
    assert shelf.customers.stored_items("C0002") == 1


def _claim_passes(shelf: Shelf, version: int) -> bool:
    claimed = waking(someone(), version=version + 1)
    return shelf.store.save_standing(claimed, expected_version=version, claim_id="mine")


def test_no_claim_passes_that_was_decided_before_the_erasure(shelf: Shelf) -> None:
    shelf.fill(1)
    tombstone = erase_record(shelf.lender_record(), NOW)
    assert not shelf.customers.save_erased(tombstone, expected_revision=7)
    assert shelf.customers.save_erased(tombstone, expected_revision=1)
    assert shelf.store.load(["C0001"]) == {"C0001": Customer(None, None)}, "the standing went with it"
    assert not _claim_passes(shelf, 1)
    assert shelf.customers.save_erased(tombstone, expected_revision=1), "written already, and the answer was lost"


def test_an_erasure_of_somebody_who_has_returned_keeps_the_standing_and_lets_no_earlier_claim_pass(
    shelf: Shelf,
) -> None:
    shelf.fill(1)
    kept = replace(shelf.lender_record(), revision=2, erased_at=NOW - timedelta(days=9))
    assert shelf.customers.save_erased(kept, expected_revision=1)
    assert shelf.lender_record() == kept
    assert not _claim_passes(shelf, 1)
    assert _claim_passes(shelf, 2)


def test_an_erasure_of_somebody_who_has_returned_needs_no_standing(shelf: Shelf) -> None:
    store_facts(shelf.store, someone(1))
    kept = replace(shelf.lender_record(), revision=2, erased_at=NOW - timedelta(days=9))
    assert shelf.customers.save_erased(kept, expected_revision=1)
    assert not shelf.customers.save_erased(replace(kept, revision=3), expected_revision=1)
    assert shelf.lender_record() == kept


def test_a_record_that_cannot_be_read_is_replaced_by_a_tombstone(shelf: Shelf) -> None:
    shelf.fill(1)
    shelf.spoil("C0001")
    assert isinstance(shelf.customers.lender_record("C0001"), UnreadableRecordError)
    tombstone = LenderRecord(customer_id="C0001", revision=1, erased_at=NOW)
    assert shelf.customers.save_erased(tombstone, expected_revision=None)
    assert shelf.lender_record() == tombstone


@pytest.mark.parametrize("standings", [0, 1])
def test_a_record_that_cannot_be_read_is_replaced_whether_there_is_a_standing_or_not(
    shelf: Shelf, standings: int
) -> None:
    store_facts(shelf.store, someone(1))
    if standings:
        shelf.store.save_standing(waking(someone(1)), expected_version=0)
    shelf.spoil("C0001")
    kept = replace(a_lender_record(someone()), revision=5, erased_at=NOW - timedelta(days=9))
    assert shelf.customers.save_erased(kept, expected_revision=None)
    assert shelf.lender_record() == kept


def test_an_unknown_customer_has_an_empty_lender_record(shelf: Shelf) -> None:
    assert shelf.lender_record(9) == LenderRecord(customer_id="C0009")


def test_records_lose_who_and_what_and_keep_that_and_when(shelf: Shelf) -> None:
    shelf.fill(1, 2)
    assert shelf.contacts.identifying_records("C0001") == 2
    assert shelf.contacts.redact("C0001", NOW) == 2
    assert shelf.contacts.identifying_records("C0001") == 0
    kept = sorted((record for record in shelf.records() if record.customer_id == "C0001"), key=lambda record: record.at)
    assert kept == [replace(_contact(1, text), phone="", text="", erased_at=NOW) for text in range(2)]
    assert [record for record in shelf.records() if record.customer_id == "C0002" and record.phone and record.text]


def test_a_carriers_words_go_too_and_the_class_of_the_failure_stays(shelf: Shelf) -> None:
    report: dict[str, Any] = {"state": ContactState.FAILED, "reported_at": NOW, "delivery_status": "permanent_failure"}
    shelf.log.write([replace(_contact(1, 0), phone="", text="", response="王小明 has blocked SMS", **report)])
    assert shelf.contacts.identifying_records("C0001") == 1
    assert shelf.contacts.redact("C0001", NOW) == 1
    assert shelf.contacts.identifying_records("C0001") == 0
    assert shelf.records() == [replace(_contact(1, 0), phone="", text="", erased_at=NOW, **report)]


def test_a_standing_stored_with_a_later_record_than_the_tombstone_stays(shelf: Shelf) -> None:
    returned = replace(a_lender_record(someone()), revision=4)
    assert shelf.store.save_lender_record(replace(returned, revision=3), expected_revision=0)
    assert shelf.store.save_customer(returned, waking(someone()), expected_revision=3, expected_version=0)
    assert shelf.customers.erase_items("C0001", revision=3) == 0
    assert shelf.customers.stored_items("C0001") == 2
    assert shelf.customers.erase_items("C0001", revision=4) == 1


def test_what_is_erased_can_be_erased_again(shelf: Shelf) -> None:
    shelf.fill(1)
    for items, records in ((1, 2), (0, 0)):
        assert shelf.customers.erase_items("C0001") == items
        assert shelf.contacts.redact("C0001", NOW) == records


def test_nobody_is_nothing_to_erase(shelf: Shelf) -> None:
    assert shelf.customers.erase_items("C0009") == shelf.contacts.redact("C0009", NOW) == 0


def test_only_texts_up_to_a_moment_lose_number_and_words(shelf: Shelf) -> None:
    shelf.fill(1, texts=3)
    assert shelf.contacts.redact("C0001", NOW, until=NOW + timedelta(minutes=1)) == 2
    assert [record.at for record in shelf.records() if record.text] == [NOW + timedelta(minutes=2)]


def _reply(reply_id: str, customer: str = "C0001", minutes: int = 0) -> Reply:
    inbound = InboundSms(inbound_id=reply_id, phone="+886900000001", text="王小明", at=NOW + timedelta(minutes=minutes))
    return Reply(
        customer_id=customer, inbound=inbound, intents=("stop",), promised_on=None, expires_at=NOW + timedelta(days=90)
    )


def test_replies_that_a_person_has_labelled_are_counted_and_deleted_with_their_labels(shelf: Shelf) -> None:
    for reply in (_reply("r1"), _reply("r2", minutes=1), _reply("r3", customer="C0002")):
        assert shelf.replies.keep(reply)
    assert shelf.contacts.labelled_replies("C0001") == 0
    for customer, reply_id in (("C0001", "r2"), ("C0002", "r3")):
        assert shelf.replies.label(customer, reply_id, ReplyLabel(at=NOW, intents=("hardship",)))
    assert shelf.contacts.labelled_replies("C0001") == 1
    assert shelf.contacts.erase_replies("C0001", []) == 2
    assert shelf.contacts.labelled_replies("C0001") == 0
    assert shelf.contacts.labelled_replies("C0002") == 1
    assert shelf.replies.label("C0001", "r2", ReplyLabel(at=NOW, intents=("paid",))) is None


def test_what_a_customer_wrote_is_deleted_and_no_record_with_it(shelf: Shelf) -> None:
    shelf.fill(1)
    for reply in (_reply("r1"), _reply("r2", minutes=1), _reply("r3", customer="C0002"), _reply("r4", customer="")):
        assert shelf.replies.keep(reply)
    assert shelf.contacts.stored_replies("C0001") == 2
    assert shelf.contacts.identifying_records("C0001") == 2
    assert shelf.contacts.erase_replies("C0001", []) == 2
    assert shelf.contacts.stored_replies("C0001") == 0
    assert shelf.contacts.stored_replies("C0002") == 1
    assert len(shelf.records()) == 2
    assert not shelf.replies.keep(_reply("r4", customer=""))


def test_replies_from_a_number_that_nobody_had_are_deleted_with_the_number(shelf: Shelf) -> None:
    shelf.replies.keep(_reply("r1", customer=""))
    assert shelf.contacts.erase_replies("C0001", ["+886900000002"]) == 0
    assert shelf.contacts.erase_replies("C0001", ["+886900000001", "+886900000002"]) == 1
    assert shelf.replies.keep(_reply("r1", customer=""))


def test_only_replies_up_to_a_moment_are_deleted(shelf: Shelf) -> None:
    for minute in range(3):
        shelf.replies.keep(_reply(f"r{minute}", minutes=minute))
    assert shelf.contacts.erase_replies("C0001", [], until=NOW + timedelta(minutes=1)) == 2
    assert not shelf.replies.keep(_reply("r2", minutes=2))


class TestOnDynamoDb:
    """What only a table can do."""

    @pytest.fixture
    def shelf(self, cloud: LocalCloud) -> Shelf:
        return _on_dynamodb(cloud)

    def test_items_of_a_later_version_and_broken_ones_go_too(self, aws: Aws) -> None:
        shelf = _on_dynamodb(aws)
        shelf.fill(1)
        boto3.client("dynamodb").put_item(
            TableName=aws.stack.customers_table,
            Item={"customer_id": {"S": "C0001"}, "item": {"S": "promises"}, "phone": {"S": "+886900000001"}},
        )
        assert shelf.customers.stored_items("C0001") == 3
        assert shelf.customers.erase_items("C0001") == 2
        assert [item["item"]["S"] for item in aws.items(aws.stack.customers_table)] == ["facts"]

    @pytest.mark.parametrize("accounts", [0, 150])
    def test_an_erasure_fits_into_a_transaction_and_one_that_comes_too_late_is_not_tried_again(
        self, shelf: Shelf, requests: Requests, accounts: int
    ) -> None:
        """
        A transaction has a hundred items at most.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """
        shelf.fill(1)
        kept = replace(shelf.lender_record(), revision=2, erased_at=NOW - timedelta(days=9))
        former = [f"A{number:03d}" for number in range(accounts)]
        requests.clear()
        assert shelf.customers.save_erased(kept, expected_revision=1, former_accounts=former)
        assert not shelf.customers.save_erased(replace(kept, revision=3), expected_revision=1)
        written, too_late = requests.of("dynamodb.TransactWriteItems")
        assert len(written["TransactItems"]) <= 100
        assert len(too_late["TransactItems"]) == 2
        deleted = [
            entry["Delete"]["Key"]["customer_id"]["S"] for entry in written["TransactItems"] if "Delete" in entry
        ]
        deleted += [call["Key"]["customer_id"]["S"] for call in requests.of("dynamodb.DeleteItem")]
        assert sorted(deleted) == [f"account#{account_id}" for account_id in former], "each once"

    def test_the_first_moment_of_erasing_is_kept(self, aws: Aws) -> None:
        shelf = _on_dynamodb(aws)
        shelf.fill(1, texts=1)
        shelf.contacts.redact("C0001", NOW)
        (before,) = aws.items(aws.stack.contacts_table)
        shelf.contacts.redact("C0001", NOW + timedelta(days=1))
        (after,) = aws.items(aws.stack.contacts_table)
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

    @pytest.mark.parametrize(
        ("operation", "call"),
        [
            ("Query", lambda shelf: shelf.customers.erase_items("C0001")),
            ("DeleteItem", lambda shelf: shelf.customers.erase_items("C0001")),
            ("Query", lambda shelf: shelf.contacts.redact("C0001", NOW)),
            ("UpdateItem", lambda shelf: shelf.contacts.redact("C0001", NOW)),
            ("Query", lambda shelf: shelf.contacts.erase_replies("C0001", [])),
            ("DeleteItem", lambda shelf: shelf.contacts.erase_replies("C0001", [])),
        ],
    )
    def test_an_error_tells_its_operation_and_code_and_nobodys_number(
        self, shelf: Shelf, requests: Requests, operation: str, call: Callable[[Shelf], object]
    ) -> None:
        shelf.fill(1)
        shelf.replies.keep(_reply("r1"))
        requests.answer(f"dynamodb.{operation}", error("AccessDeniedException", message="+886900000001"))
        with pytest.raises(ServiceCallError, match=rf"^{operation}: AccessDeniedException$"):
            call(shelf)
