"""The page of a customer: who, what is open, what is decided at this moment and why, and all that has happened."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Account, Facts, open_instalments
from dunning.domain.customer.lender_record import (
    AccountClosed,
    CustomerAttended,
    CustomerHold,
    CustomerReleased,
    InstalmentChanged,
    InstalmentPaid,
    LenderRecord,
    RecordedEvent,
)
from dunning.domain.customer.standing import Standing, holds_now, progress_key
from dunning.domain.decision.decide import decide, zones_of
from dunning.domain.decision.decisions import Decision, Reason, trace_of
from dunning.domain.decision.gates import GATES
from dunning.domain.decision.rules import Cap, Policies, Rules
from dunning.domain.delivery.contact import Contact
from dunning.domain.replies.intents import Band
from dunning.domain.replies.reply import Reply
from dunning.domain.texts.masking import account_tail, mask_name
from dunning.evidence.customer_evidence import Evidence
from dunning.ports.audit_trail import AuditEntry
from dunning.ports.clock import Clock
from dunning.ports.gateways import SendingSwitch
from dunning.ports.sessions import Viewer
from dunning.services.console.audited import AuditService, LookAct, audit_row
from dunning.services.console.roles import Act, may
from dunning.services.console.shown import AmountShown, CodeShown, SentenceShown, StageShown

NEWEST = 50
"""Contacts and replies shown, at most of each."""

_UTC = ZoneInfo("UTC")
_SHOWN_DIGITS = 3


class EvidenceStore(Protocol):
    """All that is stored of a customer."""

    def read(self, customer_id: str, newest: int) -> Evidence | None:
        """Return the evidence with the newest contacts and replies, at most so many of each; `None` of nobody."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """The customer's head, masked."""

    name: str
    phone: str
    country: str
    region: str
    language: str
    consented_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentView:
    """
    An open instalment.

    `open` is what is left to pay, `days_overdue` is negative before the due date, and a promise may be broken already.
    """

    number: int
    due_on: date
    days_overdue: int
    amount: AmountShown | None
    open: AmountShown | None
    late_fee: AmountShown | None
    promised_on: date | None
    is_promise_broken: bool


