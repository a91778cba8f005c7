"""Reads many items by their keys, and asks again for the keys that a busy table left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call
from dunning.domain.errors import ServiceCallError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEYS_A_READ = 100
"""DynamoDB's limit of a BatchGetItem."""

_READS_AGAIN = 8
"""How often keys left unprocessed by a throttled BatchGetItem are asked for again."""


def read_items(
    client: DynamoDBClient,
    table: str,
    keys: Sequence[Any],
    *,
    consistent: bool = True,
    attributes: Sequence[str] = (),
) -> Iterator[Mapping[str, Any]]:
    """
    Yield the items there are, strongly consistent unless said otherwise, in as few calls as there can be.

    Only `attributes` of them are read, or all if none is named.

    Raises:
        ServiceCallError: a call failed, or the table stayed too busy.
    """
    for page in batched(keys, _KEYS_A_READ, strict=False):
        wanted: Any = {"ConsistentRead": consistent}
        if attributes:
            names = {f"#{name}": name for name in attributes}  # any of them may be a reserved word of DynamoDB
            wanted |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        yield from _read_page(client, table, list(page), wanted)


def _read_page(
    client: DynamoDBClient, table: str, keys: list[Any], wanted: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for _ in range(_READS_AGAIN):
        with aws_call("BatchGetItem"):
            request: Any = {table: {"Keys": keys, **wanted}}
            answer = client.batch_get_item(RequestItems=request)
        found += answer["Responses"].get(table, [])
        left = answer.get("UnprocessedKeys", {}).get(table)
        if not left:
            return found
        keys = list(left["Keys"])
    raise ServiceCallError("BatchGetItem", "UnprocessedKeys")
