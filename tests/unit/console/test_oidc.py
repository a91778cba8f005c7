"""The identity provider as the console asks it."""

import base64
import json
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit

import pytest

from dunning.adapters.oidc import OidcProvider
from dunning.ports.identity_provider import IdentityError

ISSUER = "https://login.example/pool"
DISCOVERY = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://login.example/authorize",
    "token_endpoint": "https://login.example/token",
    "end_session_endpoint": "https://login.example/logout",
}


def token(claims: object) -> str:
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({}, claims, 0)
    )


class Web:
    """Answers by address, and remembers what was sent where."""

    def __init__(self, token_answer: object, discovery: object = None) -> None:
        self.answers: dict[str, object] = {
            f"{ISSUER}/.well-known/openid-configuration": DISCOVERY if discovery is None else discovery,
            "https://login.example/token": token_answer,
        }
        self.asked: list[tuple[str, bytes | None]] = []

    def __call__(self, address: str, body: bytes | None) -> bytes:
        self.asked.append((address, body))
        answer = self.answers[address]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def provider(web: Web) -> OidcProvider:
    return OidcProvider(ISSUER, "console", "https://console.example/callback", web)


def test_the_browser_is_sent_to_the_provider_with_all_that_the_flow_needs() -> None:
    address = provider(Web({})).login_address("the-state", "the-nonce", "the-challenge")
    assert address.startswith("https://login.example/authorize?")
    assert parse_qs(urlsplit(address).query) == {
        "response_type": ["code"],
        "client_id": ["console"],
        "redirect_uri": ["https://console.example/callback"],
        "scope": ["openid"],
        "state": ["the-state"],
        "nonce": ["the-nonce"],
        "code_challenge": ["the-challenge"],
        "code_challenge_method": ["S256"],
    }


def test_a_code_is_exchanged_with_its_verifier_for_the_claims_of_the_token() -> None:
    web = Web({"id_token": token({"sub": "mei"})})
    found = provider(web)
    assert found.logout_address() == ""
    assert found.claims("the-code", "the-verifier") == {"sub": "mei"}
    address, _, query = found.logout_address().partition("?")
    assert address == "https://login.example/logout"
    assert parse_qs(query) == {
        "client_id": ["console"],
        "post_logout_redirect_uri": ["https://console.example/login"],
        "logout_uri": ["https://console.example/login"],
    }
    _, body = web.asked[-1]
    assert body
    assert parse_qs(body.decode()) == {
        "grant_type": ["authorization_code"],
        "client_id": ["console"],
        "redirect_uri": ["https://console.example/callback"],
        "code": ["the-code"],
        "code_verifier": ["the-verifier"],
    }


def test_the_provider_is_asked_once_where_its_doors_are() -> None:
    web = Web({"id_token": token({})})
    found = provider(web)
    found.claims("a", "b")
    found.claims("a", "b")
    assert [body for _, body in web.asked].count(None) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"id_token": None},
        {"id_token": "a.b"},
        {"id_token": "a.%%%.c"},
        {"id_token": token([])},
        [],
        b"<html>",
        URLError("refused: the-code"),
        TimeoutError("the-code"),
    ],
)
def test_an_answer_that_is_no_token_is_an_error_that_holds_no_code(answer: Any) -> None:  # noqa: ANN401 - any answer
    with pytest.raises(IdentityError) as caught:
        provider(Web(answer)).claims("the-code", "the-verifier")
    assert "the-code" not in str(caught.value)


@pytest.mark.parametrize(
    "discovery",
    [
        {},
        DISCOVERY | {"issuer": "https://evil.example"},
        {"issuer": ISSUER},
        DISCOVERY | {"authorization_endpoint": "http://login.example/authorize"},
        DISCOVERY | {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_provider_that_is_another_or_has_no_safe_door_is_refused(discovery: dict[str, str]) -> None:
    with pytest.raises(IdentityError):
        provider(Web({}, discovery)).login_address("s", "n", "c")


@pytest.mark.parametrize("issuer", ["http://login.example", "ftp://login.example", "login.example"])
def test_an_issuer_without_tls_is_refused_but_on_this_machine(issuer: str) -> None:
    with pytest.raises(IdentityError, match="not https"):
        OidcProvider(issuer, "console", "x")
    assert OidcProvider("http://127.0.0.1:9000", "console", "x").issuer == "http://127.0.0.1:9000"
