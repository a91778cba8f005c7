"""
The client in memory that runs all schedules of two programs (`tests/support/schedules.py`): it answers as engines do.

What it answers is compared request by request with each engine, over the conditions and updates that our adapters use.
The documentation of the answers: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html and
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from random import Random
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.contract.conftest import ENGINES, deviates, engine_of
from tests.support.schedules import SteppedClient, SteppedTable
from tests.support.stand_in import Aws

type Answer = Mapping[str, Any]

CUSTOMERS = ("C1", "C2")
PHONE = "phone#1"
ITEMS = ("facts", "standing")
ONE: dict[str, Any] = {":one": {"N": "1"}}


class Twin:
    """One client and its table: the one in memory, or an engine's."""

    def __init__(self, client: Any, table: str, items: Callable[[], list[Mapping[str, Any]]]) -> None:  # noqa: ANN401 - two kinds
        self._client = client
        self._table = table
        self._items = items

    def ask(self, operation: str, **request: Any) -> Answer:  # noqa: ANN401 - as boto3
        """Send a request, and return what can be seen of the answer."""
        if operation == "transact_write_items":
            # An engine knows the tokens of all tables.
            request["ClientRequestToken"] = sha256(
                f"{self._table} {request['ClientRequestToken']}".encode()
            ).hexdigest()[:36]
            request["TransactItems"] = [
                {kind: {"TableName": self._table, **write} for kind, write in entry.items()}
                for entry in request["TransactItems"]
            ]
        elif operation == "batch_get_item":
            request["RequestItems"] = {self._table: {"Keys": request.pop("Keys"), "ConsistentRead": True}}
        else:
            request["TableName"] = self._table
        try:
            answer = getattr(self._client, operation)(**request)
        except ClientError as error:
            response: Mapping[str, Any] = error.response
            reasons = [
                (reason["Code"], _plain(reason.get("Item"))) for reason in response.get("CancellationReasons", ())
            ]
            return {"code": response["Error"]["Code"], "item": _plain(response.get("Item")), "reasons": reasons}
        read = answer.get("Responses", {}).get(self._table, ())
        return {"new": _plain(answer.get("Attributes")), "read": sorted(map(str, map(_plain, read)))}

    def stored(self) -> list[str]:
        """Return all items, in an order."""
        return sorted(str(_plain(item)) for item in self._items())


def _plain(item: Mapping[str, Any] | None) -> str:
    """Write an item down; a set has no order, and neither have attributes."""
    if not item:
        return ""
    return json.dumps(
        {
            name: {kind: sorted(value) if kind == "SS" else value for kind, value in typed.items()}
            for name, typed in item.items()
        },
        sort_keys=True,
    )


@pytest.fixture
def in_memory() -> Twin:
    table = SteppedTable()
    return Twin(SteppedClient(table, 0), "customers", lambda: list(table.items.values()))


@pytest.fixture(params=ENGINES)
def on_engine(request: pytest.FixtureRequest) -> Twin:
    return _on(engine_of(request))


def _on(aws: Aws) -> Twin:
    name = aws.stack.customers_table
    client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))
    return Twin(client, name, lambda: list(aws.items(name)))


@pytest.fixture(params=["in_memory", *ENGINES])
def twin(request: pytest.FixtureRequest) -> Twin:
    if request.param == "in_memory":
        found: Twin = request.getfixturevalue("in_memory")
        return found
    return _on(engine_of(request))


def _key(customer_id: str, item: str) -> dict[str, Any]:
    return {"customer_id": {"S": customer_id}, "item": {"S": item}}


