"""The carrier's own list of numbers that want no texts, as End User Messaging keeps it under a name of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from botocore.exceptions import ClientError

from dunning.adapters.aws_call import aws_call, error_code

_TOO_SOON = "PHONE_NUMBER_CANNOT_BE_OPTED_IN"
"""A number is taken off a list once in 30 days."""


class EumListClient(Protocol):
    """The parts of the SDK's client for End User Messaging that are called."""

    def get_paginator(self, operation_name: str) -> Any:  # noqa: ANN401 - as the SDK declares it
        """Return what asks for one page after the other."""
        ...

    def put_opted_out_number(self, **request: Any) -> object:  # noqa: ANN401 - as the SDK declares it
        """Put a number on a list."""
        ...

    def delete_opted_out_number(self, **request: Any) -> object:  # noqa: ANN401 - as the SDK declares it
        """Take a number off a list."""
        ...


class EumOptOutList:
    """Implements `OptOutList`. `name` is that of the list which the pool or the number uses."""

    def __init__(self, client: EumListClient, name: str) -> None:
        self._client = client
        self._name = name

    def opted_out(self) -> Iterator[str]:
        """List the numbers, a hundred a call."""
        with aws_call("DescribeOptedOutNumbers"):
            pages = self._client.get_paginator("describe_opted_out_numbers")
            for page in pages.paginate(OptOutListName=self._name, PaginationConfig={"PageSize": 100}):
                yield from (number["OptedOutNumber"] for number in page["OptedOutNumbers"])

    def opt_out(self, phone: str) -> None:
        """Put a number on the list. A number that is on it stays there."""
        with aws_call("PutOptedOutNumber"):
            self._client.put_opted_out_number(OptOutListName=self._name, OptedOutNumber=phone)

    def opt_in(self, phone: str) -> bool:
        """Take a number off the list. A number that is not on it counts as taken off."""
        with aws_call("DeleteOptedOutNumber"):
            try:
                self._client.delete_opted_out_number(OptOutListName=self._name, OptedOutNumber=phone)
            except ClientError as error:
                if error.response.get("Reason") == _TOO_SOON:
                    return False
                if error_code(error) == "ResourceNotFoundException" and _is_about_number(error):
                    return True
                raise
        return True


def _is_about_number(error: ClientError) -> bool:
    return error.response.get("ResourceType") == "opted-out-number"
