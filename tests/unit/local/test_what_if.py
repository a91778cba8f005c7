"""`make whatif`: what it takes, what it refuses with file, field and fix, what it writes and what it says."""

import csv
import json
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from dunning.contracts.what_if_result import WhatIfResult
from dunning.services.intake.rows import COLUMNS
from tests.local.what_if import FILES, lenders_changed, main

DEMO_TW = (files("dunning.policy") / "data" / "lenders" / "demo-tw.toml").read_text("utf-8")
PERSON = {"country": "TW", "language": "zh-TW", "lender": "demo-tw", "currency": "TWD", "amount": "3250"}
NAMES = {"C1": "王小明", "C2": "陳美麗", "C3": "林志遠"}
ROWS = (
    ("C1", "1", "2026-12-05", ""),
    ("C1", "2", "2027-01-05", ""),
    ("C2", "1", "2026-11-20", ""),
    ("C3", "1", "2026-12-05", "2026-12-04"),
    ("C3", "2", "2026-10-05", "2026-10-09"),
)

type Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    file = tmp_path / "accounts.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for customer_id, number, due_on, paid_on in ROWS:
            writer.writerow(
                {
                    **PERSON,
                    "customer_id": customer_id,
                    "name": NAMES[customer_id],
                    "phone": f"0912-345-67{customer_id[1]}",
                    "account_id": f"{customer_id}-1",
                    "account_number": f"2026-0007-432{customer_id[1]}",
                    "instalment_no": number,
                    "due_on": due_on,
                    "paid_on": paid_on,
                }
            )
    return file


def policy(tmp_path: Path, text: str, name: str = "lenders/demo-tw.toml") -> Path:
    folder = tmp_path / "policy"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder


LATER = DEMO_TW.replace('preferred_hour = "10:00"', 'preferred_hour = "14:00"')


