"""
`make erase`: erase customers of a deployed stack. Without APPLY=1 it looks and changes nothing.

    python -m ops.erase --stack dunning-prod [--apply] C0001 C0002

Exits with 0 if nothing is left (or after a look), 1 if something is, 2 if asked for nonsense or AWS cannot be reached.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

import boto3

from dunning import compiled_policies
from dunning.adapters.dynamodb.case_table import DynamoCases
from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.drawn_rung_table import DynamoDrawnRungs
from dunning.adapters.s3 import S3UploadErasure
from dunning.adapters.sqs import SqsQueue
from dunning.adapters.system_clock import SystemClock
from dunning.contracts.erasure_round import erasure_round_body
from dunning.domain.decision.decisions import Decision
from dunning.domain.errors import ServiceCallError
from dunning.ports.clock import Clock
from dunning.ports.queues import DelayQueue
from dunning.ports.telemetry import LogEvent, Metric
from dunning.services.erasure.erase import MAY_BE_LOADING, ROUND_INTERVAL, SECOND_ROUND, UNDER_WAY, EraseService
from dunning.services.intake.cells import is_id
from ops.stack import StackError, deployed

_WHAT_IS_STORED = """\
Items are the facts, and the standing with holds, promises, and what people said of replies. Records are texts and what
became of them. A reply lies with its text, what was understood and why, and the label of a person.
"""
_ELSEWHERE = """\
What this cannot reach: the lender's own files (take the customer out of them, or each upload has them refused),
backups of the tables (35 days), SNS's delivery logs and its list of opted-out numbers.
layers/dunning/docs/operations.md, "Erase a customer", says what to do about each.
"""


class _Silent:
    """A telemetry that logs nothing: this program prints its results."""

    def log_decision(
        self, customer_id: str, decision: Decision, at: datetime, *, recorded: bool = False, **outcome: str
    ) -> None:
        """Say nothing."""

    def log_event(self, event: LogEvent, **fields: str | float | None) -> None:
        """Say nothing."""

    def count(self, metric: Metric, value: float = 1) -> None:
        """Say nothing."""

    def gauge(self, metric: Metric, value: float) -> None:
        """Say nothing."""


_CUSTOMER_MISSING = 'name the customers to erase by their ids, as in CUSTOMER="C0001 C0002"'
_STACK_MISSING = "name the stack to erase them from, as in STACK=dunning-prod"


class _Parser(argparse.ArgumentParser):
    """Reports an error in one line, by the variables of make; `--help` prints the rest."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("the following arguments are required"):
            message = _CUSTOMER_MISSING if "CUSTOMER" in message else _STACK_MISSING
        self.exit(2, f"{self.prog}: {message}\n")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="make erase", description="Erase customers of a deployed stack.")
    parser.add_argument("customers", nargs="+", metavar="CUSTOMER", help="customer_id, as in the lender's files")
    parser.add_argument("--stack", required=True, help="the stack's name")
    parser.add_argument("--region", help="of the stack; by default that of the credentials")
    parser.add_argument("--apply", action="store_true", help="erase; without it nothing is changed")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """Look or erase, and return the exit code."""
    arguments = _arguments(argv)
    if wrong := [customer_id for customer_id in arguments.customers if not is_id(customer_id)]:
        sys.stderr.write(f"{len(wrong)} of the arguments are no customer ids\n")
        return 2
    session = boto3.Session(region_name=arguments.region)
    clock = clock or SystemClock()
    try:
        stack = deployed(session.client("cloudformation"), arguments.stack)
        dynamodb = session.client("dynamodb")
        service = EraseService(
            customers=DynamoCustomers(dynamodb, stack.output("CustomersTable"), int(stack.parameter("DueShards"))),
            contacts=DynamoContacts(dynamodb, stack.output("ContactsTable")),
            uploads=S3UploadErasure(session.client("s3"), stack.output("UploadsBucket")),
            clock=clock,
            telemetry=_Silent(),
            headings=lambda: compiled_policies.policies().headings,
            encoding=stack.parameters.get("AccountsEncoding", ""),
            draws=DynamoDrawnRungs(dynamodb, stack.output("TallyTable")),
            cases=DynamoCases(dynamodb, table) if (table := stack.outputs.get("ConsoleTable")) else None,
        )
        if not arguments.apply:
            return _look(service, arguments.customers)
        later = SqsQueue(session.client("sqs"), stack.output("LenderEventsQueue"))
        return _erase(service, arguments.customers, later, clock)
    except (StackError, ServiceCallError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _look(service: EraseService, customers: Sequence[str]) -> int:
    for customer_id in customers:
        there = service.look(customer_id)
        sys.stdout.write(
            f"{customer_id}: {there.items} items, {there.records} records that tell of them, {there.replies} replies, "
            f"{service.labelled_replies(customer_id)} of them labelled by a person, {there.notes} notes of colleagues\n"
        )
    sys.stdout.write(_WHAT_IS_STORED)
    sys.stdout.write("Nothing was changed. With APPLY=1 this is erased.\n")
    return 0


def _erase(service: EraseService, customers: Sequence[str], later: DelayQueue, clock: Clock) -> int:
    now = clock.now()
    for customer_id in customers:
        erased = service.erase(customer_id, now)
        sys.stdout.write(
            f"{customer_id}: {erased.items} items erased, {erased.records} records redacted, "
            f"{erased.replies} replies and {erased.notes} notes deleted\n"
        )
    wait = SECOND_ROUND.total_seconds()
    sys.stdout.write(f"Waiting {wait:.0f} s for texts that were under way ...\n")
    clock.sleep(wait)
    left = 0
    for customer_id in customers:
        service.erase_again(customer_id)
        there = service.look(customer_id)
        kept = there.items - service.keeps_numbers(customer_id)
        is_left = bool(kept or there.records or there.replies or there.notes)
        left += is_left
        result = "SOMETHING IS LEFT: erase again" if is_left else "nothing is left but the number, for now"
        sys.stdout.write(f"{customer_id}: {result}\n")
    uploads = service.erase_uploads(dict.fromkeys(customers), lambda: math.inf)
    sys.stdout.write(f"Uploaded files: {uploads.deleted} deleted that named one of them or cannot be read\n")
    later.send_with_delay([erasure_round_body(customer_id) for customer_id in customers], ROUND_INTERVAL)
    minutes = UNDER_WAY.total_seconds() / 60
    sys.stdout.write(
        "The stack goes on: it takes late replies and dead letters from these numbers, and forgets the numbers once\n"
        f"nothing is under way any more, after {minutes:.0f} minutes at the earliest.\n"
    )
    if uploads.waiting:
        hours = MAY_BE_LOADING.total_seconds() / 3600
        sys.stdout.write(f"{', '.join(sorted(uploads.waiting))}: NAMED IN A NEW FILE: erase again in {hours:.0f} h\n")
    sys.stdout.write(_ELSEWHERE)
    return 1 if left or uploads.waiting else 0


if __name__ == "__main__":
    sys.exit(main())
