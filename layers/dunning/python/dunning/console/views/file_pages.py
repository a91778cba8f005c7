"""What has become of the files of accounts, and what was refused in them."""

from collections.abc import Mapping

from dunning.console.http_messages import PageAnswer
from dunning.console.visits import Desk, View, Visit
from dunning.services.console.audited import PURPOSES

# What reads files is imported when somebody looks at them: it brings the whole intake, a seventh of a cold start.

_STATUS = {"role": 403, "purpose": 400}
_LONGEST_ID = 80


def _show_files(desk: Desk, visit: Visit) -> PageAnswer:
    view = desk.services.files().view(visit.request.query.get("page", "")[:_LONGEST_ID])
    return desk.page(visit, "files", view=view, purposes=PURPOSES)


def _show_rejects(desk: Desk, visit: Visit) -> PageAnswer:
    from dunning.services.console.file_history import REJECTS_SHOWN, RejectsError  # noqa: PLC0415

    purpose = visit.request.form.get("purpose", "")
    try:
        view = desk.services.files().rejects(visit.viewer, visit.parts["report_id"], purpose)
    except RejectsError as error:
        return desk.problem(visit, _STATUS.get(error.code, 404), f"rejects_{error.code}")
    return desk.page(visit, "rejects", view=view, chosen=purpose, most=REJECTS_SHOWN)


def _download_rejects(desk: Desk, visit: Visit) -> PageAnswer:
    from dunning.services.console.file_history import RejectsError  # noqa: PLC0415

    form, report_id = visit.request.form, visit.parts["report_id"]
    part = int(form["part"]) if form.get("part", "").isdecimal() else 1
    try:
        body = desk.services.files().download(visit.viewer, report_id, form.get("purpose", ""), part)
    except RejectsError as error:
        return desk.problem(visit, _STATUS.get(error.code, 404), f"rejects_{error.code}")
    return desk.own(csv_answer(body, f"rejects-{report_id[:8]}-{part}.csv"))


def csv_answer(body: str, name: str) -> PageAnswer:
    """Return a file of CSV to be saved under a name, which has to be of letters, digits, hyphens and dots."""
    disposition = f'attachment; filename="{"".join(c for c in name if c.isalnum() or c in "-.")}"'
    return PageAnswer(body=body, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})


VIEWS: Mapping[str, View] = {
    "files": _show_files,
    "rejects": _show_rejects,
    "rejects_csv": _download_rejects,
}
"""The views by the names that routes have for them."""
