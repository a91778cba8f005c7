"""`make policy-check`: says what holds and from whom, and refuses by file and line."""

import shutil
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest

from ops.policy_check import main
from ops.preview import main as preview_main

TODAY = date(2026, 11, 24)


def test_each_limit_is_printed_with_who_set_it_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lender", "demo-tw", "--place", "TW"], TODAY) == 0
    out = capsys.readouterr().out
    assert out.startswith("demo-tw in TW, Taiwan\n")
    (law,) = [line for line in out.splitlines() if "07:00-22:00" in line]
    assert law.split()[:4] == ["law", "07:00-22:00", "every", "day"]
    assert "[V]" in law
    assert "jurisdictions/TW.toml:" in law
    assert "art. 14-I-3" in law
    assert "demo-tw in HK" not in out


def test_the_brief_form_is_a_line_for_each_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lender", "demo-tw", "--brief"], TODAY) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == ["TW", "HK", "US", "US-DC", "US-MA", "US-NY"]
    assert "07:00" not in lines[0]
    assert "6 combinations" in lines[-1]
    assert lines[0] == (
        "demo-tw      TW         09:00-20:30 every day; overdue: none on holidays | "
        "1 in 24 hours, a person; 3 in 7 days, a person; 8 in 30 days, a person"
    )
    assert main(["--place", "EU", "--brief"], TODAY) == 0
    assert "demo-world   EU IE      Mon-Sat 09:00-19:00, Sun closed; overdue: none on holidays | " in (
        capsys.readouterr().out
    )


def test_the_brief_form_warns_of_what_calls_for_somebody(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--lender", "demo-cn", "--brief"], TODAY)
    (warning,) = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip().startswith("!")]
    assert warning == "! calendar: ends on 2026-12-31, in 37 days: run make calendars"


def test_texts_that_would_not_be_sent_are_counted_and_the_command_that_shows_them_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lender = folder / "lenders" / "demo-cn.toml"
    written = lender.read_text("utf-8").replace('"en/today@3"', '# "en/today@3"')
    lender.write_text(written, "utf-8")
    assert main(["--policies", str(folder), "--lender", "demo-cn", "--place", "CN", "--brief"], TODAY) == 0
    assert (
        "words: 2 of 28 texts in en would not be sent: make preview LENDER=demo-cn LANGUAGE=en COUNTRY=CN"
        in capsys.readouterr().out
    )


def test_a_calendar_that_is_wrong_is_refused_though_it_is_read_only_when_it_is_needed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calendar = folder / "calendars" / "NZ.toml"  # no lender's policy names New Zealand
    calendar.write_text(calendar.read_text("utf-8").replace('country = "NZ"', 'country = "XX"'), "utf-8")
    assert main(["--policies", str(folder), "--brief"], TODAY) == 1
    assert capsys.readouterr().err.startswith("Refused: calendars/NZ.toml:")


@pytest.mark.slow(reason="loads all policies, over a folder")
@pytest.mark.parametrize("command", [main, preview_main])
def test_a_folder_with_one_lender_is_enough_the_rest_is_the_packages(
    command: Callable[[Sequence[str]], int], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own" / "lenders"
    own.mkdir(parents=True)
    written = (folder / "lenders" / "demo-tw.toml").read_text("utf-8")
    (own / "mine.toml").write_text(written.replace('id = "demo-tw"', 'id = "mine"'), "utf-8")
    assert command(["--policies", str(own.parent), "--lender", "mine"]) == 0
    printed = capsys.readouterr().out
    assert "mine in " in printed
    assert command is preview_main or "\n1 lender, 27 places" in printed


@pytest.mark.slow(reason="loads and checks all policies of a folder")
def test_policies_of_another_folder_are_checked_and_a_bad_one_is_refused_by_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--policies", str(folder), "--brief"], TODAY) == 0
    lender = folder / "lenders" / "demo-tw.toml"
    text = lender.read_text("utf-8")
    lender.write_text(text.replace("max_segments = 2", 'max_segments = 2\nhours = { daily = "06:00-23:00" }'), "utf-8")
    line = text.splitlines().index("max_segments = 2") + 2
    assert main(["--policies", str(folder)], TODAY) == 1
    refused = capsys.readouterr().err
    assert refused.startswith(
        f"Refused: lenders/demo-tw.toml:{line}: hours: mon 06:00-23:00 is looser than the law of "
    )
    assert "jurisdictions/" in refused


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--lender", "nobody"], "There is no lender 'nobody'. There are: demo-channels, demo-cn"),
        (["--place", "XX"], "no place 'XX'"),
        (["--place", "tw"], "There is no place 'tw': did you mean TW?"),
        (["--policies", "nowhere"], "POLICIES=nowhere: there is no such folder"),
    ],
)
def test_nonsense_is_answered_with_the_choices(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, TODAY) == 2
    assert says in capsys.readouterr().err


TRIAL = """
[[trials]]
id = "quiet"
layer = "holdout"
arms = { text = 0.95, silence = 0.05 }
stages = [-3, 0]
places = ["TW"]
goal_days = 14
starts_on = 2026-11-01
ends_on = 2027-04-30
salt = "4f1c9a7e"
approved_by = "Mei Chen, compliance"
approved_on = 2026-10-28
"""


def test_a_change_of_a_trial_that_runs_under_the_policies_in_force_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lender = folder / "lenders" / "demo-tw.toml"
    lender.write_text(lender.read_text("utf-8") + TRIAL, "utf-8")
    in_force = shutil.copytree(folder, tmp_path / "in-force")
    asked = ["--policies", str(folder), "--in-force", str(in_force), "--lender", "demo-tw", "--brief"]
    assert main(asked, TODAY) == 0
    capsys.readouterr()
    lender.write_text(lender.read_text("utf-8").replace("goal_days = 14", "goal_days = 7"), "utf-8")
    assert main(asked, TODAY) == 1
    message = capsys.readouterr().err
    assert message.startswith("Refused: lenders/demo-tw.toml:")
    assert "trials.0.goal_days: the trial is running; end it, and begin another with a new id and salt" in message
    assert main(asked, date(2027, 5, 1)) == 0, "it has ended"


def test_a_folder_of_policies_in_force_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--in-force", "no-such"], TODAY) == 2
    assert capsys.readouterr().err == "IN_FORCE=no-such: there is no such folder\n"
