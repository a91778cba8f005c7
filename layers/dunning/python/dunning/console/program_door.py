"""
The door of programs: JSON, read-only.

It believes what API Gateway says of a token, and nothing else. A request that has not been through an authorizer brings
no claims, by whatever path it came, and is refused here once more.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from dunning.console.http_messages import PageAnswer, PageRequest, security_headers
from dunning.console.plain import written_plainly
from dunning.console.routes import ProgramRoute
from dunning.console.visits import ConsoleServices, day_written
from dunning.domain.errors import ServiceCallError, UnreadableRecordError
from dunning.ports.sessions import Viewer
from dunning.services.console.programs import ProgramScope, program_with
from dunning.services.console.roles import may
from dunning.services.console.shown import CodeShown
from dunning.services.console.today import Figure, TodayView


class ProgramVisit(NamedTuple):
    """A request of a program that may come in. `parts` are the values in its path."""

    viewer: Viewer
    request: PageRequest
    parts: Mapping[str, str]


class ProgramDoor:
    """
    Answers the requests of programs.

    Args:
        services: what the answers are made of.
        scopes: the name of each scope in tokens.
    """

    def __init__(self, services: ConsoleServices, scopes: Mapping[ProgramScope, str]) -> None:
        self._services = services
        self._scopes = scopes

    def answer(
        self, route: ProgramRoute | None, request: PageRequest, claims: Mapping[str, object], parts: Mapping[str, str]
    ) -> PageAnswer:
        """Answer a request by a route, or by none; `claims` are what the authorizer has read in the token."""
        try:
            return self._own(self._entered(route, request, claims, parts))
        except (ServiceCallError, UnreadableRecordError) as error:
            self._services.unexpected(error)
            return self._own(_refused_with(503, "unavailable"))
        except Exception as error:  # noqa: BLE001 - an answer for every error; its words go nowhere
            self._services.unexpected(error)
            return self._own(_refused_with(500, "unexpected"))

    def _entered(
        self,
        route: ProgramRoute | None,
        request: PageRequest,
        claims: Mapping[str, object],
        parts: Mapping[str, str],
    ) -> PageAnswer:
        if not claims:
            return replace(_refused_with(401, "unauthorized"), headers={"WWW-Authenticate": "Bearer"})
        if route is None:
            return _refused_with(404, "not_found")
        viewer = program_with(claims, route.scope, self._scopes[route.scope])
        if viewer is None or not may(viewer, route.act):
            return _refused_with(403, "forbidden")
        return PROGRAM_VIEWS[route.view](self._services, ProgramVisit(viewer, request, parts))

    @staticmethod
    def _own(answer: PageAnswer) -> PageAnswer:
        headers = {**security_headers(""), **answer.headers}
        return replace(answer, content_type="application/json; charset=utf-8", headers=headers)


def _refused_with(status: int, code: str) -> PageAnswer:
    return PageAnswer(status=status, body=f'{{"error": "{code}"}}')


def _today_json(services: ConsoleServices, visit: ProgramVisit) -> PageAnswer:
    lender, written = visit.request.query.get("lender", ""), visit.request.query.get("day", "")
    day = day_written(written)
    view = services.today.view(lender, day)
    if (lender and view.lender != lender) or (written and view.day != day):
        return _refused_with(404, "no_such_lender_or_day")
    return PageAnswer(body=written_plainly(_numbers(view)))


def _numbers(view: TodayView) -> Mapping[str, object]:
    """Return the numbers of a day by the names of their counters, without words and curves."""
    return {
        "lender": view.lender,
        "lenders": view.lenders,
        "day": view.day,
        "zone": view.zone,
        "as_of": view.as_of,
        "is_sending": view.sending,
        "oldest_due": view.oldest_due,
        "totals": {_name_of(figure): figure.number for figure in view.tiles},
        "counters": {_name_of(figure): figure.number for group in view.groups for figure in group.figures},
        "amounts": [
            {"currency": row.currency, "overdue": row.overdue.amount, "promised": row.promised.amount,
             "paid": row.paid.amount}
            for row in view.census.amounts
        ],
        "amounts_as_of": view.census.as_of,
        "amounts_notes": [note.key for note in view.census.notes],
        "customers": view.census.customers,
        "overdue_customers": view.census.overdue_customers,
    }  # fmt: skip


def _name_of(figure: Figure) -> str:
    """Return the name of a counter, whether there is a list behind it or not."""
    if figure.counter and not figure.counter.startswith("#"):
        return figure.counter
    return figure.label.code if isinstance(figure.label, CodeShown) else ""


def _customer_json(services: ConsoleServices, visit: ProgramVisit) -> PageAnswer:
    view = services.customers().view(visit.viewer, visit.parts["customer_id"])
    return PageAnswer(body=written_plainly(view)) if view else _refused_with(404, "no_such_customer")


def _audit_json(services: ConsoleServices, visit: ProgramVisit) -> PageAnswer:
    written = visit.request.query.get("day", "")
    day = day_written(written)
    if written and day is None:
        return _refused_with(404, "no_such_day")
    return PageAnswer(body=written_plainly(services.audit.export_for_program(visit.viewer, day)))


def _trials_json(services: ConsoleServices, visit: ProgramVisit) -> PageAnswer:
    return PageAnswer(body=services.trials().document(visit.request.query.get("lender", "")))


def _rates_json(services: ConsoleServices, visit: ProgramVisit) -> PageAnswer:
    query = visit.request.query
    document = services.rates().document(query.get("lender", ""), query.get("weeks", ""))
    return PageAnswer(body=document) if document else _refused_with(404, "no_such_lender_or_weeks")


PROGRAM_VIEWS: Mapping[str, Callable[[ConsoleServices, ProgramVisit], PageAnswer]] = {
    "today": _today_json,
    "customer": _customer_json,
    "rates": _rates_json,
    "trials": _trials_json,
    "audit": _audit_json,
}
"""What each route of programs answers."""
