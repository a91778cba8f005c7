"""Visits: a request with what is known of whoever makes it, what the views need, and how they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from dunning.console.http_messages import CookieToSet, PageAnswer, PageRequest, security_headers
from dunning.console.render import render_page
from dunning.console.routes import ENTRANCES, SECTIONS, Route
from dunning.console.translations import language_for
from dunning.ports.sessions import Session, Viewer
from dunning.services.console.audited import AuditService
from dunning.services.console.find_customer import FindService
from dunning.services.console.login import LoginService, form_token
from dunning.services.console.roles import Act, may
from dunning.services.console.today import TodayService

if TYPE_CHECKING:
    from dunning.services.console.case_work import CaseService
    from dunning.services.console.customer_view import CustomerService
    from dunning.services.console.erase_by_two import ErasureService
    from dunning.services.console.file_history import FilesService
    from dunning.services.console.rates_read import RatesService
    from dunning.services.console.rules_read import RulesService
    from dunning.services.console.trials_read import TrialsService
    from dunning.services.console.turn_sending import SendingService
    from dunning.services.console.waiting_list import WaitingService
    from dunning.services.console.what_ifs_read import WhatIfsService

LANGUAGE_COOKIE = "__Host-language"

_SIGNS_OF_ADDRESSES = "".join(map(chr, range(0x21, 0x7F)))


class ActServices(NamedTuple):
    """What changes something, and the list of who waits for a person."""

    waiting: WaitingService
    cases: CaseService
    sending: SendingService
    erasures: ErasureService


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleServices:
    """
    What the pages need.

    `customers`, `acts`, `files`, `rules`, `rates`, `trials` and `what_ifs` are built when somebody looks at them: a
    cold start for another page is spared. `origin` is the console's own address, as browsers name it, `zone` the zone
    of pages without one of their own. `is_played` says that the time is not the real one.
    """

    login: LoginService
    today: TodayService
    find: FindService
    customers: Callable[[], CustomerService]
    acts: Callable[[], ActServices]
    audit: AuditService
    files: Callable[[], FilesService]
    rules: Callable[[], RulesService]
    rates: Callable[[], RatesService]
    trials: Callable[[], TrialsService]
    what_ifs: Callable[[], WhatIfsService]
    now: Callable[[], datetime]
    origin: str
    issuer: str
    zone: ZoneInfo
    is_played: bool = False
    unexpected: Callable[[Exception], None] = lambda _: None


class Visit(NamedTuple):
    """A request with what is known of whoever makes it. `parts` are the values in its path."""

    route: Route
    request: PageRequest
    parts: Mapping[str, str]
    session_id: str
    session: Session | None

    @property
    def viewer(self) -> Viewer:
        """Who is logged in; only for routes that need a login."""
        if self.session is None:
            raise LookupError("nobody is logged in")
        return self.session.viewer


class Desk:
    """Where a visit is answered: the services, and the ways to answer. A view takes a desk and a visit."""

    def __init__(self, services: ConsoleServices) -> None:
        self.services = services
        issuer = urlsplit(services.issuer)
        self._headers = security_headers(f"{issuer.scheme}://{issuer.netloc}")

    def page(
        self, visit: Visit, page: str, status: int = 200, zone: ZoneInfo | None = None, **values: object
    ) -> PageAnswer:
        """Answer with a page of `pages/`, in the visitor's language; `values` are what it shows."""
        request, session = visit.request, visit.session
        viewer = session.viewer if session else None
        language = language_for(request.cookies.get(LANGUAGE_COOKIE, ""), request.headers.get("accept-language", ""))
        body = render_page(
            page,
            language,
            zone or self.services.zone,
            viewer=viewer,
            entrances=[entrance for entrance in ENTRANCES if viewer and may(viewer, entrance.act)],
            path=request.path if request.method in {"GET", "HEAD"} else "/",
            section=_section_of(request.path),
            token=form_token(visit.session_id) if session else "",
            now=self.services.now(),
            home_zone=self.services.zone,
            is_played=self.services.is_played,
            may=lambda act: viewer is not None and may(viewer, Act(act)),
            **values,
        )
        return self.own(PageAnswer(status=status, body=body))

    def problem(self, visit: Visit, status: int, code: str) -> PageAnswer:
        """Answer with a page that says what is wrong: `code` is a key of the words."""
        page = "problem_part" if visit.request.is_fragment else "problem"
        request_id = visit.request.request_id if status >= 500 else ""  # noqa: PLR2004 - a fault of ours
        return self.page(visit, page, status, code=code, request_id=request_id)

    def to(self, address: str, status: int = 303, *cookies: CookieToSet) -> PageAnswer:
        """Send the browser to another address. A sign that no header can hold, or a browser leaves out, is escaped."""
        location = quote(address, safe=_SIGNS_OF_ADDRESSES, errors="replace")
        return self.own(PageAnswer(status=status, headers={"Location": location}, cookies=cookies))

    def own(self, answer: PageAnswer) -> PageAnswer:
        """Return an answer with the headers that protect the console."""
        return replace(answer, headers={**self._headers, **answer.headers})


def _section_of(path: str) -> str:
    """Return the entry of the menu to which a page belongs."""
    begin = path.split("/")[1] if path.startswith("/") else ""
    return SECTIONS.get(begin, f"/{begin}")


type View = Callable[[Desk, Visit], PageAnswer]
"""Answers a visit that may be made."""


def day_written(written: str) -> date | None:
    """Read a day as a form or an address has it; `None` if it is none."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
