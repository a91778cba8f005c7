"""What holds for trials reaches those who draw: by one read a batch at most, and by none without trials."""

import ast
import io
from collections.abc import Iterator
from datetime import date
from unittest.mock import patch

import boto3
import pytest

from dunning import compiled_policies, wiring
from dunning.adapters.dynamodb.trial_control_table import DynamoTrialControls
from dunning.domain.decision.decisions import Reason
from dunning.domain.decision.rules import Rules
from dunning.domain.effect.draws import SILENCE, TEXTED, Layer
from dunning.domain.effect.trial_control import TrialControl
from dunning.policy import PolicyBook
from dunning.policy.trial_files import TrialFile
from tests.integration.conftest import House, batch, job_for
from tests.local import ROOT
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import error, watched
from tests.support.builders import the_policies
from tests.support.fakes import FakeTelemetry
from tests.support.lender_files import CHEN, WANG, csv_of, row
from tests.support.people import NOW, someone

pytestmark = pytest.mark.slow(reason="drives the real handlers on moto, with tables and queues made for each test")

LENDER = "demo-tw"


def book_with_a_trial() -> PolicyBook:
    """Return the policies in which the lender holds out a customer in twenty."""
    trial = TrialFile(
        id="quiet",
        layer=Layer.HOLDOUT,
        arms={TEXTED: 0.95, SILENCE: 0.05},
        stages=(-3, 0, 3, 7),
        places=("TW",),
        goal_days=14,
        starts_on=date(2026, 11, 1),
        ends_on=date(2027, 4, 30),
        salt="a salt of its own",
        approved_by="compliance",
        approved_on=date(2026, 10, 30),
    )
    book = the_policies()
    lender = book.lenders[LENDER]
    changed = lender._replace(policy=lender.policy.model_copy(update={"trials": (trial,)}))
    return book.with_lenders({**book.lenders, LENDER: changed})


@pytest.fixture
def trial_house() -> Iterator[House]:
    """Hand out a stack whose lender tries something out."""
    book = book_with_a_trial()
    wiring.policy_book.cache_clear()
    telemetry, log = FakeTelemetry(), io.StringIO()
    with (
        patch.object(compiled_policies, "policies", lambda: book),
        LocalCloud(NOW, listener=telemetry, log=log) as cloud,
        watched() as requests,
    ):
        yield House(cloud, requests, telemetry, log)
    wiring.policy_book.cache_clear()


def reads(house: House) -> list[object]:
    tally = house.cloud.stack.tally_table
    return [call["Key"] for call in house.requests.of("dynamodb.GetItem") if call["TableName"] == tally]


def test_a_batch_of_reminders_reads_it_once(trial_house: House) -> None:
    people = [someone(number) for number in range(25)]
    trial_house.add(*people)
    trial_house.requests.clear()
    trial_house.send(batch(*map(job_for, people)))
    assert len(trial_house.contacts()) == len(people)
    assert reads(trial_house) == [{"tally": {"S": "control"}, "part": {"S": LENDER}}]
    assert trial_house.requests.sent["dynamodb.GetItem"] == 1


def test_without_trials_nothing_is_read(house: House) -> None:
    house.add(someone(1))
    house.send(batch(job_for(someone(1))))
    assert reads(house) == []
    assert isinstance(wiring._policies_to_decide_by(boto3.client("dynamodb"), "tally"), PolicyBook)  # noqa: SLF001


def test_whoever_loads_a_file_plans_by_it(trial_house: House) -> None:
    trial_house.requests.clear()
    trial_house.cloud.upload("accounts/file.csv", csv_of([WANG, row(CHEN)]).encode())
    assert len(reads(trial_house)) == 1


def test_what_a_night_publishes_is_in_the_rules_and_what_cannot_be_read_is_told(trial_house: House) -> None:
    table = trial_house.cloud.stack.tally_table
    client = boto3.client("dynamodb")
    control = TrialControl(lender=LENDER, version=1, stopped=frozenset({"quiet"}))
    assert DynamoTrialControls(client, table).publish(control, expected_version=0)
    facts = someone(1)

    def found() -> TrialControl | None:
        rules: Rules | Reason = wiring._policies_to_decide_by(client, table).rules_for(facts, NOW)  # noqa: SLF001
        assert isinstance(rules, Rules)
        return rules.trial_control

    assert found() == control
    trial_house.requests.answer("dynamodb.GetItem", error("AccessDeniedException"))
    assert found() is None
    assert trial_house.telemetry.counts["TrialControlUnreadable"] == 1


def test_where_no_table_is_named_nothing_is_left_to_chance(trial_house: House) -> None:
    del trial_house
    rules = wiring._policies_to_decide_by(boto3.client("dynamodb"), "").rules_for(someone(1), NOW)  # noqa: SLF001
    assert isinstance(rules, Rules)
    assert rules.trial_control is None


_DECIDES_NOTHING = {"TrialNightService"}
"""Who asks policies where somebody lives, and for nothing that a trial changes."""


def test_no_service_decides_by_the_policies_alone() -> None:
    """Rules without the control would draw arms that are paused."""
    tree = ast.parse((ROOT / "layers/dunning/python/dunning/wiring.py").read_text("utf-8"))
    controlled = {"_policies_to_decide_by"}
    given = [
        keyword.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) not in _DECIDES_NOTHING
        for keyword in call.keywords
        if keyword.arg == "policies"
    ] + [
        call.args[2]
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "WholeLists"
    ]
    assert len(given) >= 11
    assigned = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _called(node.value) in controlled
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert not [
        ast.unparse(value)
        for value in given
        if _called(value) not in controlled and not (isinstance(value, ast.Name) and value.id in assigned)
    ]


def _called(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
