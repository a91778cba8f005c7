"""
Opt-out confirmations: the single text that confirms an opt-out to the customer.

The confirmation is claimed together with the opt-out, in one write. It is published once, like every text, and never
repeated.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import SMS, LedgerEntry, Standing, with_address_refused, with_claim
from dunning.domain.decision.rules import SNS, Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import CalendarNotCoveredError, NoLawfulMomentError, NoTextError
from dunning.domain.replies.intents import ParsedReply
from dunning.domain.replies.opt_out_confirmation import confirmation_id, is_confirmation_lawful_now, may_confirm_opt_out
from dunning.domain.replies.reply import InboundSms
from dunning.domain.texts.compose import Confirmation, compose_confirmation
from dunning.ports.clock import Clock
from dunning.ports.contacts import ContactLog
from dunning.ports.customers import Customer, CustomerStore
from dunning.ports.gateways import PublishOutcome, SendingSwitch
from dunning.ports.telemetry import LogEvent, Metric, Telemetry, metric_of_outcome
from dunning.services.send.claims import PricedPolicies, release_claim, unknown_outcome_record
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.send.messages import message_to, record_of


@dataclass(frozen=True, slots=True)
class ClaimedConfirmation:
    """A confirmation ready to be published, and the standing with its claim, which is still to be written."""

    text: Confirmation
    rules: Rules
    claim_id: str
    claimed: Standing


class OptOutConfirmations:
    """Claims, publishes and records opt-out confirmations."""

    def __init__(
        self,
        *,
        store: CustomerStore,
        contacts: ContactLog,
        gateways: GatewaysByName,
        switch: SendingSwitch,
        policies: PricedPolicies,
        clock: Clock,
        telemetry: Telemetry,
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._contacts = contacts
        self._gateways = gateways
        self._switch = switch
        self._policies = policies
        self._clock = clock
        self._telemetry = telemetry
        self._new_id = new_id

    def settle(self, owners: Mapping[str, Customer], inbound: InboundSms) -> bool:
        """
        Tell whether an earlier delivery of a reply has claimed its confirmation, and record it if it has no record.

        The function that claimed the confirmation died before it recorded the outcome, or before its metrics left: the
        alarm about unknown texts rather rings twice than never.
        """
        is_claimed = False
        for customer_id, customer in owners.items():
            entry = claimed_confirmation(customer.standing, inbound) if customer.standing else None
            if entry is None:
                continue
            is_claimed = True
            record = unknown_outcome_record(customer_id, customer.facts, entry, self._policies)
            if self._contacts.write_if_absent(record):
                self._telemetry.log_event(
                    LogEvent.SMS_UNKNOWN, customer_id=customer_id, send_id=entry.send_id, code="replies_crashed"
                )
                self._telemetry.count(Metric.SMS_UNKNOWN)
        return is_claimed

    def claim(
        self,
        facts: Facts,
        before: Standing,
        after: Standing,
        parsed: ParsedReply,
        inbound: InboundSms,
        rules: Rules,
        zones: Sequence[ZoneInfo],
        now: datetime,
    ) -> ClaimedConfirmation | None:
        """Return the confirmation of an opt-out, with its claim in the standing; `None` if it may not be sent."""
        if not may_confirm_opt_out(facts, before, after, parsed, rules, inbound.at, now) or not self._may_send():
            return None
        try:
            if not is_confirmation_lawful_now(rules, zones, now):
                return None
            text = compose_confirmation(facts, rules)
        except (CalendarNotCoveredError, NoLawfulMomentError, NoTextError) as error:
            self._telemetry.log_event(
                LogEvent.OPT_OUT_NOT_CONFIRMED, customer_id=facts.customer_id, error=type(error).__name__
            )
            return None
        send_id, claim_id = confirmation_id(facts.customer_id, inbound.inbound_id), self._new_id()
        entry = LedgerEntry(
            send_id=send_id, claim_id=claim_id, at=now, stage=None, accounts=(), channel=SMS, for_wake=None
        )
        claimed = with_claim(after, entry, {}, rules.longest_window, facts)
        return ClaimedConfirmation(text, rules, claim_id, claimed)

    def _may_send(self) -> bool:
        return self._switch.is_on() and Channel.SMS not in self._switch.stopped_channels()

    def publish(self, facts: Facts, before: Standing, claimed: Standing, confirmation: ClaimedConfirmation) -> None:
        """Publish a confirmation once after its claim is written, and act on the outcome."""
        text, rules = confirmation.text, confirmation.rules
        entry = claimed.ledger[-1]
        outgoing = message_to(facts, rules, entry, text)
        answer = self._gateways.publish_once(SNS, outgoing)
        self._telemetry.log_event(
            LogEvent.OPT_OUT_CONFIRMED,
            customer_id=facts.customer_id,
            send_id=entry.send_id,
            outcome=answer.outcome.value,
            message_id=answer.message_id,
            code=answer.code,
        )
        self._telemetry.count(metric_of_outcome(answer.outcome))
        if answer.outcome in (PublishOutcome.REFUSED_FOR_NOW, PublishOutcome.REFUSED_FOR_GOOD):
            self._release(facts, before, claimed, entry, answer.outcome)
        if answer.outcome is PublishOutcome.REFUSED_FOR_NOW:
            return
        price = self._policies.price(facts.phone_country, text.parts)
        reasons = ("opt-out: confirmed once",)
        self._contacts.write([record_of(rules, outgoing, entry, text, answer, price, reasons)])

    def _release(
        self, facts: Facts, before: Standing, claimed: Standing, entry: LedgerEntry, outcome: PublishOutcome
    ) -> None:
        """Release the claim of a confirmation. The opt-out stays, and there is still no wake."""

        def then(standing: Standing, contested: bool) -> Standing:  # noqa: FBT001 - as `release_claim` calls it
            del contested
            if outcome is PublishOutcome.REFUSED_FOR_NOW:
                return standing
            return with_address_refused(standing, Channel.SMS, facts.phone, self._clock.now())

        release_claim(self._store, self._telemetry, claimed, before, entry.claim_id, then)


def claimed_confirmation(standing: Standing, inbound: InboundSms) -> LedgerEntry | None:
    """Return the claim of the confirmation that a reply led to."""
    send_id = confirmation_id(standing.customer_id, inbound.inbound_id)
    return next((entry for entry in standing.ledger if entry.send_id == send_id), None)
