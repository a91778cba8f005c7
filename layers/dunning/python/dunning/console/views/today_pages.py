"""What happened on a day, and who is behind a number."""

from collections.abc import Mapping

from dunning.console.http_messages import PageAnswer
from dunning.console.visits import Desk, View, Visit, day_written
from dunning.services.console.audited import LookAct


def _show_today(desk: Desk, visit: Visit) -> PageAnswer:
    query = visit.request.query
    view = desk.services.today.view(query.get("lender", ""), day_written(query.get("day", "")))
    page = "today_figures" if visit.request.is_fragment else "today"
    return desk.page(visit, page, zone=view.zone, view=view)


def _show_list(desk: Desk, visit: Visit) -> PageAnswer:
    query = visit.request.query
    day = day_written(query.get("day", ""))
    asked = [query.get(name, "") for name in ("counter", "page", "shown")]
    view = desk.services.today.behind(query.get("lender", ""), day, *asked) if day else None
    if view is None:
        return desk.problem(visit, 404, "not_found")
    desk.services.audit.take_down(visit.viewer, LookAct.LISTED, subject_matter=view.counter)
    return desk.page(visit, "list", zone=view.zone, view=view)


VIEWS: Mapping[str, View] = {
    "today": _show_today,
    "behind": _show_list,
}
"""The views by the names that routes have for them."""
