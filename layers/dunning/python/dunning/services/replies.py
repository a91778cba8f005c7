"""
Replies: handles what customers write back, or press. A reply is kept first, then applied, then reported to the lender.

    address ──> customers who have it now ──> parse once ──> keep, below each customer
                 │ no customer: kept below the address        │
                 v                                            v
    standing (version = :read), with the claim of a confirmation if it is due ──> publish once ──> record
                 │ another writer was first: read and apply again
                 └──> outbound events of the whole batch, at least once

A reply that is delivered again changes nothing, but its outbound events are published again: the first may be lost.
A button needs no reading. What has no words, such as a picture, is for a person. Only an SMS is answered by a
confirmation: whoever says stop on another channel gets no text over it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from dunning.contracts.channel_message import is_channel_message, parse_channel_message
from dunning.contracts.inbound_sms import parse_inbound
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing, with_answer
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Stop
from dunning.domain.decision.open_reviews import is_reply_attended, with_announced
from dunning.domain.decision.rules import Policies
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import (
    DunningError,
    UnreadableRecordError,
    error_location,
)
from dunning.domain.outbound_events import (
    CustomerNeedsPerson,
    OutboundEvent,
    ReminderStopped,
    ReplyNotUnderstood,
    ReviewReason,
)
from dunning.domain.replies.buttons import parse_button, read_no_words
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.domain.replies.opt_out_confirmation import wants_no_text_at_all
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.domain.replies.reply_effects import apply_reply, is_not_understood
from dunning.ports.clock import Clock
from dunning.ports.contacts import ContactArchive, ReplyLog
from dunning.ports.customers import AddressIndex, Customer, CustomerStore
from dunning.ports.gateways import EventPublisher, OptOutList, ReplyReader
from dunning.ports.queues import DeadLetters, InboundMessage, NewsFailures
from dunning.ports.telemetry import LogEvent, Metric, Telemetry, metric_of_intent
from dunning.services.news_first import note_failures
from dunning.services.optimistic import CONFLICT, Conflict, write_optimistically
from dunning.services.parking import park
from dunning.services.planning import counted, log_planned_decision, replan, told_again
from dunning.services.reply_place import ReplyPlace, reply_place
from dunning.services.send.claims import LONGEST_RETENTION_DAYS, SECONDS_TO_FINISH, OutOfTimeError
from dunning.services.send.confirmations import OptOutConfirmations, claimed_confirmation

_QUOTABLE = timedelta(days=31)
"""A reply may quote texts younger than this."""

_FEW_WORDS = 24
"""In characters. A reply that quotes one of our texts is longer."""

_WORKERS = 4
"""Replies handled at the same time. Each waits for a few calls, and the queue's batches are small."""


class _Owner(NamedTuple):
    """A customer who has an address now."""

    facts: Facts
    standing: Standing | None


@dataclass(slots=True)
class _Line:
    """
    One address: its replies, oldest first, the customers who have or had it, and the outbound events so far.

    A button of a mail names its customer, and perhaps no address.
    """

    sender: str
    customer_id: str
    channel: Channel
    replies: list[tuple[InboundMessage, InboundSms]] = field(default_factory=list)
    known: dict[str, Customer | UnreadableRecordError] = field(default_factory=dict)
    events: list[OutboundEvent] = field(default_factory=list)
    has_failed: bool = False

    def owners(self) -> dict[str, _Owner]:
        """Return the customers whose present address it is, without the former owners, and the customer it names."""
        return {
            customer_id: _Owner(found.facts, found.standing)
            for customer_id, found in self.known.items()
            if isinstance(found, Customer) and found.facts is not None and self._is_of(found.facts)
        }

    def _is_of(self, facts: Facts) -> bool:
        present, sender = facts.address_of(self.channel), self.sender
        if self.channel is Channel.EMAIL:
            present, sender = present.lower(), sender.lower()
        return facts.customer_id == self.customer_id or present == sender

    def may_be_answered(self, inbound: InboundSms) -> bool:
        """
        Tell whether a text may answer a reply.

        It may not if another reply of the number waits or has failed, because that reply may tell of distress, or if
        one of the customers with the number wants no text at all. What came on another channel is not answered.
        """
        if inbound.channel is not Channel.SMS:
            return False
        is_last = self.replies[-1][1] is inbound and not self.has_failed
        return is_last and not any(
            wants_no_text_at_all(owner.facts, owner.standing) for owner in self.owners().values() if owner.standing
        )

    def numbers_of(self, customer_ids: Iterable[str]) -> list[str]:
        """Return the telephone numbers of these customers, each once."""
        owners = self.owners()
        phones = {owners[customer_id].facts.phone for customer_id in customer_ids if customer_id in owners}
        return sorted(phones - {""})

    def unreadable(self) -> UnreadableRecordError | None:
        """Return the error of a customer who may have the address and whose record cannot be read, if any."""
        return next((found for found in self.known.values() if isinstance(found, UnreadableRecordError)), None)


