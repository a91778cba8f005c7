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
    client: DynamoDBClient, table: str, keys: Sequence[Any], *, consistent: bool = True
) -> Iterator[Mapping[str, Any]]:
    """
    Yield the items there are, strongly consistent unless said otherwise, in as few calls as there can be.

    Raises:
        ServiceCallError: a call failed, or the table stayed too busy.
    """
    for page in batched(keys, _KEYS_A_READ, strict=False):
        yield from _read_page(client, table, list(page), consistent=consistent)


def _read_page(client: DynamoDBClient, table: str, keys: list[Any], *, consistent: bool) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for _ in range(_READS_AGAIN):
        with aws_call("BatchGetItem"):
            answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": consistent}})
        found += answer["Responses"].get(table, [])
        left = answer.get("UnprocessedKeys", {}).get(table)
        if not left:
            return found
        keys = list(left["Keys"])
    raise ServiceCallError("BatchGetItem", "UnprocessedKeys")
