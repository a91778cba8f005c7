"""
Proves the promises: every schedule of the scenarios within the bounds of faults and switches, and random lives.

    make prove                                        all scenarios
    make prove SCENARIO="send x hold"                 one of them
    make prove SCENARIO="send x hold" REPLAY=5=lost   one schedule, step by step
    make prove SEED=7                                 one life, step by step
    make prove PLANT="publish, then claim"            one planted fault, step by step
"""

import argparse
import os
import sys

from tests.simulation.catalogue import BY_NAME
from tests.simulation.prove import DEEP_LIVES, LIVES, prove, relive, replay, tasks_of, tasks_of_lives
from tests.simulation.sabotages import BY_PLANT
from tests.simulation.worth import print_worth, show_plant


def main() -> int:
    """Run the program as its arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--scenario", default="", help="one scenario in place of all")
    parser.add_argument("--replay", help="one schedule of the scenario, step by step: the moves that are not the first")
    parser.add_argument("--seed", type=int, help="one life, step by step")
    parser.add_argument("--plant", default="", help="one planted fault, step by step")
    parser.add_argument("--prove", default="", choices=["", "deep"], help="deep: wider bounds, and more lives")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="the number of processes")
    chosen = parser.parse_args()
    if chosen.scenario and chosen.scenario not in BY_NAME:
        parser.error(f"--scenario: there is no {chosen.scenario!r}; there are: {', '.join(BY_NAME)}")
    if chosen.replay is not None and not chosen.scenario:
        parser.error("--replay: needs --scenario, whose schedule it is")
    if chosen.plant:
        if chosen.plant not in BY_PLANT:
            parser.error(f"--plant: there is no {chosen.plant!r}; there are: {'; '.join(BY_PLANT)}")
        return show_plant(chosen.plant)
    if chosen.seed is not None:
        return min(1, relive(chosen.seed))
    if chosen.replay is not None:
        return min(1, replay(chosen.scenario, chosen.replay))
    deep = chosen.prove == "deep"
    tasks = tasks_of([chosen.scenario] if chosen.scenario else BY_NAME, deep=deep or bool(chosen.scenario))
    if chosen.scenario:
        return min(1, prove(tasks, chosen.jobs))
    broken = prove(tasks + tasks_of_lives(DEEP_LIVES if deep else LIVES), chosen.jobs)
    missed = print_worth(chosen.jobs)
    return min(1, broken + missed)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets is a part of a schedule: the same in every process, and in every replay.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])  # noqa: S606 - itself
    sys.exit(main())
