"""File reports in the customers table, read for people: beside the list of file loads, which says what is under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call
from dunning.adapters.dynamodb.file_report_items import report_of
from dunning.adapters.dynamodb.items import file_loads_of
from dunning.adapters.dynamodb.keys import FILES, LOADS, report_key
from dunning.adapters.dynamodb.split_load_table import split_load_of
from dunning.ports.file_reports import LoadUnderWay, ReportPage
from dunning.ports.split_loads import SplitLoad

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from dunning.ports.file_loads import FileReport

_LAST = "~~"
"""Sorts after every id of a report."""

_BETWEEN = "customer_id = :files AND #item BETWEEN :first AND :last"
_NAMES = {"#item": "item"}
"""Of DynamoDB's reserved words: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html"""


class DynamoFileReports:
    """Implements `FileReports`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def newest(self, limit: int, page: str = "") -> ReportPage:
        """Query backwards from the end, or from a report."""
        last = report_key(page) if page else report_key(_LAST)
        # A report more than is asked for tells whether there are older ones.
        with aws_call("Query"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression=_BETWEEN,
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues={
                    ":files": {"S": FILES},
                    ":first": {"S": report_key("")},
                    ":last": {"S": last},
                },
                ScanIndexForward=False,
                Limit=limit + 1,
            )
        found = [report_of(item) for item in answer["Items"]]
        following = found[limit] if len(found) > limit else None
        return ReportPage(tuple(found[:limit]), following.report_id if following else "")

    def since(self, report_id: str) -> Sequence[FileReport]:
        """Query forwards from a report."""
        found = [report_of(item) for item in self._query(report_key(report_id), report_key(_LAST))]
        return found if found and found[0].report_id == report_id else []

    def under_way(self) -> Sequence[LoadUnderWay]:
        """Query the list of loads and the files that are loaded in parts, which lie side by side."""
        splits: dict[tuple[object, object], SplitLoad] = {}
        loads: list[LoadUnderWay] = []
        for item in self._query(LOADS, _LAST):
            if item["item"]["S"] == LOADS:
                loads = [
                    LoadUnderWay(load.key, load.uploaded_at)
                    for load in file_loads_of(item).loads
                    if not load.is_finished
                ]
            else:
                split = split_load_of(item)
                splits[split.key, split.uploaded_at] = split
        return sorted((_with_parts(load, splits.get((load.key, load.uploaded_at))) for load in loads), key=_when)

    def _query(self, first: str, last: str) -> list[Mapping[str, Any]]:
        with aws_call("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression=_BETWEEN,
                ExpressionAttributeNames=_NAMES,
                ExpressionAttributeValues={":files": {"S": FILES}, ":first": {"S": first}, ":last": {"S": last}},
            )
            return [item for page in pages for item in page["Items"]]


def _with_parts(load: LoadUnderWay, split: SplitLoad | None) -> LoadUnderWay:
    if split is None:
        return load
    return load._replace(begun_at=split.begun_at, parts=split.parts, parts_done=len(split.done), rows=split.rows)


def _when(load: LoadUnderWay) -> datetime:
    return load.uploaded_at
