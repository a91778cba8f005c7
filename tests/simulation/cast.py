"""
The cast: builds the real services on the ports of one program, and says how each kind of message is handled.

A sabotage or another sender takes the place of a part here: `Cast(sender=...)`.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol

from dunning.contracts.delivery_log import Reported
from dunning.contracts.replan_part import parse_replan_part
from dunning.domain.customer.facts import Facts
from dunning.domain.delivery.receipt import DeliveryReceipt
from dunning.domain.errors import DunningError
from dunning.ports.queues import InboundMessage, QueueMessage
from dunning.services.carrier_opt_outs import OptOutService
from dunning.services.channel_wishes import ChannelWishService
from dunning.services.close_unknown import CloseUnknownService
from dunning.services.controlled_policies import ControlledPolicies
from dunning.services.delivery_receipts import DeliveryReceiptService
from dunning.services.erasure.erase import EraseService
from dunning.services.erasure.purge import PurgeService
from dunning.services.intake.settle import Candidate, LoadOutcome, Settler
from dunning.services.lender_events import LenderEventService
from dunning.services.news_first import NewsFirstSwitch
from dunning.services.replan import ReplanService
from dunning.services.replies import ReplyService
from dunning.services.scan import ScanService
from dunning.services.send.claims import PricedPolicies
from dunning.services.send.confirmations import OptOutConfirmations
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.send.sender import SendService
from dunning.services.take_channel_events import ChannelEventService
from dunning.services.webhooks import WebhookService
from tests.simulation.comebacks import LINE_LENDER, known_secrets, signed_call
from tests.simulation.policies import TrialledPolicies, simulated_policies
from tests.simulation.ports import (
    SimulatedBucket,
    SimulatedBus,
    SimulatedCalls,
    SimulatedCarrier,
    SimulatedClock,
    SimulatedControl,
    SimulatedDeadLetters,
    SimulatedMails,
    SimulatedPushes,
    SimulatedQueue,
    SimulatedSwitch,
    SimulatedTelemetry,
    SimulatedTexts,
    SpelledReader,
    contacts_table,
    customers_table,
)
from tests.simulation.workers import InlinePool, Ports, Result, Script
from tests.simulation.world import Mail

RECEIVES = 5
"""The `maxReceiveCount` of the jobs' queue."""

HIDDEN_FOR = {
    "job": timedelta(seconds=361),
    "event": timedelta(seconds=361),
    "reply": timedelta(seconds=360),
    "waiting": timedelta(seconds=360),
    "part": timedelta(seconds=1800),
    "receipt": timedelta(minutes=1),
    "channel": timedelta(seconds=360),
    "load": timedelta(minutes=1),
}
"""How long a delivered message is hidden, as in the template; Lambda's own pause where there is no queue."""


class JobHandler(Protocol):
    """A sender, ours or another."""

    def handle_batch(self, messages: Sequence[QueueMessage], seconds_left: Callable[[], float]) -> list[str]:
        """Handle jobs and return the ids of the messages to deliver again."""
        ...


def plenty() -> float:
    """Return the time that an invocation has left: a program here is never told that its time is over."""
    return math.inf


def policies_of(ports: Ports) -> PricedPolicies:
    """Return the policies as a program sees them: with the control of trials that it has read."""
    return ControlledPolicies(TrialledPolicies(simulated_policies()), SimulatedControl(ports))


def switch_of(ports: Ports) -> NewsFirstSwitch:
    """Return the switch that is off as long as news has failed."""
    switch = SimulatedSwitch(ports)
    return NewsFirstSwitch(switch, switch, SimulatedClock(ports), SimulatedTelemetry(ports))


