"""
Conditional writes: of one item, or of several at once.

A transaction of another writer holds its items for some milliseconds. A write that meets it is refused, and so is a
transaction that meets a write, or a busy table. The SDK repeats neither, so it is done here: nothing has been written,
and the conditions are asked anew.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dunning.adapters.aws_call import CONDITION_FAILED, aws_call, error_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Pause = Callable[[float], None]

_TRIES = 5
_FIRST_PAUSE_SECONDS = 0.02
_CONFLICT = "TransactionConflictException"
_REASON_FAILED = "ConditionalCheckFailed"
_PASSING = frozenset({"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""The reasons of a cancelled transaction that are gone a moment later."""


def write_conditionally(operation: str, write: Callable[[], object], pause: Pause = time.sleep) -> Sequence[Any] | None:
    """
    Make a conditional write, again and again while others hold its items.

    Returns `None` if it was written. If a condition failed, it returns for each item what is stored in its place, as
    far as its condition failed and the write asked for it.

    Raises:
        ServiceCallError: the write failed in any other way.
        RecordTooLargeError: an item does not fit.
    """
    with aws_call(operation):
        for number in range(_TRIES):
            try:
                write()
            except ClientError as error:
                code, reasons = error_code(error), _reasons(error)
                if code == CONDITION_FAILED:
                    return [error.response.get("Item", {})]
                if any(reason["Code"] == _REASON_FAILED for reason in reasons):
                    return [reason.get("Item", {}) if reason["Code"] == _REASON_FAILED else None for reason in reasons]
                is_passing = bool(reasons) and all(reason["Code"] in _PASSING for reason in reasons)
                if not (is_passing or code == _CONFLICT) or number == _TRIES - 1:
                    raise
            else:
                return None
            pause(_FIRST_PAUSE_SECONDS * 2**number)
    raise AssertionError("the last try returns or raises")


def transact(
    client: DynamoDBClient, writes: Sequence[Mapping[str, Any]], pause: Pause = time.sleep
) -> Sequence[Any] | None:
    """
    Make several writes at once, or none of them; return and raise as `write_conditionally`.

    The token is a hash of the writes. If the SDK repeats a request whose answer was lost, DynamoDB knows it for ten
    minutes. Two different writes of a customer never have one token, because their conditions differ.
    """
    request: Any = list(writes)
    token = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:36]
    return write_conditionally(
        "TransactWriteItems",
        lambda: client.transact_write_items(TransactItems=request, ClientRequestToken=token),
        pause,
    )


def put_if_read(
    client: DynamoDBClient,
    table: str,
    item: Any,  # noqa: ANN401 - as boto3 has it
    condition: Mapping[str, Any],
    pause: Pause = time.sleep,
) -> bool:
    """
    Put an item under the condition of `if_read`; return whether it was written, and raise as `write_conditionally`.

    If the answer is lost, the SDK repeats the put, which then meets itself: what is stored as it was to be is written.
    """
    put: Any = {"TableName": table, "Item": item, "ReturnValuesOnConditionCheckFailure": "ALL_OLD", **condition}
    stored = write_conditionally("PutItem", lambda: client.put_item(**put), pause)
    return stored is None or bool(stored[0] == item)


def if_read(attribute: str, expected: int, key: str = "customer_id") -> dict[str, Any]:
    """
    Return the condition that no other writer has changed an item since it was read, or (0) has made it.

    `key` is an attribute that every item of the table has.
    """
    if not expected:
        return {"ConditionExpression": f"attribute_not_exists({key})"}
    return {
        "ConditionExpression": f"{attribute} = :read",
        "ExpressionAttributeValues": {":read": {"N": str(expected)}},
    }


def _reasons(error: ClientError) -> Sequence[Mapping[str, Any]]:
    """Return why a transaction was cancelled, a reason for each item; any other error has none."""
    response: Mapping[str, Any] = error.response
    reasons: Sequence[Mapping[str, Any]] = response.get("CancellationReasons", ())
    return reasons
