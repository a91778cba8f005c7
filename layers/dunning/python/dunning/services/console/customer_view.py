"""The page of a customer: who, what is open, what is decided at this moment and why, and what has happened."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from dunning.contracts.instants import instant
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide, zones_of
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.texts.masking import mask_name
from dunning.evidence.customer_document import customer_document
from dunning.evidence.customer_evidence import Evidence
from dunning.evidence.timeline import build_timeline
from dunning.ports.clock import Clock
from dunning.ports.gateways import SendingSwitch
from dunning.ports.sessions import Viewer
from dunning.services.console.account_ladders import AccountView, accounts_of
from dunning.services.console.audited import AuditService, LookAct
from dunning.services.console.life_entries import ENTRIES_A_PAGE, LifePage, LifeView, life_of, whole_life_of
from dunning.services.console.present_decision import (
    DecisionView,
    present_decision,
    silences_of,
    unreadable_decision,
)
from dunning.services.console.roles import Act, may
from dunning.services.console.shown import CodeShown, SentenceShown

_UTC = ZoneInfo("UTC")
_SHOWN_DIGITS = 3
_NOT_READ_HERE = "What the functions logged of the customer is not in here: make customer reads it."


class EvidenceStore(Protocol):
    """All that is stored of a customer."""

    def read(self, customer_id: str, newest: int | None = None, before: datetime | None = None) -> Evidence | None:
        """
        Return the evidence of a customer; `None` of nobody.

        Args:
            customer_id: the customer.
            newest: at most so many contacts and as many replies, the newest; all of them without it. What is left out
                is named in `Evidence.gaps`.
            before: only contacts and replies from before this moment.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """The customer's head, masked unless it is exported."""

    name: str
    phone: str
    country: str
    region: str
    language: str
    consented_at: datetime | None
    email: str = ""
    line_user_id: str = ""
    channel_consents: tuple[tuple[CodeShown, datetime], ...] = ()


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
    may_export: bool
    shows_texts: bool
    decision: DecisionView | None
    silences: tuple[SentenceShown, ...]
    accounts: tuple[AccountView, ...]
    life: LifeView
    unreadable: int


class LookedAt(NamedTuple):
    """The page of a customer, and what it was made of: nothing has to be read twice for one page."""

    view: CustomerView
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedCustomer:
    """
    All that is stored of a customer, in full.

    `reply_texts` are what the customer wrote, by the field that reveals it. `document` is what machines read
    (`evidence.customer_document`).
    """

    view: CustomerView
    person: PersonView | None
    reply_texts: Mapping[str, str]
    document: Mapping[str, Any]

    def json(self) -> str:
        """Return the document as it is downloaded."""
        return json.dumps(self.document, ensure_ascii=False, separators=(",", ":")) + "\n"


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
        """Return the newest page of a customer, as `look`."""
        looked_at = self.look(viewer, customer_id, LifePage())
        return looked_at.view if looked_at else None

    def look(self, viewer: Viewer, customer_id: str, page: LifePage) -> LookedAt | None:
        """
        Return the page of a customer, after it is written down who looks; `None` if there is no such customer.

        Raises:
            ServiceCallError: the look is not written down, or something cannot be read.
        """
        evidence = self._evidence.read(customer_id, ENTRIES_A_PAGE, page.before)
        if evidence is None:
            return None
        acts = self._audit.part_of_customer(customer_id, page.before)
        self._audit.take_down(viewer, LookAct.LOOKED, customer_id)
        life = life_of(evidence, acts, page, shows_texts=may(viewer, Act.SEE_PERSON))
        return LookedAt(self._view_of(evidence, life, viewer), evidence)

    def printed(self, viewer: Viewer, customer_id: str) -> CustomerView | None:
        """
        Return a customer with the whole life, masked as on the page, after it is written down who prints.

        Raises:
            ServiceCallError: it is not written down, or something cannot be read.
        """
        evidence = self._evidence.read(customer_id)
        if evidence is None:
            return None
        acts = self._audit.of_customer(customer_id)
        self._audit.take_down(viewer, LookAct.PRINTED, customer_id)
        life = whole_life_of(evidence, acts, shows_texts=may(viewer, Act.SEE_PERSON))
        return self._view_of(evidence, life, viewer)

    def reveal(self, viewer: Viewer, customer_id: str, field: str, purpose: str) -> Evidence | None:
        """
        Return the evidence that holds a value, after it is written down who wants to see the value, and what for.

        Raises:
            RevealError: it may not be shown.
            ServiceCallError: it is not written down, or cannot be read.
        """
        self._audit.take_down_reveal(viewer, customer_id, field, purpose)
        return self._evidence.read(customer_id)

    def export(self, viewer: Viewer, customer_id: str, purpose: str) -> ExportedCustomer | None:
        """
        Return all that is stored of a customer in full, after it is written down who takes it, and what for.

        Raises:
            RevealError: it may not be taken.
            ServiceCallError: it is not written down, or something cannot be read.
        """
        self._audit.take_down_export(viewer, customer_id, purpose)
        evidence = self._evidence.read(customer_id)
        if evidence is None:
            return None
        acts = self._audit.of_customer(customer_id)
        life = whole_life_of(evidence, acts, shows_texts=True, in_full=True)
        view = self._view_of(evidence, life, viewer)
        gaps = (*evidence.gaps, _NOT_READ_HERE)
        timeline = build_timeline(replace(evidence, gaps=gaps), view.zone, view.now)
        about = {
            "made_at": instant(view.now),
            "source": "the console",
            "looked_at_by": viewer.subject,
            "because": purpose,
        }
        return ExportedCustomer(
            view=view,
            person=_full_person(evidence.facts) if evidence.facts else None,
            reply_texts={f"reply#{each.inbound.inbound_id}": each.inbound.text for each in evidence.replies},
            document=customer_document(evidence, timeline, acts, **about),
        )

    def _view_of(self, evidence: Evidence, life: LifeView, viewer: Viewer) -> CustomerView:
        return view_of(evidence, life, viewer, self._policies, self._clock.now(), sending=self._switch.is_on())


