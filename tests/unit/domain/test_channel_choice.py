"""Which channel reaches a customer: the rules of the choice, one by one."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.customer.facts import Facts
from dunning.domain.customer.standing import (
    AddressSince,
    Outage,
    Progress,
    Standing,
    progress_key,
    with_address_refused,
    with_outage,
)
from dunning.domain.decision.channel_choice import (
    OUTAGE_REMEMBERED,
    Unreachable,
    by_preference,
    channels_out,
    reach_of,
    shut_for_now,
    why_nothing_reaches,
)
from dunning.domain.decision.decide import decide
from dunning.domain.decision.decisions import Decision, Reason, Send, Stop, TraceStep, trace_of
from dunning.domain.decision.rules import Cap, ChannelRules, ContactHours, Rules
from dunning.domain.delivery.channels import AddressKind, Channel
from tests.support.builders import (
    OnlyRules,
    a_customer,
    a_standing,
    a_text,
    progress_at,
    rules_of,
    taipei,
    the_policies,
)
from tests.support.people import someone, waking

NOW = taipei("2026-12-01 10:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LINE = ChannelRules(channel=Channel.LINE, gateway="line")
MAIL = ChannelRules(channel=Channel.EMAIL, gateway="ses")
NOTIFIED = ChannelRules(channel=Channel.LINE, gateway="line_notification")
SMS = ChannelRules(channel=Channel.SMS, gateway="sns")
VOICE = ChannelRules(channel=Channel.VOICE, gateway="eum_voice", consent_required=True)
EVERYWHERE = replace(a_customer(), email="ming@example.com", line_user_id="U" + "0" * 32)


def traced(step: TraceStep) -> str:
    return trace_of(Stop(Reason.NO_CHANNEL, (step,), zone=ZoneInfo("Asia/Taipei")))[0]


def rules(*channels: ChannelRules, **changes: object) -> Rules:
    usual = rules_of(a_customer())
    return replace(usual, channels=dict.fromkeys(usual.ladder, channels), **changes)  # type: ignore[arg-type]


def reached(facts: Facts, *channels: ChannelRules, standing: Standing | None = None) -> list[Channel]:
    reach = reach_of(facts, standing or a_standing(), rules(*channels))
    return [each.channel for each in reach.channels.get(0, ())]


def test_the_channels_keep_the_order_of_the_policy() -> None:
    assert reached(EVERYWHERE, LINE, MAIL, SMS) == [Channel.LINE, Channel.EMAIL, Channel.SMS]
    assert reached(EVERYWHERE, SMS, LINE) == [Channel.SMS, Channel.LINE]


def test_a_channel_without_an_address_is_passed_over() -> None:
    assert reached(replace(EVERYWHERE, email=None), LINE, MAIL, SMS) == [Channel.LINE, Channel.SMS]


def test_a_refused_address_ends_its_channel_and_no_other() -> None:
    refused = with_address_refused(a_standing(), Channel.SMS, EVERYWHERE.phone, NOW)
    assert reached(EVERYWHERE, LINE, SMS, standing=refused) == [Channel.LINE]


@pytest.mark.parametrize(
    ("address", "reached_still"),
    [
        (EVERYWHERE.phone, [LINE, MAIL]),
        (EVERYWHERE.email, [LINE, NOTIFIED, SMS]),
        (EVERYWHERE.line_user_id, [NOTIFIED, MAIL, SMS]),
    ],
)
def test_an_address_of_another_customer_ends_every_channel_that_uses_it_and_no_other(
    address: str, reached_still: list[ChannelRules]
) -> None:
    """LINE's notifications go to a number: what is wrong with the user id of LINE does not end these."""
    standing = replace(a_standing(), shared={AddressKind.of_address(address): AddressSince(address)})
    for each in (LINE, NOTIFIED, MAIL, SMS):
        reach = reach_of(EVERYWHERE, standing, rules(each))
        assert (0 in reach.channels) == (each in reached_still)
        assert reach.closed == ({} if each in reached_still else {each.channel: Unreachable.SHARED})


def test_a_consent_that_a_channel_needs_has_to_be_on_record() -> None:
    assert reached(EVERYWHERE, VOICE, SMS) == [Channel.SMS]
    agreed = replace(EVERYWHERE, channel_consents={"voice": NOW - DAY})
    assert reached(agreed, VOICE, SMS) == [Channel.VOICE, Channel.SMS]


