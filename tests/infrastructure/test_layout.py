"""The top level of the repository: a stranger finds few things there, and knows what each is."""

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


def test_the_top_level_holds_what_belongs_there_and_nothing_else() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - wherever it is installed
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert {path.partition("/")[0] for path in listed.stdout.splitlines()} == TOP_LEVEL
