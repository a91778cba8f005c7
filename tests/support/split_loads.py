"""An office that loads a file in parts, on ports whose calls may fail, and may be the last of their process."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any

from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import FileLoaded
from dunning.ports.queues import QueueMessage
from dunning.services.intake import IntakeService
from dunning.services.intake.intake import file_id
from dunning.services.intake.split_load import SplitLoadService
from dunning.services.intake.whole_list import WholeLists
from tests.support.fakes import (
    FakeClock,
    FakeCustomers,
    FakeDelayQueue,
    FakeEventPublisher,
    FakeSplitLoads,
    FakeTelemetry,
    FakeUploads,
    FakeWorkFiles,
)
from tests.support.lender_files import LENDERS, NOW, POLICIES, UPLOADED_AT
from tests.support.schedules import ProcessDiedError

KEY = "accounts/file.csv"
LIST_KEY = "complete/demo-tw/file.csv"


class End(Enum):
    """What becomes of a call."""

    DIES_BEFORE = auto()
    DIES_AFTER = auto()
    FAILS_BEFORE = auto()
    FAILS_AFTER = auto()


@dataclass
class Calls:
    """Counts the calls of ports, and ends the one of a number in a certain way."""

    number: int = 0
    how: End | None = None
    made: int = 0
    last: str = ""

    def make(self, name: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the port answers
        self.made += 1
        if self.how is None or self.made != self.number:
            return call()
        how, self.how, self.last = self.how, None, name
        if how in {End.DIES_AFTER, End.FAILS_AFTER}:
            call()
        if how in {End.DIES_BEFORE, End.DIES_AFTER}:
            raise ProcessDiedError
        raise ServiceCallError(name, "InternalServerError")


class Watched:
    """A port whose calls are counted."""

    def __init__(self, port: object, calls: Calls) -> None:
        self._port = port
        self._calls = calls

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the port has
        method = getattr(self._port, name)
        return lambda *given, **named: self._calls.make(name, lambda: method(*given, **named))


class SplitOffice:
    """The intake, which loads each file whole or in parts, over ports that it keeps when its process dies."""

    def __init__(self, parts: int = 1) -> None:
        """`parts`: in how many parts a file is loaded; 1: whole."""
        self.parts = parts
        self.store, self.uploads, self.work = FakeCustomers(), FakeUploads(), FakeWorkFiles()
        self.splits, self.queue = FakeSplitLoads(), FakeDelayQueue()
        self.publisher, self.telemetry, self.clock = FakeEventPublisher(), FakeTelemetry(), FakeClock(NOW)
        self.calls = Calls()
        self.deliveries = 0

    def _intake(self) -> IntakeService:
        store, lists = (
            self._watched(self.store),
            WholeLists(self._watched(self.store), self._watched(self.store), POLICIES),
        )
        return IntakeService(
            store=store, phones=store, loads=store, uploads=self._watched(self.uploads),
            publisher=self._watched(self.publisher), policies=POLICIES, lenders=LENDERS, clock=self.clock,
            telemetry=self.telemetry, whole_lists=lists, writers=1,
        )  # fmt: skip

    def service(self, size: int) -> SplitLoadService:
        store = self._watched(self.store)
        return SplitLoadService(
            intake=self._intake(), splits=self._watched(self.splits), work=self._watched(self.work),
            queue=self._watched(self.queue), loads=store, uploads=self._watched(self.uploads),
            whole_lists=WholeLists(store, store, POLICIES), publisher=self._watched(self.publisher), lenders=LENDERS,
            clock=self.clock, telemetry=self.telemetry, part_bytes=max(1, -(-size // self.parts)),
        )  # fmt: skip

    def _watched(self, port: object) -> Any:  # noqa: ANN401 - stands for the port
        return Watched(port, self.calls)

    # --------------------------------------------------------------- loading

    def load(self, content: str, key: str = KEY, at: datetime = UPLOADED_AT) -> None:
        """Upload a file, and hand events and messages over until all is done."""
        self.upload(content, key, at)
        self.drain()

    def upload(self, content: str, key: str = KEY, at: datetime = UPLOADED_AT) -> None:
        """Upload a file, and hand the event over until it is worked off."""
        body = content.encode()
        self.uploads.files[key] = body
        while not self._survives(lambda: self._event(key, at, len(body))):
            pass

    def _event(self, key: str, at: datetime, size: int) -> None:
        if self.parts == 1:
            self._intake().load("bucket", key, at)
        else:
            self.service(size).split("bucket", key, at, size)

    def drain(self, receives: int = 20) -> None:
        """Hand messages over, each until it is worked off."""
        waiting = self.take()
        for _ in range(receives):
            waiting = [body for body in waiting if not self.deliver(body)] + self.take()
            if not waiting:
                return
        raise AssertionError(f"never worked off: {waiting}")

    def take(self) -> list[str]:
        """Take all messages off the queue."""
        taken, self.queue.messages = self.queue.messages, []
        return [body for body, _ in taken]

    def deliver(self, body: str) -> bool:
        """Hand a message over; tell whether it was worked off."""
        self.deliveries += 1
        message = QueueMessage(f"m{self.deliveries}", body, 1)
        failed: list[str] = []
        survived = self._survives(lambda: failed.extend(self.service(1).handle_batch([message])))
        return survived and not failed

    @staticmethod
    def _survives(work: Callable[[], object]) -> bool:
        try:
            work()
        except (ProcessDiedError, ServiceCallError):
            return False
        return True

    # --------------------------------------------------------------- looking

    def outcome(self) -> Mapping[str, object]:
        """Return what a load leaves behind, whatever happened meanwhile: each customer, each reject, each list."""
        rejects = {key: Counter(tuple(line) for line in lines[1:]) for key, lines in self.uploads.rejects.items()}
        return {
            "facts": self.store.facts,
            "standings": {
                customer_id: replace(standing, version=0, facts_revision=0)
                for customer_id, standing in self.store.standings.items()
            },
            "phones": self.store.phones,
            "loads": set(self.store.file_loads.loads),
            "rejects": rejects,
            "is_refused": bool(self.events and self.events[-1].refused),
            "refused_rows": self.events[-1].rows_refused if self.events else None,
            "rows": self.events[-1].rows if self.events else None,
            "ids": {event.file_id for event in self.events},
        }

    @property
    def events(self) -> list[FileLoaded]:
        """The events about files that were published."""
        return [event for event in self.publisher.published if isinstance(event, FileLoaded)]

    def is_put_away(self, key: str = KEY, at: datetime = UPLOADED_AT) -> bool:
        """Tell whether nothing is left of the parts of a file but its state."""
        split = self.splits.splits.get(file_id(key, at))
        return not self.work.files and (split is None or split.is_finished)
