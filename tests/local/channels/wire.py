"""What fakes at the wire share: faults of a network, requests counted, and requests held against AWS's own model."""

import base64
import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from itertools import count
from threading import Lock
from typing import Any, Protocol

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, HTTPClientError, ReadTimeoutError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape
from moto.core.botocore_stubber import MockRawResponse


class WireFault(Enum):
    """What a network or a server does to a request."""

    NO_CONNECTION = auto()
    """Nothing is reached, so nothing is asked."""
    RESET_BEFORE = auto()
    """The connection breaks before the service has the request."""
    RESET_AFTER = auto()
    """The service does the work, and the connection breaks before the answer."""
    LOST_ANSWER = auto()
    """The service does the work, and its answer never comes."""
    NONSENSE = auto()
    """The service does the work, and what answers is no answer of the service."""
    HALF_ANSWER = auto()
    """The service does the work, and the connection breaks in the middle of its answer."""
    EMPTY_YES = auto()
    """The service does the work, and the yes that arrives has nothing in it."""
    SERVER_ERROR = auto()
    """The service does the work, and says that it has failed."""


TAKEN_BY = frozenset(WireFault) - {WireFault.NO_CONNECTION, WireFault.RESET_BEFORE}
"""The faults after which the service has the message all the same."""


@dataclass(frozen=True)
class Refusal:
    """An error answer of a service: its code, its HTTP status, and further members of the answer."""

    code: str
    status: int = 400
    members: Mapping[str, Any] = field(default_factory=dict)


type Hook = tuple[str, Any]
"""An event of botocore, and what answers it."""


@contextmanager
def answering_every_client(*hooks: Hook) -> Iterator[None]:
    """Let services answer every client made meanwhile, and not only the one that they were made with."""
    BUILTIN_HANDLERS.extend(hooks)
    try:
        yield
    finally:
        for hook in hooks:
            BUILTIN_HANDLERS.remove(hook)


class Wire(Protocol):
    """A service as a contract suite sees it: it does what it is told next, and counts."""

    @property
    def requests(self) -> int:
        """The number of requests that reached the service."""
        ...

    @property
    def messages_taken(self) -> int:
        """The number of messages that the service has taken."""
        ...

    def will(self, *answers: WireFault | Refusal) -> None:
        """Answer the next requests so."""
        ...


class AwsAtTheWire:
    """
    An operation of AWS, in place of the network below one client.

    A request that the operation's model does not allow is refused, as the service refuses it.
    """

    def __init__(self, client: BaseClient, operation: str, now: datetime) -> None:
        self.asked: list[dict[str, Any]] = []
        self.now = now
        self._taken: list[tuple[str, dict[str, Any]]] = []
        self._answers: deque[WireFault | Refusal] = deque()
        self._numbers = count(1)
        self._lock = Lock()
        self._model: OperationModel = client.meta.service_model.operation_model(operation)
        service = client.meta.service_model.service_name
        handler: Any = self._answer  # its answer is taken in the place of the network's
        self.hooks: list[Hook] = [(f"before-send.{service}.{operation}", handler)]
        self.on_taken: Callable[[str, Mapping[str, Any]], None] = lambda *_: None
        client.meta.events.register(*self.hooks[0])

    @property
    def requests(self) -> int:
        return len(self.asked)

    @property
    def messages_taken(self) -> int:
        return len(self._taken)

    @property
    def taken(self) -> list[dict[str, Any]]:
        """What the service has taken, as it was asked."""
        return [request for _, request in self._taken]

    @property
    def message_ids(self) -> list[str]:
        """The ids of what the service has taken."""
        return [message_id for message_id, _ in self._taken]

    def will(self, *answers: WireFault | Refusal) -> None:
        self._answers.extend(answers)

    def refusal_of(self, request: dict[str, Any]) -> Refusal | None:
        """Return the refusal of a request that the model allows; the services differ."""
        raise NotImplementedError

    def invalid(self, where: str, what: str) -> Refusal:
        """Return the refusal of a request that the model does not allow."""
        raise NotImplementedError

    def success(self, message_id: str) -> Mapping[str, Any]:
        """Return the members of the answer to a request that was taken."""
        return {"MessageId": message_id}

    def read(self, body: bytes) -> dict[str, Any]:
        """Read the document of a request."""
        document: dict[str, Any] = json.loads(body)
        return document

    def written(self, document: Mapping[str, Any]) -> str:
        """Write the document of an answer."""
        return json.dumps(document)

    def written_error(self, refusal: Refusal) -> str:
        """Write an error, which quotes the request unless it has words of its own: nothing may rely on its silence."""
        words = {"__type": refusal.code, "Message": f"refused: {json.dumps(self.asked[-1], ensure_ascii=False)}"}
        return json.dumps({**words, **refusal.members})

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        with self._lock:
            planned = self._answers.popleft() if self._answers else None
            if planned is WireFault.NO_CONNECTION:
                raise EndpointConnectionError(endpoint_url="https://service.invalid")
            body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
            asked = self.read(body)
            self.asked.append(asked)
            if planned is WireFault.RESET_BEFORE:
                raise ConnectionClosedError(endpoint_url="https://service.invalid")
            refusal = planned if isinstance(planned, Refusal) else self._judged(asked)
            if refusal is not None:
                return self._error(request, refusal)
            message_id = f"{self._model.name}-{next(self._numbers):08}"
            self._taken.append((message_id, asked))
            self.on_taken(message_id, asked)
        if planned is WireFault.RESET_AFTER:
            raise ConnectionClosedError(endpoint_url="https://service.invalid")
        if planned is WireFault.HALF_ANSWER:
            raise HTTPClientError(error="IncompleteRead(8 bytes read, 92 more expected)")
        if planned is WireFault.LOST_ANSWER:
            raise ReadTimeoutError(endpoint_url="https://service.invalid")
        if planned is WireFault.SERVER_ERROR:
            return self._error(request, Refusal("InternalServerException", 500))
        answered = {} if planned is WireFault.EMPTY_YES else self.success(message_id)
        text = "<html>a proxy's page" if planned is WireFault.NONSENSE else self.written(answered)
        return AWSResponse(request.url, 200, HTTPHeaders(), MockRawResponse(text))

    def _judged(self, asked: dict[str, Any]) -> Refusal | None:
        wrong = next(faults_in(self._model.input_shape, asked), None)
        return self.invalid(*wrong) if wrong else self.refusal_of(asked)

    def _error(self, request: AWSPreparedRequest, refusal: Refusal) -> AWSResponse:
        headers = HTTPHeaders()
        headers["x-amzn-ErrorType"] = refusal.code
        return AWSResponse(request.url, refusal.status, headers, MockRawResponse(self.written_error(refusal)))


