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
from typing import Any

import boto3

from dunning.adapters.client import new_session
from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from tests.support.contests import CLIENTS, CONTESTS, SABOTAGES, Contest, Note, Sabotage, Violations, new_client

PROCESSES = 4
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
    tables: tuple[str, str]
    seed: int
    lost: float
    customers: type[DynamoCustomers] = DynamoCustomers
    contacts: type[DynamoContacts] = DynamoContacts


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
            customers=heat.customers,
            contacts=heat.contacts,
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

    def __init__(self, fresh: Callable[[], tuple[str, str]], play: Play) -> None:
        self._fresh = fresh
        self._play = play
        self._dynamodb: Any = boto3.client("dynamodb")

    def hold(self, contest: type[Contest], seed: int, lost: float, **writers: Any) -> Outcome:  # noqa: ANN401 - classes
        """Hold a contest, and judge it."""
        heat = Heat(contest, self._fresh(), seed, lost, **writers)
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


@contextmanager
def on_stand_in() -> Iterator[Engine]:
    """Start the stand-in, and processes with clients."""
    # A process that is spawned imports this module, too, and needs none of the engines.
    from tests.local import ROOT  # noqa: PLC0415
    from tests.support.stand_in import StandInProcess  # noqa: PLC0415

    with StandInProcess(ROOT / ".local" / "races") as process, process.reached():

        def fresh() -> tuple[str, str]:
            stack = process.engine.anew().stack
            return stack.customers_table, stack.contacts_table

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

            def fresh() -> tuple[str, str]:
                stack = create_stack(
                    boto3.client("cloudformation"), ROOT / "template.yaml", name=f"dunning{next(names)}"
                )
                return stack.customers_table, stack.contacts_table

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


def sabotage(engine: Engine, say: Callable[[str], object], faults: Sequence[Sabotage] = SABOTAGES) -> list[str]:
    """Hold contests with writers that are wrong on purpose, and return the faults that nobody noticed."""
    missed = []
    for fault in faults:
        outcome = engine.hold(fault.contest, 0, _MOST_LOST, customers=fault.customers, contacts=fault.contacts)
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
