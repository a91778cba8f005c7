"""`make customer`: a look is written down, then everything that is kept is shown and written, for its owner alone."""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto.logs.models import logs_backends

from dunning.adapters.dynamodb.items import contact_item, lender_record_item, reply_item, standing_item
from dunning.domain.customer.lender_record import erase_record
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.policy import load_policies
from dunning.ports.customers import StoredCustomer
from ops.customer import main, zone_of
from ops.decision_logs import DECIDING
from ops.looks import PURPOSES
from tests.support.builders import IN_THE_UNITED_STATES, a_lender_record
from tests.support.fakes import FakeClock
from tests.support.people import NOW, someone, waking
from tests.unit.ops.conftest import LOOKS, STACK, Deployed
from tests.unit.ops.test_timeline import a_contact, a_reply

WHO, WHY = "mei.chen@example.com", "complaint 2026-117"
ASKED = ("--who", WHO, "--why", WHY)
DECIDED = {
    "at": "2026-12-01T02:00:00Z", "customer_id": "C0001", "decision": "wait", "reason": "on_hold", "stage": 0,
    "until": "2026-12-04T01:00:00Z", "trace": ["hold: hardship"],
}  # fmt: skip


# ------------------------------------------------------------------ a local run


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """What a run has left."""
    run = {"run": {"start": "2026-11-16", "last_day": "2026-12-30"}}
    (tmp_path / "summary.json").write_text(json.dumps(run), "utf-8")
    facts, erased = someone(1), someone(2)
    tombstone = erase_record(a_lender_record(erased), NOW)
    write(
        tmp_path,
        "stored",
        lender_record_item(a_lender_record(facts)),
        standing_item(waking(facts), 4),
        contact_item(a_contact()),
        reply_item(a_reply("想分期")),
        lender_record_item(tombstone),
        contact_item(a_contact(customer_id="C0002", text="", phone="", response="", erased_at=NOW)),
    )
    write(tmp_path, "decisions", *[DECIDED] * 25, {**DECIDED, "customer_id": "C0002"})
    write(tmp_path, "customers", {"customer_id": "C0001", "time_zone": "Asia/Taipei"})
    return tmp_path


def write(folder: Path, what: str, *lines: object) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (folder / f"{what}.jsonl").write_text(text, "utf-8")


def document(out: Path, customer_id: str = "C0001") -> dict[str, Any]:
    written: dict[str, Any] = json.loads((out / f"customer-{customer_id}.json").read_text("utf-8"))
    return written


def kinds(out: Path) -> list[str]:
    return [entry["kind"] for entry in document(out)["entries"]]


def test_the_timeline_of_a_local_run_is_printed_and_written_as_json_and_as_a_page(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(out), "C0001"], FakeClock()) == 0
    printed = capsys.readouterr().out
    assert "C0001: the local run in" in printed
    assert "name            王小明" in printed
    assert "| 想分期" in printed
    assert printed.endswith(f"  {out}/customer-C0001.json\n  {out}/customer-C0001.html\n\n")
    assert kinds(out).count("decision") == 25, "none is left out"
    assert {"fact", "reply", "text", "receipt"} <= set(kinds(out))
    assert document(out)["time_zone"] == "Asia/Taipei"
    assert "想分期" in (out / "customer-C0001.html").read_text("utf-8")


def test_files_are_for_their_owner_alone_also_if_there_were_others_before(out: Path) -> None:
    (out / "customer-C0001.json").write_text("{}", "utf-8")
    (out / "customer-C0001.json").chmod(0o644)
    assert main(["--out", str(out), "C0001"], FakeClock()) == 0
    for name in ("customer-C0001.json", "customer-C0001.html", "looks.jsonl"):
        assert stat.S_IMODE((out / name).stat().st_mode) == 0o600


def test_a_look_at_a_local_run_is_written_down_too(out: Path) -> None:
    with patch("getpass.getuser", return_value="mei"):
        assert main(["--out", str(out), "C0001", "C0002"], FakeClock()) == 0
    assert main(["--out", str(out), *ASKED, "C0001"], FakeClock()) == 0
    looks = [json.loads(line) for line in (out / "looks.jsonl").read_text("utf-8").splitlines()]
    assert [(look["customer_id"], look["who"], look["why"]) for look in looks] == [
        ("C0001", "mei", "local run"),
        ("C0002", "mei", "local run"),
        ("C0001", WHO, WHY),
    ]
    with patch("getpass.getuser", side_effect=KeyError):
        assert main(["--out", str(out), "C0001"], FakeClock()) == 0


