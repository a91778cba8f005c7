"""The audit table: what the port promises, of the fake and of DynamoDB alike."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.items import contact_item, contact_of
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.domain.text_effects import TextDetails
from dunning.ports.contacts import ContactKey
from tests.contract.conftest import Archive, contacts_in
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Answer, Requests, Work, error, first, no_answer, success
from tests.support.people import NOW
from tests.support.stand_in import Aws


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
        template="zh-Hant/before-3@3",
        message_id="message-1",
        price_usd_micros=41_700,
        reasons=("hold: none is running", "hours: open in TW"),
    )
    return replace(contact, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, 1, 25, 60])
def test_records_are_kept_as_written_however_many_there_are(archive: Archive, count: int) -> None:
    contacts = [_contact(number) for number in range(count)]
    archive.log.write(contacts)
    assert sorted(archive.stored(), key=lambda contact: contact.at) == contacts


def test_of_a_text_its_wording_segment_and_hour_are_read_and_of_a_missing_one_nothing(archive: Archive) -> None:
    known = _contact(1, payer_segment="punctual", local_hour=0)
    bare = _contact(2, template="", payer_segment="", local_hour=None)
    archive.log.write([known, bare])
    keys = [ContactKey(each.customer_id, each.at, each.send_id) for each in (known, bare, _contact(3))]
    assert archive.log.details_of([*keys, keys[0]]) == {
        keys[0]: TextDetails("zh-Hant/before-3@3", "punctual", 0),
        keys[1]: TextDetails(),
    }
    assert archive.log.details_of([]) == {}


def test_the_details_of_many_texts_are_read_a_hundred_a_call_without_a_word_of_them(
    contacts_table: DynamoContacts, requests: Requests
) -> None:
    contacts = [_contact(number) for number in range(130)]
    contacts_table.write(contacts)
    requests.clear()
    found = contacts_table.details_of([ContactKey(each.customer_id, each.at, each.send_id) for each in contacts])
    assert len(found) == len(contacts)
    asked = requests.of("dynamodb.BatchGetItem")
    assert len(asked) == 2
    (table,) = asked[0]["RequestItems"].values()
    assert table["ConsistentRead"] is False
    assert set(table["ExpressionAttributeNames"].values()) == {
        "customer_id", "contact", "template", "payer_segment", "local_hour",
    }  # fmt: skip


def test_a_record_of_the_same_message_is_replaced(archive: Archive) -> None:
    archive.log.write([_contact(state=ContactState.UNKNOWN, message_id="")])
    archive.log.write([_contact()])
    assert archive.stored() == [_contact()]


def test_of_two_records_of_one_message_in_a_batch_the_later_is_kept(archive: Archive) -> None:
    """
    DynamoDB refuses a whole batch that names a key twice (moto takes it): 24 other records would be lost with it.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
    """
    archive.log.write([_contact(state=ContactState.UNKNOWN, message_id=""), _contact(2), _contact()])
    assert sorted(archive.stored(), key=lambda contact: contact.at) == [_contact(), _contact(2)]


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


def test_a_record_that_is_there_in_the_same_state_counts_as_written_and_is_left_alone(archive: Archive) -> None:
    richer = _contact(state=ContactState.UNKNOWN, message_id="")
    archive.log.write([richer])
    assert archive.log.write_if_absent(replace(richer, phone="", text="", code="sender_crashed"))
    assert archive.stored() == [richer]


def _key(contact: Contact) -> ContactKey:
    return ContactKey(contact.customer_id, contact.at, contact.send_id)


UNKNOWN: Mapping[str, Any] = {"state": ContactState.UNKNOWN, "message_id": ""}
REPORT: Mapping[str, Any] = {
    "reported_at": NOW + timedelta(hours=1),
    "response": "Delivered",
    "delivery_status": "delivered",
    "billed_parts": 2,
    "billed_price_usd_micros": 83_400,
}


class TestFinding:
    """Records by their keys."""

    @pytest.mark.parametrize("count", [0, 1, 100, 250])
    def test_records_are_found_as_written_however_many_there_are(self, archive: Archive, count: int) -> None:
        contacts = [_contact(number) for number in range(count)]
        archive.log.write(contacts)
        assert archive.log.find([_key(contact) for contact in contacts]) == {
            _key(contact): contact for contact in contacts
        }

    def test_what_is_not_there_is_not_in_the_answer(self, archive: Archive) -> None:
        archive.log.write([_contact()])
        absent = [_key(_contact(2)), _key(_contact(send_id="another")), _key(_contact(at=NOW))]
        assert archive.log.find([*absent, _key(_contact())]) == {_key(_contact()): _contact()}

    def test_an_id_may_hold_the_sign_that_stands_before_it_in_the_key(self, archive: Archive) -> None:
        archive.log.write([_contact(send_id="a#b")])
        assert archive.log.find([_key(_contact(send_id="a#b"))]) == {
            _key(_contact(send_id="a#b")): _contact(send_id="a#b")
        }

    def test_a_key_may_be_asked_for_twice(self, archive: Archive) -> None:
        archive.log.write([_contact()])
        assert list(archive.log.find([_key(_contact())] * 2)) == [_key(_contact())]


class TestAdvancing:
    """A record is brought forward only from the state in which it was read."""

    @pytest.mark.parametrize("state", [ContactState.FAILED, ContactState.DELIVERED])
    def test_what_a_receipt_says_is_written_and_nothing_else(self, archive: Archive, state: ContactState) -> None:
        archive.log.write([_contact(), _contact(2)])
        reported = replace(_contact(state=state), **REPORT)
        assert archive.log.advance(replace(reported, text="", stage=30, price_usd_micros=0), expected=ContactState.SENT)
        assert archive.log.find([_key(reported), _key(_contact(2))]) == {
            _key(reported): reported,
            _key(_contact(2)): _contact(2),
        }

    def test_an_unknown_one_learns_its_message(self, archive: Archive) -> None:
        archive.log.write([_contact(**UNKNOWN)])
        reported = replace(_contact(state=ContactState.DELIVERED), **REPORT)
        assert archive.log.advance(reported, expected=ContactState.UNKNOWN)
        assert archive.stored() == [reported]

    def test_a_record_that_stays_unconfirmed_has_no_report(self, archive: Archive) -> None:
        archive.log.write([_contact(**UNKNOWN)])
        unconfirmed = _contact(state=ContactState.UNCONFIRMED, message_id="")
        assert archive.log.advance(unconfirmed, expected=ContactState.UNKNOWN)
        assert archive.stored() == [unconfirmed]

    def test_what_brings_no_report_and_no_message_takes_none_away(self, archive: Archive) -> None:
        known = replace(_contact(state=ContactState.UNKNOWN), **REPORT)
        archive.log.write([known])
        bare = _contact(state=ContactState.UNCONFIRMED, message_id="")
        assert archive.log.advance(bare, expected=ContactState.UNKNOWN)
        assert archive.stored() == [replace(known, state=ContactState.UNCONFIRMED)]

    def test_one_that_stays_unknown_learns_its_message_and_is_still_looked_for(self, archive: Archive) -> None:
        archive.log.write([_contact(**UNKNOWN)])
        learned = _contact(state=ContactState.UNKNOWN)
        assert archive.log.advance(learned, expected=ContactState.UNKNOWN)
        assert archive.stored() == [learned]
        assert list(archive.log.unknown_before(NOW + timedelta(days=1))) == [_key(learned)]

    def test_a_second_report_takes_the_place_of_the_first(self, archive: Archive) -> None:
        first_told = replace(_contact(state=ContactState.FAILED), **REPORT)
        archive.log.write([first_told])
        second = replace(first_told, reported_at=NOW + timedelta(hours=2), response="", billed_parts=0)
        assert archive.log.advance(second, expected=ContactState.FAILED)
        assert archive.stored() == [second]

    def test_number_and_text_that_were_erased_meanwhile_do_not_come_back(self, archive: Archive) -> None:
        archive.log.write([_contact(phone="", text="")])
        reported = replace(_contact(state=ContactState.DELIVERED), **REPORT)
        assert archive.log.advance(reported, expected=ContactState.SENT)
        assert archive.stored() == [replace(reported, phone="", text="")]

    def test_a_record_that_has_moved_on_or_is_not_there_is_left_alone(self, archive: Archive) -> None:
        archive.log.write([_contact(state=ContactState.DELIVERED)])
        failed = replace(_contact(state=ContactState.FAILED), **REPORT)
        assert not archive.log.advance(failed, expected=ContactState.SENT)
        assert not archive.log.advance(replace(failed, send_id="another"), expected=ContactState.SENT)
        assert archive.stored() == [_contact(state=ContactState.DELIVERED)]


class TestUnknown:
    """Records of which nobody knows what became."""

    def test_only_unknown_ones_from_before_the_moment_are_named_the_oldest_first(self, archive: Archive) -> None:
        moment = NOW + timedelta(microseconds=5)
        contacts = [_contact(number, **UNKNOWN) for number in (7, 5, 4, 3, 1)]
        archive.log.write([*contacts, _contact(2)])
        assert list(archive.log.unknown_before(moment)) == [_key(_contact(number)) for number in (1, 3, 4)]

    @pytest.mark.parametrize("state", [state for state in ContactState if state is not ContactState.UNKNOWN])
    def test_one_that_is_settled_is_named_no_more(self, archive: Archive, state: ContactState) -> None:
        archive.log.write([_contact(1, **UNKNOWN), _contact(2, **UNKNOWN)])
        assert archive.log.advance(_contact(1, state=state), expected=ContactState.UNKNOWN)
        assert list(archive.log.unknown_before(NOW + timedelta(days=1))) == [_key(_contact(2))]


class TestRecent:
    """A customer's records since a moment."""

    def test_those_of_the_customer_since_the_moment_are_returned_oldest_first(self, archive: Archive) -> None:
        days = [_contact(at=NOW + timedelta(days=number)) for number in (3, 1, 2, 0)]
        archive.log.write([*days, _contact(2)])
        found = archive.log.recent("C0001", NOW + timedelta(days=1))
        assert [(contact.at - NOW).days for contact in found] == [1, 2, 3]
        assert archive.log.recent("C0003", NOW) == []

    def test_a_customers_reply_is_not_among_the_contacts(self, archive: Archive) -> None:
        archive.log.write([_contact()])
        inbound = InboundSms(inbound_id="inbound-1", phone="+886900000001", text="STOP", at=NOW + timedelta(hours=1))
        assert archive.log.keep(
            Reply(
                customer_id="C0001",
                inbound=inbound,
                intents=(),
                promised_on=None,
                expires_at=NOW + timedelta(days=1827),
            )
        )
        assert list(archive.log.recent("C0001", NOW)) == [_contact()]


