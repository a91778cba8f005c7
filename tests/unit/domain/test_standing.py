"""Standing: the ledger, and the stage each ladder has reached."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.standing import (
    LEAST_URGENT,
    PROGRESS_LIMIT,
    RECENT_LIMIT,
    AddressSince,
    LedgerEntry,
    Outage,
    PaymentStatement,
    Progress,
    PromiseToPay,
    RecentDecision,
    ReplyLabel,
    Standing,
    claims_for_wake,
    first_asked,
    holds_now,
    label_key,
    progress_key,
    with_address_refused,
    with_address_usable,
    with_answer,
    with_claim,
    with_decision,
    with_outage,
    without_claim,
    without_outage,
)
from dunning.domain.delivery.channels import NO_CONTACT, AddressKind, Channel
from dunning.domain.effect.payer_segments import PaymentHistory
from tests.support.builders import a_customer, a_standing, a_text, an_account, an_instalment, day, progress_at, taipei

NOW = taipei("2026-12-10 10:00")
DAY = timedelta(days=1)


def test_a_claim_is_in_the_ledger_marks_its_stages_and_raises_the_version() -> None:
    before = a_standing(a_text(NOW - 2 * DAY), progress=progress_at(0, "2026-12-01"))
    entry = a_text(NOW, stage=7)
    after = with_claim(before, entry, progress_at(7, "2026-12-10"), timedelta(), a_customer())
    assert after.version == before.version + 1
    assert after.ledger == (*before.ledger, entry)
    assert after.progress == progress_at(7, "2026-12-10")
    assert before.ledger != after.ledger


def test_other_ladders_stay_as_they_are() -> None:
    before = a_standing(progress=progress_at(15, "2026-12-01", account="A2"))
    after = with_claim(before, a_text(NOW), progress_at(0, "2026-12-10"), timedelta(), a_customer())
    assert after.progress == progress_at(15, "2026-12-01", account="A2") | progress_at(0, "2026-12-10")


def test_the_ledger_drops_what_no_cap_looks_back_to_but_never_the_last_31_days() -> None:
    before = a_standing(a_text(NOW - 31 * DAY), a_text(NOW - 31 * DAY + timedelta(seconds=1)))
    assert [entry.at for entry in with_claim(before, a_text(NOW), {}, 7 * DAY, a_customer()).ledger] == [
        NOW - 31 * DAY + timedelta(seconds=1),
        NOW,
    ]
    assert len(with_claim(before, a_text(NOW), {}, 60 * DAY, a_customer()).ledger) == 3


def finished_ladders(count: int) -> dict[str, Progress]:
    """Describe so many instalments whose ladders have ended, a day after one another."""
    first = day("2025-01-01")
    return {progress_key("A1", number): Progress(30, first + number * DAY, first) for number in range(count)}


def test_of_paid_instalments_the_ladders_that_ended_longest_ago_are_dropped_first() -> None:
    before = a_standing(progress=finished_ladders(PROGRESS_LIMIT))
    facts = a_customer(an_account(an_instalment(number=99)))
    after = with_claim(before, a_text(NOW), progress_at(0, "2026-12-10", number=99), timedelta(), facts)
    assert len(after.progress) == PROGRESS_LIMIT
    assert progress_key("A1", 0) not in after.progress
    assert {progress_key("A1", 1), progress_key("A1", 99)} <= after.progress.keys()


def test_no_ladder_of_an_open_instalment_is_dropped_however_long_ago_it_ended() -> None:
    before = a_standing(progress=finished_ladders(PROGRESS_LIMIT))
    paid = an_instalment(number=1, paid=325_000)
    facts = a_customer(an_account(an_instalment(number=0), paid, an_instalment(number=99)))
    after = with_claim(before, a_text(NOW), progress_at(0, "2026-12-10", number=99), timedelta(), facts)
    assert progress_key("A1", 0) in after.progress
    assert progress_key("A1", 1) not in after.progress


def test_a_released_claim_leaves_everything_as_if_it_had_never_been() -> None:
    before = a_standing(a_text(NOW - 2 * DAY, claim_id="old"), progress=progress_at(0, "2026-12-01"))
    claimed = with_claim(before, a_text(NOW, claim_id="new"), progress_at(7, "2026-12-10"), timedelta(), a_customer())
    released = without_claim(claimed, before, "new")
    assert released.ledger == before.ledger
    assert released.progress == before.progress
    assert released.version == claimed.version + 1


def test_releasing_a_first_claim_takes_its_stages_away() -> None:
    before = a_standing()
    claimed = with_claim(before, a_text(NOW, claim_id="new"), progress_at(-3, "2026-12-10"), timedelta(), a_customer())
    assert without_claim(claimed, before, "new").progress == {}


def test_releasing_keeps_what_other_claims_have_marked_since() -> None:
    before = a_standing()
    claimed = with_claim(
        before, a_text(NOW, "A1", claim_id="mine"), progress_at(0, "2026-12-10"), timedelta(), a_customer()
    )
    other = a_text(NOW + DAY, "A2", claim_id="other")
    both = with_claim(claimed, other, progress_at(3, "2026-12-11", account="A2"), timedelta(), a_customer())
    released = without_claim(both, before, "mine")
    assert released.ledger == (other,)
    assert released.progress == progress_at(3, "2026-12-11", account="A2")


def test_a_text_marks_the_accounts_whose_stage_was_due_and_not_those_it_only_names() -> None:
    entry = replace(a_text(NOW, claim_id="new"), accounts=("A1", "A2"), also_named=("A2",))
    assert [entry.marks(account) for account in ("A1", "A2", "A3")] == [True, False, False]
    before = a_standing(progress=progress_at(3, "2026-12-04") | progress_at(3, "2026-12-04", account="A2"))
    claimed = with_claim(before, entry, progress_at(7, "2026-12-10"), timedelta(), a_customer())
    moved_on = replace(claimed, progress={**claimed.progress, **progress_at(15, "2026-12-10", account="A2")})
    released = without_claim(moved_on, before, "new")
    assert released.progress == progress_at(3, "2026-12-04") | progress_at(15, "2026-12-10", account="A2")


LABEL = ReplyLabel(at=NOW, sequence=1, intents=("paid",), promised_on=day("2026-12-12"))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(LABEL, at=NOW + DAY), id="of another moment"),
        pytest.param(replace(LABEL, sequence=2), id="of another sequence"),
        pytest.param(replace(LABEL, intents=("question",)), id="of other intents"),
        pytest.param(replace(LABEL, promised_on=None), id="without a day"),
        pytest.param(replace(LABEL, promised_on=day("2026-12-13")), id="of another day"),
    ],
)
def test_of_two_labels_that_differ_the_same_always_counts_whichever_comes_first(other: ReplyLabel) -> None:
    assert other.is_newer_than(LABEL) is not LABEL.is_newer_than(other)


def test_a_label_is_newer_than_none_and_not_newer_than_itself() -> None:
    assert LABEL.is_newer_than(None)
    assert not LABEL.is_newer_than(LABEL)
    assert replace(LABEL, at=NOW + DAY, sequence=0).is_newer_than(LABEL)
    assert replace(LABEL, sequence=2, intents=()).is_newer_than(LABEL)


def test_a_claim_that_is_not_there_cannot_be_released() -> None:
    standing = a_standing(a_text(NOW))
    assert without_claim(standing, a_standing(), "unknown") is standing


def test_an_opt_in_counts_unless_a_person_says_of_this_very_reply_that_it_was_none() -> None:
    back_in = a_standing(opted_out_at=NOW - DAY, opted_in_at=NOW)
    about_another = replace(back_in, reply_labels={label_key(NOW - DAY): LABEL})
    about_this = replace(back_in, reply_labels={label_key(NOW): LABEL})
    found = replace(back_in, reply_labels={label_key(NOW): replace(LABEL, intents=("opt_in",))})
    assert [standing.is_opted_out for standing in (back_in, about_another, about_this, found)] == [
        False, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["refused", "shared"])
def test_a_number_is_out_of_use_until_another_is_on_record_or_a_person_releases_it(kind: str) -> None:
    reason = HoldReason.NUMBER_REFUSED if kind == "refused" else HoldReason.SHARED_PHONE

    def is_out_of_use(facts: Facts, phone: str, since: datetime | None) -> bool:
        if kind == "refused":
            return a_standing(suspended={"sms": AddressSince(phone, since)}).is_suspended(facts)
        return a_standing(shared={"number": AddressSince(phone, since)}).shares_address(facts)

    facts = a_customer()
    released = replace(facts, released={reason: NOW})
    assert is_out_of_use(facts, facts.phone, NOW)
    assert is_out_of_use(facts, facts.phone, None)
    assert not is_out_of_use(facts, "+886900000009", NOW)
    assert not is_out_of_use(facts, "", None)
    assert not is_out_of_use(replace(facts, phone=""), "", None)
    assert not is_out_of_use(released, facts.phone, NOW - DAY)
    assert is_out_of_use(released, facts.phone, NOW + DAY)
    assert is_out_of_use(released, facts.phone, None)


TWO = an_account(an_instalment(), an_instalment("2027-01-01", number=2))
FIRST, SECOND = progress_key("A1", 1), progress_key("A1", 2)


def a_statement(reason: HoldReason, *about: str) -> PaymentStatement:
    return PaymentStatement(
        reason=reason, said_at=NOW, day=NOW.date(), until=day("2026-12-20"), accounts=("A1",), about=about
    )


def test_a_promise_holds_as_long_as_its_own_instalment_is_open() -> None:
    promises = {FIRST: PromiseToPay(NOW, day("2026-12-30")), SECOND: PromiseToPay(NOW, day("2026-12-20"))}
    standing = a_standing(payment_statements=(a_statement(HoldReason.PROMISE, FIRST, SECOND),), promises=promises)
    assert {hold.until for hold in holds_now(a_customer(TWO), standing)} == {day("2026-12-30"), day("2026-12-20")}
    first_paid = a_customer(an_account(an_instalment(paid=325_000), TWO.instalments[1]))
    assert [hold.until for hold in holds_now(first_paid, standing)] == [day("2026-12-20")]


def test_a_payment_claim_is_believed_until_the_very_last_cent_is_paid() -> None:
    standing = a_standing(payment_statements=(a_statement(HoldReason.SAYS_PAID, FIRST),))
    for paid, held in ((324_999, True), (325_000, False)):
        assert bool(holds_now(a_customer(an_account(an_instalment(paid=paid))), standing)) is held


def test_a_hold_of_no_known_time_is_not_lifted() -> None:
    hold = Hold(HoldReason.DOUBT, day("2026-12-20"), None)
    released = replace(a_customer(), released={HoldReason.DOUBT: NOW})
    assert holds_now(released, a_standing(holds=(hold,))) == [hold]


def test_of_two_refusals_of_one_number_the_later_counts_and_another_number_begins_anew() -> None:
    refused = with_address_refused(a_standing(), Channel.SMS, "+886900000001", NOW)
    for at, later in ((NOW - DAY, NOW), (NOW + DAY, NOW + DAY)):
        again = with_address_refused(refused, Channel.SMS, "+886900000001", at)
        assert again.suspended == {"sms": AddressSince("+886900000001", later)}
    another = with_address_refused(refused, Channel.SMS, "+886900000002", NOW - DAY)
    assert another.suspended == {"sms": AddressSince("+886900000002", NOW - DAY)}


USER = "U" + "0" * 32
ADDRESSES = {
    Channel.SMS: "+886900000001",
    Channel.VOICE: "+886900000001",
    Channel.WHATSAPP: "+886900000001",
    Channel.EMAIL: "a@example.com",
    Channel.LINE: USER,
}


def reachable(**changes: Any) -> Facts:  # noqa: ANN401 - fields of the facts
    return replace(a_customer(), phone="+886900000001", email="a@example.com", line_user_id=USER, **changes)


@pytest.mark.parametrize("channel", Channel)
def test_a_refusal_is_of_one_channel_and_of_one_address(channel: Channel) -> None:
    refused = with_address_refused(a_standing(), channel, ADDRESSES[channel], NOW)
    assert [other for other in Channel if refused.is_suspended(reachable(), other)] == [channel]
    assert not refused.is_suspended(reachable(released={HoldReason.NUMBER_REFUSED: NOW}), channel)
    of_another = with_address_refused(a_standing(), channel, "another", NOW)
    assert not of_another.is_suspended(reachable(), channel)


@pytest.mark.parametrize("kind", AddressKind)
def test_a_shared_address_is_shared_on_each_channel_that_has_it(kind: AddressKind) -> None:
    alike = [channel for channel in Channel if AddressKind.of(channel) is kind]
    standing = a_standing(shared={kind.value: AddressSince(ADDRESSES[alike[0]], NOW)})
    assert [channel for channel in Channel if standing.shares_address(reachable(), channel)] == alike
    released = reachable(released={HoldReason.SHARED_PHONE: NOW})
    assert not any(standing.shares_address(released, channel) for channel in Channel)


def test_without_an_address_nothing_is_suspended_or_shared() -> None:
    nobody = replace(a_customer(), phone="", email=None, line_user_id=None)
    standing = a_standing(
        suspended={channel.value: AddressSince("", NOW) for channel in Channel},
        shared={kind.value: AddressSince("", NOW) for kind in AddressKind},
    )
    assert not any(standing.is_suspended(nobody, channel) for channel in Channel)
    assert not any(standing.shares_address(nobody, channel) for channel in Channel)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize(("last", "is_blocked"), [("refused", True), ("usable", False)])
def test_of_a_block_and_a_friendship_the_later_counts_in_any_order(
    order: tuple[int, ...], last: str, *, is_blocked: bool
) -> None:
    words = ["refused", "usable", "refused"] if last == "refused" else ["usable", "refused", "usable"]
    standing = a_standing()
    for index in order:
        record = with_address_refused if words[index] == "refused" else with_address_usable
        standing = record(standing, Channel.LINE, USER, NOW + index * DAY)
    assert standing.is_suspended(reachable(), Channel.LINE) is is_blocked


def test_of_a_block_and_a_friendship_of_the_same_moment_the_block_counts() -> None:
    usable = with_address_usable(a_standing(), Channel.LINE, USER, NOW)
    refused = with_address_refused(a_standing(), Channel.LINE, USER, NOW)
    for standing in (
        with_address_refused(usable, Channel.LINE, USER, NOW),
        with_address_usable(refused, Channel.LINE, USER, NOW),
    ):
        assert standing.is_suspended(reachable(), Channel.LINE)


def test_a_friendship_takes_back_no_block_of_another_account() -> None:
    refused = with_address_refused(a_standing(), Channel.LINE, USER, NOW)
    assert with_address_usable(refused, Channel.LINE, "U" + "1" * 32, NOW + DAY) is refused
    friend_of_another = with_address_usable(a_standing(), Channel.LINE, "U" + "1" * 32, NOW)
    friend = with_address_usable(friend_of_another, Channel.LINE, USER, NOW)
    assert friend.suspended == {"line": AddressSince(USER, NOW, is_usable=True)}


@pytest.mark.parametrize("is_usable", [False, True])
def test_any_word_counts_against_one_of_no_known_time_or_of_another_address(*, is_usable: bool) -> None:
    for known in (AddressSince(USER, None, is_usable=is_usable), AddressSince("U" + "1" * 32, NOW, is_usable=True)):
        standing = a_standing(suspended={"line": known})
        refused = with_address_refused(standing, Channel.LINE, USER, NOW - DAY)
        assert refused.suspended == {"line": AddressSince(USER, NOW - DAY)}
        usable = with_address_usable(standing, Channel.LINE, USER, NOW - DAY)
        assert usable.suspended == {"line": AddressSince(USER, NOW - DAY, is_usable=True)}


def test_a_later_word_about_an_address_leaves_the_standing_as_it_is() -> None:
    refused = with_address_refused(a_standing(), Channel.LINE, USER, NOW)
    usable = with_address_usable(a_standing(), Channel.LINE, USER, NOW)
    for standing in (refused, usable):
        assert with_address_refused(standing, Channel.LINE, USER, NOW - DAY) is standing
        assert with_address_usable(standing, Channel.LINE, USER, NOW - DAY) is standing


def test_a_gateway_may_want_another_address_than_the_channels_own() -> None:
    refused = with_address_refused(a_standing(), Channel.SMS, "another", NOW)
    assert not refused.is_suspended(reachable(), Channel.SMS)
    assert refused.is_suspended(reachable(), Channel.SMS, "another")


@pytest.mark.parametrize(
    ("shared", "is_shared"),
    [
        pytest.param({}, False, id="none"),
        pytest.param({"email": "a@example.com"}, True, id="a present address"),
        pytest.param({"email": "b@example.com"}, False, id="a former address"),
        pytest.param({"number": "+886900000009", "line": USER}, True, id="a present address beside a former"),
    ],
)
def test_whoever_shares_a_present_address_of_any_kind_shares_one(shared: dict[str, str], *, is_shared: bool) -> None:
    standing = a_standing(shared={kind: AddressSince(address, NOW) for kind, address in shared.items()})
    assert standing.shares_any_address(reachable()) is is_shared


def test_an_opt_out_of_one_account_counts_for_no_other_and_until_an_opt_in() -> None:
    out = a_standing(opted_out_accounts={"A1": NOW})
    assert [out.is_opted_out_of(account_id) for account_id in ("A1", "A2")] == [True, False]
    for back_in_at, is_out in ((NOW - DAY, True), (NOW, True), (NOW + DAY, False)):
        assert replace(out, opted_in_at=back_in_at).is_opted_out_of("A1") is is_out
        assert not replace(out, opted_in_at=back_in_at).is_opted_out_of("A2")


def test_the_lenders_holds_come_before_the_customers_own() -> None:
    lenders, own = Hold(HoldReason.LEGAL), Hold(HoldReason.DOUBT, day("2026-12-20"), NOW)
    facts = a_customer(holds=(lenders,))
    assert holds_now(facts, a_standing(holds=(own,))) == [lenders, own]
    assert holds_now(facts, a_standing()) == [lenders]


def test_a_run_of_outages_goes_on_as_long_as_it_is_remembered() -> None:
    moment = NOW + timedelta(microseconds=7)
    first = with_outage(a_standing(), "line", moment, DAY)
    assert first.outages == {"line": Outage(NOW, NOW)}
    assert with_outage(first, "line", moment + DAY, DAY).outages == {"line": Outage(NOW, NOW + DAY)}
    anew = moment + DAY + timedelta(seconds=1)
    assert with_outage(first, "line", anew, DAY).outages["line"] == Outage(*[anew.replace(microsecond=0)] * 2)


def test_an_outage_is_of_one_channel_and_ends_once_that_channel_is_tried_again() -> None:
    both = with_outage(with_outage(a_standing(), "line", NOW, DAY), "email", NOW + DAY, DAY)
    assert both.outages == {"line": Outage(NOW, NOW), "email": Outage(NOW + DAY, NOW + DAY)}
    assert without_outage(both, "line").outages == {"email": Outage(NOW + DAY, NOW + DAY)}
    assert without_outage(both, "sms") is both


@pytest.mark.parametrize(
    ("changes", "run"), [({}, 1), ({"stage": None}, 0), ({"channel": NO_CONTACT}, 0)], ids=["reminder", "other", "none"]
)
def test_only_reminders_that_were_sent_are_without_an_answer(changes: dict[str, Any], run: int) -> None:
    text = replace(a_text(NOW), **changes)
    assert with_claim(a_standing(), text, {}, timedelta(), a_customer()).history.silent_run == run
    silent = a_standing(text, history=PaymentHistory(silent_run=9))
    for said_at, left in ((NOW - DAY, run), (NOW, 0)):
        assert with_answer(silent, said_at).history.silent_run == left


@pytest.mark.parametrize("finished", [0, 1, PROGRESS_LIMIT - 2, PROGRESS_LIMIT - 1])
def test_as_long_as_there_is_room_no_ladder_is_dropped(finished: int) -> None:
    before = a_standing(progress=finished_ladders(finished))
    facts = a_customer(an_account(an_instalment(number=99)))
    after = with_claim(before, a_text(NOW), progress_at(0, "2026-12-10", number=99), timedelta(), facts)
    assert len(after.progress) == finished + 1


def test_the_ladder_that_ended_first_is_dropped_first_and_of_one_day_the_first_by_name() -> None:
    ended = {number: day("2025-01-02") for number in range(10, 10 + PROGRESS_LIMIT)}
    ended[30] = day("2025-01-01")
    standing = a_standing(progress={progress_key("A1", number): Progress(30, on, on) for number, on in ended.items()})
    still_open = range(90, 95)
    facts = a_customer(an_account(*(an_instalment(number=number) for number in still_open)))
    for number in still_open:
        standing = with_claim(standing, a_text(NOW), progress_at(0, "2026-12-10", number=number), timedelta(), facts)
    dropped = {number for number in ended if progress_key("A1", number) not in standing.progress}
    assert dropped == {30, 10, 11, 12, 13}


def test_an_account_id_may_hold_the_sign_that_parts_it_from_a_number() -> None:
    before = a_standing(progress=progress_at(0, "2026-12-01", account="A#7"))
    claimed = with_claim(
        before,
        a_text(NOW, "A#7", claim_id="new"),
        progress_at(7, "2026-12-10", account="A#7"),
        timedelta(),
        a_customer(),
    )
    assert without_claim(claimed, before, "new").progress == before.progress


def test_a_repeated_job_finds_the_claim_that_answered_its_wake() -> None:
    answered = a_text(NOW, for_wake=NOW - timedelta(minutes=3))
    standing = a_standing(a_text(NOW - DAY), answered)
    assert claims_for_wake(standing, NOW - timedelta(minutes=3)) == [answered]
    assert claims_for_wake(standing, NOW) == []


def test_what_was_drawn_is_kept_for_a_day_and_then_until_the_next_claim() -> None:
    drawn = replace(a_text(NOW), draws="hholdout.text:0.5", payer_segment="unknown", asked="0.1:5")
    for later, draws in ((timedelta(minutes=1), drawn.draws), (DAY - timedelta(seconds=1), drawn.draws), (DAY, "")):
        claimed = with_claim(a_standing(drawn), a_text(NOW + later), {}, timedelta(), a_customer())
        kept = claimed.ledger[0]
        assert (kept.draws, bool(kept.payer_segment), bool(kept.asked)) == (draws, bool(draws), bool(draws))


def test_of_the_decisions_not_to_send_the_newest_are_kept_in_their_order_and_in_whole_seconds() -> None:
    standing = a_standing()
    for number in range(RECENT_LIMIT + 3):
        at = NOW + number * DAY + timedelta(microseconds=7)
        standing = with_decision(standing, at, "next_stage", at + DAY)
    last = NOW + (RECENT_LIMIT + 2) * DAY
    assert len(standing.recent) == RECENT_LIMIT
    assert standing.recent[-1] == RecentDecision(last, "next_stage", last + DAY)
    assert [decision.at for decision in standing.recent] == sorted(decision.at for decision in standing.recent)


def test_a_decision_that_is_made_again_is_kept_once_and_since_it_was_first_made() -> None:
    before = with_decision(a_standing(), NOW, "on_hold", NOW + 9 * DAY)
    assert with_decision(before, NOW + DAY, "on_hold", NOW + 9 * DAY) is before
    assert len(with_decision(before, NOW + DAY, "on_hold", NOW + 8 * DAY).recent) == 2
    assert with_decision(before, NOW + DAY, "no_consent", None).recent[-1].until is None
    after = with_decision(before, NOW + DAY, "no_consent", None)
    assert with_decision(after, NOW + 2 * DAY, "no_consent", None) is after
    assert len(with_decision(after, NOW + 2 * DAY, "on_hold", NOW + 9 * DAY).recent) == 3, "only the last one counts"


def test_what_is_only_shown_and_counted_makes_no_other_standing_of_one() -> None:
    assert with_decision(a_standing(), NOW, "on_hold", None) == a_standing()
    assert replace(a_standing(), facts_revision=7, lender_id="lender") == a_standing()
    (known,) = progress_at(0, "2026-12-01").values()
    assert replace(known, asked=4_500) == known


def test_a_standing_that_was_never_written_is_of_version_0_and_follows_from_no_facts() -> None:
    new = Standing(customer_id="C1")
    assert (new.version, new.facts_revision, new.is_planned) == (0, 0, False)
    assert ReplyLabel(at=NOW).sequence == 0
    entry = LedgerEntry(send_id="s", claim_id="c", at=NOW, stage=0, accounts=(), channel="sms", for_wake=NOW)
    assert not entry.failed


def test_the_least_urgent_wake_is_the_last_that_is_written_with_one_digit() -> None:
    assert (len(f"{LEAST_URGENT}"), len(f"{LEAST_URGENT + 1}")) == (1, 2)


def test_what_was_open_when_a_text_first_asked_is_remembered_by_all_later_texts() -> None:
    facts = a_customer(an_account(an_instalment(amount=5_000, paid=1_000)))
    assert first_asked(a_standing(), facts, progress_key("A1", 1)) == 4_000
    (known,) = progress_at(0, "2026-12-01").values()
    asked = a_standing(progress={progress_key("A1", 1): replace(known, asked=4_500)})
    assert first_asked(asked, facts, progress_key("A1", 1)) == 4_500
    assert first_asked(a_standing(progress=progress_at(0, "2026-12-01")), facts, progress_key("A1", 1)) == 4_000


def test_what_is_open_now_is_that_of_the_one_instalment_whatever_its_account_is_called() -> None:
    instalments = (an_instalment(number=1, amount=5_000), an_instalment(number=2, amount=300))
    facts = a_customer(an_account(*instalments, account_id="A#1"), an_account(*instalments, account_id="A"))
    assert first_asked(a_standing(), facts, progress_key("A#1", 2)) == 300
