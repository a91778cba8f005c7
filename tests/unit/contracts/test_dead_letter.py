"""Dead letters without the numbers of certain people: theirs goes, and nothing of anybody else's."""

import base64
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dunning.contracts.claim_marks import claim_labels, claim_marks, claim_tag
from dunning.contracts.dead_letter import without_people
from dunning.contracts.delivery_log import parse_reported
from tests.local.channels.wire import notification_of
from tests.support.outgoing import LINE_USER, outgoing_mail
from tests.support.people import NOW

MINE, THEIRS = "+886912345678", "+886987654321"


def log(phone: str, number: int = 1, **more: object) -> dict[str, Any]:
    """Describe a log event of SNS about one text."""
    detail = {
        "notification": {"messageId": f"m-{number}", "timestamp": "2026-12-01 02:00:00.000"},
        "delivery": {"destination": phone, "providerResponse": "Invalid phone number"},
        "status": "FAILURE",
    }
    return {"id": str(number), "timestamp": 1_764_500_000_000 + number, "message": json.dumps(detail | more)}


def dead_letter(*events: dict[str, Any], **more: object) -> str:
    """Write what Lambda puts among the dead letters for logs that it could not hand over."""
    logs = {"messageType": "DATA_MESSAGE", "logGroup": "sns/x", "logEvents": list(events), **more}
    data = base64.b64encode(gzip.compress(json.dumps(logs).encode())).decode()
    return json.dumps({"version": "1.0", "requestPayload": {"awslogs": {"data": data}}, "responsePayload": {"e": "x"}})


def events_in(body: str) -> list[dict[str, Any]]:
    data = json.loads(body)["requestPayload"]["awslogs"]["data"]
    events: list[dict[str, Any]] = json.loads(gzip.decompress(base64.b64decode(data)))["logEvents"]
    return events


def reply(phone: str, text: str = "STOP") -> str:
    sms = {"originationNumber": phone, "messageBody": text, "inboundMessageId": "in-1"}
    return json.dumps({"Type": "Notification", "Message": json.dumps(sms), "Timestamp": "2026-12-01T02:00:00Z"})


def test_a_reply_goes_with_the_number_it_was_written_from_and_with_no_other_it_names() -> None:
    assert without_people(reply(MINE), {MINE, "+886900000000"}) == ""
    quoting = reply(THEIRS, f"my wife's number is {MINE}")
    assert without_people(quoting, {MINE}) == quoting


@pytest.mark.parametrize(
    "body",
    [
        f'{{"from": "{MINE}"}}', f"{MINE[1:]}", f"not JSON {MINE} at all", json.dumps(json.dumps({"a": MINE})),
        f'{{"detail": {{"phone": "\\u002b{MINE[1:]}"}}}}', f'{{"requestPayload": {{"awslogs": "{MINE}"}}}}',
    ],
)  # fmt: skip
def test_an_unreadable_dead_letter_goes_if_it_names_the_number_with_or_without_the_plus(body: str) -> None:
    assert without_people(body, {MINE}) == ""
    assert without_people(body, {THEIRS}) == body


@pytest.mark.parametrize(
    "body", ["", "[]", "null", "1" + MINE[1:], MINE + "9", '{"requestPayload": null}', dead_letter()]
)
def test_a_dead_letter_that_names_nobody_stays_as_it_is(body: str) -> None:
    assert without_people(body, {MINE}) == body


@pytest.mark.parametrize(
    "written",
    ["0912345678", "0912-345-678", "0912 345 678", "(0912) 345.678", "+886 (0)912-345-678", "886 912 345 678"],
)
def test_a_refused_event_goes_by_its_number_however_people_write_it(written: str) -> None:
    body = json.dumps({"detail-type": "CustomerHold", "detail": {"phone": written}})
    assert without_people(body, {MINE}) == ""
    assert without_people(body, {THEIRS}) == body


@pytest.mark.parametrize("written", ["912345", "45678", "20261201", "2026-12-01T09:12:34.567", "19912345678"])
def test_a_number_that_is_another_s_or_none_takes_nothing_along(written: str) -> None:
    body = json.dumps({"detail": {"phone": written}})
    assert without_people(body, {MINE}) == body


@pytest.mark.parametrize(
    "body",
    [
        '{"detail": {"customer_id": "C-1001", "name": "王小明"}}',
        '{"detail": {"customerId" : "C.2"}}',
        'no JSON, "customer_id": "C-1001" and more',
        json.dumps(json.dumps({"customer_id": "C-1001"})),
    ],
)
def test_a_message_that_names_the_erased_customer_goes_by_the_id(body: str) -> None:
    assert without_people(body, (), {"C-1001", "C.2"}) == ""
    assert without_people(body, (), {"C-100", "1001"}) == body


def test_an_id_of_figures_is_no_amount() -> None:
    body = json.dumps({"detail": {"customer_id": "C-7", "paid": 1001, "account_id": "1001"}})
    assert without_people(body, (), {"1001"}) == body


@pytest.mark.parametrize("other", ["C-10011", "XC-1001", "C-1001-2", "Cx2"])
def test_an_id_within_another_is_another_customer(other: str) -> None:
    body = json.dumps({"detail": {"customer_id": other}})
    assert without_people(body, (), {"C-1001", "C.2"}) == body


