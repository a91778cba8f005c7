"""What holds for a lender in a place, and the texts as they arrive."""

from collections.abc import Mapping

from dunning.console.http_messages import PageAnswer
from dunning.console.visits import Desk, View, Visit


def _show_rules(desk: Desk, visit: Visit) -> PageAnswer:
    query = visit.request.query
    return desk.page(visit, "rules", view=desk.services.rules().rules(query.get("lender", ""), query.get("place", "")))


def _show_texts(desk: Desk, visit: Visit) -> PageAnswer:
    query = visit.request.query
    lender, place_id, language = (query.get(name, "") for name in ("lender", "place", "language"))
    return desk.page(visit, "texts", view=desk.services.rules().texts(lender, place_id, language))


VIEWS: Mapping[str, View] = {
    "rules": _show_rules,
    "texts": _show_texts,
}
"""The views by the names that routes have for them."""
