"""
Proving: explores scenarios and lives side by side, and prints the table and what failed.

Another cast may take the place of ours: a sabotaged part, or another sender. The table is the same.
"""

import sys
import time
from collections.abc import Iterable, Sequence
from multiprocessing import get_context
from typing import NamedTuple

from tests.simulation.cast import Cast
from tests.simulation.catalogue import BY_NAME
from tests.simulation.ending import ending_of
from tests.simulation.lives import Life
from tests.simulation.promises import judge_move
from tests.simulation.report import LEGEND, Line, table
from tests.simulation.scenarios import Scenario
from tests.simulation.search import BOUNDS, Budget, Explored, Search
from tests.simulation.simulator import Move, Simulator, Situation
from tests.simulation.tables import forget_items
from tests.simulation.trace import lines_of, parse_replay, replay_of, retold

DEEPER = (Budget(4, 0), Budget(3, 1), Budget(2, 2), Budget(1, 3), Budget(0, 5))
"""The bounds of `deep` for the sender alone and beside itself."""

_BESIDE_ITSELF = frozenset({"send", "send x duplicate", "send x redelivery"})

LIVES, DEEP_LIVES = 200, 4000
LIVES_A_TASK = 20
TASKS_A_PROCESS = 8


class Task(NamedTuple):
    """A piece of the proof for one process: a scenario within its bounds, or some lives."""

    name: str
    group: str
    bounds: tuple[Budget, ...] = ()
    seeds: tuple[int, ...] = ()


class Finding(NamedTuple):
    """A broken promise, the command that replays a schedule that breaks it, and the trace of that schedule."""

    promise: str
    command: str
    trace: tuple[str, ...] = ()


def tasks_of(names: Iterable[str], *, deep: bool) -> list[Task]:
    """Return the tasks of the proof, the longest first."""
    tasks: list[Task] = []
    for name in names:
        group = BY_NAME[name].group
        if deep or not BY_NAME[name].is_deep:
            tasks.append(Task(name, group, DEEPER if deep and group in _BESIDE_ITSELF else BOUNDS))
    tasks.sort(key=lambda task: not task.group.startswith("send"))
    return tasks


def tasks_of_lives(count: int) -> list[Task]:
    """Return the tasks that live some lives, by their seeds."""
    seeds = range(count)
    return [
        Task(f"lives {first}", "lives", seeds=tuple(seeds[first : first + LIVES_A_TASK]))
        for first in range(0, count, LIVES_A_TASK)
    ]


def explore(scenario: Scenario, bounds: Sequence[Budget] = BOUNDS, cast: Cast | None = None) -> Explored:
    """Explore all schedules of a scenario within some bounds, with a cast of one's own if there is one."""
    forget_items()
    simulator = Simulator(cast or Cast())
    return Search(simulator, judge_move, ending_of(scenario, simulator)).run(scenario.start(), bounds)


def findings_of(scenario: Scenario, explored: Explored, cast: Cast | None = None) -> list[Finding]:
    """Return what is broken, each with the command that replays it, and with its trace."""
    simulator, start = Simulator(cast or Cast()), scenario.start()
    findings: list[Finding] = []
    for breach in explored.breaches:
        written = replay_of(breach.moves, simulator, start)
        lines, _ = retold(scenario, simulator, parse_replay(written))
        command = f'make prove SCENARIO="{scenario.name}" REPLAY="{written}"'
        findings.append(Finding(breach.promise, command, tuple(_up_to(breach.promise, lines))))
    return findings


def _up_to(promise: str, lines: list[str]) -> list[str]:
    """Return a trace up to the step that breaks a promise; the whole trace if the promise is broken at the end."""
    broken = [number for number, line in enumerate(lines) if line.endswith(f"BROKEN: {promise}")]
    return lines[: broken[0] + 1] if broken else lines


def do(task: Task) -> tuple[Task, Explored, list[Finding]]:
    """Do a task, and return it with what it came to."""
    if task.bounds:
        scenario = BY_NAME[task.name]
        explored = explore(scenario, task.bounds)
        return task, explored, findings_of(scenario, explored)
    together, findings = Explored(), []
    for seed in task.seeds:
        lived = Life(seed).run()
        findings += [Finding(promise, f"make prove SEED={seed}") for promise in lived.broken]
        together.add(lived)
    return task, together, findings


def prove(tasks: Sequence[Task], jobs: int) -> int:
    """Do all tasks, print progress and the table, and return the number of broken promises."""
    began = time.monotonic()
    lines: dict[str, Line] = {}
    findings: list[Finding] = []
    shown: set[str] = set()
    # A process is given up after some tasks, with its memory. An executor that does so may wait for ever
    # (https://github.com/python/cpython/issues/115634); a pool does not.
    with get_context("spawn").Pool(jobs, maxtasksperchild=TASKS_A_PROCESS) as pool:
        for number, (task, explored, found) in enumerate(pool.imap_unordered(do, tasks), 1):
            lines.setdefault(task.group, Line(task.group)).add(explored)
            findings += found
            broken = f", BROKEN: {', '.join(finding.promise for finding in found)}" if found else ""
            _tell(
                f"[{number:3}/{len(tasks)} {time.monotonic() - began:4.0f} s] {task.name}: "
                f"{explored.schedules:,} schedules{broken}"
            )
    order = {task.group: number for number, task in reversed(list(enumerate(tasks)))}
    ordered = sorted(lines.values(), key=lambda line: order[line.name])
    say(f"\n{table(ordered, time.monotonic() - began)}\n\n{LEGEND}\n")
    for finding in sorted(findings, key=lambda each: (each.promise, len(each.trace))):
        say(f"BROKEN: {finding.promise}\n  {finding.command}")
        if finding.promise not in shown:
            say("\n".join(finding.trace))
        shown.add(finding.promise)
    say("" if findings else "Every promise was kept in every schedule.")
    return len(findings)


def replay(name: str, written: str) -> int:
    """Print one schedule, and return the number of promises that it breaks."""
    lines, broken = retold(BY_NAME[name], Simulator(), parse_replay(written))
    say("\n".join(lines))
    return _say_broken(broken)


def relive(seed: int) -> int:
    """Print one life, and return the number of promises that it breaks."""
    lines: list[str] = []
    steps = 0

    def witness(here: Situation, move: Move) -> None:
        nonlocal steps
        lines.extend(lines_of(f"{steps:5}", here, move, judge_move(here, move)))
        steps += 1

    lived = Life(seed, witness=witness).run()
    say("\n".join(lines))
    return _say_broken(sorted(lived.broken))


def _say_broken(broken: Sequence[str]) -> int:
    say("broken: " + "; ".join(broken) if broken else "every promise is kept")
    return len(broken)


def say(line: str) -> None:
    """Print a line of the report."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
