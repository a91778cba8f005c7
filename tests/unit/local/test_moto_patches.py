"""The patches change how fast moto answers, not what it answers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.local.clock import VirtualClock
from tests.local.moto_patches import patched_moto

pytestmark = pytest.mark.slow(reason="asks the patched and the plain moto the same")

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "customers"


@pytest.fixture(autouse=True)
def _fake_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")


def _create_table(client: "DynamoDBClient") -> None:
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("customer_id", "item", "slot", "wake", "phone")
        ],
        KeySchema=[
            {"AttributeName": "customer_id", "KeyType": "HASH"},
            {"AttributeName": "item", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "slot", "KeyType": "HASH"},
                    {"AttributeName": "wake", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "by_phone",
                "KeySchema": [{"AttributeName": "phone", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            },
        ],
    )


def _answers() -> list[Any]:
    """Fill a table the same way each time and ask everything there is to ask."""
    client = boto3.client("dynamodb")
    _create_table(client)
    random = Random(5)
    for number in range(120):
        item: dict[str, Any] = {
            "customer_id": {"S": f"C{number % 60}"},
            "item": {"S": ("facts", "standing")[number // 60]},
        }
        if random.random() < 0.6:
            item["slot"] = {"S": str(random.randrange(3))}
        if random.random() < 0.6:
            item["wake"] = {"S": f"{random.randrange(20):02d}"}
        if random.random() < 0.6:
            item["phone"] = {"S": str(random.randrange(9))}
        client.put_item(TableName=TABLE, Item=item)
    for number in range(40):
        puts: list[Any] = [
            {
                "Put": {
                    "TableName": TABLE,
                    "Item": {"customer_id": {"S": f"C{number + 30}"}, "item": {"S": item}, "slot": {"S": f"{number}"}},
                    "ConditionExpression": f"attribute_{random.choice(('not_exists', 'exists'))}(customer_id)",
                }
            }
            for item in ("facts", "standing")
        ]
        with suppress(ClientError):
            client.transact_write_items(TransactItems=puts)
    questions: list[dict[str, Any]] = [
        {
            "IndexName": "due",
            "KeyConditionExpression": f"slot = :s AND {condition}",
            "ExpressionAttributeValues": values,
        }
        for slot in "0129"
        for condition, values in (
            ("wake <= :w", {":s": {"S": slot}, ":w": {"S": "11"}}),
            ("wake > :w", {":s": {"S": slot}, ":w": {"S": "11"}}),
            ("wake BETWEEN :v AND :w", {":s": {"S": slot}, ":v": {"S": "04"}, ":w": {"S": "11"}}),
            ("begins_with(wake, :w)", {":s": {"S": slot}, ":w": {"S": "1"}}),
        )
    ]
    questions += [
        {"IndexName": name, "KeyConditionExpression": f"{key} = :k", "ExpressionAttributeValues": {":k": {"S": "1"}}}
        for name, key in (("due", "slot"), ("by_phone", "phone"))
    ]
    questions.append({"KeyConditionExpression": "customer_id = :c", "ExpressionAttributeValues": {":c": {"S": "C7"}}})
    return [
        (more, list(_pages(client, {**question, **more})))
        for question in questions
        for more in ({}, {"Limit": 3}, {"ScanIndexForward": False}, {"Limit": 2, "ScanIndexForward": False})
    ] + [client.scan(TableName=TABLE)["Items"]]


def _pages(client: "DynamoDBClient", question: dict[str, Any]) -> Iterator[Any]:
    start: dict[str, Any] = {}
    while True:
        answer = client.query(TableName=TABLE, **question, **start)
        yield answer["Items"], answer["Count"], answer["ScannedCount"]
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def test_queries_are_answered_exactly_as_by_moto_itself() -> None:
    with mock_aws():
        expected = _answers()
    with mock_aws(), patched_moto(VirtualClock(datetime(2026, 12, 1, tzinfo=UTC)), lambda *_: None):
        assert _answers() == expected
    assert any(pages[0][0] for _, pages in expected[:-1])


def _other_answers() -> list[Any]:
    """Write, change and read values of all kinds, and use the other services that a run uses."""
    client = boto3.client("dynamodb")
    _create_table(client)
    key = {"customer_id": {"S": "C1"}, "item": {"S": "facts"}}
    value: dict[str, Any] = {"M": {"name": {"S": "x"}, "S": {"N": "1"}, "L": {"L": [{"BOOL": True}, {"NULL": True}]}}}
    item: dict[str, Any] = {
        **key,
        "tags": {"SS": ["a", "b"]},
        "numbers": {"NS": ["1"]},
        "bytes": {"B": b"\x00"},
        "map": value,
    }
    put = client.put_item(TableName=TABLE, Item=item, ReturnValues="ALL_OLD")
    answers: list[Any] = [put.get("Attributes"), client.get_item(TableName=TABLE, Key=key)["Item"]]
    for number in "12":
        answers += [
            client.update_item(
                TableName=TABLE,
                Key=key,
                UpdateExpression="SET #m.#n = :n, version = if_not_exists(version, :zero) + :one REMOVE tags",
                ExpressionAttributeNames={"#m": "map", "#n": "name"},
                ExpressionAttributeValues={":n": {"S": number}, ":zero": {"N": "0"}, ":one": {"N": "1"}},
                ReturnValues=values,
            ).get("Attributes")
            for values in ("ALL_NEW", "UPDATED_OLD")
        ]
    answers.append(client.batch_get_item(RequestItems={TABLE: {"Keys": [key]}})["Responses"])
    return answers + _answers_of_queues() + _answers_of_the_bus()


def _answers_of_queues() -> list[Any]:
    client = boto3.client("sqs")
    url = client.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="{}")
    received = client.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    timeless = {name: value for name, value in attributes.items() if "Timestamp" not in name}
    return [timeless, [(message["Body"], sorted(message["Attributes"])) for message in received]]


def _answers_of_the_bus() -> list[Any]:
    bus, queues = boto3.client("events"), boto3.client("sqs")
    bus.create_event_bus(Name="lender")
    url = queues.create_queue(QueueName="subscriber")["QueueUrl"]
    bus.put_rule(Name="paid", EventBusName="lender", EventPattern='{"detail-type": ["InstalmentPaid"]}')
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    transformer = {"InputPathsMap": {"who": "$.detail.customer_id"}, "InputTemplate": '{"customer": "<who>"}'}
    target: Any = {"Id": "1", "Arn": arn, "InputTransformer": transformer}
    bus.put_targets(Rule="paid", EventBusName="lender", Targets=[target])
    for customer_id in ("C1", "C2"):
        detail = f'{{"customer_id": "{customer_id}"}}'
        entry: Any = {"EventBusName": "lender", "Source": "lender", "DetailType": "InstalmentPaid", "Detail": detail}
        bus.put_events(Entries=[entry])
    return [message["Body"] for message in queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]]


def test_values_of_all_kinds_queues_and_events_are_answered_exactly_as_by_moto_itself() -> None:
    with mock_aws():
        expected = _other_answers()
    with mock_aws(), patched_moto(VirtualClock(datetime(2026, 12, 1, tzinfo=UTC)), lambda *_: None):
        assert _other_answers() == expected
    assert expected[-2:] == ['{"customer": "C1"}', '{"customer": "C2"}']


def test_of_many_threads_that_write_one_version_one_wins() -> None:
    with ExitStack() as stack:
        stack.enter_context(mock_aws())
        stack.enter_context(patched_moto(VirtualClock(datetime(2026, 12, 1, tzinfo=UTC)), lambda *_: None))
        client = boto3.client("dynamodb")
        _create_table(client)
        key = {"customer_id": {"S": "C1"}, "item": {"S": "standing"}}
        client.put_item(TableName=TABLE, Item={**key, "version": {"N": "0"}})

        def claim(version: int) -> bool:
            try:
                client.update_item(
                    TableName=TABLE,
                    Key=key,
                    UpdateExpression="SET version = :next",
                    ConditionExpression="version = :read",
                    ExpressionAttributeValues={":read": {"N": str(version)}, ":next": {"N": str(version + 1)}},
                )
            except ClientError:
                return False
            return True

        with ThreadPoolExecutor(16) as pool:
            for version in range(5):
                assert sum(pool.map(claim, [version] * 32)) == 1
