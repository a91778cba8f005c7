"""Batches of a lender's events: what is written, logged and counted, what comes back, and what is left alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from dunning.contracts.erasure_round import erasure_round_body
from dunning.domain.customer.standing import OpenReview, Standing
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import OutboundEvent
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.services.erasure.erase import ROUND_INTERVAL
from tests.support.people import NOW, someone, waking
from tests.unit.services.test_lender_events import (
    DAY,
    HOUR,
    MINUTE,
    SAID_AT,
    Office,
    attended,
    erased,
    event,
    moved,
    paid,
)


@pytest.fixture
def office() -> Office:
    return Office()


def a_reply(reply_id: str) -> Reply:
    return Reply(
        customer_id="C0001",
        inbound=InboundSms(inbound_id=reply_id, phone="+886900000001", text="?", at=NOW - HOUR),
        intents=(),
        promised_on=None,
        expires_at=NOW + DAY,
    )


def labelled(reply_id: str) -> str:
    return event("ReplyLabelled", reply_id=reply_id, intents=["acknowledged"])


class TestABatch:
    """Costs no call more than it needs, and each customer fails alone."""

    @pytest.mark.parametrize(("customers", "reads"), [(50, 1), (51, 2), (100, 2)])
    def test_reads_as_many_customers_at_once_as_a_call_takes(self, office: Office, customers: int, reads: int) -> None:
        people = [office.add(someone(number)) for number in range(customers)]
        office.receive(*[event("CustomerHold", person.customer_id, reason="dispute") for person in people])
        assert office.store.loads == reads

    @pytest.mark.parametrize(("seconds", "is_taken"), [(4.9, False), (5.0, True)])
    def test_is_taken_as_long_as_five_seconds_are_left(self, office: Office, seconds: float, is_taken: bool) -> None:  # noqa: FBT001
        office.add(someone())
        assert office.receive(paid(), seconds=seconds) == ([] if is_taken else ["0"])

    def test_that_fails_comes_back_in_one_order_and_each_customer_is_logged_and_each_event_counted(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_: object) -> None:
            raise ServiceCallError("BatchGetItem", "Throttling")

        monkeypatch.setattr(office.store, "load_stored", fails)
        customers = [f"C{number:04d}" for number in range(20)]
        bodies = [paid(customer=customer_id) for customer_id in reversed(customers)]
        assert office.receive(*bodies, paid(customer="C0000")) == ["19", "20", *map(str, reversed(range(19)))]
        failed = office.events("lender_event_failed")
        assert sorted((line["customer_id"], line["error"]) for line in failed) == [
            (customer_id, "ServiceCallError") for customer_id in customers
        ]
        assert office.telemetry.counts == {"LenderEventsFailed": 21}

    def test_that_says_nothing_to_others_asks_for_no_call_to_the_bus(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published: list[Sequence[OutboundEvent]] = []
        monkeypatch.setattr(office.publisher, "publish", published.append)
        office.add(someone())
        office.receive(paid(1, account="A0009-9"))
        assert published == []

    def test_without_an_erasure_touches_no_upload_and_no_dead_letter(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: object) -> None:
            raise ServiceCallError("ListObjectVersions", "AccessDenied")

        monkeypatch.setattr("dunning.services.erasure.erase.EraseService.erase_uploads", fails)
        monkeypatch.setattr("dunning.services.erasure.erase.EraseService.erase_again", fails)
        office.add(someone())
        assert office.receive(paid()) == []
        assert office.telemetry.counts == {"LenderEventsRecorded": 1}, "and no hold that is not understood"
        assert office.events("erasure_failed") == []

    def test_with_a_label_alone_of_a_reply_we_do_not_have_needs_no_readable_record(self, office: Office) -> None:
        office.add(someone())
        office.store.unreadable.add("C0001")
        assert office.receive(labelled("in-9")) == []
        assert office.news.failures == 0


class TestTheLog:
    """Names each new event once, by its ids."""

    def test_repeats_no_event_that_was_logged_with_an_earlier_batch(self, office: Office) -> None:
        office.add(someone())
        office.receive(paid())
        office.receive(event("CustomerHold", reason="dispute"))
        assert [line["subject"] for line in office.events("lender_event")] == ["paid:A0001-0#1", "held:dispute"]
        assert office.telemetry.counts["LenderEventsRecorded"] == 2
        assert office.events("lender_event_of_unknown_account") == [], "the account is known"

    def test_counts_what_is_said_of_a_customer_whom_no_file_has_named(self, office: Office) -> None:
        office.receive(paid(), event("CustomerHold", reason="dispute"))
        assert office.telemetry.counts["LenderEventsOfUnknownCustomer"] == 2

    def test_says_nothing_where_an_event_only_repairs_a_crash(self, office: Office) -> None:
        facts = office.add(someone())
        office.store.standings["C0001"] = waking(facts, planned_for="an older release")
        office.receive(labelled("in-9"), paid(at=SAID_AT - 9 * DAY))
        assert "LenderEventsRecorded" not in office.telemetry.counts
        assert office.standing().planned_for != "an older release"

    def test_names_who_has_a_customer_erased_if_the_lender_says_so(self, office: Office) -> None:
        office.add(someone())
        office.receive(erased(by="u-1"), erased(at=SAID_AT - MINUTE))
        (line,) = office.events("lender_event")
        assert (line["customer_id"], line["subject"], line["by"]) == ("C0001", "erased", "u-1")
        assert office.store.lender_records["C0001"].erased_at == SAID_AT, "of two requests the later holds"


class TestWhoeverWritesFirst:
    """Makes the other start over, and nothing is lost or logged twice."""

    def test_of_two_events_of_a_customer_whom_no_file_has_named_both_are_kept(self, office: Office) -> None:
        office.store.meanwhile = [lambda: _received(office, paid(number=2))]
        assert office.receive(paid()) == []
        kept = office.store.lender_records["C0001"].events.values()
        assert sorted(each.event.subject for each in kept) == ["paid:A0001-0#1", "paid:A0001-0#2"]
        assert len(office.events("lender_event")) == 2

    def test_of_one_event_there_is_one_write_and_no_second_look(self, office: Office) -> None:
        assert office.receive(paid()) == []
        assert (office.store.loads, office.store.writes) == (1, 1)

    def test_of_a_new_address_and_a_payment_both_are_kept(self, office: Office) -> None:
        office.add(someone())
        office.store.meanwhile = [lambda: _received(office, paid())]
        assert office.receive(moved("wang@example.com")) == []
        facts = office.store.facts["C0001"]
        assert (facts.email, facts.accounts[0].instalments[0].open) == ("wang@example.com", 0)

    def test_of_a_payment_and_a_load_that_is_about_to_give_an_address_the_note_of_the_load_stays(
        self, office: Office
    ) -> None:
        """Else an erasure would not find the address if the load died now."""
        office.add(someone())
        record = office.store.lender_records["C0001"]
        office.store.lender_records["C0001"] = replace(record, next_addresses=("next@example.com",))
        office.receive(paid())
        assert office.store.lender_records["C0001"].next_addresses == ("next@example.com",)


def _received(office: Office, body: str) -> None:
    assert office.receive(body) == []


class TestSharedAddresses:
    """Are counted when they are found, and at no other event."""

    def test_are_counted_when_the_second_customer_gets_the_address(self, office: Office) -> None:
        for number in (1, 2):
            office.add(someone(number))
        office.receive(moved("home@example.com"))
        assert "PhonesShared" not in office.telemetry.counts
        office.receive(moved("home@example.com", customer="C0002"))
        assert office.telemetry.counts["PhonesShared"] == 1
        office.receive(paid(customer="C0002", account="A0002-0"))
        assert office.telemetry.counts["PhonesShared"] == 1

    def test_that_were_given_up_let_the_other_customer_go_once_and_not_with_each_later_event(
        self, office: Office
    ) -> None:
        for number in (1, 2):
            office.add(someone(number))
        office.receive(moved("home@example.com"), moved("home@example.com", customer="C0002"))
        office.receive(moved("own@example.com", customer="C0002", at=NOW))
        before = office.standing("C0001")
        office.receive(paid(customer="C0002", account="A0002-0"))
        assert office.standing("C0001") is before

    def test_are_left_to_the_load_of_a_customer_whom_it_has_not_planned_yet(self, office: Office) -> None:
        office.add(someone(1, email="home@example.com"))
        office.store.add_address("home@example.com", "C0001")
        facts = office.add(someone(2))
        waits = OpenReview("question", SAID_AT - HOUR, "in-1")
        office.store.standings["C0002"] = replace(waking(facts, None), reason="", planned_for="", attention=(waits,))
        before = office.standing("C0001")
        office.receive(moved("home@example.com", customer="C0002"), event("CustomerAttended", "C0002"))
        assert office.standing("C0001") == before
        assert (office.standing("C0002").shared, office.standing("C0002").attention) == ({}, ())
        assert not office.standing("C0001").shares_address(office.store.facts["C0001"], Channel.EMAIL)


class TestACustomerWithoutFacts:
    """Keeps what is said, and fails nothing."""

    @pytest.mark.parametrize("body", [paid(), attended(), labelled("in-1")], ids=["paid", "attended", "labelled"])
    @pytest.mark.parametrize("standing", [None, waking(someone())], ids=["no standing", "a standing of before"])
    def test_has_no_standing_written(self, office: Office, body: str, standing: Standing | None) -> None:
        office.contacts.keep(a_reply("in-1"))
        if standing:
            office.store.standings["C0001"] = standing
        assert office.receive(body) == []
        assert office.store.standings.get("C0001") is standing
        assert office.events("lender_event_failed") == []


def test_a_label_ends_the_wait_for_who_reads_its_reply_and_no_other(office: Office) -> None:
    facts = someone()
    reviews = tuple(OpenReview("not_understood", NOW - HOUR, reply_id) for reply_id in ("in-1", "in-2"))
    office.add(facts, waking(facts, attention=reviews))
    office.contacts.keep(a_reply("in-1"))
    office.receive(labelled("in-1"))
    assert [review.reply_id for review in office.standing().attention] == ["in-2"]


class TestRoundsOfAnErasure:
    """Read each file that an earlier round may not have read, and no other."""

    def files_read(self, office: Office, *searched_before: datetime | None) -> list[str]:
        """Return the files that are read when these rounds come in one batch."""
        office.add(someone())
        office.receive(erased())
        office.later.messages.clear()
        for days in (1, 2, 3):
            office.uploads.put(f"{days} days old", b"customer_id\r\nC0002\r\n", NOW - days * DAY)
        read: list[str] = []
        real = office.uploads.read

        def reading(upload):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - as the fake
            read.append(upload.key)
            return real(upload)

        office.uploads.read = reading  # type: ignore[method-assign]
        assert office.receive(*[erasure_round_body("C0001", before) for before in searched_before]) == []
        return read

    def test_of_one_batch_go_on_where_the_one_stopped_that_had_come_least_far(self, office: Office) -> None:
        read = self.files_read(office, NOW - DAY - HOUR, NOW - 2 * DAY - HOUR, NOW - HOUR)
        assert read == ["2 days old", "1 days old"]

    def test_of_which_one_has_read_nothing_read_all(self, office: Office) -> None:
        assert len(self.files_read(office, NOW - HOUR, None)) == 3

    def test_never_fall_behind_what_an_earlier_one_has_read(self, office: Office) -> None:
        self.files_read(office, NOW - MINUTE)
        assert office.later.messages == [(erasure_round_body("C0001", NOW - MINUTE), ROUND_INTERVAL)]

    def test_order_the_next_ones_in_one_order_and_none_where_nothing_is_under_way(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        customers = [office.add(someone(number)).customer_id for number in range(1, 13)]
        office.receive(*[erased(customer=customer_id) for customer_id in customers])
        office.later.messages.clear()
        rounds = [erasure_round_body(customer_id) for customer_id in reversed(customers)]
        office.receive(*rounds)
        assert [body for body, _ in office.later.messages] == [
            erasure_round_body(customer_id, NOW - HOUR) for customer_id in customers
        ]

        def none_at_all(bodies: Sequence[str], delay: timedelta) -> None:
            raise AssertionError((bodies, delay))

        monkeypatch.setattr(office.later, "send_with_delay", none_at_all)
        assert office.receive(erasure_round_body("C0777")) == []

    def test_that_fail_come_back_and_order_no_next_one(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        office.add(someone())
        office.receive(erased())
        office.later.messages.clear()

        def fails(*_: object, **__: object) -> None:
            raise ServiceCallError("UpdateItem", "Throttling")

        monkeypatch.setattr(office.contacts, "redact", fails)
        assert office.receive(erasure_round_body("C0001")) == ["0"]
        assert office.later.messages == []

    def test_whose_uploads_cannot_be_listed_come_back_and_are_counted(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.add(someone())
        office.receive(erased())

        def fails() -> None:
            raise ServiceCallError("ListObjectVersions", "AccessDenied")

        monkeypatch.setattr(office.uploads, "uploads", fails)
        assert office.receive(erasure_round_body("C0001")) == ["0"]
        assert office.telemetry.counts["LenderEventsFailed"] == 1