def test_a_stage_that_no_channel_reaches_is_left_out() -> None:
    usual = rules(SMS)
    mixed = replace(usual, channels={stage: (MAIL,) if stage < 0 else (SMS,) for stage in usual.ladder})
    reach = reach_of(a_customer(), a_standing(), mixed)
    assert set(reach.channels) == {stage for stage in usual.ladder if stage >= 0}
    assert reach.closed == {Channel.EMAIL: Unreachable.NO_ADDRESS}


@pytest.mark.parametrize(
    ("closed", "reason"),
    [
        ({Channel.SMS: Unreachable.REFUSED, Channel.EMAIL: Unreachable.NO_ADDRESS}, Reason.NUMBER_REFUSED),
        ({Channel.EMAIL: Unreachable.REFUSED, Channel.SMS: Unreachable.SHARED}, Reason.SHARED_PHONE),
        ({Channel.EMAIL: Unreachable.REFUSED, Channel.LINE: Unreachable.SHARED}, Reason.NO_CHANNEL),
        ({}, Reason.NO_CHANNEL),
    ],
)
def test_what_is_wrong_with_the_number_is_said_first(closed: dict[Channel, Unreachable], reason: Reason) -> None:
    assert why_nothing_reaches(closed)[0] is reason


@pytest.mark.parametrize(
    ("closed", "line"),
    [
        ({}, "channel: none reaches the customer, none is allowed"),
        ({Channel.SMS: Unreachable.REFUSED}, "channel: none reaches the customer, sms: address refused"),
        (
            {Channel.VOICE: Unreachable.NO_CONSENT, Channel.SMS: Unreachable.SHARED},
            "channel: none reaches the customer, voice: no consent to it, sms: address of another customer, too",
        ),
    ],
)
def test_the_trace_of_a_stop_says_of_each_channel_why_it_reaches_nobody(
    closed: dict[Channel, Unreachable], line: str
) -> None:
    assert traced(why_nothing_reaches(closed)[1]) == line


def test_a_channel_that_failed_comes_last() -> None:
    assert [each.channel for each in by_preference([LINE, MAIL, SMS], {"line"})] == ["email", "sms", "line"]


# ------------------------------------------------------------------ shut for now


def until(each: ChannelRules, now: datetime = NOW, *texts: object, facts: Facts = EVERYWHERE) -> datetime | None:
    usual = rules(each)
    shut = shut_for_now(each, each.hours_for(usual, 0), usual.zones, facts, texts, now)  # type: ignore[arg-type]
    return shut.until if shut else None


def test_a_channel_has_the_hours_of_the_customer_unless_it_has_its_own() -> None:
    assert until(MAIL) is None
    evenings = ContactHours((((18 * 60, 19 * 60),),) * 7)
    assert until(replace(MAIL, hours=evenings)) == taipei("2026-12-01 18:00")


def test_no_message_is_begun_in_the_ten_minutes_in_which_it_would_lapse() -> None:
    ends = taipei("2026-12-01 20:30")
    assert until(MAIL, ends - timedelta(minutes=11)) is None
    assert until(MAIL, ends - timedelta(minutes=10)) == taipei("2026-12-02 09:00")
    assert until(SMS, ends - timedelta(minutes=1)) is None


def test_a_cap_of_a_channel_counts_the_contacts_on_it_alone() -> None:
    capped = replace(MAIL, caps=(Cap(1, DAY),))
    by_sms, by_mail = a_text(NOW - HOUR), replace(a_text(NOW - HOUR), channel="email")
    assert until(capped, NOW, by_sms) is None
    assert until(capped, NOW, by_mail) == NOW + 23 * HOUR
    assert until(capped, NOW + 23 * HOUR, by_mail) is None


def test_a_consent_that_begins_later_opens_its_channel_then() -> None:
    soon = replace(EVERYWHERE, channel_consents={"voice": NOW + HOUR})
    assert until(VOICE, facts=soon) == NOW + HOUR
    assert until(VOICE, NOW + HOUR, facts=soon) is None


