"""
Kept what-ifs in the tally table.

whatif, <instant>#<id>: the head of one, as JSON, so that a list costs one small Query.
whatif#<id>, whatif: the comparison, as compressed JSON, and its head once more.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call
from dunning.adapters.dynamodb.keys import expiry, instant_key, parse_instant
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.kept_comparisons import KEPT_A_LENDER, LARGEST_COMPARISON, KeptComparison, WrittenComparison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

KEEP_COMPARISONS = timedelta(days=90)
"""The examples hold ids of customers, erased ones too."""

_HEADS = "whatif"


class DynamoComparisons:
    """Implements `ComparisonReader` and `ComparisonKeeper`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def newest_comparisons(self) -> Sequence[KeptComparison]:
        """Query all heads, newest first."""
        return [_head_of(item) for item in self._items_of(_HEADS)]

    def comparison(self, comparison_id: str) -> WrittenComparison | None:
        """Query the comparison, which holds its head: the console may query this table and nothing else."""
        item = next(iter(self._items_of(f"{_HEADS}#{comparison_id}")), None)
        if item is None:
            return None
        try:
            written = gzip.decompress(item["body"]["B"]).decode()
        except (LookupError, OSError, EOFError, ValueError) as error:
            raise UnreadableRecordError(f"kept comparison: {type(error).__name__}") from None
        return WrittenComparison(_head_of(item), written)

    def keep_comparison(self, head: KeptComparison, written: str) -> None:
        """Put the comparison before its head: whoever sees the head can open it."""
        if len(written.encode()) > LARGEST_COMPARISON:
            raise ValueError(f"comparison: {len(written.encode())} bytes; keep at most {LARGEST_COMPARISON}")
        fields = {**asdict(head), "kept_at": instant_key(head.kept_at)}
        common: dict[str, Any] = {
            "head": {"S": json.dumps(fields, ensure_ascii=False, sort_keys=True)},
            "expires_at": expiry(head.kept_at + KEEP_COMPARISONS),
        }
        body: Any = {"B": gzip.compress(written.encode(), mtime=0)}
        for item in ({**_body_key(head.comparison_id), **common, "body": body}, {**_head_key(head), **common}):
            with aws_call("PutItem"):
                self._client.put_item(TableName=self._table, Item=item)
        of_lender = [each for each in self.newest_comparisons() if each.lender == head.lender]
        for old in of_lender[KEPT_A_LENDER:]:
            for key in (_head_key(old), _body_key(old.comparison_id)):
                with aws_call("DeleteItem"):
                    self._client.delete_item(TableName=self._table, Key=key)

    def _items_of(self, key: str) -> list[Mapping[str, Any]]:
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="tally = :key",
                ExpressionAttributeValues={":key": {"S": key}},
                ScanIndexForward=False,
            )
            return [item for page in pages for item in page["Items"]]


def _head_key(head: KeptComparison) -> dict[str, Any]:
    return {"tally": {"S": _HEADS}, "part": {"S": f"{instant_key(head.kept_at)}#{head.comparison_id}"}}


def _body_key(comparison_id: str) -> dict[str, Any]:
    return {"tally": {"S": f"{_HEADS}#{comparison_id}"}, "part": {"S": _HEADS}}


def _head_of(item: Mapping[str, Any]) -> KeptComparison:
    try:
        fields = json.loads(item["head"]["S"])
        return KeptComparison(
            **{
                **fields,
                "kept_at": parse_instant(fields["kept_at"]),
                "changed_files": tuple(fields["changed_files"]),
            }
        )
    except (LookupError, ValueError, TypeError) as error:
        raise UnreadableRecordError(f"head of a kept comparison: {type(error).__name__}") from None
