"""
Plays a load from its beginning to its end.

1. The reference: a bare boto3 loop, before and after part 2.
2. All at once: half of the customers wake at one moment, and no pace holds the senders back.
3. One after the other: the others wake evenly, at a share of what the pace allows. The rate is lowered to a quarter and
   raised again, and sending is switched off and on.

A new rate is an update of the stack: new sandboxes take over, and the old ones finish what they have begun. The clock
of the functions is the real one, moved to a lawful hour. Minutes in which nothing is due but texts that the carrier has
refused are skipped.
"""

import multiprocessing
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ctypes import c_double
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import boto3

from dunning.adapters.client import LEAN
from tests.bench.beside import ENVIRONMENT
from tests.bench.load.bare import bare_job
from tests.bench.load.engine import (
    HOST,
    REFERENCE,
    REMINDERS,
    CarrierHabits,
    EngineCounts,
    Journal,
    run_engine,
)
from tests.bench.load.functions import Sandbox, Start, call_bare, scan_each_tick, send_batches
from tests.bench.load.portfolio import FIRST, SECOND, Due, Load, stored_items, the_load

UNPACED = 10_000
"""Texts a second that no machine reaches: the highest rate that the settings take."""

_SPAWN = multiprocessing.get_context("spawn")
_BEAT_SECONDS = 0.2
_IDLE_AFTER_BEATS = 8
_AFTER_TICK_SECONDS = 1.5
_AFTER_REFUSAL_SECONDS = 60
"""How long a text waits that the carrier was too busy for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """
    What is played. `workers` 0: as many senders as the template has at a rate.

    Moments of part 3 are shares of the time in which customers wake. `off_seconds` 0: sending is never switched off.
    """

    customers: int
    rate: float
    habits: CarrierHabits
    senders_for: Callable[[float], int]
    workers: int = 0
    tick_seconds: float = 10.0
    arrivals: float = 0.6
    """How many customers wake a second, as a share of the texts that the carrier takes at the rate."""

    lowered_to: float = 0.25
    lowered_at: float = 0.2
    raised_at: float = 0.35
    off_at: float = 0.7
    off_seconds: float = 65.0
    patience_seconds: float = 900.0

    @property
    def taken_a_second(self) -> float:
        """The texts that the carrier takes a second at the rate: each request counts for the pace."""
        return self.rate * (1 - self.habits.throttled)

    def load(self) -> Load:
        """Return the customers."""
        return the_load(self.customers, a_second=self.arrivals * self.taken_a_second)

    def at_work(self, rate: float) -> int:
        """Return how many senders are at work."""
        return self.workers or self.senders_for(min(rate, self.rate))


class Memory(NamedTuple):
    """The memory of a process at a moment of the functions' clock, in MB."""

    name: str
    pid: int | None
    at: float
    mb: float


class Mark(NamedTuple):
    """Something that was done at a moment, by the functions' clock."""

    at: float
    what: str


@dataclass
class Outcome:
    """All that was measured."""

    plan: LoadPlan
    load: Load
    journal: Journal
    marks: dict[str, float] = field(default_factory=dict)
    counts: dict[str, EngineCounts] = field(default_factory=dict)
    sandboxes: dict[str, list[Sandbox]] = field(default_factory=dict)
    """By part: `bare`, `unpaced`, `steady`, `lowered`, `raised`."""

    memory: list[Memory] = field(default_factory=list)
    answers_in: dict[str, float] = field(default_factory=dict)
    """Seconds in which the engine answers an operation when it has nothing else to do."""

    seconds: dict[str, float] = field(default_factory=dict)
    """How long each part took."""

    customers: Sequence[Any] = ()
    contacts: Sequence[Any] = ()
    dead_letters: int = 0
    left_on_queue: int = 0


class LoadError(Exception):
    """The load could not be played; the message says which process did not do its part."""


class EngineProcess:
    """The engine, as whoever runs the load sees it."""

    def __init__(self, habits: CarrierHabits, shift: c_double) -> None:
        self._control, theirs = _SPAWN.Pipe()
        self.process = _SPAWN.Process(target=run_engine, args=(habits, shift, theirs), daemon=True)
        self.process.start()
        self.url = f"http://{HOST}:{_receive(self._control, self.process, 'engine')}"
        self._lock = threading.Lock()

    def ask(self, question: str) -> Any:  # noqa: ANN401 - whatever was asked
        """Ask the engine."""
        with self._lock:
            self._control.send(question)
            return _receive(self._control, self.process, "engine")

    def count(self) -> EngineCounts:
        """Ask what has been done so far."""
        counted: EngineCounts = self.ask("count")
        return counted

    def stop(self) -> None:
        """End the process."""
        self._control.send("stop")
        self.process.join(5)
        self.process.kill()


