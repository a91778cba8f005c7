"""Messages: a claimed message with all that its gateway needs, and the record of its outcome."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LedgerEntry
from dunning.domain.decision.decide import zones_of
from dunning.domain.decision.hours import common_hour
from dunning.domain.decision.rules import SNS, ChannelRules, Rules
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.delivery.lapse import lapses_at
from dunning.domain.errors import DunningError
from dunning.domain.texts.compose import language_of
from dunning.domain.texts.extras import Extras
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import Body, LineBody, LineButton, MailBody, Outgoing, SmsBody, SpokenBody, WhatsAppBody
from dunning.services.send.claims import record_of_claim

type UnsubscribeUrl = Callable[[str, str], str]
"""Returns the address behind the button for no more mail, for a customer and a claim."""

_PLAIN_SMS = ChannelRules(channel=Channel.SMS, gateway=SNS)

_STATES = {
    PublishOutcome.ACCEPTED: ContactState.SENT,
    PublishOutcome.REFUSED_FOR_GOOD: ContactState.REFUSED,
    PublishOutcome.UNKNOWN: ContactState.UNKNOWN,
}


class OutgoingText(Protocol):
    """A text, ready to be sent."""

    @property
    def text(self) -> str:
        """The words handed to the gateway."""
        ...

    @property
    def encoding(self) -> str:
        """The encoding of the text with the carrier's additions."""
        ...

    @property
    def parts(self) -> int:
        """The number of segments, the carrier's additions included."""
        ...

    @property
    def template(self) -> str:
        """The wording's `id@version`."""
        ...

    @property
    def registered_template(self) -> str:
        """The id of the wording's registration, or empty."""
        ...

    @property
    def extras(self) -> Extras:
        """What the message has beyond its text."""
        ...


def channel_limits(rules: Rules, entry: LedgerEntry) -> ChannelRules:
    """
    Return the limits of a claimed message's channel: those of its stage, or of any stage if it is no reminder.

    Raises:
        DunningError: the rules know no such channel. The claim was made with rules that did.
    """
    channels = rules.channels.get(entry.stage, ()) if entry.stage is not None else ()
    for each in (*channels, *(each for of_stage in rules.channels.values() for each in of_stage)):
        if each.channel == entry.channel:
            return each
    raise DunningError("channel: none of the rules")


def message_to(
    facts: Facts,
    rules: Rules,
    entry: LedgerEntry,
    written: OutgoingText,
    gateway: str = SNS,
    unsubscribe_url: UnsubscribeUrl | None = None,
) -> Outgoing:
    """Return a claimed message with all parameters for its gateway."""
    channel = Channel(entry.channel)
    limits = _PLAIN_SMS if gateway == SNS else channel_limits(rules, entry)
    zones = zones_of(facts.time_zone, rules, entry.at)
    return Outgoing(
        channel=channel,
        address=limits.address_in(facts),
        body=_body(facts, rules, limits, entry, written, unsubscribe_url),
        customer_id=facts.customer_id,
        send_id=entry.send_id,
        claim_id=entry.claim_id,
        claimed_at=entry.at,
        lapses_at=lapses_at(limits.hours_for(rules, entry.stage), zones, entry.at),
        max_price=rules.max_price,
        registered_template=written.registered_template,
        local_hour=common_hour(entry.at, zones),
    )


def _body(
    facts: Facts,
    rules: Rules,
    limits: ChannelRules,
    entry: LedgerEntry,
    written: OutgoingText,
    unsubscribe_url: UnsubscribeUrl | None,
) -> Body:
    extras = written.extras
    match limits.channel:
        case Channel.EMAIL:
            return MailBody(
                subject=extras.subject,
                text=written.text,
                html=extras.html,
                sender_name=rules.sender_name[language_of(facts, rules)],
                sender_address=limits.sender,
                unsubscribe_url=unsubscribe_url(facts.customer_id, entry.claim_id) if unsubscribe_url else "",
                reply_to=limits.reply_to,
            )
        case Channel.LINE:
            # The reviewed notices to numbers have no buttons.
            buttons = extras.buttons if limits.gateway == "line" else ()
            return LineBody(
                written.text, tuple([LineButton(button.label, button.code) for button in buttons]), rules.lender
            )
        case Channel.VOICE:
            return SpokenBody(written.text, limits.voice, limits.sender)
        case Channel.WHATSAPP:
            return WhatsAppBody(written.text, extras.language, extras.parameters, limits.sender)
        case _:
            return SmsBody(written.text, rules.sender_id, rules.origination_number, rules.entity_id)


def record_of(
    rules: Rules,
    outgoing: Outgoing,
    entry: LedgerEntry,
    written: OutgoingText,
    answer: Published,
    price_usd_micros: int,
    reasons: tuple[str, ...],
    gateway: str = SNS,
) -> Contact:
    """Return the audit record of a claimed message after its one publish, unless it was refused for now."""
    has_number = AddressKind.of_address(outgoing.address) is AddressKind.NUMBER
    return replace(
        record_of_claim(outgoing.customer_id, entry, _STATES[answer.outcome], rules.retention_days),
        lender=rules.lender,
        jurisdiction=rules.jurisdiction,
        phone=outgoing.address if has_number else "",
        text=written.text,
        encoding=written.encoding,
        parts=written.parts,
        template=written.template,
        registered_template=written.registered_template,
        message_id=answer.message_id,
        code=answer.code,
        price_usd_micros=price_usd_micros,
        reasons=reasons,
        gateway="" if gateway == SNS else gateway,
        address="" if has_number else outgoing.address,
        lapses_at=None if gateway == SNS else outgoing.lapses_at,
        local_hour=outgoing.local_hour,
    )


def held_out_record(facts: Facts, rules: Rules, entry: LedgerEntry, reasons: tuple[str, ...]) -> Contact:
    """Return the audit record of a claim that is held out: nothing was sent to anybody."""
    return replace(
        record_of_claim(facts.customer_id, entry, ContactState.HELD_OUT, rules.retention_days),
        lender=rules.lender,
        jurisdiction=rules.jurisdiction,
        reasons=reasons,
    )