@dataclass(frozen=True, slots=True)
class LadderStep:
    """A stage of an account's ladder: `done`, `next` or `later`, and the day from which it is due."""

    stage: StageShown
    state: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account with its open instalments, and the ladder of the earliest."""

    account_id: str
    tail: str
    product: str
    instalments: tuple[InstalmentView, ...]
    ladder: tuple[LadderStep, ...]


@dataclass(frozen=True, slots=True)
class GateView:
    """A gate by its number: `open`, `shut` or `not_asked`."""

    number: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """What is decided at this moment: `send`, `wait` or `stop`, why, and the gates; the trace is for experts."""

    kind: str
    reason: CodeShown
    headline: SentenceShown
    why: SentenceShown
    then: SentenceShown | None
    """The text that comes then, if a wait knows it."""
    until: tuple[SentenceShown, ...]
    """The gates in the way one after another, each with the moment at which it opens; empty if there is one only."""
    wake_at: datetime | None
    gates: tuple[GateView, ...]
    trace: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """
    One thing that happened.

    `quote` is a text as it arrived; `reveals` is the field that shows what is hidden; `details` are codes of names with
    their values.
    """

    at: datetime
    kind: str
    title: SentenceShown
    quote: str = ""
    reveals: str = ""
    details: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView:
    """The page of a customer. Local times are those of `zone`."""

    customer_id: str
    lender: str
    zone: ZoneInfo
    now: datetime
    erased_at: datetime | None
    person: PersonView | None
    may_reveal: bool
    shows_texts: bool
    decision: DecisionView | None
    silences: tuple[SentenceShown, ...]
    accounts: tuple[AccountView, ...]
    entries: tuple[EntryView, ...]
    has_older: bool
    unreadable: int


class CustomerService:
    """Builds the page of a customer from what is stored; the present decision is worked out anew."""

    def __init__(
        self,
        *,
        evidence: EvidenceStore,
        audit: AuditService,
        switch: SendingSwitch,
        policies: Policies,
        clock: Clock,
    ) -> None:
        self._evidence = evidence
        self._audit = audit
        self._switch = switch
        self._policies = policies
        self._clock = clock

    def view(self, viewer: Viewer, customer_id: str) -> CustomerView | None:
        """
        Return the page of a customer, after it is written down who looks; `None` if there is no such customer.

        Raises:
            ServiceCallError: the look is not written down, or something cannot be read.
        """
        evidence = self._evidence.read(customer_id, NEWEST)
        if evidence is None:
            return None
        acts = self._audit.of_customer(customer_id)
        self._audit.take_down(viewer, LookAct.LOOKED, customer_id)
        return view_of(evidence, acts, viewer, self._policies, self._clock.now(), sending=self._switch.is_on())

    def reveal(self, viewer: Viewer, customer_id: str, field: str, purpose: str) -> Evidence | None:
        """
        Return the evidence that holds a value, after it is written down who wants to see the value, and what for.

        Raises:
            RevealError: it may not be shown.
            ServiceCallError: it is not written down, or cannot be read.
        """
        self._audit.take_down_reveal(viewer, customer_id, field, purpose)
        return self._evidence.read(customer_id, NEWEST)


def view_of(
    evidence: Evidence,
    acts: Sequence[AuditEntry],
    viewer: Viewer,
    policies: Policies,
    now: datetime,
    *,
    sending: bool,
) -> CustomerView:
    """Return the page of a customer as of a moment, as somebody of this role may see it."""
    facts, record = evidence.facts, evidence.lender_record
    standing = evidence.standing or Standing(customer_id=evidence.customer_id)
    rules = policies.rules_for(facts, now) if facts else Reason.NOTHING_OPEN
    zone = _zone(facts, rules, now)
    sees_person = may(viewer, Act.SEE_PERSON)
    decision = decide(facts, standing, policies, now, sending=sending) if facts else None
    coming = decision.stage if decision else None
    is_stopped = decision is not None and decision.kind == "stop"
    today = now.astimezone(zone).date()
    entries = sorted(
        _all_entries(evidence, acts, shows_texts=sees_person), key=lambda entry: (entry.at, entry.kind), reverse=True
    )
    return CustomerView(
        customer_id=evidence.customer_id,
        lender=facts.lender if facts else "",
        zone=zone,
        now=now,
        erased_at=record.erased_at if record else None,
        person=_masked_person(facts) if facts and sees_person else None,
        may_reveal=may(viewer, Act.REVEAL),
        shows_texts=sees_person,
        decision=_present_decision(decision, standing) if decision else None,
        silences=tuple(_silent_because(facts, standing, today)) if facts else (),
        accounts=tuple(_accounts(facts, standing, rules, today, coming, is_stopped=is_stopped, has_amounts=sees_person))
        if facts
        else (),
        entries=tuple(entries),
        has_older=bool(evidence.gaps),
        unreadable=len(evidence.unreadable),
    )


def masked_phone(phone: str) -> str:
    """Mask a number in E.164: the country's code and the last three digits stay."""
    import phonenumbers  # noqa: PLC0415 - a cold start for another page is spared

    try:
        code = str(phonenumbers.parse(phone).country_code)
    except phonenumbers.NumberParseException:
        return "***"
    return f"+{code} *** {phone[-_SHOWN_DIGITS:]}"


def _zone(facts: Facts | None, rules: Rules | Reason, now: datetime) -> ZoneInfo:
    if facts is None or not isinstance(rules, Rules):
        return _UTC
    return next(iter(zones_of(facts.time_zone, rules, now)), _UTC)


def _masked_person(facts: Facts) -> PersonView:
    return PersonView(
        name=mask_name(facts.name),
        phone=masked_phone(facts.phone),
        country=facts.country,
        region=facts.region,
        language=facts.language,
        consented_at=facts.consented_at,
    )


# ------------------------------------------------------------------ the present decision


def _present_decision(decision: Decision, standing: Standing) -> DecisionView:
    shut = list(_shut_gates(decision))
    values: Mapping[str, object] = shut[0].values if shut else {}
    stage = StageShown(decision.stage) if decision.stage is not None else None
    if decision.until is not None:
        headline = SentenceShown(f"headline.{decision.kind}_until", {"until": decision.until})
    elif stage is not None and decision.kind == "send":
        headline = SentenceShown("headline.send_stage", {"stage": stage})
    else:
        headline = SentenceShown(f"headline.{decision.kind}", {})
    return DecisionView(
        kind=decision.kind,
        reason=CodeShown("reason", decision.reason.value),
        headline=headline,
        why=SentenceShown(f"why.{decision.reason.value}", values),
        then=SentenceShown("headline.then", {"stage": stage}) if stage and decision.kind == "wait" else None,
        until=tuple(_until_what(decision, shut)),
        wake_at=standing.wake.at if standing.wake else None,
        gates=tuple(_gates(decision.reason)),
        trace=tuple(trace_of(decision)),
    )


class _ShutGate(NamedTuple):
    """A gate that opens by itself: its reason, when, and the values of its sentence."""

    reason: Reason
    opens_at: datetime
    values: Mapping[str, object]


