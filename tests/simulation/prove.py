"""
Proving: explores scenarios side by side, and prints the table and what failed.

Another cast may take the place of ours: a sabotaged part, or another sender. The table is the same.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.simulation.cast import Cast
from tests.simulation.ending import ending_of
from tests.simulation.promises import judge_move
from tests.simulation.report import LEGEND, counted, heading, row, total
from tests.simulation.scenarios import BY_NAME, Scenario
from tests.simulation.search import BOUNDS, Budget, Explored, Search
from tests.simulation.simulator import Simulator
from tests.simulation.tables import forget_items
from tests.simulation.trace import parse_replay, replay_of, retold

NAME_WIDTH = 34


def explore(scenario: Scenario, bounds: tuple[Budget, ...] = BOUNDS, cast: Cast | None = None) -> Explored:
    """Explore all schedules of a scenario within some bounds, with a cast of one's own if there is one."""
    forget_items()
    simulator = Simulator(cast or Cast())
    return Search(simulator, judge_move, ending_of(scenario, simulator)).run(scenario.start(), bounds)


def _explored(name: str) -> tuple[Explored, list[str]]:
    """Explore a scenario in a process of its own, and write down how to replay what is broken."""
    explored = explore(BY_NAME[name])
    simulator, start = Simulator(), BY_NAME[name].start()
    return explored, [replay_of(breach.moves, simulator, start) for breach in explored.breaches]


def replay(name: str, written: str) -> int:
    """Print one schedule, and return the number of promises that it breaks."""
    lines, broken = retold(BY_NAME[name], Simulator(), parse_replay(written))
    _say("\n".join(lines))
    _say("broken: " + "; ".join(broken) if broken else "every promise is kept")
    return len(broken)


def prove(names: list[str], jobs: int) -> int:
    """Explore scenarios, print the table, and return the number of broken promises."""
    began = time.monotonic()
    _say(heading(NAME_WIDTH))
    rows: list[tuple[int, ...]] = []
    failures: list[str] = []
    with ProcessPoolExecutor(jobs) as pool:
        running = {pool.submit(_explored, name): name for name in names}
        for future in as_completed(running):
            name = running[future]
            explored, replays = future.result()
            rows.append(counted(explored))
            _say(row(name, NAME_WIDTH, rows[-1], explored.seconds))
            failures += [
                f'BROKEN: {breach.promise}\n  make prove SCENARIO="{name}" REPLAY="{written}"'
                for breach, written in zip(explored.breaches, replays, strict=True)
            ]
    _say(row("all", NAME_WIDTH, total(rows), time.monotonic() - began))
    _say(f"\n{LEGEND}\n")
    for failure in failures:
        _say(failure)
    if not failures:
        _say("Every promise was kept in every schedule.")
    return len(failures)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
