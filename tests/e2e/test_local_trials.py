"""A run under a lender with a trial: chance leaves texts out, the nights count, and both reports say what is known."""

import io
import json
from contextlib import redirect_stdout
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.local import ROOT
from tests.local.command import main
from tests.local.results import FILES
from tests.support.lender_files import csv_of, row

pytestmark = pytest.mark.slow(reason="plays two weeks of a lender with a trial on the embedded AWS")

START, DAYS, PEOPLE = date(2026, 12, 1), 14, 24
TRIAL = """
[[trials]]
id = "quiet"
layer = "holdout"
arms = { text = 0.6, silence = 0.4 }
stages = [-3, 0]
places = ["TW"]
goal_days = 5
starts_on = 2026-12-01
ends_on = 2027-03-31
salt = "a salt for the test"
approved_by = "compliance"
approved_on = 2026-11-30
"""


class Played:
    """What `make run` has printed, and written."""

    def __init__(self, folder: Path) -> None:
        accounts, policies, self.out = folder / "accounts.csv", folder / "policies", folder / "out"
        rows = [
            row(
                customer_id=f"C{number:04}",
                account_id=f"A{number:04}",
                phone=f"09{number:08}",
                due_on=(START + timedelta(days=4)).isoformat(),
                paid_on=(START + timedelta(days=6)).isoformat() if number % 3 else "",
            )
            for number in range(1, PEOPLE + 1)
        ]
        accounts.write_text(csv_of(rows), "utf-8")
        own = ROOT / "layers/dunning/python/dunning/policy/data/lenders/demo-tw.toml"
        (policies / "lenders").mkdir(parents=True)
        (policies / "lenders" / own.name).write_text(own.read_text("utf-8") + TRIAL, "utf-8")
        asked = ["--accounts", accounts, "--policies", policies, "--start", START, "--days", DAYS, "--out", self.out]
        printed = io.StringIO()
        with redirect_stdout(printed):
            self.status = main([str(each) for each in asked])
        self.printed = printed.getvalue()
        self.page = (self.out / FILES["page"]).read_text("utf-8")

    def lines(self, what: str) -> list[dict[str, Any]]:
        """Return the lines of a file."""
        return [json.loads(line) for line in (self.out / FILES[what]).read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("run"))


def test_who_is_held_out_gets_no_text_at_the_stages_of_the_trial(played: Played) -> None:
    assert played.status == 0
    silent = {line["customer_id"] for line in played.lines("contacts") if line["state"] == "held_out"}
    assert 0 < len(silent) < PEOPLE
    texted = {line["customer_id"] for line in played.lines("sent") if line["stage"] in {-3, 0}}
    assert texted
    assert not silent & texted


def test_the_report_and_the_page_say_what_the_last_night_knows(played: Played) -> None:
    part = played.printed.partition("TRIALS: what the texts have caused")[2].partition("REPLIES")[0]
    assert "QUIET: holdout in TW, 2026-12-01 to 2027-03-31" in part
    assert f"TOO FEW to say: {PEOPLE} customers took part" in " ".join(part.split())
    assert "Signs that the trial is broken, or does harm: none." in part
    assert '<h2 id="trials">' in played.page
    assert '<a href="#trials">Trials</a>' in played.page
    assert "There was no control group" not in played.page


def test_the_nights_count_the_cures_that_the_payments_of_the_file_made(played: Played) -> None:
    arms = {
        line["customer_id"]: line["draws"].partition(".")[2].partition(":")[0]
        for line in played.lines("contacts")
        if line["stage"] == -3
    }
    assert len(arms) == PEOPLE
    paid = {arm: [who for who in arms if arms[who] == arm and int(who[1:]) % 3] for arm in ("text", "silence")}
    rates = {arm: len(paid[arm]) / [*arms.values()].count(arm) for arm in paid}
    words = " ".join(played.printed.split())
    assert f"with texts {rates['text'] * 100:.1f} % paid within 5 days" in words
    assert f"without text {rates['silence'] * 100:.1f} %" in words


def test_a_text_that_was_left_out_is_not_the_text_before_a_payment(played: Played) -> None:
    silent = {line["customer_id"] for line in played.lines("contacts") if line["state"] == "held_out"}
    summary = json.loads((played.out / FILES["summary"]).read_text("utf-8"))
    paid = [number for number in range(1, PEOPLE + 1) if number % 3]
    assert summary["payments"]["total"] == len(paid)
    assert summary["payments"]["after_stage"]["none"] == sum(f"C{number:04}" in silent for number in paid)
