"""
Standing: what we know about contacting a customer.

The ledger is the only thing caps are computed from; progress says how far each ladder has been heard.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from dunning.domain.customer.facts import Facts, Hold, HoldReason

SMS = "sms"

LEDGER_FLOOR = timedelta(days=31)
"""The ledger remembers at least this long, so that a policy may lengthen a cap without forgetting texts."""

PROGRESS_LIMIT = 24
"""Ladders remembered per customer; beyond it those of paid instalments are forgotten, the oldest first."""

PAYMENT_STATEMENT_LIMIT = 24
"""Payment statements remembered per customer and kind; beyond it the oldest are forgotten."""

LEAST_URGENT = 9
"""The highest `urgency` a wake has: one digit in the index."""


class Wake(NamedTuple):
    """When a customer is next worth a decision; of all who wake together the lowest `urgency` goes first."""

    at: datetime
    urgency: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """
    One claimed contact. `for_wake` is the wake that led to it, so that a repeated job is recognised.

    `stage` is `None` for what is no reminder, such as the confirmation of an opt-out. `failed` tells that the carrier
    could not deliver it; it counts against every cap all the same.
    """

    send_id: str
    claim_id: str
    at: datetime
    stage: int | None
    accounts: tuple[str, ...]
    channel: str
    for_wake: datetime | None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """The last stage heard for one instalment, the local day it was claimed, and the due date it spoke of."""

    stage: int
    on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class PaymentStatement:
    """
    What a customer said of a payment: a payment claim ("I have paid"), or a promise to pay. It buys silence.

    It is kept as it was said. Which instalments it is about is worked out anew whenever a payment is heard of late
    (`payment_statements.match_to_instalments`).
    """

    reason: HoldReason
    """`SAYS_PAID` for a payment claim, `PROMISE` for a promise to pay."""
    said_at: datetime
    day: date
    """The local day on which it was said."""
    until: date
    """The last local day of the silence it buys."""
    accounts: tuple[str, ...]
    """The accounts the customer spoke of."""
    about: tuple[str, ...] = ()
    """The instalments it is taken for, by `progress_key`."""


@dataclass(frozen=True, slots=True)
class PromiseToPay:
    """What was first promised of one instalment: to pay it by the local day `on`. `kept` is `None` until known."""

    said_at: datetime
    on: date
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """
    What we know about contacting one customer, versioned: every change bumps `version`.

    `ledger` is ordered by time. `progress` and `promises` are keyed by `progress_key`; the latter follow from
    `payment_statements`, and say whether they were kept. `planned_for` names the facts the wake was last computed from.
    `suspended_phone` is a number the carrier refused for good, `shared_phone` one that another customer has, too.
    Opt-outs, opt-ins, holds and payment statements are kept with the moment at which the customer spoke, so that they
    come to the same in whatever order they arrive.
    """

    customer_id: str
    version: int = 0
    wake: Wake | None = None
    ledger: tuple[LedgerEntry, ...] = ()
    progress: Mapping[str, Progress] = field(default_factory=dict)
    opted_out_at: datetime | None = None
    suspended_phone: str = ""
    holds: tuple[Hold, ...] = ()
    planned_for: str = ""
    reason: str = ""
    opted_in_at: datetime | None = None
    opted_out_accounts: Mapping[str, datetime] = field(default_factory=dict)
    payment_statements: tuple[PaymentStatement, ...] = ()
    promises: Mapping[str, PromiseToPay] = field(default_factory=dict)
    suspended_at: datetime | None = None
    shared_phone: str = ""
    shared_at: datetime | None = None

    @property
    def is_planned(self) -> bool:
        """Whether a load has come to its end with the customer: who else has the number was looked at, too."""
        return bool(self.reason)

    @property
    def is_opted_out(self) -> bool:
        """Whether the customer's last word was to be left alone."""
        return _is_last(self.opted_out_at, self.opted_in_at)

    def is_opted_out_of(self, account_id: str) -> bool:
        """Tell whether the customer wants no texts about one account."""
        return _is_last(self.opted_out_accounts.get(account_id), self.opted_in_at)

    def is_suspended(self, facts: Facts) -> bool:
        """Tell whether the carrier refused the customer's present number, and nobody has looked at it since."""
        return _concerns(facts, self.suspended_phone, self.suspended_at, HoldReason.NUMBER_REFUSED)

    def shares_phone(self, facts: Facts) -> bool:
        """Tell whether another customer has the same number, and nobody has looked at it since."""
        return _concerns(facts, self.shared_phone, self.shared_at, HoldReason.SHARED_PHONE)


