"""
Fatigue: the longer somebody gets reminders and does nothing, the further apart they come; then a person takes over.

It only ever tightens: under the same facts nobody gets more texts by it, or an earlier one.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LedgerEntry, Standing, progress_key

_HELD_BACK = "none"
"""The channel of a stage at which nothing was sent."""

_DAY_IS_OVER_EVERYWHERE = timedelta(days=1, hours=12)
"""From midnight in UTC: a local day ends last in UTC-12."""


def reminders_heard(standing: Standing) -> list[LedgerEntry]:
    """Return the reminders of the ledger, without what is no reminder, and without those that chance held back."""
    return [entry for entry in standing.ledger if entry.stage is not None and entry.channel != _HELD_BACK]


def silent_run_of(standing: Standing, facts: Facts) -> int:
    """
    Return the number of reminders since the customer last paid, replied, or a text failed to arrive.

    It is counted in the ledger, which remembers 31 days or the longest cap: older reminders are not seen. Of a payment
    is seen when it was, if the lender has said so by an event; else that something that was asked for is paid, in
    whole or in part, and that this was after its last reminder. Of a reply is seen what it has left in the standing:
    "OK" leaves nothing. Where it is not sure whether something ended the run, it did.
    """
    reminders = reminders_heard(standing)
    if not reminders:
        return 0
    answered = max([*_moments_of_replies(standing), *_moments_of_payments(standing, facts)], default=None)
    run = 0
    for entry in reversed(reminders):
        if entry.failed or (answered is not None and entry.at <= answered):
            break
        run += 1
    return run


def _moments_of_replies(standing: Standing) -> Iterator[datetime]:
    """Yield when the customer wrote, as far as the replies have left anything."""
    for moment in (standing.opted_in_at, standing.opted_out_at, *standing.opted_out_accounts.values()):
        if moment is not None:
            yield moment
    for hold in standing.holds:
        if hold.since is not None:
            yield hold.since
    for statement in standing.payment_statements:
        yield statement.said_at
    for promise in standing.promises.values():
        yield promise.said_at
    for said_at in standing.reply_labels:
        yield datetime.fromisoformat(said_at)


def _moments_of_payments(standing: Standing, facts: Facts) -> Iterator[datetime]:
    """
    Yield when the customer has paid, by the lender's events, or the last reminder of what has been paid since.

    A reminder asks for open instalments only. So the payment is later, and reminders up to that day are answered.
    """
    for account in facts.accounts:
        for instalment in account.instalments:
            if instalment.paid_at is not None:
                yield instalment.paid_at
    open_of = {
        progress_key(account.account_id, instalment.number): instalment.open
        for account in facts.accounts
        for instalment in account.instalments
    }
    for key, reached in standing.progress.items():
        left = open_of.get(key, 0)
        if left <= 0 or left < reached.asked:
            yield datetime.combine(reached.on, time(), UTC) + _DAY_IS_OVER_EVERYWHERE
