"""Webhooks: answers calls of LINE and of mail programs, as API Gateway hands them over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dunning import wiring
from dunning.contracts.http_call import http_response, parse_http_call
from dunning.entrypoint import entrypoint

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Answer a call."""
    return http_response(wiring.webhook_service().answer(parse_http_call(event)))
