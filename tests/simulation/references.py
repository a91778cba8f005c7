"""
References: two senders as they are often written, so that a reader sees what a zero in our table is worth.

Both ask the same gates as ours, on the same data and ports. They differ from ours in what protects a text: nothing in
the naive sender, and an idempotency utility around each job in the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from dunning.adapters.aws_call import aws_call, write_if
from dunning.adapters.dynamodb.items import standing_item
from dunning.adapters.dynamodb.reading import read_items
from dunning.contracts.job import parse_job
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import LedgerEntry, Progress, Standing, Wake, progress_key, with_claim
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reminder, Send, trace_of
from dunning.domain.decision.rules import Rules
from dunning.domain.errors import DunningError, ServiceCallError, UnreadableRecordError
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import Outgoing
from dunning.ports.queues import Job, QueueMessage
from dunning.services.planning import plan
from dunning.services.send.claims import PricedPolicies
from dunning.services.send.messages import message_to, record_of
from tests.simulation.cast import Cast, switch_of
from tests.simulation.ports import (
    SHARDS,
    SimulatedCarrier,
    SimulatedClock,
    TableClient,
    contacts_table,
    customers_table,
)
from tests.simulation.tables import CUSTOMERS
from tests.simulation.workers import Ports

IDEMPOTENCY = "idempotency"
"""The table of the idempotency utility."""

IN_PROGRESS_FOR = timedelta(seconds=60)
"""How long a job counts as in progress: the time that a Lambda function has left, as the utility sets it."""

KEPT_FOR = timedelta(hours=1)
"""How long a finished job is remembered: the utility's default."""

_MOST_TRIES = 2
"""How often the SDK publishes; its default is three times and more, which breaks more promises still."""


class NaiveSender:
    """Reads a customer, decides, publishes, and writes down what was done."""

    def __init__(self, ports: Ports, policies: PricedPolicies) -> None:
        self._client: Any = TableClient(ports)
        self._customers = customers_table(ports)
        self._contacts = contacts_table(ports)
        self._carrier = SimulatedCarrier(ports)
        self._switch = switch_of(ports)
        self._policies = policies
        self._clock = SimulatedClock(ports)
        self._ports = ports

    def handle_batch(self, messages: Sequence[QueueMessage], seconds_left: Callable[[], float]) -> list[str]:
        """Handle jobs and return the ids of the messages to deliver again."""
        del seconds_left
        failed: list[str] = []
        for message in messages:
            try:
                self._handle(message)
            except (DunningError, ClientError):
                failed.append(message.message_id)
        return failed

    def _handle(self, message: QueueMessage) -> None:
        self._remind(parse_job(message.body))

    def _remind(self, job: Job) -> None:
        found = self._customers.load([job.customer_id])[job.customer_id]
        if isinstance(found, UnreadableRecordError) or found.facts is None or found.standing is None:
            return
        facts, standing, now = found.facts, found.standing, self._clock.now()
        decision = decide(facts, standing, self._policies, now, sending=self._switch.is_on())
        if not isinstance(decision, Send):
            following = plan(facts, standing, self._policies, now)
            self._write(standing, following.wake, following.reason)
            return
        rules = self._policies.rules_for(facts, now)
        assert isinstance(rules, Rules)
        sms = message_to(facts, rules, _entry_of(decision.reminder, "", now), decision.reminder)
        answer = self._publish(sms)
        if answer.outcome is not PublishOutcome.ACCEPTED:
            raise ServiceCallError("Publish", answer.code)
        self._write_down(facts, standing, decision, rules, answer, now)

    def _publish(self, sms: Outgoing) -> Published:
        """Publish as the SDK does: again, if there was no answer."""
        answer = self._carrier.publish(sms)
        for _ in range(_MOST_TRIES - 1):
            if answer.outcome is not PublishOutcome.UNKNOWN:
                break
            answer = self._carrier.publish(sms)
        return answer

    def _write_down(
        self, facts: Facts, standing: Standing, decision: Send, rules: Rules, answer: Published, now: datetime
    ) -> None:
        entry = _entry_of(decision.reminder, self._ports.new_id(), now)
        after = with_claim(standing, entry, _reached(decision.reminder), rules.longest_window, facts)
        following = plan(facts, after, self._policies, now)
        self._write(after, following.wake, following.reason)
        reasons = tuple(trace_of(decision))
        sms = message_to(facts, rules, entry, decision.reminder)
        self._contacts.write([record_of(rules, sms, entry, decision.reminder, answer, 0, reasons)])

    def _write(self, standing: Standing, wake: Wake | None, reason: str) -> None:
        """Write a standing over whatever is stored."""
        after = replace(standing, version=standing.version + 1, wake=wake, reason=reason)
        with aws_call("PutItem"):
            self._client.put_item(TableName=CUSTOMERS, Item=standing_item(after, SHARDS))


class IdempotentSender(NaiveSender):
    """
    The naive sender with an idempotency utility around each job.

    As such utilities do: a job in progress or done is known by its content. A job that failed may run again, and so may
    one that has been in progress for longer than a function can run.
    """

    def _handle(self, message: QueueMessage) -> None:
        now = self._clock.now()
        key = {"customer_id": {"S": message.body}, "item": {"S": "job"}}
        row = {"state": {"S": "in progress"}, "until": {"S": (now + IN_PROGRESS_FOR).isoformat()}}
        if not self._begin(key, row, now):
            if self._is_done(key):
                return
            raise ServiceCallError("Idempotency", "AlreadyInProgress")
        try:
            super()._handle(message)
        except (DunningError, ClientError):
            with aws_call("DeleteItem"):
                self._client.delete_item(TableName=IDEMPOTENCY, Key=key)
            raise
        done = {"state": {"S": "done"}, "until": {"S": (now + KEPT_FOR).isoformat()}}
        with aws_call("PutItem"):
            self._client.put_item(TableName=IDEMPOTENCY, Item={**key, **done})

    def _begin(self, key: dict[str, Any], row: dict[str, Any], now: datetime) -> bool:
        return write_if(
            "PutItem",
            lambda: self._client.put_item(
                TableName=IDEMPOTENCY,
                Item={**key, **row},
                ConditionExpression="attribute_not_exists(customer_id) OR until < :now",
                ExpressionAttributeValues={":now": {"S": now.isoformat()}},
            ),
        )

    def _is_done(self, key: dict[str, Any]) -> bool:
        found = list(read_items(self._client, IDEMPOTENCY, [key]))
        return bool(found) and found[0]["state"]["S"] == "done"


def _entry_of(reminder: Reminder, claim_id: str, now: datetime) -> LedgerEntry:
    return LedgerEntry(
        send_id=reminder.send_id,
        claim_id=claim_id,
        at=now,
        stage=reminder.stage,
        accounts=reminder.account_ids,
        channel=reminder.channel,
        for_wake=None,
        also_named=reminder.also_named,
    )


def _reached(reminder: Reminder) -> dict[str, Progress]:
    return {
        progress_key(reached.account_id, reached.number): Progress(reached.stage, reminder.on, reached.due_on)
        for reached in reminder.reached_stages
    }


REFERENCES = {
    "a naive sender": Cast(sender=NaiveSender),
    "with an idempotency utility": Cast(sender=IdempotentSender),
}
"""The references, by what the table calls them."""
