"""
The timeline of a customer: what the lender said, what was decided, texted, reported and written back, by time.

It is worked out from the evidence alone. Nothing is left out and nothing is summed up: whoever complains, and whoever
looks into a complaint, sees each line that is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from dunning.contracts.instants import instant
from dunning.domain.counters import is_stop
from dunning.domain.customer.facts import Account, Facts, HoldReason, Instalment
from dunning.domain.customer.lender_record import (
    AccountClosed,
    AddressChanged,
    ConsentChanged,
    CustomerAttended,
    CustomerHold,
    CustomerReleased,
    InstalmentChanged,
    InstalmentPaid,
    LenderRecord,
    RecordedEvent,
)
from dunning.domain.customer.standing import LedgerEntry, Standing, label_key
from dunning.domain.decision.open_reviews import reviews_that_wait
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.delivery.contact import Contact
from dunning.domain.errors import UnknownCurrencyError
from dunning.domain.replies.intents import Band
from dunning.domain.replies.reply import Reply
from dunning.domain.texts.money import format_money
from dunning.evidence.customer_evidence import Evidence, LoggedLine
from dunning.evidence.words import BANDS, REASONS, STATES, hold_in_words, silences, stage_name, understood, with_day
from dunning.ports.telemetry import LogEvent

_MICRO = 1_000_000


class EntryKind(StrEnum):
    """The kinds of entries, in the order in which entries of one moment stand."""

    FACT = "fact"
    REPLY = "reply"
    LABEL = "label"
    SILENCE = "silence"
    DECISION = "decision"
    TEXT = "text"
    RECEIPT = "receipt"
    LOG = "log"
    UNREADABLE = "unreadable"


MEANINGS: Mapping[EntryKind, str] = {
    EntryKind.FACT: "what the lender says, by file or by event, at the lender's own time",
    EntryKind.REPLY: "what the customer wrote, and what the program understood",
    EntryKind.LABEL: "what a person says that a reply means; it takes the place of what was understood",
    EntryKind.SILENCE: "what silences the reminders, or lets them go on, from its beginning",
    EntryKind.DECISION: "the program decided to send, to wait or to stop: the reason, and the questions it asked",
    EntryKind.TEXT: "a text to the customer, word for word as it was handed to the carrier's service",
    EntryKind.RECEIPT: "what the carrier reported of a text, at the carrier's own time",
    EntryKind.LOG: "another line that a function logged of the customer",
    EntryKind.UNREADABLE: "something is stored that cannot be read",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened. `quote` is a text word for word; `details` are named values, in the order to show."""

    at: datetime
    kind: EntryKind
    title: str
    quote: str = ""
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The customer as known now, and all entries by time. Local times are those of `zone`."""

    customer_id: str
    zone: ZoneInfo
    erased_at: datetime | None
    person: tuple[tuple[str, str], ...]
    still_open: tuple[str, ...]
    now: tuple[str, ...]
    entries: tuple[Entry, ...]
    gaps: tuple[str, ...]


def build_timeline(evidence: Evidence, zone: ZoneInfo, now: datetime) -> Timeline:
    """Build the timeline of a customer as of a moment."""
    record, facts = evidence.lender_record, evidence.facts
    traced = {line.fields.get("send_id") for line in evidence.logged if line.fields.get("trace")}
    found = [
        *(_facts(record) if record else ()),
        *(_replies(evidence.replies)),
        *(_standing(evidence, evidence.standing) if evidence.standing else ()),
        *(_recent(evidence.standing, evidence.logged, zone) if evidence.standing else ()),
        *(_decision(line, zone) if line.is_decision else _log(line) for line in evidence.logged),
        *(entry for contact in evidence.contacts for entry in _contact(contact, has_trace=contact.send_id in traced)),
        *_unreadable(evidence),
    ]
    order = list(EntryKind)
    # A stable sort: entries of one kind and moment stay in the order of their source.
    entries = sorted(found, key=lambda entry: (entry.at, order.index(entry.kind)))
    return Timeline(
        customer_id=evidence.customer_id,
        zone=zone,
        erased_at=record.erased_at if record else None,
        person=tuple(_person(record, facts)),
        still_open=tuple(_what_is_open(facts)) if facts else (),
        now=tuple(_situation(evidence, facts, zone, now)),
        entries=tuple(entries),
        gaps=tuple(_gaps(evidence)),
    )


def timeline_document(timeline: Timeline, **about: str) -> dict[str, Any]:
    """Return the timeline as one JSON object, each instant in UTC and in the customer's time."""
    return {
        "customer_id": timeline.customer_id,
        **about,
        "time_zone": timeline.zone.key,
        "erased_at": instant(timeline.erased_at) if timeline.erased_at else None,
        "person": dict(timeline.person),
        "open": list(timeline.still_open),
        "now": list(timeline.now),
        "entries": [
            {
                "at": instant(entry.at),
                "local_at": entry.at.astimezone(timeline.zone).isoformat(timespec="seconds"),
                "kind": entry.kind.value,
                "title": entry.title,
                "quote": entry.quote or None,
                "details": [{"name": name, "value": value} for name, value in entry.details],
            }
            for entry in timeline.entries
        ],
        "not_read": list(timeline.gaps),
    }


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _money(amount: int, currency: str) -> str:
    try:
        return format_money(amount, currency, "en")
    except UnknownCurrencyError:
        return f"{amount} minor units of {currency or 'a currency that is not known'}"


