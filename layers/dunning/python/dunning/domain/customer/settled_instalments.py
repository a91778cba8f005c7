"""
Settled instalments: what a lender's statement adds to how a customer has paid so far. Pure.

An instalment counts once: when it is first known to be paid in full, and only if the day of the payment is known. What
was reversed later is not taken back.
"""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts, Instalment
from dunning.domain.customer.standing import progress_key
from dunning.domain.effect.payer_segments import PaymentHistory, with_instalment_settled, with_silence_broken


def with_payments_known(
    history: PaymentHistory, before: Facts | None, after: Facts, paid_on: Mapping[str, date], zone: ZoneInfo
) -> PaymentHistory:
    """
    Return the history after facts have changed from `before` to `after`; `None` if there were none.

    `paid_on` are the days that a file gives, by `progress_key`. A payment by event has its own time, which counts on
    the clocks of `zone`. Of an instalment that was not known and comes as paid only a first file tells: later it may be
    one that has been counted.
    """
    known = _instalments_of(before) if before is not None else {}
    settled: list[tuple[date, date]] = []
    for key, instalment in _instalments_of(after).items():
        earlier = known.get(key)
        if earlier is not None and instalment.paid > earlier.paid:
            history = with_silence_broken(history)
        is_new = earlier is None if before is None else earlier is not None and earlier.open > 0
        if not is_new or instalment.open > 0 or instalment.amount <= 0:
            continue
        day = instalment.paid_at.astimezone(zone).date() if instalment.paid_at else paid_on.get(key)
        if day is not None:
            settled.append((day, instalment.due_on))
    for day, due_on in sorted(settled):
        history = with_instalment_settled(history, due_on, day)
    return history


def _instalments_of(facts: Facts) -> Mapping[str, Instalment]:
    return {
        progress_key(account.account_id, instalment.number): instalment
        for account in facts.accounts
        for instalment in account.instalments
    }
