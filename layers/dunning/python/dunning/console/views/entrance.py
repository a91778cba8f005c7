"""Coming in and going out, the language, and the static files."""

from collections.abc import Mapping

from dunning.console.http_messages import CookieToSet, PageAnswer
from dunning.console.render import static_files
from dunning.console.routes import HOMES
from dunning.console.translations import LANGUAGES
from dunning.console.visits import LANGUAGE_COOKIE, Desk, View, Visit
from dunning.ports.identity_provider import IdentityError
from dunning.services.console.login import LOGIN_LASTS, SESSION_LASTS, LoginError
from dunning.services.console.roles import may

SESSION_COOKIE = "__Host-session"
LOGIN_COOKIE = "__Host-login"

_A_YEAR = 365 * 24 * 3600
_LOGIN_PROBLEMS = frozenset({"not_begun_here", "no_role", "several_roles"})


def _home(desk: Desk, visit: Visit) -> PageAnswer:
    return desk.to(next(path for act, path in HOMES if may(visit.viewer, act)))


def _login(desk: Desk, visit: Visit) -> PageAnswer:
    return desk.page(visit, "login", problem="")


def _begin_login(desk: Desk, visit: Visit) -> PageAnswer:
    try:
        begun = desk.services.login.begin()
    except IdentityError:
        return desk.page(visit, "login", 502, problem="provider")
    return desk.to(begun.address, 302, CookieToSet(LOGIN_COOKIE, begun.secret, int(LOGIN_LASTS.total_seconds())))


def _callback(desk: Desk, visit: Visit) -> PageAnswer:
    query = visit.request.query
    try:
        logged_in = desk.services.login.finish(
            visit.request.cookies.get(LOGIN_COOKIE, ""), query.get("state", ""), query.get("code", ""),
            visit.session_id,
        )  # fmt: skip
    except IdentityError:
        return desk.page(visit, "login", 502, problem="provider")
    except LoginError as error:
        problem = error.code if error.code in _LOGIN_PROBLEMS else "token"
        return desk.page(visit, "login", 403, problem=problem)
    return desk.to(
        "/",
        303,
        CookieToSet(SESSION_COOKIE, logged_in.session_id, int(SESSION_LASTS.total_seconds())),
        CookieToSet(LOGIN_COOKIE),
    )


def _log_out(desk: Desk, visit: Visit) -> PageAnswer:
    address = desk.services.login.log_out(visit.session_id)
    return desk.to(address or "/login", 303, CookieToSet(SESSION_COOKIE))


def _language(desk: Desk, visit: Visit) -> PageAnswer:
    chosen = visit.request.form.get("language", "")
    back = visit.request.form.get("back", "")
    is_ours = back.startswith("/") and not back.startswith(("//", "/\\"))
    cookies = [CookieToSet(LANGUAGE_COOKIE, chosen, _A_YEAR)] if chosen in LANGUAGES else []
    return desk.to(back if is_ours else "/", 303, *cookies)


def _static(desk: Desk, visit: Visit) -> PageAnswer:
    found = static_files().by_name.get(visit.parts.get("name", ""))
    if found is None:
        return desk.problem(visit, 404, "not_found")
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return desk.own(PageAnswer(body=found.text, content_type=found.content_type, headers=headers))


VIEWS: Mapping[str, View] = {
    "home": _home,
    "login": _login,
    "begin_login": _begin_login,
    "callback": _callback,
    "log_out": _log_out,
    "language": _language,
    "static": _static,
}
"""The views by the names that routes have for them."""
