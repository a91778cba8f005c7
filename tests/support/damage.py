"""Damage to what is stored."""

from collections.abc import Mapping
from typing import Any

import boto3

from tests.support.stand_in import Aws


def write_attribute(aws: Aws, customer_id: str, item: str, **attributes: Mapping[str, object]) -> None:
    """Write attributes into an item as nobody should."""
    client: Any = boto3.client("dynamodb")
    client.update_item(
        TableName=aws.stack.customers_table,
        Key={"customer_id": {"S": customer_id}, "item": {"S": item}},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
        ExpressionAttributeNames={f"#{name}": name for name in attributes},
        ExpressionAttributeValues={f":{name}": value for name, value in attributes.items()},
    )
