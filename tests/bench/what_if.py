"""
A what-if over a large portfolio: seconds of one core for 100,000 customers and 45 days, both policies, nobody pays.

    python -m tests.bench.what_if [--customers 100000]

Target: 90 seconds. The portfolio is that of `tests.bench.scale`, a slice at a time. Reading a file comes on top
(`intake_rows`). Beside it, in the same run, stands how many texts a second are decided, rendered and linted: what the
machine had to give.
"""

import argparse
import gc
import os
import sys
import time
from collections.abc import Sequence
from datetime import timedelta

from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide
from dunning.domain.effect.courses import PolicyComparison
from dunning.policy import load_policies
from dunning.services.what_if import CustomerAtStart, PlayedUnder, compare
from tests.bench import decisions
from tests.bench.portfolio import sending
from tests.bench.scale import BEGIN, lives, peak_mb, slices

_DAYS = 45
_TARGET_CUSTOMERS = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.what_if", description="Measure a what-if.")
    parser.add_argument("--customers", type=int, default=_TARGET_CUSTOMERS, help="how many (default: %(default)s)")
    customers = parser.parse_args(arguments).customers
    end = BEGIN + timedelta(days=_DAYS)
    today, changed = (PlayedUnder(load_policies(), BEGIN, end) for _ in range(2))
    comparison = PolicyComparison()
    seconds = 0.0
    for part in slices(customers, _DAYS, 50):
        loaded = [CustomerAtStart(facts, Standing(customer_id=facts.customer_id)) for facts, _ in lives(part)]
        gc.freeze()
        started = time.process_time()
        comparison.merge(compare(loaded, lambda _: (), today, changed))
        seconds += time.process_time() - started
        gc.unfreeze()
    cases = sending()
    rate = decisions.per_second(cases, lambda facts, standing, now: decide(facts, standing, today.policies, now))
    texts = comparison.today.texts / customers
    sys.stdout.write(
        f"what-if, {customers:,} customers x {_DAYS} days, both policies, one core\n"
        f"  {seconds * _TARGET_CUSTOMERS / customers:6.1f} s of CPU for {_TARGET_CUSTOMERS:,}   target 90 s\n"
        f"  {texts:6.2f} texts a customer and policy; {comparison.differing} customers differ, of the same policy\n"
        f"  {rate:6,.0f} texts a second decided at the same time; load {os.getloadavg()[0]:.1f}; {peak_mb():,.0f} MB\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
