"""
Results that are kept, so that a run judges only what has changed: modules, operators, or the tests that noticed.

A killed mutant stays killed as long as the file of the test that noticed is the same; any other verdict holds as long
as all files with covering tests are the same.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.local import ROOT
from tests.mutation import operators
from tests.mutation.covering import digest_of
from tests.mutation.runner import KILLED, SURVIVED, TIMED_OUT, Planted, Verdict
from tests.mutation.scope import Explained, Module, is_witness


class Results:
    """Verdicts on disk, one a line, appended as they come."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "verdicts.jsonl"
        self._kept: dict[str, Verdict] = {}
        self._digests: dict[str, str] = {}
        if self._path.exists():
            for line in self._path.read_text("utf-8").splitlines():
                with suppress(ValueError):  # an interrupted run may have written half a line
                    key, *verdict = json.loads(line)
                    self._kept[key] = Verdict(*verdict)
        self._kept = {key: verdict for key, verdict in self._kept.items() if is_witness(verdict.test)}
        self._path.write_text("".join(map(_line, self._kept.items())), "utf-8")

    def known(self, planted: Planted) -> Verdict | None:
        """Return the verdict of an earlier run if nothing has changed that it depends on."""
        survived = self._kept.get(self._key(planted, _files(planted)))
        if survived is not None:
            return survived
        killed = self._kept.get(self._key(planted, ()))
        file = "" if killed is None else killed.test.partition("::")[0]
        return self._kept.get(self._key(planted, (file,))) if (ROOT / file).is_file() else None

    def keep(self, planted: Planted, verdict: Verdict) -> None:
        """Keep a verdict."""
        file = ROOT / verdict.test.partition("::")[0]
        if verdict.outcome == KILLED and file.is_file():
            lines = [
                (self._key(planted, ()), verdict),
                (self._key(planted, (verdict.test.partition("::")[0],)), verdict),
            ]
        else:
            lines = [(self._key(planted, _files(planted)), verdict)]
        with self._path.open("a", encoding="utf-8") as kept:
            kept.writelines(map(_line, lines))

    def _key(self, planted: Planted, files: Iterable[str]) -> str:
        module = self._digest(str(planted.module.path.relative_to(ROOT)))
        tests = "".join(self._digest(file) for file in sorted(files))
        return f"{operators.digest()} {module} {operators.short_digest(tests.encode())} {planted.mutant.id}"

    def _digest(self, file: str) -> str:
        if file not in self._digests:
            self._digests[file] = digest_of([ROOT / file])[:16]
        return self._digests[file]


def _files(planted: Planted) -> set[str]:
    """Return the files of all tests that may have been asked about a mutant."""
    return {test.file for test in (*planted.tests, *planted.of_module)}


def _line(kept: tuple[str, Verdict]) -> str:
    key, verdict = kept
    return json.dumps([key, *verdict]) + "\n"


class Score(NamedTuple):
    """What became of the mutants of a module."""

    module: Module
    mutants: int
    killed: int
    timed_out: int
    explained: int
    survivors: Sequence[str]
    of: int

    @property
    def percent(self) -> float:
        """Return how many of a hundred mutants were noticed or are explained."""
        return 100 * (1 - len(self.survivors) / self.mutants) if self.mutants else 100.0


def score(module: Module, verdicts: Sequence[Verdict], listed: Sequence[Explained], every: int) -> Score:
    """Count the verdicts of a module."""
    excused = {mutant for entry in listed if entry.module == module.name for mutant in entry.mutants}
    outcomes = [verdict.outcome for verdict in verdicts]
    survived = [verdict.mutant for verdict in verdicts if verdict.outcome == SURVIVED]
    return Score(
        module=module,
        mutants=len(verdicts),
        killed=outcomes.count(KILLED),
        timed_out=outcomes.count(TIMED_OUT),
        explained=sum(mutant in excused for mutant in survived),
        survivors=[mutant for mutant in survived if mutant not in excused],
        of=every,
    )


def table(scores: Sequence[Score]) -> str:
    """Return the scores as a table for people."""
    rows = [f"| {'module':36} | mutants | killed | timed out | explained | survived | score |"]
    rows.append(f"|{'-' * 38}|--------:|-------:|----------:|----------:|---------:|------:|")
    for found in scores:
        mutants = f"{found.mutants}" + (f" of {found.of}" if found.of > found.mutants else "")
        rows.append(
            f"| {found.module.name:36} | {mutants:>7} | {found.killed:6} | {found.timed_out:9} | {found.explained:9} "
            f"| {len(found.survivors):8} | {found.percent:4.0f}% |"
        )
    return "\n".join(rows)


def page_of(scores: Sequence[Score]) -> list[str]:
    """Return what the page of scores says of the modules, a line each, and of all of them."""
    judged, mutants = sum(found.mutants for found in scores), sum(found.of for found in scores)
    return [f"{judged:,} of {mutants:,} mutants", *map(_row_of, scores)]


def _row_of(found: Score) -> str:
    if not found.mutants:
        return f"| {found.module.name} | – of {found.of} | | | | | |"
    return (
        f"| {found.module.name} | {found.mutants} of {found.of} | {found.killed} | {found.timed_out} "
        f"| {found.explained} | {len(found.survivors)} | {found.percent:.0f} % |"
    )
