"""
OpenID Connect with the standard library: the authorization code flow with PKCE.

The ID token comes directly from the provider's token endpoint over TLS, so that its signature need not be checked
(OpenID Connect Core, 3.1.3.7, 6). Whoever calls checks its claims.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from dunning.ports.identity_provider import IdentityError

_TIMEOUT_SECONDS = 5
_MOST_BYTES = 150_000
_PARTS_OF_A_TOKEN = 3
_LOOPBACK = ("127.0.0.1", "localhost")

type Ask = Callable[[str, bytes | None], bytes]


class OidcProvider:
    """Implements `IdentityProvider`. Its addresses are read from the discovery document, once."""

    def __init__(self, issuer: str, client_id: str, redirect_address: str, ask: Ask | None = None) -> None:
        _check_address(issuer)
        self.issuer = issuer
        self.client_id = client_id
        self._redirect_address = redirect_address
        self._ask = ask or _ask
        self._discovered: Mapping[str, Any] = {}

    def login_address(self, state: str, nonce: str, challenge: str) -> str:
        """Build the address of the authorization endpoint."""
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self._redirect_address,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._endpoint('authorization_endpoint')}?{urlencode(query)}"

    def claims(self, code: str, verifier: str) -> Mapping[str, Any]:
        """Ask the token endpoint."""
        body = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": self._redirect_address,
            "code": code,
            "code_verifier": verifier,
        }
        answer = self._json(self._endpoint("token_endpoint"), urlencode(body).encode())
        return _claims_in(answer.get("id_token"))

    def logout_address(self) -> str:
        """
        Return the end-session endpoint, if the provider has been asked and has one, with the way back to the login.

        OpenID Connect RP-Initiated Logout names the way back `post_logout_redirect_uri`, Cognito `logout_uri`.
        """
        endpoint = self._discovered.get("end_session_endpoint")
        if not isinstance(endpoint, str):
            return ""
        back = self._redirect_address.removesuffix("/callback") + "/login"
        query = {"client_id": self.client_id, "post_logout_redirect_uri": back, "logout_uri": back}
        return f"{endpoint}?{urlencode(query)}"

    def _endpoint(self, name: str) -> str:
        if not self._discovered:
            found = self._json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration", None)
            if found.get("issuer") != self.issuer:
                raise IdentityError("discovery: another issuer")
            self._discovered = found
        address = self._discovered.get(name)
        if not isinstance(address, str):
            raise IdentityError(f"discovery: no {name}")
        _check_address(address)
        return address

    def _json(self, address: str, body: bytes | None) -> Mapping[str, Any]:
        try:
            found = json.loads(self._ask(address, body))
        except OSError as error:  # an error of the address, of TLS or of the wire, and a time that is up
            raise IdentityError(f"asked: {type(error).__name__}") from None
        except ValueError:
            raise IdentityError("answered: no JSON") from None
        if not isinstance(found, dict):
            raise IdentityError("answered: no object")
        return found


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise IdentityError("address: not https")


def _ask(address: str, body: bytes | None) -> bytes:
    # Imported when somebody logs in: a cold start for all others is spared.
    from urllib.request import HTTPRedirectHandler, Request, build_opener  # noqa: PLC0415

    class NoRedirect(HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - as declared there
            """Follow nobody: a code must reach the provider alone."""

    request = Request(address, data=body, headers={"Accept": "application/json"})  # noqa: S310 - checked before
    with build_opener(NoRedirect).open(request, timeout=_TIMEOUT_SECONDS) as answer:
        found: bytes = answer.read(_MOST_BYTES)
    return found


def _claims_in(token: object) -> Mapping[str, Any]:
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != _PARTS_OF_A_TOKEN:
        raise IdentityError("token: none")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        raise IdentityError("token: cannot be read") from None
    if not isinstance(claims, dict):
        raise IdentityError("token: no claims")
    return claims
