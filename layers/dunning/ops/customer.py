"""
`make customer`: the timeline of a customer, for a complaint, a regulator or a request for access.

    python -m ops.customer --stack dunning-prod --who mei.chen --why "complaint 2026-117" --out dir C0012
    python -m ops.customer --out .local C0012

Facts, decisions, texts, receipts and replies stand in one order. It reads a deployed stack or, without STACK, what a
local run has left in OUT. It prints the timeline, and writes it to OUT/customer-<id>.json and OUT/customer-<id>.html, a
page to print. Both hold the customer's name, number and words in full: only whoever runs this may read them. Before
anything is read it is written down who looks, and why.

Exits with 0; 1 if something that is kept could not be read; 2 if there is nothing to show, or asked for nonsense.
"""

import argparse
import difflib
import getpass
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from dunning.adapters.aws_call import aws_call
from dunning.adapters.dynamodb.evidence_items import read_evidence
from dunning.adapters.dynamodb.keys import REPLY, address_key
from dunning.adapters.system_clock import SystemClock
from dunning.contracts.instants import instant
from dunning.domain.customer.facts import Facts
from dunning.domain.decision.rules import Policies, Rules
from dunning.domain.errors import DunningError, ServiceCallError
from dunning.evidence.customer_document import customer_document
from dunning.evidence.customer_evidence import Evidence, read_logged_line
from dunning.evidence.timeline import Timeline, build_timeline
from dunning.policy import load_policies
from dunning.ports.clock import Clock
from dunning.services.intake.cells import is_id
from ops.decision_logs import read_decision_logs
from ops.looks import Look, LookError, check_look, write_look_to_file, write_look_to_stack
from ops.stack import Deployed, StackError, deployed
from ops.timeline_page import timeline_page
from ops.timeline_text import timeline_text

STORED_OF_A_RUN = "stored.jsonl"
DECISIONS_OF_A_RUN = "decisions.jsonl"
CUSTOMERS_OF_A_RUN = "customers.jsonl"
SUMMARY_OF_A_RUN = "summary.json"

_ONLY_OWNER, _ONLY_OWNERS_FOLDER = 0o600, 0o700
_MOST_NEAR = 3
_MIDNIGHT_OF_A_RUN = time(16, tzinfo=UTC)
"""The end of a run's last day: midnight eight hours ahead of UTC."""
_UTC = ZoneInfo("UTC")

_CUSTOMER_MISSING = "name the customer by the id, as in CUSTOMER=C0012"


class CustomerError(DunningError):
    """There is nothing to show; the message says why, and what to do."""


class Found(NamedTuple):
    """A customer's evidence, the zone and the moment of the timeline, its source in words, and whether all was read."""

    evidence: Evidence
    zone: ZoneInfo
    now: datetime
    source: str
    is_whole: bool