@pytest.fixture
def run(tmp_path: Path, accounts: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(folder: Path | str, *more: str) -> tuple[int, str, str]:
        given = ["--policy", str(folder), "--accounts", str(accounts), "--start", "2026-12-01"]
        status = main([*given, "--out", str(tmp_path / "out"), *more])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def result(tmp_path: Path) -> WhatIfResult:
    return WhatIfResult.model_validate_json((tmp_path / "out" / FILES["result"]).read_text("utf-8"))


def test_an_id_that_begins_as_a_formula_is_written_as_text(run: Run, tmp_path: Path, accounts: Path) -> None:
    accounts.write_text(accounts.read_text("utf-8").replace("C1,", "-C1,"), "utf-8")
    assert run(policy(tmp_path, LATER))[0] == 0
    for name in (FILES["today"], FILES["changed"]):
        with (tmp_path / "out" / name).open("r", encoding="utf-8-sig", newline="") as file:
            ids = {line[0] for line in list(csv.reader(file))[1:]}
        assert "'-C1" in ids
        assert not [each for each in ids if each.startswith("-")]


def lines(tmp_path: Path, which: str) -> list[str]:
    return (tmp_path / "out" / FILES[which]).read_text("utf-8").splitlines()


def test_a_changed_hour_is_shown_side_by_side_and_written_to_compare(tmp_path: Path, run: Run) -> None:
    status, out, err = run(policy(tmp_path, LATER))
    assert (status, err) == (0, "")
    found = result(tmp_path)
    assert (found.customers, found.differing, found.moved) == (3, 3, 3)
    assert found.changed_files == ("lenders/demo-tw.toml",)
    assert "3 of 3 customers get something else" in out
    assert re.search(r"NEXT TEXT: it moves for 3 of 3 customers \(100.0%\)\n +3  later", out)
    assert "not known: run a trial" in out
    assert min(found.changed.by_hour) >= 14 > min(found.today.by_hour)
    before, after = lines(tmp_path, "today"), lines(tmp_path, "changed")
    assert len(before) == 1 + found.today.texts + sum(found.today.handed_over.values())
    assert before[0] == after[0] == ("customer_id,what,at,local_at,stage,channel,template,parts,price_usd_micros")
    assert re.match(r"C1,text,2026-12-02T0\d:\d\d:00Z,[^,]*\+08:00,-3,sms,zh-Hant/before-3@\d+,1,\d+$", before[1])
    assert (tmp_path / "out" / FILES["text"]).read_text("utf-8") in out


def test_nothing_that_is_written_names_a_person_or_holds_a_text(tmp_path: Path, run: Run) -> None:
    _, out, _ = run(policy(tmp_path, LATER))
    written = out + "".join((tmp_path / "out" / name).read_text("utf-8") for name in FILES.values())
    for personal in ("王", "小明", "345-67", "91234567", "0007-432", "3,250", "示範分期"):
        assert personal not in written


def test_a_folder_with_todays_files_changes_nothing_and_says_so(tmp_path: Path, run: Run) -> None:
    folder = policy(tmp_path, DEMO_TW)
    status, out, _ = run(folder)
    assert status == 0
    assert f"{folder} CHANGES NOTHING: each file in it is as today's." in out
    assert lines(tmp_path, "today") == lines(tmp_path, "changed")
    assert "There is nothing to try" in out


def test_a_change_that_concerns_nobody_says_so_too(tmp_path: Path, run: Run) -> None:
    _, out, _ = run(policy(tmp_path, DEMO_TW.replace('"0800-000-123"', '"0800-000-123" # a remark')))
    assert "CHANGES NOTHING for these customers in these days. Its files that differ:\n    lenders/demo-tw.toml" in out


def test_texts_alone_may_be_changed_and_other_lenders_stay(tmp_path: Path, run: Run) -> None:
    text = (files("dunning.policy") / "data" / "texts" / "zh-Hant.toml").read_text("utf-8")
    changed = text.replace("version = 3", "version = 4")
    assert changed != text
    status, _, err = run(policy(tmp_path, changed, "texts/zh-Hant.toml"))
    assert (status, err) == (0, "")
    found = result(tmp_path)
    assert found.moved == 0 < found.differing
    assert found.next_texts == {"other_words": 3}


def test_the_changed_policy_is_laid_over_the_users_own(tmp_path: Path, run: Run) -> None:
    own = tmp_path / "own"
    (own / "lenders").mkdir(parents=True)
    (own / "lenders" / "demo-tw.toml").write_text(LATER, "utf-8")
    status, out, _ = run(policy(tmp_path, LATER), "--policies", str(own))
    assert status == 0
    assert "CHANGES NOTHING" in out
    assert min(result(tmp_path).today.by_hour) >= 14


def test_whoever_pays_pays_the_same_under_both_policies(tmp_path: Path, run: Run) -> None:
    folder = policy(tmp_path, LATER)
    texts = {}
    table = tmp_path / "hazards.csv"
    table.write_text("group,day,share\nall,0,1\noverdue,12,1\n", "utf-8")
    for payments in ("nobody", "file", "records", str(table)):
        status, out, err = run(folder, "--payments", payments)
        assert (status, err) == (0, ""), err
        texts[payments] = result(tmp_path).today.texts, result(tmp_path).changed.texts
        assert "Payments: " in out
    assert texts["file"] < texts["nobody"]
    assert texts[str(table)] < texts["nobody"]
    assert all(today == changed for today, changed in texts.values())


def test_the_result_does_not_depend_on_the_number_of_processes(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.local.what_if._SLICE", 1)
    folder = policy(tmp_path, LATER)
    run(folder)
    alone = {name: (tmp_path / "out" / name).read_text("utf-8") for name in FILES.values()}
    run(folder, "--jobs", "2")
    assert {name: (tmp_path / "out" / name).read_text("utf-8") for name in FILES.values()} == alone


def test_only_where_all_that_differs_is_lenders_own_the_others_are_known_to_be_as_today() -> None:
    assert lenders_changed(["lenders/a.toml", "lenders/b/texts/en.toml"]) == frozenset({"a", "b"})
    assert lenders_changed(["lenders/a.toml", "texts/en.toml"]) is None
    assert lenders_changed([]) is None


def test_examples_show_both_traces_from_the_first_difference_on(tmp_path: Path, run: Run) -> None:
    _, out, _ = run(policy(tmp_path, DEMO_TW.replace("ladder = [-3, 0, 3,", "ladder = [-3, 0,")))
    (example, *_) = result(tmp_path).examples
    first = example.today.decisions[0], example.changed.decisions[0]
    assert first[0] != first[1]
    assert all(decision.trace for decision in first)
    assert "fewer texts" in out
    assert f"1. {example.customer_id}: " in out
    assert "| stage: " in out


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--days", "0"], "DAYS=0 is not a"),
        (["--days", "x"], "DAYS=x is not a"),
        (["--start", "yesterday"], "START=yesterday is not a date such as 2026-12-01"),
        (["--accounts", "none.csv"], "ACCOUNTS=none.csv: No such file or directory"),
        (["--lender", "nobody"], "LENDER=nobody: there is no such lender"),
        (["--payments", "none.csv"], "PAYMENTS=none.csv: No such file or directory"),
        (["--seed", "-1"], "SEED=-1 is not a whole number"),
        (["--policies", "none"], "POLICIES=none: there is no such folder"),
        (["--stack", "s"], "STACK= and ACCOUNTS= do not go together: take one out"),
        (["--keep"], "KEEP=1 needs STACK=; for the console of this machine use make console WHATIF=folder"),
        (["--keep", "--stack", "s"], "KEEP=1 needs WHO=: say who keeps it, as in WHO=mei.chen"),
    ],
)
def test_what_cannot_be_is_refused_with_the_variable_and_the_fix(
    tmp_path: Path, run: Run, more: list[str], says: str
) -> None:
    status, out, err = run(policy(tmp_path, LATER), *more)
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("day,share\n", ":1: the first line has to be group,day,share"),
        ("group,day,share\nall,1\n", ":2: 2 cells; give group, day and share"),
        ("group,day,share\nmen,1,0.1\n", ":2: group: 'men' is none; use all, current or overdue"),
        ("group,day,share\n\nall,soon,0.1\n", ":3: day: 'soon' is no day from -365 to 365; use days past due"),
        ("group,day,share\nall,--5,0.1\n", ":2: day: '--5' is no day"),
        ("group,day,share\nall,1,1.5\n", ":2: share: '1.5' is no share; use a number from 0 to 1"),
        ("group,day,share\nall,1,nan\n", ":2: share: 'nan' is no share"),
        ("group,day,share\nall,1,0.1\nall,1,0.2\n", ":3: day: 1 stands twice for all; take a line out"),
    ],
)
def test_a_table_of_payments_is_refused_with_line_field_and_fix(
    tmp_path: Path, run: Run, table: str, says: str
) -> None:
    file = tmp_path / "hazards.csv"
    file.write_text(table, "utf-8")
    status, _, err = run(policy(tmp_path, LATER), "--payments", str(file))
    assert status == 2
    assert f"PAYMENTS={file}{says}" in err


