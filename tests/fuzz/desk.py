"""All handlers on fakes, without threads: two customers are known, and each input finds everything as it was."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import cache, partial
from itertools import count
from typing import Any
from unittest.mock import patch

from dunning import wiring
from dunning.adapters.dynamodb.items import (
    contact_item,
    contact_of,
    file_loads_item,
    file_loads_of,
    lender_record_item,
    lender_record_of,
    reply_item,
    reply_of,
    standing_item,
    standing_of,
)
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import DunningError, UnexpectedError
from dunning.policy import PolicyBook
from dunning.policy.reply_files import load_reply_reader
from dunning.services.intake import IntakeService
from dunning.services.intake.encodings import encoding_named
from dunning.services.intake.heading_line import with_own_names
from dunning.services.intake.table import FileForm
from dunning.services.intake.whole_list import WholeLists
from tests.fuzz.planted import NAME
from tests.support.builders import a_lender_record, the_policies
from tests.support.fakes import FakeQueue, FakeTelemetry, FakeUploads
from tests.support.office import Office
from tests.support.people import NOW, someone, texted, waking
from tests.support.schedules import InlinePool

LARGEST_ITEM = 400 * 1024
"""DynamoDB's limit, in bytes."""

_MOST_DIGITS = 38
"""Of a number in DynamoDB."""

_SHARDS = 10


