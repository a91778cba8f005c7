"""
WhatsApp by AWS End User Messaging Social: templates that Meta has approved, and nothing else.

The answer only says that the request is on its way: whether the message was sent comes as an event. Meta's rules may
end an account that reminds of debts. So every jurisdiction keeps the channel off until a lender accepts that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import ClientError

from dunning.adapters.aws_call import error_code
from dunning.adapters.one_request import AFTER_REPAIR, SERVER_ERROR, SOON, http_status, not_taken, publish_once
from dunning.contracts.claim_marks import claim_marks
from dunning.domain.delivery.channels import Channel
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import Outgoing, WhatsAppBody

SOCIAL_BUSY = frozenset({"ThrottledRequestException"})
"""The service refused the request, and did not take the message."""

SOCIAL_OURS = frozenset(
    {"AccessDeniedException", "InvalidParametersException", "ResourceNotFoundException", "ValidationException"}
)
"""Our account, our number, our request: no address is blamed, because that comes as an event."""

SOCIAL_UNKNOWN = frozenset({"DependencyException", "InternalServiceException"})
"""The service or Meta failed, and may have sent the message."""

META_API_VERSION = "v20.0"

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:_[A-Z]{2,3})?")


class SocialClient(Protocol):
    """The part of the SDK's client for End User Messaging Social that is called."""

    def send_whatsapp_message(self, **request: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as the SDK declares it
        """Send a message."""
        ...


class WhatsAppGateway:
    """Implements `Gateway`. The client must be made with `PUBLISH_ONCE`."""

    channel = Channel.WHATSAPP
    name = "whatsapp"
    repeatable = False

    def __init__(self, client: SocialClient) -> None:
        self._client = client

    def publish(self, outgoing: Outgoing) -> Published:
        """Publish once and class the answer."""
        body = outgoing.body
        if not isinstance(body, WhatsAppBody):
            return not_taken("NotForWhatsApp", AFTER_REPAIR)
        if not _TEMPLATE.fullmatch(outgoing.registered_template) or not _LANGUAGE.fullmatch(body.language):
            return not_taken("NoApprovedTemplate", AFTER_REPAIR)
        if not body.sender or not all(body.parameters):
            return not_taken("NoSenderOrEmptyParameter", AFTER_REPAIR)
        if not _E164.fullmatch(outgoing.address):
            return Published(PublishOutcome.REFUSED_FOR_GOOD, code="NotANumber")

        def send() -> str:
            answer = self._client.send_whatsapp_message(
                originationPhoneNumberId=body.sender,
                metaApiVersion=META_API_VERSION,
                message=json.dumps(_template_message(outgoing, body)).encode(),
            )
            message_id: str = answer.get("messageId", "")
            return message_id

        return publish_once(send, social_refusal)


def _template_message(outgoing: Outgoing, body: WhatsAppBody) -> dict[str, Any]:
    parameters = [{"type": "text", "text": parameter} for parameter in body.parameters]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": outgoing.address,
        "type": "template",
        "template": {
            "name": outgoing.registered_template,
            "language": {"code": body.language},
            **({"components": [{"type": "body", "parameters": parameters}]} if parameters else {}),
        },
        "biz_opaque_callback_data": json.dumps(claim_marks(outgoing), separators=(",", ":")),
    }


def social_refusal(error: ClientError) -> Published:
    """Class an error answer. A 4xx did not take the message; a 5xx may have sent it."""
    code, status = error_code(error), http_status(error)
    if code in SOCIAL_UNKNOWN or status >= SERVER_ERROR or not status:
        return Published(PublishOutcome.UNKNOWN, code=code)
    return not_taken(code, SOON if code in SOCIAL_BUSY else AFTER_REPAIR)