def sender(ports: Ports, policies: PricedPolicies) -> JobHandler:
    """Build the sender."""
    service = SendService(
        store=customers_table(ports),
        contacts=contacts_table(ports),
        queue=SimulatedQueue(ports, "job"),
        gateways=GatewaysByName(
            SimulatedCarrier(ports),
            SimulatedTexts(ports),
            SimulatedMails(ports),
            SimulatedPushes(ports),
            SimulatedCalls(ports),
        ),
        switch=switch_of(ports),
        publisher=SimulatedBus(ports),
        policies=policies,
        clock=SimulatedClock(ports),
        telemetry=SimulatedTelemetry(ports),
        new_id=ports.new_id,
        per_second=1_000_000,
        max_receive_count=RECEIVES,
        unsubscribe_url=lambda customer_id, claim_id: f"https://dunning.example/{customer_id}/{claim_id}",
    )
    return inline(service)


def erasing(ports: Ports) -> EraseService:
    """Build what erases customers."""
    return EraseService(
        customers=customers_table(ports),
        contacts=contacts_table(ports),
        uploads=SimulatedBucket(ports),
        clock=SimulatedClock(ports),
        telemetry=SimulatedTelemetry(ports),
    )


def lender_events(ports: Ports, policies: PricedPolicies) -> LenderEventService:
    """Build the service for a lender's events."""
    erases = erasing(ports)
    service = LenderEventService(
        store=customers_table(ports),
        phones=customers_table(ports),
        replies=contacts_table(ports),
        erasing=erases,
        purging=PurgeService(
            customers=customers_table(ports),
            erasing=erases,
            replies=SimulatedQueue(ports, "reply"),
            dead_letters=[SimulatedDeadLetters(ports)],
            clock=SimulatedClock(ports),
            telemetry=SimulatedTelemetry(ports),
        ),
        dead_letters=SimulatedQueue(ports, "event"),
        delay_queue=SimulatedQueue(ports, "event"),
        failures=SimulatedSwitch(ports),
        publisher=SimulatedBus(ports),
        policies=policies,
        clock=SimulatedClock(ports),
        telemetry=SimulatedTelemetry(ports),
    )
    return inline(service)


def replies(ports: Ports, policies: PricedPolicies) -> ReplyService:
    """Build the service for customers' replies."""
    store, contacts = customers_table(ports), contacts_table(ports)
    carrier = SimulatedCarrier(ports)
    confirmations = OptOutConfirmations(
        store=store,
        contacts=contacts,
        gateways=GatewaysByName(carrier),
        switch=SimulatedSwitch(ports),
        policies=policies,
        clock=SimulatedClock(ports),
        telemetry=SimulatedTelemetry(ports),
        new_id=ports.new_id,
    )
    service = ReplyService(
        store=store,
        phones=store,
        replies=contacts,
        contacts=contacts,
        reader=SpelledReader(),
        confirmations=confirmations,
        opt_out_list=carrier,
        publisher=SimulatedBus(ports),
        policies=policies,
        clock=SimulatedClock(ports),
        telemetry=SimulatedTelemetry(ports),
        queue=SimulatedQueue(ports, "reply"),
        failures=SimulatedSwitch(ports),
        receives_before_person=RECEIVES,
    )
    return inline(service)


def delivery_receipts(ports: Ports, policies: PricedPolicies) -> DeliveryReceiptService:
    """Build the service for carriers' reports."""
    store = customers_table(ports)
    service = DeliveryReceiptService(
        store=store,
        phones=store,
        contacts=contacts_table(ports),
        delay_queue=SimulatedQueue(ports, "waiting"),
        publisher=SimulatedBus(ports),
        policies=policies,
        clock=SimulatedClock(ports),
        telemetry=SimulatedTelemetry(ports),
    )
    return inline(service)


def channel_events(ports: Ports, policies: PricedPolicies) -> ChannelEventService:
    """Build the service for what comes back on channels."""
    store = customers_table(ports)
    return ChannelEventService(
        receipts=delivery_receipts(ports, policies),
        wishes=ChannelWishService(
            store=store,
            addresses=store,
            publisher=SimulatedBus(ports),
            policies=policies,
            clock=SimulatedClock(ports),
            telemetry=SimulatedTelemetry(ports),
        ),
        replies=SimulatedQueue(ports, "reply"),
        queue=SimulatedQueue(ports, "channel"),
        telemetry=SimulatedTelemetry(ports),
    )


