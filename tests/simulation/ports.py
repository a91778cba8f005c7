"""The ports as a program sees them: each call hands over control, and comes back with an answer."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.contracts.job import job_body
from dunning.domain.decision.decisions import Decision
from dunning.domain.delivery.channels import Channel
from dunning.domain.effect.trial_control import TrialControl
from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import OutboundEvent
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.ports.erasure import DeadLetter, StoredUpload
from dunning.ports.gateways import Published
from dunning.ports.outgoing import Outgoing
from dunning.ports.queues import Job
from dunning.ports.telemetry import LogEvent, Metric
from tests.simulation.policies import CONTROLLED, CONTROLS
from tests.simulation.tables import CONTACTS, CUSTOMERS, keys_of
from tests.simulation.workers import Call, Ports

SHARDS = 1

ALARMS = frozenset(
    {Metric.SMS_UNKNOWN, Metric.MESSAGES_UNKNOWN, Metric.CUSTOMERS_QUARANTINED, Metric.OUTBOUND_EVENTS_LOST}
)
"""The metrics that a promise speaks of. The others are not kept: they would only make worlds differ."""


class TableClient:
    """The client of DynamoDB, as the adapters call it."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def __getattr__(self, operation: str) -> Any:  # noqa: ANN401 - as boto3
        def ask(**request: Any) -> Any:  # noqa: ANN401 - as boto3
            return self._ports.ask(Call("table", operation, request, keys_of(operation, request)))

        return ask

    def get_paginator(self, operation: str) -> Any:  # noqa: ANN401 - as boto3
        """Return what asks for all pages, which are one."""
        return _Pages(getattr(self, operation))


class _Pages:
    def __init__(self, ask: Any) -> None:  # noqa: ANN401 - an operation of the client
        self._ask = ask

    def paginate(self, **request: Any) -> Iterator[Any]:  # noqa: ANN401 - as boto3
        yield self._ask(**request)


def _no_pause(seconds: float) -> None:
    del seconds


def customers_table(ports: Ports) -> DynamoCustomers:
    """Return the customers' table as the adapter sees it."""
    client: Any = TableClient(ports)
    return DynamoCustomers(client, CUSTOMERS, SHARDS, _no_pause)


def contacts_table(ports: Ports) -> DynamoContacts:
    """Return the audit table as the adapter sees it."""
    client: Any = TableClient(ports)
    return DynamoContacts(client, CONTACTS, _no_pause)


class SimulatedClock:
    """The time of the last answer. To sleep takes no time: others may have the turn at any call."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def now(self) -> datetime:
        return self._ports.at

    def sleep(self, seconds: float) -> None:
        del seconds


class SimulatedCarrier:
    """The carrier, and its list of numbers that want no texts."""

    channel = Channel.SMS
    name = "sns"
    repeatable = False

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._handed_over = 0

    def publish(self, sms: Outgoing) -> Published:
        self._handed_over += 1
        message_id = f"{self._ports.label}!{self._handed_over}"
        answer: Published = self._ports.ask(Call("carrier", "publish", (sms, message_id)))
        return answer

    def opted_out(self) -> Iterator[str]:
        return iter(self._ports.ask(Call("carrier", "opted_out", None)))

    def opt_out(self, phone: str) -> None:
        """Do nothing, as SNS: its list has no call for it."""

    def opt_in(self, phone: str) -> bool:
        return bool(self._ports.ask(Call("carrier", "opt_in", phone)))


class _Gateway:
    """A gateway of a channel: its name is what policies call it, its operation is the call as faults know it."""

    channel = Channel.SMS
    name = ""
    operation = ""
    repeatable = False

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._handed_over = 0

    def publish(self, outgoing: Outgoing) -> Published:
        self._handed_over += 1
        message_id = f"{self.operation}!{self._ports.label.replace(' ', '-')}!{self._handed_over}"
        answer: Published = self._ports.ask(Call("carrier", self.operation, (outgoing, message_id)))
        return answer


class SimulatedTexts(_Gateway):
    """End User Messaging: texts, whose claim comes back with each report."""

    name = "eum"
    operation = "text"


class SimulatedCalls(_Gateway):
    """End User Messaging: calls."""

    channel = Channel.VOICE
    name = "eum_voice"
    operation = "call"


class SimulatedMails(_Gateway):
    """SES: mails."""

    channel = Channel.EMAIL
    name = "ses"
    operation = "mail"


class SimulatedPushes(_Gateway):
    """LINE: executes a retry key once, and says of a repeat that it has the message."""

    channel = Channel.LINE
    name = "line"
    operation = "push"
    repeatable = True


class SimulatedQueue:
    """A queue of messages of a kind."""

    def __init__(self, ports: Ports, kind: str) -> None:
        self._ports = ports
        self._kind = kind

    def depth(self) -> int:
        return int(self._ports.ask(Call("queue", "depth", self._kind)))

    def enqueue(self, jobs: Iterable[Job]) -> int:
        bodies = tuple(job_body(job) for job in jobs)
        return int(self._ports.ask(Call("queue", "send", (self._kind, bodies, timedelta())))) if bodies else 0

    def send_with_delay(self, bodies: Sequence[str], delay: timedelta) -> None:
        if bodies and self._ports.ask(Call("queue", "send", (self._kind, tuple(bodies), delay))) < len(bodies):
            raise ServiceCallError("SendMessageBatch", "InternalError")

    def park(self, body: str, why: str) -> None:
        del why
        self._ports.ask(Call("queue", "send", (f"parked {self._kind}", (body,), timedelta())))


class SimulatedDeadLetters:
    """The dead letters of the replies."""

    name = "replies"

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def scan(self) -> Iterator[DeadLetter]:
        for body in self._ports.ask(Call("queue", "scan", None)):
            yield DeadLetter(body, body)

    def replace(self, message: DeadLetter, body: str) -> None:
        self._ports.ask(Call("queue", "replace", (message.body, body)))


class SimulatedBus:
    """The lender's bus."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def publish(self, events: Sequence[OutboundEvent]) -> None:
        if events:
            self._ports.ask(Call("bus", "publish", tuple(events)))


