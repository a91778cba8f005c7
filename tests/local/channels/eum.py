"""AWS End User Messaging at the wire: texts and calls, their refusals, and the events that follow."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import MockRawResponse

from tests.local.channels.wire import AwsAtTheWire, Hook, Refusal, notification_of

_LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001 - only its milliseconds count


def conflict(reason: str) -> Refusal:
    """Return a conflict, as the service words it."""
    members = {"Reason": reason, "ResourceType": "phone-number", "ResourceId": "+886900000001"}
    return Refusal("ConflictException", 400, members)


def quota(reason: str) -> Refusal:
    """Return a quota that is used up."""
    return Refusal("ServiceQuotaExceededException", 400, {"Reason": reason})


def invalid(reason: str, *fields: str) -> Refusal:
    """Return a request that the service does not allow, with the fields it names."""
    named = [{"Name": name, "Message": "+886900000001 is not valid"} for name in fields]
    return Refusal("ValidationException", 400, {"Reason": reason, "Fields": named})


THROTTLED = Refusal("ThrottlingException", 400)


class EumAtTheWire(AwsAtTheWire):
    """Sends texts, or calls, and knows who wants none."""

    def __init__(self, client: BaseClient, now: datetime, operation: str = "SendTextMessage") -> None:
        super().__init__(client, operation, now)
        self.opted_out: set[str] = set()
        self._prefix = "TEXT" if operation == "SendTextMessage" else "VOICE"

    def refusal_of(self, request: dict[str, Any]) -> Refusal | None:
        if request["DestinationPhoneNumber"] in self.opted_out:
            return conflict("DESTINATION_PHONE_NUMBER_OPTED_OUT")
        if not request.get("OriginationIdentity"):
            return conflict("NO_ORIGINATION_IDENTITIES_FOUND")
        return None

    def invalid(self, where: str, what: str) -> Refusal:
        reason = "MISSING_PARAMETER" if what == "missing" else "FIELD_VALIDATION_FAILED"
        return invalid(reason, where)

    def event(self, number: int, kind: str, *, after: timedelta = timedelta(seconds=3), final: bool = True) -> str:
        """Return an event about a message that was taken, as it arrives on the queue; `kind` as `DELIVERED`."""
        return notification_of(self._reported(number, kind, after, final=final), self.now + after)

    def reported(self, number: int, kind: str, *, after: timedelta, final: bool = True) -> str:
        """Return the same event as the service publishes it."""
        return json.dumps(self._reported(number, kind, after, final=final))

    def _reported(self, number: int, kind: str, after: timedelta, *, final: bool) -> dict[str, Any]:
        message_id, request = self._taken[number]
        at = self.now + after
        event: dict[str, Any] = {
            "eventType": f"{self._prefix}_{kind}",
            "eventVersion": "1.0",
            "eventTimestamp": _milliseconds(at),
            "isFinal": final,
            "originationPhoneNumber": request["OriginationIdentity"],
            "destinationPhoneNumber": request["DestinationPhoneNumber"],
            "isInternationalSend": False,
            "messageId": message_id,
            "messageRequestTimestamp": _milliseconds(self.now),
            "messageType": "TRANSACTIONAL",
            "messageStatus": kind,
            "messageStatusDescription": f"{kind.lower()} at {request['DestinationPhoneNumber']}",
            "context": request.get("Context", {}),
        }
        if self._prefix == "TEXT":
            event |= {"messageEncoding": "Unicode", "totalMessageParts": 1}
            event |= {"totalMessagePrice": 0.0417, "totalCarrierFee": 0.0}
        return event

    def events(self, kind: str) -> Iterator[str]:
        """Yield an event of a kind for each message that was taken."""
        return (self.event(number, kind) for number in range(len(self._taken)))


class EumOptOutsAtTheWire:
    """An opt-out list of End User Messaging, in pages, in place of the network below one client."""

    def __init__(self, client: BaseClient, name: str = "Default", page: int = 100) -> None:
        self.numbers: list[str] = []
        self.cannot_be_opted_in: set[str] = set()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refusal: Refusal | None = None
        self._name = name
        self._page = page
        handler: Any = self._answer  # its answer is taken in the place of the network's
        self.hooks: list[Hook] = [
            (f"before-send.pinpoint-sms-voice-v2.{operation}", handler)
            for operation in ("DescribeOptedOutNumbers", "DeleteOptedOutNumber", "PutOptedOutNumber")
        ]
        for hook in self.hooks:
            client.meta.events.register(*hook)

    def _answer(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        body = request.body if isinstance(request.body, bytes | str) else b"{}"
        asked: dict[str, Any] = json.loads(body)
        self.asked.append((event_name.rpartition(".")[2], asked))
        answers = {"Describe": self._listed, "DeleteOp": self._deleted, "PutOpted": self._put}
        refusal, document = answers[event_name.rpartition(".")[2][:8]](asked)
        refusal = self.refusal or refusal
        if refusal:
            document = {"__type": refusal.code, "Message": f"refused: {asked}", **refusal.members}
        headers, status = HTTPHeaders(), refusal.status if refusal else 200
        return AWSResponse(request.url, status, headers, MockRawResponse(json.dumps(document)))

    def _listed(self, asked: Mapping[str, Any]) -> tuple[Refusal | None, dict[str, Any]]:
        if asked["OptOutListName"] != self._name:
            return Refusal("ResourceNotFoundException", 400, {"ResourceType": "opt-out-list"}), {}
        start, size = int(asked.get("NextToken", 0)), min(self._page, asked.get("MaxResults", 100))
        page = [{"OptedOutNumber": number} for number in self.numbers[start : start + size]]
        more = {"NextToken": str(start + size)} if start + size < len(self.numbers) else {}
        return None, {"OptOutListName": self._name, "OptedOutNumbers": page, **more}

    def _put(self, asked: Mapping[str, Any]) -> tuple[Refusal | None, dict[str, Any]]:
        if asked["OptedOutNumber"] not in self.numbers:
            self.numbers.append(asked["OptedOutNumber"])
        return None, {"OptOutListName": self._name, "OptedOutNumber": asked["OptedOutNumber"]}

    def _deleted(self, asked: Mapping[str, Any]) -> tuple[Refusal | None, dict[str, Any]]:
        number = asked["OptedOutNumber"]
        if number not in self.numbers:
            return Refusal("ResourceNotFoundException", 400, {"ResourceType": "opted-out-number"}), {}
        if number in self.cannot_be_opted_in:
            return invalid("PHONE_NUMBER_CANNOT_BE_OPTED_IN", "OptedOutNumber"), {}
        self.numbers.remove(number)
        return None, {"OptOutListName": self._name, "OptedOutNumber": number}


def _milliseconds(at: datetime) -> int:
    return (at.replace(tzinfo=None) - _LONG_AGO) // timedelta(milliseconds=1)
