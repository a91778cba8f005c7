"""The way to the carrier: SNS, one request a text."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
)
from botocore.parsers import ResponseParserError

from dunning.adapters.aws_call import error_code
from dunning.adapters.client import LEAN
from dunning.ports.gateways import Published, PublishOutcome, Sms

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

PUBLISH_ONCE = LEAN.merge(
    Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=3, read_timeout=8)
)
"""
botocore would repeat a publish whose answer was lost: up to three texts, reported as one success. So the client makes
one attempt. Both timeouts together are well below the time that the sender keeps in hand.
"""

_SOON = timedelta(minutes=1)
_AFTER_REPAIR = timedelta(hours=1)

_BUSY = frozenset(
    {
        "Throttling", "ThrottlingException", "Throttled", "ThrottledException", "RequestLimitExceeded",
        "TooManyRequestsException", "SlowDown", "ServiceUnavailable", "KMSThrottling",
    }
)  # fmt: skip
"""SNS refused the request, and did not accept the text."""

_ABOUT_THE_NUMBER = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError"})

_SERVICE_UNAVAILABLE = 503
_SERVER_ERROR = 500


class SnsGateway:
    """Implements `SmsGateway`. The client must be made with `PUBLISH_ONCE`."""

    def __init__(self, client: SNSClient) -> None:
        self._client = client

    def publish(self, sms: Sms) -> Published:
        """Publish once and class the answer."""
        try:
            answer = self._client.publish(PhoneNumber=sms.phone, Message=sms.text, MessageAttributes=_attributes(sms))
        except ClientError as error:
            return _refusal(error)
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            # No connection, so no request: the text was not accepted.
            return Published(PublishOutcome.REFUSED_FOR_NOW, code=type(error).__name__, retry_after=_SOON)
        except (NoCredentialsError, CredentialRetrievalError) as error:
            # The request was not even signed: our own fault, and no text was sent.
            return Published(PublishOutcome.REFUSED_FOR_NOW, code=type(error).__name__, retry_after=_AFTER_REPAIR)
        except (HTTPClientError, BotoCoreError, ResponseParserError) as error:
            return Published(PublishOutcome.UNKNOWN, code=type(error).__name__)
        return Published(PublishOutcome.ACCEPTED, message_id=answer["MessageId"])


def _attributes(sms: Sms) -> dict[str, MessageAttributeValueTypeDef]:
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}
    }
    if sms.max_price:
        attributes["AWS.SNS.SMS.MaxPrice"] = {"DataType": "Number", "StringValue": sms.max_price}
    for name, value in (
        ("AWS.SNS.SMS.SenderID", sms.sender_id),
        ("AWS.MM.SMS.OriginationNumber", sms.origination_number),
        ("AWS.MM.SMS.EntityId", sms.entity_id),
        ("AWS.MM.SMS.TemplateId", sms.template_id),
    ):
        if value:
            attributes[name] = {"DataType": "String", "StringValue": value}
    return attributes


def _refusal(error: ClientError) -> Published:
    """
    Class an error answer.

    Busy: not taken, try soon. About the number: never send there again until it is corrected. Any other 4xx is
    our own fault (permission, key, spend limit): not taken, and no customer's number is to blame. A 5xx that
    does not say it was turned away may have been sent.
    """
    code = error_code(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _BUSY or status in {429, _SERVICE_UNAVAILABLE}:
        return Published(PublishOutcome.REFUSED_FOR_NOW, code=code, retry_after=_SOON)
    if code in _ABOUT_THE_NUMBER and "PhoneNumber" in str(error.response.get("Error", {}).get("Message", "")):
        return Published(PublishOutcome.REFUSED_FOR_GOOD, code=code)
    if code == "OptedOut":
        return Published(PublishOutcome.REFUSED_FOR_GOOD, code=code)
    if 0 < status < _SERVER_ERROR:
        return Published(PublishOutcome.REFUSED_FOR_NOW, code=code, retry_after=_AFTER_REPAIR)
    return Published(PublishOutcome.UNKNOWN, code=code)
