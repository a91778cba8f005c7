"""What the zeros of the table are worth: planted faults that have to be found, and senders as many write them."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import NamedTuple

from tests.simulation.cast import Cast
from tests.simulation.catalogue import BY_NAME
from tests.simulation.planting import Sabotage
from tests.simulation.promises import NOT_CLAIMED
from tests.simulation.prove import explore, say
from tests.simulation.references import REFERENCES
from tests.simulation.report import Line, table
from tests.simulation.sabotages import BY_PLANT, SABOTAGES
from tests.simulation.search import Budget, Explored
from tests.simulation.simulator import Simulator
from tests.simulation.trace import parse_replay, replay_of, retold

COMPARED = (
    "send",
    "send x duplicate",
    "send x redelivery",
    "send x payment",
    "send x hold",
    "send x reply opt_out",
    "send x load paid",
    "send x cap of a day",
)
"""The scenarios in which senders are compared: no sender of another kind knows replies or erasures."""

COMPARED_WITHIN = (Budget(1, 1),)
"""One fault and one switch: enough to tell senders apart."""

OURS = "ours"


class PlantFound(NamedTuple):
    """What came of a planted fault: the promise it breaks, in how many schedules, and the schedule that shows it."""

    name: str
    promise: str
    scenario: str
    schedules: int
    replay: str
    trace: Sequence[str]

    @property
    def is_found(self) -> bool:
        return bool(self.promise)


def look_for(sabotage: Sabotage) -> PlantFound:
    """Plant a fault and explore its scenario. What is broken without the fault, too, does not count."""
    scenario = BY_NAME[sabotage.scenario]
    broken_anyway = explore(scenario, sabotage.bounds).broken
    with sabotage.plant():
        explored = explore(scenario, sabotage.bounds)
        found = _first_of(explored, sabotage, broken_anyway)
        if found is None:
            return PlantFound(sabotage.name, "", sabotage.scenario, explored.schedules, "", ())
        promise, moves = found
        replay = replay_of(moves, Simulator(), scenario.start())
        trace, _ = retold(scenario, Simulator(), parse_replay(replay))
    return PlantFound(sabotage.name, promise, sabotage.scenario, explored.schedules, replay, trace)


def _first_of(
    explored: Explored, sabotage: Sabotage, broken_anyway: dict[str, int]
) -> tuple[str, tuple[str, ...]] | None:
    """Return the shortest schedule that breaks a promise the fault has to break."""
    expected = [
        (len(breach.moves), breach.promise, breach.moves)
        for breach in explored.breaches
        if breach.promise.startswith(sabotage.breaks) and breach.promise not in broken_anyway
    ]
    if not expected:
        return None
    _, promise, moves = min(expected)
    return promise, moves


def look_for_all(pool: Executor) -> Iterator[PlantFound]:
    """Yield what came of each planted fault, in the order of the list."""
    yield from pool.map(_look_for_number, range(len(SABOTAGES)))


def _look_for_number(number: int) -> PlantFound:
    """A process is told which fault to plant by its number: what plants it cannot travel."""
    return look_for(SABOTAGES[number])


def compare(name: str, scenario: str) -> Explored:
    """Explore a scenario with a sender: ours, or a reference by its name."""
    explored = explore(BY_NAME[scenario], COMPARED_WITHIN, REFERENCES.get(name, Cast()))
    if name != OURS:
        # Only ours keeps claims, and only ours promises them.
        explored.broken = {promise: count for promise, count in explored.broken.items() if promise != NOT_CLAIMED}
    return explored


def _print_findings(pool: Executor) -> int:
    """Print which planted faults were found, and return the number of those that were not."""
    missed = 0
    say("\nPlanted faults, and the promise that each is seen to break:\n")
    for finding in look_for_all(pool):
        missed += not finding.is_found
        broken = finding.promise if finding.is_found else "NOT FOUND: a hole in the proof"
        say(f"  {finding.name:<62} {broken}")
    say(f'\n  {len(SABOTAGES) - missed} of {len(SABOTAGES)} found. One of them, step by step: make prove PLANT="..."')
    return missed


def _print_comparison(pool: Executor) -> None:
    """Print the table of ours and of other senders, over the same scenarios with one fault and one switch."""
    names = (OURS, *REFERENCES)
    say("\nThe same for other senders, with the same gates: one fault and one switch, eight scenarios\n")
    began = time.monotonic()
    pairs = [(name, scenario) for name in names for scenario in COMPARED]
    lines = {name: Line(name) for name in names}
    for (name, _), explored in zip(pairs, pool.map(compare, *zip(*pairs, strict=True)), strict=True):
        lines[name].add(explored)
    say(table(list(lines.values()), time.monotonic() - began, has_total=False))


def print_worth(jobs: int) -> int:
    """Print the table of other senders, and the planted faults. Return the number of those that were not found."""
    with ProcessPoolExecutor(jobs) as pool:
        _print_comparison(pool)
        return _print_findings(pool)


def show_plant(name: str) -> int:
    """Print the trace of a planted fault. Return 0 if it is found."""
    finding = look_for(BY_PLANT[name])
    say("\n".join(finding.trace))
    say(f"broken: {finding.promise}" if finding.is_found else "NOT FOUND: a hole in the proof")
    return 0 if finding.is_found else 1
