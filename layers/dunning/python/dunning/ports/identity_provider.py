"""The identity provider, which knows who somebody is (OpenID Connect, authorization code with PKCE)."""

from collections.abc import Mapping
from typing import Any, Protocol

from dunning.domain.errors import DunningError


class IdentityError(DunningError):
    """The identity provider does not answer, or not as the standard demands. The message holds a code only."""


class IdentityProvider(Protocol):
    """Where people log in."""

    @property
    def issuer(self) -> str:
        """The issuer's address, as in its tokens."""
        ...

    @property
    def client_id(self) -> str:
        """The id under which the provider knows the console."""
        ...

    def login_address(self, state: str, nonce: str, challenge: str) -> str:
        """
        Return the address to which a browser is sent to log in.

        Raises:
            IdentityError: the provider cannot be asked where that is.
        """
        ...

    def claims(self, code: str, verifier: str) -> Mapping[str, Any]:
        """
        Exchange a code for an ID token, directly with the provider over TLS, and return its claims unchecked.

        Raises:
            IdentityError: the provider refuses the code, or cannot be asked.
        """
        ...

    def logout_address(self) -> str:
        """Return where the provider ends its own session; empty if it says nowhere."""
        ...
