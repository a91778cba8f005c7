"""Purging the numbers of erased customers: when it is time, what goes with them, and what is left alone."""

import json
import math
from datetime import timedelta

import pytest

from dunning.domain.errors import ServiceCallError
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.services.erasure.erase import UNDER_WAY, EraseService
from dunning.services.erasure.purge import QUEUES_KEEP, PurgeService
from tests.support.builders import store_facts
from tests.support.fakes import (
    FakeBacklog,
    FakeClock,
    FakeContacts,
    FakeCustomers,
    FakeDeadLetters,
    FakeTelemetry,
    FakeUploadErasure,
)
from tests.support.people import NOW, someone

PHONE, OTHERS = someone(1).phone, someone(2).phone
MAIL, USER = "wang@example.com", "U" + "0123456789abcdef" * 2
MINUTE = timedelta(minutes=1)


class Office:
    """Two customers, one of whom has just been erased; a queue of replies, and two of dead letters."""

    def __init__(self) -> None:
        self.customers, self.contacts, self.telemetry = FakeCustomers(), FakeContacts(), FakeTelemetry()
        self.replies, self.clock = FakeBacklog(), FakeClock(NOW)
        self.reply_dead_letters = FakeDeadLetters("replies")
        self.receipt_dead_letters = FakeDeadLetters("delivery_receipts")
        self.erasing = EraseService(
            customers=self.customers,
            contacts=self.contacts,
            uploads=FakeUploadErasure(),
            clock=self.clock,
            telemetry=self.telemetry,
        )
        self.service = PurgeService(
            customers=self.customers,
            erasing=self.erasing,
            replies=self.replies,
            dead_letters=[self.reply_dead_letters, self.receipt_dead_letters],
            clock=self.clock,
            telemetry=self.telemetry,
        )
        for facts in (someone(1, email=MAIL, line_user_id=USER), someone(2)):
            store_facts(self.customers, facts)
            for address in facts.addresses:
                self.customers.add_address(address, facts.customer_id)
        self.erasing.erase("C0001", NOW)

    def purge(self, *, after: timedelta = UNDER_WAY, seconds: float = math.inf) -> frozenset[str]:
        self.clock.move_to(NOW + after)
        return self.service.purge(["C0001", "C0002", "C0009"], lambda: seconds)

    @property
    def numbers(self) -> tuple[str, ...]:
        return self.customers.lender_records["C0001"].phones

    def logged(self, name: str) -> list[dict[str, str | float | None]]:
        return [fields for event, fields in self.telemetry.events if event == name]


def reply(phone: str, text: str = "STOP") -> str:
    return json.dumps({"originationNumber": phone, "messageBody": text, "inboundMessageId": "in-1"})


@pytest.fixture
def office() -> Office:
    return Office()


def test_once_nothing_is_under_way_the_numbers_go_and_nobody_is_to_be_asked_for_again(office: Office) -> None:
    assert office.purge() == frozenset()
    assert office.numbers == ()
    assert office.customers.stored_items("C0001") == 0
    assert office.purge() == frozenset()


def test_until_then_they_are_kept(office: Office) -> None:
    assert office.purge(after=UNDER_WAY - MINUTE) == {"C0001"}
    assert office.numbers == (PHONE,)


def test_numbers_are_kept_while_replies_wait_for_a_reply_may_be_older_than_the_erasure(office: Office) -> None:
    office.replies.waiting = 1
    assert office.purge() == {"C0001"}
    assert office.purge(after=2 * UNDER_WAY) == {"C0001"}
    office.replies.waiting = 0
    assert office.purge(after=3 * UNDER_WAY) == frozenset()
    assert office.numbers == ()


def test_replies_kept_just_before_a_purge_go_with_the_numbers(office: Office) -> None:
    office.contacts.keep(
        Reply(
            customer_id="",
            inbound=InboundSms(inbound_id="in-1", phone=PHONE, text="王小明", at=NOW),
            intents=(),
            promised_on=None,
            expires_at=NOW,
        )
    )
    office.contacts.keep(
        Reply(
            customer_id="",
            inbound=InboundSms(inbound_id="in-2", phone=OTHERS, text="陳美玲", at=NOW),
            intents=(),
            promised_on=None,
            expires_at=NOW,
        )
    )
    office.purge()
    assert [inbound_id for _, _, inbound_id in office.contacts.replies] == ["in-2"]


def test_dead_letters_of_the_customer_go_each_time_and_those_of_others_stay(office: Office) -> None:
    kept = [reply(OTHERS), reply(OTHERS, f"write to {PHONE}"), "no number", f"0{PHONE}0"]
    office.reply_dead_letters.bodies = [reply(PHONE), *kept, reply(PHONE, "王小明")]
    office.receipt_dead_letters.bodies = [f"to {PHONE.removeprefix('+')}"]
    office.purge(after=MINUTE)
    assert office.reply_dead_letters.bodies == kept
    assert office.receipt_dead_letters.bodies == []
    assert office.logged("dead_letters_erased") == [
        {"queue": "replies", "messages": 2},
        {"queue": "delivery_receipts", "messages": 1},
    ]


