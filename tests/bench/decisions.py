"""
Decisions a second on one core, beside the least a decision could do: look at every instalment.

Targets: 100,000 waits or stops, 30,000 sends with the text rendered and linted; the linter may cost half of a send.
"""

import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Rules
from dunning.policy import PolicyBook, load_policies
from tests.bench.portfolio import NOW, sending, waiting

_ROUNDS = 5
_SECONDS = 0.6


def per_second(cases: list[tuple[Facts, Standing]], run: object) -> float:
    """Return how many cases a second, the best of some rounds: the machine's noise only ever slows down."""
    best = 0.0
    for _ in range(_ROUNDS):
        done = 0
        start = time.perf_counter()
        while (elapsed := time.perf_counter() - start) < _SECONDS:
            for facts, standing in cases:
                run(facts, standing, NOW)  # type: ignore[operator]
            done += len(cases)
        best = max(best, done / elapsed)
    return best


def _floor(facts: Facts, standing: Standing, now: datetime) -> int:
    del standing, now
    return sum(i.amount - i.paid for account in facts.accounts for i in account.instalments)


class _Unlinted:
    """The same policies, but nothing that is rendered is linted: what a send costs without."""

    def __init__(self, policies: PolicyBook) -> None:
        self._policies = policies
        self._rules: dict[int, Rules] = {}

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        """Return the rules, with a linter that finds nothing."""
        rules = self._policies.rules_for(facts, at)
        if isinstance(rules, Reason):
            return rules
        found = self._rules.get(id(rules))
        if found is None:
            found = self._rules[id(rules)] = replace(rules, linter=_Silent())  # type: ignore[arg-type]
        return found


class _Silent:
    """A linter that finds nothing."""

    def faults(self, message: object) -> tuple[()]:
        """Find nothing."""
        del message
        return ()


def main() -> None:
    """Print both rates beside the floor's."""
    policies = load_policies()

    def run(facts: Facts, standing: Standing, now: datetime) -> object:
        return decide(facts, standing, policies, now)

    unlinted = _Unlinted(policies)

    def run_unlinted(facts: Facts, standing: Standing, now: datetime) -> object:
        return decide(facts, standing, unlinted, now)

    out = sys.stdout.write
    out("decisions a second, one core, best of 5\n")
    for name, cases, target in (("waits and stops", waiting(), 100_000), ("sends with text", sending(), 30_000)):
        kinds = Counter(decide(f, s, policies, NOW).kind for f, s in cases)
        ours = per_second(cases, run)
        floor = per_second(cases, _floor)
        out(f"  {name:16} {ours:10,.0f}   target {target:8,}   adding up alone {floor:10,.0f}   {dict(kinds)}\n")
    with_linter, without = (per_second(sending(), decider) for decider in (run, run_unlinted))
    share = (1 / with_linter - 1 / without) * with_linter
    out(f"  sends not linted {without:10,.0f}   the linter is {share:.0%} of a send, at most 50%\n")


if __name__ == "__main__":
    main()
