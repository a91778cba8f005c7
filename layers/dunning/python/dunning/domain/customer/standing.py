"""
Standing: what we know about contacting a customer.

Caps are computed from the ledger and from nothing else. Progress holds the stage that each ladder has reached.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.delivery.channels import NO_CONTACT, AddressKind, Channel
from dunning.domain.effect.payer_segments import NO_HISTORY, PaymentHistory, with_text_sent
from dunning.domain.replies.intents import ReplyIntent

SMS = "sms"

LEDGER_FLOOR = timedelta(days=31)
"""The ledger remembers at least this long, so that a policy may lengthen a cap without forgetting texts."""

DRAWS_KEPT = timedelta(days=1)
"""
The ledger keeps what was drawn for so long, then until the next claim.

No cap counts a stage that was left out, so that another claim may follow at once, before its record is written.
"""

PROGRESS_LIMIT = 24
"""Ladders kept per customer. Above the limit the ladders of paid instalments are dropped, the oldest first."""

PAYMENT_STATEMENT_LIMIT = 24
"""Payment statements kept per customer and kind. Above the limit the oldest are dropped."""

HOLD_LIMIT = 48
"""Holds kept per customer and reason. Above the limit the oldest are dropped: the newest lasts longest."""

LABEL_LIMIT = 96
"""Labels of replies kept per customer. Above the limit those of the oldest replies are dropped."""

RECENT_LIMIT = 6
"""Decisions not to send kept per customer. Above the limit the oldest are dropped: a claim has to stay below 1 KB."""

ATTENTION_LIMIT = 12
"""Open reviews kept per customer. Above the limit the newest are dropped, the urgent ones last."""

LEAST_URGENT = 9
"""The highest `urgency` a wake has: one digit in the index."""


class Wake(NamedTuple):
    """The moment of a customer's next decision. Of customers who wake together the lowest `urgency` goes first."""

    at: datetime
    urgency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """
    One claimed contact. `for_wake` is the wake that led to the contact, so that a repeated job is recognised.

    `stage` is `None` if the text is no reminder, such as the confirmation of an opt-out. `failed` says that the carrier
    could not deliver the text. The contact counts against every cap all the same.
    """

    send_id: str
    claim_id: str
    at: datetime
    stage: int | None
    accounts: tuple[str, ...]
    channel: str
    for_wake: datetime | None
    failed: bool = False
    also_named: tuple[str, ...] = ()
    """Those of `accounts` whose overdue amount the text names, although no stage of theirs was due."""
    draws: str = ""
    """What chance decided, for `DRAWS_KEPT` at least: so a record that was not written can still be."""
    payer_segment: str = ""
    """The payer segment of the customer, kept as long as `draws`."""
    asked: str = ""
    """What the stage asked for (`drawn_rungs.asked_to_text`), kept as long as `draws`."""

    @property
    def is_held_out(self) -> bool:
        """Whether chance has left the stage out, and nobody was contacted. No cap counts such a claim."""
        return self.channel == NO_CONTACT

    def marks(self, account_id: str) -> bool:
        """Tell whether the text marked a stage of an account."""
        return account_id in self.accounts and account_id not in self.also_named


