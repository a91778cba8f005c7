"""An OpenID Connect provider on this machine: its login asks nothing, and its tokens are signed."""

import base64
import hashlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT = "console"
AUDIENCE = "programs"
GROUPS = {"managers": "manager", "agents": "agent", "legal": "compliance", "engineers": "engineer"}
"""The role of each group; a person's group here is their name."""

_KEY_ID = "key-1"
_BITS = 2048


@dataclass
class _Login:
    challenge: str
    nonce: str
    group: str


@dataclass
class Provider:
    """
    The provider, for as long as the context lasts.

    Args:
        certificate: of the address of this machine, and its key beside it.
        key: the key of the certificate.
        now: the time of tokens for people; those of programs are judged by the stand-in, in real time.
    """

    certificate: Path
    key: Path
    now: Callable[[], datetime]
    group: str = "managers"
    """Of whoever logs in next."""
    _logins: dict[str, _Login] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._signing = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        self._stranger = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._get(self)

            def do_POST(self) -> None:
                outer._post(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def issuer(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def access_token(self, *, is_forged: bool = False, **changes: object) -> str:
        """Sign a token of a program, with other claims if a test wants them, or with a key of somebody else."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": AUDIENCE, "sub": "warehouse", "iat": now - 5, "exp": now + 300}
        return self._signed({**claims, "scope": "dunning/read", **changes}, self._stranger if is_forged else None)

    def _signed(self, claims: Mapping[str, object], key: rsa.RSAPrivateKey | None = None) -> str:
        header = {"alg": "RS256", "typ": "JWT", "kid": _KEY_ID}
        body = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        signature = (key or self._signing).sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{body}.{_base64(signature)}"

    def _get(self, exchange: BaseHTTPRequestHandler) -> None:
        path = urlsplit(exchange.path)
        match path.path:
            case "/.well-known/openid-configuration":
                _answer(
                    exchange,
                    {
                        "issuer": self.issuer,
                        "authorization_endpoint": f"{self.issuer}/authorize",
                        "token_endpoint": f"{self.issuer}/token",
                        "jwks_uri": f"{self.issuer}/keys",
                        "end_session_endpoint": f"{self.issuer}/logout",
                    },
                )
            case "/keys":
                numbers = self._signing.public_key().public_numbers()
                modulus, exponent = (_base64(_bytes(number)) for number in (numbers.n, numbers.e))
                key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": _KEY_ID, "n": modulus, "e": exponent}
                _answer(exchange, {"keys": [key]})
            case "/authorize":
                asked = {name: values[0] for name, values in parse_qs(path.query).items()}
                code = secrets.token_urlsafe(16)
                self._logins[code] = _Login(asked["code_challenge"], asked["nonce"], self.group)
                exchange.send_response(302)
                back = urlencode({"code": code, "state": asked["state"]})
                exchange.send_header("Location", f"{asked['redirect_uri']}?{back}")
                exchange.send_header("Content-Length", "0")
                exchange.end_headers()
            case _:
                _answer(exchange, {"error": "not_found"}, 404)

    def _post(self, exchange: BaseHTTPRequestHandler) -> None:
        written = exchange.rfile.read(int(exchange.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(written).items()}
        login = self._logins.pop(form.get("code", ""), None)
        verified = _base64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if login is None or login.challenge != verified or form.get("client_id") != CLIENT:
            _answer(exchange, {"error": "invalid_grant"}, 400)
            return
        now = int(self.now().timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": f"one-of-{login.group}", "groups": [login.group]}
        token = self._signed({**claims, "nonce": login.nonce, "iat": now, "exp": now + 300})
        _answer(exchange, {"id_token": token, "access_token": "opaque", "token_type": "Bearer"})


def _answer(exchange: BaseHTTPRequestHandler, body: Mapping[str, Any], status: int = 200) -> None:
    encoded = json.dumps(body).encode()
    exchange.send_response(status)
    exchange.send_header("Content-Type", "application/json")
    exchange.send_header("Content-Length", str(len(encoded)))
    exchange.end_headers()
    exchange.wfile.write(encoded)


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
