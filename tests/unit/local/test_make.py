"""What `make` says to a variable it does not know."""

import os
import re
import subprocess

import pytest

from tests.local import ROOT

MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Of a make around the tests it inherits nothing.
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    command = ["make", "--no-print-directory", "--dry-run", *arguments]
    return subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True, check=False)  # noqa: S603 - our own Makefile


@pytest.mark.parametrize("target", ["help", "run", "erase"])
@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("days=3", "DAYS"),
        ("DAY=3", "DAYS"),
        ("ACOUNTS=x", "ACCOUNTS"),
        ("polices=x y=z", "POLICIES"),
        ("Apply=1", "APPLY"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_nearest(target: str, given: str, meant: str) -> None:
    answer = _make(target, given)
    assert answer.returncode == 2
    name = given.partition("=")[0]
    assert re.fullmatch(
        rf"Makefile:\d+: \*\*\* There is no variable {name}=; did you mean {meant}=\?\.  Stop\.\n", answer.stderr
    )


def test_a_variable_that_is_like_none_is_refused_with_all_there_are() -> None:
    answer = _make("run", "WHATEVER'S=1")
    assert answer.returncode == 2
    assert "There is no variable WHATEVER'S= here. There are: ACCOUNTS EVENTS" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_every_variable_that_help_names_is_known() -> None:
    named = {name for line in re.findall(r"#= (.*)", MAKEFILE) for name in re.findall(r"\b([A-Z]+)=", line)}
    assert {"ACCOUNTS", "CUSTOMER", "APPLY"} <= named
    answer = _make("help", "PYTHON=python3", *(f"{name}=a b=c" for name in sorted(named)))
    assert (answer.returncode, answer.stderr) == (0, "")


def test_run_hands_over_what_it_is_given() -> None:
    answer = _make("run", "ACCOUNTS=my file.csv", "POLICIES=mine", "LENDER=me", "DAYS=-1")
    assert '--accounts="my file.csv"' in answer.stdout
    assert '--policies="mine" --lender="me"' in answer.stdout
    assert '--days="-1"' in answer.stdout


def test_a_play_of_effects_and_a_run_leave_their_reports_in_folders_of_their_own() -> None:
    assert '--out=".local"' in _make("run").stdout
    assert '--out=".local/effect"' in _make("effect").stdout
    assert '--out="mine"' in _make("effect", "OUT=mine").stdout


def test_the_console_takes_what_run_takes_and_a_port() -> None:
    asked = [
        "ACCOUNTS=my file.csv",
        "EVENTS=e.jsonl",
        "POLICIES=mine",
        "LENDER=me",
        "ENCODING=big5",
        "COMPLETE=all.csv",
    ]
    played, served = _make("run", *asked, "DAYS=3").stdout, _make("console", *asked, "DAYS=3", "PORT=9").stdout
    options = re.findall(r"--(\w+)=", served)
    assert sorted(options) == sorted([*re.findall(r"--(\w+)=", played.replace("--out=", "")), "port"])
    assert '--accounts="my file.csv"' in served


def test_trials_are_in_the_console_only_when_they_are_asked_for() -> None:
    assert "--trials" in _make("console", "TRIALS=1").stdout
    assert "--trials" not in _make("console").stdout
