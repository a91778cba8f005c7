"""
CPU of replies beside a bare boto3 loop that makes the same calls, and the calls themselves.

The service runs whole: messages, decisions, log lines, metrics. Answers come from memory at the end of the wire, so
that no simulator is measured, and so does what a reply means. Target: 1.3 times the loop.
"""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import batched, count
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import lender_record_item, reply_item, standing_item
from dunning.adapters.dynamodb.keys import PHONE, REPLY, instant_key, phone_key
from dunning.adapters.powertools_telemetry import PowertoolsTelemetry
from dunning.adapters.sns import SnsGateway
from dunning.adapters.sns_opt_out_list import SnsOptOutList
from dunning.adapters.sqs import SqsQueue
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.entrypoint import inbound_messages
from dunning.policy import load_policies
from dunning.services.replies import ReplyService
from dunning.services.send.confirmations import OptOutConfirmations
from dunning.services.send.gateways_by_name import GatewaysByName
from tests.bench.beside import compare
from tests.bench.portfolio import NOW, customer, standing
from tests.bench.wire import Wire
from tests.support.builders import a_lender_record
from tests.support.fakes import FakeEventPublisher, FakeNews, FakeSwitch

CUSTOMERS = 500
_BATCH = 10
_LONG = "不好意思最近手頭比較緊，可以請專人打電話給我說明分期的狀況嗎？謝謝"
_TEXTS = ("退訂", "已繳", _LONG, "請打給我")
_MEANINGS = {
    "退訂": ParsedReply((ReplyIntent.OPT_OUT,)),
    "已繳": ParsedReply((ReplyIntent.PAID,)),
    _LONG: ParsedReply((ReplyIntent.HARDSHIP, ReplyIntent.QUESTION)),
    "請打給我": ParsedReply((ReplyIntent.QUESTION,)),
}


class _Clock:
    """Ten in the morning in Taipei, an hour after the replies."""

    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        del seconds


class _Reader:
    """Knows four texts by heart."""

    def parse(
        self, text: str, *, said_on: date, phone_country: str, our_texts: Sequence[str] = (), customer_name: str = ""
    ) -> ParsedReply:
        del said_on, phone_country, our_texts, customer_name
        return _MEANINGS[text]


class Bench:
    """Five hundred customers who write, stored at the end of the wire."""

    def __init__(self) -> None:
        self.facts = [customer(i, NOW.date() + timedelta(days=3), paid=3) for i in range(CUSTOMERS)]
        standings = [standing(f, 2) for f in self.facts]
        stored: dict[tuple[str, str], Any] = {
            (f.customer_id, "facts"): lender_record_item(a_lender_record(f)) for f in self.facts
        }
        stored |= {(s.customer_id, "standing"): standing_item(s, 4) for s in standings}
        stored |= {
            (phone_key(f.phone), PHONE): {
                "customer_id": {"S": phone_key(f.phone)}, "item": {"S": PHONE}, "customers": {"SS": [f.customer_id]},
            }
            for f in self.facts
        }  # fmt: skip
        self.wire = Wire({key: json.dumps(item, ensure_ascii=False) for key, item in stored.items()}, [])
        said_at = NOW - timedelta(hours=1)
        inbounds = [
            InboundSms(inbound_id=f"reply-{i}", phone=f.phone, text=_TEXTS[i % 4], at=said_at)
            for i, f in enumerate(self.facts)
        ]
        self.events = [
            {"Records": [self._record(sms) for sms in chunk]} for chunk in batched(inbounds, _BATCH, strict=True)
        ]
        # What the reference writes: items of the size ours have, built beforehand.
        self.replies = [
            reply_item(
                Reply(
                    customer_id=f.customer_id,
                    inbound=sms,
                    intents=("help",),
                    promised_on=None,
                    expires_at=NOW + timedelta(days=1827),
                )
            )
            for f, sms in zip(self.facts, inbounds, strict=True)
        ]
        self.standings = [standing_item(read, 4) for read in standings]

    @staticmethod
    def _record(sms: InboundSms) -> dict[str, Any]:
        message = {"originationNumber": sms.phone, "messageBody": sms.text, "inboundMessageId": sms.inbound_id}
        around = {"Type": "Notification", "Message": json.dumps(message), "Timestamp": sms.at.isoformat()}
        attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(sms.at.timestamp() * 1000))}
        return {"messageId": sms.inbound_id, "body": json.dumps(around), "attributes": attributes}

    def ours(self) -> Callable[[], None]:
        """Return the work of replies."""
        dynamodb, sns = self.wire.client("dynamodb", config=LEAN), self.wire.client("sns", config=LEAN)
        store, contacts = DynamoCustomers(dynamodb, "customers", 4), DynamoContacts(dynamodb, "contacts")
        telemetry = PowertoolsTelemetry(Logger(service="bench"), Metrics())
        ids = count()
        policies = load_policies()
        service = ReplyService(
            store=store,
            phones=store,
            replies=contacts,
            contacts=contacts,
            reader=_Reader(),
            confirmations=OptOutConfirmations(
                store=store,
                contacts=contacts,
                gateways=GatewaysByName(SnsGateway(sns)),
                switch=FakeSwitch(),
                policies=policies,
                clock=_Clock(),
                telemetry=telemetry,
                new_id=lambda: str(next(ids)),
            ),
            opt_out_list=SnsOptOutList(sns),
            publisher=FakeEventPublisher(),
            policies=policies,
            clock=_Clock(),
            telemetry=telemetry,
            queue=SqsQueue(self.wire.client("sqs", config=LEAN), "queue", "dead"),
            failures=FakeNews(),
            receives_before_person=5,
        )

        def replies() -> None:
            for event in self.events:
                if service.handle_batch(inbound_messages(event), lambda: 60.0):
                    raise AssertionError
                telemetry.flush()

        return replies

    def bare(self) -> Callable[[], None]:
        """Return a loop that makes the same calls with boto3 and does nothing else."""
        dynamodb = self.wire.client("dynamodb")
        since = instant_key(NOW - timedelta(days=31))

        def replies() -> None:
            for chunk in batched(range(CUSTOMERS), _BATCH, strict=True):
                phones = [{"customer_id": {"S": phone_key(self.facts[i].phone)}, "item": {"S": PHONE}} for i in chunk]
                dynamodb.batch_get_item(RequestItems={"customers": {"Keys": phones, "ConsistentRead": True}})
                keys = [
                    {"customer_id": {"S": self.facts[i].customer_id}, "item": {"S": item}}
                    for i in chunk
                    for item in ("facts", "standing")
                ]
                dynamodb.batch_get_item(RequestItems={"customers": {"Keys": keys, "ConsistentRead": True}})
                for i in chunk:
                    if _TEXTS[i % 4] == _LONG:
                        dynamodb.query(
                            TableName="contacts",
                            KeyConditionExpression="customer_id = :customer AND contact BETWEEN :since AND :replies",
                            ExpressionAttributeValues={
                                ":customer": {"S": self.facts[i].customer_id},
                                ":since": {"S": since},
                                ":replies": {"S": REPLY},
                            },
                            ConsistentRead=True,
                        )
                    dynamodb.put_item(
                        TableName="contacts",
                        Item=self.replies[i],
                        ConditionExpression="attribute_not_exists(customer_id)",
                    )
                    dynamodb.put_item(
                        TableName="customers",
                        Item=self.standings[i],
                        ConditionExpression="version = :read",
                        ExpressionAttributeValues={":read": {"N": "1"}},
                        ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    )

        return replies


if __name__ == "__main__":
    compare("replies", Bench(), CUSTOMERS)
