"""The function delivery_receipts on the embedded AWS: logs as CloudWatch Logs hands them over, and what follows."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import batched
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.items import lender_record_item, standing_item
from dunning.adapters.dynamodb.keys import PHONE, phone_key
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LedgerEntry
from dunning.domain.decision.decisions import Reason
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from tests.integration.conftest import Event, House, event_file, job_for
from tests.support.aws_requests import error, first, no_answer
from tests.support.builders import a_lender_record
from tests.support.people import NOW, someone, texted, waking

pytestmark = pytest.mark.slow(reason="drives the real handlers on moto, with tables and queues made for each test")

MOST_OTHER_CALLS = 45
"""For a thousand logs, beside one write a record."""

DEAD = "Phone has blocked SMS"
OPTED_OUT = "Phone number is opted out"
AWAY = "Phone is currently unreachable/unavailable"
ARRIVED = ""


def log_of(phone: str, message_id: str, response: str = ARRIVED, *, at: str = "2026-12-01 02:00:00.4") -> Event:
    """Write a delivery log as SNS does; without a response the text has arrived."""
    return {
        "notification": {"messageId": message_id, "timestamp": at},
        "delivery": {
            "destination": phone,
            "priceInUSD": 0.0417,
            "numberOfMessageParts": 1,
            "providerResponse": response or "Message has been accepted by phone carrier",
        },
        "status": "FAILURE" if response else "SUCCESS",
    }


def entry_of(facts: Facts, number: int = 1) -> LedgerEntry:
    return replace(texted(facts, NOW, claim_id=f"claim-{facts.customer_id}"), send_id=f"{number:032x}")


def record_of(facts: Facts, entry: LedgerEntry) -> Contact:
    return Contact(
        customer_id=facts.customer_id,
        send_id=entry.send_id,
        claim_id=entry.claim_id,
        at=entry.at,
        state=ContactState.SENT,
        stage=entry.stage,
        account_ids=entry.accounts,
        channel="sms",
        expires_at=NOW + timedelta(days=1827),
        phone=facts.phone,
        text="...",
        parts=1,
        message_id=f"m-{facts.customer_id}",
    )


def archive(house: House) -> DynamoContacts:
    return DynamoContacts(boto3.client("dynamodb"), house.cloud.stack.contacts_table)


def already_texted(house: House, people: Sequence[Facts], *, recorded: bool = True) -> None:
    """Put people there who have just been texted, in large batches: writing each by itself would take a minute."""
    items = [
        item
        for facts in people
        for item in (
            lender_record_item(a_lender_record(facts)),
            standing_item(waking(facts, ledger=(entry_of(facts),), facts_revision=1), 4),
            {
                "customer_id": {"S": phone_key(facts.phone)},
                "item": {"S": PHONE},
                "customers": {"SS": [facts.customer_id]},
            },
        )
    ]
    client: Any = boto3.client("dynamodb")
    for chunk in batched(items, 25, strict=False):
        client.batch_write_item(
            RequestItems={house.cloud.stack.customers_table: [{"PutRequest": {"Item": item}} for item in chunk]}
        )
    if recorded:
        archive(house).write([record_of(facts, entry_of(facts)) for facts in people])


def logs_about(people: Sequence[Facts], response: str = ARRIVED) -> list[Event]:
    return [log_of(facts.phone, f"m-{facts.customer_id}", response) for facts in people]


def states(house: House) -> dict[str, ContactState]:
    return {contact.customer_id: contact.state for contact in house.contacts()}


@pytest.mark.slow(reason="a thousand texts on moto: the calls beside the writes are few only against many")
def test_a_thousand_logs_are_one_write_a_record_and_few_calls_beside(house: House) -> None:
    people = [someone(number) for number in range(1000)]
    already_texted(house, people)
    house.requests.clear()
    assert house.cloud.deliveries_logged(logs_about(people)) == {"batchItemFailures": []}
    sent = house.requests.sent
    assert sent["dynamodb.UpdateItem"] == 1000
    assert sent.total() - 1000 <= MOST_OTHER_CALLS
    assert set(states(house).values()) == {ContactState.DELIVERED}
    assert (house.metric("SmsDelivered"), house.metric("SegmentsBilled")) == (1000, 1000)
    house.requests.clear()
    house.cloud.deliveries_logged(logs_about(people[:100]))
    assert sent == {"dynamodb.BatchGetItem": 4}


def test_a_text_of_ours_is_followed_from_the_sender_to_its_receipt(house: House) -> None:
    facts = someone(1)
    house.add(facts)
    house.store.add_address(facts.phone, facts.customer_id)
    event = event_file("sender/jobs.json")
    house.send({"Records": [event["Records"][0] | {"body": job_for(facts)}]})
    (sms,) = house.cloud.outbox
    house.cloud.deliveries_logged([log_of(sms.to, sms.message_id)])
    (contact,) = house.contacts()
    assert (contact.state, contact.billed_parts, contact.billed_price_usd_micros) == (ContactState.DELIVERED, 1, 41_700)
    assert contact.phone == facts.phone


def test_an_opt_out_and_a_dead_number_are_recorded_and_published_once(house: House) -> None:
    out, dead, away = people = [someone(number) for number in range(3)]
    already_texted(house, people)
    logs = [
        *logs_about([out], OPTED_OUT),
        *logs_about([dead], DEAD),
        *logs_about([away], AWAY),
    ]
    for _ in range(2):
        house.cloud.deliveries_logged(logs)
    assert house.standing(out).is_opted_out
    assert house.standing(dead).is_suspended(dead)
    assert house.standing(away).ledger[0].failed
    assert [house.standing(person).version for person in people] == [2, 2, 2]
    assert sorted((event.kind, event.detail["customer_id"]) for event in house.cloud.published_events) == [
        ("CustomerNeedsPerson", dead.customer_id),
        ("NumberUnreachable", dead.customer_id),
        ("ReminderStopped", out.customer_id),
        ("ReminderStopped", dead.customer_id),
    ]
    assert {decision.reason for _, decision, _ in house.telemetry.decisions} >= {
        Reason.OPTED_OUT,
        Reason.NUMBER_REFUSED,
    }


def test_a_job_that_is_queued_already_sends_nothing_after_an_opt_out(house: House) -> None:
    facts = someone(1)
    already_texted(house, [facts])
    house.cloud.deliveries_logged(logs_about([facts], OPTED_OUT))
    house.cloud.clock.move_to(NOW + timedelta(days=3))
    event = event_file("sender/jobs.json")
    assert house.send({"Records": [event["Records"][0] | {"body": job_for(facts)}]}) == []
    assert house.cloud.outbox == []


def test_a_receipt_that_is_quicker_than_the_record_waits_in_the_queue_without_the_number(house: House) -> None:
    facts = someone(1)
    already_texted(house, [facts], recorded=False)
    house.cloud.deliveries_logged(logs_about([facts], DEAD))
    assert house.cloud.drain("delivery_receipts") == 0
    archive(house).write([record_of(facts, entry_of(facts))])
    house.cloud.clock.move_to(NOW + timedelta(seconds=61))
    waiting = house.requests.of("sqs.SendMessageBatch")
    assert facts.phone[1:] not in json.dumps(waiting, default=str)
    assert house.cloud.drain("delivery_receipts") == 1
    assert states(house) == {"C0001": ContactState.FAILED}
    assert house.standing(facts).is_suspended(facts)
    assert house.cloud.dead_letters() == 0


def test_a_sender_that_died_leaves_a_record_after_a_quarter_of_an_hour(house: House) -> None:
    facts = someone(1)
    already_texted(house, [facts], recorded=False)
    house.cloud.deliveries_logged(logs_about([facts]))
    for minutes in range(1, 17):
        assert house.contacts() == []
        house.cloud.clock.move_to(NOW + timedelta(minutes=minutes, seconds=minutes))
        house.cloud.drain("delivery_receipts")
        if minutes >= 15:
            break
    (contact,) = house.contacts()
    assert (contact.state, contact.code, contact.message_id) == (ContactState.DELIVERED, "sender_crashed", "m-C0001")
    assert (house.cloud.drain("delivery_receipts"), house.cloud.dead_letters()) == (0, 0)


def test_the_receipts_that_come_with_the_project_find_their_records(house: House) -> None:
    event = event_file("delivery_receipts/waiting_receipts.json")
    contacts = []
    for number, record in enumerate(event["Records"], start=1):
        receipt = json.loads(record["body"])
        facts = someone(number)
        at = NOW + timedelta(microseconds=123_456 * number)
        entry = replace(entry_of(facts), at=at, send_id=receipt["send_id"])
        house.add(facts, ledger=(entry,))
        contacts.append(replace(record_of(facts, entry), message_id=receipt["message_id"]))
    archive(house).write(contacts)
    function = house.cloud.stack.functions["delivery_receipts"]
    assert house.cloud.invoke(function, event) == {"batchItemFailures": []}
    assert states(house) == {"C0001": ContactState.DELIVERED, "C0002": ContactState.FAILED}
    assert house.standing(someone(2)).is_suspended(someone(2))


def test_logs_of_others_are_counted_and_change_nothing(house: House) -> None:
    function = house.cloud.stack.functions["delivery_receipts"]
    assert house.cloud.invoke(function, event_file("delivery_receipts/delivery_logs.json")) == {"batchItemFailures": []}
    assert house.metric("ReceiptsWithoutContact") == 10
    assert house.contacts() == []


def test_a_crash_between_record_and_standing_is_mended_when_lambda_hands_the_logs_over_again(house: House) -> None:
    facts = someone(1)
    already_texted(house, [facts])
    house.requests.answer("dynamodb.PutItem", error("InternalServerError", 500))
    with pytest.raises(ServiceCallError):
        house.cloud.deliveries_logged(logs_about([facts], OPTED_OUT))
    assert (states(house), house.standing(facts).version) == ({"C0001": ContactState.FAILED}, 1)
    house.requests.let_all_through()
    house.cloud.deliveries_logged(logs_about([facts], OPTED_OUT))
    assert house.standing(facts).is_opted_out


def test_an_answer_that_is_lost_changes_nothing_twice(house: House) -> None:
    facts = someone(1)
    already_texted(house, [facts])
    lost = no_answer(ReadTimeoutError(endpoint_url="https://dynamodb"), worked_on=True)
    house.requests.answer("dynamodb.UpdateItem", first(lost))
    house.requests.answer("dynamodb.PutItem", first(lost))
    house.cloud.deliveries_logged(logs_about([facts], DEAD))
    assert states(house) == {"C0001": ContactState.FAILED}
    assert house.standing(facts).is_suspended(facts)
    assert house.standing(facts).version == 2
    kinds = [event.kind for event in house.cloud.published_events]
    assert kinds == ["NumberUnreachable", "ReminderStopped", "CustomerNeedsPerson"]


def test_a_damaged_record_delays_no_other_customer_and_is_tried_again(house: House) -> None:
    damaged, whole = people = [someone(1), someone(2)]
    already_texted(house, people)
    boto3.client("dynamodb").update_item(
        TableName=house.cloud.stack.customers_table,
        Key={"customer_id": {"S": damaged.customer_id}, "item": {"S": "standing"}},
        UpdateExpression="SET ledger = :broken",
        ExpressionAttributeValues={":broken": {"S": "?"}},
    )
    with pytest.raises(UnreadableRecordError):
        house.cloud.deliveries_logged(logs_about(people, OPTED_OUT))
    assert house.standing(whole).is_opted_out


def test_logs_and_events_about_receipts_identify_nobody(house: House) -> None:
    people = [someone(number) for number in range(4)]
    already_texted(house, people)
    logs = [
        log_of(facts.phone, f"m-{facts.customer_id}", f"{words} {facts.phone}")
        for facts, words in zip(people, "abcd", strict=True)
    ]
    house.cloud.deliveries_logged([*logs, *logs_about(people, DEAD), log_of("+886955555555", "m-other")])
    printed: Any = house.log.getvalue() + json.dumps([event.detail for event in house.cloud.published_events])
    assert not [secret for secret in ("+886", "88690", "王小明", "王*明") if secret in printed]
