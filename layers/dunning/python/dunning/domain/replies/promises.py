"""
Promises: a customer's promises to pay, kept or broken.

A promise is kept if the instalment is paid by the end of the promised day where the customer lives.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts, open_instalments
from dunning.domain.customer.standing import PromiseToPay, Standing, progress_key
from dunning.domain.decision.hours import start_of_day


class JudgedPromises(NamedTuple):
    """A standing whose promises are judged, and the instalments (by `progress_key`) whose promise was just broken."""

    standing: Standing
    broken: tuple[str, ...]


def settle_promises(standing: Standing, facts: Facts, zones: Sequence[ZoneInfo], now: datetime) -> JudgedPromises:
    """
    Judge the promises whose instalment is paid or whose day is over.

    A broken promise may still turn out kept, if a late event shows an earlier payment. A kept promise may be judged
    again, if its payment is reversed.
    """
    if not standing.promises:
        return JudgedPromises(standing, ())
    still_open = {
        progress_key(account.account_id, instalment.number)
        for account in facts.accounts
        for instalment in open_instalments(account)
    }
    paid_at = {
        progress_key(account.account_id, instalment.number): instalment.paid_at
        for account in facts.accounts
        for instalment in account.instalments
        if instalment.open <= 0
    }
    promises = dict(standing.promises)
    broken = []
    for key, promise in promises.items():
        ends = _end(promise, zones)
        if key not in still_open:
            paid = paid_at.get(key)
            if paid is not None or promise.kept is None:
                promises[key] = replace(promise, kept=(paid or now) < ends)
        elif now >= ends:
            if promise.kept is not False:
                promises[key] = replace(promise, kept=False)
                broken.append(key)
        elif promise.kept is not None:
            promises[key] = replace(promise, kept=None)
    return (
        JudgedPromises(replace(standing, promises=promises), tuple(broken))
        if promises != standing.promises
        else JudgedPromises(standing, ())
    )


def promise_ends(standing: Standing, zones: Sequence[ZoneInfo]) -> datetime | None:
    """Return the end of the next promise that is not judged yet."""
    return min((_end(promise, zones) for promise in standing.promises.values() if promise.kept is None), default=None)


def _end(promise: PromiseToPay, zones: Sequence[ZoneInfo]) -> datetime:
    return start_of_day(tuple(zones), promise.on.toordinal() + 1)