@dataclass(frozen=True, slots=True)
class Progress:
    """The last stage reached for one instalment, the local day of its claim, and the due date that its text named."""

    stage: int
    on: date
    due_on: date
    asked: int = field(default=0, compare=False)
    """
    What was open of the instalment when a text first marked a stage of it, in minor units; 0 if not known.

    It is kept to be counted, and nothing is decided by it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStatement:
    """
    A customer's statement of a payment: a payment claim ("I have paid"), or a promise to pay. It buys silence.

    The statement is kept as the customer made it. Its instalments are worked out again whenever a payment arrives late
    (`payment_statements.match_to_instalments`).
    """

    reason: HoldReason
    """`SAYS_PAID` for a payment claim, `PROMISE` for a promise to pay."""
    said_at: datetime
    day: date
    """The local day of the statement."""
    until: date
    """The last local day of the silence that follows."""
    accounts: tuple[str, ...]
    """The accounts the customer spoke of."""
    about: tuple[str, ...] = ()
    """The instalments that the statement is taken to be about, by `progress_key`."""
    silent_until: date | None = None
    """
    The last local day of the silence that a promise buys even if an earlier promise counts.

    So a person can read a promise that is made again before the next reminder.
    """


@dataclass(frozen=True, slots=True)
class PromiseToPay:
    """The first promise for one instalment: to pay it by the local day `on`. `kept` is `None` until known."""

    said_at: datetime
    on: date
    kept: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyLabel:
    """
    What a person says that a reply means: intents, and the day of a promise. It takes the place of our reading.

    Of two labels for one reply the newer counts, by the lender's own time `at`; `sequence` orders those of one moment.
    """

    at: datetime
    sequence: int = 0
    intents: tuple[str, ...] = ()
    promised_on: date | None = None

    def is_newer_than(self, other: "ReplyLabel | None") -> bool:
        """Tell whether the label counts and not the other. Of two of the same moment the same label always counts."""
        return other is None or _label_order(self) > _label_order(other)


def _label_order(label: ReplyLabel) -> tuple[datetime, int, tuple[str, ...], date]:
    return label.at, label.sequence, label.intents, label.promised_on or date.min


class RecentDecision(NamedTuple):
    """A decision not to send, in whole seconds: when, its reason, and until when. `until` is `None` for new facts."""

    at: datetime
    reason: str
    until: datetime | None = None


class OpenReview(NamedTuple):
    """
    Something that waits for a person: why, since when, and the carrier's id of the reply, if it is about one.

    `why` is a `ReviewReason`, or `NOT_UNDERSTOOD`.
    """

    why: str
    since: datetime
    reply_id: str = ""


class Outage(NamedTuple):
    """A run of messages that a channel's gateway did not take: the first and the last, in whole seconds."""

    since: datetime
    last: datetime


