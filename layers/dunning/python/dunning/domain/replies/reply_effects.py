"""
Reply effects: the changes to a customer's standing that follow from a reply. Pure.

The standing after several replies does not depend on their order of arrival, or on repeats. Of opt-outs, opt-ins and
holds the latest counts, by the time at which the customer spoke. Of promises for one instalment the first counts.
Payment statements are kept as the customer made them, because their instalments may change (`payment_statements`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from dunning.domain.customer.facts import Account, Facts, Hold, HoldReason
from dunning.domain.customer.standing import PaymentStatement, Standing, said_last
from dunning.domain.outbound_events import ReviewReason
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.payment_statements import with_payment_statement

HOLD_OF_INTENT = {
    ReplyIntent.HARDSHIP: (HoldReason.HARDSHIP, ReviewReason.HARDSHIP),
    ReplyIntent.DISPUTE: (HoldReason.DISPUTE, ReviewReason.DISPUTE),
    ReplyIntent.COMPLAINT: (HoldReason.COMPLAINT, ReviewReason.COMPLAINT),
    ReplyIntent.WRONG_PERSON: (HoldReason.WRONG_PERSON, ReviewReason.WRONG_PERSON),
    ReplyIntent.DECEASED: (HoldReason.DECEASED, ReviewReason.DECEASED),
    ReplyIntent.REPRESENTED: (HoldReason.REPRESENTED, ReviewReason.REPRESENTED),
}
"""Intents that lead to a hold without an end, some of them for good: the hold, and the reason for the review."""

_SHORTEST_TAIL = 3
"""The fewest digits that name an account. Fewer digits fit too many accounts."""

_NEVER = datetime.min.replace(tzinfo=UTC)


class ReplyLimits(NamedTuple):
    """The days of silence after a reply, and the most days from a reply to the promised day."""

    grace_days: int = 3
    promise_days: int = 14


class ReplyEffect(NamedTuple):
    """The standing after a reply, and the reasons for a review. The caller raises the version."""

    standing: Standing
    needs: tuple[ReviewReason, ...]


def apply_reply(
    facts: Facts, standing: Standing, parsed: ParsedReply, said_at: datetime, local_day: date, limits: ReplyLimits
) -> ReplyEffect:
    """
    Return the effect of a reply.

    Args:
        facts: the customer's facts as they are known now.
        standing: the standing before the reply.
        parsed: the reading of the reply.
        said_at: the time of the reply, an aware UTC instant, the same at each delivery.
        local_day: the day of the reply where the customer lives.
        limits: the lender's limits, in days.
    """
    needs: dict[ReviewReason, None] = {}
    grace = local_day + timedelta(days=limits.grace_days)
    for intent in parsed.sure:
        match intent:
            case ReplyIntent.OPT_OUT:
                standing = _opted_out(facts, standing, parsed.digits, said_at)
            case ReplyIntent.OPT_IN:
                standing = replace(standing, opted_in_at=said_last(standing.opted_in_at, said_at))
            case ReplyIntent.PAID:
                accounts = _spoken_of(facts, parsed.digits)
                paid = PaymentStatement(
                    reason=HoldReason.SAYS_PAID, said_at=said_at, day=local_day, until=grace, accounts=accounts
                )
                standing = with_payment_statement(standing, paid, facts)
            case ReplyIntent.PROMISE:
                standing, why = _promised(facts, standing, parsed, said_at, local_day, limits)
                needs |= dict.fromkeys(why)
            case ReplyIntent.QUESTION:
                standing = with_hold(standing, Hold(HoldReason.QUESTION, grace, said_at))
                needs[ReviewReason.QUESTION] = None
            case _:
                reason, review = HOLD_OF_INTENT[intent]
                standing = with_hold(standing, Hold(reason, None, said_at))
                needs[review] = None
    return ReplyEffect(standing, tuple(needs))


def with_hold(standing: Standing, hold: Hold) -> Standing:
    """Return the standing with a hold of the customer's. Of two holds for one reason the later stays."""
    for known in standing.holds:
        if known.reason is hold.reason and _hold_order(known) >= _hold_order(hold):
            return standing
    kept = [known for known in standing.holds if known.reason is not hold.reason]
    return replace(standing, holds=tuple(sorted((*kept, hold), key=lambda known: known.reason.value)))


def _hold_order(hold: Hold) -> tuple[datetime, bool, date]:
    """Order holds of one reason: by time, and of one moment the longest silence last."""
    return hold.since or _NEVER, hold.until is None, hold.until or date.min


def _opted_out(facts: Facts, standing: Standing, digits: str, said_at: datetime) -> Standing:
    """Opt out of everything, or of the one account whose last digits the reply names."""
    account = _account_named(facts.accounts, digits)
    if account is None:
        return replace(standing, opted_out_at=said_last(standing.opted_out_at, said_at))
    known = standing.opted_out_accounts
    latest = said_last(known.get(account.account_id), said_at)
    return replace(standing, opted_out_accounts={**known, account.account_id: latest})


def _account_named(accounts: Iterable[Account], digits: str) -> Account | None:
    """Return the account with these last digits; `None` if no account has them, or several do."""
    fitting = [account for account in accounts if _fits(account.tail, digits)]
    return fitting[0] if len(fitting) == 1 else None


def _fits(tail: str, digits: str) -> bool:
    shorter, longer = sorted((tail, digits), key=len)
    return len(shorter) >= _SHORTEST_TAIL and longer.endswith(shorter)


def _spoken_of(facts: Facts, digits: str) -> tuple[str, ...]:
    """Return the accounts of a reply about money: the account it names, or all accounts."""
    named = _account_named(facts.accounts, digits)
    return (named.account_id,) if named else tuple(sorted(account.account_id for account in facts.accounts))


def _promised(
    facts: Facts, standing: Standing, parsed: ParsedReply, said_at: datetime, local_day: date, limits: ReplyLimits
) -> tuple[Standing, Sequence[ReviewReason]]:
    """Record a promise. If its day is not certain, or too far off, a person asks, and the customer gets no texts."""
    on = parsed.promised_on
    if on is None or not local_day <= on <= local_day + timedelta(days=limits.promise_days):
        grace = local_day + timedelta(days=limits.grace_days)
        return with_hold(standing, Hold(HoldReason.QUESTION, grace, said_at)), (ReviewReason.PROMISE_UNCLEAR,)
    accounts = _spoken_of(facts, parsed.digits)
    after = with_payment_statement(
        standing,
        PaymentStatement(reason=HoldReason.PROMISE, said_at=said_at, day=local_day, until=on, accounts=accounts),
        facts,
    )
    promises = [promise for promise in after.payment_statements if promise.reason is HoldReason.PROMISE]
    about = {key for promise in promises if promise.said_at == said_at for key in promise.about}
    again = any(promise.said_at != said_at and not about.isdisjoint(promise.about) for promise in promises)
    return after, (ReviewReason.PROMISED_BEFORE,) if again else ()
