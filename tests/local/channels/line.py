"""
LINE's platform on this machine: a server that answers as the public API description says, and signs webhooks.

It knows who is a friend, who has blocked the account, and which numbers belong to somebody. It executes a retry key
once.
"""

import base64
import hashlib
import hmac
import json
import re
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

from tests.local.channels.wire import Refusal, WireFault

ACCESS_TOKEN, CHANNEL_SECRET = "line-access-token", "line-channel-secret"
BOT = "U" + "b0" * 16

_ACTION = {
    "type": "object",
    "required": ["type", "label", "data"],
    "properties": {
        "type": {"const": "postback"},
        "label": {"type": "string", "minLength": 1, "maxLength": 20},
        "data": {"type": "string", "minLength": 1, "maxLength": 300},
        "displayText": {"type": "string", "maxLength": 300},
    },
    "additionalProperties": False,
}
_QUICK_REPLY = {
    "type": "object",
    "required": ["items"],
    "properties": {
        "items": {
            "type": "array",
            "minItems": 1,
            "maxItems": 13,
            "items": {
                "type": "object",
                "required": ["type", "action"],
                "properties": {"type": {"const": "action"}, "action": _ACTION},
                "additionalProperties": False,
            },
        }
    },
    "additionalProperties": False,
}
_TEXT_MESSAGE = {
    "type": "object",
    "required": ["type", "text"],
    "properties": {
        "type": {"const": "text"},
        "text": {"type": "string", "minLength": 1, "maxLength": 5000},
        "quickReply": _QUICK_REPLY,
    },
    "additionalProperties": False,
}


def _request_schema(recipient: Mapping[str, Any]) -> Draft202012Validator:
    messages = {"type": "array", "minItems": 1, "maxItems": 5, "items": _TEXT_MESSAGE}
    properties = {"to": recipient, "messages": messages, "notificationDisabled": {"type": "boolean"}}
    schema = {
        "type": "object",
        "required": ["to", "messages"],
        "properties": properties,
        "additionalProperties": False,
    }
    return Draft202012Validator(schema)


_SCHEMAS = {
    "/v2/bot/message/push": _request_schema({"type": "string", "pattern": "^U[0-9a-f]{32}$"}),
    "/bot/pnp/push": _request_schema({"type": "string", "pattern": "^[0-9a-f]{64}$"}),
}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHORTEST_TAG, _LONGEST_TAG = 16, 100

RATE_LIMITED = Refusal("The API rate limit has been exceeded. Try again later.", 429)
MONTH_USED_UP = Refusal("You have reached your monthly limit.", 429)
NO_SUCH_USER = Refusal("Failed to send messages")
BAD_TOKEN = Refusal("Authentication failed due to the following reason: invalid token", 401)
NOT_ALLOWED = Refusal("Access to this API is not available for your account", 403)
UNDELIVERABLE = Refusal("Failed to send message", 422)


class Bubble(NamedTuple):
    """A message that LINE has taken: to whom, what, and the delivery tag of a notification message."""

    to: str
    text: str
    buttons: tuple[tuple[str, str], ...]
    tag: str
    message_id: str


class _Answer(NamedTuple):
    status: int
    document: Mapping[str, Any]
    headers: Mapping[str, str] = {}


