"""
Opt-out confirmations: the opt-outs that a text may confirm. Pure.

The law of a place says whether a confirmation may be sent at all, and how soon after the opt-out
(`[opt_out] confirmation_within` in its file).
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import FINAL_HOLDS, Facts, HoldReason
from dunning.domain.customer.standing import Standing, holds_now
from dunning.domain.decision.hours import next_open
from dunning.domain.decision.rules import Rules
from dunning.domain.replies.intents import ParsedReply, ReplyIntent

_NO_TEXT_OF_ANY_KIND = FINAL_HOLDS | {HoldReason.DISTRESS, HoldReason.UNCONFIRMED}


def says_only_opt_out(parsed: ParsedReply) -> bool:
    """Tell whether a reply surely opts out, and says nothing else that a text could be the wrong answer to."""
    only = (ReplyIntent.OPT_OUT,)
    return parsed.sure == only and not parsed.likely and (parsed.by_fixed_word or parsed.guess in {(), only})


def may_confirm_opt_out(
    facts: Facts,
    before: Standing,
    after: Standing,
    parsed: ParsedReply,
    rules: Rules,
    said_at: datetime,
    now: datetime,
) -> bool:
    """
    Tell whether a reply that changes a standing may be answered by the text that confirms an opt-out.

    The place has to allow a confirmation. The reply has to be recent and to say nothing else, and has to be the reply
    that opts the customer out. A refused number gets no confirmation, and neither does a customer with whom contact has
    ended for good, or who is in distress.
    """
    if not says_only_opt_out(parsed):
        return False
    if rules.confirmation_within is None or not rules.confirmations or now - said_at > rules.confirmation_within:
        return False
    if before.is_opted_out or not after.is_opted_out or before.is_suspended(facts):
        return False
    return not wants_no_text_at_all(facts, after)


def wants_no_text_at_all(facts: Facts, standing: Standing) -> bool:
    """Tell whether a customer may be in distress, or contact may have ended for good: no text, and no confirmation."""
    return any(hold.reason in _NO_TEXT_OF_ANY_KIND for hold in holds_now(facts, standing))


def is_confirmation_lawful_now(rules: Rules, zones: Sequence[ZoneInfo], now: datetime) -> bool:
    """
    Tell whether the contact hours are open.

    Raises:
        CalendarNotCoveredError: the calendar does not know the day.
        NoLawfulMomentError: the hours never open.
    """
    return next_open(rules.hours, tuple(zones), now) == now


def confirmation_id(customer_id: str, inbound_id: str) -> str:
    """Return the id of the text that confirms an opt-out: the same however often the reply arrives."""
    return hashlib.sha256(f"{customer_id}\x1fopt_out_confirmation\x1f{inbound_id}".encode()).hexdigest()[:32]