class _Parser(argparse.ArgumentParser):
    """Reports an error in one line, by the variables of make; `--help` prints the rest."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("the following arguments are required"):
            message = _CUSTOMER_MISSING
        self.exit(2, f"{self.prog}: {message}\n")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(prog="make customer", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("customers", nargs="+", metavar="CUSTOMER", help="customer_id, as in the lender's files")
    parser.add_argument("--stack", default="", help="the stack's name; without it a local run is read")
    parser.add_argument("--region", help="of the stack; by default that of the credentials")
    parser.add_argument("--who", default="", help="who looks: a name or a mail address")
    parser.add_argument("--why", default="", help="why, and the number of the case")
    parser.add_argument("--since", type=_day, help="the first day of the logs to read; by default all that is kept")
    parser.add_argument("--out", type=Path, default=Path(".local"), help="a folder (%(default)s)")
    return parser.parse_args(argv)


def _day(written: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(written), time(), UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{written} is no day: write it as in SINCE=2026-12-01") from None


def main(argv: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """Show and write the timeline of each customer, and return the exit code."""
    arguments = _arguments(argv)
    clock = clock or SystemClock()
    is_whole = True
    try:
        _check(arguments)
        source = _StackSource(arguments, clock) if arguments.stack else _RunSource(arguments, clock)
        for customer_id in arguments.customers:
            look = source.look(customer_id)
            found = source.find(customer_id)
            is_whole &= found.is_whole and not found.evidence.unreadable
            _show(found, look, arguments.out)
    except (CustomerError, LookError, StackError, ServiceCallError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except BotoCoreError as error:
        sys.stderr.write(f"{error}\n")  # no region, or no credentials
        return 2
    except OSError as error:
        sys.stderr.write(f"OUT={arguments.out}: {error.strerror}\n")
        return 2
    if not is_whole:
        sys.stderr.write("Something that is kept could not be read; the page says what.\n")
    return 0 if is_whole else 1


def _check(arguments: argparse.Namespace) -> None:
    if wrong := [customer_id for customer_id in arguments.customers if not is_id(customer_id)]:
        raise CustomerError(f"CUSTOMER: {len(wrong)} of the arguments are no customer ids")
    if arguments.stack or arguments.who or arguments.why:
        check_look(arguments.who, arguments.why)


def _show(found: Found, look: Look, out: Path) -> None:
    timeline = build_timeline(found.evidence, found.zone, found.now)
    about = {"made_at": instant(look.at), "source": found.source, "looked_at_by": look.who, "because": look.why}
    # The files first: whoever closes a pager early still has them.
    document = json.dumps(customer_document(found.evidence, timeline, (), **about), ensure_ascii=False, indent=2) + "\n"
    page = timeline_page(timeline, about)
    written = [
        _write(out / f"customer-{timeline.customer_id}.{ending}", text)
        for ending, text in (("json", document), ("html", page))
    ]
    for line in _printed(timeline, found.source, written):
        sys.stdout.write(f"{line}\n")


def _printed(timeline: Timeline, source: str, written: Iterable[Path]) -> Iterator[str]:
    yield from timeline_text(timeline, source)
    yield ""
    yield "WRITTEN, for you alone"
    yield from (f"  {path}" for path in written)
    yield ""


def _write(path: Path, text: str) -> Path:
    """Write a file for its owner alone, in the place of an earlier one."""
    path.parent.mkdir(mode=_ONLY_OWNERS_FOLDER, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER)
    with open(descriptor, "w", encoding="utf-8") as opened:  # noqa: PTH123 - of a descriptor
        opened.write(text)
    return path


# ------------------------------------------------------------------ a local run


class _RunSource:
    """What a local run has left in a folder."""

    def __init__(self, arguments: argparse.Namespace, clock: Clock) -> None:
        self._out: Path = arguments.out
        self._clock = clock
        self._who = arguments.who or _login()
        self._why = arguments.why or "local run"
        try:
            run = json.loads((self._out / SUMMARY_OF_A_RUN).read_text("utf-8"))["run"]
            self._first_day, self._last_day = run["start"], date.fromisoformat(run["last_day"])
        except FileNotFoundError:
            raise CustomerError(f"OUT={self._out}: no run has left its results there yet: make run") from None
        except (OSError, ValueError, KeyError, TypeError):
            raise CustomerError(
                f"OUT={self._out}: {SUMMARY_OF_A_RUN} there is not of a run: name another folder"
            ) from None

    def look(self, customer_id: str) -> Look:
        """Write down who looks."""
        look = Look(at=self._clock.now(), customer_id=customer_id, who=self._who, why=self._why)
        write_look_to_file(self._out, look)
        return look

    def find(self, customer_id: str) -> Found:
        """
        Read what the run knows of a customer.

        Raises:
            CustomerError: it knows nobody of this id, or its files cannot be read.
        """
        items = [json.loads(text) for text in self._texts(STORED_OF_A_RUN)]
        mine = [item for item in items if _owner(item) == customer_id]
        if not mine:
            near = difflib.get_close_matches(customer_id, sorted(set(map(_owner, items))), n=_MOST_NEAR)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            raise CustomerError(f"CUSTOMER={customer_id}: the run in {self._out} has no such customer{meant}")
        now = datetime.combine(self._last_day, _MIDNIGHT_OF_A_RUN)
        lines = (read_logged_line(text, customer_id, "", now) for text in self._texts(DECISIONS_OF_A_RUN))
        evidence = read_evidence(customer_id, mine, [line for line in lines if line is not None])
        source = f"the local run in {self._out} from {self._first_day} to {self._last_day}"
        return Found(evidence, self._zone(customer_id), now, source, is_whole=True)

    def _zone(self, customer_id: str) -> ZoneInfo:
        """Return the zone that the run has written down: its policies may be the user's own."""
        lines = map(json.loads, self._texts(CUSTOMERS_OF_A_RUN))
        zones = (line["time_zone"] for line in lines if line["customer_id"] == customer_id)
        return ZoneInfo(next(zones, _UTC.key))

    def _texts(self, name: str) -> list[str]:
        try:
            texts = (self._out / name).read_text("utf-8").splitlines()
            for text in texts:
                json.loads(text)
        except FileNotFoundError:
            raise CustomerError(
                f"OUT={self._out}: the run there has left no {name}: play it again with make run"
            ) from None
        except (OSError, ValueError):
            raise CustomerError(f"OUT={self._out}: {name} cannot be read: play it again with make run") from None
        return texts


