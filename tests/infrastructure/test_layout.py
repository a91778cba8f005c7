"""The layout of the repository: a stranger finds few things at its top, and under tests only tests and their tools."""

import re
import subprocess

from tests.local import ROOT

TOP_LEVEL = {
    ".ci",
    ".gitignore",
    ".pre-commit-config.yaml",
    ".python-version",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "events",
    "functions",
    "layers",
    "pyproject.toml",
    "samconfig.toml",
    "template.yaml",
    "tests",
}

SUPPORT = ("tests/support/", "tests/local/")
"""What the tests stand on: builders, fakes and vectors; the embedded AWS."""

HARNESS = {
    "tests/e2e/deployed/certificate.py",
    "tests/e2e/deployed/deployment.py",
    "tests/e2e/deployed/grants.py",
    "tests/e2e/deployed/identity.py",
    "tests/e2e/deployed/large_file.py",
    "tests/e2e/deployed/observer/sitecustomize.py",
    "tests/e2e/deployed/standin.py",
    "tests/e2e/deployed/trial_lender.py",
    "tests/e2e/deployed/world.py",
}
"""What deploys the built stack on a stand-in for AWS, and watches it."""

GOLDEN = "tests/contract/golden/"
"""Stored items as they have been written, a file a schema."""

TOOLS = ("tests/devtools/", "tests/bench/", "tests/fuzz/", "tests/mutation/", "tests/simulation/")
"""What developers run by hand or by `make`."""

_TEST = re.compile(r"conftest\.py|test_\w+\.py")


def tracked_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - wherever it is installed
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for path in listed.stdout.splitlines() if (ROOT / path).exists()]


def test_the_top_level_holds_what_belongs_there_and_nothing_else() -> None:
    assert {path.partition("/")[0] for path in tracked_files()} == TOP_LEVEL


def test_under_tests_stand_only_tests_their_support_and_development_tools() -> None:
    others = {
        path
        for path in tracked_files()
        if path.startswith("tests/")
        and not path.startswith((*SUPPORT, *TOOLS, GOLDEN))
        and not _TEST.fullmatch(path.rpartition("/")[2])
    }
    assert others == HARNESS


def test_modules_that_tests_share_stand_in_their_support() -> None:
    """Tests of a folder import no module of another folder of tests."""
    folders = {"unit", "property", "contract", "integration", "infrastructure", "e2e"}
    for path in tracked_files():
        if not path.startswith("tests/") or not path.endswith(".py"):
            continue
        imported = re.findall(r"^from tests\.(\w+)", (ROOT / path).read_text("utf-8"), re.MULTILINE)
        assert set(imported) & folders <= {path.split("/")[1]}, path
