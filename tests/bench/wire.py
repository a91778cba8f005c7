"""
The end of the wire: answers botocore's HTTP requests from memory, as cheaply as can be.

Both sides of a comparison pay the whole SDK (serialising, signing, parsing) and nothing of a simulator.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, cast

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

DEPTH: Final[list["QueueAttributeNameType"]] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]
"""What the depth of a queue is asked by."""


class _Raw(BytesIO):
    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


class Wire:
    """Answers DynamoDB, SQS, SNS and SSM; `calls` counts them by operation."""

    def __init__(self, stored: dict[tuple[str, str], str], due: list[str]) -> None:
        """Take what is stored: items by (customer_id, item) and the due index's entries, each as JSON of the wire."""
        self._stored = stored
        self._due = due
        self.calls: Counter[str] = Counter()
        self._answers: dict[str, Callable[[dict[str, Any]], str]] = {
            "BatchGetItem": self._batch_get,
            "PutItem": lambda _: "{}",
            "UpdateItem": lambda _: "{}",
            "TransactWriteItems": lambda _: "{}",
            "BatchWriteItem": lambda _: "{}",
            "Query": self._query,
            "GetQueueAttributes": lambda _: json.dumps({"Attributes": dict.fromkeys(DEPTH, "0")}),
            "SendMessageBatch": lambda body: json.dumps(
                {"Successful": [{"Id": e["Id"], "MessageId": "m", "MD5OfMessageBody": ""} for e in body["Entries"]]}
            ),
            "PutEvents": lambda body: json.dumps(
                {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in body["Entries"]]}
            ),
            "GetParameter": lambda _: '{"Parameter":{"Name":"sending","Value":"on","Type":"String"}}',
        }

    def client(self, service: str, **options: object) -> Any:  # noqa: ANN401 - whichever client is asked for
        """Make a client of boto3 whose requests are answered here."""
        make: Any = boto3.Session().client
        client = make(service, **options)
        self.plug_into(client)
        return client

    def plug_into(self, client: Any) -> None:  # noqa: ANN401 - any service's client
        """Answer all of a client's requests."""
        client.meta.events.register_first("before-send", self._answer)

    def _answer(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        self.calls[operation] += 1
        if operation == "Publish":
            body = (
                '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
                f"<MessageId>message-{self.calls[operation]}</MessageId></PublishResult><ResponseMetadata>"
                "<RequestId>r</RequestId></ResponseMetadata></PublishResponse>"
            )
        else:
            body = self._answers[operation](
                json.loads(cast("bytes", request.body)) if operation in _READ_BODIES else {}
            )
        headers: Any = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "r"}
        return AWSResponse(request.url, 200, headers, _Raw(body.encode()))

    def _batch_get(self, body: dict[str, Any]) -> str:
        ((table, wanted),) = body["RequestItems"].items()
        found = ",".join(
            self._stored[name]
            for key in wanted["Keys"]
            if (name := (key["customer_id"]["S"], key.get("item", key.get("contact"))["S"])) in self._stored
        )
        return f'{{"Responses":{{"{table}":[{found}]}},"UnprocessedKeys":{{}}}}'

    def _query(self, body: dict[str, Any]) -> str:
        if ":shard" not in body["ExpressionAttributeValues"]:
            return '{"Items":[],"Count":0}'
        shard = int(body["ExpressionAttributeValues"][":shard"]["S"])
        start = int(body["ExclusiveStartKey"]["position"]["N"]) if "ExclusiveStartKey" in body else 0
        shards = 4
        mine = self._due[shard::shards]
        page = mine[start : start + body["Limit"]]
        end = start + len(page)
        more = f',"LastEvaluatedKey":{{"position":{{"N":"{end}"}}}}' if len(page) == body["Limit"] else ""
        return f'{{"Items":[{",".join(page)}],"Count":{len(page)}{more}}}'


_READ_BODIES = frozenset({"PutEvents", "BatchGetItem", "Query", "SendMessageBatch"})
