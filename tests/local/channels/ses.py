"""Amazon SES at the wire: mails, its list of suppressed addresses, and the events that follow."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.client import BaseClient

from tests.local.channels.wire import AwsAtTheWire, Refusal, notification_of

THROTTLED = Refusal("TooManyRequestsException", 429)
PAUSED = Refusal("SendingPausedException")
BAD_ADDRESS = Refusal("BadRequestException", 400, {"message": "Domain contains dot-dot: anna@example..com"})


class SesAtTheWire(AwsAtTheWire):
    """Takes mails of verified senders, and does not send those to suppressed addresses."""

    def __init__(self, client: BaseClient, now: datetime, *verified: str) -> None:
        super().__init__(client, "SendEmail", now)
        self.suppressed: set[str] = set()
        self._verified = tuple(f"@{domain}" for domain in verified or ("mail.lender.example",))

    def refusal_of(self, request: dict[str, Any]) -> Refusal | None:
        simple = request["Content"].get("Simple")
        if not simple or not simple["Body"].get("Text") or not simple["Body"].get("Html"):
            return Refusal("BadRequestException")
        if not request.get("FromEmailAddress", "").rstrip(">").endswith(self._verified):
            return Refusal("MessageRejected")
        return None if request.get("ConfigurationSetName") else Refusal("NotFoundException", 404)

    def invalid(self, where: str, what: str) -> Refusal:
        return Refusal("BadRequestException", 400, {"message": f"{where}: {what}"})

    def event(
        self, number: int, kind: str, details: dict[str, Any] | None = None, after: timedelta = timedelta(seconds=2)
    ) -> str:
        """Return an event about a mail that was taken, as it arrives on the queue; `kind` as `Delivery`."""
        return notification_of(self._reported(number, kind, details, after), self.now + after)

    def reported(self, number: int, kind: str, details: Mapping[str, Any] | None, after: timedelta) -> str:
        """Return the same event as SES publishes it."""
        return json.dumps(self._reported(number, kind, details, after))

    def _reported(self, number: int, kind: str, details: Mapping[str, Any] | None, after: timedelta) -> dict[str, Any]:
        message_id, request = self._taken[number]
        at = self.now + after
        members = {"Rendering Failure": "failure", "DeliveryDelay": "deliveryDelay"}
        member = members.get(kind, kind.lower())
        return {
            "eventType": kind,
            "mail": {
                "timestamp": iso(self.now),
                "source": request["FromEmailAddress"],
                "sendingAccountId": "123456789012",
                "messageId": message_id,
                "destination": request["Destination"]["ToAddresses"],
                "headersTruncated": False,
                "tags": {
                    "ses:operation": ["SendEmail"],
                    "ses:configuration-set": [request["ConfigurationSetName"]],
                    **{tag["Name"]: [tag["Value"]] for tag in request["EmailTags"]},
                },
            },
            member: ({} if kind == "Send" else {"timestamp": iso(at)}) | dict(details or {}),
        }

    def first_event(self, number: int) -> str:
        """Return what SES reports first of a mail: that it was delivered, or that it was never sent."""
        (address,) = self.taken[number]["Destination"]["ToAddresses"]
        if address not in self.suppressed:
            return self.event(number, "Delivery", {"smtpResponse": f"250 ok {address}", "recipients": [address]})
        bounce = {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}
        return self.event(number, "Bounce", {**bounce, "bouncedRecipients": [{"emailAddress": address}]})


def iso(at: datetime) -> str:
    """Return a moment as SES writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
