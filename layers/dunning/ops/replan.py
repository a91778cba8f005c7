"""
Plan every customer of a deployed stack anew, from here: `make replan STACK=dunning-prod`, with APPLY=1 to do it.

Without APPLY=1 nothing is changed: it tells how many wakes a changed policy would move. The function in the stack does
the same without anybody's machine (`aws lambda invoke`). It can be repeated, and left in the middle.

Exits with 0, or 1 if somebody could not be planned, 2 if asked for what cannot be.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import boto3

from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.eventbridge import EventBridgePublisher
from dunning.adapters.system_clock import SystemClock
from dunning.contracts.replan_part import ReplanPart
from dunning.domain.decision.decisions import Decision
from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import OutboundEvent
from dunning.policy import load_policies
from dunning.ports.clock import Clock
from dunning.ports.gateways import EventPublisher
from dunning.ports.telemetry import LogEvent, Metric
from dunning.services.replan import PARTS, Counted, ReplanService
from ops.stack import Deployed, StackError, deployed


class _NoPublisher:
    """A publisher for a run without changes: it drops all events."""

    def publish(self, events: Sequence[OutboundEvent]) -> None:
        pass


class _Silent:
    """A telemetry that counts nothing: this program prints its results."""

    def log_decision(
        self, customer_id: str, decision: Decision, at: object, *, recorded: bool = False, **outcome: str
    ) -> None:
        pass

    def log_event(self, event: LogEvent, **fields: str | float | None) -> None:
        if event == "outbound_event_lost":
            sys.stderr.write(f"not taken by the bus: {fields['detail_type']} {fields['detail']}\n")

    def count(self, metric: Metric, value: float = 1) -> None:
        pass

    def gauge(self, metric: Metric, value: float) -> None:
        pass


class _NoQueue:
    """A part is read to its end here, and put back nowhere."""

    def send_with_delay(self, bodies: Sequence[str], delay: timedelta) -> None:
        raise NotImplementedError


def main(argv: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """Look or plan, and return the exit code."""
    arguments = _arguments(argv)
    session = boto3.Session(region_name=arguments.region)
    try:
        stack = deployed(session.client("cloudformation"), arguments.stack)
        service = _service(session, stack, clock or SystemClock(), change=arguments.apply)
        work = partial(service.replan_part, seconds_left=lambda: math.inf, change=arguments.apply)
        with ThreadPoolExecutor(arguments.parts) as pool:
            parts = [pool.submit(work, ReplanPart(part, arguments.parts, "")) for part in range(arguments.parts)]
            counted = [_log_part(number, part.result()) for number, part in enumerate(parts, 1)]
    except (StackError, ServiceCallError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    changed, customers = sum(part.changed for part in counted), sum(part.customers for part in counted)
    verb = "now have" if arguments.apply else "would have"
    sys.stdout.write(f"{changed:,} of {customers:,} customers {verb} another wake or reason.\n")
    if not arguments.apply:
        sys.stdout.write("Nothing was changed. With APPLY=1 they are planned anew.\n")
    unreadable, contested = sum(part.unreadable for part in counted), sum(part.contested for part in counted)
    if unreadable:
        sys.stdout.write(f"{unreadable:,} cannot be read; the sender sets them aside when their wake comes.\n")
    if contested:
        sys.stdout.write(f"{contested:,} kept changing meanwhile: run it once more.\n")
    return 1 if unreadable or contested else 0


def _service(session: boto3.Session, stack: Deployed, clock: Clock, *, change: bool) -> ReplanService:
    shards = int(stack.parameter("DueShards"))
    customers = DynamoCustomers(session.client("dynamodb"), stack.output("CustomersTable"), shards)
    publisher: EventPublisher = _NoPublisher()
    if change:
        publisher = EventBridgePublisher(session.client("events"), stack.output("LenderBus"), _Silent())
    return ReplanService(
        store=customers,
        scan=customers,
        queue=_NoQueue(),
        publisher=publisher,
        policies=load_policies(),
        clock=clock,
        telemetry=_Silent(),
    )


def _log_part(number: int, counted: Counted) -> Counted:
    sys.stderr.write(f"part {number}: {counted.customers:,} customers, {counted.changed:,} to change\n")
    return counted


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make replan", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stack", required=True, help="name of the deployed stack")
    parser.add_argument("--region", help="its region; by default that of your AWS configuration")
    parser.add_argument("--parts", type=int, default=PARTS, help="parts of the table that are read side by side")
    parser.add_argument("--apply", action="store_true", help="write the new wakes")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
