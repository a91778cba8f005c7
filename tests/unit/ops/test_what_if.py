"""A what-if over the customers of a stack: read as they stand now, played, and left as they are."""

from importlib.resources import files
from pathlib import Path

import pytest

from dunning.contracts.what_if_result import WhatIfResult
from tests.local.what_if import FILES, main
from tests.support.damage import write_attribute
from tests.support.fakes import FakeClock
from tests.support.people import NOW
from tests.unit.ops.conftest import STACK, Deployed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = (files("dunning.policy") / "data" / "lenders" / "demo-tw.toml").read_text("utf-8")
    (tmp_path / "policy" / "lenders").mkdir(parents=True)
    file = tmp_path / "policy" / "lenders" / "demo-tw.toml"
    file.write_text(text.replace('preferred_hour = "10:00"', 'preferred_hour = "14:00"'), "utf-8")
    return tmp_path / "policy"


def test_the_customers_of_a_stack_are_played_from_now_on_and_stay_as_they_are(
    stack: Deployed, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = list(stack.cloud.items(stack.cloud.stack.customers_table))
    write_attribute(stack.cloud, "C0002", "standing", ledger={"S": "?"})
    given = ["--policy", str(folder), "--stack", STACK, "--out", str(tmp_path / "out")]
    assert main(given, FakeClock(NOW)) == 0
    assert "1 customers of stack" in capsys.readouterr().out
    found = WhatIfResult.model_validate_json((tmp_path / "out" / FILES["result"]).read_text("utf-8"))
    assert (found.customers, found.moved, found.begin) == (1, 1, NOW)
    after = list(stack.cloud.items(stack.cloud.stack.customers_table))
    assert [item["customer_id"] for item in after] == [item["customer_id"] for item in before]
    assert [item for item in after if item["customer_id"]["S"] == "C0001"] == [
        item for item in before if item["customer_id"]["S"] == "C0001"
    ]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--payments", "file"], "PAYMENTS=file needs ACCOUNTS=; with STACK= give a table, or use nobody"),
        (["--start", "2026-12-01"], "STACK= and START= do not go together: take one out"),
    ],
)
def test_what_a_stack_does_not_know_is_refused(
    stack: Deployed, folder: Path, more: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    del stack
    assert main(["--policy", str(folder), "--stack", STACK, *more], FakeClock(NOW)) == 2
    assert says in capsys.readouterr().err


def test_without_such_a_stack_it_says_so(stack: Deployed, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del stack
    assert main(["--policy", str(folder), "--stack", "no-such-stack"], FakeClock(NOW)) == 2
    assert "no-such-stack" in capsys.readouterr().err
