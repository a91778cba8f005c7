"""
`make fuzz`: feeds every parser at the edge hostile inputs, guided by what they reach, and prints a table.

Exit code 1: an input broke a rule. It is saved, and the command that checks it again is printed.
"""

from tests.fuzz import target  # before all else: what is imported after it is not instrumented

# isort: split
import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from types import CodeType
from typing import IO

from tests.fuzz.catalogue import keep_inputs, kept_inputs, parsers
from tests.fuzz.parser import Parser

FOLDER = Path(".fuzz")
SHORT_MINUTES = 0.25
_PACKAGE = "/python/dunning/"
_MOST_KEPT, _LONGEST_KEPT = 40, 1500
_TELL_EVERY_SECONDS = 30.0
_SECONDS_AN_INPUT = 20
_MOST_MB = 2048
_LONGEST_INPUT = 20_000
_PROGRESS = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)")
_RUNS = re.compile(r"^stat::number_of_executed_units:\s*(\d+)")
_TROUBLE = re.compile(r"^(?:Traceback| === Uncaught|==\d+== ?ERROR|ALARM)")


@dataclass(slots=True, kw_only=True)
class Fuzzed:
    """The figures of a parser's run. `branches` are places of the code that were reached, `features` ways to them."""

    name: str
    runs: int = 0
    seconds: float = 0.0
    branches: int = 0
    features: int = 0
    seeds_before: int = 0
    seeds: int = 0
    refused: int = 0
    crash: Path | None = None
    trouble: str = ""


