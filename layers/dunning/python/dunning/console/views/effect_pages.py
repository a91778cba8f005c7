"""What the texts do, and what another policy would do: rates, trials, and what-ifs that somebody has kept."""

from collections.abc import Mapping

from dunning.console.http_messages import PageAnswer
from dunning.console.visits import Desk, View, Visit
from dunning.services.console.audited import LookAct

IN_PARTS = frozenset(
    {
        "paid_in_part",
        "promises",
        "broken_promises",
        "opt_outs",
        "complaints",
        "wrong_persons",
        "hardship",
        "next_late",
        "texts_per_cure",
    }
)
"""What stands beside the lift of a part, with its price; the table of the whole trial has all."""

IN_LIST = IN_PARTS | {"promises", "texts_per_cure"}
"""What stands beside a lift in the list of trials: all but what its sentence says, and the price that follows."""


def _show_rates(desk: Desk, visit: Visit) -> PageAnswer:
    query = visit.request.query
    view = desk.services.rates().view(query.get("lender", ""), query.get("weeks", ""))
    return desk.page(visit, "rates", view=view)


def _show_trials(desk: Desk, visit: Visit) -> PageAnswer:
    view = desk.services.trials().view(visit.request.query.get("lender", ""))
    return desk.page(visit, "trials", view=view, beside_in_list=IN_LIST)


def _show_trial(desk: Desk, visit: Visit) -> PageAnswer:
    view = desk.services.trials().trial(visit.parts["lender"], visit.parts["trial"])
    if view is None:
        return desk.problem(visit, 404, "no_trial")
    return desk.page(visit, "trial", view=view, beside_in_parts=IN_PARTS)


def _show_what_ifs(desk: Desk, visit: Visit) -> PageAnswer:
    return desk.page(visit, "what_ifs", kept=desk.services.what_ifs().newest())


def _show_what_if(desk: Desk, visit: Visit) -> PageAnswer:
    view = desk.services.what_ifs().view(visit.parts["comparison_id"])
    if view is None:
        return desk.problem(visit, 404, "no_comparison")
    desk.services.audit.take_down(visit.viewer, LookAct.LISTED, subject_matter=f"what-if {view.head.policy}")
    return desk.page(visit, "what_if", view=view)


def _show_what_if_example(desk: Desk, visit: Visit) -> PageAnswer:
    found = desk.services.what_ifs().example(visit.parts["comparison_id"], visit.parts["number"])
    if found is None:
        return desk.problem(visit, 404, "no_comparison")
    head, view = found
    desk.services.audit.take_down(
        visit.viewer, LookAct.LISTED, customer_id=view.customer_id, subject_matter=f"what-if {head.policy}"
    )
    return desk.page(visit, "what_if_example", head=head, view=view)


VIEWS: Mapping[str, View] = {
    "rates": _show_rates,
    "trials": _show_trials,
    "trial": _show_trial,
    "what_ifs": _show_what_ifs,
    "what_if": _show_what_if,
    "what_if_example": _show_what_if_example,
}
"""The views by the names that routes have for them."""
