"""
CPU of sender and scanner beside a bare boto3 loop that makes the same calls, and the calls themselves.

The handlers run whole: events, decisions, claims, log lines, metrics. Answers come from memory at the end of the
wire, so that no simulator is measured. Targets: 1.3 times the loop, 2.6 calls a reminder.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import batched
from typing import Any
from unittest.mock import patch

import boto3

from dunning import wiring
from dunning.adapters.dynamodb.items import contact_item, lender_record_item, standing_item
from dunning.adapters.dynamodb.keys import wake_key
from dunning.contracts.job import job_body
from dunning.domain.customer.standing import LedgerEntry, Standing, Wake
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.ports.queues import Job
from functions.scanner.app import lambda_handler as scan
from functions.sender.app import lambda_handler as send
from tests.bench.beside import ENVIRONMENT, ROUNDS, Taken, in_turns, on_one_core_and_on_all
from tests.bench.portfolio import NOW, customer, standing
from tests.bench.wire import DEPTH, Wire
from tests.support.builders import a_lender_record

CUSTOMERS = 500
_BATCH = 25


class _Clock:
    """Ten in the morning in Taipei; pacing takes no time."""

    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        del seconds


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Bench:
    """Five hundred customers who are due, stored at the end of the wire."""

    def __init__(self) -> None:
        facts = [customer(i, NOW.date() + timedelta(days=3), paid=3) for i in range(CUSTOMERS)]
        standings = [standing(f, 2) for f in facts]
        stored = {
            (f.customer_id, "facts"): json.dumps(lender_record_item(a_lender_record(f)), ensure_ascii=False)
            for f in facts
        }
        stored |= {(s.customer_id, "standing"): json.dumps(standing_item(s, 4)) for s in standings}
        due = [
            json.dumps({"customer_id": {"S": f.customer_id}, "wake_key": {"S": wake_key(Wake(NOW, 0))}}) for f in facts
        ]
        self.wire = Wire(stored, due)
        self.facts = facts
        self.bodies = [job_body(Job(f.customer_id, NOW)) for f in facts]
        self.events = [
            {"Records": [self._record(body) for body in chunk]} for chunk in batched(self.bodies, _BATCH, strict=True)
        ]
        # What the reference writes: items of the size ours have, built beforehand.
        entry = LedgerEntry(
            send_id="a" * 32,
            claim_id="b" * 32,
            at=NOW,
            stage=-3,
            accounts=(facts[0].accounts[0].account_id,),
            channel="sms",
            for_wake=NOW,
        )
        self.claims = [standing_item(with_entry(s, entry), 4) for s in standings]
        text = (
            "【示範分期】王*明您好，末碼1234分期款NT$3,250將於12/4到期，請用官方APP繳款，已繳請忽略，客服0800-000-123"
        )
        self.text = text
        self.contacts = [
            contact_item(
                Contact(
                    customer_id=f.customer_id,
                    send_id="a" * 32,
                    claim_id="b" * 32,
                    at=NOW,
                    state=ContactState.SENT,
                    stage=-3,
                    account_ids=entry.accounts,
                    channel="sms",
                    expires_at=NOW + timedelta(days=1827),
                    lender="demo-tw",
                    jurisdiction="TW",
                    phone=f.phone,
                    text=text,
                    encoding="UCS-2",
                    parts=1,
                    template="zh-Hant/before-3@3",
                    registered_template="",
                    message_id="message-1",
                    code="",
                    price_usd_micros=41_700,
                    reasons=("accounts with something open: 1", "stage: -3, due since 2026-12-01", "hours: open in TW"),
                )
            )
            for f in facts
        ]

    @staticmethod
    def _record(body: str) -> dict[str, Any]:
        return {"messageId": body[-40:], "body": body, "attributes": {"ApproximateReceiveCount": "1"}}

    def ours(self) -> tuple[Callable[[], None], Callable[[], None]]:
        """Return the sender's and the scanner's work through the real handlers."""
        make: Any = boto3.Session.client

        def plugged(*args: object, **options: object) -> object:
            client = make(*args, **options)
            self.wire.plug_into(client)
            return client

        wiring.use(clock=_Clock())
        with patch.object(boto3.Session, "client", plugged):
            wiring.send_service()
            wiring.scan_service()

        def sender() -> None:
            for event in self.events:
                assert send(event, _Context()) == {"batchItemFailures": []}  # type: ignore[arg-type]

        def scanner() -> None:
            assert scan({}, None)["enqueued"] == CUSTOMERS

        return sender, scanner

    def bare(self) -> tuple[Callable[[], None], Callable[[], None]]:
        """Return loops that make the same calls with boto3 and do nothing else."""
        dynamodb, sqs = self.wire.client("dynamodb"), self.wire.client("sqs")
        sns, bus = self.wire.client("sns"), self.wire.client("events")
        detail = json.dumps({"schema_version": 1, "reminders": ["x" * 180] * _BATCH})
        entries = [{"EventBusName": "lender", "Source": "dunning", "DetailType": "ReminderSent", "Detail": detail}]
        queue = ENVIRONMENT["QUEUE_URL"]
        attributes = {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
            "AWS.SNS.SMS.MaxPrice": {"DataType": "Number", "StringValue": "0.20"},
            "AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": "DEMOFIN"},
        }

        def sender() -> None:
            for chunk in batched(range(CUSTOMERS), _BATCH, strict=True):
                keys = [
                    {"customer_id": {"S": self.facts[i].customer_id}, "item": {"S": item}}
                    for i in chunk
                    for item in ("facts", "standing")
                ]
                dynamodb.batch_get_item(RequestItems={"customers": {"Keys": keys, "ConsistentRead": True}})
                for i in chunk:
                    dynamodb.put_item(
                        TableName="customers",
                        Item=self.claims[i],
                        ConditionExpression="version = :read",
                        ExpressionAttributeValues={":read": {"N": "1"}},
                        ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    )
                    sns.publish(PhoneNumber=self.facts[i].phone, Message=self.text, MessageAttributes=attributes)
                dynamodb.batch_write_item(
                    RequestItems={"contacts": [{"PutRequest": {"Item": self.contacts[i]}} for i in chunk]}
                )
                bus.put_events(Entries=entries)

        def scanner() -> None:
            sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=DEPTH)
            for shard in range(4):
                dynamodb.query(
                    TableName="customers",
                    IndexName="due",
                    KeyConditionExpression="shard = :shard AND wake_key <= :until",
                    ExpressionAttributeValues={":shard": {"S": f"{shard:02d}"}, ":until": {"S": "~"}},
                    Limit=375,
                )
            for chunk in batched(self.bodies, 10, strict=True):
                sqs.send_message_batch(
                    QueueUrl=queue, Entries=[{"Id": str(i), "MessageBody": body} for i, body in enumerate(chunk)]
                )

        return sender, scanner


def with_entry(before: Standing, entry: LedgerEntry) -> Standing:
    """Return the standing with one more entry."""
    return replace(before, version=2, ledger=(*before.ledger, entry), reason="next_stage")


def measure(bench: Bench) -> dict[str, Taken]:
    """Measure both functions beside their loops."""
    sides = zip(("sender", "scanner"), bench.ours(), bench.bare(), strict=True)
    return {name: in_turns(bench.wire, ours, bare) for name, ours, bare in sides}


def main() -> None:
    """Print CPU and calls, ours beside the bare loop."""
    os.environ.update(ENVIRONMENT)
    bench = Bench()
    out = sys.stdout.write
    out(f"CPU for {CUSTOMERS} reminders, batches of {_BATCH}, median of {ROUNDS}, target 1.30\n")
    for where, taken in on_one_core_and_on_all(lambda: measure(bench)):
        for name, side in taken.items():
            out(f"  {name:8} {side.ratio(CUSTOMERS)}   {where}\n")
    calls = {name: side.calls for name, side in taken.items()}
    total = sum(counted.total() for counted in calls.values())
    polled = total + 2 * -(-CUSTOMERS // _BATCH)
    out(f"AWS calls per reminder {total / CUSTOMERS:.2f}, with SQS receiving and deleting each batch ")
    out(f"{polled / CUSTOMERS:.2f}   target 2.60, floor 2.00\n")
    for name in ("scanner", "sender"):
        out(f"  {name} ours: {dict(sorted(calls[name].items()))}\n")


if __name__ == "__main__":
    main()
