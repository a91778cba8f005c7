"""One request to AWS a message, and what is known about the message afterwards. All gateways on AWS share this."""

from collections.abc import Callable
from datetime import timedelta

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
)
from botocore.parsers import ResponseParserError

from dunning.adapters.client import LEAN
from dunning.ports.gateways import Published, PublishOutcome

PUBLISH_ONCE = LEAN.merge(
    Config(retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=3, read_timeout=8)
)
"""
botocore would repeat a publish whose answer was lost: up to three texts, reported as one success. So the client makes
one attempt. Both timeouts together are well below the time that the sender keeps in hand.
"""

SOON = timedelta(minutes=1)
"""The wait after an answer that says "busy", or when nothing could be sent."""

AFTER_REPAIR = timedelta(hours=1)
"""The wait when somebody has to repair something of ours."""

SERVER_ERROR = 500


def not_taken(code: str, retry_after: timedelta) -> Published:
    """Return what is known of a message that the service did not take, for no fault of its address."""
    return Published(PublishOutcome.REFUSED_FOR_NOW, code=code, retry_after=retry_after)


def http_status(error: ClientError) -> int:
    """Return the HTTP status of an error answer; 0 if it has none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def publish_once(send: Callable[[], str], refusal: Callable[[ClientError], Published]) -> Published:
    """
    Make the one request of a message, which returns the message id or nothing, and class the answer.

    `refusal` classes an error answer. No answer is never taken for a refusal, unless no request was made. A yes without
    an id may be somebody else's.
    """
    try:
        message_id = send()
    except ClientError as error:
        return refusal(error)
    except (ConnectTimeoutError, EndpointConnectionError) as error:
        # No connection, so no request: the message was not accepted.
        return not_taken(type(error).__name__, SOON)
    except (NoCredentialsError, CredentialRetrievalError) as error:
        # The request was not even signed: our own fault, and no message was sent.
        return not_taken(type(error).__name__, AFTER_REPAIR)
    except (HTTPClientError, BotoCoreError, ResponseParserError) as error:
        return Published(PublishOutcome.UNKNOWN, code=type(error).__name__)
    if not message_id:
        return Published(PublishOutcome.UNKNOWN, code="NoMessageId")
    return Published(PublishOutcome.ACCEPTED, message_id=message_id)
