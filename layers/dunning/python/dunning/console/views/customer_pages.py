"""Finding a customer, the page of a customer, and the reveal of a value."""

from collections.abc import Mapping

from dunning.console.http_messages import PageAnswer
from dunning.console.views.act_pages import acts_shown
from dunning.console.visits import Desk, View, Visit
from dunning.services.console.audited import PURPOSES, RevealError, revealed_value
from dunning.services.console.shown import CodeShown


def _find_form(desk: Desk, visit: Visit) -> PageAnswer:
    return desk.page(visit, "find", view=desk.services.find.find(""))


def _find(desk: Desk, visit: Visit) -> PageAnswer:
    view = desk.services.find.find(visit.request.form.get("sought", ""))
    if len(view.customer_ids) == 1:
        return desk.to(f"/customers/{view.customer_ids[0]}")
    return desk.page(visit, "find", view=view)


def _show_customer(desk: Desk, visit: Visit) -> PageAnswer:
    view = desk.services.customers().view(visit.viewer, visit.parts["customer_id"])
    if view is None:
        return desk.problem(visit, 404, "no_customer")
    acts = acts_shown(desk, visit) if view.person else {}
    return desk.page(visit, "customer", 200, view.zone, view=view, purposes=PURPOSES, **acts)


def _reveal(desk: Desk, visit: Visit) -> PageAnswer:
    customer_id = visit.parts["customer_id"]
    field, purpose = visit.request.form.get("field", ""), visit.request.form.get("purpose", "")
    problem, value = "", None
    status = 200
    try:
        evidence = desk.services.customers().reveal(visit.viewer, customer_id, field, purpose)
        value = revealed_value(evidence, field) if evidence else None
    except RevealError as error:
        problem, status = error.code, 429 if error.code == "too_many" else 403
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


VIEWS: Mapping[str, View] = {
    "find_form": _find_form,
    "find": _find,
    "customer": _show_customer,
    "reveal": _reveal,
}
"""The views by the names that routes have for them."""