def test_a_policy_that_is_not_there_or_no_policy_is_refused(tmp_path: Path, run: Run) -> None:
    assert run(tmp_path / "none")[::2] == (2, f"POLICY={tmp_path / 'none'}: there is no such folder\n")
    assert run("")[2].startswith("POLICY= is missing: name a folder with changed files")
    stray = policy(tmp_path, LATER, "lender/demo-tw.toml")
    assert run(stray)[::2] == (
        2,
        f"POLICY={stray}: lender/demo-tw.toml is in no folder of policies; use lenders/, texts/ and the like\n",
    )


def test_a_policy_that_the_loader_refuses_is_refused_with_file_line_field_and_reason(tmp_path: Path, run: Run) -> None:
    status, _, err = run(policy(tmp_path, LATER.replace('"14:00"', '"25:00"')))
    assert status == 1
    assert re.match(r"Refused: lenders/demo-tw.toml:\d+: preferred_hour: ", err)


def test_a_file_of_which_nothing_can_be_loaded_is_refused(tmp_path: Path, run: Run, accounts: Path) -> None:
    accounts.write_text("a,b\n1,2\n", "utf-8")
    status, _, err = run(policy(tmp_path, LATER))
    assert status == 2
    assert err.startswith("ACCOUNTS=accounts.csv: nothing was loaded: ")


def test_the_sample_is_played_if_no_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--policy", str(policy(tmp_path, LATER)), "--out", str(tmp_path / "out"), "--days", "2"]
    assert main(given) == 0
    assert "290 customers of accounts.csv" in capsys.readouterr().out


def test_the_stored_result_has_a_schema(tmp_path: Path, run: Run) -> None:
    run(policy(tmp_path, LATER))
    written = json.loads((tmp_path / "out" / FILES["result"]).read_text("utf-8"))
    schema = json.loads((Path(__file__).parents[3] / "events" / "schemas" / "what_if.json").read_text("utf-8"))
    assert written.keys() == schema["properties"].keys() == set(schema["required"]) | {"schema_version"}


TRIAL = """
[[trials]]
id = "quiet"
layer = "holdout"
arms = { text = 0.5, silence = 0.5 }
stages = [-3, 0, 3, 7]
places = ["TW"]
goal_days = 14
starts_on = 2026-11-01
ends_on = 2027-04-30
salt = "5a5a5a5a"
approved_by = "Mei Chen, compliance"
approved_on = 2026-10-28
"""


def test_a_holdout_is_played_and_its_stages_are_counted_as_left_out(run: Run, tmp_path: Path) -> None:
    assert run(policy(tmp_path, DEMO_TW + TRIAL))[0] == 0
    found = result(tmp_path)
    assert "held_out" not in found.today.waits
    left_out = found.changed.waits.get("held_out", 0)
    assert left_out > 0
    assert found.changed.texts == found.today.texts - left_out


def test_a_change_of_a_running_trial_is_refused_by_file_field_and_fix(run: Run, tmp_path: Path) -> None:
    today = policy(tmp_path, DEMO_TW + TRIAL)
    today.rename(tmp_path / "today")
    changed = policy(tmp_path, DEMO_TW + TRIAL.replace("goal_days = 14", "goal_days = 7"))
    status, _, err = run(changed, "--policies", str(tmp_path / "today"))
    assert status == 1
    assert "lenders/demo-tw.toml:" in err
    assert "trials.0.goal_days: the trial is running; end it, and begin another with a new id and salt" in err
