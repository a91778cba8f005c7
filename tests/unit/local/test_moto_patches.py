"""The patches change how fast moto answers, not what it answers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.local.clock import VirtualClock
from tests.local.moto_patches import patched_moto

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
            {"AttributeName": name, "AttributeType": "S"} for name in ("customer_id", "item", "shard", "wake", "phone")
        ],
        KeySchema=[
            {"AttributeName": "customer_id", "KeyType": "HASH"},
            {"AttributeName": "item", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "shard", "KeyType": "HASH"},
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
            item["shard"] = {"S": str(random.randrange(3))}
        if random.random() < 0.6:
            item["wake"] = {"S": f"{random.randrange(20):02d}"}
        if random.random() < 0.6:
            item["phone"] = {"S": str(random.randrange(9))}
        client.put_item(TableName=TABLE, Item=item)
    questions: list[dict[str, Any]] = [
        {
            "IndexName": "due",
            "KeyConditionExpression": f"shard = :s AND {condition}",
            "ExpressionAttributeValues": values,
        }
        for shard in "0129"
        for condition, values in (
            ("wake <= :w", {":s": {"S": shard}, ":w": {"S": "11"}}),
            ("wake > :w", {":s": {"S": shard}, ":w": {"S": "11"}}),
            ("wake BETWEEN :v AND :w", {":s": {"S": shard}, ":v": {"S": "04"}, ":w": {"S": "11"}}),
            ("begins_with(wake, :w)", {":s": {"S": shard}, ":w": {"S": "1"}}),
        )
    ]
    questions += [
        {"IndexName": name, "KeyConditionExpression": f"{key} = :k", "ExpressionAttributeValues": {":k": {"S": "1"}}}
        for name, key in (("due", "shard"), ("by_phone", "phone"))
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


def test_of_many_threads_that_claim_one_version_one_wins() -> None:
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
