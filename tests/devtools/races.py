"""
Races: 50 clients in four processes against the stand-in for AWS, through the real adapters.

    python -m tests.devtools.races --runs 10

Each run holds all contests of `tests/support/contests.py` on fresh tables. Then writers that are wrong on purpose run
the same contests, and each must be caught. `--engine moto` shows what an engine does that is not atomic: the embedded
AWS as it comes, its handlers not serialised, with all clients in this process.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.pool import Pool
from threading import Barrier
from typing import TYPE_CHECKING, Any

import boto3

from dunning.adapters.client import new_session
from tests.support.contests import (
    CLIENTS,
    CONTESTS,
    OURS,
    SABOTAGES,
    Contest,
    Note,
    Tables,
    Violations,
    Writers,
    new_client,
)

if TYPE_CHECKING:
    from tests.local.template import Stack

PROCESSES = 4
_MOST_HEATS = 8
"""How often a contest is held to notice a planted fault: two writers have to meet in the middle of it."""
_MOST_LOST = 0.15
"""The share of answers that are lost where a fault is planted."""

_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "ap-northeast-1",
    "AWS_DEFAULT_REGION": "ap-northeast-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class Heat:
    """A contest, the tables it is held on, the writers, and the share of answers that are lost."""

    contest: type[Contest]
    tables: Tables
    seed: int
    lost: float
    writers: Writers


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a contest came to."""

    notes: list[Note]
    violations: Violations
    seconds: float

    def answered(self, answer: bool | None) -> int:  # noqa: FBT001 - an answer
        """Return how many writes were answered so."""
        return sum(note.answer is answer for note in self.notes)


type Play = Callable[[Heat], list[Note]]


def play_numbers(numbers: Sequence[int], heat: Heat) -> list[Note]:
    """Let clients play, a thread each, all at once."""
    session, gate = new_session(), Barrier(len(numbers))
    clients = [
        new_client(
            number,
            heat.seed,
            heat.tables,
            writers=heat.writers,
            session=session,
            lost=heat.lost,
        )
        for number in numbers
    ]
    contest = heat.contest()

    def run(number: int) -> None:
        gate.wait()
        try:
            contest.play(clients[number])
        except Exception as error:  # noqa: BLE001 - whatever an engine does to a client is for the judge
            clients[number].notes.append(Note(what="crash", subject=contest.name, answer=None, key=repr(error)))

    with ThreadPoolExecutor(len(numbers)) as pool:
        list(pool.map(run, range(len(numbers))))
    return [note for client in clients for note in client.notes]


class Engine:
    """Where contests are held: fresh tables, and a way to let all clients play."""

    def __init__(self, fresh: Callable[[], Tables], play: Play) -> None:
        self._fresh = fresh
        self._play = play
        self._dynamodb: Any = boto3.client("dynamodb")

    def hold(self, contest: type[Contest], seed: int, lost: float, writers: Writers = OURS) -> Outcome:
        """Hold a contest, and judge it."""
        heat = Heat(contest, self._fresh(), seed, lost, writers)
        contest().prepare(new_client(CLIENTS, seed, heat.tables, lost=0.0))
        began = time.perf_counter()
        notes = self._play(heat)
        seconds = time.perf_counter() - began
        items = [item for table in heat.tables for item in self._items(table)]
        crashes = [f"{note.subject}: a client ended with {note.key}" for note in notes if note.what == "crash"]
        return Outcome(notes, crashes + contest().judge(items, notes), seconds)

    def _items(self, table: str) -> Iterator[Any]:
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]


def _play_in_processes(pool: Pool, heat: Heat) -> list[Note]:
    parts = [range(first, CLIENTS, PROCESSES) for first in range(PROCESSES)]
    return [note for notes in pool.starmap(play_numbers, [(part, heat) for part in parts], 1) for note in notes]


def tables_of(stack: "Stack") -> Tables:
    """Return the tables of a stack, and beside them a new one of the console."""
    # A process that is spawned imports this module, too, and makes no tables.
    from tests.local.console import create_console_table  # noqa: PLC0415

    console = f"{stack.tally_table}-console"
    create_console_table(boto3.client("dynamodb"), console)
    return Tables(stack.customers_table, stack.contacts_table, stack.tally_table, console)


