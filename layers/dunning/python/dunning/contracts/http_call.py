"""Calls from outside, as API Gateway hands them over (payload format 2.0): the raw bytes, as they were signed."""

import base64
from collections.abc import Mapping
from typing import Any, NamedTuple

from dunning.domain.errors import UnreadableRecordError


class HttpCall(NamedTuple):
    """A call: its method, its path, its headers in small letters, and its body as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


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
        written = event.get("body") or ""
        body = base64.b64decode(written, validate=True) if event.get("isBase64Encoded") is True else written.encode()
    except (AttributeError, KeyError, TypeError):
        raise UnreadableRecordError("no call: requestContext, headers or body") from None
    except ValueError:  # no base64, or half a character
        raise UnreadableRecordError("no call: body") from None
    return HttpCall(method, path, headers, body)