def fuzz(parser: Parser, minutes: float, out: Path) -> Fuzzed:
    """Fuzz one parser for a time, from its samples, what was kept of it, and what earlier runs here have found."""
    corpus, crashes, result = out / "corpus" / parser.name, out / "crashes" / parser.name, out / f"{parser.name}.json"
    for folder in (corpus, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    result.unlink(missing_ok=True)
    for data in (*parser.samples(), *kept_inputs(parser.name)):
        (corpus / sha256(data).hexdigest()[:16]).write_bytes(data)
    known = set(crashes.iterdir())
    figures = Fuzzed(name=parser.name, seeds_before=sum(1 for _ in corpus.iterdir()))
    began = time.monotonic()
    with _libfuzzer(
        parser.name,
        result,
        crashes,
        str(corpus),
        f"-max_total_time={max(1, round(minutes * 60))}",
        f"-timeout={_SECONDS_AN_INPUT}",
        f"-rss_limit_mb={_MOST_MB}",
        f"-max_len={_LONGEST_INPUT}",
        "-print_final_stats=1",
    ) as (process, lines):
        _follow(lines, figures, began)
    figures.seconds = time.monotonic() - began
    figures.seeds = sum(1 for _ in corpus.iterdir())
    if result.exists():
        figures.refused = json.loads(result.read_text("ascii")).get("refused", 0)
    new = sorted(set(crashes.iterdir()) - known)
    figures.crash = new[0] if new else None
    if process.exitcode and not figures.crash and not figures.trouble:
        figures.trouble = f"the program ended with {process.exitcode}"
    return figures


@contextmanager
def _libfuzzer(name: str, result: Path, crashes: Path, *arguments: str) -> Iterator[tuple[ForkProcess, IO[str]]]:
    """Run libFuzzer in a process that is forked from this one, so that the parsers are instrumented only once."""
    target.get_ready(name)
    readable, writable = os.pipe()
    process = get_context("fork").Process(target=target.run_forked, args=(name, result, crashes, writable, arguments))
    process.start()
    os.close(writable)
    with open(readable, encoding="utf-8", errors="replace") as lines:  # noqa: PTH123 - of a descriptor
        yield process, lines
    process.join()


def _follow(lines: IO[str], figures: Fuzzed, began: float) -> None:
    """Read what libFuzzer writes as it goes on, and tell how far it is."""
    told_at = began
    for line in lines:
        if found := _PROGRESS.match(line):
            figures.runs, figures.branches, figures.features = int(found[1]), int(found[2]), int(found[3])
        elif found := _RUNS.match(line):
            figures.runs = int(found[1])
        if figures.trouble or _TROUBLE.match(line):
            figures.trouble += line
        if time.monotonic() > told_at + _TELL_EVERY_SECONDS:
            told_at = time.monotonic()
            sys.stdout.write(f"   {told_at - began:4.0f} s: {figures.runs:,} runs, {figures.features:,} features\n")
            sys.stdout.flush()


def smallest(parser: Parser, corpus: Path) -> list[bytes]:
    """Return few and short inputs of a corpus: each reaches a line of the package that no shorter input reaches."""
    inputs = sorted((path.read_bytes() for path in corpus.iterdir()), key=lambda data: (len(data), data))
    reached: list[int] = []

    def seen(code: CodeType, line: int) -> object:
        if _PACKAGE in code.co_filename:
            reached.append(line)
        return sys.monitoring.DISABLE  # it is not told again

    sys.monitoring.use_tool_id(sys.monitoring.COVERAGE_ID, "smallest")
    sys.monitoring.register_callback(sys.monitoring.COVERAGE_ID, sys.monitoring.events.LINE, seen)
    sys.monitoring.set_events(sys.monitoring.COVERAGE_ID, sys.monitoring.events.LINE)
    sys.monitoring.restart_events()
    kept: list[bytes] = []
    for data in inputs:
        reached.clear()
        parser.check(data)
        if reached and len(data) <= _LONGEST_KEPT and len(kept) < _MOST_KEPT:
            kept.append(data)
    sys.monitoring.set_events(sys.monitoring.COVERAGE_ID, 0)
    sys.monitoring.free_tool_id(sys.monitoring.COVERAGE_ID)
    return kept


def table(fuzzed: Sequence[Fuzzed]) -> Iterator[str]:
    """Yield the lines of the table."""
    titles = ("parser", "seconds", "runs", "runs/s", "branches", "features", "new seeds", "refused", "crashes")
    yield _line(*titles)
    for row in fuzzed:
        yield _line(
            row.name,
            f"{row.seconds:.0f}",
            f"{row.runs:,}",
            f"{row.runs / max(row.seconds, 1):,.0f}",
            f"{row.branches:,}",
            f"{row.features:,}",
            f"{row.seeds - row.seeds_before:,}",
            f"{row.refused:,}",
            str(row.crash or int(bool(row.trouble))),
        )


def _line(name: str, *cells: str) -> str:
    return f"{name:<16}" + "".join(f" {cell:>10}" for cell in cells)


def check_again(parser: Parser, path: Path) -> int:
    """Check one input, as the run did."""
    sys.stdout.write(f"{path}: {parser.check(path.read_bytes())}\n")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz what is asked for, and return the exit code."""
    known = parsers()
    arguments = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    arguments.add_argument("--parser", choices=sorted(known), help="one parser; all if it is left out")
    arguments.add_argument("--minutes", type=float, default=SHORT_MINUTES, help="for each parser (%(default)s)")
    arguments.add_argument("--input", type=Path, help="check this input again, and nothing else")
    arguments.add_argument("--out", type=Path, default=FOLDER, help="where inputs and crashes lie (%(default)s)")
    arguments.add_argument("--keep", action="store_true", help="write the best inputs to tests/fuzz/seeds")
    given = arguments.parse_args(argv)
    if given.input:
        if not given.parser:
            arguments.error("INPUT= needs PARSER=")
        return check_again(known[given.parser], given.input)
    fuzzed = []
    for name in [given.parser] if given.parser else known:
        sys.stdout.write(f"== {name}\n")
        sys.stdout.flush()
        figures = fuzz(known[name], given.minutes, given.out)
        fuzzed.append(figures)
        if figures.trouble:
            sys.stdout.write(figures.trouble[-4000:])
        if figures.crash:
            sys.stdout.write(f"   once more: make fuzz PARSER={name} INPUT={figures.crash}\n")
        elif given.keep and not figures.trouble:
            keep_inputs(name, smallest(known[name], given.out / "corpus" / name))
    sys.stdout.write("\n".join(["", *table(fuzzed), ""]))
    return int(any(figures.crash or figures.trouble for figures in fuzzed))


if __name__ == "__main__":
    sys.exit(main())