class AddressSince(NamedTuple):
    """
    What is known of an address, and since when; `None` if the time is not known.

    `is_usable` takes a refusal back: whoever blocked an account on LINE is its friend again.
    """

    address: str
    at: datetime | None = None
    is_usable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    Everything we know about contacting one customer.

    Replies are kept with the time at which the customer spoke, so that their order of arrival makes no difference.
    """

    customer_id: str
    version: int = 0
    """Raised by one with every change: the condition of every write."""
    wake: Wake | None = None
    """The next decision; `None` if only new facts can lead to a decision."""
    ledger: tuple[LedgerEntry, ...] = ()
    """The recent contacts, ordered by time. Caps are computed from them."""
    progress: Mapping[str, Progress] = field(default_factory=dict)
    """The last stage reached on each ladder, by `progress_key`."""
    opted_out_at: datetime | None = None
    """The time of the last opt-out from all texts."""
    suspended: Mapping[str, AddressSince] = field(default_factory=dict)
    """The last address that was refused for good, and its last refusal, by `Channel`."""
    holds: tuple[Hold, ...] = ()
    """The customer's own holds, from replies. The lender's holds are in the facts."""
    planned_for: str = ""
    """The fingerprint of the facts from which the wake was last computed."""
    reason: str = ""
    """The reason of the last decision; empty until the customer is planned for the first time."""
    opted_in_at: datetime | None = None
    """The time of the last opt-in."""
    opted_out_accounts: Mapping[str, datetime] = field(default_factory=dict)
    """The time of the last opt-out from one account, by account id."""
    payment_statements: tuple[PaymentStatement, ...] = ()
    """Payment claims and promises to pay, as the customer made them."""
    promises: Mapping[str, PromiseToPay] = field(default_factory=dict)
    """The first promise for each instalment, by `progress_key`. It follows from `payment_statements`."""
    shared: Mapping[str, AddressSince] = field(default_factory=dict)
    """The address of the customer that was last found to be another customer's, too, by `AddressKind`."""
    reply_labels: Mapping[str, ReplyLabel] = field(default_factory=dict)
    """What people say of replies, by `label_key`. These replies have no other effect than their labels."""
    announced: tuple[str, ...] = ()
    """The stops that only a person can end, and that have been announced and have not ended (`reviews`)."""
    facts_revision: int = field(default=0, compare=False)
    """The revision of the lender record that the standing was last stored with; 0 if not known."""
    recent: tuple[RecentDecision, ...] = field(default=(), compare=False)
    """The last decisions not to send, oldest first. They are kept to be shown, and nothing is decided by them."""
    lender_id: str = field(default="", compare=False)
    """The lender, as of the last decision; empty before the first one. It is kept so that changes can be counted."""
    attention: tuple[OpenReview, ...] = ()
    """What waits for a person, oldest first (`open_reviews`)."""
    attended_at: datetime | None = None
    """The lender's time of the last `CustomerAttended`."""
    outages: Mapping[str, Outage] = field(default_factory=dict)
    """The gateways that took no message for the customer, by channel, where another channel may take over."""
    history: PaymentHistory = NO_HISTORY
    """How the customer has paid so far, as far as the days of payment are known, and the texts without an answer."""

    @property
    def is_planned(self) -> bool:
        """Whether a load has finished with the customer, the search for other owners of the number included."""
        return bool(self.reason)

    @property
    def is_opted_out(self) -> bool:
        """Whether the customer's last word on all texts was an opt-out."""
        return self.opted_out_at is not None and _is_last(self.opted_out_at, self._opted_in_at)

    def is_opted_out_of(self, account_id: str) -> bool:
        """Tell whether the customer wants no texts about one account."""
        return _is_last(self.opted_out_accounts.get(account_id), self._opted_in_at)

    def shares_any_address(self, facts: Facts) -> bool:
        """Tell whether another customer has one of the customer's present addresses, and nobody has released it."""
        return any(self.shares_address(facts, AddressKind(kind).channel) for kind in self.shared)

    @property
    def _opted_in_at(self) -> datetime | None:
        """The time of the last opt-in, unless a person says that the reply was none."""
        if self.opted_in_at is None or not self.reply_labels:
            return self.opted_in_at
        label = self.reply_labels.get(label_key(self.opted_in_at))
        return self.opted_in_at if label is None or ReplyIntent.OPT_IN in label.intents else None

    def is_suspended(self, facts: Facts, channel: Channel = Channel.SMS, address: str = "") -> bool:
        """
        Tell whether the customer's present address on a channel was refused, and no person has released it since.

        `address` is named where the gateway wants another one than the channel's own.
        """
        if not self.suspended:
            return False  # nearly everybody: each decision asks
        known = self.suspended.get(channel)
        if known is None or known.is_usable:
            return False
        return _concerns(facts, address or facts.address_of(channel), known, HoldReason.NUMBER_REFUSED)

    def shares_address(self, facts: Facts, channel: Channel = Channel.SMS) -> bool:
        """Tell whether another customer has the same address on a channel, and no person has released it since."""
        if not self.shared:
            return False  # nearly everybody: each decision asks
        known = self.shared.get(AddressKind.of(channel))
        return known is not None and _concerns(facts, facts.address_of(channel), known, HoldReason.SHARED_PHONE)


def _is_last(out: datetime | None, back_in: datetime | None) -> bool:
    return out is not None and (back_in is None or out >= back_in)


def _concerns(facts: Facts, address: str, known: AddressSince, reason: HoldReason) -> bool:
    if not known.address or known.address != address:
        return False
    return known.at is None or not facts.is_released(reason, known.at)