@contextmanager
def on_stand_in() -> Iterator[Engine]:
    """Start the stand-in, and processes with clients."""
    # A process that is spawned imports this module, too, and needs none of the engines.
    from tests.local import ROOT  # noqa: PLC0415
    from tests.support.stand_in import StandInProcess  # noqa: PLC0415

    with StandInProcess(ROOT / ".local" / "races") as process, process.reached():

        def fresh() -> Tables:
            stack = process.engine.anew().stack
            return tables_of(stack)

        # A process that is spawned inherits the environment, which says where the stand-in is.
        with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
            yield Engine(fresh, partial(_play_in_processes, pool))


@contextmanager
def on_moto() -> Iterator[Engine]:
    """Make the embedded AWS as it comes: not atomic among threads."""
    # As above.
    from moto import mock_aws  # noqa: PLC0415

    from tests.local import ROOT  # noqa: PLC0415
    from tests.local.template import create_stack  # noqa: PLC0415

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with mock_aws():
            names = iter(range(10**6))

            def fresh() -> Tables:
                stack = create_stack(
                    boto3.client("cloudformation"), ROOT / "template.yaml", name=f"dunning{next(names)}"
                )
                return tables_of(stack)

            yield Engine(fresh, partial(play_numbers, range(CLIENTS)))
    finally:
        sys.setswitchinterval(interval)


def _row(run: str, name: str, outcome: Outcome) -> str:
    counts = [outcome.answered(answer) for answer in (True, False, None)]
    lost = sum(note.lost for note in outcome.notes)
    return (
        f"{run:>4}  {name:30.30} {len(outcome.notes):>7} {counts[0]:>7} {counts[1]:>7} {counts[2]:>7} {lost:>7}"
        f" {outcome.seconds:>6.1f} {len(outcome.violations):>10}"
    )


_COLUMNS = ("writes", "yes", "no", "unknown", "lost")
_HEAD = f"{'run':>4}  {'contest':30} {' '.join(f'{name:>7}' for name in _COLUMNS)} {'s':>6} violations"


def race(engine: Engine, runs: int, say: Callable[[str], object], lost: float = 0.05) -> Violations:
    """Hold all contests so many times, print a row for each, and return all violations."""
    say(_HEAD)
    found: Violations = []
    for run in range(1, runs + 1):
        for contest in CONTESTS:
            outcome = engine.hold(contest, run, lost)
            say(_row(str(run), contest.name, outcome))
            found += outcome.violations
    return found


def sabotage(engine: Engine, say: Callable[[str], object]) -> list[str]:
    """Hold contests with writers that are wrong on purpose, and return the faults that nobody noticed."""
    missed = []
    for fault in SABOTAGES:
        for seed in range(_MOST_HEATS):
            outcome = engine.hold(fault.contest, seed, _MOST_LOST, fault.writers)
            if outcome.violations:
                break
        say(f"{'caught' if outcome.violations else 'MISSED':>6}  {fault.name:55} {(outcome.violations or [''])[0]:.90}")
        if not outcome.violations:
            missed.append(fault.name)
    return missed


def main(argv: Sequence[str] | None = None) -> int:
    """Race, and return the exit status."""
    parser = argparse.ArgumentParser(description="Let 50 clients race through the real adapters.")
    parser.add_argument("--runs", type=int, default=10, help="how often all contests are held")
    parser.add_argument("--engine", choices=("stand-in", "moto"), default="stand-in")
    options = parser.parse_args(argv)
    os.environ.update(_ACCOUNT)
    say = partial(print, flush=True)
    if options.engine == "moto":
        say("moto as it comes is not atomic. Its violations say nothing about the adapters.")
        with on_moto() as engine:
            for violation in race(engine, options.runs, say, lost=0.0):
                say(violation)
        return 0
    say(f"{CLIENTS} clients in {PROCESSES} processes; of 100 answers 5 are lost, and half of the clients repeat.")
    with on_stand_in() as engine:
        began = time.perf_counter()
        violations = race(engine, options.runs, say)
        say(f"{options.runs} runs in {time.perf_counter() - began:.0f} s: {len(violations)} violations")
        for violation in violations:
            say(f"VIOLATION {violation}")
        say("\nPlanted faults, each of which must be caught:")
        missed = sabotage(engine, say)
    return 1 if violations or missed else 0


if __name__ == "__main__":
    sys.exit(main())
