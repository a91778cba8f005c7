"""Finding a customer, the page of a customer, the reveal of a value, and all of a customer in one document."""

from collections.abc import Mapping
from datetime import datetime

from dunning.console.http_messages import PageAnswer
from dunning.console.views.act_pages import acts_shown
from dunning.console.visits import Desk, View, Visit
from dunning.services.console.audited import PURPOSES, RevealError, revealed_value
from dunning.services.console.shown import CodeShown

MOST_BYTES = 5_000_000
"""The longest document: a function answers with six megabytes at most."""


def _find_form(desk: Desk, visit: Visit) -> PageAnswer:
    return desk.page(visit, "find", view=desk.services.find.find(""))


def _find(desk: Desk, visit: Visit) -> PageAnswer:
    view = desk.services.find.find(visit.request.form.get("sought", ""))
    if len(view.found) == 1:
        return desk.to(f"/customers/{view.found[0].customer_id}")
    return desk.page(visit, "find", view=view)


def _show_customer(desk: Desk, visit: Visit) -> PageAnswer:
    from dunning.services.console.life_entries import KINDS, LifePage  # noqa: PLC0415 - with the page alone

    query = visit.request.query
    kind = query.get("kind", "")
    page = LifePage(_moment_written(query.get("before", "")), kind if kind in KINDS else "")
    looked_at = desk.services.customers().look(visit.viewer, visit.parts["customer_id"], page)
    if looked_at is None:
        return desk.problem(visit, 404, "no_customer")
    view = looked_at.view
    acts = acts_shown(desk, visit, looked_at.evidence) if view.person else {}
    return desk.page(visit, "customer", 200, view.zone, view=view, purposes=PURPOSES, kinds=KINDS, **acts)


def _print_customer(desk: Desk, visit: Visit) -> PageAnswer:
    view = desk.services.customers().printed(visit.viewer, visit.parts["customer_id"])
    if view is None:
        return desk.problem(visit, 404, "no_customer")
    return desk.page(visit, "print", zone=view.zone, view=view, person=None, reply_texts={}, purpose=None)


def _reveal(desk: Desk, visit: Visit) -> PageAnswer:
    customer_id = visit.parts["customer_id"]
    field, purpose = visit.request.form.get("field", ""), visit.request.form.get("purpose", "")
    problem, value = "", None
    status = 200
    try:
        evidence = desk.services.customers().reveal(visit.viewer, customer_id, field, purpose)
        value = revealed_value(evidence, field) if evidence else None
    except RevealError as error:
        problem, status = error.code, _status_of(error)
    kind = field.partition("#")[0]
    page = "revealed" if visit.request.is_fragment else "reveal"
    return desk.page(
        visit,
        page,
        status,
        customer_id=customer_id,
        label=CodeShown("field", kind),
        purpose=CodeShown("purpose", purpose),
        value=value,
        problem=problem,
    )


def _hand_over(desk: Desk, visit: Visit) -> PageAnswer:
    """Answer with all of a customer in full: as a file for machines, or as a page to print."""
    customer_id, form = visit.parts["customer_id"], visit.request.form
    purpose = form.get("purpose", "")
    try:
        found = desk.services.customers().export(visit.viewer, customer_id, purpose)
    except RevealError as error:
        code = "no_purpose" if error.code == "purpose" else "too_many_documents"
        return desk.problem(visit, _status_of(error), code)
    if found is None:
        return desk.problem(visit, 404, "no_customer")
    if form.get("made_as") == "page":
        return desk.page(
            visit,
            "print",
            zone=found.view.zone,
            view=found.view,
            person=found.person,
            reply_texts=found.reply_texts,
            purpose=CodeShown("purpose", purpose),
        )
    body = found.json()
    if len(body.encode()) > MOST_BYTES:
        return desk.problem(visit, 413, "too_long")
    return desk.own(
        PageAnswer(
            body=body,
            content_type="application/json; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="customer-{customer_id}.json"'},
        )
    )


def _status_of(error: RevealError) -> int:
    return 429 if error.code == "too_many" else 403


def _moment_written(written: str) -> datetime | None:
    """Read a moment as an address has it; `None` if it is none."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


VIEWS: Mapping[str, View] = {
    "find_form": _find_form,
    "find": _find,
    "customer": _show_customer,
    "print_customer": _print_customer,
    "reveal": _reveal,
    "document": _hand_over,
}
"""The views by the names that routes have for them."""
