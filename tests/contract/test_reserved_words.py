"""
What DynamoDB refuses of an expression is refused in tests, too.

It reserves words, and wants a request to bring the values that its expressions use, and no others.
"""

from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.support.reserved_words import reserved_in


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("customer_id = :files AND item BETWEEN :first AND :last", {"ITEM"}),
        ("customer_id = :files AND #item BETWEEN :first AND :last", set()),
        ("SET #last = :last, until = :until ADD sent :one", {"UNTIL"}),
        ("attribute_not_exists(customer_id) OR state = :unknown", {"STATE"}),
        ("NOT facts_revision > :revision AND begins_with(part, :beginning)", set()),
    ],
)
def test_a_reserved_word_is_found_unless_it_is_named_by_a_sign(expression: str, found: set[str]) -> None:
    assert reserved_in(expression) == found


@mock_aws
@pytest.mark.parametrize("inside", [True, False], ids=["in a transaction", "alone"])
def test_every_client_of_a_test_refuses_it(inside: bool) -> None:  # noqa: FBT001 - of a case
    client = boto3.client("dynamodb")
    put: Any = {"TableName": "t", "Item": {"k": {"S": "1"}}, "ConditionExpression": "attribute_not_exists(item)"}
    with pytest.raises(AssertionError, match="reserves ITEM"):
        client.transact_write_items(TransactItems=[{"Put": put}]) if inside else client.put_item(**put)


@mock_aws
@pytest.mark.parametrize("values", [{}, {":a": {"S": "1"}}, {":a": {"S": "1"}, ":b": {"S": "1"}, ":c": {"S": "1"}}])
def test_every_client_of_a_test_wants_the_values_that_are_used_and_no_others(values: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=r":[bc]"):
        boto3.client("dynamodb").query(
            TableName="t", KeyConditionExpression="k = :a AND n > :b", ExpressionAttributeValues=values
        )
