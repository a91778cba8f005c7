"""Who looked at or did what."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from dunning.console.http_messages import PageAnswer
from dunning.console.visits import Desk, View, Visit, day_written


def _show_audit(desk: Desk, visit: Visit) -> PageAnswer:
    view = desk.services.audit.view(visit.viewer, day_written(visit.request.query.get("day", "")))
    return desk.page(visit, "audit", zone=ZoneInfo("UTC"), view=view)


VIEWS: Mapping[str, View] = {
    "audit": _show_audit,
}
"""The views by the names that routes have for them."""