def webhooks(ports: Ports) -> WebhookService:
    """Build what answers LINE's calls."""
    return WebhookService(
        secrets=known_secrets(),
        replies=SimulatedQueue(ports, "reply"),
        channel_events=SimulatedQueue(ports, "channel"),
        line_lenders=[LINE_LENDER],
        clock=SimulatedClock(ports),
        telemetry=SimulatedTelemetry(ports),
    )


def replanning(ports: Ports, policies: PricedPolicies) -> ReplanService:
    """Build the service that works out every wake again."""
    store = customers_table(ports)
    return ReplanService(
        store=store,
        scan=store,
        queue=SimulatedQueue(ports, "part"),
        publisher=SimulatedBus(ports),
        policies=policies,
        clock=SimulatedClock(ports),
        telemetry=SimulatedTelemetry(ports),
    )


def loading(ports: Ports, policies: PricedPolicies) -> Settler:
    """Build the part of intake that writes customers."""
    store = customers_table(ports)
    return Settler(store, store, policies)


def scanner(ports: Ports) -> ScanService:
    """Build the scanner."""
    return ScanService(
        index=customers_table(ports),
        queue=SimulatedQueue(ports, "job"),
        switch=SimulatedSwitch(ports),
        clock=SimulatedClock(ports),
        telemetry=SimulatedTelemetry(ports),
        capacity=100,
    )


def closing(ports: Ports) -> CloseUnknownService:
    """Build what closes texts that nobody reported."""
    return CloseUnknownService(
        contacts=contacts_table(ports), clock=SimulatedClock(ports), telemetry=SimulatedTelemetry(ports)
    )


def comparing_lists(ports: Ports, policies: PricedPolicies) -> OptOutService:
    """Build what compares the carrier's list of numbers, every night."""
    store = customers_table(ports)
    return OptOutService(
        store=store,
        phones=store,
        opt_out_list=SimulatedCarrier(ports),
        publisher=SimulatedBus(ports),
        policies=policies,
        clock=SimulatedClock(ports),
        telemetry=SimulatedTelemetry(ports),
    )