def test_a_reply_that_mentions_an_id_stays_with_its_sender() -> None:
    assert without_people(reply(THEIRS, "my number is C-1001"), {MINE}, {"C-1001"}) != ""


def test_a_log_beside_a_damaged_one_goes_all_the_same() -> None:
    damaged: Any = {"timestamp": 1}
    body = dead_letter(damaged, log(MINE), log(THEIRS))
    assert events_in(without_people(body, {MINE})) == [damaged, log(THEIRS)]


@pytest.mark.parametrize("body", ["", "x", f'{{"phone": "{MINE}"}}', dead_letter(log(MINE))])
def test_for_nobody_nothing_goes(body: str) -> None:
    assert without_people(body, (), ()) == body


def test_logs_of_one_person_only_go_whole() -> None:
    assert without_people(dead_letter(log(MINE), log(MINE, 2)), {MINE}) == ""


def test_delivery_logs_of_others_in_a_dead_letter_are_left_as_they_were() -> None:
    body = dead_letter(log(THEIRS, 1), log(MINE, 2), log(THEIRS, 3, text="電話"), owner="123")
    left = without_people(body, {MINE})
    assert events_in(left) == [log(THEIRS, 1), log(THEIRS, 3, text="電話")]
    before, after = json.loads(body), json.loads(left)
    assert before.keys() == after.keys()
    assert before["responsePayload"] == after["responsePayload"]
    assert len(left) <= len(body)
    assert without_people(left, {MINE}) == left
    # A person hands it over again as it is.
    reported = parse_reported(after["requestPayload"], datetime.now(UTC))
    assert [receipt.message_id for receipt in reported.receipts] == ["m-1", "m-3"]


def test_a_log_goes_for_a_number_in_the_carriers_words_too() -> None:
    quoting = log("", 1, delivery={"providerResponse": f"{MINE[1:]} is unknown"})
    assert events_in(without_people(dead_letter(quoting, log(THEIRS, 2)), {MINE})) == [log(THEIRS, 2)]


@pytest.mark.parametrize("data", ["bm8gZ3ppcA==", "?", 7, base64.b64encode(gzip.compress(b"[]", mtime=0)).decode()])
def test_logs_that_cannot_be_unpacked_stay(data: object) -> None:
    body = json.dumps({"requestPayload": {"awslogs": {"data": data}}})
    assert without_people(body, {MINE}) == body


class TestChannels:
    """Events of channels name a person by the id we sent along, by a mail address, or by a LINE user id."""

    OTHER_USER = "U" + "e7" * 16

    def test_an_event_goes_with_the_customer_whose_id_we_had_sent_along(self) -> None:
        outgoing = outgoing_mail()._replace(customer_id="C.1_2")
        for marks in (claim_marks(outgoing), claim_labels(outgoing)):
            for event in ({"context": marks}, {"tags": {name: [mark] for name, mark in marks.items()}}):
                letter = notification_of(event, NOW)
                assert without_people(letter, [], ["C.1_2"]) == ""
                assert without_people(letter, [], ["C.1"]) == letter
        opaque = notification_of({"whatsAppWebhookEntry": json.dumps({"o": json.dumps(claim_marks(outgoing))})}, NOW)
        assert without_people(opaque, [], ["C.1_2"]) == ""
        assert without_people(opaque, [], ["C.1"]) == opaque

    @pytest.mark.parametrize("written", ["wang@example.com", "Wang@Example.COM", "<wang@example.com>"])
    def test_an_event_goes_with_the_mail_address_it_names(self, written: str) -> None:
        letter = json.dumps({"mail": {"destination": [written]}})
        assert without_people(letter, [], [], ["wang@example.com"]) == ""

    @pytest.mark.parametrize("written", ["xwang@example.com", "a.wang@example.com", "wang@example.com.tw"])
    def test_an_address_within_another_is_another(self, written: str) -> None:
        letter = json.dumps({"mail": {"destination": [written]}})
        assert without_people(letter, [], [], ["wang@example.com"]) == letter

    def test_of_a_webhook_the_events_of_the_person_go_and_all_others_stay(self) -> None:
        mine = {"type": "message", "source": {"userId": LINE_USER}, "message": {"text": "STOP"}}
        about_me = {"type": "message", "source": {"userId": self.OTHER_USER}, "message": {"text": f"call {MINE}"}}
        arrived = {"type": "delivery", "delivery": {"data": claim_tag(outgoing_mail())}}
        letter = json.dumps({"destination": "U0", "events": [mine, about_me, arrived]})
        left = without_people(letter, [MINE], ["C0001"], [LINE_USER])
        assert json.loads(left) == {"destination": "U0", "events": [about_me]}
        assert without_people(left, [MINE], ["C0001"], [LINE_USER]) == left
        assert without_people(json.dumps({"destination": "U0", "events": [mine]}), [], [], [LINE_USER]) == ""
        assert without_people(letter, [], [], ["U" + "00" * 16]) == letter

    @pytest.mark.parametrize("body", ['{"events": 7}', '{"events": [7]}', '{"events": ""}', '{"events": []}'])
    def test_what_is_no_webhook_is_read_as_before(self, body: str) -> None:
        assert without_people(body, [MINE], [], [LINE_USER]) == body