def holds_now(facts: Facts, standing: Standing) -> list[Hold]:
    """
    Return the present holds: the lender's, and the customer's own that are neither lifted nor settled.

    A payment claim is believed as long as one of its instalments is open. So is a promise to pay.
    """
    if not (standing.holds or standing.payment_statements):
        return list(facts.holds)  # nearly everybody: each decision asks
    own = list(standing.holds)
    if standing.payment_statements:
        still_open = _still_open(facts)
        own += [
            Hold(statement.reason, statement.until, statement.said_at)
            for statement in standing.payment_statements
            if statement.reason is HoldReason.SAYS_PAID and not still_open.isdisjoint(statement.about)
        ]
        own += [
            Hold(HoldReason.PROMISE, statement.silent_until, statement.said_at)
            for statement in standing.payment_statements
            if statement.silent_until is not None and not still_open.isdisjoint(statement.about)
        ]
        own += [
            Hold(HoldReason.PROMISE, promise.on, promise.said_at)
            for key, promise in standing.promises.items()
            if key in still_open
        ]
    return [
        *facts.holds,
        *(
            hold
            for hold in own
            if hold.since is None or not facts.is_released(hold.reason, _known_since(standing, hold.since))
        ),
    ]


def _known_since(standing: Standing, since: datetime) -> datetime:
    """Return the time since which a release can have meant a hold: for a person's label, the time of the label."""
    label = standing.reply_labels.get(label_key(since)) if standing.reply_labels else None
    return max(since, label.at) if label else since


def label_key(said_at: datetime) -> str:
    """Name the reply of a moment, for its label."""
    return said_at.isoformat()


def progress_key(account_id: str, number: int) -> str:
    """Name the ladder of one instalment of one account."""
    return f"{account_id}#{number}"


def first_asked(standing: Standing, facts: Facts, key: str) -> int:
    """Return what was open of an instalment when a text first marked a stage of it: if none has, what is open now."""
    known = standing.progress.get(key)
    if known is not None and known.asked:
        return known.asked
    account_id, _, number = key.rpartition("#")
    return sum(
        instalment.open
        for account in facts.accounts
        if account.account_id == account_id
        for instalment in account.instalments
        if str(instalment.number) == number
    )


def _still_open(facts: Facts) -> set[str]:
    """Return the ladders with an open amount, each instalment by itself: an account's credits do not count."""
    return {progress_key(a.account_id, i.number) for a in facts.accounts for i in a.instalments if i.open > 0}


def said_last(known: datetime | None, said_at: datetime) -> datetime:
    """Return the later time of two statements, so that their order of arrival does not matter."""
    return said_at if known is None else max(known, said_at)


def with_address_refused(standing: Standing, channel: Channel, address: str, at: datetime) -> Standing:
    """
    Return the standing with an address that was refused for good. The last refusal of an address counts.

    The same standing if the address was refused later, or is known to be usable since.
    """
    known = standing.suspended.get(channel)
    if known is not None and known.address == address and known.at is not None and known.at > at:
        return standing
    return _with_suspended(standing, channel, AddressSince(address, at))


def with_address_usable(standing: Standing, channel: Channel, address: str, at: datetime) -> Standing:
    """
    Return the standing with an address that can be reached, whatever was known before: a block on LINE has ended.

    Of a refusal and this the later counts, in whatever order they arrive. The refusal of another address stays.
    """
    known = standing.suspended.get(channel)
    if known is not None and known.address != address and not known.is_usable:
        return standing
    if known is not None and known.address == address and known.at is not None and known.at >= at:
        return standing
    return _with_suspended(standing, channel, AddressSince(address, at, is_usable=True))


def _with_suspended(standing: Standing, channel: Channel, known: AddressSince) -> Standing:
    return replace(standing, suspended={**standing.suspended, channel.value: known})


def with_outage(standing: Standing, channel: str, at: datetime, remembered: timedelta) -> Standing:
    """Return the standing with one more message that a gateway did not take. An old run of them is forgotten."""
    at = _whole_second(at)
    known = standing.outages.get(channel)
    since = known.since if known is not None and at - known.last <= remembered else at
    return replace(standing, outages={**standing.outages, channel: Outage(since, at)})


