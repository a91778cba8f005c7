"""Amazon SNS at the wire, for texts to numbers: it speaks a form and XML, where the other services speak JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from botocore.client import BaseClient

from tests.local.channels.wire import AwsAtTheWire, Refusal

THROTTLED = Refusal("Throttling", 400)
NOT_A_NUMBER = Refusal("InvalidParameter", 400, {"message": "Invalid parameter: PhoneNumber Reason: +886900000001"})
NO_PERMISSION = Refusal("AuthorizationError", 403)


class SnsAtTheWire(AwsAtTheWire):
    """Takes texts to numbers."""

    def __init__(self, client: BaseClient, now: datetime) -> None:
        super().__init__(client, "Publish", now)

    def read(self, body: bytes) -> dict[str, Any]:
        form = dict(parse_qsl(body.decode()))
        return {name: form[name] for name in ("PhoneNumber", "Message") if name in form}

    def refusal_of(self, request: dict[str, Any]) -> Refusal | None:
        return None if request.keys() == {"PhoneNumber", "Message"} else Refusal("InvalidParameter")

    def invalid(self, where: str, what: str) -> Refusal:
        return Refusal("InvalidParameter", 400, {"message": f"Invalid parameter: {where}: {what}"})

    def written(self, document: Mapping[str, Any]) -> str:
        result = f"<MessageId>{document['MessageId']}</MessageId>" if document else ""
        return f"<PublishResponse><PublishResult>{result}</PublishResult></PublishResponse>"

    def written_error(self, refusal: Refusal) -> str:
        message = refusal.members.get("message", f"refused: {self.asked[-1]}")
        error = f"<Code>{refusal.code}</Code><Message>{message}</Message>"
        return f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
