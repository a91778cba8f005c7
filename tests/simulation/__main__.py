"""
Proves the promises: every schedule of the scenarios within the bounds of faults and switches.

    make prove                                        all scenarios
    make prove SCENARIO="send x hold"                 one of them
    make prove SCENARIO="send x hold" REPLAY=5=lost   one schedule, step by step
"""

import argparse
import os
import sys

from tests.simulation.prove import prove, replay
from tests.simulation.scenarios import BY_NAME


def main() -> int:
    """Run the program as its arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--scenario", default="", help="one scenario in place of all")
    parser.add_argument("--replay", help="one schedule of the scenario, step by step: the moves that are not the first")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="the number of processes")
    chosen = parser.parse_args()
    if chosen.scenario and chosen.scenario not in BY_NAME:
        parser.error(f"--scenario: there is no {chosen.scenario!r}; there are: {', '.join(BY_NAME)}")
    if chosen.replay is not None and not chosen.scenario:
        parser.error("--replay: needs --scenario, whose schedule it is")
    if chosen.replay is not None:
        return 1 if replay(chosen.scenario, chosen.replay) else 0
    names = [chosen.scenario] if chosen.scenario else list(BY_NAME)
    return 1 if prove(names, chosen.jobs) else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets is a part of a schedule: the same in every process, and in every replay.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])  # noqa: S606 - itself
    sys.exit(main())