OPENING_STEPS: Mapping[str, Reason] = {
    "hold: running": Reason.ON_HOLD,
    "stage: the next one": Reason.NEXT_STAGE,
    "turn:": Reason.NEXT_STAGE,
    "hours: quiet": Reason.QUIET_HOURS,
    "hours: a closed day": Reason.CLOSED_DAY,
    "cap: %s for the person": Reason.PERSON_CAP,
    "cap: %s for the account": Reason.ACCOUNT_CAP,
}
"""How the steps of a trace begin that say when a gate opens, and the reason of each."""


def _shut_gates(decision: Decision) -> Iterator[_ShutGate]:
    for message, given in decision.steps:
        plain = message.removeprefix("then ")
        reason = next((reason for begins, reason in OPENING_STEPS.items() if plain.startswith(begins)), None)
        opens_at = given[-1] if given else None
        if reason is None or not isinstance(opens_at, datetime):
            continue
        cap = given[0]
        values = {"count": cap.count, "window": cap.window, "free": opens_at} if isinstance(cap, Cap) else {}
        yield _ShutGate(reason, opens_at, values)


def _until_what(decision: Decision, shut: Sequence[_ShutGate]) -> Iterator[SentenceShown]:
    """
    Yield the gates in the way by the moments at which they open; nothing if there is one, which the headline names.

    Where the hours open before the customer's turn of the day, the turn is the last.
    """
    in_order = sorted(shut, key=lambda each: each.opens_at)
    is_turn_last = bool(in_order) and decision.until is not None and decision.until > in_order[-1].opens_at
    if len(in_order) + is_turn_last < 2:  # noqa: PLR2004 - the headline says all of one
        return
    for each in in_order:
        reason = CodeShown("reason", each.reason.value)
        yield SentenceShown("headline.until", {"until": each.opens_at, "reason": reason})
    if is_turn_last:
        yield SentenceShown("headline.turn", {"until": decision.until})


def _gates(reason: Reason) -> Iterator[GateView]:
    shut = next((number for number, gate in enumerate(GATES) if reason in gate.reasons), len(GATES))
    for number in range(len(GATES)):
        yield GateView(number + 1, "open" if number < shut else "shut" if number == shut else "not_asked")


def _silent_because(facts: Facts, standing: Standing, today: date) -> Iterator[SentenceShown]:
    if facts.opted_out or standing.is_opted_out:
        yield SentenceShown("silence.opted_out", {})
    for account_id, at in standing.opted_out_accounts.items():
        if standing.is_opted_out_of(account_id):
            yield SentenceShown("silence.opted_out_account", {"account": account_id, "at": at})
    for hold in dict.fromkeys(replace(hold, since=None) for hold in holds_now(facts, standing)):
        reason = CodeShown("hold", hold.reason.value)
        if hold.until is None:
            yield SentenceShown("silence.held", {"reason": reason})
        elif hold.until >= today:
            yield SentenceShown("silence.held_until", {"reason": reason, "until": hold.until})


# ------------------------------------------------------------------ what is open


def _accounts(
    facts: Facts,
    standing: Standing,
    rules: Rules | Reason,
    today: date,
    coming: int | None,
    *,
    is_stopped: bool,
    has_amounts: bool,
) -> Iterator[AccountView]:
    for account in facts.accounts:
        smallest = rules.smallest_amounts.get(account.currency, 1) if isinstance(rules, Rules) else 1
        still_open = open_instalments(account, smallest)
        if not still_open:
            continue

        def money(amount: int, account: Account = account) -> AmountShown | None:
            return AmountShown(amount, account.currency) if has_amounts and amount else None

        promises = {
            each.number: standing.promises.get(progress_key(account.account_id, each.number)) for each in still_open
        }
        reached = standing.progress.get(progress_key(account.account_id, still_open[0].number))
        yield AccountView(
            account_id=account.account_id,
            tail=account.tail,
            product=account.product,
            instalments=tuple(
                InstalmentView(
                    number=each.number,
                    due_on=each.due_on,
                    days_overdue=(today - each.due_on).days,
                    amount=money(each.amount),
                    open=money(each.open),
                    late_fee=money(each.late_fee),
                    promised_on=promise.on if (promise := promises[each.number]) else None,
                    is_promise_broken=promise is not None and promise.kept is False,
                )
                for each in still_open
            ),
            ladder=tuple(
                _ladder_steps(
                    rules.ladder if isinstance(rules, Rules) else (),
                    still_open[0].due_on,
                    today,
                    reached.stage if reached else still_open[0].stage_reached,
                    coming if len(facts.accounts) == 1 else None,
                    is_stopped=is_stopped,
                )
            ),
        )


