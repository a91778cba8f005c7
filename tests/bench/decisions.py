"""
Decisions a second on one core, beside the least a decision could do: look at every instalment.

Targets: 100,000 waits or stops, 30,000 sends with the text rendered and linted. Beside the sends stand those whose
texts are each judged by itself, and those of many customers with a holdout, and with two wordings, of which each is
judged. Both are to be 85 % of the same customers' without.
"""

import math
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Rules
from dunning.domain.effect.draws import USUAL_TEXT, Layer
from dunning.domain.texts.lint import Linter
from dunning.policy import PolicyBook, load_policies
from tests.bench.portfolio import NOW, sending, waiting
from tests.support.arms import OTHER_TEXT, a_holdout, a_trial, forced

_ROUNDS = 5
_SECONDS = 0.6
_TURNS = 200


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


class _Changed:
    """The same policies with other rules."""

    def __init__(self, policies: PolicyBook, change: Callable[[Rules], Rules]) -> None:
        self._policies, self._change = policies, change
        self._rules: dict[int, Rules] = {}

    def rules_for(self, facts: Facts, at: datetime) -> Rules | Reason:
        """Return the changed rules."""
        rules = self._policies.rules_for(facts, at)
        if isinstance(rules, Reason):
            return rules
        found = self._rules.get(id(rules))
        if found is None:
            found = self._rules[id(rules)] = self._change(rules)
        return found


class _EachByItself:
    """A linter that judges each text by itself, as it judges the first one of a shape."""

    def __init__(self, linter: Linter) -> None:
        self.faults = linter.faults
        self.shape_of_name = linter.shape_of_name

    def is_faultless_in_shape(self, shape: object, places: object) -> bool:
        """Say nothing of any shape."""
        del shape, places
        return False


def _each_by_itself(rules: Rules) -> Rules:
    """Judge each text that is rendered: what a send costs without the verdicts that are kept."""
    return replace(rules, linter=_EachByItself(rules.linter))  # type: ignore[arg-type]


def _with_a_holdout(rules: Rules) -> Rules:
    return replace(rules, trials=(a_holdout(0.05, rules, stages=frozenset(rules.ladder)),))


def _with_two_wordings(rules: Rules) -> Rules:
    halves = a_trial(Layer.TEXT, ((USUAL_TEXT, 0.5), (OTHER_TEXT, 0.5)), rules)
    return replace(forced(rules, Layer.TEXT, OTHER_TEXT), trials=(halves,))


def _many() -> list[tuple[Facts, Standing]]:
    """Build those who are sent a text twenty times over, each a customer with a lot of their own."""
    return [
        (replace(facts, customer_id=f"{facts.customer_id}-{copy}"), standing)
        for copy in range(20)
        for facts, standing in sending()
    ]


def _in_turns(policies: PolicyBook) -> None:
    """Print the rates of sends with trials beside that without: the best of many short turns, whatever the load."""
    changes: dict[str, Callable[[Rules], Rules]] = {
        "no trial": replace,
        "a holdout of 5 %": _with_a_holdout,
        "two wordings": _with_two_wordings,
    }
    books = {name: _Changed(policies, change) for name, change in changes.items()}
    cases = _many()
    best = dict.fromkeys(books, math.inf)
    for _ in range(_TURNS):
        for name, book in books.items():
            start = time.perf_counter()
            for facts, standing in cases:
                decide(facts, standing, book, NOW)
            best[name] = min(best[name], time.perf_counter() - start)
    for name, seconds in best.items():
        share = best["no trial"] / seconds
        sys.stdout.write(f"  sends, {name:16} {len(cases) / seconds:10,.0f}   {share:4.0%} of those without a trial\n")


def main() -> None:
    """Print both rates beside the floor's."""
    policies = load_policies()

    def run(facts: Facts, standing: Standing, now: datetime) -> object:
        return decide(facts, standing, policies, now)

    by_itself = _Changed(policies, _each_by_itself)

    def run_by_itself(facts: Facts, standing: Standing, now: datetime) -> object:
        return decide(facts, standing, by_itself, now)

    out = sys.stdout.write
    out("decisions a second, one core, best of 5\n")
    for name, cases, target in (("waits and stops", waiting(), 100_000), ("sends with text", sending(), 30_000)):
        kinds = Counter(decide(f, s, policies, NOW).kind for f, s in cases)
        ours = per_second(cases, run)
        floor = per_second(cases, _floor)
        out(f"  {name:16} {ours:10,.0f}   target {target:8,}   adding up alone {floor:10,.0f}   {dict(kinds)}\n")
    out(f"  each text judged by itself {per_second(sending(), run_by_itself):10,.0f}\n")
    _in_turns(policies)


if __name__ == "__main__":
    main()