def faults_in(shape: Shape | None, value: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield each field of a request that its model does not allow, and what is wrong with it."""
    match shape, value:
        case StructureShape(), dict():
            yield from ((f"{where}{name}", "missing") for name in shape.required_members if name not in value)
            for name, member in value.items():
                if name not in shape.members:
                    yield f"{where}{name}", "unknown"
                else:
                    yield from faults_in(shape.members[name], member, f"{where}{name}.")
            return
        case MapShape(), dict():
            for name, member in value.items():
                yield from faults_in(shape.key, name, where)
                yield from faults_in(shape.value, member, where)
        case ListShape(), list():
            for member in value:
                yield from faults_in(shape.member, member, where)
    if shape is None or not _is_of_type(shape, value):
        yield where.rstrip("."), "of another type"
    elif isinstance(shape, StringShape) and not _is_of_form(shape, str(value)):
        yield where.rstrip("."), "not of its form"
    elif not shape.metadata.get("min", 0) <= _size_of(shape, value) <= shape.metadata.get("max", float("inf")):
        yield where.rstrip("."), "too small or too large"


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "map": dict, "list": list, "string": str, "blob": str, "integer": int, "long": int, "boolean": bool,
}  # fmt: skip


def _is_of_type(shape: Shape, value: object) -> bool:
    return isinstance(value, _TYPES[shape.type_name]) and (shape.type_name == "boolean") is isinstance(value, bool)


def _is_of_form(shape: StringShape, value: str) -> bool:
    pattern = shape.metadata.get("pattern")
    return (not shape.enum or value in shape.enum) and (not pattern or re.fullmatch(pattern, value) is not None)


def _size_of(shape: Shape, value: Any) -> float:  # noqa: ANN401 - of the shape's type
    if shape.type_name == "blob":
        return float(len(base64.b64decode(value)))
    return float(value if shape.type_name in {"integer", "long", "boolean"} else len(value))


def notification_of(event: Mapping[str, Any], at: datetime) -> str:
    """Return an event as a queue gets it that is subscribed to a topic: JSON in a notification."""
    notification = {
        "Type": "Notification",
        "MessageId": "0a1b2c3d-0000-5000-8000-000000000000",
        "TopicArn": "arn:aws:sns:ap-northeast-1:123456789012:MessageEvents",
        "Message": json.dumps(event, ensure_ascii=False),
        "Timestamp": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
    }
    return json.dumps(notification, ensure_ascii=False)
