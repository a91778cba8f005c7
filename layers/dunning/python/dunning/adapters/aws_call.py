"""Translates the SDK's errors to our own, so that only the adapters know the SDK."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dunning.domain.errors import RecordTooLargeError, ServiceCallError

CONDITION_FAILED = "ConditionalCheckFailedException"
"""DynamoDB's answer to a conditional write if another write was first."""


_BUSY = frozenset({
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException",
})  # fmt: skip
_SERVER_ERROR = 500


def error_code(error: ClientError) -> str:
    """Return the service's error code."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def write_if(operation: str, write: Callable[[], object]) -> bool:
    """
    Make a conditional write, and return whether its condition held.

    Raises:
        ServiceCallError: the write failed in any other way.
    """
    with aws_call(operation):
        try:
            write()
        except ClientError as error:
            if error_code(error) == CONDITION_FAILED:
                return False
            raise
    return True


@contextmanager
def aws_call(operation: str) -> Iterator[None]:
    """
    Run calls to AWS.

    Raises:
        RecordTooLargeError: an item has outgrown DynamoDB's limit of 400 KB.
        ServiceCallError: in place of any other error of the SDK; its message holds the code, never the request.
    """
    try:
        yield
    except ClientError as error:
        if is_too_large(error):
            raise RecordTooLargeError(operation) from None
        raise ServiceCallError(operation, error_code(error)) from None
    except BotoCoreError as error:
        raise ServiceCallError(operation, type(error).__name__) from None


def is_passing(error: ClientError) -> bool:
    """Tell whether the SDK would repeat a call after this error. The call may have had its effect."""
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return error_code(error) in _BUSY or status >= _SERVER_ERROR


def is_too_large(error: ClientError) -> bool:
    """Tell whether an item was refused for its size: DynamoDB has no code of its own for that."""
    response: Mapping[str, Any] = error.response
    refused = [response.get("Error", {}), *response.get("CancellationReasons", ())]
    return any(
        reason.get("Code") in {"ValidationException", "ValidationError"} and "size" in reason.get("Message", "")
        for reason in refused
    )
