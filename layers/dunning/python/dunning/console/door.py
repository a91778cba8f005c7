"""The door of people: who may come in by which route. Programs have a door of their own beside it."""

from collections.abc import Mapping
from contextlib import suppress
from hmac import compare_digest

from dunning.console.http_messages import PageAnswer, PageRequest, is_from_ourselves
from dunning.console.program_door import ProgramDoor
from dunning.console.routes import Route
from dunning.console.views import VIEWS
from dunning.console.views.entrance import SESSION_COOKIE
from dunning.console.visits import ConsoleServices, Desk, Visit
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.services.console.login import form_token
from dunning.services.console.programs import ProgramScope
from dunning.services.console.roles import may


class Console:
    """
    Answers requests.

    Args:
        services: what pages and answers are made of.
        scopes: the name that each scope of programs has in tokens.
    """

    def __init__(self, services: ConsoleServices, scopes: Mapping[ProgramScope, str]) -> None:
        self._services = services
        self._desk = Desk(services)
        self.programs = ProgramDoor(services, scopes)

    def answer(self, route: Route, request: PageRequest, parts: Mapping[str, str]) -> PageAnswer:
        """Answer a request by a route; `parts` are the values in its path."""
        visit = Visit(route, request, parts, "", None)
        try:
            if route.method == "POST" and not is_from_ourselves(request, self._services.origin):
                return self._desk.problem(visit, 403, "cross_site")
            if route.view != "static":
                session_id = request.cookies.get(SESSION_COOKIE, "")
                visit = visit._replace(session_id=session_id, session=self._services.login.session(session_id))
            return self._entered(visit)
        except (ServiceCallError, UnreadableRecordError) as error:
            self._services.unexpected(error)
            return self._desk.problem(visit, 503, "unavailable")
        except Exception as error:  # noqa: BLE001 - a page for every error; its words go nowhere
            self._services.unexpected(error)
            return self._desk.problem(visit, 500, "unexpected")

    def not_found(self, request: PageRequest) -> PageAnswer:
        """Answer a request that no route is for; who is logged in keeps the menu."""
        visit = Visit(Route("GET", "", ""), request, {}, "", None)
        if session_id := request.cookies.get(SESSION_COOKIE, ""):
            with suppress(ServiceCallError, UnreadableRecordError):
                visit = visit._replace(session_id=session_id, session=self._services.login.session(session_id))
        return self._desk.problem(visit, 404, "not_found")

    def _entered(self, visit: Visit) -> PageAnswer:
        route = visit.route
        if route.needs_login and visit.session is None:
            if visit.request.is_fragment:
                return self._desk.own(PageAnswer(status=401, headers={"HX-Redirect": "/login"}))
            return self._desk.to("/login")
        if route.method == "POST" and visit.session is not None:
            token = visit.request.form.get("token", "")
            if not compare_digest(token.encode(), form_token(visit.session_id).encode()):
                return self._desk.problem(visit, 403, "stale_form")
        if route.act is not None and not may(visit.viewer, route.act):
            return self._desk.problem(visit, 403, "forbidden")
        return VIEWS[route.view](self._desk, visit)
