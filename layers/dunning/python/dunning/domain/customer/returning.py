"""
Returning customers: how often a customer counts as texted who comes back after an erasure. Pure.

Nothing may be known of the texts before an erasure, and caps hold all the same.
"""

from datetime import datetime

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LEDGER_FLOOR, SMS, LedgerEntry
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Rules

BEFORE_ERASURE = "before_erasure"
"""The id that stands in a ledger for texts of which nothing may be known any more."""


def caps_after_erasure(
    erased_at: datetime | None, facts: Facts, rules: Rules | Reason, now: datetime
) -> tuple[LedgerEntry, ...]:
    """
    Return the texts that a new customer is taken to have had: none, unless the customer has been erased before.

    A customer who comes back counts as texted just now, to the limit of every cap. That costs the customer the
    reminders of one window, and no text too many.
    """
    if erased_at is None or not isinstance(rules, Rules):
        return ()
    if now - erased_at > max(rules.longest_window, LEDGER_FLOOR):
        return ()
    most = max((cap.count for cap in (*rules.person_caps, *rules.account_caps)), default=0)
    accounts = tuple(account.account_id for account in facts.accounts)
    return (LedgerEntry(BEFORE_ERASURE, "", now, None, accounts, SMS, None),) * most
