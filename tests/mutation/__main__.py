"""
Plant faults in the rules, and name those that no test notices.

    python -m tests.mutation [--module "domain/decision/*.py"] [--jobs 2] [--sample 20] [--list | --known]

A run judges only what has changed since the last. It fails if a mutant survives where none may, or if a mutant that
`equivalent.toml` explains no longer exists or is noticed by a test.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.local import ROOT
from tests.mutation.covering import covering_tests, say
from tests.mutation.operators import Mutant, mutants_of
from tests.mutation.results import Results, Score, page_of, score, table
from tests.mutation.runner import SURVIVED, Verdict, planted, run
from tests.mutation.scope import Explained, Module, explained, modules

CACHE = ROOT / ".mutants"


def main(arguments: Sequence[str]) -> int:
    """Run the command line, and return its exit code."""
    parser = argparse.ArgumentParser(prog="mutants", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--module", default="", help="paths or globs below the package")
    parser.add_argument("--jobs", default="auto", help="processes; auto: one a core")
    parser.add_argument("--sample", type=int, default=100, help="percent of the mutants of each module")
    parser.add_argument("--list", action="store_true", help="only list the mutants")
    parser.add_argument("--known", action="store_true", help="only print what earlier runs have found, for README.md")
    asked = parser.parse_args(arguments)
    chosen = {module: mutants_of(module.path.read_text("utf-8")) for module in modules(asked.module)}
    if asked.list:
        say(*(f"{module.name}: {mutant.id}" for module, found in chosen.items() for mutant in found))
        return 0
    jobs = os.process_cpu_count() or 1 if asked.jobs == "auto" else int(asked.jobs)
    wrong = not_mutants(explained(), chosen)
    verdicts = judge(chosen, jobs, max(1, round(100 / asked.sample)), CACHE, only_known=asked.known)
    scores = [score(module, verdicts[module], explained(), len(chosen[module])) for module in chosen]
    if asked.known:
        say(*page_of(scores))
        return 0
    wrong += noticed_all_the_same(explained(), verdicts)
    return report(scores, wrong)


def judge(
    chosen: dict[Module, list[Mutant]], jobs: int, every: int, cache: Path, *, only_known: bool = False
) -> dict[Module, list[Verdict]]:
    """Return the verdicts on every n-th mutant of each module, from the cache where that is possible."""
    covering = covering_tests(cache, jobs)
    results = Results(cache)
    wanted = [planted(module, mutant, covering) for module, found in chosen.items() for mutant in found[::every]]
    verdicts = {(known.module, known.mutant): known for each in wanted if (known := results.known(each))}
    missing = {
        (each.module.name, each.mutant.id): each
        for each in wanted
        if (each.module.name, each.mutant.id) not in verdicts
    }
    say(f"{len(wanted)} mutants, {len(verdicts)} of them known")
    began = time.monotonic()
    done = 0

    def record(verdict: Verdict) -> None:
        nonlocal done
        done += 1
        key = verdict.module, verdict.mutant
        verdicts[key] = verdict
        results.keep(missing[key], verdict)
        if verdict.outcome == SURVIVED:
            say(f"survived: {verdict.module}: {verdict.mutant}")
        if not done % 100:
            say(f"{done} of {len(missing)} after {time.monotonic() - began:.0f} s")

    if missing and not only_known:
        run(list(missing.values()), jobs, record)
        say(f"{len(missing)} mutants in {time.monotonic() - began:.0f} s")
    found: dict[Module, list[Verdict]] = {module: [] for module in chosen}
    for each in wanted:
        if verdict := verdicts.get((each.module.name, each.mutant.id)):
            found[each.module].append(verdict)
    return found


def not_mutants(listed: Sequence[Explained], chosen: dict[Module, list[Mutant]]) -> list[str]:
    """Return what is explained and does not exist."""
    exist = {module.name: {mutant.id for mutant in found} for module, found in chosen.items()}
    return [
        f"{entry.module}: no such mutant: {mutant}"
        for entry in listed
        if entry.module in exist
        for mutant in entry.mutants
        if mutant not in exist[entry.module]
    ]


def noticed_all_the_same(listed: Sequence[Explained], verdicts: dict[Module, list[Verdict]]) -> list[str]:
    """Return what is explained as impossible to notice, and was noticed."""
    excused = {(entry.module, mutant) for entry in listed for mutant in entry.mutants}
    return [
        f"{verdict.module}: {verdict.outcome}, so take it off the list: {verdict.mutant} ({verdict.test})"
        for found in verdicts.values()
        for verdict in found
        if verdict.outcome != SURVIVED and (verdict.module, verdict.mutant) in excused
    ]


def report(scores: Sequence[Score], wrong: Sequence[str]) -> int:
    """Print the table, the survivors and what is wrong with the list, and return the exit code."""
    say(table(scores))
    say(*(f"survived: {found.module.name}: {mutant}" for found in scores for mutant in found.survivors))
    say(*(f"equivalent.toml: {entry}" for entry in wrong))
    is_good = not wrong and not any(found.survivors for found in scores if found.module.allows_no_survivor)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