def _receive(control: Connection, process: Any, name: str) -> Any:  # noqa: ANN401 - whatever is sent
    while not control.poll(1):
        if not process.is_alive():
            raise LoadError(f"{name}: the process ended with code {process.exitcode} before it answered")
    return control.recv()


class _Running(NamedTuple):
    name: str
    process: Any
    start: Start
    answer: Connection


@dataclass
class Fleet:
    """Processes of functions that work side by side."""

    running: list[_Running] = field(default_factory=list)

    def add(self, name: str, work: Callable[[Start], None], environment: Mapping[str, str], shift: c_double) -> None:
        """Start a process, which begins when it is told to."""
        ours, theirs = _SPAWN.Pipe()
        start = Start(name, environment, shift, _SPAWN.Event(), _SPAWN.Event(), theirs)
        process = _SPAWN.Process(target=work, args=(start,), daemon=True)
        process.start()
        self.running.append(_Running(name, process, start, ours))

    def wait(self) -> None:
        """Wait until all have started cold."""
        for name, process, _, answer in self.running:
            _receive(answer, process, name)

    def begin(self) -> None:
        """Let all begin."""
        for each in self.running:
            each.start.begin.set()

    def stop(self) -> list[Sandbox]:
        """Let all finish what they have begun, and return what they have done."""
        for each in self.running:
            each.start.stop.set()
        stopped: list[Sandbox] = [_receive(each.answer, each.process, each.name) for each in self.running]
        for each in self.running:
            each.process.join()
        self.running.clear()
        return stopped


