"""One parser under libFuzzer, in a process of its own. It needs atheris, and is imported where that is installed."""

import contextlib
import io
import json
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from random import Random

import atheris

with (
    contextlib.redirect_stderr(io.StringIO()),  # it names every module
    atheris.instrument_imports(include=["dunning"], enable_loader_override=False),
):
    from tests.fuzz.catalogue import parsers

from tests.fuzz.mutation import mutated
from tests.fuzz.parser import TAKEN, Parser

_PLAIN_MUTATIONS = 4
"""One in so many mutations is libFuzzer's own, of bytes."""

_WRITTEN_EVERY_SECONDS = 1.0


class Target:
    """What libFuzzer calls. The counts so far are written to a file, and an input that breaks a rule beside others."""

    def __init__(self, parser: Parser, result: Path, crashes: Path) -> None:
        self._parser = parser
        self._result = result
        self._crashes = crashes
        self._outcomes: Counter[str] = Counter()
        self._written_at = 0.0

    def run(self, data: bytes) -> None:
        """Check an input."""
        try:
            outcome = self._parser.check(bytes(data))
        except Exception:
            self._write()
            (self._crashes / f"crash-{sha256(data).hexdigest()[:16]}").write_bytes(bytes(data))
            sys.stderr.write(traceback.format_exc())
            sys.stderr.flush()
            raise
        self._outcomes[TAKEN if outcome == TAKEN else "refused"] += 1
        if time.monotonic() > self._written_at + _WRITTEN_EVERY_SECONDS:
            self._write()

    def mutate(self, data: bytes, most_bytes: int, seed: int) -> bytes:
        """Return a changed input."""
        chance = Random(seed)
        if not chance.randrange(_PLAIN_MUTATIONS):
            return bytes(atheris.Mutate(data, most_bytes))
        return mutated(bytes(data), self._parser.mutate, chance, most_bytes)

    def _write(self) -> None:
        self._written_at = time.monotonic()
        self._result.write_text(json.dumps(self._outcomes), "ascii")


def get_ready(name: str) -> None:
    """Load all that a parser needs, so that a process that is forked from this one has it."""
    parser = parsers()[name]
    for data in parser.samples():
        parser.check(data)


def run_forked(name: str, result: Path, crashes: Path, errors: int, arguments: Sequence[str]) -> None:
    """Run until libFuzzer has enough, or an input breaks a rule; write what it says to the open file `errors`."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(errors, 2)
    target = Target(parsers()[name], result, crashes)
    atheris.Setup(["fuzz", f"-artifact_prefix={crashes}/", *arguments], target.run, custom_mutator=target.mutate)
    atheris.Fuzz()
