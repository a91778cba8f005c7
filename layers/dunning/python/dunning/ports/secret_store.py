"""Secrets of the channels: what proves that a webhook is LINE's, and that a button of a mail is ours."""

from typing import Protocol

UNSUBSCRIBE_KEY = "unsubscribe"
"""Signs the tokens in the addresses of the button for no more mail."""


def line_secret(lender: str) -> str:
    """Return the name of the channel secret of a lender's account on LINE: webhooks are signed with it."""
    return f"line/{lender}/channel-secret"


def line_token(lender: str) -> str:
    """Return the name of the channel access token of a lender's account on LINE: messages are sent with it."""
    return f"line/{lender}/access-token"


class SecretStore(Protocol):
    """Where the secrets are kept."""

    def secret(self, name: str) -> str:
        """
        Return a secret; a change holds within five minutes.

        Raises:
            ServiceCallError: it cannot be read, or there is none of that name. The message holds no secret.
        """
        ...