def _with_values(*details: tuple[str, str | None]) -> tuple[tuple[str, str], ...]:
    """Return the details that have a value."""
    return tuple((name, value) for name, value in details if value)


# ------------------------------------------------------------------ the customer now


def _person(record: LenderRecord | None, facts: Facts | None) -> Iterator[tuple[str, str]]:
    if facts:
        yield "name", facts.name
        yield "number", facts.phone
        if facts.email:
            yield "e-mail address", facts.email
        if facts.line_user_id:
            yield "LINE user", facts.line_user_id
        yield "lives in", "-".join(filter(None, (facts.country, facts.region)))
        yield "language", facts.language
        yield "lender", facts.lender
        yield "consent", instant(facts.consented_at) if facts.consented_at else "none on record"
        for channel, given in sorted((facts.channel_consents or {}).items()):
            yield f"consent to {channel}", instant(given)
    former = [phone for phone in (record.phones if record else ()) if facts is None or phone != facts.phone]
    if former:
        yield "other numbers", ", ".join(former)
    present = facts.addresses if facts else ()
    others = [address for address in (record.addresses if record else ()) if address not in present]
    if others:
        yield "other addresses", ", ".join(others)


def _what_is_open(facts: Facts) -> Iterator[str]:
    for account in facts.accounts:
        for instalment in account.instalments:
            if instalment.open > 0:
                yield f"{account.account_id} {_instalment(account, instalment)}"


def _instalment(account: Account, instalment: Instalment) -> str:
    words = (
        f"no. {instalment.number} due {instalment.due_on}: {_money(instalment.amount, account.currency)}, "
        f"paid {_money(instalment.paid, account.currency)}"
    )
    if instalment.late_fee:
        words += f", {_money(instalment.late_fee, account.currency)} of it a late fee"
    if instalment.written_notice_on:
        words += f", written notice on {instalment.written_notice_on}"
    if instalment.stage_reached is not None:
        words += f", another system had sent {stage_name(instalment.stage_reached)}"
    return words


