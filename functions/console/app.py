"""Console: the pages that people work with. Each route answers an event of API Gateway with a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.shared.cookies import Cookie, SameSite

from dunning import wiring
from dunning.console.http_messages import PageAnswer, request_of
from dunning.console.routes import ROUTES, Route
from dunning.entrypoint import entrypoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

_METHODS = {"GET": ["GET", "HEAD"], "POST": ["POST"]}

resolver = APIGatewayHttpResolver()


def _answering(route: Route) -> Callable[..., Response[str]]:
    def answer(**parts: str) -> Response[str]:
        return _written(wiring.console().answer(route, request_of(resolver.current_event.raw_event), parts))

    return answer


def _written(answer: PageAnswer) -> Response[str]:
    cookies = [
        Cookie(
            each.name, each.value, path="/", secure=True, http_only=True, max_age=each.max_age,
            same_site=SameSite.LAX_MODE,
        )
        for each in answer.cookies
    ]  # fmt: skip
    return Response(answer.status, answer.content_type, answer.body, dict(answer.headers), cookies)


for _route in ROUTES:
    resolver.route(_route.path, method=_METHODS[_route.method])(_answering(_route))


@resolver.not_found
def _not_found(_: Exception) -> Response[str]:
    return _written(wiring.console().not_found(request_of(resolver.current_event.raw_event)))


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request."""
    return resolver.resolve(event, context)
