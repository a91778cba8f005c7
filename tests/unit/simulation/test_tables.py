"""The tables of the proof: conditions, transactions, tokens and updates as DynamoDB documents them."""

from typing import Any

import pytest

from tests.simulation.expressions import holds, updated
from tests.simulation.tables import CUSTOMERS, Rows, keys_of, perform, stored

ITEM = {"customer_id": {"S": "C1"}, "item": {"S": "standing"}, "version": {"N": "3"}, "tags": {"SS": ["a", "b"]}}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("attribute_exists(version)", True),
        ("attribute_not_exists(customer_id)", False),
        ("version = :three", True),
        ("version < :ten", True),
        ("version BETWEEN :three AND :ten", True),
        ("NOT version = :three", False),
        ("version = :ten OR NOT attribute_exists(gone)", True),
        ("(version = :ten OR attribute_exists(version)) AND attribute_type(tags, :set)", True),
        ("#v > :ten", False),
        ("gone = :three", False),
    ],
)
def test_a_condition_holds_as_dynamodb_has_it(condition: str, *, expected: bool) -> None:
    request = {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#v": "version"},
        "ExpressionAttributeValues": {":three": {"N": "3"}, ":ten": {"N": "10"}, ":set": {"S": "SS"}},
    }
    assert holds(ITEM, request) is expected


def test_what_is_not_understood_is_an_error_and_never_holds() -> None:
    for condition in ("size(version) = :three", "begins_with(item, :s)", "version = :three ???"):
        with pytest.raises(NotImplementedError):
            holds(ITEM, {"ConditionExpression": condition, "ExpressionAttributeValues": {}})
    with pytest.raises(NotImplementedError):
        updated(ITEM, {"UpdateExpression": "SET a = list_append(a, :b)", "Key": {}})


def test_an_update_reads_the_item_as_it_was_before() -> None:
    after = updated(
        ITEM,
        {
            "Key": {},
            "UpdateExpression": "SET version = version + :one, seen = if_not_exists(seen, :now) "
            "REMOVE item ADD tags :c",
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":now": {"S": "now"}, ":c": {"SS": ["c"]}},
        },
    )
    assert after == {
        "customer_id": {"S": "C1"}, "version": {"N": "4"}, "tags": {"SS": ["a", "b", "c"]}, "seen": {"S": "now"},
    }  # fmt: skip


def _put(version: str, read: str) -> dict[str, Any]:
    return {
        "TableName": CUSTOMERS,
        "Item": {**ITEM, "version": {"N": version}},
        "ConditionExpression": "version = :read",
        "ExpressionAttributeValues": {":read": {"N": read}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def test_a_write_that_is_repeated_fails_against_itself_and_answers_with_what_is_stored() -> None:
    rows = Rows({(CUSTOMERS, "C1", "standing"): stored(ITEM)})
    put = _put("4", "3")
    first = perform(rows, "put_item", put, keys_of("put_item", put))
    assert first.error is None
    second = perform(first.rows, "put_item", put, keys_of("put_item", put))
    assert second.error is not None
    error: Any = second.error()
    assert error.response["Item"]["version"] == {"N": "4"}


def test_a_transaction_writes_all_or_nothing_and_is_known_by_its_token() -> None:
    rows = Rows({(CUSTOMERS, "C1", "standing"): stored(ITEM)})
    fresh = {**_put("1", "0"), "Item": {**ITEM, "item": {"S": "facts"}}, "ConditionExpression": ""}
    refused = {"TransactItems": [{"Put": fresh}, {"Put": _put("9", "8")}], "ClientRequestToken": "t1"}
    keys = keys_of("transact_write_items", refused)
    outcome = perform(rows, "transact_write_items", refused, keys)
    assert outcome.error is not None
    assert outcome.rows is rows
    request = {"TransactItems": [{"Put": fresh}, {"Put": _put("4", "3")}], "ClientRequestToken": "t2"}
    first = perform(rows, "transact_write_items", request, keys)
    assert first.rows.item(CUSTOMERS, "C1", "facts") is not None
    second = perform(first.rows, "transact_write_items", request, keys)
    assert second.error is None
    assert second.rows is first.rows


def test_worlds_with_the_same_items_are_equal_however_they_came_about() -> None:
    key, other = (CUSTOMERS, "C1", "standing"), (CUSTOMERS, "C1", "facts")
    first = Rows({}).changed({key: stored(ITEM)}).changed({other: stored({"a": {"S": "b"}})})
    second = Rows({}).changed({other: stored({"a": {"S": "b"}}), key: stored({})}).changed({key: stored(dict(ITEM))})
    assert first == second
    assert hash(first) == hash(second)
    assert first.changed({key: None}) != first
