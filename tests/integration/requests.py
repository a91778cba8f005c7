"""What the program asks of AWS: requests counted, answers lost or replaced, all through botocore's own hooks."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.handlers import BUILTIN_HANDLERS
from moto.core.models import botocore_stubber

type Answer = Callable[[str, AWSPreparedRequest], AWSResponse | None]
"""Answers a request, raises in its place, or returns `None` and lets it through."""


class Requests:
    """Every HTTP request, by operation, as `dynamodb.PutItem`, and the parameters of every call."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers: dict[str, Answer] = {}
        self._lock = Lock()

    def answer(self, operation: str, answer: Answer) -> None:
        """From now on let `answer` have each request of an operation first."""
        self._answers[operation] = answer

    def clear(self) -> None:
        """Forget what was counted."""
        with self._lock:
            self.sent.clear()
            self.calls.clear()

    def of(self, operation: str) -> list[dict[str, Any]]:
        """Return the parameters of each call of an operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    def on_call(self, params: dict[str, Any], event_name: str, **_: object) -> None:
        with self._lock:
            self.calls.append((event_name.removeprefix("provide-client-params."), params))

    def on_send(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse | None:
        operation = event_name.removeprefix("before-send.")
        with self._lock:
            self.sent[operation] += 1
        answer = self._answers.get(operation)
        return answer(event_name, request) if answer else None


@contextmanager
def watched() -> Iterator[Requests]:
    """Watch the clients that are made while the context lasts."""
    requests = Requests()
    hooks: list[tuple[str, Callable[..., Any]]] = [
        ("provide-client-params", requests.on_call),
        ("before-send", requests.on_send),
    ]
    BUILTIN_HANDLERS[:0] = hooks  # before moto's
    try:
        yield requests
    finally:
        for hook in hooks:
            BUILTIN_HANDLERS.remove(hook)


def error(code: str, status: int = 400, message: str = "") -> Answer:
    """Answer with an error of the JSON protocol, or for SNS of the query protocol."""
    json_body = json.dumps({"__type": code, "message": message}).encode()
    xml_body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>".encode()

    def answer(event_name: str, request: AWSPreparedRequest) -> AWSResponse:
        body = xml_body if event_name.startswith("before-send.sns.") else json_body
        return AWSResponse(request.url, status, {"x-amzn-ErrorType": code}, _Raw(body))

    return answer


def failing(exception: Exception, *, after_sending: bool = False, times: int = 1 << 30) -> Answer:
    """Raise in place of an answer; `after_sending`, the request was worked on and only its answer was lost."""
    left = [times]

    def answer(event_name: str, request: AWSPreparedRequest) -> AWSResponse | None:
        if not left[0]:
            return None
        left[0] -= 1
        if after_sending:
            botocore_stubber(event_name, request)
        raise exception

    return answer


def then(*answers: Answer | None) -> Answer:
    """Use one answer after the other, then let everything through."""
    rest = iter(answers)
    lock = Lock()

    def answer(event_name: str, request: AWSPreparedRequest) -> AWSResponse | None:
        with lock:
            current = next(rest, None)
        return current(event_name, request) if current else None

    return answer


class _Raw:
    """A body as urllib3 has it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body
