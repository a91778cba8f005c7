"""Reads the evidence of a customer for the console: both items in one call, a page of contacts and replies in two."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call
from dunning.adapters.dynamodb.evidence_items import read_evidence
from dunning.adapters.dynamodb.keys import FACTS, REPLY, STANDING, instant_key, replies_until
from dunning.adapters.dynamodb.reading import read_items
from dunning.evidence.customer_evidence import OLDER_REPLIES, OLDER_TEXTS, Evidence

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_FIRST = "0"
"""Sorts before all contacts, whose keys begin with a year."""


class DynamoEvidence:
    """Implements `EvidenceStore` on both tables."""

    def __init__(self, client: DynamoDBClient, customers_table: str, contacts_table: str) -> None:
        self._client = client
        self._customers = customers_table
        self._contacts = contacts_table

    def read(self, customer_id: str, newest: int | None = None, before: datetime | None = None) -> Evidence | None:
        """
        Read both items, and contacts and replies: the newest, or all of them.

        Replies sort behind all contacts in the table, so each kind is a query of its own.
        """
        keys = [{"customer_id": {"S": customer_id}, "item": {"S": item}} for item in (FACTS, STANDING)]
        items: list[Mapping[str, Any]] = list(read_items(self._client, self._customers, keys))
        if not items:
            return None
        end = instant_key(before) if before else ""
        gaps = []
        for missing, first, last in (
            (OLDER_TEXTS, "", end or REPLY),
            (OLDER_REPLIES, REPLY, f"{REPLY}{end}" if end else replies_until(None)),
        ):
            found, is_whole = self._query(customer_id, first, last, newest)
            items += found
            if not is_whole:
                gaps.append(missing)
        return read_evidence(customer_id, items, gaps=gaps)

    def _query(
        self, customer_id: str, first: str, last: str, newest: int | None
    ) -> tuple[list[Mapping[str, Any]], bool]:
        """Return the items between two keys, newest first, and whether they are all that there are."""
        found: list[Mapping[str, Any]] = []
        start: Any = None
        while True:
            more = {"ExclusiveStartKey": start} if start else {}
            if newest is not None:
                more["Limit"] = newest - len(found)
            with aws_call("Query"):
                answer = self._client.query(
                    TableName=self._contacts,
                    KeyConditionExpression="customer_id = :customer AND contact BETWEEN :first AND :last",
                    ExpressionAttributeValues={
                        ":customer": {"S": customer_id},
                        ":first": {"S": first or _FIRST},
                        ":last": {"S": last},
                    },
                    ScanIndexForward=False,
                    ConsistentRead=True,
                    **more,
                )
            found += answer["Items"]
            start = answer.get("LastEvaluatedKey")
            if not start or (newest is not None and len(found) >= newest):
                return found, not start
