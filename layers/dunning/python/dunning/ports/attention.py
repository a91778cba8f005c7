"""Attention: which customers wait for a person."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class WaitingCustomer(NamedTuple):
    """A customer who waits for a person: since when (the oldest open review), and whether a life may depend on it."""

    customer_id: str
    since: datetime
    urgent: bool = False


class AttentionList(Protocol):
    """The sparse index of the customers of whom something waits for a person (`Standing.attention`)."""

    def waiting_customers(
        self, lender: str, limit: int, after: WaitingCustomer | None = None
    ) -> Sequence[WaitingCustomer]:
        """
        Return at most `limit` customers of a lender who wait: the urgent first, then who has waited longest.

        With `after` the list goes on behind that customer, who may have been attended meanwhile. What was written just
        now may lack. Why a customer waits is in the standing.
        """
        ...
