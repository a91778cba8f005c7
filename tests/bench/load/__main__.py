"""
Real handlers in several processes, under load: `make load`.

    python -m tests.bench.load [--customers 20000] [--workers 2] [--latency-ms 50] [--throttled 20] [--rate 100]
        [--seed 1] [--out folder]
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import tests.local  # noqa: F401 - puts the layer on the path
from tests.bench.capacity import load_template
from tests.bench.load.audit import violations
from tests.bench.load.engine import CarrierHabits
from tests.bench.load.figures import engine_growth, figures
from tests.bench.load.play import LoadError, LoadPlan, Player
from tests.bench.load.report import report


def _positive(text: str) -> int:
    number = int(text.replace("_", "").replace(",", ""))
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _percent(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 90:
        raise argparse.ArgumentTypeError("must be 0 to 90")
    return number


def parse_plan(argv: Sequence[str] | None = None) -> tuple[LoadPlan, str]:
    """Read the command line: the plan, and the folder for the figures, which may be empty."""
    parser = argparse.ArgumentParser(
        prog="make load", description="Send texts through the real handlers in several processes, and check each."
    )
    parser.add_argument("--customers", type=_positive, default=20_000, help="how many; 20000 unless set")
    parser.add_argument("--workers", type=_positive, help="senders; as template.yaml has them unless set")
    parser.add_argument("--latency-ms", type=float, default=50, help="of the carrier; 50 unless set")
    parser.add_argument(
        "--throttled", type=_percent, default=20, metavar="0..90", help="percent refused; 20 unless set"
    )
    parser.add_argument("--duplicated", type=_percent, default=1, metavar="0..90", help="percent of jobs; 1 unless set")
    parser.add_argument("--rate", type=_positive, default=100, help="texts a second of the account; 100 unless set")
    parser.add_argument("--tick", type=float, default=10, help="seconds between ticks; 10 unless set, 60 in AWS")
    parser.add_argument("--off", type=float, default=65, help="seconds without sending; 65 unless set")
    parser.add_argument("--seed", type=int, default=1, help="of the carrier's refusals; 1 unless set")
    parser.add_argument("--out", default="", help="a folder for the figures as JSON")
    arguments = parser.parse_args(argv)
    template = load_template()
    plan = LoadPlan(
        customers=arguments.customers,
        rate=arguments.rate,
        habits=CarrierHabits(
            latency_seconds=arguments.latency_ms / 1000,
            throttled=arguments.throttled / 100,
            duplicated=arguments.duplicated / 100,
            seed=arguments.seed,
        ),
        senders_for=lambda rate: template.senders_for(rate)[0],
        workers=arguments.workers or 0,
        tick_seconds=arguments.tick,
        off_seconds=arguments.off,
    )
    return plan, arguments.out


def main(argv: Sequence[str] | None = None, write: Callable[[str], object] = sys.stdout.write) -> int:
    """Play a load and print the report; return 1 if a rule was broken, 2 if the load could not be played."""
    plan, out = parse_plan(argv)
    began = time.monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"  {time.monotonic() - began:5.0f} s  {what}\n")

    try:
        outcome = Player(plan, say).play()
    except LoadError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    found, broken = figures(outcome), violations(outcome)
    for line in report(outcome, found, engine_growth(outcome), broken):
        write(f"{line}\n")
    if out:
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        written = {**asdict(found), "marks": outcome.marks, "memory": outcome.memory, "violations": broken}
        (folder / "load.json").write_text(json.dumps(written, ensure_ascii=False, indent=1), "utf-8")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