class Player:
    """Plays a plan. `say` is told what goes on."""

    def __init__(self, plan: LoadPlan, say: Callable[[str], object] = lambda _: None) -> None:
        self._plan = plan
        self._say = say
        self._shift: c_double = _SPAWN.RawValue(c_double, 0.0)
        self._engine = EngineProcess(plan.habits, self._shift)
        self._fleet = Fleet()
        self._retiring: list[threading.Thread] = []
        self._outcome = Outcome(plan, plan.load(), Journal())
        self._part = ""
        self._beats_idle = 0
        self._is_over = threading.Event()
        account = f"{self._engine.url}/123456789012"
        self._environment = {
            **ENVIRONMENT,
            "AWS_ENDPOINT_URL": self._engine.url,
            "AWS_REGION": ENVIRONMENT["AWS_DEFAULT_REGION"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_LAMBDA_FUNCTION_NAME": "load",
            "QUEUE_URL": f"{account}/{REMINDERS}",
            "DEAD_LETTER_URL": f"{account}/dead",
            "REPLIES_QUEUE_URL": f"{account}/replies",
            "LENDER_EVENTS_QUEUE_URL": f"{account}/events",
            "NEWS_FAILURES_QUEUE_URL": f"{account}/failures",
            "MAX_RECEIVE_COUNT": "5",
        }
        self._session = boto3.Session(
            aws_access_key_id="none",
            aws_secret_access_key="none",  # noqa: S106 - none is needed
            region_name=ENVIRONMENT["AWS_DEFAULT_REGION"],
        )

    def _client(self, service: Any) -> Any:  # noqa: ANN401 - whichever is asked for
        return self._session.client(service, endpoint_url=self._engine.url, config=LEAN)

    def play(self) -> Outcome:
        """
        Play all parts.

        Raises:
            LoadError: a process died, or not all customers were texted in time.
        """
        watching = threading.Thread(target=self._watch_memory, daemon=True)
        watching.start()
        try:
            self._store()
            self._measure_answers()
            reference = self._outcome.load.reference
            half = len(reference) // 2
            with self._timed("bare loop"):
                self._play_reference(reference[:half], "bare")
            with self._timed("all at once"):
                self._play_at_once()
            with self._timed("bare loop, again"):
                self._play_reference(reference[half:], "bare again")
            with self._timed("one after the other"):
                self._play_evenly()
            return self._collect()
        finally:
            self._is_over.set()
            self._engine.stop()

    # -------------------------------------------------------------- before

    def _store(self) -> None:
        self._say(f"storing {self._plan.customers:,} customers")
        load, dynamodb = self._outcome.load, self._client("dynamodb")
        for due, has_wake in ((load.ours, True), (load.reference, False)):
            for items in batched(stored_items(due, has_wake=has_wake), 25, strict=False):
                puts = [{"PutRequest": {"Item": item}} for item in items]
                dynamodb.batch_write_item(RequestItems={"customers": puts})

    def _measure_answers(self) -> None:
        """Measure how fast the engine answers the scanner's calls, before there is a load."""
        sqs, dynamodb = self._client("sqs"), self._client("dynamodb")
        url = f"{self._engine.url}/123456789012/failures"
        job = bare_job(Due(0, FIRST))
        entries = [{"Id": str(number), "MessageBody": job} for number in range(10)]
        query = {
            "TableName": "customers",
            "IndexName": "due",
            "KeyConditionExpression": "#shard = :shard AND wake_key <= :until",
            "ExpressionAttributeNames": {"#shard": "shard"},
            "ExpressionAttributeValues": {":shard": {"S": "00"}, ":until": {"S": "~"}},
            "Limit": 500,
        }
        calls: Mapping[str, Callable[[], object]] = {
            "SendMessageBatch": lambda: sqs.send_message_batch(QueueUrl=url, Entries=entries),
            "Query": lambda: dynamodb.query(**query),
        }
        for operation, call in calls.items():
            call()
            took = []
            for _ in range(20):
                began = time.perf_counter()
                call()
                took.append(time.perf_counter() - began)
            self._outcome.answers_in[operation] = sorted(took)[len(took) // 2]
        # The note of a failure would hold up all texts.
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            sqs.delete_message_batch(
                QueueUrl=url,
                Entries=[{"Id": m["MessageId"], "ReceiptHandle": m["ReceiptHandle"]} for m in messages],
            )

    # -------------------------------------------------------------- the parts

    def _play_reference(self, due: Sequence[Due], name: str) -> None:
        """Let the bare loop text its customers."""
        if not due:
            return
        self._say(f"a bare loop texts {len(due):,} customers")
        sqs, url = self._client("sqs"), f"{self._engine.url}/123456789012/{REFERENCE}"
        for jobs in batched(map(bare_job, due), 10, strict=False):
            entries = [{"Id": str(number), "MessageBody": job} for number, job in enumerate(jobs)]
            sqs.send_message_batch(QueueUrl=url, Entries=entries)
        fleet = Fleet()
        for number in range(self._plan.at_work(UNPACED)):
            fleet.add(f"bare {number + 1}", call_bare, {**self._environment, "QUEUE_URL": url}, self._shift)
        fleet.wait()
        self._take_turns(fleet, name)
        taken = self._outcome.counts[name].accepted + len(due)
        self._wait_until(lambda: self._engine.count().accepted >= taken, name)
        self._retire_fleet()
        self._count(f"{name}, done")

    def _play_at_once(self) -> None:
        """Text all who are due at once, without a pace; skip the minutes in which only refused texts wait."""
        due = len(self._outcome.load.at_once)
        self._say(f"{due:,} customers are due at once")
        # Shortly before the beat of the ticks: the first queues everybody, and each later one who was refused.
        self._take_turns(self._started(UNPACED, "unpaced"), "unpaced", FIRST - timedelta(seconds=1))
        begun = self._outcome.counts["unpaced"].accepted
        self._wait_until(lambda: self._skip_when_idle() >= begun + due, "all at once")
        self._retire_fleet()
        self._count("unpaced, done")

    def _play_evenly(self) -> None:
        """Text those who wake one after the other, at the pace: lowered, raised, switched off and on."""
        plan, load = self._plan, self._outcome.load
        self._say(f"{len(load.evenly):,} customers wake, {plan.arrivals * plan.taken_a_second:.0f} a second")
        self._take_turns(self._started(plan.rate, "steady"), "steady", SECOND)
        begun = self._outcome.counts["steady"].accepted
        self._mark("begun")
        took = load.arrivals_seconds
        for name, rate, at in (
            ("lowered", plan.rate * plan.lowered_to, plan.lowered_at),
            ("raised", plan.rate, plan.raised_at),
        ):
            fleet = self._started(rate, name)
            # Shortly after a tick: the queue is as full as it gets at the pace.
            self._until((at * took // plan.tick_seconds + 1) * plan.tick_seconds + _AFTER_TICK_SECONDS)
            self._take_turns(fleet, name)
        self._until(plan.off_at * took)
        self._switch("off")
        time.sleep(plan.off_seconds)
        self._switch("on")
        self._until(took)
        self._wait_until(lambda: self._skip_when_idle() >= begun + len(load.evenly), "one after the other")
        self._mark("done")
        self._retire_fleet()
        self._count("raised, done")

    def _collect(self) -> Outcome:
        for thread in self._retiring:
            thread.join()
        outcome = self._outcome
        outcome.journal = self._engine.ask("journal")
        outcome.customers, outcome.contacts = self._engine.ask("customers"), self._engine.ask("contacts")
        outcome.dead_letters = self._engine.ask("depth of dead")
        outcome.left_on_queue = self._engine.ask(f"depth of {REMINDERS}")
        return outcome

    # -------------------------------------------------------------- means

    def _now(self) -> float:
        return time.time() + self._shift.value

    def _move_clock_to(self, moment: datetime) -> None:
        self._shift.value = moment.timestamp() - time.time()

    def _mark(self, what: str) -> None:
        self._outcome.marks[what] = self._now()

    def _count(self, what: str) -> None:
        self._outcome.counts[what] = self._engine.count()

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._outcome.seconds[what] = time.monotonic() - began

    def _until(self, seconds: float) -> None:
        """Wait until so long after the beginning of part 3."""
        time.sleep(max(0.0, self._outcome.marks["begun"] + seconds - self._now()))

    def _wait_until(self, is_so: Callable[[], bool], what: str) -> None:
        patience = time.monotonic() + self._plan.patience_seconds
        while not is_so():
            for each in self._fleet.running:
                if not each.process.is_alive():
                    raise LoadError(f"{each.name}: the process ended with code {each.process.exitcode}")
            if time.monotonic() > patience:
                counted = self._engine.count()
                raise LoadError(
                    f"{what}: not all were texted within {self._plan.patience_seconds:g} s. Accepted "
                    f"{counted.accepted:,}, due {counted.due:,}, on the queue {counted.waiting:,}"
                )
            time.sleep(_BEAT_SECONDS)

    def _skip_when_idle(self) -> int:
        """
        If all wait for the minute after a refusal, move the clock on by it. Return how many texts were taken.

        All are due then, and are sent in one go. In part 2 that counts for those, too, who only wait for a tick.
        """
        counted = self._engine.count()
        self._beats_idle = 0 if counted.waiting or (counted.due and self._part != "unpaced") else self._beats_idle + 1
        if self._beats_idle >= _IDLE_AFTER_BEATS and counted.earliest_wake:
            wake = datetime.fromisoformat(counted.earliest_wake.partition("#")[0]).timestamp()
            if wake - self._now() <= _AFTER_REFUSAL_SECONDS:
                self._beats_idle = 0
                if self._part != "unpaced":
                    self._outcome.marks.setdefault("skipped", self._now())
                self._shift.value += _AFTER_REFUSAL_SECONDS
        return counted.accepted

    def _started(self, rate: float, name: str) -> Fleet:
        """Start sandboxes with a rate, and wait until they have started cold."""
        senders = self._plan.at_work(rate)
        settings = {
            **self._environment,
            "SMS_PER_SECOND": f"{rate:g}",
            "SENDER_CONCURRENCY": str(senders),
            "TICK_SECONDS": f"{self._plan.tick_seconds if rate < UNPACED else _AFTER_REFUSAL_SECONDS:g}",
        }
        fleet = Fleet()
        fleet.add(f"scanner, {name}", scan_each_tick, settings, self._shift)
        for number in range(senders):
            fleet.add(f"sender {number + 1}, {name}", send_batches, settings, self._shift)
        fleet.wait()
        return fleet

    def _take_turns(self, fleet: Fleet, name: str, begin_at: datetime | None = None) -> None:
        """Let new processes take over from the old ones, and move the clock, if asked to."""
        self._retire_fleet()
        if begin_at is not None:
            self._move_clock_to(begin_at)
        self._fleet, self._part = fleet, name
        self._outcome.sandboxes.setdefault(name, [])
        self._count(name)
        self._mark(name)
        fleet.begin()
        self._say(f"{name}: {len(fleet.running)} processes")

    def _retire_fleet(self) -> None:
        """Let processes finish, beside what follows."""
        retired, name = self._fleet, self._part
        self._fleet = Fleet()
        if not retired.running:
            return

        def retire() -> None:
            self._outcome.sandboxes[name] += retired.stop()

        for each in retired.running:
            each.start.stop.set()
        thread = threading.Thread(target=retire)
        thread.start()
        self._retiring.append(thread)

    def _switch(self, value: str) -> None:
        if self._plan.off_seconds:
            self._client("ssm").put_parameter(Name="sending", Value=value, Overwrite=True)
        self._mark(value)
        self._say(f"sending is switched {value}")

    def _watch_memory(self) -> None:
        while not self._is_over.wait(1.0):
            found = [("engine", self._engine.process.pid)]
            found += [(each.name, each.process.pid) for each in self._fleet.running]
            for name, pid in found:
                if (mb := memory_mb(pid)) is not None:
                    self._outcome.memory.append(Memory(name, pid, self._now(), mb))


def memory_mb(pid: int | None) -> float | None:
    """Return the memory that a process holds, in MB; `None` if there is no such process."""
    status = Path(f"/proc/{pid}/statm")
    try:
        if Path("/proc").is_dir():
            return int(status.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        listed = subprocess.run(  # noqa: S603 - a number of a process
            ["ps", "-o", "rss=", "-p", str(pid)],  # noqa: S607 - wherever it is installed
            check=True,
            capture_output=True,
            text=True,
        )
        return int(listed.stdout) / 1024
    except (OSError, ValueError, subprocess.CalledProcessError, IndexError):
        return None
