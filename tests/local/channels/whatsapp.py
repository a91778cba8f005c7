"""AWS End User Messaging Social at the wire: WhatsApp's templates, and Meta's webhooks as AWS relays them."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.client import BaseClient

from tests.local.channels.wire import AwsAtTheWire, Refusal, notification_of

THROTTLED = Refusal("ThrottledRequestException", 429)
NO_ACCESS = Refusal("AccessDeniedException", 403)


class WhatsAppAtTheWire(AwsAtTheWire):
    """Takes templates that are approved, and reports what Meta reports."""

    def __init__(self, client: BaseClient, now: datetime, *approved: str) -> None:
        super().__init__(client, "SendWhatsAppMessage", now)
        self._approved = approved

    def refusal_of(self, request: dict[str, Any]) -> Refusal | None:
        message = meta_message(request)
        template = message.get("template", {})
        if message.get("messaging_product") != "whatsapp" or message.get("type") != "template":
            return Refusal("InvalidParametersException")
        is_known = template.get("name") in self._approved and template.get("language", {}).get("code")
        return None if is_known else Refusal("InvalidParametersException")

    def invalid(self, where: str, what: str) -> Refusal:
        return Refusal("ValidationException", 400, {"message": f"{where}: {what}"})

    def success(self, message_id: str) -> Mapping[str, Any]:
        return {"messageId": message_id}

    def status(self, number: int, kind: str, after: timedelta = timedelta(seconds=4), **more: object) -> str:
        """Return Meta's status of a message that was taken, as it arrives on the queue; `kind` as `delivered`."""
        message_id, request = self._taken[number]
        message = meta_message(request)
        status = {
            "id": f"wamid.{message_id}",
            "status": kind,
            "timestamp": str(int((self.now + after).timestamp())),
            "recipient_id": message["to"].removeprefix("+"),
            "biz_opaque_callback_data": message["biz_opaque_callback_data"],
            **more,
        }
        return self.relayed({"statuses": [status]}, after)

    def message_from(self, phone: str, **message: object) -> str:
        """Return what a person has written, as it arrives on the queue; `message` as `type="text"` and its members."""
        at = str(int(self.now.timestamp()))
        return self.relayed(
            {"messages": [{"from": phone.removeprefix("+"), "id": "wamid.in", "timestamp": at, **message}]}
        )

    def relayed(self, value: Mapping[str, Any], after: timedelta = timedelta()) -> str:
        """Return a webhook of Meta in AWS's header."""
        known = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1"}}
        entry = {"id": "1234567890", "changes": [{"field": "messages", "value": {**known, **value}}]}
        event = {
            "context": {"MetaWabaIds": [{"wabaId": "1234567890"}], "MetaPhoneNumberIds": [{"metaPhoneNumberId": "1"}]},
            "whatsAppWebhookEntry": json.dumps(entry, ensure_ascii=False),
            "aws_account_id": "123456789012",
            "message_timestamp": (self.now + after).isoformat(),
            "messageId": "6d69f07a-c317-4278-9d5c-6a84078419ec",
        }
        return notification_of(event, self.now + after)


def meta_message(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return Meta's message in a request."""
    message: dict[str, Any] = json.loads(base64.b64decode(request["message"]))
    return message
