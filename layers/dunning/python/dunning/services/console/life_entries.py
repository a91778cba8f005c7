"""What has happened to a customer, an entry each, in codes and values: newest first, in pages, by kind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

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
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.delivery.contact import Contact
from dunning.domain.replies.intents import Band
from dunning.domain.replies.reply import Reply
from dunning.domain.texts.masking import account_tail
from dunning.evidence.customer_evidence import OLDER_REPLIES, OLDER_TEXTS, Evidence
from dunning.ports.audit_trail import AuditEntry
from dunning.ports.sessions import Viewer
from dunning.services.console.audited import ActsRead, LookAct, audit_row
from dunning.services.console.shown import AmountShown, CodeShown, SentenceShown, StageShown

ENTRIES_A_PAGE = 30
"""Entries of a page, so that a page stays below 30 KB whatever happened. As many contacts and replies are read."""

KINDS = ("text", "reply", "lender", "decision", "silence", "colleague")
"""The kinds of entries, in the order in which the filters stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """
    One thing that happened.

    `quote` is a text as it arrived; `reveals` is the field that shows what is hidden; `details` are codes of names with
    their values. `notes` say what came of it later: the carrier's report of a text, a person's reading of a reply.
    """

    at: datetime
    kind: str
    title: SentenceShown
    quote: str = ""
    reveals: str = ""
    details: tuple[tuple[str, object], ...] = ()
    notes: tuple[SentenceShown, ...] = ()


class LifePage(NamedTuple):
    """Which part of a life to show: entries before a moment, or the newest; of a kind, or of all."""

    before: datetime | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeView:
    """A page of a life, newest first; `older` is where the next page begins, `None` behind the last."""

    page: LifePage
    entries: tuple[EntryView, ...]
    older: datetime | None


def life_of(
    evidence: Evidence, acts: ActsRead, page: LifePage, *, shows_texts: bool, entries: int = ENTRIES_A_PAGE
) -> LifeView:
    """
    Return a page of what happened.

    The evidence holds at least as many contacts and replies from before the page as a page has entries. So whatever
    else there is, none of them is missing between two entries of the page. Of the acts of colleagues many may be one
    entry: if there are more than were read, the page ends with the oldest of them.
    """
    has_more_acts = not acts.is_whole and page.kind in {"", "colleague"}
    found = [
        entry
        for entry in _all_entries(evidence, acts.entries, shows_texts=shows_texts)
        if (page.before is None or entry.at < page.before)
        and page.kind in {"", entry.kind}
        and not (has_more_acts and entry.at < acts.entries[-1].at)
    ]
    found.sort(key=lambda entry: (entry.at, entry.kind), reverse=True)
    shown = found[:entries]
    # What happened at one moment stays on one page: the next page begins before that moment.
    shown += [entry for entry in found[entries:] if entry.at == shown[-1].at]
    gaps = {OLDER_TEXTS: {"", "text"}, OLDER_REPLIES: {"", "reply"}}
    has_older = len(found) > len(shown) or has_more_acts or any(page.kind in gaps.get(gap, ()) for gap in evidence.gaps)
    older = acts.entries[-1].at if has_more_acts and len(found) == len(shown) else shown[-1].at if shown else None
    return LifeView(page=page, entries=tuple(shown), older=older if has_older else None)


def whole_life_of(
    evidence: Evidence, acts: Sequence[AuditEntry], *, shows_texts: bool, in_full: bool = False
) -> LifeView:
    """
    Return all that happened on one page, the oldest first: it is read from the beginning, on paper.

    `in_full` leaves accounts to pay to in the texts as they were sent.
    """
    found = sorted(
        _all_entries(evidence, acts, shows_texts=shows_texts, in_full=in_full),
        key=lambda entry: (entry.at, KINDS.index(entry.kind)),
    )
    return LifeView(page=LifePage(), entries=tuple(found), older=None)


def _all_entries(
    evidence: Evidence, acts: Sequence[AuditEntry], *, shows_texts: bool, in_full: bool = False
) -> Iterator[EntryView]:
    record = evidence.lender_record
    pay_accounts = {} if in_full else _pay_accounts(record)
    for contact in evidence.contacts:
        yield _of_text(contact, pay_accounts, shows_texts=shows_texts)
    for reply in evidence.replies:
        yield _of_reply(reply, shows_texts=shows_texts)
    if record:
        yield from _of_lender(record, has_amounts=shows_texts)
    if evidence.standing:
        yield from _of_standing(evidence.standing)
    yield from _of_colleagues(acts)


