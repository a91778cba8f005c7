"""Requests and answers, read from and written to events of API Gateway (payload format 2.0)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

_MOST_FIELDS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """A request. Names of headers are in small letters; `form` holds the fields of a form in the body."""

    method: str
    path: str
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_fragment(self) -> bool:
        """Whether a script of the page asks for a part of it."""
        return self.headers.get("hx-request") == "true"


class CookieToSet(NamedTuple):
    """A cookie; without seconds to live it is taken back. Scripts cannot read it, and no other site can set it."""

    name: str
    value: str = ""
    max_age: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """An answer."""

    status: int = 200
    body: str = ""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[CookieToSet, ...] = ()


def request_of(event: Mapping[str, Any]) -> PageRequest:
    """
    Read an event of payload format 2.0.

    API Gateway hands cookies over in a list of their own, and no header of that name; other doors have the header.
    """
    http = event["requestContext"]["http"]
    headers = {name.lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    written = event.get("cookies") or [headers.get("cookie", "")]
    return PageRequest(
        method=str(http["method"]).upper(),
        path=str(event.get("rawPath") or "/"),
        request_id=str(event["requestContext"].get("requestId", "")),
        headers=headers,
        cookies=_cookies(written),
        query=_pairs(str(event.get("rawQueryString") or "")),
        form=_form(event, headers),
    )


def claims_of(event: Mapping[str, Any]) -> Mapping[str, object]:
    """
    Return the claims that an authorizer of API Gateway has found good; none if the request came by a way without one.

    Nothing that a client sends gets here: API Gateway writes the whole context of a request.
    """
    context = event["requestContext"]
    if context.get("routeKey", "$default") == "$default":
        return {}  # everybody's way in: it has no authorizer
    authorizer = context.get("authorizer")
    token = authorizer.get("jwt") if isinstance(authorizer, Mapping) else None
    claims = token.get("claims") if isinstance(token, Mapping) else None
    return claims if isinstance(claims, Mapping) else {}


def _cookies(written: list[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for line in written:
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(line)
        except CookieError:
            continue
        found |= {name: morsel.value for name, morsel in jar.items()}
    return found


def _form(event: Mapping[str, Any], headers: Mapping[str, str]) -> Mapping[str, str]:
    if not headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        return {}
    body = str(event.get("body") or "")
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            return {}
    return _pairs(body)


def _pairs(encoded: str) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(encoded, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}


def is_from_ourselves(request: PageRequest, origin: str) -> bool:
    """
    Tell whether a request that may change something comes from a page of ours.

    Every browser of today says where a request comes from (`Sec-Fetch-Site`). An older browser names the origin.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("origin") == origin


def security_headers(issuer_origin: str) -> Mapping[str, str]:
    """Return the headers of every answer. `form-action` also governs where a form may be redirected to."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"form-action 'self' {issuer_origin}; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cache-Control": "no-store",
    }
