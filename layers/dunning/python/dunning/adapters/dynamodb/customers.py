"""Facts, standing and the due index in DynamoDB."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dunning.adapters.dynamodb.items import facts_item, facts_of, standing_item, standing_of
from dunning.adapters.dynamodb.keys import (
    FACTS,
    STANDING,
    due_until,
    instant_key,
    parse_wake_key,
    shard_of,
    wake_key,
)
from dunning.adapters.errors import CONDITION_FAILED, error_code, outside
from dunning.domain.decision import Reason
from dunning.domain.facts import Facts
from dunning.domain.standing import LEAST_URGENT, Standing, Wake
from dunning.ports import Customer, Due, OutsideError, UnreadableRecordError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEYS_A_READ = 100
"""DynamoDB's limit of a BatchGetItem."""

_READS_AGAIN = 8
"""How often keys left unprocessed by a throttled BatchGetItem are asked for again."""

_SMALLEST_PAGE = 25

# Nobody has stored facts yet, or those stored are not newer than these.
_NOT_OLDER = "attribute_not_exists(as_of) OR as_of <= :as_of"
# The standing does not exist yet.
_NEW = "attribute_not_exists(customer_id)"
# Nobody has written the standing since we read it.
_UNCHANGED = "version = :read"
# SHARD is a reserved word of DynamoDB's expressions.
_RESERVED = {"#shard": "shard"}


