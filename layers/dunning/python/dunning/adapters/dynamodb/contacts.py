"""The audit table in DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dunning.adapters.dynamodb.items import contact_item
from dunning.adapters.dynamodb.keys import instant_key
from dunning.adapters.errors import CONDITION_FAILED, error_code, outside
from dunning.domain.contact import Contact
from dunning.ports import OutsideError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ITEMS_A_WRITE = 25
"""DynamoDB's limit of a BatchWriteItem."""

_WRITES_AGAIN = 8

# TEXT is a reserved word of DynamoDB's expressions.
_TELLING = "attribute_exists(phone) OR attribute_exists(#text)"
# Not one that its time to live has deleted since: an update would bring it back.
_STILL_THERE = "attribute_exists(customer_id)"


class DynamoContacts:
    """Implements `ContactLog` and `ContactErasure`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def write(self, contacts: Sequence[Contact]) -> None:
        """Write records in batches."""
        requests: list[Any] = [{"PutRequest": {"Item": contact_item(contact)}} for contact in contacts]
        for start in range(0, len(requests), _ITEMS_A_WRITE):
            self._write(requests[start : start + _ITEMS_A_WRITE])

    def _write(self, requests: list[Any]) -> None:
        for _ in range(_WRITES_AGAIN):
            with outside("BatchWriteItem"):
                answer = self._client.batch_write_item(RequestItems={self._table: requests})
            requests = list(answer.get("UnprocessedItems", {}).get(self._table, []))
            if not requests:
                return
        raise OutsideError("BatchWriteItem", "UnprocessedItems")

    def write_if_absent(self, contact: Contact) -> bool:
        """Put a record unless it is there."""
        with outside("PutItem"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=contact_item(contact),
                    ConditionExpression="attribute_not_exists(customer_id)",
                )
            except ClientError as error:
                if error_code(error) == CONDITION_FAILED:
                    return False
                raise
        return True

    def telling_records(self, customer_id: str) -> int:
        """Count the records that hold a number or a text."""
        return len(self._telling(customer_id))

    def redact(self, customer_id: str, at: datetime) -> int:
        """Remove number and text from a customer's records, one update each."""
        keys = self._telling(customer_id)
        for key in keys:
            with outside("UpdateItem"):
                try:
                    self._client.update_item(
                        TableName=self._table,
                        Key={"customer_id": {"S": customer_id}, "contact": {"S": key}},
                        UpdateExpression="REMOVE phone, #text SET erased_at = if_not_exists(erased_at, :at)",
                        ConditionExpression=_STILL_THERE,
                        ExpressionAttributeNames={"#text": "text"},
                        ExpressionAttributeValues={":at": {"S": instant_key(at)}},
                    )
                except ClientError as error:
                    if error_code(error) != CONDITION_FAILED:
                        raise
        return len(keys)

    def _telling(self, customer_id: str) -> list[str]:
        with outside("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="customer_id = :customer",
                FilterExpression=_TELLING,
                ExpressionAttributeNames={"#text": "text"},
                ExpressionAttributeValues={":customer": {"S": customer_id}},
                ProjectionExpression="contact",
                ConsistentRead=True,
            )
            return [str(item["contact"]["S"]) for page in pages for item in page["Items"]]
