"""Customers of several channels in the local run: every kind of event comes back, and what follows is what has to."""

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.local.channel_life import NO_MORE_MAIL, Part
from tests.local.console import LocalConsole
from tests.local.journeys import CAME_BACK
from tests.local.report import report
from tests.local.runner import Result, begin_of, run
from tests.local.sample import PARTS, sample_file
from tests.support.html_tables import tables_of

pytestmark = pytest.mark.slow(reason="plays weeks of a lender with three channels on the embedded AWS")

START = date(2026, 11, 16)
DAYS = 24
OF_PART = {part: customer_id for customer_id, part in PARTS.items()}
PRICES = {"email": 100, "line": 6_500}


def _accounts_of_lender() -> bytes:
    header, *rows = csv.reader(io.StringIO(sample_file(START).decode("utf-8-sig"), newline=""))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *(row for row in rows if row[header.index("lender")] == "demo-channels")])
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run(_accounts_of_lender(), start=START, days=DAYS, out=tmp_path_factory.mktemp("channels"), sample=True)


def _lines(result: Result, what: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.files[what].read_text("utf-8").splitlines()]


def _of(part: Part, lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [line for line in lines if line.get("customer_id") == OF_PART[part]]


def _stages(part: Part, result: Result) -> list[tuple[str, int, str]]:
    """Return the messages to somebody: channel, stage and state, in the order of time."""
    return [(line["channel"], line["stage"], line["state"]) for line in _of(part, _lines(result, "contacts"))]


def _when(part: Part, kind: str, result: Result) -> datetime:
    (line,) = [line for line in _of(part, _lines(result, "came back")) if line["kind"] == kind]
    return datetime.fromisoformat(line["at"])


class TestWhatComesBack:
    """From the services and from the people, through the functions."""

    def test_is_of_every_kind_and_nothing_ends_among_the_dead_letters(self, played: Result) -> None:
        assert {line["kind"] for line in _lines(played, "came back")} == set(CAME_BACK)
        assert played.summary["run"]["dead_letters"] == 0

    @pytest.mark.parametrize(
        ("part", "kind"),
        [
            (Part.STOPS_IN_WORDS, "words"),
            (Part.PRESSES_STOP, "button"),
            (Part.UNSUBSCRIBES, "unsubscribed"),
            (Part.MARKS_AS_UNWANTED, "complaint"),
        ],
    )
    def test_a_stop_on_a_channel_ends_all_channels(self, part: Part, kind: str, played: Result) -> None:
        stopped_at = _when(part, kind, played)
        sent = [datetime.fromisoformat(line["at"]) for line in _of(part, played.outbox)]
        assert len(sent) == 1
        assert sent[0] < stopped_at
        (customer,) = _of(part, _lines(played, "customers"))
        assert customer["reason"] == "opted_out"

    def test_a_program_that_looks_at_the_address_of_the_button_stops_nothing(self, played: Result) -> None:
        looked, pressed = (_when(Part.UNSUBSCRIBES, kind, played) for kind in ("button_opened", "unsubscribed"))
        (reply,) = _of(Part.UNSUBSCRIBES, _lines(played, "replies"))
        assert looked < pressed == datetime.fromisoformat(reply["at"])

    def test_after_a_bounce_the_stage_is_repeated_by_text_and_the_address_is_left_alone(self, played: Result) -> None:
        first, second, *later = _stages(Part.MAILBOX_GONE, played)
        assert (first, second) == (("email", 3, "failed"), ("sms", 3, "delivered"))
        assert {channel for channel, _, _ in later} == {"sms"}

    def test_a_full_mailbox_is_tried_again_after_another_channel(self, played: Result) -> None:
        first, second, *later = _stages(Part.MAILBOX_FULL, played)
        assert (first, second) == (("email", 3, "failed"), ("sms", 3, "delivered"))
        assert "email" in {channel for channel, _, _ in later}

    def test_a_text_whose_phone_is_off_is_given_up_within_the_hours_and_repeated(self, played: Result) -> None:
        first, second, *_ = _stages(Part.PHONE_OFF, played)
        assert (first, second) == (("sms", 3, "failed"), ("sms", 3, "delivered"))
        (expired,) = [
            line for line in _of(Part.PHONE_OFF, _lines(played, "came back")) if line["kind"] == "ttl_expired"
        ]
        assert 9 <= datetime.fromisoformat(expired["local_at"]).hour < 21

    def test_who_blocks_the_account_is_reached_by_mail_and_after_its_bounce_by_text(self, played: Result) -> None:
        assert [channel for channel, _, _ in _stages(Part.BLOCKS, played)][:3] == ["line", "email", "sms"]
        assert "line" not in {channel for channel, _, _ in _stages(Part.BLOCKS, played)[1:]}

    def test_who_comes_back_is_reached_on_line_again(self, played: Result) -> None:
        blocked, followed = (_when(Part.BLOCKS_AND_RETURNS, kind, played) for kind in ("block", "follow"))
        on_line = [
            datetime.fromisoformat(line["at"])
            for line in _of(Part.BLOCKS_AND_RETURNS, played.outbox)
            if line["channel"] == "line"
        ]
        assert not [moment for moment in on_line if blocked < moment < followed]
        assert [moment for moment in on_line if moment > followed]

    def test_who_is_no_friend_gets_the_stage_by_mail(self, played: Result) -> None:
        assert _stages(Part.NO_FRIEND, played)[:2] == [("line", -3, "refused"), ("email", -3, "delivered")]

    def test_a_message_whose_answer_was_lost_is_there_once(self, played: Result) -> None:
        first, *_ = _of(Part.ANSWER_LOST, _lines(played, "contacts"))
        assert (first["channel"], first["state"]) == ("line", "sent")
        assert Counter(line["message_id"] for line in _of(Part.ANSWER_LOST, played.outbox))[first["message_id"]] == 1

    def test_a_button_means_what_it_says_though_line_tells_of_it_twice(self, played: Result) -> None:
        replies = _lines(played, "replies")
        for part, intent in ((Part.PRESSES_PAID, "paid"), (Part.PRESSES_HARDSHIP, "hardship")):
            (reply,) = _of(part, replies)
            assert (reply["channel"], reply["text"], reply["sure"]) == ("line", "", [intent])

    def test_a_sticker_is_for_a_person(self, played: Result) -> None:
        events = [line["detail"] for line in _lines(played, "events") if line["event"] == "ReplyNotUnderstood"]
        assert OF_PART[Part.SENDS_STICKER] in {detail["customer_id"] for detail in events}


def test_caps_count_all_channels_together(played: Result) -> None:
    sent: defaultdict[str, list[datetime]] = defaultdict(list)
    for line in played.outbox:
        sent[line["customer_id"]].append(datetime.fromisoformat(line["at"]))
    assert max(map(len, sent.values())) > 4
    for moments in sent.values():
        assert all(later - earlier >= timedelta(hours=24) for earlier, later in pairwise(moments))
        assert all(fourth - first >= timedelta(days=7) for first, fourth in zip(moments, moments[3:], strict=False))


def test_nothing_goes_out_outside_the_hours_on_any_channel(played: Result) -> None:
    assert {line["channel"] for line in played.outbox} == {"sms", "email", "line"}
    for line in played.outbox:
        assert 9 <= datetime.fromisoformat(line["local_at"]).hour < 21


class TestTheReport:
    """Each number of it, counted again from other files."""

    def test_says_of_each_channel_what_was_sent_what_it_cost_and_what_became_of_it(self, played: Result) -> None:
        tables = tables_of(played.files["page"].read_text("utf-8"))
        contacts = _lines(played, "contacts")
        names = {"SMS": "sms", "LINE": "line", "mail": "email"}
        groups = {"delivered": 5, "failed": 6, "refused": 7, "sent": 8, "unknown": 8, "unconfirmed": 8}
        assert [row[0] for row in tables["By channel"]] == list(names)
        for row in tables["By channel"]:
            of_channel = [line for line in contacts if line["channel"] == names[row[0]]]
            sent = [line for line in played.outbox if line["channel"] == names[row[0]]]
            assert int(row[1]) == len(sent)
            assert int(row[2]) == len({line["customer_id"] for line in sent})
            micros = sum(line["price_usd_micros"] for line in of_channel if line["message_id"])
            assert float(row[3].removeprefix("$")) == pytest.approx(micros / 1_000_000, abs=0.005)
            if row[0] != "SMS":
                assert {line["price_usd_micros"] for line in of_channel} == {PRICES[names[row[0]]]}
            counted: Counter[int] = Counter()
            for line in of_channel:
                counted[groups[line["state"]]] += 1
            assert {column: int(row[column]) for column in (5, 6, 7, 8)} == {n: counted[n] for n in (5, 6, 7, 8)}

    def test_counts_customers_by_channels_and_what_came_back(self, played: Result) -> None:
        tables = tables_of(played.files["page"].read_text("utf-8"))
        on: defaultdict[str, set[str]] = defaultdict(set)
        for line in played.outbox:
            on[line["customer_id"]].add(line["channel"])
        reached = Counter(len(channels) for channels in on.values())
        assert {int(n): int(who) for n, who in tables["Customers by the channels that reached them"]} == reached
        assert set(reached) == {1, 2, 3}
        shown = {
            (channel, what): int(times) for channel, what, times in tables["What came back from services beside SNS"]
        }
        names = {"sms": "SMS", "line": "LINE", "email": "mail"}
        lines = _lines(played, "came back")
        assert shown == Counter((names[line["channel"]], CAME_BACK[line["kind"]]) for line in lines)

    def test_no_receipt_is_said_to_have_come_of_a_message_on_line(self, played: Result) -> None:
        states = played.summary["channels"]["states"]["line"]
        assert set(states) <= {"sent", "refused"}

    def test_shows_journeys_over_channels_and_a_message_of_each(self, played: Result) -> None:
        shown = {journey.shows: journey for journey in played.journeys}
        assert set(shown) == {
            "over most channels",
            "another channel after a bounce",
            "a stop on LINE ends all channels",
            "the button of a mail ends all channels",
        }
        assert {step.channel for step in shown["over most channels"].steps} == {"LINE", "mail", "SMS"}
        whole = "\n".join(report(played.summary, played.examples, {}, played.replies, played.journeys))
        for words in ("subject       ", "preview       ", "[已繳款]", "ONE CUSTOMER OVER SEVERAL CHANNELS"):
            assert words in whole


def test_a_mails_line_has_subject_and_preview_and_a_bubbles_line_its_buttons(played: Result) -> None:
    for line in played.outbox:
        assert ("subject" in line) == ("preview" in line) == (line["channel"] == "email")
        assert ("buttons" in line) == (line["channel"] == "line")
        if line["channel"] == "email":
            assert not any(digit in line["subject"] + line["preview"] for digit in "0123456789")


def test_a_users_own_customers_on_channels_are_reached_and_nothing_is_made_up(played: Result) -> None:
    out = played.files["sent"].parent / "own"
    own = run(_accounts_of_lender(), start=START, days=4, out=out)
    assert {line["channel"] for line in own.outbox} == {"sms", "email", "line"}
    assert {line["kind"] for line in _lines(own, "came back")} == {"pending", "sent", "delivered"}
    assert own.summary["replies"]["total"] == 0


def test_on_the_page_of_the_clock_a_customer_presses_a_button_of_the_last_message() -> None:
    header, *rows = csv.reader(io.StringIO(_accounts_of_lender().decode()))
    played = {OF_PART[part] for part in (Part.PRESSES_PAID, Part.MAILBOX_FULL, Part.MARKS_AS_UNWANTED)}
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *(row for row in rows if row[0] in played)])
    accounts = text.getvalue().encode()
    with LocalConsole(accounts=accounts, start=begin_of(START), days=6, is_lively=False) as console:
        on_line, by_mail = OF_PART[Part.PRESSES_PAID], OF_PART[Part.MARKS_AS_UNWANTED]
        for customer_id, code, understood in ((on_line, "hardship", "hardship"), (by_mail, NO_MORE_MAIL, "opt_out")):
            act = console.act({"act": "press", "customer": customer_id, "code": code})
            assert act is not None
            assert act.happened is not None
            assert [reply.intents for reply in act.happened.replies] == [(understood,)]
        refused = console.act({"act": "press", "customer": on_line, "code": NO_MORE_MAIL})
        assert refused is not None
        assert (refused.done, refused.happened) == ("no_button", None)
        act = console.act({"act": "reply", "customer": on_line, "text": "不要再傳了"})
        assert act is not None
        assert act.happened is not None
        assert [reply.intents for reply in act.happened.replies] == [("opt_out",)]
        assert [each.kind for each in console.world.life.came_back if each.channel == "line"] == ["button", "words"]