class LinePlatform:
    """The server. It listens on this machine only, until it is closed."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.bubbles: list[Bubble] = []
        self.strangers: set[str] = set()
        self.numbers_without_line: set[str] = set()
        self.loses_first_answer: set[str] = set()
        self.on_taken: Callable[[Bubble], None] = lambda _: None
        self.paths: list[str] = []
        self._accepted: dict[str, tuple[str, str]] = {}
        self._answers: deque[WireFault | Refusal] = deque()
        self._ids = count(461_230_966_842_064_897)
        self._events = count(1)
        self._lock = Lock()
        self._closed = Event()
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                platform._handle(self)

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                return  # a client that has gone away

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        """The address under which the server is reached."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> int:
        return len(self.asked)

    @property
    def messages_taken(self) -> int:
        return len(self.bubbles)

    def will(self, *answers: WireFault | Refusal) -> None:
        if WireFault.NO_CONNECTION in answers:
            self.close()
        self._answers.extend(answers)

    def close(self) -> None:
        """Stop listening, and end all connections that wait."""
        if not self._closed.is_set():
            self._closed.set()
            self._server.shutdown()
            self._server.server_close()

    # ------------------------------------------------------------ webhooks

    def webhook(self, *events: Mapping[str, Any]) -> tuple[bytes, str]:
        """Return the body of a webhook, and its signature; without events it is a probe."""
        body = json.dumps({"destination": BOT, "events": events}, ensure_ascii=False).encode()
        digest = hmac.new(CHANNEL_SECRET.encode(), body, hashlib.sha256).digest()
        return body, base64.b64encode(digest).decode()

    def event(self, kind: str, user_id: str, at: datetime, *, again: bool = False, **details: object) -> dict[str, Any]:
        """Return an event of a person; `details` as `message={...}`."""
        number = next(self._events)
        return {
            "type": kind,
            "mode": "active",
            "timestamp": (at - datetime(1970, 1, 1, tzinfo=at.tzinfo)) // timedelta(milliseconds=1),
            "webhookEventId": f"01H{number:023}",
            "deliveryContext": {"isRedelivery": again},
            **({"source": {"type": "user", "userId": user_id}} if user_id else {}),
            **details,
        }

    def arrival(self, bubble: Bubble, at: datetime) -> dict[str, Any]:
        """Return the event that says that a notification message has arrived."""
        return self.event("delivery", "", at, delivery={"data": bubble.tag or bubble.to})

    # ------------------------------------------------------------ requests

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): text for name, text in handler.headers.items()}
        with self._lock:
            planned = self._answers.popleft() if self._answers else None
            document = json.loads(body)
            self.asked.append((handler.path, headers, document))
            if planned is WireFault.RESET_BEFORE:
                self._reset(handler)
                return
            if isinstance(planned, Refusal):
                answer = self._refused(planned)
            else:
                answer = self._answer(handler.path, headers, document)
                if answer.status == HTTPStatus.OK and document["to"] in self.loses_first_answer:
                    self.loses_first_answer.remove(document["to"])
                    planned = WireFault.RESET_AFTER
        if planned is WireFault.RESET_AFTER:
            self._reset(handler)
        elif planned is WireFault.LOST_ANSWER:
            self._closed.wait(30)
            handler.close_connection = True
        elif planned is WireFault.NONSENSE:
            self._write(handler, 200, b"<html>a proxy's page", {})
        elif planned is WireFault.HALF_ANSWER:
            self._write(handler, 200, b'{"sent', self._new_headers() | {"Content-Length": "100"})
            handler.close_connection = True
        elif planned is WireFault.EMPTY_YES:
            self._write(handler, 200, b"{}", {})
        elif planned is WireFault.SERVER_ERROR:
            self._write(handler, 500, b'{"message":"Internal server error"}', self._new_headers())
        else:
            self._write(handler, answer.status, json.dumps(answer.document).encode(), answer.headers)

    def _answer(self, path: str, headers: Mapping[str, str], document: Any) -> _Answer:  # noqa: ANN401 - any JSON
        if path not in _SCHEMAS:
            return self._refused(Refusal("Not found", 404))
        if headers.get("authorization") != f"Bearer {ACCESS_TOKEN}":
            return self._refused(BAD_TOKEN)
        if headers.get("content-type") != "application/json":
            return self._refused(Refusal("The content type is not supported", 415))
        wrong = next(iter(_SCHEMAS[path].iter_errors(document)), None)
        if wrong is not None:
            where = "/".join(map(str, wrong.absolute_path))
            details = [{"message": "invalid", "property": where}]
            return self._refused(Refusal("The request body has 1 error(s)", 400, {"details": details}))
        if path == "/bot/pnp/push":
            return self._notify(headers, document)
        return self._push(headers, document)

    def _push(self, headers: Mapping[str, str], document: Mapping[str, Any]) -> _Answer:
        key = headers.get("x-line-retry-key", "")
        if key and not _UUID.fullmatch(key):
            return self._refused(Refusal("Invalid retry key"))
        if key in self._accepted:
            request_id, message_id = self._accepted[key]
            again = {"message": "The retry key is already accepted", "sentMessages": [{"id": message_id}]}
            return _Answer(409, again, self._new_headers() | {"x-line-accepted-request-id": request_id})
        if document["to"] in self.strangers:
            return self._refused(NO_SUCH_USER)
        bubble = self._take(document, "")
        answered = self._new_headers()
        if key:
            self._accepted[key] = answered["x-line-request-id"], bubble.message_id
        return _Answer(200, {"sentMessages": [{"id": bubble.message_id, "quoteToken": "q"}]}, answered)

    def _notify(self, headers: Mapping[str, str], document: Mapping[str, Any]) -> _Answer:
        tag = headers.get("x-line-delivery-tag", "")
        if "x-line-retry-key" in headers or (tag and not _SHORTEST_TAG <= len(tag) <= _LONGEST_TAG):
            return self._refused(Refusal("Invalid header"))
        if document["to"] in {hashlib.sha256(number.encode()).hexdigest() for number in self.numbers_without_line}:
            return self._refused(UNDELIVERABLE)
        self._take(document, tag)
        return _Answer(200, {}, self._new_headers())

    def _take(self, document: Mapping[str, Any], tag: str) -> Bubble:
        (message,) = document["messages"]
        items = message.get("quickReply", {"items": []})["items"]
        buttons = tuple((item["action"]["label"], item["action"]["data"]) for item in items)
        bubble = Bubble(document["to"], message["text"], buttons, tag, str(next(self._ids)))
        self.bubbles.append(bubble)
        self.on_taken(bubble)
        return bubble

    def _refused(self, refusal: Refusal) -> _Answer:
        return _Answer(refusal.status, {"message": refusal.code, **refusal.members}, self._new_headers())

    def _new_headers(self) -> dict[str, str]:
        return {"x-line-request-id": f"6f3b9a30-0000-4000-8000-{next(self._events):012}"}

    @staticmethod
    def _write(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        handler.send_response(status)
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, text)
        handler.end_headers()
        handler.wfile.write(body)

    @staticmethod
    def _reset(handler: BaseHTTPRequestHandler) -> None:
        """Break the connection without a goodbye, as a network does."""
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True