def test_if_the_look_cannot_be_written_down_nothing_is_shown(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (out / "looks.jsonl").mkdir()
    assert main(["--out", str(out), "C0001"], FakeClock()) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert "looks.jsonl cannot be written" in printed.err
    assert not list(out.glob("customer-*"))


def test_an_erased_customer_is_shown_with_what_is_left(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(out), "C0002"], FakeClock()) == 0
    printed = capsys.readouterr().out
    assert "The customer was erased at 2026-12-01 02:00." in printed
    assert "times are those of UTC" in printed
    assert "王" not in printed


@pytest.mark.parametrize(
    ("customer_id", "says"),
    [
        ("C001", "has no such customer; did you mean C0001"),
        ("nobody", "has no such customer\n"),
        ("王小明", "CUSTOMER: 1 of the arguments are no customer ids\n"),
    ],
)
def test_who_is_not_there_is_said_in_one_line(
    customer_id: str, says: str, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(out), customer_id], FakeClock()) == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.err.count("\n") == 1
    assert not printed.out


def test_without_a_run_a_run_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path), "C0001"], FakeClock()) == 2
    assert capsys.readouterr().err == f"OUT={tmp_path}: no run has left its results there yet: make run\n"


def test_what_an_earlier_version_has_left_or_what_is_spoilt_is_played_again(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (out / "decisions.jsonl").write_text("{", "utf-8")
    assert main(["--out", str(out), "C0001"], FakeClock()) == 2
    assert "decisions.jsonl cannot be read: play it again with make run" in capsys.readouterr().err
    (out / "stored.jsonl").unlink()
    assert main(["--out", str(out), "C0001"], FakeClock()) == 2
    assert "has left no stored.jsonl: play it again with make run" in capsys.readouterr().err
    (out / "summary.json").write_text("[]", "utf-8")
    assert main(["--out", str(out), "C0001"], FakeClock()) == 2
    assert "summary.json there is not of a run" in capsys.readouterr().err


# ------------------------------------------------------------------ a deployed stack


@pytest.fixture
def evident(stack: Deployed) -> Iterator[Deployed]:
    """The stack with its log groups, made a hundred days ago, and a decision of each function."""
    logs = boto3.client("logs")
    with patch("moto.logs.models.utcnow", lambda: (NOW - timedelta(days=100)).replace(tzinfo=None)):
        for name in (*DECIDING, "looks"):
            logs.create_log_group(logGroupName=f"/{STACK}/{name}")
            logs.put_retention_policy(logGroupName=f"/{STACK}/{name}", retentionInDays=2192)
    with patch("moto.logs.models.utcnow", lambda: NOW.replace(tzinfo=None)):
        for name in DECIDING:
            logged(name, DECIDED, {**DECIDED, "customer_id": "C0002"})
        yield stack


def logged(function: str, *lines: dict[str, Any], at: datetime = NOW - timedelta(hours=1)) -> None:
    logs, group = boto3.client("logs"), f"/{STACK}/{function}"
    stream = f"stream {len(logs_backends['123456789012']['ap-northeast-1'].groups[group].streams)}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    milliseconds = int(at.timestamp() * 1000)
    events = [{"timestamp": milliseconds, "message": json.dumps({"message": "decision", **line})} for line in lines]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def looks() -> list[dict[str, str]]:
    events = boto3.client("logs").filter_log_events(logGroupName=LOOKS)["events"]
    return [json.loads(event["message"]) for event in events]


def ask(out: Path, *arguments: str) -> int:
    return main(["--stack", STACK, *ASKED, "--out", str(out), *arguments], FakeClock())


def test_the_timeline_of_a_stack_has_its_tables_and_the_logs_of_all_functions_that_decide(
    evident: Deployed, tmp_path: Path
) -> None:
    evident.contacts.keep(replace(a_reply("想分期"), customer_id="C0001"))
    assert ask(tmp_path, "C0001") == 0
    written = document(tmp_path)
    assert kinds(tmp_path).count("text") == 2
    assert kinds(tmp_path).count("decision") == len(DECIDING)
    assert [entry["quote"] for entry in written["entries"] if entry["kind"] == "reply"] == ["想分期"]
    made_by = {
        detail["value"] for entry in written["entries"] for detail in entry["details"] if detail["name"] == "decided by"
    }
    assert made_by == set(DECIDING)
    assert (written["time_zone"], written["looked_at_by"], written["because"]) == ("Asia/Taipei", WHO, WHY)
    assert "C0002" not in (tmp_path / "customer-C0001.json").read_text("utf-8")
    assert any("go back to 2026-08-23" in gap for gap in written["not_read"]), "what is no longer kept is said"


def test_a_look_is_logged_before_anything_is_read_by_whom_and_why_and_with_no_other_personal_data(
    evident: Deployed, tmp_path: Path
) -> None:
    assert ask(tmp_path, "C0001", "C0002") == 0
    first, second = looks()
    assert first.keys() == {"message", "at", "customer_id", "who", "why", "caller"}
    assert (first["customer_id"], first["who"], first["why"]) == ("C0001", WHO, WHY)
    assert first["caller"].startswith("arn:aws:sts:")
    assert second["customer_id"] == "C0002"
    assert "王" not in json.dumps(looks(), ensure_ascii=False)
    assert "+886" not in json.dumps(looks())
    del evident


def test_a_look_at_a_customer_who_is_not_there_is_logged_too(
    evident: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(tmp_path, "C0009") == 2
    assert capsys.readouterr().err == f"CUSTOMER=C0009: {STACK} has no such customer\n"
    assert [look["customer_id"] for look in looks()] == ["C0009"]
    del evident


@pytest.mark.usefixtures("stack")
def test_without_the_log_of_looks_nothing_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(tmp_path, "C0001") == 2
    printed = capsys.readouterr()
    assert printed.err == f"{LOOKS} has not taken down who looks (ResourceNotFoundException): nothing is shown\n"
    assert not printed.out
    assert not list(tmp_path.iterdir())


def test_a_look_that_the_log_rejects_is_none(
    evident: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late = ["--stack", STACK, *ASKED, "--out", str(tmp_path), "C0001"]
    assert main(late, FakeClock(NOW - timedelta(days=20))) == 2
    assert "rejected: is the clock of this machine right?): nothing is shown" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    del evident


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "WHO: say who looks"),
        (("--who", "mei"), "WHY: say why"),
        (("--who", "-", "--why", "complaint"), "WHO: say who looks"),
        (("--who", "mei\nchen", "--why", "complaint"), "WHO: say who looks"),
        (("--who", "mei", "--why", "curious"), "WHY: say why"),
        (("--who", "mei", "--why", "complaint of 王小明"), "WHY: say why"),
    ],
)
def test_a_stack_is_shown_to_nobody_who_does_not_say_who_and_why(
    arguments: tuple[str, ...], says: str, evident: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--stack", STACK, "--out", str(tmp_path), *arguments, "C0001"], FakeClock()) == 2
    assert capsys.readouterr().err.startswith(says)
    assert not looks()
    del evident


@pytest.mark.parametrize("why", [*PURPOSES, "complaint 2026-117", "regulator FSC/2026_9.1"])
def test_a_purpose_may_have_the_number_of_a_case(why: str, evident: Deployed, tmp_path: Path) -> None:
    assert main(["--stack", STACK, "--who", "陳美", "--why", why, "--out", str(tmp_path), "C0001"], FakeClock()) == 0
    assert looks()[0]["why"] == why
    del evident


def test_an_erased_customer_of_a_stack_has_a_tombstone_and_the_skeleton_of_the_texts(
    evident: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = evident.customers.load_stored(["C0001"])["C0001"]
    assert isinstance(stored, StoredCustomer)
    record = erase_record(stored.lender_record, NOW)
    assert evident.customers.save_lender_record(record, expected_revision=1)
    assert evident.contacts.redact("C0001", NOW) == 2
    assert ask(tmp_path, "C0001") == 0
    assert document(tmp_path)["erased_at"] == "2026-12-01T02:00:00Z"
    assert kinds(tmp_path).count("text") == 2
    assert "What is left:" in capsys.readouterr().out


def test_an_item_that_cannot_be_read_is_told_and_the_rest_is_shown(
    evident: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt = {**contact_item(a_contact(send_id="s9", at=NOW)), "state": {"S": "王小明"}}
    boto3.client("dynamodb").put_item(TableName=evident.cloud.stack.contacts_table, Item=spoilt)
    assert ask(tmp_path, "C0001") == 1
    assert kinds(tmp_path).count("unreadable") == 1
    assert kinds(tmp_path).count("text") == 2
    assert "Something that is kept could not be read" in capsys.readouterr().err


def test_logs_that_are_not_there_or_may_not_be_read_are_told_and_the_rest_is_shown(
    evident: Deployed, tmp_path: Path
) -> None:
    boto3.client("logs").delete_log_group(logGroupName=f"/{STACK}/replies")
    assert ask(tmp_path, "C0001") == 1
    assert "The log of replies is not there: none of its decisions is shown." in document(tmp_path)["not_read"]
    assert kinds(tmp_path).count("decision") == len(DECIDING) - 1
    del evident


def test_logs_are_read_from_a_day_on_if_that_is_asked_for(evident: Deployed, tmp_path: Path) -> None:
    logged("sender", DECIDED, at=NOW - timedelta(days=9))
    assert ask(tmp_path, "--since", "2026-11-30", "C0001") == 0
    assert kinds(tmp_path).count("decision") == len(DECIDING)
    assert "Logs were read from 2026-11-30 00:00 UTC on, as asked for." in document(tmp_path)["not_read"]
    assert ask(tmp_path, "C0001") == 0
    assert kinds(tmp_path).count("decision") == len(DECIDING) + 1
    del evident


def test_replies_from_before_anybody_had_the_number_are_counted_and_not_shown(
    evident: Deployed, tmp_path: Path
) -> None:
    inbound = InboundSms(inbound_id="r9", phone=someone().phone, text="別人的話", at=NOW)
    evident.contacts.keep(Reply(customer_id="", inbound=inbound, intents=(), promised_on=None, expires_at=NOW))
    assert ask(tmp_path, "C0001") == 0
    (gap,) = (gap for gap in document(tmp_path)["not_read"] if "kept apart" in gap)
    assert gap.startswith("1 reply from the customer's addresses")
    assert "別人的話" not in (tmp_path / "customer-C0001.html").read_text("utf-8")


def test_a_folder_that_is_made_is_for_its_owner_alone(evident: Deployed, tmp_path: Path) -> None:
    assert ask(tmp_path / "case-117", "C0001") == 0
    assert stat.S_IMODE((tmp_path / "case-117").stat().st_mode) == 0o700
    del evident


def test_what_is_no_stack_no_folder_and_no_day_is_refused_in_one_line(
    evident: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--stack", "nowhere", *ASKED, "C0001"], FakeClock()) == 2
    assert "nowhere" in capsys.readouterr().err
    (tmp_path / "file").write_text("", "utf-8")
    assert ask(tmp_path / "file", "C0001") == 2
    assert capsys.readouterr().err.startswith(f"OUT={tmp_path}/file: ")
    with patch.dict("os.environ"):
        del os.environ["AWS_DEFAULT_REGION"]
        assert ask(tmp_path, "C0001") == 2
    assert capsys.readouterr().err == "You must specify a region.\n"
    for arguments, says in (([], "name the customer by the id"), (["--since", "soon", "C1"], "soon is no day")):
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        assert exit_.value.code == 2
        assert says in capsys.readouterr().err
    del evident


@pytest.mark.parametrize(
    ("changes", "zone"),
    [
        ({}, "Asia/Taipei"),
        ({"time_zone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ({"time_zone": "Nowhere/Never"}, "Asia/Taipei"),
        ({"lender": "nobody"}, "UTC"),
        ({**IN_THE_UNITED_STATES, "region": "CA"}, "America/Los_Angeles"),
    ],
)
def test_times_are_those_of_the_customers_place(changes: dict[str, Any], zone: str) -> None:
    assert zone_of(someone(**changes), load_policies()).key == zone


def test_without_an_identity_that_aws_knows_nothing_is_shown(
    evident: Deployed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = EndpointConnectionError(endpoint_url="sts")
    real: Any = boto3.Session.client

    def client(session: boto3.Session, name: str, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - of boto3
        if name == "sts":
            raise failing
        return real(session, name, *arguments, **more)

    with patch.object(boto3.Session, "client", client):
        assert ask(tmp_path, "C0001") == 2
    assert "AWS does not say who you are (EndpointConnectionError): nothing is shown" in capsys.readouterr().err
    assert not looks()
    del evident