def _put(customer_id: str, item: str, version: int, read: int | None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - attributes
    """Put an item under the version that was read; 0: not there yet; `None`: whatever is there."""
    condition: dict[str, Any] = {}
    if read == 0:
        condition = {"ConditionExpression": "attribute_not_exists(customer_id)"}
    elif read is not None:
        condition = {
            "ConditionExpression": "version = :read",
            "ExpressionAttributeValues": {":read": {"N": str(read)}},
        }
    if condition:
        condition["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return {"Item": {**_key(customer_id, item), "version": {"N": str(version)}, **more}, **condition}


RAISE = {
    "UpdateExpression": "SET version = version + :one, facts_revision = :revision",
    "ConditionExpression": "attribute_type(version, :number)",
    "ExpressionAttributeValues": {**ONE, ":revision": {"N": "7"}, ":number": {"S": "N"}},
}


def test_a_put_whose_condition_fails_answers_with_what_is_stored_if_it_asks_for_that(twin: Twin) -> None:
    first, second = _put("C1", "standing", 1, 0), _put("C1", "standing", 1, 0)
    assert "code" not in twin.ask("put_item", **first)
    del second["ReturnValuesOnConditionCheckFailure"]
    answers = [twin.ask("put_item", **first), twin.ask("put_item", **second)]
    assert [answer["code"] for answer in answers] == ["ConditionalCheckFailedException"] * 2
    assert [answer["item"] for answer in answers] == [_plain(first["Item"]), ""]


def test_a_condition_that_fails_because_nothing_is_there_has_no_item_to_show(twin: Twin) -> None:
    answer = twin.ask("put_item", **_put("C1", "standing", 2, 1))
    assert (answer["code"], answer["item"]) == ("ConditionalCheckFailedException", "")


def test_a_cancelled_transaction_has_a_reason_for_each_item_in_their_order_and_writes_none(twin: Twin) -> None:
    stored = _put("C1", "standing", 1, 0)
    twin.ask("put_item", **stored)
    writes = [{"Put": _put("C1", "facts", 1, 0)}, {"Put": _put("C1", "standing", 3, 2)}]
    answer = twin.ask("transact_write_items", TransactItems=writes, ClientRequestToken="a")
    assert answer["code"] == "TransactionCanceledException"
    assert answer["reasons"] == [("None", ""), ("ConditionalCheckFailed", _plain(stored["Item"]))]
    assert twin.stored() == [_plain(stored["Item"])]


def test_a_transaction_that_was_cancelled_is_judged_anew_when_it_comes_again(twin: Twin) -> None:
    writes = [{"Put": _put("C1", "facts", 1, 0)}, {"Put": _put("C1", "standing", 2, 1)}]
    answer = twin.ask("transact_write_items", TransactItems=writes, ClientRequestToken="a")
    assert answer["code"] == "TransactionCanceledException"
    twin.ask("put_item", **_put("C1", "standing", 1, 0))
    assert "code" not in twin.ask("transact_write_items", TransactItems=writes, ClientRequestToken="a")


def test_a_transaction_that_was_made_is_not_made_again_under_its_token(
    twin: Twin, request: pytest.FixtureRequest
) -> None:
    """For ten minutes (API_TransactWriteItems, ClientRequestToken)."""
    deviates(request, "moto", "it ignores the token of a transaction")
    writes = [{"Put": _put("C1", "facts", 1, 0)}, {"Put": _put("C1", "standing", 1, 0)}]
    assert "code" not in twin.ask("transact_write_items", TransactItems=writes, ClientRequestToken="a")
    twin.ask("put_item", **_put("C1", "standing", 2, 1))
    before = twin.stored()
    assert "code" not in twin.ask("transact_write_items", TransactItems=writes, ClientRequestToken="a")
    assert twin.stored() == before


def test_a_token_belongs_to_one_transaction(twin: Twin, request: pytest.FixtureRequest) -> None:
    """Another one with the same token is refused (API_TransactWriteItems, IdempotentParameterMismatchException)."""
    deviates(request, "moto", "it ignores the token of a transaction")
    twin.ask("transact_write_items", TransactItems=[{"Put": _put("C1", "facts", 1, 0)}], ClientRequestToken="a")
    other = [{"Put": _put("C2", "facts", 1, 0)}]
    answer = twin.ask("transact_write_items", TransactItems=other, ClientRequestToken="a")
    assert answer["code"] == "IdempotentParameterMismatchException"


def test_a_batch_that_names_a_key_twice_is_refused(twin: Twin) -> None:
    answer = twin.ask("batch_get_item", Keys=[_key("C1", "facts"), _key("C1", "facts")])
    assert answer["code"] == "ValidationException"


def test_a_set_is_not_added_to_what_is_no_set(twin: Twin) -> None:
    """`ADD` takes numbers and sets (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html)."""
    twin.ask("put_item", Item={**_key(PHONE, "phone"), "customers": {"S": "C1"}})
    answer = twin.ask("update_item", **_add("C2"))
    assert answer["code"] == "ValidationException"


def _add(customer_id: str) -> dict[str, Any]:
    return {
        "Key": _key(PHONE, "phone"),
        "UpdateExpression": "ADD customers :customer",
        "ExpressionAttributeValues": {":customer": {"SS": [customer_id]}},
        "ReturnValues": "ALL_NEW",
    }


def _delete_last(customer_id: str) -> dict[str, Any]:
    return {
        "Key": _key(PHONE, "phone"),
        "ConditionExpression": "customers = :customer OR NOT attribute_type(customers, :set)",
        "ExpressionAttributeValues": {":customer": {"SS": [customer_id]}, ":set": {"S": "SS"}},
    }


def _take_out(customer_id: str) -> dict[str, Any]:
    return {
        "Key": _key(PHONE, "phone"),
        "UpdateExpression": "DELETE customers :customer",
        "ConditionExpression": "attribute_exists(customers)",
        "ExpressionAttributeValues": {":customer": {"SS": [customer_id]}},
    }


def _quarantine(customer_id: str) -> dict[str, Any]:
    return {
        "Key": _key(customer_id, "standing"),
        "UpdateExpression": "SET wake_key = :wake, #shard = :shard, version = if_not_exists(version, :one)",
        "ExpressionAttributeNames": {"#shard": "shard"},
        "ExpressionAttributeValues": {**ONE, ":wake": {"S": "w"}, ":shard": {"S": "00"}},
        "ReturnValues": "ALL_NEW",
    }


def _requests(random: Random, *, repeats: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """
    Draw requests as the adapters make them, about few items, so that conditions hold and fail.

    `repeats`: now and then an earlier transaction comes again, with its token.
    """
    earlier: list[dict[str, Any]] = []
    for number in range(40):
        customer_id, item, version = random.choice(CUSTOMERS), random.choice(ITEMS), random.randrange(3)
        read = random.choice([None, 0, version])
        put = _put(customer_id, item, version + 1, read, text={"S": str(number)})
        other = _put(
            customer_id, "facts" if item == "standing" else "standing", version + 1, random.choice([0, version])
        )
        its_key = _key(customer_id, other["Item"]["item"]["S"])
        both = random.choice([{"Put": other}, {"Delete": {"Key": its_key}}, {"Update": {"Key": its_key, **RAISE}}])
        in_one = {"TransactItems": [{"Put": put}, both], "ClientRequestToken": str(number)}
        earlier.append(in_one)
        yield random.choice(
            [
                ("put_item", put),
                ("transact_write_items", in_one),
                ("transact_write_items", random.choice(earlier) if repeats else in_one),
                ("update_item", {"Key": _key(customer_id, item), "ReturnValues": "ALL_NEW", **RAISE}),
                ("update_item", _add(random.choice("abc"))),
                ("update_item", {**_take_out(random.choice("abc")), "ReturnValues": "ALL_NEW"}),
                ("delete_item", _delete_last(random.choice("abc"))),
                ("update_item", _quarantine(customer_id)),
                ("delete_item", {"Key": _key(customer_id, item)}),
                ("batch_get_item", {"Keys": [_key(customer, name) for customer in CUSTOMERS for name in ITEMS]}),
            ]
        )


@pytest.mark.parametrize("seed", range(12))
def test_it_answers_each_request_as_an_engine_does_and_stores_the_same(
    in_memory: Twin, on_engine: Twin, seed: int, request: pytest.FixtureRequest
) -> None:
    knows_tokens = "moto" not in request.node.callspec.params.values()
    for operation, asked in _requests(Random(seed), repeats=knows_tokens):
        assert in_memory.ask(operation, **asked) == on_engine.ask(operation, **asked), (operation, asked)
        assert in_memory.stored() == on_engine.stored(), (operation, asked)