class Parking(FakeQueue):
    """A queue that remembers why a message was parked."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: list[str] = []

    def park(self, body: str, why: str) -> None:
        self.reasons.append(why)
        super().park(body, why)


class _Inline(InlinePool):
    """A pool as intake makes it for each file."""

    def __init__(self, workers: int = 1) -> None:
        del workers

    @staticmethod
    def submit(work: Callable[..., Any], *arguments: object, **named: object) -> Future[Any]:
        return InlinePool.submit(partial(work, **named), *arguments)

    def shutdown(self, *, cancel_futures: bool = False) -> None:
        del cancel_futures


class _HandlerTelemetry(FakeTelemetry):
    """The telemetry of the wrapper around a handler."""

    def flush(self) -> None:
        """Do nothing: what was counted is looked at where it is."""


class _Context:
    """Lambda's."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class Desk(Office):
    """The stack, the customers on it, and what it has stored and said since the last reset."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.parking = Parking()
        self.uploads = FakeUploads()
        self.handler_telemetry = _HandlerTelemetry()
        self.policies: PolicyBook = the_policies()
        services: Mapping[str, Any] = {
            "sender": self.sender, "lender_events": self.lender_events, "replies": self.replies,
            "delivery_receipts": self.receipts, "replan": self.replanning,
        }  # fmt: skip
        self.services = services
        for service in services.values():
            vars(service).update({name: InlinePool() for name in ("_pool",) if name in vars(service)})
            vars(service).update(
                {name: self.parking for name in ("_queue", "_dead_letters") if vars(service).get(name) in self._queues}
            )
        vars(self.replies)["_reader"] = load_reply_reader()
        self.reset()

    @property
    def _queues(self) -> list[object]:
        return [self.dead_letters, self.jobs]

    def reset(self) -> None:
        """Forget everything, and know two customers, each with a text that went out a minute ago."""
        for fake in (
            self.store, self.contacts, self.telemetry, self.publisher, self.parking, self.later, self.waiting_receipts,
            self.parts, self.uploads, self.handler_telemetry,
            *[vars(service)["_failures"] for service in self.services.values() if "_failures" in vars(service)],
        ):  # fmt: skip
            fresh = vars(type(fake)())
            vars(fake).clear()
            vars(fake).update(fresh)
        self.carrier.published.clear()
        self._ids = count(1)
        self.clock.move_to(NOW)
        for number in (1, 2):
            facts = someone(number, name=NAME if number == 1 else "陳小美")
            entry = texted(facts, NOW)
            self.store.lender_records[facts.customer_id] = a_lender_record(facts)
            self.store.standings[facts.customer_id] = waking(facts, ledger=(entry,) if number == 1 else ())
            self.store.phones[facts.phone] = frozenset({facts.customer_id})
        first = someone(1)
        self.contacts.write(
            [
                Contact(
                    customer_id=first.customer_id, send_id=entry_of(self).send_id, claim_id="claim", at=NOW,
                    state=ContactState.SENT, stage=-3, account_ids=("A0001-0",), channel="sms", expires_at=NOW,
                    phone=first.phone, text="text", parts=1, price_usd_micros=1, message_id="message-1",
                )
            ]
        )  # fmt: skip

    def stored(self) -> tuple[Any, ...]:
        """Return all that is stored, to be compared."""
        return (
            dict(self.store.lender_records), dict(self.store.standings), dict(self.store.phones),
            self.store.file_loads.loads, dict(self.contacts.records), dict(self.contacts.replies),
        )  # fmt: skip

    def spoken(self) -> list[object]:
        """Return all that logs, metrics, reasons and events have of it."""
        return [
            self.telemetry.events, self.telemetry.counts, self.telemetry.decisions, self.parking.reasons,
            self.publisher.published, self.handler_telemetry.events,
        ]  # fmt: skip

    def invoke(self, function: str, event: object) -> Any:  # noqa: ANN401 - what the handler answers
        """
        Hand an event to the handler of a function.

        Raises:
            DunningError: it left the handler; no error of another kind may.
        """
        services: dict[str, Any] = {f"{_SERVICE.get(function, function)}_service": lambda: self.services[function]}
        with patch.multiple(wiring, telemetry=lambda: self.handler_telemetry, now=self.clock.now, **services):
            try:
                return _handler(function)(event, _Context())
            except UnexpectedError as error:
                raise AssertionError(f"an unforeseen error left {function}: {self.handler_telemetry.events}") from error
            except DunningError:
                raise

    def load_file(self, content: bytes, key: str = "accounts/file.csv", encoding: str = "") -> Any:  # noqa: ANN401
        """Load a file."""
        self.uploads.files[key] = content
        with patch("dunning.services.intake.intake.ThreadPoolExecutor", _Inline):
            return self._intake(encoding).load("bucket", key, NOW)

    def _intake(self, encoding: str) -> IntakeService:
        return IntakeService(
            store=self.store,
            phones=self.store,
            loads=self.store,
            uploads=self.uploads,
            publisher=self.publisher,
            policies=self.policies,
            lenders=frozenset(self.policies.lenders),
            clock=self.clock,
            telemetry=self.telemetry,
            whole_lists=WholeLists(self.store, self.store, self.policies),
            writers=1,
            form=FileForm(_headings(), encoding_named(encoding)),
            roc_lenders=frozenset({"demo-tw"}),
        )

    def assert_storable(self) -> None:
        """Whatever is stored fits into the tables, and is read back as it was."""
        for record in self.store.lender_records.values():
            _assert_kept(lender_record_item, lender_record_of, record)
        for standing in self.store.standings.values():
            _assert_kept(_standing_item, standing_of, standing)
        for contact in self.contacts.records.values():
            _assert_kept(contact_item, contact_of, contact)
        for reply in self.contacts.replies.values():
            _assert_kept(reply_item, reply_of, reply)
        _assert_kept(file_loads_item, file_loads_of, self.store.file_loads)


def _standing_item(standing: Standing) -> Any:  # noqa: ANN401 - an item of DynamoDB
    return standing_item(standing, _SHARDS)


def _assert_kept[T](write: Callable[[T], Any], read: Callable[[Any], T], value: T) -> None:
    item = _fitting(write(value))
    assert write(read(item)) == item, "it is read back as something else"


_SERVICE = {
    "sender": "send", "lender_events": "lender_event", "replies": "reply", "delivery_receipts": "delivery_receipt",
}  # fmt: skip


def entry_of(desk: Desk) -> Any:  # noqa: ANN401 - a LedgerEntry
    """Return the claim of the text that the first customer got."""
    return desk.store.standings["C0001"].ledger[0]


@cache
def the_desk() -> Desk:
    """Return the desk of this process."""
    return Desk()


@cache
def _headings() -> Mapping[str, str]:
    return with_own_names(the_policies().headings)


@cache
def _handler(function: str) -> Any:  # noqa: ANN401 - a handler
    return importlib.import_module(f"functions.{function}.app").lambda_handler


def _fitting(item: Any) -> Any:  # noqa: ANN401 - an item of DynamoDB
    """Return an item as the table would take it: whole characters, numbers that fit, and small enough."""
    size = 0
    for name, value in item.items():
        ((kind, written),) = value.items()
        if kind == "N":
            assert len(written.lstrip("-")) <= _MOST_DIGITS, f"{name} is a number that no table takes"
        size += len(name) + len(str(written).encode())
    assert size <= LARGEST_ITEM, f"an item of {size} bytes"
    return item


def queue_event(*bodies: str, receives: int = 1) -> dict[str, Any]:
    """Write messages as a queue hands them over."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(receives),
                    "SentTimestamp": str(int(NOW.timestamp() * 1000)),
                },
            }
            for number, body in enumerate(bodies)
        ]
    }