class _StandingWrite(NamedTuple):
    """The effect of a reply on one customer: the standing after it, and whether it was written just now."""

    after: Standing
    now: bool


class ReplyService:
    """
    Handles replies.

    If a reply has failed `receives_before_person` times, and again twice as many times, an event asks a person to look
    at it. The queue goes on delivering it.
    """

    def __init__(  # noqa: PLR0913 - its ports and its limits
        self,
        *,
        store: CustomerStore,
        phones: AddressIndex,
        replies: ReplyLog,
        contacts: ContactArchive,
        reader: ReplyReader,
        confirmations: OptOutConfirmations,
        opt_out_list: OptOutList,
        publisher: EventPublisher,
        policies: Policies,
        clock: Clock,
        telemetry: Telemetry,
        queue: DeadLetters,
        failures: NewsFailures,
        receives_before_person: int,
    ) -> None:
        self._store = store
        self._phones = phones
        self._replies = replies
        self._contacts = contacts
        self._reader = reader
        self._confirmations = confirmations
        self._opt_out_list = opt_out_list
        self._publisher = publisher
        self._policies = policies
        self._clock = clock
        self._telemetry = telemetry
        self._queue = queue
        self._failures = failures
        self._receives_before_person = receives_before_person
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="replies")

    def handle_batch(self, messages: Sequence[InboundMessage], seconds_left: Callable[[], float]) -> list[str]:
        """
        Handle a batch and return the ids of the messages to deliver again.

        The failure of a reply affects no other reply. Messages that are no replies are parked at once.

        Raises:
            ServiceCallError: whose replies they are is not known: all are to be delivered again.
        """
        try:
            lines, failed = self._lines(messages)
        except DunningError as unknown:
            note_failures(self._failures, self._telemetry, [unknown])
            raise
        errors: list[BaseException] = []
        if not lines:
            return failed
        # Replies from one number are handled in order, and replies from several numbers side by side.
        for turn in range(max(len(line.replies) for line in lines.values())):
            running = [
                (line, self._pool.submit(self._handle_reply, line, line.replies[turn][1], seconds_left))
                for line in lines.values()
                if turn < len(line.replies)
            ]
            for line, future in running:
                message, inbound = line.replies[turn]
                if (error := future.exception()) is not None:
                    line.has_failed = True
                    self._failed(line, message, inbound, error)
                    errors.append(error)
                    failed.append(message.message_id)
        note_failures(self._failures, self._telemetry, errors)
        self._publisher.publish([event for line in lines.values() for event in line.events])
        return failed

    def _lines(self, messages: Sequence[InboundMessage]) -> tuple[dict[tuple[str, str], _Line], list[str]]:
        """Read the messages and their addresses' customers. Return also the messages neither read nor parked."""
        lines: dict[tuple[str, str], _Line] = {}
        not_parked: list[str] = []
        for message in messages:
            try:
                if is_channel_message(message.body):
                    inbound = parse_channel_message(message.body)
                else:
                    inbound = parse_inbound(message.body, message.sent_at)
            except UnreadableRecordError as error:
                if not self._park(message, str(error)):
                    not_parked.append(message.message_id)
                continue
            line = _Line(inbound.sender, inbound.customer_id, inbound.channel)
            lines.setdefault((inbound.sender, inbound.customer_id), line).replies.append((message, inbound))
        ids_of = self._customers_with(lines.values())
        loaded = self._store.load(sorted({customer_id for ids in ids_of.values() for customer_id in ids}))
        for key, line in lines.items():
            line.replies.sort(key=lambda received: (received[1].at, received[1].inbound_id))
            line.known = {customer_id: loaded[customer_id] for customer_id in sorted(ids_of[key])}
        return lines, not_parked

    def _customers_with(self, lines: Iterable[_Line]) -> Mapping[tuple[str, str], frozenset[str]]:
        """Return who has or had the address of each line, and the customer that it names."""
        lines = list(lines)
        having = self._phones.customers_with({line.sender for line in lines if line.sender})
        return {
            (line.sender, line.customer_id): having.get(line.sender, frozenset()).union(
                filter(None, [line.customer_id])
            )
            for line in lines
        }

    def _park(self, message: InboundMessage, why: str) -> bool:
        """Park a message that is no reply, and return whether the queue took it."""
        return park(
            self._queue,
            self._telemetry,
            message,
            why,
            parked=LogEvent.REPLY_PARKED,
            not_parked=LogEvent.REPLY_NOT_PARKED,
            counted=Metric.REPLIES_UNREADABLE,
        )

    def _failed(self, line: _Line, message: InboundMessage, inbound: InboundSms, error: BaseException) -> None:
        """Log a failure. When it has lasted, ask a person to look at the reply."""
        self._telemetry.log_event(
            LogEvent.REPLY_FAILED,
            reply_id=inbound.inbound_id,
            error=type(error).__name__,
            where=error_location(error),
            receives=message.receive_count,
        )
        self._telemetry.count(
            Metric.REPLIES_OUT_OF_TIME if isinstance(error, OutOfTimeError) else Metric.REPLIES_FAILED
        )
        if message.receive_count in {self._receives_before_person, 2 * self._receives_before_person}:
            unsure = [
                customer_id for customer_id, found in line.known.items() if isinstance(found, UnreadableRecordError)
            ]
            calls = [
                CustomerNeedsPerson(customer_id, self._clock.now(), self._why_at_the_end(inbound), inbound.inbound_id)
                for customer_id in (*line.owners(), *unsure)
            ]
            line.events += calls
            for call in calls:
                self._open_review(call)

    def _open_review(self, call: CustomerNeedsPerson) -> None:
        """Write that a customer waits for a person. If that fails, the event alone says so, and the reply fails on."""

        def attempt(customer: Customer) -> Conflict | None:
            if customer.facts is None or customer.standing is None:
                return None
            before = replace(customer.standing, lender_id=customer.facts.lender)
            after = with_announced(before, [call])
            if after == before:
                return None
            planned = replace(after, version=before.version + 1)
            return None if self._store.save_standing(planned, expected_version=before.version) else CONFLICT

        def read() -> Customer | UnreadableRecordError:
            return self._store.load([call.customer_id])[call.customer_id]

        with suppress(DunningError):
            write_optimistically(call.customer_id, read(), read, attempt)

    def _why_at_the_end(self, inbound: InboundSms) -> ReviewReason:
        """Return why a person has to look at a reply that could not be handled: at once, if it tells of distress."""
        try:
            parsed = _without_reader(inbound)
            if parsed is None:
                parsed = self._reader.parse(inbound.text, said_on=inbound.at.date(), phone_country="")
        except Exception:  # noqa: BLE001 - the reader may be what failed
            return ReviewReason.QUESTION
        in_distress = ReplyIntent.DISTRESS in {*parsed.sure, *parsed.likely}
        return ReviewReason.DISTRESS if in_distress else ReviewReason.QUESTION

    def _handle_reply(self, line: _Line, inbound: InboundSms, seconds_left: Callable[[], float]) -> None:
        """Keep and apply one reply, and leave its outbound events in `line`."""
        _check_time(seconds_left)
        owners = line.owners()
        places = {
            customer_id: reply_place(owner.facts, self._policies, inbound.at) for customer_id, owner in owners.items()
        }
        parsed = self._parse(inbound, owners, places.values())
        is_new = self._keep(line, inbound, parsed, places, seconds_left)
        if is_new:
            self._count(parsed, known=bool(owners))
        elif ReplyIntent.DISTRESS in {*parsed.sure, *parsed.likely}:
            # The first delivery may have died before its metrics left: this alarm rather rings twice.
            self._telemetry.count(metric_of_intent(ReplyIntent.DISTRESS))
        written = self._act(line, inbound, parsed, places, seconds_left, is_new=is_new)
        if ReplyIntent.OPT_IN in parsed.sure:
            self._opt_in_with_carrier(line, written, inbound)
        if ReplyIntent.OPT_OUT in parsed.sure:
            self._opt_out_with_carrier(line, written, inbound)
        unreadable = line.unreadable()
        if unreadable is not None:
            raise unreadable

    def _parse(self, inbound: InboundSms, owners: Mapping[str, _Owner], places: Iterable[ReplyPlace]) -> ParsedReply:
        """Parse a reply once, with our own texts if the reply is long enough to quote them."""
        if (parsed := _without_reader(inbound)) is not None:
            return parsed
        our_texts: list[str] = []
        if len(inbound.text) > _FEW_WORDS:
            since = inbound.at - _QUOTABLE
            for customer_id in owners:
                our_texts += [contact.text for contact in self._contacts.recent(customer_id, since) if contact.text]
        return self._reader.parse(
            inbound.text,
            said_on=max((place.day for place in places), default=inbound.at.date()),
            phone_country=next((owner.facts.phone_country for owner in owners.values()), ""),
            our_texts=our_texts,
            customer_name="\n".join(owner.facts.name for owner in owners.values()),
        )

    def _keep(
        self,
        line: _Line,
        inbound: InboundSms,
        parsed: ParsedReply,
        places: Mapping[str, ReplyPlace],
        seconds_left: Callable[[], float],
    ) -> bool:
        """
        Keep a reply below each customer, or below the address if no customer has it. Return whether it is new.

        A customer whose record cannot be read may have the address. The reply is then kept below the address, too. A
        button of a mail to an erased customer, which names no address, is kept nowhere.
        """
        lenders = {customer_id: owner.facts.lender for customer_id, owner in line.owners().items()}
        keeping = {
            customer_id: place.rules.retention_days if place.rules else LONGEST_RETENTION_DAYS
            for customer_id, place in places.items()
        }
        if line.sender and (not keeping or line.unreadable()):
            keeping[""] = LONGEST_RETENTION_DAYS
        is_new = False
        for customer_id, days in keeping.items():
            _check_time(seconds_left)
            expires_at = inbound.at + timedelta(days=days)
            reply = Reply(
                customer_id=customer_id,
                inbound=inbound,
                intents=_best_guess(parsed),
                promised_on=parsed.promised_on,
                expires_at=expires_at,
                sure=parsed.sure,
                likely=parsed.likely,
                why=parsed.why,
                digits=parsed.digits,
                lender=lenders.get(customer_id, ""),
            )
            if self._replies.keep(reply):
                is_new = True
                self._telemetry.log_event(
                    LogEvent.REPLY,
                    customer_id=customer_id,
                    reply_id=inbound.inbound_id,
                    channel=inbound.channel.value,
                    intents=",".join(_best_guess(parsed)),
                    sure=",".join(parsed.sure),
                    likely=",".join(parsed.likely),
                    promised_on=parsed.promised_on.isoformat() if parsed.promised_on else "",
                    why="; ".join(parsed.why),
                )
        return is_new

    def _count(self, parsed: ParsedReply, *, known: bool) -> None:
        self._telemetry.count(Metric.REPLIES)
        if not known:
            self._telemetry.count(Metric.REPLIES_FROM_NOBODY)
        self._telemetry.count(_metric_of_certainty(parsed))
        if is_not_understood(parsed):
            self._telemetry.count(Metric.REPLIES_NOT_UNDERSTOOD)
        for intent in (*parsed.sure, *parsed.likely):
            self._telemetry.count(metric_of_intent(intent))

    def _act(
        self,
        line: _Line,
        inbound: InboundSms,
        parsed: ParsedReply,
        places: Mapping[str, ReplyPlace],
        seconds_left: Callable[[], float],
        *,
        is_new: bool,
    ) -> list[_StandingWrite]:
        """Apply a reply to all customers who have the number. If a confirmation is due, one of them gets it."""
        owners = {customer_id: Customer(*owner) for customer_id, owner in line.owners().items()}
        may_confirm = not self._confirmations.settle(owners, inbound) and line.may_be_answered(inbound)
        results: list[_StandingWrite] = []
        for customer_id, place in places.items():
            _check_time(seconds_left)
            written = self._write(line, customer_id, inbound, parsed, place, may_confirm=may_confirm, is_new=is_new)
            if written is None:
                continue
            results.append(written)
            may_confirm = may_confirm and claimed_confirmation(written.after, inbound) is None
        return results

    def _write(
        self,
        line: _Line,
        customer_id: str,
        inbound: InboundSms,
        parsed: ParsedReply,
        place: ReplyPlace,
        *,
        may_confirm: bool,
        is_new: bool,
    ) -> _StandingWrite | None:
        """
        Write the effect of a reply under the version read, with the claim of a confirmation if that is due.

        What calls for a person is open from here on. A reply that is delivered again opens nothing that a person has
        attended since. Of a customer who has been erased a moment ago nothing is written, and `None` returned.
        """
        tried: list[OutboundEvent] = []

        def attempt(customer: Customer) -> _StandingWrite | Conflict | None:
            line.known[customer_id] = customer
            facts, before = customer.facts, customer.standing or Standing(customer_id=customer_id)
            if facts is None:
                return None
            line.events += told_again(tried, before)
            after, needs, in_doubt = apply_reply(
                counted(facts, self._policies, inbound.at), before, parsed, inbound.at, place.day, place.limits
            )
            after = with_answer(after, inbound.at)
            now = self._clock.now()
            reviews: list[OutboundEvent] = [
                CustomerNeedsPerson(customer_id, now, need, inbound.inbound_id) for need in needs
            ]
            if in_doubt:
                reviews.append(ReplyNotUnderstood(customer_id, now, inbound.inbound_id))
            changes_nothing = after == before
            if is_new or not changes_nothing or not is_reply_attended(before, inbound.at):
                after = with_announced(after, reviews)
            if after == before:
                line.events += reviews
                if not is_new and customer.standing:
                    line.events += self._stop_events(facts, before, now)
                return _StandingWrite(before, now=False)
            confirmation = (
                self._confirmations.claim(facts, before, after, parsed, inbound, place.rules, place.zones, now)
                if may_confirm and place.rules
                else None
            )
            if confirmation:
                after = confirmation.claimed
            planned = replan(facts, before, after, self._policies, now)
            claim_id = confirmation.claim_id if confirmation else ""
            if not self._store.save_standing(planned.standing, expected_version=before.version, claim_id=claim_id):
                tried[:] = planned.events
                return CONFLICT
            line.known[customer_id] = Customer(facts, planned.standing)
            line.events += [*planned.events, *reviews]
            if _opts_out(before, after):
                self._telemetry.count(Metric.OPT_OUTS)
            log_planned_decision(self._telemetry, customer_id, planned.decision, now)
            if confirmation:
                self._confirmations.publish(facts, before, planned.standing, confirmation)
            return _StandingWrite(planned.standing, now=True)

        return write_optimistically(
            customer_id, line.known[customer_id], lambda: self._store.load([customer_id])[customer_id], attempt
        )

    def _opt_in_with_carrier(self, line: _Line, written: Sequence[_StandingWrite], inbound: InboundSms) -> None:
        """
        Take the numbers of customers who have just opted in off the carrier's list.

        A failure is only logged: the nightly comparison with the list tries again.
        """
        back = [write.after.customer_id for write in written if write.now and not write.after.is_opted_out]
        for phone in line.numbers_of(back):
            try:
                allowed = self._opt_out_list.opt_in(phone)
            except DunningError as error:
                self._telemetry.log_event(
                    LogEvent.OPT_IN_FAILED, reply_id=inbound.inbound_id, error=type(error).__name__
                )
                self._telemetry.count(Metric.CARRIER_OPT_INS_FAILED)
                continue
            self._telemetry.count(Metric.CARRIER_OPT_INS if allowed else Metric.CARRIER_OPT_INS_REFUSED)

    def _opt_out_with_carrier(self, line: _Line, written: Sequence[_StandingWrite], inbound: InboundSms) -> None:
        """
        Put the numbers of customers who have opted out on the carrier's list: what is on its way may still be stopped.

        A failure is only logged: our own opt-out is written, and holds.
        """
        out = [write.after.customer_id for write in written if write.after.is_opted_out]
        for phone in line.numbers_of(out):
            try:
                self._opt_out_list.opt_out(phone)
            except DunningError as error:
                self._telemetry.log_event(
                    LogEvent.CARRIER_OPT_OUT_NOT_WRITTEN, reply_id=inbound.inbound_id, error=type(error).__name__
                )
                self._telemetry.count(Metric.CARRIER_OPT_OUTS_FAILED)

    def _stop_events(self, facts: Facts, standing: Standing, now: datetime) -> list[ReminderStopped]:
        """Return the event that no reminder follows, if none does: whoever wrote the stop may not have published it."""
        decision = decide(facts, standing, self._policies, now)
        return [ReminderStopped(facts.customer_id, now, decision.reason.value)] if isinstance(decision, Stop) else []


