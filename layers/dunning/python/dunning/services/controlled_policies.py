"""Policies whose rules know what the nightly run tells those who draw: weights, paused arms, stopped trials."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.channels import Channel

if TYPE_CHECKING:
    from datetime import datetime

    from dunning.domain.customer.facts import Facts
    from dunning.domain.decision.decisions import Reason
    from dunning.domain.effect.trial_control import TrialControl
    from dunning.ports.trial_books import TrialControlReader  # for its type: it imports what only a night needs
    from dunning.services.send.claims import PricedPolicies


class ControlledPolicies:
    """
    Implements `PricedPolicies`: the rules of others, with the trial control in those that have trials.

    For rules without trials nothing is read. For the others the control is asked for each time, and new rules are made
    when it has changed. Without a reader nothing is known of it, and nothing is left to chance.
    """

    def __init__(self, policies: PricedPolicies, reader: TrialControlReader | None) -> None:
        self._policies = policies
        self._reader = reader
        self._made: dict[Rules, tuple[TrialControl | None, Rules]] = {}
        self._lock = Lock()

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        """Return the rules of the policies at a moment, with the trial control if they have trials."""
        found = self._policies.rules_for(facts, at)
        return self._controlled(found) if isinstance(found, Rules) and found.trials else found

    def price(self, country: str, parts: int, channel: Channel = Channel.SMS) -> int:
        """Return what the policies say."""
        return self._policies.price(country, parts, channel)

    def _controlled(self, rules: Rules) -> Rules:
        control = self._reader.control_of(rules.lender) if self._reader else None
        made = self._made.get(rules)
        if made is None or (made[0] is not control and made[0] != control):
            with self._lock:
                made = self._made.get(rules)
                if made is None or made[0] != control:
                    made = self._made[rules] = control, replace(rules, trial_control=control)
        return made[1]
