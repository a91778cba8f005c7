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
    EXPORT = "export"
    """All that is stored of a customer, in full, as a file or to print."""
    SEE_OWN_AUDIT = "see_own_audit"
    SEE_ALL_AUDIT = "see_all_audit"
    SEE_WAITING = "see_waiting"
    """The list of who waits for a person: ids and codes."""
    ATTEND = "attend"
    """Take a case, write and read notes, label a reply, close the case."""
    HOLD = "hold"
    RELEASE = "release"
    """An agent releases only whose case the agent has (`CaseService.release`)."""
    SEE_SENDING = "see_sending"
    PAUSE = "pause"
    RESUME = "resume"
    SEE_ERASURES = "see_erasures"
    """The requests to erase a customer, which whoever sees them may withdraw."""
    ASK_ERASURE = "ask_erasure"
    CONFIRM_ERASURE = "confirm_erasure"
    SEE_FILES = "see_files"
    OPEN_REJECTS = "open_rejects"
    SEE_RULES = "see_rules"
    SEE_TRIALS = "see_trials"
    """Trials, and what-ifs that somebody has kept."""


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
    Act.EXPORT: frozenset({Role.COMPLIANCE}),
    Act.SEE_OWN_AUDIT: _EVERYBODY,
    Act.SEE_ALL_AUDIT: frozenset({Role.COMPLIANCE}),
    Act.SEE_WAITING: _EVERYBODY,
    Act.ATTEND: _WITH_CUSTOMERS,
    Act.HOLD: _WITH_CUSTOMERS,
    Act.RELEASE: _WITH_CUSTOMERS,
    Act.SEE_SENDING: _WITH_NUMBERS,
    Act.PAUSE: _WITH_NUMBERS,
    Act.RESUME: frozenset({Role.MANAGER}),
    Act.SEE_ERASURES: frozenset({Role.MANAGER, Role.COMPLIANCE}),
    Act.ASK_ERASURE: frozenset({Role.MANAGER}),
    Act.CONFIRM_ERASURE: frozenset({Role.COMPLIANCE}),
    Act.SEE_FILES: _WITH_NUMBERS,
    Act.OPEN_REJECTS: frozenset({Role.MANAGER, Role.COMPLIANCE}),
    Act.SEE_RULES: _EVERYBODY,
    Act.SEE_TRIALS: _WITH_NUMBERS,
}


def may(viewer: Viewer, act: Act) -> bool:
    """Tell whether somebody may do something."""
    return viewer.role in MAY[act]
