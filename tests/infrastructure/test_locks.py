"""The locks: which version of a package each environment gets, and that no address stands in them."""

import re
from pathlib import Path

import pytest

from tests.local import ROOT

REQUIREMENTS = ROOT / "layers" / "dunning" / "requirements"
RUNTIME = ROOT / "layers" / "dunning" / "python" / "requirements.txt"
NAMES = ["uv", "run", "dev", "train", "fuzz", "browser", "tools", "stand-in", "checkov"]
_PINNED = re.compile(r"^([a-z0-9-]+)==([^ ]+)", re.MULTILINE)


def _locked(text: str) -> dict[str, str]:
    return dict(_PINNED.findall(text))


def _lock(name: str) -> dict[str, str]:
    return _locked((REQUIREMENTS / f"{name}.txt").read_text("utf-8"))


def test_every_environment_has_its_lock() -> None:
    assert sorted(path.name for path in REQUIREMENTS.iterdir()) == sorted(f"{name}.txt" for name in NAMES)


def test_an_environment_that_grows_keeps_the_versions_it_has() -> None:
    runtime = _locked(RUNTIME.read_text("utf-8"))
    assert runtime.items() <= _lock("run").items() <= _lock("dev").items()


def test_a_local_run_installs_no_tools_for_tests_and_checks() -> None:
    assert not _lock("run").keys() & {"pytest", "mypy", "ruff", "cfn-lint", "hypothesis", "boto3-stubs", "uv"}


@pytest.mark.parametrize("path", [RUNTIME, *sorted(REQUIREMENTS.glob("*.txt"))], ids=lambda path: path.name)
def test_a_lock_has_hashes_and_no_addresses(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(_locked(text)) > 0
