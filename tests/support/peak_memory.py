"""The most memory that a process of its own has had: `getrusage` would count what its parent had, too."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local import ROOT

_STATUS = Path("/proc/self/status")
needs_proc = pytest.mark.skipif(not _STATUS.exists(), reason="the system does not tell the peak of a process")


def peak_mb() -> int:
    """Return the most megabytes that this process has had so far."""
    found = re.search(r"VmHWM:\s+([0-9]+) kB", _STATUS.read_text("ascii"))
    assert found is not None
    return int(found[1]) // 1024


def run_alone(program: str, given: str = "") -> str:
    """Run a program in a Python of its own, which finds the package and the tests, and return what it prints."""
    done = subprocess.run(  # noqa: S603 - this Python, and a program of ours
        [sys.executable, "-c", program],
        input=given,
        cwd=ROOT,
        env={"PYTHONPATH": os.pathsep.join((".", "layers/dunning", "layers/dunning/python"))},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
