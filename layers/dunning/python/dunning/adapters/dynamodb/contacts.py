"""The audit table in DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dunning.adapters.dynamodb.items import contact_item
from dunning.adapters.errors import CONDITION_FAILED, error_code, outside
from dunning.domain.contact import Contact
from dunning.ports import OutsideError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ITEMS_A_WRITE = 25
"""DynamoDB's limit of a BatchWriteItem."""

_WRITES_AGAIN = 8


class DynamoContacts:
    """Implements `ContactLog`."""

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
