"""The routes of the console: method, path, what it takes to enter, and the view behind it. Data, and nothing else."""

from typing import NamedTuple

from dunning.services.console.programs import ProgramScope
from dunning.services.console.roles import Act


class Route(NamedTuple):
    """A route; `act` is what the role has to allow, `None` if everybody may come, logged in or not."""

    method: str
    path: str
    view: str
    act: Act | None = None
    needs_login: bool = True


ROUTES = (
    Route("GET", "/", "home"),
    Route("GET", "/login", "login", needs_login=False),
    Route("GET", "/login/begin", "begin_login", needs_login=False),
    Route("GET", "/callback", "callback", needs_login=False),
    Route("POST", "/logout", "log_out"),
    Route("POST", "/language", "language", needs_login=False),
    Route("GET", "/static/<name>", "static", needs_login=False),
    Route("GET", "/today", "today", Act.SEE_TODAY),
    Route("GET", "/list", "behind", Act.SEE_LISTS),
    Route("GET", "/find", "find_form", Act.FIND),
    Route("POST", "/find", "find", Act.FIND),
    Route("GET", "/customers/<customer_id>", "customer", Act.SEE_CUSTOMER),
    Route("GET", "/customers/<customer_id>/print", "print_customer", Act.SEE_CUSTOMER),
    Route("POST", "/customers/<customer_id>/reveal", "reveal", Act.REVEAL),
    Route("POST", "/customers/<customer_id>/document", "document", Act.EXPORT),
    Route("GET", "/audit", "audit", Act.SEE_OWN_AUDIT),
    Route("GET", "/waiting", "waiting", Act.SEE_WAITING),
    Route("GET", "/waiting/<customer_id>", "case", Act.ATTEND),
    Route("POST", "/waiting/<customer_id>/take", "take", Act.ATTEND),
    Route("POST", "/waiting/<customer_id>/give-back", "give_back", Act.ATTEND),
    Route("POST", "/waiting/<customer_id>/note", "note", Act.ATTEND),
    Route("POST", "/waiting/<customer_id>/label", "label", Act.ATTEND),
    Route("POST", "/waiting/<customer_id>/close", "close", Act.ATTEND),
    Route("POST", "/customers/<customer_id>/hold", "hold", Act.HOLD),
    Route("POST", "/customers/<customer_id>/release", "release", Act.RELEASE),
    Route("POST", "/customers/<customer_id>/erase", "ask_erasure", Act.ASK_ERASURE),
    Route("GET", "/erasures", "erasures", Act.SEE_ERASURES),
    Route("POST", "/erasures/<customer_id>/confirm", "confirm_erasure", Act.CONFIRM_ERASURE),
    Route("POST", "/erasures/<customer_id>/withdraw", "withdraw_erasure", Act.SEE_ERASURES),
    Route("GET", "/sending", "sending", Act.SEE_SENDING),
    Route("POST", "/sending/pause", "pause", Act.PAUSE),
    Route("POST", "/sending/resume", "resume", Act.RESUME),
    Route("POST", "/audit", "audit_of", Act.SEE_ALL_AUDIT),
    Route("POST", "/audit/csv", "audit_csv", Act.SEE_ALL_AUDIT),
    Route("GET", "/audit/customers/<customer_id>", "audit_of_customer", Act.SEE_ALL_AUDIT),
    Route("GET", "/files", "files", Act.SEE_FILES),
    Route("POST", "/files/<report_id>/rejects", "rejects", Act.OPEN_REJECTS),
    Route("POST", "/files/<report_id>/csv", "rejects_csv", Act.OPEN_REJECTS),
    Route("GET", "/rules", "rules", Act.SEE_RULES),
    Route("GET", "/texts", "texts", Act.SEE_RULES),
    Route("GET", "/rates", "rates", Act.SEE_TRIALS),
    Route("GET", "/trials", "trials", Act.SEE_TRIALS),
    Route("GET", "/trials/<lender>/<trial>", "trial", Act.SEE_TRIALS),
    Route("GET", "/what-if", "what_ifs", Act.SEE_TRIALS),
    Route("GET", "/what-if/<comparison_id>", "what_if", Act.SEE_TRIALS),
    Route("GET", "/what-if/<comparison_id>/<number>", "what_if_example", Act.SEE_TRIALS),
)
"""Every route."""


class ProgramRoute(NamedTuple):
    """A route of programs, which only read: what the role has to allow, and the scope that the token has to name."""

    path: str
    view: str
    act: Act
    scope: ProgramScope


PROGRAM_ROUTES = (
    ProgramRoute("/api/today", "today", Act.SEE_TODAY, ProgramScope.READ),
    ProgramRoute("/api/customers/<customer_id>", "customer", Act.SEE_CUSTOMER, ProgramScope.READ),
    ProgramRoute("/api/rates", "rates", Act.SEE_TRIALS, ProgramScope.READ),
    ProgramRoute("/api/trials", "trials", Act.SEE_TRIALS, ProgramScope.READ),
    ProgramRoute("/api/audit", "audit", Act.SEE_ALL_AUDIT, ProgramScope.AUDIT),
)
"""Every route of programs."""

PROGRAM_PREFIX = "/api/"

HOMES = ((Act.SEE_TODAY, "/today"), (Act.ATTEND, "/waiting"), (Act.FIND, "/find"))
"""Where somebody begins: the first place that the role allows."""


class Entrance(NamedTuple):
    """An entry of the menu: its address, the key of its words, and what the role has to allow."""

    path: str
    words: str
    act: Act


SECTIONS = {
    "list": "/today",
    "customers": "/find",
    "texts": "/rules",
}
"""The entry of the menu to which pages belong that begin with another word."""

ENTRANCES = (
    Entrance("/today", "page.today", Act.SEE_TODAY),
    Entrance("/waiting", "page.waiting", Act.SEE_WAITING),
    Entrance("/find", "page.find", Act.FIND),
    Entrance("/files", "page.files", Act.SEE_FILES),
    Entrance("/rules", "page.rules", Act.SEE_RULES),
    Entrance("/rates", "page.rates", Act.SEE_TRIALS),
    Entrance("/trials", "page.trials", Act.SEE_TRIALS),
    Entrance("/what-if", "page.what_ifs", Act.SEE_TRIALS),
    Entrance("/audit", "page.audit", Act.SEE_OWN_AUDIT),
    Entrance("/sending", "page.sending", Act.SEE_SENDING),
    Entrance("/erasures", "page.erasures", Act.SEE_ERASURES),
)
"""The menu."""
