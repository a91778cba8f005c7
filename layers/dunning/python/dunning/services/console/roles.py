"""Who may do what in the console. A test walks this table, route by route."""

from collections.abc import Mapping
from enum import StrEnum

from dunning.ports.sessions import Role, Viewer


class Act(StrEnum):
    """What somebody may do, or look at."""

    SEE_TODAY = "see_today"
    SEE_LISTS = "see_lists"
    FIND = "find"
    SEE_CUSTOMER = "see_customer"
    SEE_PERSON = "see_person"
    """The masked name and number, the amounts, the texts."""
    REVEAL = "reveal"
    SEE_OWN_AUDIT = "see_own_audit"
    SEE_ALL_AUDIT = "see_all_audit"


_EVERYBODY = frozenset(Role)
_WITH_CUSTOMERS = frozenset({Role.MANAGER, Role.AGENT, Role.COMPLIANCE})
_WITH_NUMBERS = frozenset({Role.MANAGER, Role.COMPLIANCE, Role.ENGINEER})

MAY: Mapping[Act, frozenset[Role]] = {
    Act.SEE_TODAY: _WITH_NUMBERS,
    Act.SEE_LISTS: _WITH_NUMBERS,
    Act.FIND: _EVERYBODY,
    Act.SEE_CUSTOMER: _EVERYBODY,
    Act.SEE_PERSON: _WITH_CUSTOMERS,
    Act.REVEAL: _WITH_CUSTOMERS,
    Act.SEE_OWN_AUDIT: _EVERYBODY,
    Act.SEE_ALL_AUDIT: frozenset({Role.COMPLIANCE}),
}


def may(viewer: Viewer, act: Act) -> bool:
    """Tell whether somebody may do something."""
    return viewer.role in MAY[act]