def _is_last(out: datetime | None, back_in: datetime | None) -> bool:
    return out is not None and (back_in is None or out >= back_in)


def _concerns(facts: Facts, phone: str, since: datetime | None, reason: HoldReason) -> bool:
    return bool(phone) and phone == facts.phone and not (since and facts.is_released(reason, since))


def holds_now(facts: Facts, standing: Standing) -> list[Hold]:
    """
    Return the holds there are: the lender's, and the customer's own that are neither lifted nor settled.

    Whoever says to have paid is believed so long as something is open that it was said of, a promise likewise.
    """
    own = list(standing.holds)
    if standing.payment_statements:
        still_open = _still_open(facts)
        own += [
            Hold(statement.reason, statement.until, statement.said_at)
            for statement in standing.payment_statements
            if statement.reason is HoldReason.SAYS_PAID and not still_open.isdisjoint(statement.about)
        ]
        own += [
            Hold(HoldReason.PROMISE, promise.on, promise.said_at)
            for key, promise in standing.promises.items()
            if key in still_open
        ]
    return [
        *facts.holds,
        *(hold for hold in own if hold.since is None or not facts.is_released(hold.reason, hold.since)),
    ]


def progress_key(account_id: str, number: int) -> str:
    """Name the ladder of one instalment of one account."""
    return f"{account_id}#{number}"


def _still_open(facts: Facts) -> set[str]:
    """Return the ladders of which something is open, each instalment by itself: an account's credits do not count."""
    return {progress_key(a.account_id, i.number) for a in facts.accounts for i in a.instalments if i.open > 0}


def said_last(known: datetime | None, said_at: datetime) -> datetime:
    """Return the later of two moments at which something was said, so that the order they arrive in does not matter."""
    return said_at if known is None else max(known, said_at)


def with_number_refused(standing: Standing, phone: str, at: datetime) -> Standing:
    """Return the standing with a number that the carrier refused for good; of one number the last refusal counts."""
    since = standing.suspended_at if standing.suspended_phone == phone else None
    return replace(standing, suspended_phone=phone, suspended_at=said_last(since, at))


def with_claim(
    standing: Standing, entry: LedgerEntry, reached: Mapping[str, Progress], remember: timedelta, facts: Facts
) -> Standing:
    """
    Return the standing as it is once a contact is claimed: entry in the ledger, stages marked, version bumped.

    Entries older than `remember` (at least `LEDGER_FLOOR`) are dropped: no cap looks back that far. Of the ladders
    none is forgotten whose instalment is still open: it would be heard all over again.
    """
    oldest = entry.at - max(remember, LEDGER_FLOOR)
    kept = tuple(past for past in standing.ledger if past.at > oldest)
    progress = {**standing.progress, **reached}
    if len(progress) > PROGRESS_LIMIT:
        done = sorted(progress.keys() - _still_open(facts), key=lambda key: (progress[key].on, key))
        for key in done[: len(progress) - PROGRESS_LIMIT]:
            del progress[key]
    return replace(standing, version=standing.version + 1, ledger=(*kept, entry), progress=progress)


def without_claim(standing: Standing, before: Standing, claim_id: str) -> Standing:
    """
    Return the standing after a claim was released: as if the contact had never been claimed.

    `before` is the standing the claim was made on; only the released contact's stages go back to it.
    """
    entry = next((e for e in standing.ledger if e.claim_id == claim_id), None)
    if entry is None:
        return standing
    kept = {key: reached for key, reached in standing.progress.items() if key.rpartition("#")[0] not in entry.accounts}
    ledger = tuple(e for e in standing.ledger if e.claim_id != claim_id)
    return replace(standing, version=standing.version + 1, ledger=ledger, progress={**before.progress, **kept})


def claim_for_wake(standing: Standing, wake_at: datetime) -> LedgerEntry | None:
    """Return the contact that was claimed for this wake, if any: the job has been here before."""
    return next((entry for entry in standing.ledger if entry.for_wake == wake_at), None)