class DynamoCustomers:
    """Implements `CustomerStore`, `DueIndex` and `CustomerErasure` on one table."""

    def __init__(self, client: DynamoDBClient, table: str, shards: int) -> None:
        self._client = client
        self._table = table
        self._shards = shards

    def load(self, customer_ids: Sequence[str]) -> Mapping[str, Customer | UnreadableRecordError]:
        """Read both items of each customer in as few calls as there can be."""
        keys = [
            {"customer_id": {"S": customer_id}, "item": {"S": item}}
            for customer_id in customer_ids
            for item in (FACTS, STANDING)
        ]
        stored: dict[tuple[str, str], Mapping[str, Any]] = {}
        for start in range(0, len(keys), _KEYS_A_READ):
            for item in self._read(keys[start : start + _KEYS_A_READ]):
                stored[item["customer_id"]["S"], item["item"]["S"]] = item
        return {customer_id: _customer(customer_id, stored) for customer_id in customer_ids}

    def _read(self, keys: list[Any]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        for _ in range(_READS_AGAIN):
            with outside("BatchGetItem"):
                answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
            found += answer["Responses"].get(self._table, [])
            left = answer.get("UnprocessedKeys", {}).get(self._table)
            if not left:
                return found
            keys = list(left["Keys"])
        raise OutsideError("BatchGetItem", "UnprocessedKeys")

    def save_facts(self, facts: Facts) -> bool:
        """Put facts unless newer ones are stored."""
        if facts.as_of is None:
            raise ValueError("facts without as_of cannot be ordered")
        with outside("PutItem"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=facts_item(facts),
                    ConditionExpression=_NOT_OLDER,
                    ExpressionAttributeValues={":as_of": {"S": instant_key(facts.as_of)}},
                )
            except ClientError as error:
                if error_code(error) == CONDITION_FAILED:
                    return False
                raise
        return True

    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        """Put a standing under the version it was read with."""
        with outside("PutItem"):
            try:
                if expected_version == 0:
                    self._client.put_item(
                        TableName=self._table,
                        Item=standing_item(standing, self._shards),
                        ConditionExpression=_NEW,
                        ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    )
                else:
                    self._client.put_item(
                        TableName=self._table,
                        Item=standing_item(standing, self._shards),
                        ConditionExpression=_UNCHANGED,
                        ExpressionAttributeValues={":read": {"N": str(expected_version)}},
                        ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    )
            except ClientError as error:
                if error_code(error) != CONDITION_FAILED:
                    raise
                stored: Any = error.response.get("Item")
                return bool(claim_id and stored) and _holds_claim(stored, claim_id)
        return True

    def set_aside(self, customer_id: str, until: datetime) -> None:
        """Move the wake alone: the rest of the item may be what cannot be read."""
        with outside("UpdateItem"):
            self._client.update_item(
                TableName=self._table,
                Key={"customer_id": {"S": customer_id}, "item": {"S": STANDING}},
                # A version that is there may itself be what cannot be read: it is left as it is.
                UpdateExpression=(
                    "SET wake_key = :wake, #shard = :shard, reason = :reason, version = if_not_exists(version, :one)"
                ),
                ExpressionAttributeNames=_RESERVED,
                ExpressionAttributeValues={
                    ":wake": {"S": wake_key(Wake(until, LEAST_URGENT))},
                    ":shard": {"S": shard_of(customer_id, self._shards)},
                    ":reason": {"S": Reason.UNREADABLE_RECORD.value},
                    ":one": {"N": "1"},
                },
            )

    def stored_items(self, customer_id: str) -> int:
        """Count the items below a customer's key."""
        return len(self._items_of(customer_id))

    def erase_items(self, customer_id: str) -> int:
        """Delete the items below a customer's key in their order: `facts`, then `standing`."""
        items = self._items_of(customer_id)
        for item in items:
            with outside("DeleteItem"):
                self._client.delete_item(
                    TableName=self._table, Key={"customer_id": {"S": customer_id}, "item": {"S": item}}
                )
        return len(items)

    def _items_of(self, customer_id: str) -> list[str]:
        """Ask for all of them, not for the two we know: a later version may keep more."""
        with outside("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="customer_id = :customer",
                ExpressionAttributeNames={"#item": "item"},
                ExpressionAttributeValues={":customer": {"S": customer_id}},
                ProjectionExpression="#item",
                ConsistentRead=True,
            )
            return [str(item["item"]["S"]) for page in pages for item in page["Items"]]

    def due(self, now: datetime, limit: int) -> Iterator[Due]:
        """Merge the shards' heads, reading no more of each than is needed."""
        page = max(_SMALLEST_PAGE, -(-limit * 5 // (self._shards * 4)))
        heads = [self._due_in(f"{shard:02d}", due_until(now), page) for shard in range(self._shards)]
        merged = islice(heapq.merge(*heads), limit)
        return (Due(customer_id, _wake_of(key, now)) for key, customer_id in merged)

    def _due_in(self, shard: str, until: str, page: int) -> Iterator[tuple[str, str]]:
        start: Any = None
        while True:
            more = {"ExclusiveStartKey": start} if start else {}
            with outside("Query"):
                answer = self._client.query(
                    TableName=self._table,
                    IndexName="due",
                    KeyConditionExpression="#shard = :shard AND wake_key <= :until",
                    ExpressionAttributeNames=_RESERVED,
                    ExpressionAttributeValues={":shard": {"S": shard}, ":until": {"S": until}},
                    Limit=page,
                    **more,
                )
            for item in answer["Items"]:
                yield str(item["wake_key"]["S"]), str(item["customer_id"]["S"])
            start = answer.get("LastEvaluatedKey")
            if not start:
                return


def _wake_of(key: str, now: datetime) -> Wake:
    """Read a key; one that cannot be read is due now, so that the sender meets it and sets its customer aside."""
    try:
        return parse_wake_key(key)
    except ValueError:
        return Wake(now, 0)


def _customer(
    customer_id: str, stored: Mapping[tuple[str, str], Mapping[str, Any]]
) -> Customer | UnreadableRecordError:
    facts, standing = stored.get((customer_id, FACTS)), stored.get((customer_id, STANDING))
    try:
        return Customer(
            facts_of(facts) if facts else None,
            standing_of(standing) if standing else None,
        )
    except UnreadableRecordError as error:
        return error


def _holds_claim(item: Mapping[str, Any], claim_id: str) -> bool:
    """Tell whether the write that failed was our own, repeated by the SDK after its answer was lost."""
    return any(entry.claim_id == claim_id for entry in standing_of(item).ledger)
