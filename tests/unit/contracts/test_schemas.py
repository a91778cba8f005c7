"""The schemas beside the events: what the contracts say, and what the samples and examples keep to."""

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from dunning.contracts.erasure_round import parse_lender_message
from dunning.contracts.lender_event import EVENTS, ReceivedEvent
from dunning.contracts.outbound_event import DETAILS, bus_entries
from dunning.domain.outbound_events import (
    CustomerNeedsPerson,
    FileLoaded,
    NumberUnreachable,
    OutboundEvent,
    PromiseBroken,
    ReminderSent,
    ReminderStopped,
    ReplyNotUnderstood,
    ReviewReason,
)
from tests.devtools import schemas
from tests.local import ROOT
from tests.support.people import NOW

SAMPLES = sorted((ROOT / "events").glob("lender_events/*.json"))
AT = datetime(2026, 12, 1, 2, 0, 3, 123456, tzinfo=UTC)
OUT: list[OutboundEvent] = [
    ReminderSent(customer_id="C1", at=AT, send_id="s1", stage=-3, account_ids=("A1", "A2"), channel="sms"),
    ReminderStopped("C1", AT, "nothing_open"),
    CustomerNeedsPerson("C1", AT, ReviewReason.HARDSHIP, "r1"),
    ReplyNotUnderstood("C1", AT, "r1"),
    NumberUnreachable("C1", AT, "permanent_failure"),
    PromiseBroken(customer_id="C1", at=AT, account_id="A1", number=1, promised_on=date(2026, 11, 30)),
    FileLoaded(
        file_id="0" * 32, at=AT, uploaded_at=AT, refused="", rows=3, rows_refused=1, customers_loaded=1,
        customers_unchanged=0, customers_refused=1, customers_older=0, customers_erased=0, customers_not_in_list=0,
        phones_shared=0, parts=2, seconds=1.5, has_rejects=True, rejects_key="rejects/a.csv",
    ),
]  # fmt: skip


def validator(kind: str) -> Draft202012Validator:
    """Return what judges by a schema's file."""
    (file,) = schemas.FOLDER.glob(f"*/{kind}.json")
    schema = json.loads(file.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def details(sample: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of a sample: kind and detail."""
    bodies = [json.loads(record["body"]) for record in json.loads(sample.read_text("utf-8"))["Records"]]
    return [(body["detail-type"], body["detail"]) for body in bodies]


def test_no_schema_is_stale(capsys: pytest.CaptureFixture[str]) -> None:
    assert schemas.main(["--check"]) == 0, capsys.readouterr().out


def test_a_schema_that_is_stale_missing_or_nobodys_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "schemas"
    shutil.copytree(schemas.FOLDER, folder)
    (folder / "in" / "CustomerErased.json").write_text("{}", "utf-8")
    (folder / "in" / "AccountClosed.json").unlink()
    (folder / "out" / "Nobodys.json").write_text("{}", "utf-8")
    assert schemas.differing(folder) == ["in/AccountClosed.json", "in/CustomerErased.json", "out/Nobodys.json"]
    monkeypatch.setattr(schemas, "differing", lambda: ["AccountClosed.json"])
    assert schemas.main(["--check"]) == 1
    monkeypatch.undo()
    schemas.write_all(folder)
    assert schemas.differing(folder) == []


@pytest.mark.parametrize("kind", [*EVENTS, *DETAILS])
def test_a_schema_says_what_it_is_about_and_keeps_to_its_own_examples(kind: str) -> None:
    judge = validator(kind)
    assert judge.schema["title"] == kind
    assert judge.schema["description"]
    examples = judge.schema["examples"]
    assert examples
    for example in examples:
        judge.validate(example)


@pytest.mark.parametrize("kind", EVENTS)
def test_the_example_of_a_schema_is_one_we_read(kind: str) -> None:
    for example in validator(kind).schema["examples"]:
        assert isinstance(
            parse_lender_message(json.dumps({"detail-type": kind, "detail": example}), NOW), ReceivedEvent
        )


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_sample_keeps_to_the_schema_of_its_kind(sample: Path) -> None:
    for kind, detail in details(sample):
        validator(kind).validate(detail)
        assert not validator(kind).is_valid(detail | {"phone": "+886900000001"})


def test_there_is_a_sample_of_each_kind() -> None:
    assert {kind for sample in SAMPLES for kind, _ in details(sample)} == EVENTS.keys()


@pytest.mark.parametrize("outbound", OUT, ids=lambda outbound: type(outbound).__name__)
def test_every_event_we_publish_keeps_to_the_schema_of_its_kind(outbound: OutboundEvent) -> None:
    (event,) = bus_entries([outbound], 256 * 1024)
    validator(event.detail_type).validate(json.loads(event.detail))
    assert event.detail_type == type(outbound).__name__
    assert '"schema_version":1' in event.detail


def test_every_outbound_event_has_a_contract() -> None:
    assert (
        {type(event).__name__ for event in OUT}
        == DETAILS.keys()
        == {member.__name__ for member in OutboundEvent.__value__.__args__}
    )


def test_reminders_share_an_event_and_as_many_as_hold_them() -> None:
    reminders = [
        ReminderSent(customer_id=f"C{number}", at=AT, send_id="s" * 32, stage=0, account_ids=("A1",), channel="sms")
        for number in range(100)
    ]
    (all_of_them,) = bus_entries(reminders, 256 * 1024)
    assert all_of_them.events == 100
    several = list(bus_entries(reminders, 4_000))
    assert max(event.size for event in several) <= 4_000
    assert sum(event.events for event in several) == 100
    customer_ids = [reminder["customer_id"] for event in several for reminder in json.loads(event.detail)["reminders"]]
    assert customer_ids == [f"C{number}" for number in range(100)]