@pytest.mark.parametrize(
    ("each", "now", "line"),
    [
        (VOICE, NOW, "channel: voice passed over, the consent begins at 2026-12-01 11:00+08:00"),
        (MAIL, NOW + 12 * HOUR, "channel: email passed over, its hours open at 2026-12-02 09:00+08:00"),
        (
            replace(LINE, caps=(Cap(2, 7 * DAY), Cap(1, DAY))),
            NOW,
            "channel: line passed over, 1 text in 24 hours on it, free at 2026-12-02 09:00+08:00",
        ),
    ],
)
def test_the_trace_names_the_channel_that_is_passed_over_why_and_until_when(
    each: ChannelRules, now: datetime, line: str
) -> None:
    facts = replace(EVERYWHERE, channel_consents={"voice": NOW + HOUR})
    by_line = replace(a_text(NOW - HOUR), channel="line")
    shut = shut_for_now(each, each.hours_for(rules(each), 0), rules(each).zones, facts, [by_line], now)
    assert shut is not None
    assert traced(shut.why) == line


def only_at(each: ChannelRules, hour: int) -> ChannelRules:
    """Let a channel be open for an hour of each day."""
    hours = ContactHours((((hour * 60, hour * 60 + 60),),) * 7)
    return replace(each, hours=hours, overdue_hours=hours)


def decided(*channels: ChannelRules, facts: Facts = EVERYWHERE) -> Decision:
    return decide(facts, a_standing(), OnlyRules(rules(*channels)), NOW)


LINE_AT_SIX, SMS_AT_THREE = only_at(LINE, 18), only_at(SMS, 15)


@pytest.mark.parametrize("channels", [(LINE_AT_SIX, SMS_AT_THREE), (SMS_AT_THREE, LINE_AT_SIX)])
def test_while_every_channel_is_shut_the_first_to_open_ends_the_wait(channels: tuple[ChannelRules, ...]) -> None:
    decision = decided(*channels)
    assert (decision.reason, decision.until) == (Reason.CHANNEL_SHUT, taipei("2026-12-01 15:00"))
    lines = {
        Channel.LINE: "channel: line passed over, its hours open at 2026-12-01 18:00+08:00",
        Channel.SMS: "channel: sms passed over, its hours open at 2026-12-01 15:00+08:00",
    }
    assert trace_of(decision)[2:] == [
        "hold: none is running",
        "stage: +0, due since 2026-12-01",
        "hours: open",
        *[lines[each.channel] for each in channels],
    ]


@pytest.mark.parametrize(
    ("channels", "lines"),
    [
        ((LINE, SMS_AT_THREE), ["channel: line by line"]),
        (
            (LINE_AT_SIX, SMS, only_at(MAIL, 15)),
            ["channel: line passed over, its hours open at 2026-12-01 10:00+00:00", "channel: sms by sns"],
        ),
        ((VOICE, SMS), ["channel: voice passed over, no consent to it", "channel: sms by sns"]),
    ],
)
def test_the_trace_of_a_text_names_its_channel_and_each_that_was_passed_over_before_it(
    channels: tuple[ChannelRules, ...], lines: list[str]
) -> None:
    trace = trace_of(decided(*channels))
    assert trace[5:-1] == ["caps: 0 texts on record, none in the way", *lines]


def test_a_channel_without_words_is_passed_over_and_without_any_the_lack_of_the_first_stops_the_text() -> None:
    wordless = rules(LINE, MAIL, SMS, channel_words={})
    sent = decide(EVERYWHERE, a_standing(), OnlyRules(wordless), NOW)
    assert trace_of(sent)[-4:-1] == [
        "channel: line passed over, text: none for stage +0 on line in zh-Hant",
        "channel: email passed over, text: none for stage +0 on email in zh-Hant",
        "channel: sms by sns",
    ]
    stopped = decide(EVERYWHERE, a_standing(), OnlyRules(replace(wordless, texts={})), NOW)
    assert (stopped.reason, stopped.stage, stopped.until) == (Reason.NO_TEXT, 0, NOW + DAY)
    assert trace_of(stopped)[-1] == "text: none for stage +0 on line in zh-Hant"


