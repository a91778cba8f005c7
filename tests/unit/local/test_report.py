"""The closing report is readable and stays within its width."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dunning.domain.decision.decisions import Reason
from dunning.domain.delivery.contact import ContactState
from dunning.domain.replies.intents import Band, ReplyIntent
from dunning.evidence.words import REASONS, stage_name
from ops.columns import WIDTH, fold, pad, width_of
from tests.local.journeys import CAME_BACK, Journey, Step
from tests.local.report import Example, choose_examples, dollars, mask_address, mask_phone, report, table

_FIGURES = {"texts": 1_234, "customers": 567, "segments": 2_345, "cost_usd": 97.5}
_RUN = {
    "file": "帳戶.csv",
    "start": date(2026, 11, 16).isoformat(),
    "last_day": "2026-12-30",
    "days": 45,
    "customers": 260,
    "loaded": 258,
    "rows": 2_859,
    "ticks": 90,
    "dead_letters": 2,
    "calendar_days_left": 59,
    "wall_seconds": 12.3,
}
SUMMARY: dict[str, Any] = {
    "run": _RUN,
    "sends": {
        "decided": 1_250,
        "published": 1_230,
        "throttled": 15,
        "refused": 3,
        "unknown": 2,
        "confirmations": 4,
    },
    "sent": {
        **_FIGURES,
        "by_stage": {"-3": _FIGURES, "0": _FIGURES, "30": _FIGURES, "None": _FIGURES},
        "by_country": {"TW": _FIGURES},
        "by_channel": {"sms": _FIGURES, "email": {**_FIGURES, "cost_usd": 0.0038}, "line": _FIGURES},
        "by_state": {state.value: 10 for state in ContactState},
    },
    "channels": {
        "states": {"sms": {"delivered": 3, "unknown": 1}, "line": {"sent": 7, "refused": 2}},
        "came_back": {channel: dict.fromkeys(CAME_BACK, 4) for channel in ("sms", "email", "line")},
        "customers_by_channels": {"1": 560, "2": 6, "3": 1},
        "fallbacks": 3,
    },
    "decisions": {
        "send": {},
        "wait": {"quiet_hours": {"customers": 3, "decisions": 4, "by_stage": {"-3": 1, "0": 3}}},
        "stop": {reason.value: {"customers": 1, "decisions": 2, "by_stage": {"none": 2}} for reason in Reason},
    },
    "at_the_end": {"waiting": {"next_stage": 12}, "stopped": {"opted_out": 3}},
    "payments": {"total": 3, "after_stage": {"none": 1, "-3": 2}},
    "replies": {
        "total": 15,
        "not_understood": 4,
        "by_intent": {intent.value: 1 for intent in ReplyIntent},
        "judged": 14,
        "by_band": {band.value: {"replies": 5, "judged": 4, "right": 3} for band in Band},
        "read": {
            intent.value: {"meant": 1_000, "sure": 5, "sure_right": 4, "likely": 3, "likely_right": 2, "in_doubt": 1}
            for intent in ReplyIntent
        },
        "needing_silence": 9,
        "needing_silence_without": 1,
    },
    "holds": {"says_paid": 3, "hardship": 1},
    "promises": {"kept": 2, "broken": 1},
    "unreachable": 5,
    "outbound_events": {"ReminderSent": 900, "PromiseBroken": 1},
    "reminders_published": 1_230,
    "refused": {"total": 1, "by_reason": {"phone_invalid": 1}, "noted": {}},
}


REPLY: dict[str, Any] = {
    "at": "2026-11-18T03:25:00Z",
    "local_at": "2026-11-18T11:25:00+08:00",
    "reply_id": "inbound-000001",
    "customer_id": "C0012",
    "text": "我會想辦法湊給你的啦" * 12 + "\n謝謝",
    "band": "likely",
    "guess": ["promise", "chat"],
    "sure": ["question"],
    "likely": ["promise"],
    "promised_on": "2026-11-20",
    "followed": ["silent through 2026-11-21 (doubt)", "a person is called (promise_unclear)"] * 3,
    "meant": {"intents": ["promise"], "promised_on": None},
    "right": False,
}


def _example(stage: int, language: str, text: str = "x") -> Example:
    return Example("2026-11-16 10:00", "+886912345678", stage, language, 1, "UCS-2", text)


def test_every_reason_has_words() -> None:
    assert set(REASONS) == {reason.value for reason in Reason}


def test_a_chinese_character_takes_two_columns() -> None:
    assert width_of("分期ab") == 6
    assert width_of("José") == width_of("Jose\N{COMBINING ACUTE ACCENT}") == 4
    assert pad("分期", 6) == "分期  "
    assert pad("分期", 6, right=True) == "  分期"


def test_columns_of_a_table_are_aligned() -> None:
    lines = list(table(("name", "count"), [("分期付款", "1"), ("a", "1,000")], "<>"))
    assert len({width_of(line) for line in lines}) == 1


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+886912345678", "+886 9** *** 678"),
        ("+8613812345678", "+86 1** **** *678"),
        ("+85261234567", "+852 6*** *567"),
        ("+12015550123", "+1 2** *** *123"),
    ],
)
def test_a_number_is_masked_but_for_its_ends(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


def test_a_text_is_folded_and_no_line_begins_with_punctuation() -> None:
    text = (
        "【示範分期】王*明您好，末碼1234分期款NT$3,250今天12/5到期，請用官方APP繳款，已繳請忽略，客服0800-000-123" * 3
    )
    lines = list(fold(text, 40))
    assert "".join(lines) == text
    assert all(width_of(line) <= 42 for line in lines)
    assert not any(line[0] in "，。】" for line in lines)
    assert list(fold("Pay in our app today", 10)) == ["Pay in our", "app today"]


def test_stages_and_money_are_said_in_words() -> None:
    assert [stage_name(stage) for stage in (-3, 0, 15)] == ["3 days before", "on the due date", "15 days after"]
    assert dollars(12_345_678) == "$12.35"


def test_examples_show_all_languages_and_as_many_stages_as_there_are() -> None:
    texts = [_example(stage, language) for language in ("en", "zh-Hans", "zh-Hant") for stage in (-3, 0, 3, 7, 15)]
    chosen = choose_examples(texts)
    assert len(chosen) == 6
    assert {example.language for example in chosen} == {"en", "zh-Hans", "zh-Hant"}
    assert len({example.stage for example in chosen}) == 5
    assert chosen == choose_examples(reversed(texts))
    assert choose_examples([]) == []


def test_the_report_stays_within_its_width_and_names_what_a_manager_asks_for() -> None:
    lines = list(report(SUMMARY, [_example(0, "zh-Hant", "分期" * 120)], {"sent": Path("out/outbox.jsonl")}))
    assert max(map(width_of, lines)) <= WIDTH
    whole = "\n".join(lines)
    for words in (
        "3 days before",
        "sends decided",
        "turned away by the carrier for the moment",
        "quiet_hours",
        "outside contact hours",
        "$97.50",
        "arrived",
        "2 messages",
        "A holiday calendar ends 59 days after the last day",
        "out/outbox.jsonl",
    ):
        assert words in whole
    assert "+886 9** *** 678" in whole
    assert "+886912345678" not in whole


def test_replies_are_shown_with_what_was_understood_whether_that_is_right_and_what_followed() -> None:
    right = {**REPLY, "right": True, "sure": [], "likely": [], "guess": [], "promised_on": None}
    lines = list(report(SUMMARY, [], {}, [REPLY, right]))
    assert max(map(width_of, lines)) <= WIDTH
    whole = "\n".join(lines)
    assert "  2026-11-18 11:25  C0012" in whole
    assert "understood    question (sure), promise (likely), chat (a guess), by 2026-11-20; meant: promise" in whole
    assert "understood    nothing; right" in whole
    assert "followed      silent through 2026-11-21 (doubt); a person is called" in whole


def test_the_report_says_of_each_intent_how_certainly_it_was_read_and_how_often_rightly() -> None:
    lines = list(report(SUMMARY, [], {}))
    (paid,) = [line.split() for line in lines if line.split()[:2] == ["paid", "1,000"]]
    assert paid == ["paid", "1,000", "5", "4", "3", "2", "1"]
    (sure,) = [line for line in lines if line.split()[:2] == ["sure", "acted"]]
    assert sure.split()[-3:] == ["5", "4", "3"]
    assert "  9 replies had to be followed by silence; 1 were not" in lines


def test_of_a_users_own_replies_nobody_says_how_often_they_were_read_rightly() -> None:
    replies: dict[str, object] = {**SUMMARY["replies"], "judged": 0}
    whole = "\n".join(report({**SUMMARY, "replies": replies}, [], {}))
    assert "HOW CERTAINLY THEY WERE READ" in whole
    assert "HOW EACH INTENT WAS READ" not in whole


def test_a_run_in_which_nothing_happened_can_be_reported() -> None:
    nothing = {"texts": 0, "customers": 0, "segments": 0, "cost_usd": 0.0}
    quiet = {
        **SUMMARY,
        "sent": {**nothing, "by_stage": {}, "by_country": {}, "by_channel": {}, "by_state": {}},
        "channels": {"states": {}, "came_back": {}, "customers_by_channels": {}, "fallbacks": 0},
        "replies": {"total": 0, "not_understood": 0, "by_intent": {}},
        "holds": {},
        "promises": {},
        "unreachable": 0,
        "outbound_events": {},
        "decisions": {"send": {}, "wait": {}, "stop": {}},
        "at_the_end": {"waiting": {}, "stopped": {}},
        "payments": {"total": 0, "after_stage": {}},
        "refused": {"total": 0, "by_reason": {}, "noted": {}},
    }
    whole = "\n".join(report(quiet, [], {}))
    assert "none" in whole
    assert "CHANNEL" not in whole


def test_each_channel_has_a_line_with_its_cost_and_outcomes_and_an_amount_of_cents_is_not_nothing() -> None:
    lines = [line.split() for line in report(SUMMARY, [], {})]
    assert ["SMS", "1,234", "567", "$97.50", "$0.0790", "3", "0", "0", "1"] in lines
    assert ["LINE", "1,234", "567", "$97.50", "$0.0790", "0", "0", "2", "7"] in lines
    assert ["mail", "1,234", "567", "$0.0038", "$0.0000", "0", "0", "0", "0"] in lines
    whole = "\n".join(report(SUMMARY, [], {}))
    reached = "560 customers on 1 channel, 6 customers on 2 channels, 1 customer on 3 channels"
    assert f"  {reached}\n  3 stages repeated on another channel\n" in whole
    for words in CAME_BACK.values():
        assert sum(re.split(r"\s{2,}", line.strip())[1:] == [words, "4"] for line in whole.splitlines()) == 3


def test_a_journey_names_each_step_with_its_channel_and_where_it_ends() -> None:
    steps = [
        Step("2026-11-16 10:00", "LINE", "3 days before: taken, no receipt"),
        Step("2026-11-16 10:25", "LINE", "wrote a lot " * 9),
    ]
    lines = list(report(SUMMARY, [], {}, [], [Journey("C0270", "over most channels", steps, "paid (nothing_open)")]))
    assert max(map(width_of, lines)) <= WIDTH
    assert "  C0270: over most channels" in lines
    assert "    2026-11-16 10:00  LINE      3 days before: taken, no receipt" in lines
    assert "    at the end: paid (nothing_open)" in lines


def test_a_mail_is_shown_with_subject_and_preview_and_a_bubble_with_its_buttons() -> None:
    mail = Example(
        "2026-11-16 10:00", "wang@example.com", 3, "zh-Hant", 1, "text", "甲\n\n乙", "email", "您的帳單", "請查看"
    )
    bubble = Example(
        "2026-11-16 10:00", "U" + "a1" * 16, 0, "zh-Hant", 1, "text", "您好", "line", buttons=("已繳款", "不要再傳")
    )
    lines = list(report(SUMMARY, [mail, bubble], {}))
    first = lines.index("  2026-11-16 10:00  w***@example.com  3 days after, mail")
    assert lines[first + 1 : first + 6] == [
        "  subject       您的帳單",
        "  preview       請查看",
        "  | 甲",
        "  |",
        "  | 乙",
    ]
    assert lines[first + 7 : first + 10] == [
        "  2026-11-16 10:00  LINE Ua***  on the due date, LINE",
        "  | 您好",
        "  [已繳款] [不要再傳]",
    ]


def test_examples_show_two_messages_of_each_other_channel_before_and_after_the_due_date() -> None:
    texts = [_example(stage, "en") for stage in (-3, 0, 3, 7, 15, 30)]
    others = [
        replace(_example(stage, "en"), channel=channel)
        for stage in (-3, 0, 3, 7)
        for channel in ("line", "email", "whatsapp")
    ]
    chosen = choose_examples([*others, *texts])
    assert [(example.channel, example.stage) for example in chosen[6:]] == [
        ("whatsapp", -3), ("whatsapp", 3), ("line", -3), ("line", 3), ("email", -3), ("email", 3),
    ]  # fmt: skip
    assert {example.channel for example in chosen[:6]} == {"sms"}


@pytest.mark.parametrize(
    ("address", "masked"),
    [("+886912345678", "+886 9** *** 678"), ("wang@example.com", "w***@example.com"), ("U" + "a1" * 16, "LINE Ua***")],
)
def test_an_address_of_any_kind_is_masked(address: str, masked: str) -> None:
    assert mask_address(address) == masked


@pytest.mark.parametrize(
    ("left", "says"),
    [(None, False), (60, False), (59, "ends 59 days after"), (0, "ends 0 days after"), (-3, "ended 3 days before")],
)
def test_a_calendar_is_spoken_of_when_its_end_is_near_or_past(left: int | None, says: str | bool) -> None:  # noqa: FBT001
    run = {**SUMMARY, "run": {**_RUN, "calendar_days_left": left}}
    whole = "\n".join(report(run, [], {}))
    assert (says in whole) if isinstance(says, str) else ("A holiday calendar" not in whole)
