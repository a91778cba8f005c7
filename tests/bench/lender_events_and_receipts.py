"""
CPU of lender_events and delivery_receipts beside bare boto3 loops that make the same calls, and the calls themselves.

The services run whole: events, decisions, log lines, metrics. Answers come from memory at the end of the wire.
"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import batched
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import contact_item, lender_record_item, standing_item
from dunning.adapters.dynamodb.keys import PHONE, phone_key
from dunning.adapters.powertools_telemetry import PowertoolsTelemetry
from dunning.adapters.s3 import S3UploadErasure
from dunning.adapters.sqs import SqsQueue
from dunning.contracts.delivery_log import parse_reported
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.policy import load_policies
from dunning.ports.queues import QueueMessage
from dunning.services.delivery_receipts import DeliveryReceiptService
from dunning.services.erasure.erase import EraseService
from dunning.services.erasure.purge import PurgeService
from dunning.services.lender_events import LenderEventService
from tests.bench.beside import compare
from tests.bench.portfolio import NOW, customer, standing
from tests.bench.wire import Wire
from tests.local.events import logs_subscription
from tests.support.builders import a_lender_record
from tests.support.fakes import FakeEventPublisher, FakeNews

CUSTOMERS = 1000
_BATCH = 50
_LATER = NOW + timedelta(minutes=1)


class _Clock:
    """A minute after the texts."""

    def now(self) -> Any:  # noqa: ANN401 - an instant
        return _LATER

    def sleep(self, seconds: float) -> None:
        del seconds


class _Office:
    """A thousand customers who have just been texted, stored at the end of the wire."""

    def __init__(self) -> None:
        self.facts = [customer(i, NOW.date() + timedelta(days=3), paid=3) for i in range(CUSTOMERS)]
        self.standings = [standing(facts, 2) for facts in self.facts]
        last = [sent.ledger[-1] for sent in self.standings]
        self.records = [
            Contact(
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
                parts=1,
                message_id=f"m{i}",
            )
            for i, (facts, entry) in enumerate(zip(self.facts, last, strict=True))
        ]
        stored: dict[tuple[str, str], Any] = {
            (f.customer_id, "facts"): lender_record_item(a_lender_record(f)) for f in self.facts
        }
        stored |= {(sent.customer_id, "standing"): standing_item(sent, 4) for sent in self.standings}
        stored |= {
            (phone_key(f.phone), PHONE): {
                "customer_id": {"S": phone_key(f.phone)},
                "item": {"S": PHONE},
                "customers": {"SS": [f.customer_id]},
            }
            for f in self.facts
        }
        contacts = [contact_item(record) for record in self.records]
        stored |= {(str(item["customer_id"]["S"]), str(item["contact"]["S"])): item for item in contacts}
        self.stored = stored
        self.contacts = contacts
        self.wire = Wire({key: json.dumps(item, ensure_ascii=False) for key, item in stored.items()}, [])

    def keys_of(self, numbers: tuple[int, ...]) -> Mapping[str, Any]:
        """Return the read of both items of some customers."""
        keys = [
            {"customer_id": {"S": self.facts[i].customer_id}, "item": {"S": item}}
            for i in numbers
            for item in ("facts", "standing")
        ]
        return {"customers": {"Keys": keys, "ConsistentRead": True}}


class LenderEvents(_Office):
    """Each pays the instalment that is due."""

    def __init__(self) -> None:
        super().__init__()
        bodies = [self._body(i) for i in range(CUSTOMERS)]
        self.batches = [
            [QueueMessage(str(i), body, 1) for i, body in enumerate(chunk)]
            for chunk in batched(bodies, _BATCH, strict=True)
        ]

    def _body(self, i: int) -> str:
        account = self.facts[i].accounts[0]
        unpaid = next(instalment for instalment in account.instalments if instalment.open > 0)
        detail = {
            "schema_version": 1, "customer_id": self.facts[i].customer_id, "at": NOW.isoformat(), "sequence": 0,
            "account_id": account.account_id, "instalment_no": unpaid.number, "paid": unpaid.amount,
            "currency": account.currency,
        }  # fmt: skip
        around = {"version": "0", "id": "e", "detail-type": "InstalmentPaid", "source": "core", "account": "1"}
        return json.dumps({**around, "time": NOW.isoformat(), "region": "r", "resources": [], "detail": detail})

    def ours(self) -> Callable[[], None]:
        """Return the work of lender_events."""
        dynamodb = self.wire.client("dynamodb", config=LEAN)
        store = DynamoCustomers(dynamodb, "customers", 4)
        telemetry = PowertoolsTelemetry(Logger(service="bench"), Metrics())
        queue = SqsQueue(self.wire.client("sqs", config=LEAN), "queue", "permanent_failure")
        contacts = DynamoContacts(dynamodb, "contacts")
        erasing = EraseService(
            customers=store,
            contacts=contacts,
            uploads=S3UploadErasure(self.wire.client("s3", config=LEAN), "bucket"),
            clock=_Clock(),
            telemetry=telemetry,
        )
        service = LenderEventService(
            store=store,
            phones=store,
            replies=contacts,
            erasing=erasing,
            purging=PurgeService(
                customers=store, erasing=erasing, replies=queue, dead_letters=(), clock=_Clock(), telemetry=telemetry
            ),
            dead_letters=queue,
            delay_queue=queue,
            failures=FakeNews(),
            publisher=FakeEventPublisher(),
            policies=load_policies(),
            clock=_Clock(),
            telemetry=telemetry,
        )

        def lender_events() -> None:
            for batch in self.batches:
                if service.handle_batch(batch, lambda: 60.0):
                    raise AssertionError
                telemetry.flush()

        return lender_events

    def bare(self) -> Callable[[], None]:
        """Return a loop that makes the same calls."""
        dynamodb = self.wire.client("dynamodb")

        def lender_events() -> None:
            for chunk in batched(range(CUSTOMERS), _BATCH, strict=True):
                dynamodb.batch_get_item(RequestItems=self.keys_of(chunk))
                for i in chunk:
                    dynamodb.transact_write_items(
                        TransactItems=[
                            {
                                "Put": {
                                    "TableName": "customers",
                                    "Item": self.stored[self.facts[i].customer_id, item],
                                    "ConditionExpression": f"{read} = :read",
                                    "ExpressionAttributeValues": {":read": {"N": "1"}},
                                }
                            }
                            for item, read in (("facts", "revision"), ("standing", "version"))
                        ]
                    )

        return lender_events


class DeliveryReceipts(_Office):
    """Every text has arrived, and one event tells of all."""

    def __init__(self) -> None:
        super().__init__()
        logs = [
            {
                "notification": {"messageId": record.message_id, "timestamp": f"{record.at:%Y-%m-%d %H:%M:%S.%f}"[:-3]},
                "delivery": {
                    "destination": record.phone, "priceInUSD": 0.0417, "numberOfMessageParts": 1,
                    "providerResponse": "Message has been accepted by phone",
                },
                "status": "SUCCESS",
            }
            for record in self.records
        ]  # fmt: skip
        self.event = logs_subscription(logs, at=_LATER, region="ap-northeast-1", account="123456789012")

    def ours(self) -> Callable[[], None]:
        """Return the work of delivery_receipts."""
        dynamodb = self.wire.client("dynamodb", config=LEAN)
        store = DynamoCustomers(dynamodb, "customers", 4)
        telemetry = PowertoolsTelemetry(Logger(service="bench"), Metrics())
        service = DeliveryReceiptService(
            store=store,
            phones=store,
            contacts=DynamoContacts(dynamodb, "contacts"),
            delay_queue=SqsQueue(self.wire.client("sqs", config=LEAN), "queue"),
            publisher=FakeEventPublisher(),
            policies=load_policies(),
            clock=_Clock(),
            telemetry=telemetry,
        )

        def delivery_receipts() -> None:
            service.handle_batch(parse_reported(self.event, NOW))
            telemetry.flush()

        return delivery_receipts

    def bare(self) -> Callable[[], None]:
        """Return a loop that makes the same calls."""
        dynamodb = self.wire.client("dynamodb")
        keys = [{"customer_id": item["customer_id"], "contact": item["contact"]} for item in self.contacts]

        def delivery_receipts() -> None:
            for chunk in batched(range(CUSTOMERS), 100, strict=True):
                phones = [{"customer_id": {"S": phone_key(self.facts[i].phone)}, "item": {"S": PHONE}} for i in chunk]
                dynamodb.batch_get_item(RequestItems={"customers": {"Keys": phones, "ConsistentRead": True}})
                dynamodb.batch_get_item(
                    RequestItems={"contacts": {"Keys": [keys[i] for i in chunk], "ConsistentRead": True}}
                )
            for chunk in batched(range(CUSTOMERS), _BATCH, strict=True):
                dynamodb.batch_get_item(RequestItems=self.keys_of(chunk))
            for key in keys:
                dynamodb.update_item(
                    TableName="contacts",
                    Key=key,
                    UpdateExpression=(
                        "SET #state = :state, #id = :id, #at = :at, #said = :said, #n = :n, #p = :p REMOVE #u"
                    ),
                    ConditionExpression="#state = :expected",
                    ExpressionAttributeNames={
                        "#state": "state", "#id": "message_id", "#at": "reported_at", "#said": "response",
                        "#n": "billed_parts", "#p": "billed_price_usd_micros", "#u": "unknown",
                    },
                    ExpressionAttributeValues={
                        ":state": {"S": "delivered"}, ":id": {"S": "m"}, ":at": {"S": "2026-12-01T02:00:00.000000Z"},
                        ":said": {"S": "Message has been accepted by phone"}, ":n": {"N": "1"}, ":p": {"N": "41700"},
                        ":expected": {"S": "sent"},
                    },
                )  # fmt: skip

        return delivery_receipts


if __name__ == "__main__":
    compare("lender_events", LenderEvents(), CUSTOMERS)
    compare("delivery logs", DeliveryReceipts(), CUSTOMERS)