class SimulatedSwitch:
    """The switch, and the notes about news that has failed."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._stopped: frozenset[Channel] = frozenset()

    def is_on(self) -> bool:
        is_on, self._stopped = self._ports.ask(Call("switch", "is_on", None))
        return bool(is_on)

    def stopped_channels(self) -> frozenset[Channel]:
        """Return the channels that were stopped when the switch was last read: both are read at once."""
        return self._stopped

    def waiting(self) -> int:
        """Return how much news waits: none, for in the simulation news comes at the moment of its delivery."""
        return 0

    def has_failed(self) -> bool:
        return bool(self._ports.ask(Call("switch", "news", None)))

    def note(self) -> None:
        self._ports.ask(Call("queue", "note", None))


class SimulatedControl:
    """What those who draw are told of the trials of a lender: it is asked for once by each program, and kept."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._kept = ""

    def control_of(self, lender: str) -> TrialControl | None:
        """Return what holds for a lender. For the others than the one with a control, all is drawn."""
        if lender == CONTROLLED and not self._kept:
            self._kept = self._ports.ask(Call("control", "read", None))
        return CONTROLS[self._kept or "all drawn"]

    def write(self, control: str) -> None:
        self._ports.ask(Call("control", "write", control))


class SimulatedBucket:
    """The uploaded files, in all versions."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def uploads(self) -> Iterator[StoredUpload]:
        return iter(self._ports.ask(Call("bucket", "list", None)))

    @contextmanager
    def read(self, upload: StoredUpload) -> Iterator[Iterator[bytes]]:
        yield iter([self._ports.ask(Call("bucket", "read", upload))])

    def delete(self, upload: StoredUpload) -> None:
        self._ports.ask(Call("bucket", "delete", upload))


class SimulatedTelemetry:
    """Keeps the metrics that a promise speaks of. They leave with the end of the program."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def log_decision(
        self, customer_id: str, decision: Decision, at: datetime, *, recorded: bool = False, **outcome: str
    ) -> None:
        del customer_id, decision, at, recorded, outcome

    def log_event(self, event: LogEvent, **fields: str | float | None) -> None:
        del event, fields

    def count(self, metric: Metric, value: float = 1) -> None:
        if metric in ALARMS and value:
            self._ports.alarms.add(str(metric))

    def gauge(self, metric: Metric, value: float) -> None:
        del metric, value


class SpelledReader:
    """Understands what a reply's text spells out: sure intents, and likely ones behind a question mark."""

    def parse(
        self, text: str, *, said_on: date, phone_country: str, our_texts: Sequence[str] = (), customer_name: str = ""
    ) -> ParsedReply:
        del phone_country, our_texts, customer_name
        sure, _, likely = text.partition("?")
        promised = said_on + timedelta(days=3) if "promise" in sure else None
        return ParsedReply(_intents(sure), promised, "", _intents(likely))


def _intents(spelled: str) -> tuple[ReplyIntent, ...]:
    return tuple(ReplyIntent(intent) for intent in spelled.split(",") if intent)
