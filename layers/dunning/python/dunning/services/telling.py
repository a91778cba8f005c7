"""Telling: what every service says to the journal in the same way."""

import traceback
from datetime import datetime

from dunning.domain.decision import Decision, Send
from dunning.ports import Journal


def where_arose(error: BaseException) -> str:
    """Return the function and line an error arose in. Its own words might quote what must not be logged."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}:{frames[-1].lineno}" if frames else ""


def tell_planned(journal: Journal, customer_id: str, decision: Decision, at: datetime) -> None:
    """Tell the decision a wake was planned by; one to send is told by the sender, who makes it afresh."""
    if not isinstance(decision, Send):
        journal.decided(customer_id, decision, at)
