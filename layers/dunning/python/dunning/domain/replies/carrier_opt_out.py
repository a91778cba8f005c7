"""
Carrier opt-outs: the consequence for a customer whose number is on the carrier's own list of opted-out numbers. Pure.

A customer who writes STOP to a carrier is on the list, whether or not the reply reached us, and gets no more texts. So
the list is always right about the numbers that cannot be texted. It does not say since when.
"""

from datetime import datetime, timedelta
from enum import Enum, auto

from dunning.domain.customer.standing import Standing

STILL_OPTING_IN = timedelta(days=2)
"""
The time after an opt-in during which its number is taken off the list: at least one night.

A longer time might overrule a later STOP that only the list knows.
"""


class CarrierOptOut(Enum):
    """The consequence of a number on the carrier's list."""

    NOTHING = auto()
    OPT_OUT = auto()
    TAKE_OFF_THE_LIST = auto()


def carrier_opt_out(standing: Standing, now: datetime) -> CarrierOptOut:
    """
    Return the consequence for a customer whose present number is on the carrier's list.

    A customer who is opted out already stays opted out. The number of a customer who opted in a short while ago is
    taken off the list, in case the handling of the reply failed to. Every other customer is opted out: the customer has
    opted out since, or the carrier does not let the number off the list.
    """
    if standing.is_opted_out:
        return CarrierOptOut.NOTHING
    if standing.opted_in_at is not None and now - standing.opted_in_at < STILL_OPTING_IN:
        return CarrierOptOut.TAKE_OFF_THE_LIST
    return CarrierOptOut.OPT_OUT
