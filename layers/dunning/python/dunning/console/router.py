"""Router: which route answers a request, and an answer as API Gateway takes it (payload format 2.0)."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from dunning.console.http_messages import CookieToSet, PageAnswer, PageRequest
from dunning.console.routes import PROGRAM_ROUTES, ROUTES, ProgramRoute, Route

_VARIABLE = re.compile(r"<(\w+)>")


def route_of(request: PageRequest) -> tuple[Route | ProgramRoute | None, Mapping[str, str]]:
    """
    Return the route of a request, `None` if there is none, and the values in its path.

    A HEAD is answered like a GET; API Gateway leaves the body out.
    """
    method = "GET" if request.method == "HEAD" else request.method
    for pattern, wanted, route in _route_patterns():
        found = pattern.fullmatch(request.path)
        if found and wanted == method:
            return route, found.groupdict()
    return None, {}


def response_of(answer: PageAnswer) -> dict[str, Any]:
    """Write an answer."""
    return {
        "statusCode": answer.status,
        "body": answer.body,
        "isBase64Encoded": False,
        "headers": {"Content-Type": answer.content_type, **answer.headers},
        "cookies": [_set_cookie(cookie) for cookie in answer.cookies],
    }


def _set_cookie(cookie: CookieToSet) -> str:
    return f"{cookie.name}={cookie.value}; Path=/; Max-Age={cookie.max_age}; HttpOnly; Secure; SameSite=Lax"


@cache
def _route_patterns() -> tuple[tuple[re.Pattern[str], str, Route | ProgramRoute], ...]:
    people = [(_pattern(route.path), route.method, route) for route in ROUTES]
    programs = [(_pattern(route.path), "GET", route) for route in PROGRAM_ROUTES]
    return *people, *programs


def _pattern(path: str) -> re.Pattern[str]:
    """Return what a path looks like; a variable holds all but a slash, and no more than a key in DynamoDB."""
    pieces = _VARIABLE.split(path)  # texts and names by turns
    return re.compile(
        "".join(
            re.escape(piece) if number % 2 == 0 else f"(?P<{piece}>[^/]{{1,500}})"
            for number, piece in enumerate(pieces)
        )
    )
