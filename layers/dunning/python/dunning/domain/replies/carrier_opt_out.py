"""
Carrier opt-outs: what follows for a customer whose number is on the carrier's own list of opted-out numbers. Pure.

A customer who writes STOP to a carrier's keyword is on the list whether or not the reply reached us, and gets no text
from then on. So the list is always right about who cannot be texted; it does not say since when.
"""

from datetime import datetime, timedelta
from enum import Enum, auto

from dunning.domain.customer.standing import Standing

STILL_OPTING_IN = timedelta(days=2)
"""
So long after an opt-in a number is taken off the list: one night at least. Any longer, and it might overrule a STOP
that came later and that only the list knows of.
"""


class CarrierOptOut(Enum):
    """What follows from a number on the carrier's list."""

    NOTHING = auto()
    OPT_OUT = auto()
    TAKE_OFF_THE_LIST = auto()


def carrier_opt_out(standing: Standing, now: datetime) -> CarrierOptOut:
    """
    Tell what follows for a customer whose present number is on the carrier's list.

    A customer who is opted out already stays so. A customer who opted in a short while ago is taken off the list, in
    case the handling of the reply could not. Any other has opted out since, or the carrier does not let the number back
    in: an opt-out either way.
    """
    if standing.is_opted_out:
        return CarrierOptOut.NOTHING
    if standing.opted_in_at is not None and now - standing.opted_in_at < STILL_OPTING_IN:
        return CarrierOptOut.TAKE_OFF_THE_LIST
    return CarrierOptOut.OPT_OUT
