"""`make erase` on a stack: a look first, then nothing is left but the skeleton, however often it is asked for."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dunning.domain.customer.standing import ReplyLabel, label_key
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.customers import Customer
from dunning.services.erasure.erase import MAY_BE_LOADING, SECOND_ROUND
from ops.erase import main
from tests.support.fakes import FakeClock
from tests.support.lender_files import csv_of, row
from tests.support.people import NOW
from tests.unit.ops.conftest import STACK, Deployed


def test_a_look_counts_and_changes_nothing(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", STACK, "C0001", "C0009"]) == 0
    out = capsys.readouterr().out
    assert "C0001: 2 items, 2 records that tell of them, 0 replies, 0 of them labelled by a person" in out
    assert "C0009: 0 items, 0 records that tell of them, 0 replies, 0 of them labelled by a person" in out
    assert "Nothing was changed" in out
    assert len(stack.items(stack.table, "C0001")) == 2


def test_a_customer_is_erased_and_nobody_else(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        inbound = InboundSms(inbound_id="r1", phone=f"+88690000000{number}", text="王小明", at=NOW)
        stack.contacts.keep(
            Reply(customer_id=f"C000{number}", inbound=inbound, intents=(), promised_on=None, expires_at=NOW)
        )
    assert main(["--stack", STACK, "--apply", "C0001"], FakeClock()) == 0
    assert "C0001: nothing is left but the number" in capsys.readouterr().out
    # The stack does the rest.
    for _ in range(3):
        stack.cloud.clock.move_to(stack.cloud.clock.now() + timedelta(minutes=15, seconds=1))
        assert stack.cloud.drain("lender_events") == 1
    (tombstone,) = stack.items(stack.table, "C0001")
    assert tombstone.keys() == {"customer_id", "item", "schema", "revision", "erased_at"}
    records = stack.items(stack.cloud.stack.contacts_table, "C0001")
    assert len(records) == 2
    for record in records:
        assert not record.keys() & {"phone", "text"}
        assert record.keys() >= {"send_id", "state", "at", "expires_at", "parts", "erased_at"}
    assert len(stack.items(stack.table, "C0002")) == 2
    assert len(stack.items(stack.cloud.stack.contacts_table, "C0002")) == 3
    assert all("text" in record for record in stack.items(stack.cloud.stack.contacts_table, "C0002"))


def test_what_was_understood_of_replies_and_what_people_say_of_them_is_counted_and_goes(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    inbound = InboundSms(inbound_id="r1", phone="+886900000001", text="沒錢還", at=NOW)
    stack.contacts.keep(
        Reply(
            customer_id="C0001",
            inbound=inbound,
            intents=("refusal",),
            promised_on=None,
            expires_at=NOW + timedelta(days=90),
            likely=("refusal",),
            why=("refusal 0.61: 還",),
        )
    )
    labelled_as = ReplyLabel(at=NOW, intents=("hardship",))
    assert stack.contacts.label("C0001", "r1", labelled_as)
    customer = stack.customers.load(["C0001"])["C0001"]
    assert isinstance(customer, Customer)
    assert customer.standing is not None
    labelled = replace(
        customer.standing, version=customer.standing.version + 1, reply_labels={label_key(NOW): labelled_as}
    )
    assert stack.customers.save_standing(labelled, expected_version=customer.standing.version)

    assert main(["--stack", STACK, "C0001"]) == 0
    out = capsys.readouterr().out
    assert "1 replies, 1 of them labelled by a person" in out
    assert "what was understood and why, and the label of a person" in out
    assert "沒錢還" not in out

    assert main(["--stack", STACK, "--apply", "C0001"], FakeClock()) == 0
    left = [*stack.items(stack.table, "C0001"), *stack.items(stack.cloud.stack.contacts_table, "C0001")]
    assert not [item for item in left if item.keys() & {"reply_labels", "labels", "labelled_at", "why", "likely"}]
    assert "hardship" not in str(left)


def test_a_text_under_way_leaves_nothing_either(stack: Deployed) -> None:
    class Clock(FakeClock):
        def sleep(self, seconds: float) -> None:
            assert seconds == SECOND_ROUND.total_seconds()
            stack.text("C0001", 3)

    assert main(["--stack", STACK, "--apply", "C0001"], Clock()) == 0
    assert not any("text" in record for record in stack.items(stack.cloud.stack.contacts_table, "C0001"))


def test_uploaded_files_that_name_them_go_unless_they_may_still_be_loading(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = stack.cloud.stack.uploads_bucket
    files = [(f"accounts/{name}.csv", csv_of([row(customer_id=of)])) for name, of in (("a", "C0001"), ("b", "C0002"))]
    for key, body in (*files, ("rejects/a.csv", "C0001")):
        stack.cloud.s3.put_object(Bucket=bucket, Key=key, Body=body)
    uploaded_at = stack.cloud.s3.head_object(Bucket=bucket, Key="accounts/a.csv")["LastModified"]
    assert main(["--stack", STACK, "--apply", "C0001"], FakeClock(uploaded_at)) == 1
    assert "C0001: NAMED IN A NEW FILE: erase again in 1 h" in capsys.readouterr().out
    assert [key for key, _ in stack.cloud.objects("accounts/")] == ["accounts/a.csv", "accounts/b.csv"]
    assert main(["--stack", STACK, "--apply", "C0001"], FakeClock(uploaded_at + MAY_BE_LOADING)) == 0
    assert "1 deleted that named one of them" in capsys.readouterr().out
    assert [key for key, _ in stack.cloud.objects("accounts/")] == ["accounts/b.csv"]
    assert [key for key, _ in stack.cloud.objects("rejects/")] == ["rejects/a.csv"]


def test_nothing_is_printed_that_tells_who_it_was(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    del stack
    main(["--stack", STACK, "--apply", "C0001"], FakeClock())
    out = capsys.readouterr().out
    assert "+886" not in out
    assert "王" not in out


def test_what_is_no_id_or_no_stack_is_refused(stack: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    del stack
    assert main(["--stack", STACK, "王小明 +886912345678"]) == 2
    assert "+886" not in capsys.readouterr().err
    assert main(["--stack", "nowhere", "C0001"]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], 'make erase: name the customers to erase by their ids, as in CUSTOMER="C0001 C0002"\n'),
        (["--stack", STACK], 'make erase: name the customers to erase by their ids, as in CUSTOMER="C0001 C0002"\n'),
        (["C0001"], "make erase: name the stack to erase them from, as in STACK=dunning-prod\n"),
    ],
)
def test_a_missing_argument_is_asked_for_in_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert capsys.readouterr().err == says
