"""Console: pages for people, and JSON for programs. Each request that API Gateway hands over is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dunning import wiring
from dunning.console.http_messages import claims_of, request_of
from dunning.console.router import response_of, route_of
from dunning.console.routes import PROGRAM_PREFIX, ProgramRoute
from dunning.entrypoint import entrypoint

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Answer a request."""
    console, request = wiring.console(), request_of(event)
    match route_of(request):
        case (ProgramRoute() as route, parts):
            answer = console.programs.answer(route, request, claims_of(event), parts)
        case (None, _) if request.path.startswith(PROGRAM_PREFIX):
            answer = console.programs.answer(None, request, claims_of(event), {})
        case (None, _):
            answer = console.not_found(request)
        case (route, parts):
            answer = console.answer(route, request, parts)
    return response_of(answer)