def _situation(evidence: Evidence, facts: Facts | None, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    record, standing = evidence.lender_record, evidence.standing
    if record and record.erased_at:
        yield f"The customer was erased at {_local(record.erased_at, zone)}."
        if facts is None:
            yield (
                "What is left: the id, the moment of the erasure, numbers until nothing is under way to them, "
                "and of each text when it was sent, by which wording, what became of it and what it cost."
            )
    if standing:
        reason = f"{REASONS.get(standing.reason, 'not planned yet')} ({standing.reason or '-'})"
        if standing.wake:
            yield f"Next decision: {_local(standing.wake.at, zone)}. Until then: {reason}."
        else:
            yield f"No decision is planned before the lender or the customer says something new: {reason}."
        for review in reviews_that_wait(standing):
            about = f", reply {review.reply_id}" if review.reply_id else ""
            yield f"Waits for a person since {_local(review.since, zone)}: {review.why}{about}."
    if facts:
        yield from (f"Silence: {words}." for words in silences(facts, standing, now.astimezone(zone).date()))


def _gaps(evidence: Evidence) -> Iterator[str]:
    for kind, at, error in evidence.unreadable:
        where = f" of {instant(at)}" if at else ""
        yield f"The stored {kind}{where} cannot be read ({error}). It is not shown."
    yield from evidence.gaps


def _unreadable(evidence: Evidence) -> Iterator[Entry]:
    """Yield what cannot be read and has a moment in its key."""
    for kind, at, error in evidence.unreadable:
        if at is not None:
            title = f"a {kind} is stored that cannot be read"
            yield Entry(at=at, kind=EntryKind.UNREADABLE, title=title, details=(("error", error),))


# ------------------------------------------------------------------ what the lender says


def _facts(record: LenderRecord) -> Iterator[Entry]:
    snapshot = record.snapshot
    if snapshot is not None:
        if snapshot.consented_at:
            yield Entry(
                at=snapshot.consented_at,
                kind=EntryKind.FACT,
                title="the customer consented to be contacted, as the lender says",
            )
        if snapshot.as_of:
            yield Entry(
                at=snapshot.as_of,
                kind=EntryKind.FACT,
                title="the lender's newest file of accounts, as of this moment",
                details=tuple(_snapshot(snapshot)),
            )
    yield from (_lender_event(recorded) for recorded in record.events.values())
    if record.erased_at:
        yield Entry(at=record.erased_at, kind=EntryKind.FACT, title="the lender had the customer erased")


def _snapshot(snapshot: Facts) -> Iterator[tuple[str, str]]:
    for account in snapshot.accounts:
        ends = f" (ends in {account.tail})" if account.tail else ""
        product = f", {account.product}" if account.product else ""
        for instalment in account.instalments:
            yield "account", f"{account.account_id}{ends}{product}: {_instalment(account, instalment)}"
    for hold in snapshot.holds:
        yield "hold", hold_in_words(hold)
    if snapshot.opted_out:
        yield "opted out", "the lender says that the customer wants no texts"
    if snapshot.paid_as_of:
        yield "payments", f"known up to {instant(snapshot.paid_as_of)}"


def _lender_event(recorded: RecordedEvent) -> Entry:
    title, details = _event_in_words(recorded)
    details = (*details, *_with_values(("by", recorded.by)))
    return Entry(at=recorded.time.at, kind=EntryKind.FACT, title=title, details=details)


def _way_in_words(way: AddressChanged | ConsentChanged) -> tuple[str, tuple[tuple[str, str], ...]]:
    if isinstance(way, AddressChanged):
        title = f"the {way.kind} address is another" if way.address else f"there is no {way.kind} address any more"
        return title, _with_values(("address", way.address))
    if way.consented_at is None:
        return f"the consent to {way.channel} is withdrawn", ()
    return f"the customer has consented to {way.channel}", (("consented at", instant(way.consented_at)),)


def _event_in_words(  # noqa: PLR0911 - one a kind of event
    recorded: RecordedEvent,
) -> tuple[str, tuple[tuple[str, str], ...]]:
    match recorded.event:
        case InstalmentPaid(account_id=account_id, number=number, paid=paid, currency=currency):
            return f"{account_id} no. {number} is paid up to {_money(paid, currency)}", ()
        case InstalmentChanged() as changed:
            return f"{changed.account_id} no. {changed.number} is changed, or new", _with_values(
                ("due on", changed.due_on.isoformat()),
                ("amount", _money(changed.amount, changed.currency)),
                ("late fee", _money(changed.late_fee, changed.currency) if changed.late_fee else ""),
                ("written notice", changed.written_notice_on.isoformat() if changed.written_notice_on else ""),
            )
        case AccountClosed(account_id=account_id):
            return f"{account_id} is closed: nothing is left to pay", ()
        case CustomerHold(reason=reason, until=until):
            return f"the lender wants silence {_until_in_words(until)} ({reason})", ()
        case CustomerReleased(reason=reason):
            return f"a person has looked: {f'holds for {reason}' if reason else 'all holds'} end", ()
        case AddressChanged() | ConsentChanged() as way:
            return _way_in_words(way)
        case CustomerAttended(outcome=outcome):
            return "a person has attended to the customer", _with_values(("outcome", outcome))


def _until_in_words(until: date | None) -> str:
    return f"through {until}" if until else "until it is released"


# ------------------------------------------------------------------ what the customer says


def _replies(replies: Sequence[Reply]) -> Iterator[Entry]:
    for reply in replies:
        reading = {
            "sure": reply.sure,
            "likely": reply.likely,
            "guess": reply.intents,
            "promised_on": reply.promised_on.isoformat() if reply.promised_on else None,
        }
        band = Band.LIKELY if reply.likely else Band.SURE if reply.sure else Band.DOUBT
        yield Entry(
            at=reply.inbound.at,
            kind=EntryKind.REPLY,
            title="the customer wrote",
            quote=reply.inbound.text,
            details=(
                ("from", reply.inbound.phone),
                ("understood", understood(reading)),
                ("certainty", f"{band}: {BANDS[band]}"),
                *(("why", why) for why in dict.fromkeys(reply.why) or ("nothing in it is known",)),
                *_with_values(("account", reply.digits), ("reply id", reply.inbound.inbound_id)),
            ),
        )
        if label := reply.label:
            says = with_day(label.intents or ["nothing"], label.promised_on.isoformat() if label.promised_on else None)
            yield Entry(
                at=label.at,
                kind=EntryKind.LABEL,
                title=f"a person says that the reply means: {says}",
                details=(("reply id", reply.inbound.inbound_id),),
            )


# ------------------------------------------------------------------ what silences the reminders


def _standing(evidence: Evidence, standing: Standing) -> Iterator[Entry]:
    for at, title in _silenced(standing):
        yield Entry(at=at, kind=EntryKind.SILENCE, title=title)
    for hold in standing.holds:
        if hold.since is not None:
            facts = evidence.facts
            released = facts is not None and facts.is_released(hold.reason, hold.since)
            yield Entry(at=hold.since, kind=EntryKind.SILENCE, title=hold_in_words(hold, is_released=released))
    for statement in standing.payment_statements:
        is_claim = statement.reason is HoldReason.SAYS_PAID
        title = "the customer says it is paid" if is_claim else "the customer promises to pay"
        yield Entry(
            at=statement.said_at,
            kind=EntryKind.SILENCE,
            title=f"{title}: silent through {statement.until}, or until it is paid",
            details=_with_values(("about", ", ".join(_ladder(key) for key in statement.about))),
        )
    for key, promise in standing.promises.items():
        outcome = {None: "still open", True: "kept", False: "broken"}[promise.kept]
        yield Entry(
            at=promise.said_at,
            kind=EntryKind.SILENCE,
            title=f"a promise for {_ladder(key)} by {promise.on}: {outcome}",
        )
    labelled = {label_key(reply.inbound.at) for reply in evidence.replies}
    for key, label in standing.reply_labels.items():
        if key not in labelled:
            says = with_day(label.intents or ["nothing"], label.promised_on.isoformat() if label.promised_on else None)
            yield Entry(
                at=label.at,
                kind=EntryKind.LABEL,
                title=f"a person says that the reply of {key}, which is no longer kept, means: {says}",
            )
    recorded = {contact.claim_id for contact in evidence.contacts}
    yield from (_claim_without_record(entry) for entry in standing.ledger if entry.claim_id not in recorded)


def _silenced(standing: Standing) -> Iterator[tuple[datetime, str]]:
    if standing.opted_out_at:
        yield standing.opted_out_at, "no text any more: the customer opted out"
    if standing.opted_in_at:
        yield standing.opted_in_at, "texts again: the customer opted in"
    for account_id, at in standing.opted_out_accounts.items():
        yield at, f"no text about {account_id} any more: the customer opted out of it"
    for channel, known in standing.suspended.items():
        if known.at and not known.is_usable:
            yield known.at, f"{_ADDRESSES[channel]} is suspended: the carrier refused it"
    for kind, known in standing.shared.items():
        if known.at:
            yield known.at, f"{_ADDRESSES[kind]} is found to be another customer's, too"


_ADDRESSES: Mapping[str, str] = {
    Channel.SMS: "the number",
    Channel.VOICE: "the number, for calls,",
    Channel.WHATSAPP: "the number, on WhatsApp,",
    AddressKind.NUMBER: "the number",
    AddressKind.EMAIL: "the e-mail address",
    AddressKind.LINE: "the LINE account",
}


def _claim_without_record(entry: LedgerEntry) -> Entry:
    """Return a contact that the standing counts and that has no record."""
    if not entry.claim_id:
        return Entry(at=entry.at, kind=EntryKind.SILENCE, title="counts as one text against the caps, after an erasure")
    return Entry(
        at=entry.at,
        kind=EntryKind.TEXT,
        title=f"{stage_name(entry.stage)}: a text was claimed that has no record; whether it was sent is not known",
        details=_with_values(("accounts", ", ".join(entry.accounts)), ("send id", entry.send_id)),
    )


def _ladder(key: str) -> str:
    return key.replace("#", " no. ")


# ------------------------------------------------------------------ what was decided, and what became of it


_VERBS: Mapping[str, str] = {"send": "send", "wait": "wait", "stop": "no text"}


def _recent(standing: Standing, logged: Sequence[LoggedLine], zone: ZoneInfo) -> Iterator[Entry]:
    """Yield the decisions not to send that the standing keeps, without those whose lines of the logs are there."""
    shown = {(line.at.replace(microsecond=0), line.fields.get("reason")) for line in logged if line.is_decision}
    for decision in standing.recent:
        if (decision.at, decision.reason) in shown:
            continue
        verb = _VERBS["stop" if is_stop(decision.reason, decision.until) else "wait"]
        yield Entry(
            at=decision.at,
            kind=EntryKind.DECISION,
            title=f"{verb}: {REASONS.get(decision.reason, decision.reason)} ({decision.reason})",
            details=_with_values(
                ("until", _local(decision.until, zone) if decision.until else ""),
                ("kept in", "the standing: what was asked is in the logs alone"),
            ),
        )


def _decision(line: LoggedLine, zone: ZoneInfo) -> Entry:
    fields = dict(line.fields)
    kind, reason = str(fields.pop("decision", "")), str(fields.pop("reason", ""))
    stage, until, trace = (fields.pop(name, None) for name in ("stage", "until", "trace"))
    title = f"{_VERBS.get(kind, kind)}: {REASONS.get(reason, reason)} ({reason})"
    return Entry(
        at=line.at,
        kind=EntryKind.DECISION,
        title=title,
        details=(
            *_with_values(
                ("stage", stage_name(stage) if isinstance(stage, int) else ""),
                ("until", _instant_in_words(until, zone) if isinstance(until, str) else ""),
            ),
            *(("gate", str(step)) for step in (trace if isinstance(trace, list) else ())),
            *_logged_fields(fields),
            *_with_values(("decided by", line.function)),
        ),
    )


def _instant_in_words(written: str, zone: ZoneInfo) -> str:
    try:
        return _local(datetime.fromisoformat(written), zone)
    except ValueError:
        return written


def _log(line: LoggedLine) -> Entry:
    if line.message == LogEvent.LENDER_EVENT:
        # The line is all that is left of an event once a file knows it.
        subject = _ladder(str(line.fields.get("subject", "")).replace(":", " "))
        return Entry(
            at=line.at,
            kind=EntryKind.FACT,
            title=f"the lender's systems reported: {subject}",
            details=_with_values(("by", str(line.fields.get("by", ""))), ("logged by", line.function)),
        )
    return Entry(
        at=line.at,
        kind=EntryKind.LOG,
        title=line.message,
        details=(*_logged_fields(line.fields), *_with_values(("logged by", line.function))),
    )


def _logged_fields(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if value not in (None, "", []):
            yield name.replace("_", " "), str(value)


def _contact(contact: Contact, *, has_trace: bool) -> Iterator[Entry]:
    """Yield the entries of a contact. `has_trace` says that the gates stand with the decision already."""
    erased = (
        f"address, text and the carrier's words were erased at {instant(contact.erased_at)}"
        if contact.erased_at
        else ""
    )
    yield Entry(
        at=contact.at,
        kind=EntryKind.TEXT,
        title=f"{stage_name(contact.stage)}: {STATES[contact.state]} ({contact.state})",
        quote=contact.text,
        details=(
            *_with_values(
                ("erased", erased),
                ("channel", contact.channel),
                ("to", contact.phone or contact.address),
                ("accounts", ", ".join(contact.account_ids)),
                ("judged by", contact.jurisdiction),
                ("wording", contact.template),
                ("drawn", contact.draws),
                ("registered as", contact.registered_template),
                ("segments", f"{contact.parts} {contact.encoding}".strip()),
                ("carrier fee", f"{_dollars(contact.price_usd_micros)}, estimated" if contact.price_usd_micros else ""),
                ("message id", contact.message_id),
                ("send id", contact.send_id),
                ("error", contact.code),
                ("kept until", contact.expires_at.date().isoformat()),
            ),
            *(("gate", reason) for reason in (() if has_trace else contact.reasons)),
        ),
    )
    if contact.reported_at:
        yield Entry(
            at=contact.reported_at,
            kind=EntryKind.RECEIPT,
            title=f"the carrier reports: {STATES[contact.state]} ({contact.delivery_status or contact.state})",
            details=_with_values(
                ("carrier's words", contact.response),
                ("segments billed", str(contact.billed_parts) if contact.billed_parts else ""),
                ("fee billed", _dollars(contact.billed_price_usd_micros) if contact.billed_price_usd_micros else ""),
                ("send id", contact.send_id),
            ),
        )


def _dollars(micros: int) -> str:
    return f"${micros / _MICRO:.4f}"
