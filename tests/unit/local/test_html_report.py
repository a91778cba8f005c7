"""The page that a manager can mail: its numbers, what it says first, and what it never holds."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from markupsafe import Markup

from dunning.domain.delivery.receipt import DeliveryStatus
from dunning.domain.effect_rates import CountedDay, EffectRates, effect_rates
from tests.local.html_report import report_page
from tests.local.journeys import Journey, Step
from tests.local.report import Example
from tests.local.trial_report import trials_section
from tests.support.html_tables import tables_of
from tests.support.lively_trials import lively

TEXT = {"at": "x", "to": "+886912345678", "text": "secret <b>text</b>", "message_id": "m", "channel": "sms"}


def a_text(local_at: str, customer_id: str, segments: int = 1, message_id: str = "m1") -> dict[str, Any]:
    return {**TEXT, "local_at": local_at, "customer_id": customer_id, "segments": segments, "message_id": message_id}


def a_contact(message_id: str, price: int, state: str = "delivered", failure: str = "") -> dict[str, Any]:
    return {"message_id": message_id, "price_usd_micros": price, "state": state, "delivery_status": failure}


def an_amount(day: str, stage: str = "none", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a line
    line = {"day": day, "lender": "demo-tw", "place": "TW", "currency": "TWD", "stage": stage}
    return {**line, "overdue": 0, "promised": 0, "paid": 0, **more}


def a_customer_line(customer_id: str, *reasons: str) -> dict[str, Any]:
    return {"customer_id": customer_id, "waits_for_person": [{"why": why, "since": "x"} for why in reasons]}


MONEY = [
    an_amount("2026-12-01", overdue=1_000_00),
    an_amount("2026-12-02", overdue=900_00, paid=100_00, promised=50_00),
    an_amount("2026-12-02", "3", overdue=10_00, paid=7_00),
    an_amount("2026-12-02", "-3", paid=2_00, lender="demo-cn", place="CN", currency="CNY"),
]
TEXTS = [
    a_text("2026-12-01T09:30:00+08:00", "C1", 2, "m1"),
    a_text("2026-12-02T09:10:00+08:00", "C1", 1, "m2"),
    a_text("2026-12-02T14:00:00-05:00", "C2", 1, "m3"),
]
CONTACTS = [
    a_contact("m1", 100_000),
    a_contact("m2", 50_000, "failed", "temporary_failure"),
    a_contact("m3", 40_000, "failed", ""),
    a_contact("", 1, "refused"),
]


ONLY_SMS: dict[str, Any] = {
    "states": {"sms": {"delivered": 1}}, "came_back": {}, "customers_by_channels": {"1": 2}, "fallbacks": 0,
}  # fmt: skip
CHANNELS: dict[str, Any] = {
    "states": {"sms": {"delivered": 1}, "email": {"failed": 2}, "line": {"sent": 3, "refused": 1}},
    "came_back": {"email": {"bounce": 2}, "line": {"words": 1}},
    "customers_by_channels": {"1": 2, "3": 1},
    "fallbacks": 1,
}
SENT_THERE = {"texts": 4, "customers": 2, "segments": 0, "cost_usd": 0.02}


NO_TRIALS = Markup()


def a_page(  # noqa: PLR0913 - what a run writes
    *,
    texts: Sequence[Any] = TEXTS,
    money: Sequence[Any] = MONEY,
    examples: Sequence[Example] = (),
    days: int = 2,
    is_sample: bool = True,
    file: str = "accounts.csv",
    channels: Mapping[str, Any] = ONLY_SMS,
    journeys: Sequence[Journey] = (),
    trials: Markup = NO_TRIALS,
    rates: EffectRates | None = None,
) -> str:
    summary = {
        "run": {"start": "2026-12-01", "last_day": "2026-12-02", "days": days, "loaded": 3, "file": file},
        "sent": {
            "texts": len(texts),
            "cost_usd": 0.19,
            "by_state": {"delivered": 1, "failed": 2, "refused": 1},
            "by_country": {"TW": {"texts": 2, "segments": 3, "cost_usd": 0.15}},
            "by_channel": dict.fromkeys(channels["states"], SENT_THERE),
        },
        "channels": channels,
        "replies": {"total": 4, "not_understood": 1, "by_intent": {"paid": 2, "opt_out": 3}},
    }
    customers = [
        a_customer_line("C1", "hardship", "question"),
        a_customer_line("C2"),
        a_customer_line("C3", "question"),
    ]
    return report_page(
        summary,
        texts=texts,
        contacts=CONTACTS,
        customers=customers,
        money=money,
        examples=examples,
        is_sample=is_sample,
        journeys=journeys,
        trials=trials,
        rates=rates,
    )


def test_the_first_line_says_what_the_page_does_not_show() -> None:
    page = a_page()
    first = re.sub(r"<[^>]+>", "", page.partition("<body>")[2].strip().partition("\n")[0])
    assert first.startswith("What this page does not show: what the texts have caused. There was no control group")


def test_a_page_with_trials_says_that_what_texts_have_caused_stands_there_alone() -> None:
    quiet = lively().results[:1]
    page = a_page(trials=trials_section(quiet, {}))
    first = re.sub(r"<[^>]+>", "", page.partition("<body>")[2].strip().partition("\n")[0])
    assert first.startswith("What the texts have caused stands under Trials, and only there.")
    assert "There was no control group" not in page
    assert page.count('<h2 id="trials">') == 1


def test_opt_outs_and_complaints_stand_by_stage_hour_and_wording_if_any_reminder_was_sent() -> None:
    counters = {
        "sent:7": 400, "hour:10": 400, "text:x@1": 400, "payer:?": 400,
        "opt_out_by_stage:7": 2, "opt_out_by_hour:10": 2, "opt_out_by_text:x@1": 2, "opt_out_by_payer:?": 2,
    }  # fmt: skip
    day = date(2026, 12, 1)
    tables = tables_of(a_page(rates=effect_rates([CountedDay(day, counters)], day, day)))
    for caption in ("By stage", "By the customer's hour", "By wording"):
        row, everything = tables[caption]
        assert row[1:3] == everything[1:3] == ["400", "5.0 (1.4 to 18.0)"]
    assert "By payer segment" not in tables
    assert 'id="rates"' not in a_page(rates=effect_rates([], day, day))


def test_nothing_is_fetched_and_nothing_runs() -> None:
    page = a_page()
    assert not re.findall(r"<script|<link|<img|<iframe|@import|url\(|\shref=|\ssrc=|\son\w+=|https?:", page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    ("caption", "rows"),
    [
        ("In all", [["CNY", "0", "0", "0", "2.00"], ["TWD", "1,000", "910", "50", "107"]]),
        ("TWD by day", [["2026-12-01", "1,000", "0", "0"], ["2026-12-02", "910", "50", "107"]]),
        ("CNY by day", [["2026-12-01", "0", "0", "0"], ["2026-12-02", "0", "0", "2.00"]]),
        (
            "By the last text about the instalment",
            [
                ["no text yet", "TWD", "900", "50", "100"],
                ["-3: 3 days before", "CNY", "0", "0", "2.00"],
                ["+3: 3 days after", "TWD", "10", "0", "7"],
            ],
        ),
        ("By lender", [["demo-cn", "CNY", "0", "0", "2.00"], ["demo-tw", "TWD", "910", "50", "107"]]),
        ("By place", [["CN", "CNY", "0", "0", "2.00"], ["TW", "TWD", "910", "50", "107"]]),
        ("By day", [["2026-12-01", "1"], ["2026-12-02", "2"]]),
        ("By hour of the day", [["09:00", "2"], ["14:00", "1"]]),
        ("By customer: 1.0 texts on average, 1 in the middle, 2 at most", [["0", "1"], ["1", "1"], ["2", "1"]]),
        (
            "Texts by what the carrier has reported",
            [["did not arrive", "2"], ["arrived", "1"], ["refused by the carrier", "1"]],
        ),
        (
            "What did not arrive, by class",
            [["could not be reached for now", "1"], ["did not arrive, for an unknown cause", "1"]],
        ),
        ("By what was understood", [["wants no texts", "3"], ["has paid", "2"], ["in doubt: a person reads it", "1"]]),
        ("By country of the number", [["TW", "2", "3", "$0.15", "$0.0750"]]),
        ("By segments of a text", [["1", "2", "2", "$0.09"], ["2", "1", "2", "$0.10"]]),
        ("By reason", [["asks something", "2", "C1, C3"], ["cannot pay", "1", "C1"]]),
    ],
)
def test_each_table_says_what_the_run_recorded(caption: str, rows: list[list[str]]) -> None:
    assert tables_of(a_page())[caption] == rows


def test_every_chart_stands_beside_a_table_of_its_figures() -> None:
    page = a_page()
    pairs = page.split('<div class="pair">')[1:]
    assert len(pairs) == 5
    assert sum(pair.partition("</figure>")[0].count("<svg") for pair in pairs) == page.count("<svg")
    for pair in pairs:
        assert "<table" in pair.partition("</figure>")[0]


def test_a_long_run_is_shown_by_month() -> None:
    money = [an_amount("2026-12-02", overdue=5_00, paid=1_00), an_amount("2026-12-31", overdue=3_00, paid=2_00)]
    tables = tables_of(a_page(money=money, days=120))
    assert tables["TWD by month"][:2] == [["2026-12", "3", "0", "3"], ["2027-01", "0", "0", "0"]]
    assert tables["By month"][0] == ["2026-12", "3"]
    assert sum(len(rows) for rows in tables.values()) < 60


def test_a_run_without_texts_payments_and_replies_has_its_page() -> None:
    tables = tables_of(a_page(texts=[], money=[]))
    assert "By customer: 0.0 texts on average, 0 in the middle, 0 at most" in tables
    assert "In all" not in tables


def test_texts_are_shown_as_they_arrived_with_the_number_masked_and_never_as_markup() -> None:
    example = Example("2026-12-01 09:30", "+886912345678", 3, "zh-Hant", 2, "UCS-2", "【甲】<b>王*明您好</b>")
    page = a_page(examples=[example], is_sample=False, file="<i>mine.csv")
    assert "+886 9** *** 678 · 3 days after · 2 segments UCS-2" in page
    assert '<blockquote lang="zh-Hant">【甲】&lt;b&gt;王*明您好&lt;/b&gt;</blockquote>' in page
    assert "&lt;i&gt;mine.csv" in page
    assert "made up" not in page
    assert "912345678" not in page
    assert "secret" not in page


def test_channels_have_their_section_once_there_is_more_than_sms() -> None:
    assert "By channel" not in tables_of(a_page())
    page = a_page(channels=CHANNELS)
    tables = tables_of(page)
    assert tables["By channel"] == [
        ["SMS", "4", "2", "$0.0200", "$0.0050", "1", "0", "0", "0"],
        ["LINE", "4", "2", "$0.0200", "$0.0050", "0", "0", "1", "3"],
        ["mail", "4", "2", "$0.0200", "$0.0050", "0", "2", "0", "0"],
    ]
    assert tables["Customers by the channels that reached them"] == [["1", "2"], ["3", "1"]]
    assert [(row[0], row[2]) for row in tables["What came back from services beside SNS"]] == [
        ("LINE", "1"), ("mail", "2"),
    ]  # fmt: skip
    assert "1 stage was repeated on another channel" in page


def test_a_journey_is_a_table_of_its_own_and_holds_no_markup_of_others() -> None:
    journey = Journey("C0270", "over most channels", [Step("2026-11-16 10:00", "LINE", "<b>")], "paid (nothing_open)")
    page = a_page(channels=CHANNELS, journeys=[journey])
    assert tables_of(page)["C0270: over most channels"][-1] == ["at the end", "paid (nothing_open)"]
    assert "LINE: &lt;b&gt;" in page


def test_what_a_message_without_segments_costs_stands_under_its_channel() -> None:
    mail = {**a_text("2026-12-02T14:00:00+08:00", "C2", 1, "m3"), "channel": "email"}
    assert tables_of(a_page(texts=[*TEXTS[:2], mail]))["By segments of a text"] == [
        ["1", "1", "1", "$0.05"],
        ["2", "1", "2", "$0.10"],
        ["mail", "1", "", "$0.04"],
    ]


def test_a_mail_and_a_bubble_are_shown_with_what_they_have_beside_words_and_never_as_markup() -> None:
    mail = Example("x", "wang@example.com", 3, "en", 1, "text", "Body", "email", "<i>Subject", "<i>Preview")
    bubble = Example("x", "U" + "a1" * 16, 3, "en", 1, "text", "Hello", "line", buttons=("<i>Paid",))
    page = a_page(examples=[mail, bubble])
    assert "w***@example.com" in page
    for words in ("<b>&lt;i&gt;Subject</b>", "&lt;i&gt;Preview</span>", '<span class="button">&lt;i&gt;Paid</span>'):
        assert words in page
    assert "wang@" not in page
    assert "a1a1" not in page


def test_every_class_of_failure_has_words() -> None:
    for failure in DeliveryStatus:
        contacts = [a_contact("m1", 1, "failed", failure.value)]
        page = report_page(
            {
                "run": {"start": "2026-12-01", "last_day": "2026-12-01", "days": 1, "loaded": 1, "file": "x"},
                "sent": {"texts": 1, "cost_usd": 0, "by_state": {}, "by_country": {}, "by_channel": {}},
                "channels": ONLY_SMS,
                "replies": {"total": 0, "not_understood": 0, "by_intent": {}},
            },
            texts=[],
            contacts=contacts,
            customers=[],
            money=[],
            examples=[],
            is_sample=False,
        )
        ((words, number),) = tables_of(page)["What did not arrive, by class"]
        assert (number, words != failure.value) == ("1", True)
