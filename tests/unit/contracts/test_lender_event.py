"""What a lender's systems may tell us: what is read, what is refused, and that a refusal quotes nothing."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.contracts.erasure_round import ErasureRound, erasure_round_body, parse_lender_message
from dunning.contracts.lender_event import EVENTS, MOST_AHEAD, ErasureRequest, GivenLabel, ReceivedEvent
from dunning.domain.customer.facts import HoldReason
from dunning.domain.customer.lender_record import (
    AccountClosed,
    AddressChanged,
    ConsentChanged,
    CustomerAttended,
    CustomerHold,
    CustomerReleased,
    EventTime,
    InstalmentChanged,
    InstalmentPaid,
    LenderEvent,
    RecordedEvent,
)
from dunning.domain.customer.standing import ReplyLabel
from dunning.domain.delivery.channels import AddressKind, Channel
from dunning.domain.errors import UnreadableRecordError
from dunning.services.intake.cells import is_id
from tests.support.people import NOW

SAID_AT = "2026-12-01T09:59:57+08:00"
AT = datetime(2026, 12, 1, 1, 59, 57, tzinfo=UTC)

PAID = {"account_id": "A1", "instalment_no": 1, "paid": 325_000, "currency": "TWD"}
LINE_USER = "U" + "0123456789abcdef" * 2
CHANGED = {"account_id": "A1", "instalment_no": 2, "due_on": "2026-11-20", "amount": 335_000, "currency": "TWD"}


def envelope(kind: str, **detail: object) -> str:
    """Put an event into what EventBridge puts around it."""
    inside = {"schema_version": 1, "customer_id": "C1", "at": SAID_AT, **detail}
    around = {
        "version": "0", "id": "7bf73129", "detail-type": kind, "source": "lender.core", "account": "123456789012",
        "time": "2026-12-01T01:59:58Z", "region": "ap-northeast-1", "resources": [], "detail": inside,
    }  # fmt: skip
    return json.dumps(around)


def refusal(body: str) -> str:
    """Return why a message is refused."""
    with pytest.raises(UnreadableRecordError) as caught:
        parse_lender_message(body, NOW)
    assert caught.value.__cause__ is None
    return str(caught.value).removeprefix("not a lender's event: ")


@pytest.mark.parametrize(
    ("kind", "detail", "event"),
    [
        ("InstalmentPaid", PAID, InstalmentPaid("A1", 1, 325_000, "TWD")),
        (
            "InstalmentChanged",
            CHANGED,
            InstalmentChanged(account_id="A1", number=2, due_on=date(2026, 11, 20), amount=335_000, currency="TWD"),
        ),
        (
            "InstalmentChanged",
            CHANGED | {"late_fee": 10_000, "written_notice_on": "2026-12-01"},
            InstalmentChanged(
                account_id="A1",
                number=2,
                due_on=date(2026, 11, 20),
                amount=335_000,
                currency="TWD",
                late_fee=10_000,
                written_notice_on=date(2026, 12, 1),
            ),
        ),
        (
            "InstalmentChanged",
            CHANGED | {"amount": -5},
            InstalmentChanged(account_id="A1", number=2, due_on=date(2026, 11, 20), amount=-5, currency="TWD"),
        ),
        ("AccountClosed", {"account_id": "A1"}, AccountClosed("A1")),
        ("CustomerHold", {"reason": "deceased"}, CustomerHold(HoldReason.DECEASED)),
        (
            "CustomerHold",
            {"reason": "dispute", "until": "2026-12-31"},
            CustomerHold(HoldReason.DISPUTE, date(2026, 12, 31)),
        ),
        ("CustomerReleased", {}, CustomerReleased()),
        ("CustomerReleased", {"reason": None}, CustomerReleased()),
        ("CustomerReleased", {"reason": "dispute"}, CustomerReleased(HoldReason.DISPUTE)),
        ("CustomerAttended", {}, CustomerAttended()),
        ("CustomerAttended", {"outcome": "called_back"}, CustomerAttended("called_back")),
        (
            "AddressChanged",
            {"channel": "email", "address": "Wang.1+x@Example.com"},
            AddressChanged(AddressKind.EMAIL, "wang.1+x@example.com"),
        ),
        ("AddressChanged", {"channel": "line", "address": LINE_USER}, AddressChanged(AddressKind.LINE, LINE_USER)),
        ("AddressChanged", {"channel": "line", "address": None}, AddressChanged(AddressKind.LINE, "")),
        (
            "ConsentChanged",
            {"channel": "line", "consented_at": AT.isoformat()},
            ConsentChanged(Channel.LINE, AT),
        ),
        ("ConsentChanged", {"channel": "voice", "consented_at": None}, ConsentChanged(Channel.VOICE)),
    ],
)
def test_each_kind_is_an_event_of_a_customer_as_of_when_it_was_said(
    kind: str, detail: dict[str, Any], event: LenderEvent
) -> None:
    assert parse_lender_message(envelope(kind, **detail), NOW) == ReceivedEvent(
        "C1", RecordedEvent(EventTime(AT), event)
    )
    assert parse_lender_message(envelope(kind, sequence=7, **detail), NOW) == ReceivedEvent(
        "C1", RecordedEvent(EventTime(AT, 7), event)
    )


@pytest.mark.parametrize("version", [1, 2])
def test_an_event_of_either_version_may_say_who_says_so(version: int) -> None:
    body = envelope("CustomerReleased", schema_version=version, by="auth0|7f3a")
    released = RecordedEvent(EventTime(AT), CustomerReleased(), "auth0|7f3a")
    assert parse_lender_message(body, NOW) == ReceivedEvent("C1", released)
    erased = parse_lender_message(envelope("CustomerErased", schema_version=version, by="u-1"), NOW)
    assert erased == ReceivedEvent("C1", ErasureRequest(AT, "u-1"))


@pytest.mark.parametrize("by", ["wang@bank.example", "x" * 81, "Wang Xiao", 7, None])
def test_who_says_so_is_an_id_and_no_address(by: object) -> None:
    assert refusal(envelope("CustomerReleased", by=by)) == "detail.by"


@pytest.mark.parametrize("outcome", ["Called Wang", "0912345678", "x" * 41])
def test_an_outcome_is_a_code(outcome: str) -> None:
    assert refusal(envelope("CustomerAttended", outcome=outcome)) == "detail.outcome"


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("email", "wang"), ("email", "wang@localhost"), ("email", "a@example.com, b@example.com"), ("email", ""),
        ("email", LINE_USER), ("line", "wang@example.com"), ("line", "U" + "0" * 31), ("line", "@wang"), ("line", ""),
        ("email", 7),
    ],
)  # fmt: skip
def test_what_cannot_be_an_address_is_refused_by_its_field(channel: str, address: object) -> None:
    assert refusal(envelope("AddressChanged", channel=channel, address=address)) == "detail.address"


def test_an_address_is_named_even_if_there_is_none_any_more_and_a_number_comes_by_file() -> None:
    assert refusal(envelope("AddressChanged", channel="email")) == "detail.address"
    assert refusal(envelope("AddressChanged", channel="sms", address=None)) == "detail.channel"


def test_a_consent_is_to_a_channel_we_know_and_not_in_the_future() -> None:
    assert refusal(envelope("ConsentChanged", channel="telex", consented_at=None)) == "detail.channel"
    assert refusal(envelope("ConsentChanged", channel="email")) == "detail.consented_at"
    later = (AT + MOST_AHEAD + timedelta(microseconds=1)).isoformat()
    assert refusal(envelope("ConsentChanged", channel="email", consented_at=later)) == "detail.consented_at"
    assert refusal(envelope("ConsentChanged", channel="email", consented_at=True)) == "detail.consented_at"


def test_an_erasure_is_a_moment() -> None:
    assert parse_lender_message(envelope("CustomerErased"), NOW) == ReceivedEvent("C1", ErasureRequest(AT))


def test_a_label_is_what_a_person_says_of_a_reply_its_intents_in_their_order_and_each_once() -> None:
    intents = ["promise", "paid", "promise"]
    received = parse_lender_message(
        envelope("ReplyLabelled", reply_id="r-1", intents=intents, promised_on="2026-12-04", sequence=3), NOW
    )
    label = ReplyLabel(at=AT, sequence=3, intents=("paid", "promise"), promised_on=date(2026, 12, 4))
    assert received == ReceivedEvent("C1", GivenLabel("r-1", label))


@pytest.mark.parametrize(
    ("detail", "field"),
    [
        ({"reply_id": "r-1", "intents": ["help"]}, "detail.intents"),
        ({"reply_id": "r-1"}, "detail.intents"),
        ({"reply_id": "", "intents": []}, "detail.reply_id"),
        ({"reply_id": "r-1", "intents": ["paid"], "promised_on": "2026-12-04"}, "detail.promised_on"),
    ],
)
def test_a_label_that_is_not_certain_is_refused(detail: dict[str, object], field: str) -> None:
    assert field in refusal(envelope("ReplyLabelled", **detail))


def test_a_hold_for_a_reason_we_do_not_know_is_honoured_and_said_to_be_not_understood() -> None:
    received = parse_lender_message(envelope("CustomerHold", reason="on vacation"), NOW)
    assert received == ReceivedEvent(
        "C1", RecordedEvent(EventTime(AT), CustomerHold(HoldReason.OTHER)), is_understood=False
    )


def test_the_next_round_of_an_erasure_is_an_id_and_a_time_and_nothing_else() -> None:
    body = erasure_round_body("C1")
    assert body == '{"schema_version":1,"task":"erase_again","customer_id":"C1"}'
    assert parse_lender_message(body, NOW) == ErasureRound("C1")
    searched = erasure_round_body("C1", AT)
    assert json.loads(searched).keys() - json.loads(body).keys() == {"searched_before"}
    assert parse_lender_message(searched, NOW) == ErasureRound("C1", AT)


def test_an_event_of_a_source_that_is_not_named_is_refused() -> None:
    body = json.dumps(json.loads(envelope("AccountClosed", account_id="A1")) | {"source": "some.other.team"})
    assert isinstance(parse_lender_message(body, NOW), ReceivedEvent), "without names every source counts"
    assert isinstance(parse_lender_message(body, NOW, {"some.other.team"}), ReceivedEvent)
    for sources in ({"lender.core"}, {"some.other"}, {"some.other.team.2"}):
        with pytest.raises(UnreadableRecordError, match=r"^not a lender's event: source, which LenderSources"):
            parse_lender_message(body, NOW, sources)
    nameless = {name: value for name, value in json.loads(body).items() if name != "source"}
    with pytest.raises(UnreadableRecordError, match="source"):
        parse_lender_message(json.dumps(nameless), NOW, {"lender.core"})


def test_a_round_of_an_erasure_is_our_own_and_needs_no_source() -> None:
    assert parse_lender_message(erasure_round_body("C1"), NOW, {"lender.core"}) == ErasureRound("C1")


def test_fields_that_eventbridge_adds_to_its_envelope_are_ignored() -> None:
    body = json.loads(envelope("AccountClosed", account_id="A1")) | {"replay-name": "last week"}
    assert parse_lender_message(json.dumps(body), NOW) == ReceivedEvent(
        "C1", RecordedEvent(EventTime(AT), AccountClosed("A1"))
    )


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"schema_version": 3}, "detail.schema_version"),
        ({"customer_id": "王小明"}, "detail.customer_id"),
        ({"customer_id": ""}, "detail.customer_id"),
        ({"customer_id": "C1\n"}, "detail.customer_id"),
        ({"account_id": "A" * 65}, "detail.account_id"),
        ({"at": "2026-12-01T09:59:57"}, "detail.at"),
        ({"at": "2026-12-01"}, "detail.at"),
        ({"at": "1796090397"}, "detail.at"),
        ({"at": 1_796_090_397}, "detail.at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "detail.at"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "detail.at"),
        ({"sequence": -1}, "detail.sequence"),
        ({"instalment_no": 0}, "detail.instalment_no"),
        ({"paid": -1}, "detail.paid"),
        ({"paid": 3250.0}, "detail.paid"),
        ({"paid": "325000"}, "detail.paid"),
        ({"paid": True}, "detail.paid"),
        ({"paid": 10**15 + 1}, "detail.paid"),
        ({"currency": "twd"}, "detail.currency"),
        ({"currency": "XXX"}, "detail.currency"),
        ({"王小明": "+886900000001"}, "detail.an unknown field"),
    ],
)
def test_a_payment_that_is_not_certain_is_refused_by_its_field(changes: dict[str, Any], fields: str) -> None:
    assert refusal(envelope("InstalmentPaid", **(PAID | changes))) == fields


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"due_on": "20.12.2026"}, "detail.due_on"),
        ({"due_on": "1999-12-31"}, "detail.due_on"),
        ({"due_on": "2026-12-20T00:00:00Z"}, "detail.due_on"),
        ({"late_fee": 335_001}, "detail.late_fee"),
        ({"amount": -1, "late_fee": 1}, "detail.late_fee"),
        ({"written_notice_on": "2026-11-19"}, "detail.written_notice_on"),
        ({"written_notice_on": "2026-12-02"}, "detail.written_notice_on"),
    ],
)
def test_an_instalment_that_contradicts_itself_is_refused(changes: dict[str, Any], fields: str) -> None:
    assert refusal(envelope("InstalmentChanged", **(CHANGED | changes))) == fields


def test_a_release_for_a_reason_we_do_not_know_is_refused_for_silence_is_the_safe_side() -> None:
    assert refusal(envelope("CustomerReleased", reason="on vacation")) == "detail.reason"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("", "body"),
        ("王小明 +886900000001", "body"),
        ("[" * 100_000, "body"),
        ("{}", "detail-type, detail"),
        ('{"detail-type":"InstalmentPaid","detail":"+886900000001"}', "detail"),
        (envelope("王小明"), "detail-type"),
        (erasure_round_body("C1")[:-1] + ',"phone":"+886900000001"}', "detail-type, detail"),
    ],
)
def test_what_is_no_event_is_refused(body: str, fields: str) -> None:
    assert refusal(body) == fields


def test_a_lenders_clock_may_be_a_little_ahead_and_no_more() -> None:
    in_time, too_late = NOW + MOST_AHEAD, NOW + MOST_AHEAD + timedelta(microseconds=1)
    assert isinstance(parse_lender_message(envelope("CustomerErased", at=in_time.isoformat()), NOW), ReceivedEvent)
    assert refusal(envelope("CustomerErased", at=too_late.isoformat())) == "detail.at, in the future"


@given(st.text(st.sampled_from("Aa0._:-# /é１\n"), max_size=66))
def test_an_id_is_what_intake_takes_for_one(text: str) -> None:
    try:
        received = parse_lender_message(envelope("CustomerErased", customer_id=text), NOW)
    except UnreadableRecordError:
        assert not is_id(text)
    else:
        assert received.customer_id == text
        assert is_id(text)


def test_there_are_ten_kinds() -> None:
    assert sorted(EVENTS) == [
        "AccountClosed", "AddressChanged", "ConsentChanged", "CustomerAttended", "CustomerErased", "CustomerHold",
        "CustomerReleased", "InstalmentChanged", "InstalmentPaid", "ReplyLabelled",
    ]  # fmt: skip
