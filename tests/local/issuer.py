"""
An issuer of identities for a console on this machine: OpenID Connect with four logins, one a role.

It speaks the code flow with PKCE as an issuer in production does, so that the console runs the same code. Its tokens
are not signed: they come from its token endpoint, and the console takes none from elsewhere.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT_ID = "console-on-this-machine"

LOGINS: Mapping[str, str] = {
    "mei.chen": "collections-managers",
    "jun.li": "call-centre",
    "ana.costa": "legal",
    "sam.okafor": "platform",
}
"""Each login with its group."""

GROUPS = "collections-managers=manager,call-centre=agent,legal=compliance,platform=engineer"

_TOKEN_LASTS = timedelta(minutes=5)
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:12vh auto;padding:0 1rem;color-scheme:light dark}"
    "a{display:block;padding:.7rem 1rem;margin:.5rem 0;border:1px solid;border-radius:6px}"
)


class _Asked(NamedTuple):
    """A login that waits to be exchanged."""

    login: str
    challenge: str
    nonce: str
    redirect_uri: str


class DemoIssuer:
    """A server on the loopback, for as long as the context lasts."""

    def __init__(self, now: Callable[[], datetime], console_origin: str) -> None:
        self._now = now
        self._console_origin = console_origin
        self._codes: dict[str, _Asked] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.get(self)

            def do_POST(self) -> None:
                issuer.post(self)

            def log_message(self, *_: object) -> None:
                """Say nothing: the terminal belongs to the run."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def get(self, exchange: BaseHTTPRequestHandler) -> None:
        """Answer the discovery document, the page with the logins, or the choice of one."""
        parts = urlsplit(exchange.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                _answer(exchange, json.dumps(self._discovery()), "application/json")
            case "/authorize" if query.get("redirect_uri") == f"{self._console_origin}/callback":
                _answer(exchange, self._page(query), "text/html; charset=utf-8")
            case "/choose" if query.get("redirect_uri") == f"{self._console_origin}/callback":
                self._choose(exchange, query)
            case "/logout":
                _redirect(exchange, f"{self._console_origin}/login")
            case _:
                _answer(exchange, "not found", "text/plain", 404)

    def post(self, exchange: BaseHTTPRequestHandler) -> None:
        """Exchange a code, once, for whoever knows the verifier."""
        body = exchange.rfile.read(int(exchange.headers.get("Content-Length", 0))).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = _base64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            urlsplit(exchange.path).path != "/token"
            or asked is None
            or challenge != asked.challenge
            or form.get("client_id") != CLIENT_ID
            or form.get("redirect_uri") != asked.redirect_uri
        ):
            _answer(exchange, json.dumps({"error": "invalid_grant"}), "application/json", 400)
            return
        token = ".".join(
            _base64(json.dumps(part).encode()) for part in ({"alg": "none", "typ": "JWT"}, self._claims(asked), {})
        )
        _answer(exchange, json.dumps({"token_type": "Bearer", "id_token": token}), "application/json")

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "end_session_endpoint": f"{self.address}/logout",
        }

    def _claims(self, asked: _Asked) -> dict[str, Any]:
        now = self._now()
        return {
            "iss": self.address,
            "aud": CLIENT_ID,
            "sub": asked.login,
            "groups": [LOGINS[asked.login]],
            "nonce": asked.nonce,
            "iat": int(now.timestamp()),
            "exp": int((now + _TOKEN_LASTS).timestamp()),
        }

    def _page(self, query: Mapping[str, str]) -> str:
        kept = {name: query.get(name, "") for name in ("state", "nonce", "code_challenge", "redirect_uri")}
        roles = dict(pair.split("=") for pair in GROUPS.split(","))
        links = "".join(
            f'<a href="/choose?{escape(urlencode({**kept, "login": login}))}"><b>{login}</b><br>'
            f"{roles[group]}, of the group {group}</a>"
            for login, group in LOGINS.items()
        )
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Demo login</title><style>{_STYLE}</style>'
            f"<h1>Demo login</h1><p>In production your organisation's own login stands here.</p>{links}</html>"
        )

    def _choose(self, exchange: BaseHTTPRequestHandler, query: Mapping[str, str]) -> None:
        login = query.get("login", "")
        if login not in LOGINS:
            _answer(exchange, "not found", "text/plain", 404)
            return
        code = secrets.token_urlsafe(16)
        self._codes[code] = _Asked(
            login, query.get("code_challenge", ""), query.get("nonce", ""), query["redirect_uri"]
        )
        _redirect(exchange, f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query.get('state', '')})}")


def _answer(exchange: BaseHTTPRequestHandler, body: str, content_type: str, status: int = 200) -> None:
    encoded = body.encode()
    exchange.send_response(status)
    exchange.send_header("Content-Type", content_type)
    exchange.send_header("Content-Length", str(len(encoded)))
    exchange.end_headers()
    exchange.wfile.write(encoded)


def _redirect(exchange: BaseHTTPRequestHandler, address: str) -> None:
    exchange.send_response(302)
    exchange.send_header("Location", address)
    exchange.send_header("Content-Length", "0")
    exchange.end_headers()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