def _of_colleagues(acts: Sequence[AuditEntry]) -> Iterator[EntryView]:
    """Yield what colleagues did. Who looks ten times on a day stands here once, with the last look."""
    looked: set[tuple[Viewer, date]] = set()
    for entry in acts:
        if entry.act == LookAct.LOOKED.value:
            day = (entry.viewer, entry.at.date())
            if day in looked:
                continue
            looked.add(day)
        row = audit_row(entry)
        yield EntryView(
            at=row.at,
            kind="colleague",
            title=row.title,
            details=_present(("field", row.subject_matter), ("purpose", row.purpose)),
        )


def _present(*details: tuple[str, object]) -> tuple[tuple[str, object], ...]:
    return tuple((name, value) for name, value in details if value not in (None, "", ()))


def _pay_accounts(record: LenderRecord | None) -> Mapping[str, str]:
    """Return each account to pay to, and what stands for it in a text that is shown."""
    accounts = record.snapshot.accounts if record and record.snapshot else ()
    return {each.pay_account: f"…{account_tail(each.pay_account)}" for each in accounts if each.pay_account}


def _of_text(contact: Contact, pay_accounts: Mapping[str, str], *, shows_texts: bool) -> EntryView:
    quote = contact.text if shows_texts else ""
    for pay_account, shown in pay_accounts.items():
        quote = quote.replace(pay_account, shown)
    notes = []
    is_sms = contact.channel == Channel.SMS
    if contact.reported_at:
        status = CodeShown("failure" if is_sms else "channel_failure", contact.delivery_status or contact.state.value)
        key = "entry.receipt" if is_sms else "channel_entry.receipt"
        notes.append(SentenceShown(key, {"at": contact.reported_at, "status": status}))
    state = CodeShown("state" if is_sms else "channel_state", contact.state.value)
    return EntryView(
        at=contact.at,
        kind="text",
        title=SentenceShown("entry.text", {"stage": StageShown(contact.stage), "state": state}),
        quote=quote,
        details=_present(
            ("channel", CodeShown("channel", contact.channel)),
            ("accounts", ", ".join(contact.account_ids)),
            ("wording", contact.template),
            ("segments", contact.parts if is_sms else None),
            ("erased", contact.erased_at),
            ("error", contact.code),
        ),
        notes=tuple(notes),
    )


def _intents(intents: Sequence[str]) -> object:
    return tuple(CodeShown("intent", intent) for intent in intents) or CodeShown("intent", "nothing")


def _of_reply(reply: Reply, *, shows_texts: bool) -> EntryView:
    band = Band.LIKELY if reply.likely else Band.SURE if reply.sure else Band.DOUBT
    notes = []
    if label := reply.label:
        values = {"at": label.at, "intents": _intents(label.intents)}
        notes.append(
            SentenceShown("entry.label_until", {**values, "day": label.promised_on})
            if label.promised_on
            else SentenceShown("entry.label", values)
        )
    return EntryView(
        at=reply.inbound.at,
        kind="reply",
        title=_title_of(reply),
        reveals=f"reply#{reply.inbound.inbound_id}" if shows_texts and not reply.inbound.button else "",
        details=_present(
            ("understood", _intents([*reply.sure, *reply.likely] or reply.intents)),
            ("certainty", CodeShown("band", band.value)),
            ("promised_on", reply.promised_on),
        ),
        notes=tuple(notes),
    )


def _title_of(reply: Reply) -> SentenceShown:
    """Say how a reply came: a button has no words that could be shown."""
    if reply.inbound.channel is Channel.SMS:
        return SentenceShown("entry.reply", {})
    key = "channel_entry.pressed" if reply.inbound.button else "channel_entry.wrote"
    return SentenceShown(key, {"channel": CodeShown("channel", reply.inbound.channel.value)})