def view_of(
    evidence: Evidence, life: LifeView, viewer: Viewer, policies: Policies, now: datetime, *, sending: bool
) -> CustomerView:
    """Return the page of a customer as of a moment, as somebody of this role may see it."""
    facts, record = evidence.facts, evidence.lender_record
    standing = evidence.standing or Standing(customer_id=evidence.customer_id)
    is_readable = evidence.is_readable
    found = policies.rules_for(facts, now) if facts else Reason.NOTHING_OPEN
    rules = found if isinstance(found, Rules) else None
    zones = zones_of(facts.time_zone, rules, now) if facts and rules else ()
    zone = next(iter(zones), _UTC)
    today = now.astimezone(zone).date()
    sees_person = may(viewer, Act.SEE_PERSON)
    decision: DecisionView | None = None
    if not is_readable:
        decision = unreadable_decision(evidence.standing, now, sending=sending)
    elif facts:
        decided = decide(facts, standing, policies, now, sending=sending)
        decision = present_decision(decided, facts, standing, now, today, sending=sending)
    return CustomerView(
        customer_id=evidence.customer_id,
        lender=facts.lender if facts else "",
        zone=zone,
        now=now,
        erased_at=record.erased_at if record else None,
        person=_masked_person(facts) if facts and sees_person else None,
        may_reveal=may(viewer, Act.REVEAL),
        may_export=may(viewer, Act.EXPORT),
        shows_texts=sees_person,
        decision=decision,
        silences=tuple(silences_of(facts, standing, today)) if facts and is_readable else (),
        accounts=tuple(
            accounts_of(
                facts,
                standing,
                rules if is_readable else None,
                zones,
                evidence.contacts,
                today,
                is_stopped=decision is not None and decision.kind in {"stop", "unreadable"},
                has_amounts=sees_person,
            )
        )
        if facts
        else (),
        life=life,
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


def masked_email(address: str) -> str:
    """Mask an e-mail address: the first letter and the domain stay."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}***@{domain}"


def masked_line_user_id(user_id: str) -> str:
    """Mask a LINE user id: the last characters stay."""
    return f"U***{user_id[-_SHOWN_DIGITS:]}"


def _masked_person(facts: Facts) -> PersonView:
    return replace(
        _full_person(facts),
        name=mask_name(facts.name),
        phone=masked_phone(facts.phone),
        email=masked_email(facts.email) if facts.email else "",
        line_user_id=masked_line_user_id(facts.line_user_id) if facts.line_user_id else "",
    )


def _full_person(facts: Facts) -> PersonView:
    return PersonView(
        name=facts.name,
        phone=facts.phone,
        country=facts.country,
        region=facts.region,
        language=facts.language,
        consented_at=facts.consented_at,
        email=facts.email or "",
        line_user_id=facts.line_user_id or "",
        channel_consents=tuple(
            (CodeShown("channel", channel), given) for channel, given in sorted((facts.channel_consents or {}).items())
        ),
    )