def without_outage(standing: Standing, channel: str) -> Standing:
    """Return the standing of a customer whose channel is tried again; the same standing if it was not out."""
    if channel not in standing.outages:
        return standing
    others = {name: outage for name, outage in standing.outages.items() if name != channel}
    return replace(standing, outages=others)


def with_decision(standing: Standing, at: datetime, reason: str, until: datetime | None) -> Standing:
    """Return the standing with a decision not to send among the recent decisions; the same decision only once."""
    decision = RecentDecision(_whole_second(at), reason, _whole_second(until) if until else None)
    last = standing.recent[-1] if standing.recent else None
    if last is not None and last[1:] == decision[1:]:
        return standing
    return replace(standing, recent=(*standing.recent, decision)[-RECENT_LIMIT:])


def _whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def with_claim(
    standing: Standing, entry: LedgerEntry, reached: Mapping[str, Progress], remember: timedelta, facts: Facts
) -> Standing:
    """
    Return the standing after a claim: the ledger has the entry, the stages are marked, and the version is raised.

    Entries older than `remember` (at least `LEDGER_FLOOR`) are dropped: no cap looks back that far. The ladder of an
    open instalment is never dropped: its texts would start all over again.
    """
    oldest = entry.at - max(remember, LEDGER_FLOOR)
    kept = [
        replace(past, draws="", payer_segment="", asked="") if past.draws and entry.at - past.at >= DRAWS_KEPT else past
        for past in standing.ledger
        if past.at > oldest
    ]
    progress = {**standing.progress, **reached}
    if len(progress) > PROGRESS_LIMIT:
        done = sorted(progress.keys() - _still_open(facts), key=lambda key: (progress[key].on, key))
        for key in done[: len(progress) - PROGRESS_LIMIT]:
            del progress[key]
    is_text = entry.stage is not None and not entry.is_held_out
    return _changed(
        standing,
        version=standing.version + 1,
        ledger=(*kept, entry),
        progress=progress,
        history=with_text_sent(standing.history) if is_text else standing.history,
    )


def _changed(standing: Standing, **changes: object) -> Standing:
    """Return the standing with other values, as `replace` does in three times the time: each claim makes one."""
    changed = object.__new__(Standing)
    assign = object.__setattr__  # the class is frozen
    for name in Standing.__slots__:
        assign(changed, name, getattr(standing, name))
    for name, value in changes.items():
        assign(changed, name, value)
    return changed


def without_claim(standing: Standing, before: Standing, claim_id: str) -> Standing:
    """
    Return the standing after a claim was released: as if the contact had never been claimed.

    `before` is the standing the claim was made on; only the released contact's stages go back to it.
    """
    entry = next((e for e in standing.ledger if e.claim_id == claim_id), None)
    if entry is None:
        return standing
    kept = {key: reached for key, reached in standing.progress.items() if not entry.marks(key.rpartition("#")[0])}
    ledger = tuple(e for e in standing.ledger if e.claim_id != claim_id)
    history = standing.history
    if history.silent_run > before.history.silent_run:  # nobody has answered meanwhile
        history = history._replace(silent_run=before.history.silent_run)
    progress = {**before.progress, **kept}
    return replace(standing, version=standing.version + 1, ledger=ledger, progress=progress, history=history)


def with_answer(standing: Standing, said_at: datetime) -> Standing:
    """
    Return the standing after the customer wrote: only later texts are without an answer.

    It may be told twice, and late: what is counted is the ledger's texts since then.
    """
    run = sum(
        1 for entry in standing.ledger if entry.stage is not None and not entry.is_held_out and entry.at > said_at
    )
    if run >= standing.history.silent_run:
        return standing
    return replace(standing, history=standing.history._replace(silent_run=run))


def claims_for_wake(standing: Standing, wake_at: datetime) -> list[LedgerEntry]:
    """Return the contacts claimed for this wake: earlier deliveries of the job have claimed them."""
    return [entry for entry in standing.ledger if entry.for_wake == wake_at]
