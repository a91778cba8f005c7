"""Readings of a run: what is written down of each reply, what followed, and how often the reader was right."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.customer.facts import EVERY_HOLD, Hold, HoldReason
from dunning.domain.customer.standing import PaymentStatement, PromiseToPay, ReplyLabel, Standing
from dunning.domain.replies.intents import Band, ReplyIntent
from dunning.domain.replies.reply import InboundSms, Reply
from tests.local.people import WrittenReply
from tests.local.readings import band_of_reply, choose_replies, reading_figures, reply_line
from tests.support.people import NOW, someone

TAIPEI = ZoneInfo("Asia/Taipei")
FRIDAY = date(2026, 12, 4)


def a_reply(*sure: ReplyIntent, likely: tuple[ReplyIntent, ...] = (), **more: Any) -> Reply:  # noqa: ANN401 - fields
    inbound = InboundSms(inbound_id="r1", phone="+886900000001", text="會繳", at=NOW)
    fields: dict[str, Any] = {"intents": (*sure, *likely), "promised_on": None, "expires_at": NOW}
    return Reply(customer_id="C0001", inbound=inbound, sure=sure, likely=likely, **{**fields, **more})


def followed(reply: Reply, standing: Standing | None = None, **more: Any) -> list[str]:  # noqa: ANN401 - of reply_line
    line = reply_line(reply, zone=TAIPEI, standing=standing or Standing(customer_id="C0001"), **more)
    return list(line["followed"])


def a_line(
    meant: str | None, *sure: str, likely: tuple[str, ...] = (), number: int = 1, **more: object
) -> dict[str, Any]:
    guess = [*sure, *likely]
    return {
        "at": "2026-12-01T02:00:00Z",
        "reply_id": f"r{number}",
        "customer_id": "C0001",
        "text": f"text {number}",
        "band": band_of_reply(sure, likely),
        "guess": guess,
        "sure": list(sure),
        "likely": list(likely),
        "followed": ["silent through 2026-12-04 (doubt)"],
        "meant": {"intents": [meant], "promised_on": None} if meant else None,
        "right": guess == [meant] if meant else None,
        **more,
    }


def test_a_line_says_what_was_understood_how_certainly_and_what_the_corpus_says() -> None:
    reply = a_reply(ReplyIntent.PROMISE, promised_on=FRIDAY, why=("promise 0.98: pay",))
    line = reply_line(reply, zone=TAIPEI, written=WrittenReply("會繳", (ReplyIntent.PAID,), None))
    assert line["local_at"].endswith("+08:00")
    assert (line["band"], line["sure"], line["promised_on"]) == ("sure", ["promise"], "2026-12-04")
    assert (line["meant"], line["right"]) == ({"intents": ["paid"], "promised_on": None}, False)
    assert (line["why"], line["label"]) == (["promise 0.98: pay"], None)


def test_a_label_of_a_person_is_written_down_beside_the_reading() -> None:
    label = ReplyLabel(at=NOW, intents=("hardship",))
    line = reply_line(a_reply(ReplyIntent.PAID).with_label(label), zone=TAIPEI)
    assert line["label"]["intents"] == ["hardship"]
    assert line["sure"] == ["paid"]


def test_nothing_changes_after_a_reply_without_a_consequence() -> None:
    assert followed(a_reply(ReplyIntent.ACKNOWLEDGED)) == ["nothing changes"]


def test_what_followed_names_until_when_the_longest_silence_first_and_who_is_called() -> None:
    holds = (
        Hold(HoldReason.DOUBT, FRIDAY, NOW),
        Hold(HoldReason.HARDSHIP, None, NOW),
        Hold(HoldReason.QUESTION, FRIDAY, NOW - timedelta(days=1)),
    )
    standing = Standing(customer_id="C0001", holds=holds)
    reply = a_reply(likely=(ReplyIntent.HARDSHIP,))
    assert followed(reply, standing, needs=["hardship", "question"]) == [
        "silent until a person releases it (hardship)",
        "silent through 2026-12-04 (doubt)",
        "a person is called (hardship, question)",
    ]
    released = replace(someone(), released={EVERY_HOLD: NOW})
    assert followed(reply, standing, facts=released)[0] == "silent until a person released it (hardship)"


@pytest.mark.parametrize(
    ("intent", "words"), [(ReplyIntent.OPT_OUT, "no text any more"), (ReplyIntent.OPT_IN, "texts again")]
)
def test_a_sure_opt_out_or_opt_in_is_said_first(intent: ReplyIntent, words: str) -> None:
    assert followed(a_reply(intent)) == [words]
    assert followed(a_reply(likely=(intent,))) == ["nothing changes"]


def test_an_opt_out_of_one_account_names_its_digits() -> None:
    assert followed(a_reply(ReplyIntent.OPT_OUT, digits="4321")) == ["no text about the account 4321 any more"]


@pytest.mark.parametrize(("kept", "words"), [(None, "open"), (True, "kept"), (False, "broken")])
def test_a_promise_says_what_became_of_it(kept: bool | None, words: str) -> None:  # noqa: FBT001 - of a promise
    written = PaymentStatement(
        reason=HoldReason.PROMISE, said_at=NOW, day=NOW.date(), until=FRIDAY, accounts=("A1",), about=("A1#1",)
    )
    standing = Standing(customer_id="C0001", payment_statements=(written,))
    promised = replace(standing, promises={"A1#1": PromiseToPay(NOW, FRIDAY, kept)})
    until = "silent through 2026-12-04, or until it is paid"
    assert followed(a_reply(ReplyIntent.PROMISE), promised) == [f"{until} (promise: {words})"]
    assert followed(a_reply(ReplyIntent.PROMISE), standing) == [f"{until} (promise: an earlier one counts)"]
    paid = replace(standing, payment_statements=(replace(written, reason=HoldReason.SAYS_PAID),))
    assert followed(a_reply(ReplyIntent.PAID), paid) == [f"{until} (says_paid)"]


def test_contact_that_has_ended_is_said_so() -> None:
    standing = Standing(customer_id="C0001", holds=(Hold(HoldReason.DECEASED, None, NOW),))
    assert followed(a_reply(ReplyIntent.DECEASED), standing) == ["no contact any more (deceased)"]


@pytest.mark.parametrize(
    ("sure", "likely", "band"),
    [
        (("paid",), (), Band.SURE),
        (("paid",), ("question",), Band.LIKELY),
        ((), ("paid",), Band.LIKELY),
        ((), (), Band.DOUBT),
    ],
)
def test_a_reply_is_as_certain_as_the_least_certain_of_what_is_heard(
    sure: tuple[str, ...], likely: tuple[str, ...], band: str
) -> None:
    assert band_of_reply(sure, likely) == band


def test_of_each_intent_it_is_counted_how_it_was_read_and_how_often_rightly() -> None:
    figures = reading_figures(
        [
            a_line("paid", "paid", number=1),
            a_line("promise", "paid", number=2),
            a_line("paid", likely=("paid",), number=3),
            a_line("paid", number=4),
            a_line("paid", "paid", number=1, customer_id="C0002"),
        ]
    )
    assert figures["judged"] == 4
    assert figures["by_band"] == {
        "sure": {"replies": 2, "judged": 2, "right": 1},
        "likely": {"replies": 1, "judged": 1, "right": 1},
        "doubt": {"replies": 1, "judged": 1, "right": 0},
    }
    assert figures["read"] == {
        "paid": {"meant": 3, "sure": 2, "sure_right": 1, "likely": 1, "likely_right": 1, "in_doubt": 1},
        "promise": {"meant": 1, "sure": 0, "sure_right": 0, "likely": 0, "likely_right": 0, "in_doubt": 1},
    }


def test_a_reply_that_had_to_be_followed_by_silence_and_was_not_is_counted() -> None:
    figures = reading_figures(
        [
            a_line("hardship", "acknowledged", number=1, followed=["nothing changes"]),
            a_line("acknowledged", "acknowledged", number=2, followed=["nothing changes"]),
            a_line("hardship", "hardship", number=3),
        ]
    )
    assert (figures["needing_silence"], figures["needing_silence_without"]) == (2, 1)


def test_replies_of_a_users_own_are_counted_by_band_and_judged_by_nobody() -> None:
    figures = reading_figures([a_line(None, "paid")])
    assert figures["judged"] == 0
    assert figures["by_band"]["sure"] == {"replies": 1, "judged": 0, "right": 0}
    assert choose_replies([a_line(None, "paid")]) == []


def test_ten_replies_are_shown_of_all_bands_the_wrong_ones_too_and_no_text_twice() -> None:
    lines = [a_line("paid", "paid", number=number) for number in range(30)]
    lines += [a_line("promise", likely=("paid",), number=40), a_line("chat", number=41), a_line("chat", number=42)]
    lines += [a_line("chat", number=43, text="text 41")]
    chosen = choose_replies(lines)
    assert len(chosen) == 10
    assert {line["band"] for line in chosen} == set(Band)
    assert {line["right"] for line in chosen} == {True, False}
    assert len({line["text"] for line in chosen}) == 10
    assert chosen == choose_replies(reversed(lines))
