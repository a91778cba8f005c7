"""
Returning customers: the texts that count against the caps of a customer who returns after an erasure. Pure.

Nothing may be known of the texts before an erasure, and the caps hold all the same.
"""

from datetime import datetime

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LEDGER_FLOOR, SMS, LedgerEntry
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Rules

BEFORE_ERASURE = "before_erasure"
"""The id of a ledger entry that stands for an unknown text before an erasure."""


def caps_after_erasure(
    erased_at: datetime | None, facts: Facts, rules: Rules | Reason, now: datetime
) -> tuple[LedgerEntry, ...]:
    """
    Return the texts that a new customer counts as having had: none, unless the customer was erased before.

    A customer who returns counts as having been texted just now, up to every cap. So the customer goes without
    reminders for one window, and never gets a text too many.
    """
    if erased_at is None or not isinstance(rules, Rules):
        return ()
    if now - erased_at > max(rules.longest_window, LEDGER_FLOOR):
        return ()
    most = max((cap.count for cap in (*rules.person_caps, *rules.account_caps)), default=0)
    accounts = tuple(account.account_id for account in facts.accounts)
    return (
        LedgerEntry(
            send_id=BEFORE_ERASURE, claim_id="", at=now, stage=None, accounts=accounts, channel=SMS, for_wake=None
        ),
    ) * most
