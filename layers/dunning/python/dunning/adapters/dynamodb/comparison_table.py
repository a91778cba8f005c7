"""
Kept what-ifs in the tally table.

whatif, <instant>#<id>: the head of one, as JSON, so that a list costs one small Query.
whatif#<id>, whatif: the comparison, as compressed JSON, and its head once more.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call, write_if
from dunning.adapters.dynamodb.keys import expiry, instant_key, parse_instant
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.kept_comparisons import KEPT_A_LENDER, LARGEST_COMPARISON, KeptComparison, WrittenComparison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

KEEP_COMPARISONS = timedelta(days=90)

_HEADS = "whatif"


class DynamoComparisons:
    """Implements `ComparisonReader`, `ComparisonKeeper` and `ComparisonsToErase`."""

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
            with gzip.open(io.BytesIO(item["body"]["B"])) as body:
                written = body.read(LARGEST_COMPARISON + 1).decode()
        except (LookupError, OSError, EOFError, TypeError, ValueError, zlib.error) as error:
            raise UnreadableRecordError(f"kept comparison: {type(error).__name__}") from None
        if len(written) > LARGEST_COMPARISON:
            raise UnreadableRecordError("kept comparison: it is larger than any that is kept")
        return WrittenComparison(_head_of(item), written)

    def keep_comparison(self, head: KeptComparison, written: str) -> None:
        """Put the head before the comparison, and delete it after: an erasure finds all comparisons by their heads."""
        if len(written.encode()) > LARGEST_COMPARISON:
            raise ValueError(f"comparison: {len(written.encode())} bytes; keep at most {LARGEST_COMPARISON}")
        for item in ({**_head_key(head), **_head_and_expiry(head)}, _body_item(head, written)):
            with aws_call("PutItem"):
                self._client.put_item(TableName=self._table, Item=item)
        of_lender = [each for each in self.newest_comparisons() if each.lender == head.lender]
        for old in of_lender[KEPT_A_LENDER:]:
            for key in (_body_key(old.comparison_id), _head_key(old)):
                with aws_call("DeleteItem"):
                    self._client.delete_item(TableName=self._table, Key=key)

    def rewrite_comparison(self, head: KeptComparison, written: str) -> None:
        """Put the comparison, on condition that there is one."""
        write_if(
            "PutItem",
            lambda: self._client.put_item(
                TableName=self._table,
                Item=_body_item(head, written),
                ConditionExpression="attribute_exists(tally)",
            ),
        )

    def _items_of(self, key: str) -> list[Mapping[str, Any]]:
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="tally = :key",
                ExpressionAttributeValues={":key": {"S": key}},
                ScanIndexForward=False,
            )
            return [item for page in pages for item in page["Items"]]


def _head_and_expiry(head: KeptComparison) -> dict[str, Any]:
    fields = {**asdict(head), "kept_at": instant_key(head.kept_at)}
    return {
        "head": {"S": json.dumps(fields, ensure_ascii=False, sort_keys=True)},
        "expires_at": expiry(head.kept_at + KEEP_COMPARISONS),
    }


def _body_item(head: KeptComparison, written: str) -> dict[str, Any]:
    body = {"B": gzip.compress(written.encode(), mtime=0)}
    return {**_body_key(head.comparison_id), **_head_and_expiry(head), "body": body}


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
