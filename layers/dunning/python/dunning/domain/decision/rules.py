"""
Rules: what holds for one customer, the law of the place tightened by the lender's policy.

Loaders in `dunning.policy` build these from data files; the domain only obeys them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decisions import Reason
from dunning.domain.texts.lint import Linter
from dunning.domain.texts.wording import Text

type Windows = tuple[tuple[int, int], ...]
"""The open times of a day as minutes from midnight, each `[start, end)`, in order."""

type Week = tuple[Windows, ...]
"""The windows of Monday to Sunday."""


class Scope(StrEnum):
    """What a cap counts: every contact of the person, or those about one account."""

    PERSON = "person"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `count` contacts in any `window`, which slides: the last 24 hours, not 'today'."""

    count: int
    window: timedelta
    scope: Scope = Scope.PERSON


@dataclass(frozen=True, slots=True, eq=False)
class ContactHours:
    """
    When a customer may be contacted, in local time.

    `special` are the days whose windows are not those of their weekday: public holidays, and working days moved to a
    weekend; a closed day has none. `covered_until` is the last day the calendar knows, or `None` where no calendar
    is needed. Compared by identity, so that it is a cheap cache key.
    """

    week: Week
    special: Mapping[date, Windows] = field(default_factory=dict)
    covered_until: date | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """
    All limits and words that apply to one customer.

    `ladder` are offsets in days from the due date, ascending; `urgency` is the same offsets, most urgent
    first. `hours` holds for texts up to the due date, `overdue_hours` for those after it. `zones` are all time
    zones the customer may be in, `home_zones` those of their own place, without a foreign number's. `texts` is
    keyed by (language, stage, several), and so is `texts_with_fee`, which holds those that name a late fee.
    `notice_stages` are heard only once a written notice is on record. `sender_name`, `pay` and `opt_out_line` are
    keyed by language; `opt_out_line` is empty where none is demanded. `and_others`, by language too, stands behind
    the account's last digits when a text speaks of several accounts. `registered` maps a text's `id@version` to the
    id under which the carrier's regulator registered it, and is `None` where no registration is needed. `linter`
    judges every rendered text; a link in one is allowed only if `links_allowed`, and only to `link_domains`.
    `max_price` is US dollars, as SNS wants it. `confirmations`, by language, tell once that an opt-out was heard: empty
    where the place does not allow it. Who says to have paid or asks for help is left alone for `grace_days`; a promise
    may name a day up to `promise_days` ahead.
    """

    lender: str
    jurisdiction: str
    zones: tuple[ZoneInfo, ...]
    home_zones: tuple[ZoneInfo, ...]
    ladder: tuple[int, ...]
    urgency: tuple[int, ...]
    min_days_between_stages: int
    preferred_minute: int
    hours: ContactHours
    overdue_hours: ContactHours
    person_caps: tuple[Cap, ...]
    account_caps: tuple[Cap, ...]
    longest_window: timedelta
    consent_required: bool
    languages: tuple[str, ...]
    texts: Mapping[tuple[str, int, bool], Text]
    texts_with_fee: Mapping[tuple[str, int, bool], Text]
    notice_stages: frozenset[int]
    sender_name: Mapping[str, str]
    pay: Mapping[str, str]
    hotline: str
    opt_out_line: Mapping[str, str]
    and_others: Mapping[str, str]
    linter: Linter
    links_allowed: bool
    link_domains: frozenset[str]
    signature_by_carrier: bool
    max_parts: int
    registered: Mapping[str, str] | None
    sender_id: str
    origination_number: str
    entity_id: str
    max_price: str
    retention_days: int
    confirmations: Mapping[str, Text]
    grace_days: int
    promise_days: int


class Policies(Protocol):
    """Where `decide` finds the rules for a customer."""

    def rules_for(self, facts: Facts) -> Rules | Reason:
        """Return the rules, or the reason why there are none: the decision then is to stop."""
        ...