def _spoil(aws: Aws, contact: Contact) -> None:
    """Write a state that no version knows."""
    client: Any = boto3.client("dynamodb")
    client.put_item(TableName=aws.stack.contacts_table, Item={**contact_item(contact), "state": {"S": "+886900000001"}})


class TestOnDynamoDb:
    """What only a table can do."""

    def test_a_batch_of_the_size_the_queue_hands_over_is_one_call(
        self, contacts_table: DynamoContacts, requests: Requests
    ) -> None:
        contacts_table.write([_contact(number) for number in range(25)])
        assert requests.sent == {"dynamodb.BatchWriteItem": 1}

    def test_a_batch_is_no_larger_than_dynamodb_takes(self, contacts_table: DynamoContacts, requests: Requests) -> None:
        """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html: 25 items."""
        contacts_table.write([_contact(number) for number in range(60)])
        sizes = [len(*call["RequestItems"].values()) for call in requests.of("dynamodb.BatchWriteItem")]
        assert sizes == [25, 25, 10]

    def test_a_batch_needs_no_client_of_its_own(self, cloud: LocalCloud) -> None:
        table = DynamoContacts(boto3.client("dynamodb", config=LEAN), cloud.stack.contacts_table)
        table.write([_contact()])
        assert [contact_of(item) for item in cloud.items(cloud.stack.contacts_table)] == [_contact()]

    def test_a_batch_that_is_refused_is_an_error_and_is_not_written_record_by_record(
        self, contacts_table: DynamoContacts, requests: Requests
    ) -> None:
        requests.answer("dynamodb.BatchWriteItem", error("AccessDeniedException"))
        with pytest.raises(ServiceCallError, match=r"^BatchWriteItem: AccessDeniedException$"):
            contacts_table.write([_contact()])
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
        requests.clear()
        with pytest.raises(ServiceCallError, match=r"^BatchWriteItem: UnprocessedItems$"):
            contacts_table.write([_contact(2)])
        assert requests.sent == {"dynamodb.BatchWriteItem": 8}

    @pytest.mark.parametrize(
        "failure",
        [
            no_answer(ReadTimeoutError(endpoint_url="dynamodb")),
            error("InternalServerError", 500),
            error("ThrottlingException"),
        ],
    )
    def test_a_batch_is_asked_for_once_and_what_it_may_have_left_out_is_written_record_by_record(
        self, cloud: LocalCloud, contacts_table: DynamoContacts, requests: Requests, failure: Answer
    ) -> None:
        requests.answer("dynamodb.BatchWriteItem", failure)
        contacts_table.write([_contact(), _contact(2)])
        assert requests.sent == {"dynamodb.BatchWriteItem": 1, "dynamodb.PutItem": 2}
        stored = [contact_of(item) for item in cloud.items(cloud.stack.contacts_table)]
        assert sorted(stored, key=lambda contact: contact.at) == [_contact(), _contact(2)]

    def test_a_lost_answer_takes_back_no_receipt_that_has_come_meanwhile(
        self, cloud: LocalCloud, contacts_table: DynamoContacts, requests: Requests
    ) -> None:
        delivered = _contact(state=ContactState.DELIVERED, reported_at=NOW, delivery_status="delivered")

        def lost(_: object, work: Work) -> AWSResponse | None:
            work()
            contacts_table.advance(delivered, expected=ContactState.SENT)
            raise ReadTimeoutError(endpoint_url="dynamodb")

        requests.answer("dynamodb.BatchWriteItem", lost)
        contacts_table.write([_contact()])
        assert [contact_of(item) for item in cloud.items(cloud.stack.contacts_table)] == [delivered]

    def test_a_lost_batch_is_written_over_what_knows_nothing(
        self, cloud: LocalCloud, contacts_table: DynamoContacts, requests: Requests
    ) -> None:
        contacts_table.write([_contact(**UNKNOWN)])
        requests.answer("dynamodb.BatchWriteItem", no_answer(ReadTimeoutError(endpoint_url="dynamodb")))
        contacts_table.write([_contact()])
        assert [contact_of(item) for item in cloud.items(cloud.stack.contacts_table)] == [_contact()]
        requests.answer("dynamodb.PutItem", error("AccessDeniedException"))
        with pytest.raises(ServiceCallError, match=r"^PutItem: AccessDeniedException$"):
            contacts_table.write([_contact()])

    def test_of_a_text_whose_details_cannot_be_read_nothing_is_told(self, aws: Aws) -> None:
        contacts_table, client = contacts_in(aws), boto3.client("dynamodb")
        contacts_table.write([_contact(2, local_hour=9)])
        damaged: Any = {**contact_item(_contact()), "local_hour": {"S": "nine"}}
        client.put_item(TableName=aws.stack.contacts_table, Item=damaged)
        assert contacts_table.details_of([_key(_contact()), _key(_contact(2))]).keys() == {_key(_contact(2))}

    @pytest.mark.slow(reason="250 records on moto: three calls of a hundred")
    def test_records_are_read_a_hundred_a_call_and_what_a_busy_table_left_out_is_asked_for_again(
        self, contacts_table: DynamoContacts, requests: Requests
    ) -> None:
        contacts = [_contact(number) for number in range(250)]
        contacts_table.write(contacts)
        requests.clear()
        assert len(contacts_table.find([_key(contact) for contact in contacts])) == 250
        assert requests.sent == {"dynamodb.BatchGetItem": 3}
        (call, *_) = requests.of("dynamodb.BatchGetItem")
        busy = success({"Responses": {}, "UnprocessedKeys": call["RequestItems"]})
        requests.answer("dynamodb.BatchGetItem", first(busy))
        assert len(contacts_table.find([_key(contact) for contact in contacts])) == 250
        requests.answer("dynamodb.BatchGetItem", busy)
        with pytest.raises(ServiceCallError, match="UnprocessedKeys"):
            contacts_table.find([_key(contacts[0])])

    def test_a_record_that_cannot_be_read_is_answered_with_the_error_and_harms_no_other(self, aws: Aws) -> None:
        contacts_table = contacts_in(aws)
        contacts_table.write([_contact(), _contact(2)])
        _spoil(aws, _contact())
        found = contacts_table.find([_key(_contact()), _key(_contact(2))])
        assert isinstance(found[_key(_contact())], UnreadableRecordError)
        assert found[_key(_contact(2))] == _contact(2)
        assert contacts_table.recent("C0001", NOW) == []

    def test_unknown_ones_on_the_next_page_are_named_too(
        self, contacts_table: DynamoContacts, requests: Requests
    ) -> None:
        contacts_table.write([_contact(2, **UNKNOWN)])
        item = contact_item(_contact(1, **UNKNOWN))
        page = {name: item[name] for name in ("customer_id", "contact", "unknown")}
        requests.answer("dynamodb.Query", first(success({"Items": [page], "Count": 1, "LastEvaluatedKey": page})))
        named = list(contacts_table.unknown_before(NOW + timedelta(days=1)))
        assert named == [_key(_contact(number)) for number in (1, 2)]
        assert requests.sent["dynamodb.Query"] == 2

    def test_a_record_that_its_time_to_live_has_deleted_is_not_brought_back(self, aws: Aws) -> None:
        assert not contacts_in(aws).advance(_contact(state=ContactState.FAILED), expected=ContactState.SENT)
        assert not list(aws.items(aws.stack.contacts_table))

    def test_an_error_tells_its_code_and_no_record(self, contacts_table: DynamoContacts, requests: Requests) -> None:
        for operation in ("BatchWriteItem", "PutItem", "BatchGetItem", "UpdateItem", "Query"):
            requests.answer(f"dynamodb.{operation}", error("AccessDeniedException", message="+886900000001"))
        for call in (
            lambda: contacts_table.write([_contact()]),
            lambda: contacts_table.write_if_absent(_contact()),
            lambda: contacts_table.find([_key(_contact())]),
            lambda: contacts_table.advance(_contact(), expected=ContactState.SENT),
            lambda: list(contacts_table.unknown_before(NOW)),
            lambda: contacts_table.recent("C0001", NOW),
        ):
            with pytest.raises(ServiceCallError, match=r"^[A-Za-z]+: AccessDeniedException$"):
                call()
