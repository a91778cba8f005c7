"""The way to the carrier: SNS, one request a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dunning.adapters.aws_call import error_code
from dunning.adapters.one_request import AFTER_REPAIR, SERVER_ERROR, SOON, http_status, not_taken, publish_once
from dunning.domain.delivery.channels import Channel
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import Outgoing, SmsBody

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

_BUSY = frozenset(
    {
        "Throttling", "ThrottlingException", "Throttled", "ThrottledException", "RequestLimitExceeded",
        "TooManyRequestsException", "SlowDown", "ServiceUnavailable", "KMSThrottling",
    }
)  # fmt: skip
"""SNS refused the request, and did not accept the text."""

_ABOUT_THE_NUMBER = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "ValidationError"})

_SERVICE_UNAVAILABLE = 503


class SnsGateway:
    """Implements `Gateway`. The client must be made with `PUBLISH_ONCE`."""

    channel = Channel.SMS
    name = "sns"
    repeatable = False

    def __init__(self, client: SNSClient) -> None:
        self._client = client

    def publish(self, outgoing: Outgoing) -> Published:
        """Publish once and class the answer."""
        body = outgoing.body
        if not isinstance(body, SmsBody):
            return not_taken("NotAnSms", AFTER_REPAIR)

        def send() -> str:
            answer = self._client.publish(
                PhoneNumber=outgoing.address, Message=body.text, MessageAttributes=_attributes(outgoing, body)
            )
            return answer.get("MessageId", "")

        return publish_once(send, _refusal)


def _attributes(outgoing: Outgoing, body: SmsBody) -> dict[str, MessageAttributeValueTypeDef]:
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}
    }
    if outgoing.max_price:
        attributes["AWS.SNS.SMS.MaxPrice"] = {"DataType": "Number", "StringValue": outgoing.max_price}
    for name, value in (
        ("AWS.SNS.SMS.SenderID", body.sender_id),
        ("AWS.MM.SMS.OriginationNumber", body.origination_number),
        ("AWS.MM.SMS.EntityId", body.entity_id),
        ("AWS.MM.SMS.TemplateId", outgoing.registered_template),
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
    status = http_status(error)
    if code in _BUSY or status in {429, _SERVICE_UNAVAILABLE}:
        return not_taken(code, SOON)
    if code in _ABOUT_THE_NUMBER and "PhoneNumber" in str(error.response.get("Error", {}).get("Message", "")):
        return Published(PublishOutcome.REFUSED_FOR_GOOD, code=code)
    if code == "OptedOut":
        return Published(PublishOutcome.REFUSED_FOR_GOOD, code=code)
    if 0 < status < SERVER_ERROR:
        return not_taken(code, AFTER_REPAIR)
    return Published(PublishOutcome.UNKNOWN, code=code)