def test_where_a_channel_may_be_chosen_a_number_that_is_refused_or_shared_stops_no_other_channel() -> None:
    refused = a_standing(suspended={"sms": AddressSince(EVERYWHERE.phone)})
    shared = a_standing(shared={AddressKind.of_address(EVERYWHERE.phone): AddressSince(EVERYWHERE.phone)})
    for standing in (refused, shared):
        decision = decide(EVERYWHERE, standing, OnlyRules(rules(SMS, LINE)), NOW)
        assert isinstance(decision, Send)
        assert decision.reminder.channel == "line"


# ------------------------------------------------------------------ outages


def test_an_outage_moves_nobody_before_the_hours_of_the_policy() -> None:
    standing = with_outage(a_standing(), "line", NOW, OUTAGE_REMEMBERED)
    standing = with_outage(standing, "line", NOW + 5 * HOUR, OUTAGE_REMEMBERED)
    six_hours = rules(LINE, SMS, failover_after=6 * HOUR)
    assert channels_out(standing, six_hours, NOW + 5 * HOUR) == set()
    assert channels_out(standing, six_hours, NOW + 6 * HOUR) == {"line"}


def test_a_policy_that_names_no_hours_moves_nobody() -> None:
    standing = replace(a_standing(), outages={"line": Outage(NOW - 30 * DAY, NOW)})
    assert channels_out(standing, rules(LINE, SMS), NOW) == set()


def test_an_outage_of_last_week_is_over() -> None:
    standing = replace(a_standing(), outages={"line": Outage(NOW - 8 * DAY, NOW - 7 * DAY)})
    assert channels_out(standing, rules(LINE, SMS, failover_after=6 * HOUR), NOW) == set()
    again = with_outage(standing, "line", NOW, OUTAGE_REMEMBERED)
    assert again.outages["line"].since == NOW


def test_an_outage_counts_for_36_hours_after_its_last_refusal_and_no_longer() -> None:
    last = NOW - timedelta(hours=36)
    standing = replace(a_standing(), outages={"line": Outage(last - 6 * HOUR, last)})
    six_hours = rules(LINE, SMS, failover_after=6 * HOUR)
    assert channels_out(standing, six_hours, NOW) == {"line"}
    assert channels_out(standing, six_hours, NOW + timedelta(seconds=1)) == set()


def test_of_a_stage_that_did_not_arrive_only_its_own_channel_comes_last_and_none_of_the_stage_before() -> None:
    facts = replace(someone(due_in=-10), lender="demo-channels", email="ming@example.com")
    account_id, due_on = facts.accounts[0].account_id, facts.accounts[0].instalments[0].due_on
    sent = [(3, "email", 7, ""), (3, "sms", 4, "-again"), (7, "email", 3, "")]
    standing = waking(
        facts,
        ledger=tuple(
            replace(
                a_text(NOW - ago * DAY, account_id, stage=stage, claim_id=f"{stage}{channel}"),
                channel=channel,
                send_id=f"{stage}{again}",
                failed=True,
            )
            for stage, channel, ago, again in sent
        ),
        progress={progress_key(account_id, 1): Progress(7, (NOW - 3 * DAY).date(), due_on)},
    )
    decision = decide(facts, standing, the_policies(), NOW)
    assert isinstance(decision, Send)
    assert (decision.reminder.stage, decision.reminder.channel) == (7, "sms")


@pytest.mark.parametrize(
    ("failed", "channel"),
    [
        pytest.param(False, "line", id="it arrived: the next stage goes by the channel that the policy prefers"),
        pytest.param(True, "sms", id="it did not: the stage is repeated by another channel"),
    ],
)
def test_only_a_channel_that_failed_comes_last_and_no_text_about_another_account_says_which_it_was(
    failed: bool,  # noqa: FBT001 - whether the text arrived
    channel: str,
) -> None:
    first = replace(a_text(NOW + 3 * DAY, stage=3), channel="line", failed=failed)
    about_another = a_text(NOW + 5 * DAY, "A9")
    standing = a_standing(first, about_another, progress=progress_at(3, "2026-12-04"))
    decision = decide(EVERYWHERE, standing, OnlyRules(rules(LINE, SMS)), NOW + 7 * DAY)
    assert isinstance(decision, Send)
    assert (decision.stage, decision.reminder.channel) == (3 if failed else 7, channel)
