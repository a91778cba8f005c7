"""Who looked at or did what."""

from collections.abc import Mapping
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dunning.console.http_messages import PageAnswer
from dunning.console.views.file_pages import csv_answer
from dunning.console.visits import Desk, View, Visit, day_written
from dunning.services.console.audited import REVEALS_AN_HOUR, AuditView, ExportError

_UTC = ZoneInfo("UTC")
_HOURS = 24


def _show_audit(desk: Desk, visit: Visit) -> PageAnswer:
    query = visit.request.query
    return _audit_page(
        desk, visit, desk.services.audit.view(visit.viewer, day_written(query.get("day", "")), query.get("page", ""))
    )


def _show_audit_of(desk: Desk, visit: Visit) -> PageAnswer:
    """Show what a colleague did, or send to the page about a customer: a colleague's name is in no address."""
    form = visit.request.form
    if customer_id := form.get("customer", "").strip():
        return desk.to(f"/audit/customers/{quote(customer_id, safe='')}")
    day, colleague = day_written(form.get("day", "")), form.get("colleague", "").strip()
    return _audit_page(desk, visit, desk.services.audit.view(visit.viewer, day, form.get("page", ""), colleague))


def _show_audit_of_customer(desk: Desk, visit: Visit) -> PageAnswer:
    customer_id, page = visit.parts["customer_id"], visit.request.query.get("page", "")
    return _audit_page(desk, visit, desk.services.audit.view_of_customer(visit.viewer, customer_id, page))


def _audit_page(desk: Desk, visit: Visit, view: AuditView) -> PageAnswer:
    return desk.page(visit, "audit", zone=_UTC, view=view, most=REVEALS_AN_HOUR)


def _download_audit(desk: Desk, visit: Visit) -> PageAnswer:
    form = visit.request.form
    day, written = day_written(form.get("day", "")), form.get("hour", "")
    hour = int(written) if written.isdecimal() and int(written) < _HOURS else None
    if day is None:
        return desk.problem(visit, 404, "not_found")
    try:
        body = desk.services.audit.export(visit.viewer, day, hour)
    except ExportError as error:
        return desk.problem(visit, 403 if error.code == "role" else 413, f"export_{error.code}")
    name = f"audit-{day.isoformat()}" + (f"-{hour:02}" if hour is not None else "")
    return desk.own(csv_answer(body, f"{name}.csv"))


VIEWS: Mapping[str, View] = {
    "audit": _show_audit,
    "audit_of": _show_audit_of,
    "audit_of_customer": _show_audit_of_customer,
    "audit_csv": _download_audit,
}
"""The views by the names that routes have for them."""
