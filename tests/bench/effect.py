"""
Recover planted effects, in many simulated trials: `python -m tests.bench.effect [SEEDS]`, some minutes per 20 seeds.

It prints how often the interval that is looked at daily held the planted lift at every look, how often an effect was
called a finding, and what the learner did; for a tenth of the seeds, the same through the services. The suite runs a
few seeds of all of it.
"""

import sys
from statistics import mean
from time import process_time

from dunning.domain.effect.sums import FirstLine
from tests.local.effect_run import play_effect
from tests.support.planted import PlantedTrial, daily_looks, learned_run

LIFTS = (0.0, 0.02, 0.04)

PLAYED = 900
"""The people of a half-year that is played by the services."""


def write(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def recovery(seeds: int) -> None:
    """Print coverage at all looks, and findings, by planted lift and kind of customer."""
    write(
        "lift  rungs  share  held at every look  called a finding  held at the last look alone (single-look interval)"
    )
    for rungs in ((1,), (1, 2, 3, 4)):
        for share in (0.05, 0.2):
            for lift in LIFTS:
                trial = PlantedTrial(0.6, lift, share, 100, 90, rungs=rungs, planned=4_500)
                held = findings = at_the_end = single = 0
                for seed in range(seeds):
                    looks = [look for look in daily_looks(seed, trial) if look.interval is not None]
                    held += all(look.interval.contains(lift) for look in looks if look.interval)
                    single += all(look.at_the_end.contains(lift) for look in looks if look.at_the_end)
                    findings += any(look.first_line in {FirstLine.MORE_PAY, FirstLine.FEWER_PAY} for look in looks)
                    last = looks[-1].at_the_end
                    at_the_end += last is not None and last.contains(lift)
                write(
                    f"{lift:4.2f}  {rungs[-1]:5}  {share:5.2f}  {held / seeds:18.3f}  {findings / seeds:16.3f}"
                    f"  {at_the_end / seeds:.3f} (at every look: {single / seeds:.3f})"
                )


def learning(seeds: int) -> None:
    """Print which arm leads at the end, its weight, and the cures beside even shares, by planted lift."""
    write("lift  the right arm leads  its weight  cures  cures with even shares")
    for lift in LIFTS:
        rates = {"a": 0.6, "b": 0.6 + lift, "c": 0.6, "d": 0.6}
        runs = [learned_run(seed, rates) for seed in range(seeds)]
        ends = [run.weeks[-1].of("all") for run in runs]
        leads = mean(max(end) == end[1] for end in ends)
        weight, cures = mean(end[1] for end in ends), mean(run.cure_rate for run in runs)
        write(f"{lift:4.2f}  {leads:19.2f}  {weight:10.2f}  {cures:.4f}  {mean(rates.values()):.4f}")


def through_services(seeds: int) -> None:
    """Print the same of half-years that the real services play, with a look each week, and what became of the arms."""
    write("lift  half-years  held at every look  called a finding  curt words paused  other arms paused  leaks")
    for lift in LIFTS:
        runs = [play_effect(customers=PLAYED, days=182, seed=seed, lift=lift) for seed in range(seeds)]
        held = findings = paused = others = leaks = 0
        for run in runs:
            points = [point for point in run.lines["quiet"] if point.low is not None and point.high is not None]
            planted = run.planted_lifts["quiet"]
            held += all((point.low or 0) <= planted <= (point.high or 0) for point in points)
            findings += any((point.low or 0) > 0 or (point.high or 0) < 0 for point in points)
            arms = {(result.trial, arm) for result in run.results for arm in result.paused}
            paused += ("tone", "curt") in arms
            others += len(arms - {("tone", "curt")})
            leaks += not run.is_right
        write(f"{lift:4.2f}  {seeds:10}  {held:18}  {findings:16}  {paused:17}  {others:17}  {leaks:5}")


def main() -> None:
    """Run all simulations."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    started = process_time()
    recovery(seeds)
    learning(max(1, seeds // 10))
    through_services(max(1, seeds // 10))
    write(f"{process_time() - started:.0f} s of CPU")


if __name__ == "__main__":
    main()