def _owner(item: Mapping[str, Any]) -> str:
    return str(item["customer_id"]["S"])


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "a login without a name"


# ------------------------------------------------------------------ a deployed stack


class _StackSource:
    """A deployed stack."""

    def __init__(self, arguments: argparse.Namespace, clock: Clock) -> None:
        self._session = boto3.Session(region_name=arguments.region)
        self._clock = clock
        self._who, self._why, self._since = arguments.who, arguments.why, arguments.since
        self._stack: Deployed = deployed(self._session.client("cloudformation"), arguments.stack)
        self._logs: Any = self._session.client("logs")
        self._dynamodb = self._session.client("dynamodb")
        self._policies = load_policies()

    def look(self, customer_id: str) -> Look:
        """Write down who looks, with the identity that AWS knows."""
        try:
            caller = self._session.client("sts").get_caller_identity()["Arn"]
        except (ClientError, BotoCoreError) as error:
            raise LookError(f"AWS does not say who you are ({type(error).__name__}): nothing is shown") from None
        look = Look(at=self._clock.now(), customer_id=customer_id, who=self._who, why=self._why, caller=caller)
        write_look_to_stack(self._logs, self._stack.output("LooksLogs"), look)
        return look

    def find(self, customer_id: str) -> Found:
        """
        Read what the stack keeps of a customer.

        Raises:
            CustomerError: it has nobody of this id.
            ServiceCallError: a table cannot be read.
        """
        items = [
            item
            for table in ("CustomersTable", "ContactsTable")
            for item in self._items(self._stack.output(table), customer_id)
        ]
        if not items:
            raise CustomerError(f"CUSTOMER={customer_id}: {self._stack.name} has no such customer")
        logs = read_decision_logs(self._logs, self._stack.name, customer_id, self._since, self._clock)
        evidence = read_evidence(customer_id, items, logs.lines, [*logs.gaps])
        if apart := self._replies_apart(evidence):
            replies = "1 reply" if apart == 1 else f"{apart} replies"
            gap = (
                f"{replies} from the customer's addresses came when no customer had them, and may be somebody "
                "else's: kept apart, and not shown."
            )
            evidence = read_evidence(customer_id, items, logs.lines, [*logs.gaps, gap])
        now = self._clock.now()
        zone = zone_of(evidence.facts, self._policies)
        return Found(evidence, zone, now, f"the stack {self._stack.name}", logs.is_whole)

    def _items(self, table: str, customer_id: str) -> list[Mapping[str, Any]]:
        with aws_call("Query"):
            pages = self._dynamodb.get_paginator("query").paginate(
                TableName=table,
                KeyConditionExpression="customer_id = :customer",
                ExpressionAttributeValues={":customer": {"S": customer_id}},
                ConsistentRead=True,
            )
            return [item for page in pages for item in page["Items"]]

    def _replies_apart(self, evidence: Evidence) -> int:
        record = evidence.lender_record
        count = 0
        for address in (*record.phones, *record.addresses) if record else ():
            with aws_call("Query"):
                pages = self._dynamodb.get_paginator("query").paginate(
                    TableName=self._stack.output("ContactsTable"),
                    KeyConditionExpression="customer_id = :address AND begins_with(contact, :reply)",
                    ExpressionAttributeValues={":address": {"S": address_key(address)[0]}, ":reply": {"S": REPLY}},
                    Select="COUNT",
                    ConsistentRead=True,
                )
                count += sum(page["Count"] for page in pages)
        return count


def zone_of(facts: Facts | None, policies: Policies) -> ZoneInfo:
    """Return the zone a customer lives in, the first if it may be one of several; UTC if it is not known."""
    if facts is None:
        return _UTC
    if facts.time_zone:
        try:
            return ZoneInfo(facts.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            pass  # a name that nobody knows: the place may have a zone
    rules = policies.rules_for(facts, datetime.now(UTC))
    return rules.zones[0] if isinstance(rules, Rules) and rules.zones else _UTC


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make customer | head` ends quietly; the files are there
    sys.exit(main())