def _ladder_steps(
    ladder: Iterable[int], due_on: date, today: date, reached: int | None, coming: int | None, *, is_stopped: bool
) -> Iterator[LadderStep]:
    """
    Yield the stages. One that was not sent and will not be is left out.

    `coming` is the stage that the present decision names: what is before it will not be sent. Of who is stopped no
    stage is the next.
    """
    next_found = is_stopped
    for stage in ladder:
        on = due_on + timedelta(days=stage)
        if reached is not None and stage <= reached:
            yield LadderStep(StageShown(stage), "done", on)
        elif (coming is not None and stage < coming) or (stage <= 0 and on < today):
            continue
        else:
            yield LadderStep(StageShown(stage), "later" if next_found else "next", on)
            next_found = True


# ------------------------------------------------------------------ what has happened


def _all_entries(evidence: Evidence, acts: Sequence[AuditEntry], *, shows_texts: bool) -> Iterator[EntryView]:
    record = evidence.lender_record
    pay_accounts = _pay_accounts(record)
    for contact in evidence.contacts:
        yield from _of_text(contact, pay_accounts, shows_texts=shows_texts)
    for reply in evidence.replies:
        yield from _of_reply(reply, shows_texts=shows_texts)
    if record:
        yield from _of_lender(record, has_amounts=shows_texts)
    if evidence.standing:
        yield from _of_standing(evidence.standing)
    looked: set[tuple[Viewer, date]] = set()
    for entry in acts:
        # Who looks ten times on a day stands here once, with the last look; the audit trail has each.
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


def _of_text(contact: Contact, pay_accounts: Mapping[str, str], *, shows_texts: bool) -> Iterator[EntryView]:
    quote = contact.text if shows_texts else ""
    for pay_account, shown in pay_accounts.items():
        quote = quote.replace(pay_account, shown)
    yield EntryView(
        at=contact.at,
        kind="text",
        title=SentenceShown(
            "entry.text", {"stage": StageShown(contact.stage), "state": CodeShown("state", contact.state.value)}
        ),
        quote=quote,
        details=_present(
            ("accounts", ", ".join(contact.account_ids)),
            ("wording", contact.template),
            ("segments", contact.parts),
            ("erased", contact.erased_at),
            ("error", contact.code),
        ),
    )
    if contact.reported_at:
        status = contact.delivery_status or contact.state.value
        yield EntryView(
            at=contact.reported_at,
            kind="receipt",
            title=SentenceShown("entry.receipt", {"status": CodeShown("failure", status)}),
        )


def _of_reply(reply: Reply, *, shows_texts: bool) -> Iterator[EntryView]:
    band = Band.LIKELY if reply.likely else Band.SURE if reply.sure else Band.DOUBT
    codes = tuple(CodeShown("intent", intent) for intent in (*reply.sure, *reply.likely)) or tuple(
        CodeShown("intent", intent) for intent in reply.intents
    )
    yield EntryView(
        at=reply.inbound.at,
        kind="reply",
        title=SentenceShown("entry.reply", {}),
        reveals=f"reply#{reply.inbound.inbound_id}" if shows_texts else "",
        details=_present(
            ("understood", codes or CodeShown("intent", "nothing")),
            ("certainty", CodeShown("band", band.value)),
            ("promised_on", reply.promised_on),
        ),
    )
    if label := reply.label:
        yield EntryView(
            at=label.at,
            kind="label",
            title=SentenceShown("entry.label", {}),
            details=_present(
                (
                    "understood",
                    tuple(CodeShown("intent", intent) for intent in label.intents) or CodeShown("intent", "nothing"),
                ),
                ("promised_on", label.promised_on),
            ),
        )


def _of_lender(record: LenderRecord, *, has_amounts: bool) -> Iterator[EntryView]:
    snapshot = record.snapshot
    if snapshot is not None and snapshot.as_of:
        yield EntryView(at=snapshot.as_of, kind="lender", title=SentenceShown("entry.file", {}))
    if record.erased_at:
        yield EntryView(at=record.erased_at, kind="lender", title=SentenceShown("entry.erased", {}))
    for recorded in record.events.values():
        yield EntryView(at=recorded.time.at, kind="lender", title=_of_event(recorded, has_amounts=has_amounts))


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
        (standing.suspended_at, "entry.suspended"),
        (standing.shared_at, "entry.shared"),
    ):
        if moment is not None:
            yield EntryView(at=moment, kind="silence", title=SentenceShown(key, {}))