def test_dead_letters_that_name_another_address_of_the_customer_go_too(office: Office) -> None:
    words = {"type": "message", "message": {"type": "text", "text": "停"}}
    webhook = {"destination": "U" + "f" * 32, "events": [{**words, "source": {"userId": USER}}]}
    theirs = json.dumps({"mail": {"destination": ["chen@example.com"]}})
    office.reply_dead_letters.bodies = [json.dumps(webhook), theirs]
    office.receipt_dead_letters.bodies = [json.dumps({"mail": {"destination": [MAIL.upper()]}})]
    office.purge(after=MINUTE)
    assert office.reply_dead_letters.bodies == [theirs]
    assert office.receipt_dead_letters.bodies == []
    assert office.customers.lender_records["C0001"].addresses == (MAIL, USER)
    office.purge()
    assert not office.customers.lender_records["C0001"].addresses


def test_a_mailbox_that_another_customer_has_too_names_nobody(office: Office) -> None:
    office.customers.add_address(MAIL, "C0002")
    office.receipt_dead_letters.bodies = [f"to {MAIL}"]
    office.purge(after=MINUTE)
    assert office.receipt_dead_letters.bodies == [f"to {MAIL}"]


def test_a_refused_event_about_the_customer_goes_by_the_id_also_if_others_have_the_number(office: Office) -> None:
    office.customers.add_address(PHONE, "C0002")
    theirs = '{"detail": {"customer_id": "C0002", "name": "陳美玲"}}'
    office.receipt_dead_letters.bodies = ['{"detail": {"customer_id": "C0001", "name": "王小明"}}', theirs]
    office.purge(after=MINUTE)
    assert office.receipt_dead_letters.bodies == [theirs]


def test_nothing_is_deleted_for_a_number_that_others_have_or_had(office: Office) -> None:
    office.customers.add_address(PHONE, "C0002")
    office.reply_dead_letters.bodies = [reply(PHONE)]
    assert office.purge() == frozenset()
    assert office.reply_dead_letters.bodies == [reply(PHONE)]
    assert office.numbers == ()


def test_a_queue_that_was_not_drained_is_logged_and_the_numbers_are_kept_for_the_next_round(
    office: Office,
) -> None:
    office.reply_dead_letters.elsewhere = 1
    office.reply_dead_letters.bodies, office.receipt_dead_letters.bodies = [reply(PHONE)], [PHONE]
    assert office.purge() == {"C0001"}
    assert office.logged("dead_letters_not_erased") == [{"queue": "replies", "error": "QueueNotDrainedError"}]
    # What could be seen is gone, and no queue waits for another.
    assert office.reply_dead_letters.bodies == office.receipt_dead_letters.bodies == []
    assert office.numbers == (PHONE,)
    office.reply_dead_letters.elsewhere = 0
    assert office.purge() == frozenset()


def test_a_call_that_fails_is_logged_by_its_code_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ServiceCallError("DeleteMessage", "AccessDenied")

    monkeypatch.setattr(office.reply_dead_letters, "replace", fails)
    office.reply_dead_letters.bodies = [reply(PHONE)]
    assert office.purge() == {"C0001"}
    assert PHONE not in repr(office.telemetry.events)


@pytest.mark.parametrize("late", ["the invocation", "the look"])
def test_a_queue_too_long_to_be_read_to_its_end_is_logged(office: Office, late: str) -> None:
    office.reply_dead_letters.bodies = [reply(OTHERS)] * 3 + [reply(PHONE)]
    seconds = 60.0
    if late == "the invocation":
        seconds = 4.0
    else:
        look = office.reply_dead_letters.scan

        def slowly() -> object:
            for message in look():
                office.clock.sleep(20)
                yield message

        office.reply_dead_letters.scan = slowly  # type: ignore[method-assign,assignment]
    assert office.purge(seconds=seconds) == {"C0001"}
    assert office.logged("dead_letters_not_erased") == [{"queue": "replies", "error": "ErasureOutOfTimeError"}]


def test_after_days_nothing_of_before_is_on_any_queue_and_the_numbers_go_all_the_same(office: Office) -> None:
    office.reply_dead_letters.elsewhere = office.replies.waiting = 1
    assert office.purge(after=UNDER_WAY + QUEUES_KEEP - MINUTE) == {"C0001"}
    assert office.purge(after=UNDER_WAY + QUEUES_KEEP) == frozenset()
    assert office.numbers == ()


def test_a_customer_who_returned_keeps_the_new_number_and_replies_from_it(office: Office) -> None:
    back = someone(1, phone="+886911111111", consented_at=NOW + MINUTE, as_of=NOW + 2 * MINUTE)
    store_facts(office.customers, back)
    office.customers.add_address(back.phone, "C0001")
    event = '{"detail": {"customer_id": "C0001"}}'
    office.reply_dead_letters.bodies = [reply(PHONE), reply(back.phone)]
    office.receipt_dead_letters.bodies = [event]
    assert office.purge() == frozenset()
    assert office.reply_dead_letters.bodies == [reply(back.phone)]
    assert office.receipt_dead_letters.bodies == [event], "it may be of the time since"
    assert office.numbers == (back.phone,)
    assert office.customers.phones[back.phone] == {"C0001"}
