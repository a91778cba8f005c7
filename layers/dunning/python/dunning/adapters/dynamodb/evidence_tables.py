"""Reads the evidence of a customer for the console: both items in one call, the newest contacts and replies in two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dunning.adapters.aws_call import aws_call
from dunning.adapters.dynamodb.evidence_items import read_evidence
from dunning.adapters.dynamodb.keys import FACTS, REPLY, STANDING
from dunning.adapters.dynamodb.reading import read_items
from dunning.evidence.customer_evidence import Evidence

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoEvidence:
    """Implements `EvidenceStore` on both tables."""

    def __init__(self, client: DynamoDBClient, customers_table: str, contacts_table: str) -> None:
        self._client = client
        self._customers = customers_table
        self._contacts = contacts_table

    def read(self, customer_id: str, newest: int) -> Evidence | None:
        """
        Read both items, and the newest contacts and replies, at most `newest` of each.

        Replies sort behind all contacts in the table, so each kind is a query of its own.
        """
        keys = [{"customer_id": {"S": customer_id}, "item": {"S": item}} for item in (FACTS, STANDING)]
        items: list[Mapping[str, Any]] = list(read_items(self._client, self._customers, keys))
        if not items:
            return None
        gaps = []
        for condition in ("contact < :reply", "contact > :reply"):
            with aws_call("Query"):
                answer = self._client.query(
                    TableName=self._contacts,
                    KeyConditionExpression=f"customer_id = :customer AND {condition}",
                    ExpressionAttributeValues={":customer": {"S": customer_id}, ":reply": {"S": REPLY}},
                    ScanIndexForward=False,
                    Limit=newest,
                    ConsistentRead=True,
                )
            items += answer["Items"]
            if "LastEvaluatedKey" in answer:
                gaps.append("older")
        return read_evidence(customer_id, items, gaps=gaps[:1])
