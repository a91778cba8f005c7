"""Calls from outside, as API Gateway hands them over (payload format 2.0): the raw bytes, as they were signed."""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple

from dunning.domain.errors import UnreadableRecordError


class HttpCall(NamedTuple):
    """
    A call: its method, its path, its headers in small letters, and its body as it came.

    `route` is the key of the route by which it came in, and `parameters` are what the path has in its places.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    route: str = ""
    parameters: Mapping[str, str] = {}


class HttpAnswer(NamedTuple):
    """The answer to a call. Without a page it is empty."""

    status: int
    page: str = ""
    headers: Mapping[str, str] = {}


def parse_http_call(event: Mapping[str, Any]) -> HttpCall:
    """
    Read a call.

    Raises:
        UnreadableRecordError: it is none; the message names the fields, not their contents.
    """
    try:
        http = event["requestContext"]["http"]
        method, path = str(http["method"]), str(http["path"])
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        parameters = {str(name): str(value) for name, value in (event.get("pathParameters") or {}).items()}
        written = event.get("body") or ""
        body = base64.b64decode(written, validate=True) if event.get("isBase64Encoded") is True else written.encode()
    except (AttributeError, KeyError, TypeError):
        raise UnreadableRecordError("no call: requestContext, headers or body") from None
    except ValueError:  # no base64, or half a character
        raise UnreadableRecordError("no call: body") from None
    return HttpCall(method, path, headers, body, str(event.get("routeKey", "")), parameters)


def http_response(answer: HttpAnswer) -> dict[str, Any]:
    """Write an answer as API Gateway takes it. Nothing of it may be kept, and no page of another may hold it."""
    return {
        "statusCode": answer.status,
        "headers": {
            "cache-control": "no-store",
            "content-type": "text/html; charset=utf-8" if answer.page else "text/plain; charset=utf-8",
            "x-content-type-options": "nosniff",
            **answer.headers,
        },
        "body": answer.page,
        "isBase64Encoded": False,
    }
