"""Views: what a route answers. Each takes a desk and a visit that has been let in."""

from collections.abc import Mapping

from dunning.console.views import (
    act_pages,
    audit_pages,
    customer_pages,
    effect_pages,
    entrance,
    file_pages,
    rule_pages,
    today_pages,
)
from dunning.console.visits import View

VIEWS: Mapping[str, View] = {
    **entrance.VIEWS,
    **today_pages.VIEWS,
    **customer_pages.VIEWS,
    **audit_pages.VIEWS,
    **act_pages.VIEWS,
    **file_pages.VIEWS,
    **rule_pages.VIEWS,
    **effect_pages.VIEWS,
}
"""Every view by the name that routes have for it."""