def _check_time(seconds_left: Callable[[], float]) -> None:
    """
    End a reply for which no time is left: a number may have very many customers, and the next delivery goes on.

    Raises:
        OutOfTimeError: too little time is left for another write.
    """
    if seconds_left() < SECONDS_TO_FINISH:
        raise OutOfTimeError


def _without_reader(inbound: InboundSms) -> ParsedReply | None:
    """Return what needs no reader: the meaning of a button, or that there are no words; `None` for words."""
    if inbound.button:
        return parse_button(inbound.button)
    if not inbound.text.strip():
        return read_no_words()
    return None


def _best_guess(parsed: ParsedReply) -> tuple[ReplyIntent, ...]:
    """Return what people read as the meaning of a reply, whatever its bands."""
    return parsed.guess or (*parsed.sure, *parsed.likely)


def _metric_of_certainty(parsed: ParsedReply) -> Metric:
    """Return the metric that counts replies read as certainly as this: each reply is counted by one of three."""
    if parsed.is_surely_quiet or not parsed.is_in_doubt:
        return Metric.REPLIES_SURE
    return Metric.REPLIES_LIKELY if parsed.likely else Metric.REPLIES_IN_DOUBT


def _opts_out(before: Standing, after: Standing) -> bool:
    """Tell whether a customer has just opted out, of all texts or of an account."""
    if before.is_opted_out:
        return False
    return after.is_opted_out or any(
        after.is_opted_out_of(account_id) and not before.is_opted_out_of(account_id)
        for account_id in after.opted_out_accounts
    )
