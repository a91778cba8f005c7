"""Reply places: where a customer is when writing a reply, and which limits hold for the reply there."""

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts
from dunning.domain.decision.decide import zones_of
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.replies.reply_effects import ReplyLimits, limits_of

_UTC = (ZoneInfo("UTC"),)


class ReplyPlace(NamedTuple):
    """A customer's place: its rules if there are any, its zones, and the local day of a reply."""

    rules: Rules | None
    zones: tuple[ZoneInfo, ...]
    day: date

    @property
    def limits(self) -> ReplyLimits:
        """The limits of lender and law for the reply."""
        return limits_of(self.rules) if self.rules else ReplyLimits()


def reply_place(facts: Facts, policies: Policies, at: datetime) -> ReplyPlace:
    """Return the place of a reply. In several zones the latest day counts: it gives the longest silence."""
    rules = policies.rules_for(facts, at)
    if not isinstance(rules, Rules):
        return ReplyPlace(None, _UTC, at.date())
    zones = zones_of(facts.time_zone, rules, at) or rules.zones
    return ReplyPlace(rules, zones, max(at.astimezone(zone).date() for zone in zones))