def _of_lender(record: LenderRecord, *, has_amounts: bool) -> Iterator[EntryView]:
    snapshot = record.snapshot
    if snapshot is not None and snapshot.as_of:
        yield EntryView(at=snapshot.as_of, kind="lender", title=SentenceShown("entry.file", {}))
    if record.erased_at:
        yield EntryView(at=record.erased_at, kind="lender", title=SentenceShown("entry.erased", {}))
    for recorded in record.events.values():
        yield EntryView(
            at=recorded.time.at,
            kind="lender",
            title=_of_event(recorded, has_amounts=has_amounts),
            details=_present(("by", recorded.by)),
        )


def _of_event(recorded: RecordedEvent, *, has_amounts: bool) -> SentenceShown:  # noqa: PLR0911 - one a kind of event
    match recorded.event:
        case InstalmentPaid(account_id=account_id, number=number, paid=paid, currency=currency):
            values: dict[str, object] = {"account": account_id, "number": number}
            if not has_amounts:
                return SentenceShown("entry.paid", values)
            return SentenceShown("entry.paid_amount", {**values, "paid": AmountShown(paid, currency)})
        case InstalmentChanged(account_id=account_id, number=number, due_on=due_on):
            return SentenceShown("entry.changed", {"account": account_id, "number": number, "due_on": due_on})
        case AccountClosed(account_id=account_id):
            return SentenceShown("entry.closed", {"account": account_id})
        case CustomerHold(reason=reason, until=None):
            return SentenceShown("entry.held", {"reason": CodeShown("hold", reason.value)})
        case CustomerHold(reason=reason, until=until):
            return SentenceShown("entry.held_until", {"reason": CodeShown("hold", reason.value), "until": until})
        case CustomerReleased(reason=None):
            return SentenceShown("entry.released_all", {})
        case CustomerReleased(reason=reason):
            return SentenceShown("entry.released", {"reason": CodeShown("hold", reason.value if reason else "other")})
        case CustomerAttended():
            return SentenceShown("entry.attended", {})
        case AddressChanged() | ConsentChanged() as way:
            return _of_way(way)


def _of_way(way: AddressChanged | ConsentChanged) -> SentenceShown:
    if isinstance(way, AddressChanged):
        of_kind = {"channel": CodeShown("channel", way.kind.channel.value)}
        return SentenceShown("channel_entry.moved" if way.address else "channel_entry.gone", of_kind)
    of_channel = {"channel": CodeShown("channel", way.channel.value)}
    if way.consented_at is None:
        return SentenceShown("channel_entry.withdrew", of_channel)
    return SentenceShown("channel_entry.consented", {**of_channel, "at": way.consented_at})


def _of_standing(standing: Standing) -> Iterator[EntryView]:
    for decision in standing.recent:
        reason = CodeShown("reason", decision.reason)
        title = (
            SentenceShown("entry.waited", {"reason": reason, "until": decision.until})
            if decision.until
            else SentenceShown("entry.stopped", {"reason": reason})
        )
        yield EntryView(at=decision.at, kind="decision", title=title)
    for hold in standing.holds:
        if hold.since is not None:
            yield EntryView(
                at=hold.since,
                kind="silence",
                title=SentenceShown(
                    "entry.silent_until", {"reason": CodeShown("hold", hold.reason.value), "until": hold.until}
                )
                if hold.until
                else SentenceShown("entry.silent", {"reason": CodeShown("hold", hold.reason.value)}),
            )
    for moment, key in (
        (standing.opted_out_at, "entry.opted_out"),
        (standing.opted_in_at, "entry.opted_in"),
    ):
        if moment is not None:
            yield EntryView(at=moment, kind="silence", title=SentenceShown(key, {}))
    for channel, known in standing.suspended.items():
        if known.at is not None and not known.is_usable:
            yield EntryView(at=known.at, kind="silence", title=_suspended_way(Channel(channel)))
    for kind, known in standing.shared.items():
        if known.at is not None:
            yield EntryView(at=known.at, kind="silence", title=_shared_way(AddressKind(kind)))


def _suspended_way(channel: Channel) -> SentenceShown:
    if channel is Channel.SMS:
        return SentenceShown("entry.suspended", {})
    return SentenceShown("channel_entry.refused", {"channel": CodeShown("channel", channel.value)})


def _shared_way(kind: AddressKind) -> SentenceShown:
    if kind is AddressKind.NUMBER:
        return SentenceShown("entry.shared", {})
    return SentenceShown("channel_entry.shared", {"channel": CodeShown("channel", kind.channel.value)})
