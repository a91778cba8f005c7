"""Ours beside a bare boto3 loop that makes the same calls: CPU of both, in turns, in one run."""

import contextlib
import os
import statistics
import sys
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from tests.bench.cpu import ENVIRONMENT, cpu_seconds
from tests.bench.wire import Wire

_ROUNDS = 7


class Beside(Protocol):
    """A piece of work, done by us and by a loop that does nothing else than its calls."""

    wire: Wire

    def ours(self) -> Callable[[], None]:
        """Return our work."""
        ...

    def bare(self) -> Callable[[], None]:
        """Return the loop."""
        ...


def compare(name: str, bench: Beside, pieces: int) -> None:
    """
    Print CPU and calls of so many pieces of work, ours beside the loop.

    Raises:
        AssertionError: the two do not make the same calls.
    """
    os.environ.update(ENVIRONMENT)
    out = sys.stdout.write
    out(f"CPU for {pieces:,} {name}, median of {_ROUNDS}, target 1.30\n")
    cores = sorted(os.sched_getaffinity(0))
    # Log lines and metrics cost what writing costs, and nobody sees them. One stream: the logger keeps its first.
    nowhere = open(os.devnull, "w")  # noqa: PTH123, SIM115
    for some, where in ((cores[:1], "one core, as Lambda below 1,769 MB"), (cores, f"{len(cores)} cores")):
        with contextlib.redirect_stdout(nowhere):
            seconds, calls = _measure(bench, set(some))
        ratios = [a / b for a, b in zip(seconds["ours"], seconds["bare"], strict=True)]
        out(
            f"  ours {1000 * statistics.median(seconds['ours']) / pieces:6.3f} ms   "
            f"bare boto3 loop {1000 * statistics.median(seconds['bare']) / pieces:6.3f} ms   "
            f"ratio {statistics.median(ratios):4.2f} ({min(ratios):4.2f} to {max(ratios):4.2f})   {where}\n"
        )
    os.sched_setaffinity(0, set(cores))
    out(f"AWS calls {calls['ours'].total():,}: {dict(sorted(calls['ours'].items()))}\n")


def _measure(bench: Beside, cores: set[int]) -> tuple[dict[str, list[float]], dict[str, Counter[str]]]:
    """Measure each side in turns on some cores; return CPU seconds and the calls of one round."""
    os.sched_setaffinity(0, cores)
    sides = {"ours": bench.ours(), "bare": bench.bare()}
    calls: dict[str, Counter[str]] = {}
    for side, work in sides.items():
        bench.wire.calls.clear()
        work()  # warms up
        calls[side] = Counter(bench.wire.calls)
    if calls["ours"] != calls["bare"]:
        raise AssertionError(calls)
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(_ROUNDS):
        for side, work in sides.items():
            seconds[side].append(cpu_seconds(work))
    return seconds, calls