def inline[S](service: S) -> S:
    """Give a service a pool of no threads: its program takes turns with others."""
    vars(service)["_pool"] = InlinePool()
    return service


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays each part. A part gets the ports of one delivery and the policies."""

    sender: Callable[[Ports, PricedPolicies], JobHandler] = sender
    lender_events: Callable[[Ports, PricedPolicies], LenderEventService] = lender_events
    replies: Callable[[Ports, PricedPolicies], ReplyService] = replies
    delivery_receipts: Callable[[Ports, PricedPolicies], DeliveryReceiptService] = delivery_receipts
    channel_events: Callable[[Ports, PricedPolicies], ChannelEventService] = channel_events
    replanning: Callable[[Ports, PricedPolicies], ReplanService] = replanning
    loading: Callable[[Ports, PricedPolicies], Settler] = loading

    def script(self, mail: Mail) -> Script:
        """Return the program that handles the newest delivery of a message."""
        return Script(label_of(mail), (mail.kind, mail.body), lambda ports: self._play(ports, mail))

    def _play(self, ports: Ports, mail: Mail) -> Result:
        try:
            done = _HANDLERS[mail.kind](self, ports, mail)
        except DunningError as error:
            return Result(done=False, alarms=frozenset(ports.alarms), error=type(error).__name__)
        return Result(done=done, alarms=frozenset(ports.alarms))


def label_of(mail: Mail) -> str:
    """Name the newest delivery of a message."""
    return f"{mail.name}/{mail.receives}"


def _job(cast: Cast, ports: Ports, mail: Mail) -> bool:
    return not cast.sender(ports, policies_of(ports)).handle_batch([_message(mail)], plenty)


def _jobs(cast: Cast, ports: Ports, mail: Mail) -> bool:
    """Deliver several jobs in one batch, the first of them for the second time. They are done together."""
    messages = [
        QueueMessage(f"{mail.name} {number}", body, mail.receives + (not number))
        for number, body in enumerate(json.loads(mail.body))
    ]
    return not cast.sender(ports, policies_of(ports)).handle_batch(messages, plenty)


def _event(cast: Cast, ports: Ports, mail: Mail) -> bool:
    return not cast.lender_events(ports, policies_of(ports)).handle_batch([_message(mail)], plenty)


def _reply(cast: Cast, ports: Ports, mail: Mail) -> bool:
    message = InboundMessage(mail.name, mail.body, mail.receives, mail.ready_at)
    return not cast.replies(ports, policies_of(ports)).handle_batch([message], plenty)


def _receipt(cast: Cast, ports: Ports, mail: Mail) -> bool:
    told_by_carrier = json.loads(mail.body)
    receipt = DeliveryReceipt(**{**told_by_carrier, "at": datetime.fromisoformat(told_by_carrier["at"])})
    cast.delivery_receipts(ports, policies_of(ports)).handle_batch(Reported((receipt,), 0))
    return True


def _channel(cast: Cast, ports: Ports, mail: Mail) -> bool:
    message = InboundMessage(mail.name, mail.body, mail.receives, mail.ready_at)
    return not cast.channel_events(ports, policies_of(ports)).handle_batch([message])


def _webhook(cast: Cast, ports: Ports, mail: Mail) -> bool:
    """Call as LINE does, which calls again what is not answered by 200."""
    del cast
    return webhooks(ports).answer(signed_call(mail.body.encode())).status == HTTPStatus.OK


def _waiting(cast: Cast, ports: Ports, mail: Mail) -> bool:
    return not cast.delivery_receipts(ports, policies_of(ports)).handle_waiting([_message(mail)])


def _part(cast: Cast, ports: Ports, mail: Mail) -> bool:
    counted = cast.replanning(ports, policies_of(ports)).replan_part(parse_replan_part(mail.body), plenty)
    return counted.finished


def _load(cast: Cast, ports: Ports, mail: Mail) -> bool:
    (loaded,) = cast.loading(ports, policies_of(ports)).settle_batch([Candidate(LOADED[mail.body], 2)], ports.at)
    return loaded.outcome not in {LoadOutcome.FAILED, LoadOutcome.KEPT_CHANGING}


def _tick(cast: Cast, ports: Ports, mail: Mail) -> bool:
    del cast, mail
    scanner(ports).tick()
    return True


def _control(cast: Cast, ports: Ports, mail: Mail) -> bool:
    """Change what those who draw are told."""
    del cast
    SimulatedControl(ports).write(mail.body)
    return True


def _closing(cast: Cast, ports: Ports, mail: Mail) -> bool:
    del cast, mail
    closing(ports).close()
    return True


def _list(cast: Cast, ports: Ports, mail: Mail) -> bool:
    del cast, mail
    comparing_lists(ports, policies_of(ports)).sync()
    return True


LOADED: dict[str, Facts] = {}
"""The customers that files hold, by the name of the file."""

_HANDLERS: dict[str, Callable[[Cast, Ports, Mail], bool]] = {
    "job": _job,
    "jobs": _jobs,
    "event": _event,
    "reply": _reply,
    "receipt": _receipt,
    "channel": _channel,
    "waiting": _waiting,
    "webhook": _webhook,
    "part": _part,
    "load": _load,
    "tick": _tick,
    "closing": _closing,
    "list": _list,
    "control": _control,
}


def _message(mail: Mail) -> QueueMessage:
    return QueueMessage(mail.name, mail.body, mail.receives)


def event_body(kind: str, customer_id: str, at: datetime, **detail: Any) -> str:  # noqa: ANN401 - fields
    """Write an event of the lender as the bus hands it over."""
    body = {"schema_version": 1, "customer_id": customer_id, "at": at.astimezone(UTC).isoformat(), **detail}
    return json.dumps({"detail-type": kind, "source": "lender.core", "detail": body})


def reply_body(inbound_id: str, phone: str, text: str, at: datetime) -> str:
    """Write a reply as the topic hands it over."""
    sms = {"originationNumber": phone, "messageBody": text, "inboundMessageId": inbound_id}
    return json.dumps({"Type": "Notification", "Message": json.dumps(sms), "Timestamp": at.isoformat()})
