"""What the program asks of AWS: requests counted, and answers lost or replaced on their way."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.handlers import BUILTIN_HANDLERS
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

type Work = Callable[[], AWSResponse | None]
"""What moto would do with a request."""

type Answer = Callable[[AWSPreparedRequest, Work], AWSResponse | None]
"""What is done with a request in moto's place."""


class Requests:
    """Every HTTP request by operation, as `dynamodb.PutItem`, and the parameters of every call."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers: dict[str, Answer] = {}
        self._lock = Lock()

    def answer(self, operation: str, answer: Answer) -> None:
        """From now on answer each request of an operation so."""
        self._answers[operation] = answer

    def let_all_through(self) -> None:
        """Answer nothing any more."""
        self._answers.clear()

    def clear(self) -> None:
        """Drop what was counted."""
        with self._lock:
            self.sent.clear()
            self.calls.clear()

    def of(self, operation: str) -> list[dict[str, Any]]:
        """Return the parameters of each call of an operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    def note_call(self, params: dict[str, Any], event_name: str, **_: object) -> None:
        with self._lock:
            self.calls.append((event_name.removeprefix("provide-client-params."), params))

    def send(self, operation: str, request: AWSPreparedRequest, work: Work) -> AWSResponse | None:
        with self._lock:
            self.sent[operation] += 1
        answer = self._answers.get(operation)
        return answer(request, work) if answer else work()


@contextmanager
def watched() -> Iterator[Requests]:
    """Watch all requests while the context lasts, and the calls of the clients that are made meanwhile."""
    requests = Requests()
    work = BotocoreStubber.__call__

    def watch(
        self: BotocoreStubber, event_name: str, request: AWSPreparedRequest, **more: object
    ) -> AWSResponse | None:
        operation = event_name.removeprefix("before-send.")
        return requests.send(operation, request, lambda: work(self, event_name, request, **more))

    hook: tuple[str, Callable[..., Any]] = ("provide-client-params", requests.note_call)
    BUILTIN_HANDLERS.append(hook)
    try:
        with patch.object(BotocoreStubber, "__call__", watch):
            yield requests
    finally:
        BUILTIN_HANDLERS.remove(hook)


def error(code: str, status: int = 400, message: str = "") -> Answer:
    """Answer with an error, as JSON or, where the service speaks XML, as XML; the work is not done."""

    def answer(request: AWSPreparedRequest, work: Work) -> AWSResponse:
        del work
        body = json.dumps({"__type": code, "message": message})
        if "sns" in request.url:
            body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        return AWSResponse(request.url, status, HTTPHeaders(), MockRawResponse(body))

    return answer


def success(answered: object) -> Answer:
    """Answer with a document of JSON; the work is not done."""

    def answer(request: AWSPreparedRequest, work: Work) -> AWSResponse:
        del work
        return AWSResponse(request.url, 200, HTTPHeaders(), MockRawResponse(json.dumps(answered)))

    return answer


def at_most(limit: int) -> Answer:
    """Let the work be done, but have a query or a scan of DynamoDB look at no more items a page."""

    def answer(request: AWSPreparedRequest, work: Work) -> AWSResponse | None:
        assert isinstance(request.body, str | bytes)
        asked = json.loads(request.body)
        request.body = json.dumps({**asked, "Limit": min(limit, asked.get("Limit", limit))}).encode()
        return work()

    return answer


def no_answer(failure: Exception, *, worked_on: bool = False) -> Answer:
    """Fail in place of an answer; `worked_on`, the request was and only its answer was lost."""

    def answer(request: AWSPreparedRequest, work: Work) -> AWSResponse:
        del request
        if worked_on:
            work()
        raise failure

    return answer


def first(*answers: Answer) -> Answer:
    """Use one answer after the other, then let everything through."""
    rest = iter(answers)
    lock = Lock()

    def answer(request: AWSPreparedRequest, work: Work) -> AWSResponse | None:
        with lock:
            current = next(rest, None)
        return current(request, work) if current else work()

    return answer
