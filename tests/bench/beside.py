"""Ours beside a bare boto3 loop that makes the same calls: CPU of both, in turns, in one run."""

import contextlib
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from tests.bench.wire import Wire

ROUNDS = 7
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",  # pragma: allowlist secret
    "AWS_DEFAULT_REGION": "ap-northeast-1",
    "POWERTOOLS_SERVICE_NAME": "dunning",
    "POWERTOOLS_METRICS_NAMESPACE": "Dunning",
    "CUSTOMERS_TABLE": "customers",
    "CONTACTS_TABLE": "contacts",
    "BUS_NAME": "lender",
    "QUEUE_URL": "https://sqs.ap-northeast-1.amazonaws.com/123456789012/reminders",
    "DEAD_LETTER_URL": "https://sqs.ap-northeast-1.amazonaws.com/123456789012/dead",
    "SENDING_PARAMETER": "/dunning/sending",
    "REPLIES_QUEUE_URL": "https://sqs.ap-northeast-1.amazonaws.com/123456789012/replies",
    "LENDER_EVENTS_QUEUE_URL": "https://sqs.ap-northeast-1.amazonaws.com/123456789012/events",
    "NEWS_FAILURES_QUEUE_URL": "https://sqs.ap-northeast-1.amazonaws.com/123456789012/failures",
    "DUE_SHARDS": "4",
}


class Beside(Protocol):
    """A piece of work, done by us and by a loop that does nothing else than its calls."""

    wire: Wire

    def ours(self) -> Callable[[], None]:
        """Return our work."""
        ...

    def bare(self) -> Callable[[], None]:
        """Return the loop."""
        ...


@dataclass(frozen=True, slots=True)
class Taken:
    """The CPU seconds of each round, ours and the loop's, and the calls of one."""

    ours: list[float]
    bare: list[float]
    calls: Counter[str]
    bare_calls: Counter[str]

    def ratio(self, pieces: int) -> str:
        """Write medians for each of so many pieces of work, and how they compare round by round."""
        ratios = [a / b for a, b in zip(self.ours, self.bare, strict=True)]
        return (
            f"ours {1000 * statistics.median(self.ours) / pieces:6.3f} ms   "
            f"bare boto3 loop {1000 * statistics.median(self.bare) / pieces:6.3f} ms   "
            f"ratio {statistics.median(ratios):4.2f} ({min(ratios):4.2f} to {max(ratios):4.2f})"
        )


def cpu_seconds(work: Callable[[], None]) -> float:
    """Return the CPU a piece of work takes, all threads together."""
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turns(wire: Wire, ours: Callable[[], None], bare: Callable[[], None]) -> Taken:
    """Measure both in turns, once they are warm."""
    calls = [_calls(wire, work) for work in (ours, bare)]
    taken = Taken([], [], *calls)
    for _ in range(ROUNDS):
        taken.ours.append(cpu_seconds(ours))
        taken.bare.append(cpu_seconds(bare))
    return taken


def on_one_core_and_on_all[T](measure: Callable[[], T]) -> Iterator[tuple[str, T]]:
    """Measure on one core and on all there are, and yield where with what came of it."""
    cores = sorted(os.sched_getaffinity(0))
    # Log lines and metrics cost what writing costs, and nobody sees them. One stream: the logger keeps its first.
    nowhere = open(os.devnull, "w")  # noqa: PTH123, SIM115
    for used_cores, where in ((cores[:1], "one core, as Lambda below 1,769 MB"), (cores, f"{len(cores)} cores")):
        os.sched_setaffinity(0, set(used_cores))
        with contextlib.redirect_stdout(nowhere):
            taken = measure()
        yield where, taken
    os.sched_setaffinity(0, set(cores))


def compare(name: str, bench: Beside, pieces: int) -> None:
    """
    Print CPU and calls of so many pieces of work, ours beside the loop.

    Raises:
        AssertionError: the two do not make the same calls.
    """
    os.environ.update(ENVIRONMENT)
    out = sys.stdout.write
    out(f"CPU for {pieces:,} {name}, median of {ROUNDS}, target 1.30\n")
    for where, taken in on_one_core_and_on_all(lambda: in_turns(bench.wire, bench.ours(), bench.bare())):
        if taken.calls != taken.bare_calls:
            raise AssertionError(taken)
        out(f"  {taken.ratio(pieces)}   {where}\n")
    out(f"AWS calls {taken.calls.total():,}: {dict(sorted(taken.calls.items()))}\n")


def _calls(wire: Wire, work: Callable[[], None]) -> Counter[str]:
    """Do it once, which warms it up, and return the calls it makes."""
    wire.calls.clear()
    work()
    return Counter(wire.calls)
