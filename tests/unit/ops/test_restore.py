"""`make restore` on a stack: a new table beside the old one, protected like it, and customers back from there."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from dunning.domain.customer.standing import Wake
from dunning.ports.customers import Customer
from ops.restore import customers_in, main, overrides
from tests.support.builders import store_facts
from tests.support.fakes import FakeClock
from tests.support.people import NOW, paid_up, someone, texted
from tests.unit.ops.conftest import STACK, Deployed


@pytest.fixture
def recoverable(stack: Deployed) -> Deployed:
    boto3.client("dynamodb").update_continuous_backups(
        TableName=stack.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    return stack


def _restored() -> str:
    (name,) = [name for name in boto3.client("dynamodb").list_tables()["TableNames"] if "-restored-" in name]
    return name


def _described(name: str) -> Any:  # noqa: ANN401 - JSON
    return boto3.client("dynamodb").describe_table(TableName=name)["Table"]


def test_a_look_tells_the_window_and_restores_nothing(
    recoverable: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--stack", STACK]) == 0
    out = capsys.readouterr().out
    assert recoverable.table in out
    assert "can be restored to any second from" in out
    assert "Nothing was changed" in out
    assert not [name for name in boto3.client("dynamodb").list_tables()["TableNames"] if "-restored-" in name]


def test_a_table_is_restored_beside_the_one_in_use_and_protected_like_it(recoverable: Deployed) -> None:
    assert main(["--stack", STACK, "--apply"], FakeClock()) == 0
    name = _restored()
    assert _described(name)["DeletionProtectionEnabled"] is True
    assert {index["IndexName"] for index in _described(name)["GlobalSecondaryIndexes"]} == {"due", "attention"}
    backups = boto3.client("dynamodb").describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert sorted(customers_in(boto3.client("dynamodb"), name)) == ["C0001", "C0002"]
    assert len(recoverable.items(recoverable.table, "C0001")) == 2


def test_the_new_table_is_encrypted_with_the_same_key_and_paid_for_in_the_same_way() -> None:
    # The emulation does not describe a table's key.
    key = "arn:aws:kms:ap-northeast-1:123456789012:key/1"
    in_use = {
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key},
    }
    assert overrides(in_use, NOW) == {
        "RestoreDateTime": NOW,
        "BillingModeOverride": "PAY_PER_REQUEST",
        "SSESpecificationOverride": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
    }
    assert overrides({}, None) == {"UseLatestRestorableTime": True}


def test_a_table_without_recovery_and_a_moment_outside_the_window_are_refused(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    client = boto3.client("dynamodb")
    client.update_continuous_backups(
        TableName=stack.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    assert main(["--stack", STACK]) == 2
    assert "recovery is off" in capsys.readouterr().err
    client.update_continuous_backups(
        TableName=stack.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    assert main(["--stack", STACK, "--at", "2001-01-01T00:00:00Z"]) == 2
    assert "outside of that" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--stack", STACK, "--at", "2026-12-01T02:00:00"])


def test_customers_come_back_and_keep_what_was_sent_since(
    recoverable: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--stack", STACK, "--apply"], FakeClock(NOW)) == 0
    store = recoverable.customers
    # A bad file says that all is paid, and a text has been sent since.
    store_facts(store, paid_up(someone(1)))
    before = store.load(["C0001"])["C0001"]
    assert isinstance(before, Customer)
    assert before.standing
    sent = replace(before.standing, version=2, wake=None, ledger=(texted(someone(1), NOW),))
    store.save_standing(sent, expected_version=1)

    later = NOW + timedelta(hours=1)
    arguments = ["--stack", STACK, "--from", _restored()]
    assert main(arguments, FakeClock(later)) == 0
    assert "Nothing was changed" in capsys.readouterr().out
    assert store.load(["C0001"])["C0001"] == Customer(paid_up(someone(1)), sent)

    assert main([*arguments, "--apply"], FakeClock(later)) == 0
    out = capsys.readouterr().out
    assert "1 facts brought back, standing kept" in out
    assert "1 already as in the backup" in out
    after = store.load(["C0001"])["C0001"]
    assert isinstance(after, Customer)
    assert after.facts == someone(1, as_of=later, paid_as_of=later)
    assert after.standing
    assert after.standing.ledger == sent.ledger
    # In a shard the scanner looks at.
    assert [due.customer_id for due in store.due(later, 10) if due.wake == Wake(later, 9)] == ["C0001"]


def test_only_some_customers_come_back_if_they_are_named(recoverable: Deployed) -> None:
    assert main(["--stack", STACK, "--apply"], FakeClock(NOW)) == 0
    for number in (1, 2):
        store_facts(recoverable.customers, paid_up(someone(number)))
    assert main(["--stack", STACK, "--from", _restored(), "--apply", "C0002"], FakeClock(NOW)) == 0
    found = recoverable.customers.load(["C0001", "C0002"])
    assert found["C0001"].facts == paid_up(someone(1))  # type: ignore[union-attr]
    assert found["C0002"].facts == someone(2, as_of=NOW, paid_as_of=NOW)  # type: ignore[union-attr]


def test_audit_records_are_restored_to_be_read_not_brought_back(
    recoverable: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    table = recoverable.cloud.stack.contacts_table
    boto3.client("dynamodb").update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    boto3.client("dynamodb").update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    assert main(["--stack", STACK, "--table", "contacts", "--apply"], FakeClock()) == 0
    expiry = boto3.client("dynamodb").describe_time_to_live(TableName=_restored())["TimeToLiveDescription"]
    assert expiry["AttributeName"] == "expires_at"
    assert main(["--stack", STACK, "--table", "contacts", "--from", _restored(), "--apply"]) == 2
    assert "audit records" in capsys.readouterr().err
