"""The carrier's own list of numbers that want no texts, as SNS keeps it for the account and Region."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dunning.adapters.aws_call import aws_call, error_code

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_TOO_SOON = "opt in"
"""
SNS has no error code of its own for a second time within 30 days. It answers `InvalidParameter` with the words
"Invalid parameter: Cannot opt in right now, latest opt in is too recent" (18F/identity-idp, spec of its opt-in).
"""


class SnsOptOutList:
    """Implements `OptOutList`."""

    def __init__(self, client: SNSClient) -> None:
        self._client = client

    def opted_out(self) -> Iterator[str]:
        """List the numbers, a hundred a call."""
        with aws_call("ListPhoneNumbersOptedOut"):
            for page in self._client.get_paginator("list_phone_numbers_opted_out").paginate():
                yield from page["phoneNumbers"]

    def opt_out(self, phone: str) -> None:
        """Do nothing: SNS has no call for it, and puts a number on its list only when its owner writes STOP."""

    def opt_in(self, phone: str) -> bool:
        """Take a number off the list."""
        with aws_call("OptInPhoneNumber"):
            try:
                self._client.opt_in_phone_number(phoneNumber=phone)
            except ClientError as error:
                message = str(error.response.get("Error", {}).get("Message", ""))
                if error_code(error) == "InvalidParameter" and _TOO_SOON in message:
                    return False
                raise
        return True
