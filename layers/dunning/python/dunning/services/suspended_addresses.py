"""Suspended addresses: what is counted, and told the lender's systems, when an address can no longer be used."""

from datetime import datetime

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.channels import Channel
from dunning.domain.outbound_events import NumberUnreachable
from dunning.ports.telemetry import Metric, Telemetry


def new_suspensions(
    telemetry: Telemetry, facts: Facts, before: Standing, after: Standing, cause: str, now: datetime
) -> tuple[NumberUnreachable, ...]:
    """Count each channel whose address is suspended now and was not before, and return an event for each."""
    suspended = [
        channel for channel in Channel if after.is_suspended(facts, channel) and not before.is_suspended(facts, channel)
    ]
    for channel in suspended:
        telemetry.count(Metric.NUMBERS_SUSPENDED if channel is Channel.SMS else Metric.ADDRESSES_SUSPENDED)
    return tuple(NumberUnreachable(after.customer_id, now, cause, channel.value) for channel in suspended)
