"""A text that did not arrive: its stage is sent again, lawfully, and no more than once."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.customer.standing import LedgerEntry, Progress, Standing, progress_key, with_claim
from dunning.domain.decision.decide import decide, send_id_of
from dunning.domain.decision.decisions import Decision, Reason, Send, Wait
from dunning.domain.delivery.undelivered import delivered_stage, retry_send_id, with_delivery
from dunning.domain.effect.payer_segments import PaymentHistory
from tests.support.arms import a_holdout
from tests.support.builders import (
    a_customer,
    a_standing,
    a_text,
    an_account,
    an_instalment,
    day,
    policies_with,
    progress_at,
    taipei,
    the_policies,
)

NOW = taipei("2026-12-08 10:00")
TAIPEI = ZoneInfo("Asia/Taipei")
POLICIES = the_policies()
FACTS = a_customer(an_account(an_instalment("2026-12-01")))
"""NT$3,250 due on 1 December; the ladder of the lender is -3 0 3 7 15 30, three days apart."""


class Life:
    """One customer, who is texted whenever that is decided, and what becomes of each text."""

    def __init__(self, facts: Facts = FACTS) -> None:
        self.facts = facts
        self.standing = Standing(customer_id=facts.customer_id, version=1)
        self.sent: list[tuple[str, int, str]] = []

    def decision(self, wall: str) -> Decision:
        return decide(self.facts, self.standing, POLICIES, taipei(wall))

    def live(self, wall: str) -> datetime:
        """Send what is due at or after a moment, and return when."""
        now = taipei(wall)
        for _ in range(20):
            decision = decide(self.facts, self.standing, POLICIES, now)
            if isinstance(decision, Send):
                return self._claim(decision, now)
            assert isinstance(decision, Wait)
            assert decision.until is not None
            now = decision.until
        raise AssertionError("never sent")

    def _claim(self, decision: Send, now: datetime) -> datetime:
        reminder = decision.reminder
        entry = LedgerEntry(
            send_id=reminder.send_id,
            claim_id=f"c{len(self.sent)}",
            at=now,
            stage=reminder.stage,
            accounts=reminder.account_ids,
            channel="sms",
            for_wake=None,
            also_named=reminder.also_named,
        )
        reached_stages = {
            progress_key(reached.account_id, reached.number): Progress(reached.stage, reminder.on, reached.due_on)
            for reached in reminder.reached_stages
        }
        self.standing = with_claim(self.standing, entry, reached_stages, timedelta(days=7), self.facts)
        self.sent.append((reminder.on.isoformat(), reminder.stage, reminder.send_id))
        return now

    def fail(self, *, failed: bool = True) -> None:
        """Let the last text fail, or arrive after all."""
        self.standing = with_delivery(self.standing, f"c{len(self.sent) - 1}", failed=failed)

    @property
    def stages(self) -> list[tuple[str, int]]:
        return [(on, stage) for on, stage, _ in self.sent]


@pytest.fixture
def life() -> Life:
    life = Life()
    life.live("2026-12-04 10:00")
    assert life.stages == [("2026-12-04", 3)]
    return life


def test_a_third_day_text_that_did_not_arrive_is_sent_again_as_soon_as_distance_and_caps_allow(life: Life) -> None:
    life.fail()
    life.live("2026-12-04 10:01")
    assert life.stages == [("2026-12-04", 3), ("2026-12-07", 3)]


def test_the_second_try_is_another_message_with_another_id(life: Life) -> None:
    life.fail()
    life.live("2026-12-04 10:01")
    first, second = (send_id for _, _, send_id in life.sent)
    assert second == retry_send_id(first) != first


def test_after_it_the_next_stage_keeps_its_distance(life: Life) -> None:
    life.fail()
    life.live("2026-12-04 10:01")
    life.live("2026-12-07 10:01")
    assert life.stages[2:] == [("2026-12-11", 7)]


def test_a_second_failure_of_the_same_words_stands(life: Life) -> None:
    life.fail()
    life.live("2026-12-04 10:01")
    life.fail()
    life.live("2026-12-07 10:01")
    assert life.stages == [("2026-12-04", 3), ("2026-12-07", 3), ("2026-12-11", 7)]


def test_a_second_failure_stands_although_the_text_no_longer_speaks_of_the_same_accounts() -> None:
    both = [an_account(an_instalment("2026-12-01"), account_id=account_id) for account_id in ("A1", "A2")]
    life = Life(a_customer(*both))
    life.live("2026-12-04 10:00")
    life.fail()
    life.facts = a_customer(both[0])
    life.live("2026-12-04 10:01")
    life.fail()
    life.live("2026-12-07 10:01")
    assert life.stages == [("2026-12-04", 3), ("2026-12-07", 3), ("2026-12-11", 7)]


def test_a_second_failure_stands_although_the_ledger_no_longer_has_the_first(life: Life) -> None:
    life.fail()
    held = Hold(HoldReason.DISPUTE, day("2027-01-10"))
    life.facts = replace(FACTS, holds=(held,))
    life.live("2026-12-04 10:01")
    assert len(life.standing.ledger) == 1
    life.fail()
    life.live("2027-01-11 10:01")
    assert life.stages == [("2026-12-04", 3), ("2027-01-11", 3), ("2027-01-15", 7)]


def test_each_stage_has_a_second_try_of_its_own(life: Life) -> None:
    for wall in ("2026-12-04 10:01", "2026-12-07 10:01", "2026-12-11 10:01"):
        life.fail()
        life.live(wall)
    assert life.stages == [("2026-12-04", 3), ("2026-12-07", 3), ("2026-12-11", 7), ("2026-12-14", 7)]
    assert len({send_id for _, _, send_id in life.sent}) == 4


def test_a_stage_that_follows_one_skipped_is_no_second_try_and_has_one_itself() -> None:
    life = Life()
    life.live("2026-12-01 10:00")
    life.fail()
    life.live("2026-12-01 10:01")
    life.fail()
    life.live("2026-12-04 10:01")
    assert life.stages == [("2026-12-01", 0), ("2026-12-04", 3), ("2026-12-07", 3)]


def test_each_of_several_accounts_is_sent_again_what_did_not_arrive() -> None:
    late = [an_account(an_instalment(due), account_id=due) for due in ("2026-11-24", "2026-12-01")]
    life = Life(a_customer(*late))
    life.standing = replace(
        life.standing, progress=progress_at(3, "2026-11-27", due="2026-11-24", account="2026-11-24")
    )
    life.live("2026-12-04 10:00")
    life.fail()
    life.live("2026-12-04 10:01")
    assert {key: progress.stage for key, progress in life.standing.progress.items()} == {
        "2026-11-24#1": 7,
        "2026-12-01#1": 3,
    }
    assert life.stages == [("2026-12-04", 3), ("2026-12-07", 3)]


def test_a_customer_who_pays_meanwhile_is_sent_nothing_again(life: Life) -> None:
    life.fail()
    life.facts = a_customer(an_account(an_instalment("2026-12-01", paid=325_000)))
    assert life.decision("2026-12-08 10:00").reason is Reason.NOTHING_OPEN


def test_a_text_that_arrived_after_all_is_not_sent_again(life: Life) -> None:
    life.fail()
    life.fail(failed=False)
    life.live("2026-12-04 10:01")
    assert life.stages == [("2026-12-04", 3), ("2026-12-08", 7)]


def test_the_failed_text_counts_against_the_caps(life: Life) -> None:
    life.fail()
    decision = life.decision("2026-12-04 12:00")
    assert isinstance(decision, Wait)
    assert decision.until is not None
    assert decision.until >= taipei("2026-12-05 10:00")


def test_the_outcome_of_a_text_that_is_not_in_the_ledger_changes_nothing(life: Life) -> None:
    assert with_delivery(life.standing, "unknown", failed=True) is life.standing


def test_a_text_that_arrived_after_all_does_not_end_the_silence() -> None:
    failed = a_standing(replace(a_text(NOW), failed=True), history=PaymentHistory(silent_run=2))
    assert with_delivery(failed, "claim", failed=False).history.silent_run == 2


@pytest.mark.parametrize(
    ("ledger", "stage"),
    [
        pytest.param((), 7, id="no text is remembered"),
        pytest.param((a_text(NOW, "A2"),), 7, id="no text about the account"),
        pytest.param((replace(a_text(NOW), failed=True),), 3, id="its text failed"),
        pytest.param((replace(a_text(NOW - timedelta(days=1)), failed=True),), 7, id="a text of another day failed"),
        pytest.param((replace(a_text(NOW), failed=True), a_text(NOW)), 7, id="a later text arrived"),
    ],
)
def test_a_stage_counts_unless_its_own_text_failed(ledger: tuple[LedgerEntry, ...], stage: int) -> None:
    reached = Progress(7, day("2026-12-08"), day("2026-12-01"))
    assert delivered_stage(reached, "A1", ledger, (-3, 0, 3, 7, 15), TAIPEI) == replace(reached, stage=stage)


def test_an_old_failure_sends_nothing_again_once_a_later_text_has_arrived(life: Life) -> None:
    life.live("2026-12-04 10:01")
    before = life.standing
    life.standing = with_delivery(before, "c0", failed=True)
    life.live("2026-12-08 10:01")
    assert life.stages == [("2026-12-04", 3), ("2026-12-08", 7), ("2026-12-16", 15)]


def test_a_stage_before_the_due_date_that_failed_is_skipped_when_it_is_late() -> None:
    life = Life()
    life.live("2026-11-28 10:00")
    life.fail()
    life.live("2026-11-28 10:01")
    assert life.stages == [("2026-11-28", -3), ("2026-12-01", 0)]


def test_the_same_thing_said_twice_changes_nothing(life: Life) -> None:
    failed = with_delivery(life.standing, "c0", failed=True)
    assert with_delivery(failed, "c0", failed=True) is failed
    assert with_delivery(failed, "nobody's", failed=True) is failed
    arrived = with_delivery(failed, "c0", failed=False)
    assert replace(arrived, history=life.standing.history) == life.standing, "a run of texts that failed has ended"


def test_a_text_that_did_not_arrive_is_sent_again_although_one_about_another_account_has_arrived_since() -> None:
    facts = a_customer(an_account(account_id="A1"), an_account(an_instalment("2026-12-06"), account_id="A2"))
    standing = a_standing(
        replace(a_text(taipei("2026-12-04 10:00"), "A1", stage=3), failed=True),
        a_text(taipei("2026-12-06 10:00"), "A2"),
        progress=progress_at(3, "2026-12-04") | progress_at(0, "2026-12-06", due="2026-12-06", account="A2"),
    )
    decision = decide(facts, standing, POLICIES, taipei("2026-12-08 10:00"))
    assert isinstance(decision, Send)
    assert [(reached.account_id, reached.stage) for reached in decision.reminder.reached_stages] == [("A1", 3)]


def test_an_account_that_has_heard_nothing_has_its_first_stage_whatever_failed_before() -> None:
    failed = replace(a_text(taipei("2026-11-20 10:00"), "A9", stage=3), failed=True)
    decision = decide(FACTS, a_standing(failed), POLICIES, taipei("2026-12-01 10:00"))
    assert isinstance(decision, Send)
    assert (decision.stage, decision.reminder.send_id.endswith("-again")) == (0, False)


def test_a_text_that_repeats_one_stage_and_brings_another_has_the_id_of_a_repeat() -> None:
    facts = a_customer(an_account(account_id="A1"), an_account(an_instalment("2026-12-05"), account_id="A2"))
    failed = replace(a_text(taipei("2026-12-04 10:00"), "A1", stage=3), failed=True)
    decision = decide(
        facts, a_standing(failed, progress=progress_at(3, "2026-12-04")), POLICIES, taipei("2026-12-08 10:00")
    )
    assert isinstance(decision, Send)
    assert [(reached.account_id, reached.stage) for reached in decision.reminder.reached_stages] == [
        ("A1", 3),
        ("A2", 3),
    ]
    assert decision.reminder.send_id.endswith("-again")


@pytest.mark.parametrize(
    ("now", "stages", "is_held_out"),
    [
        pytest.param("2026-12-05 10:00", [("A2", 0)], True, id="what failed is about another account"),
        pytest.param("2026-12-08 10:00", [("A1", 3), ("A2", 3)], False, id="one of the stages did not arrive"),
    ],
)
def test_chance_holds_back_no_text_that_repeats_a_stage_and_any_other(
    now: str,
    stages: list[tuple[str, int]],
    is_held_out: bool,  # noqa: FBT001 - the expected answer
) -> None:
    facts = a_customer(an_account(account_id="A1"), an_account(an_instalment("2026-12-05"), account_id="A2"))
    failed = replace(a_text(taipei("2026-12-04 10:00"), "A1", stage=3), failed=True)
    standing = a_standing(failed, progress=progress_at(3, "2026-12-04"))
    decision = decide(facts, standing, policies_with(facts, trials=(a_holdout(),)), taipei(now))
    assert isinstance(decision, Send)
    assert [(reached.account_id, reached.stage) for reached in decision.reminder.reached_stages] == stages
    assert decision.reminder.is_held_out is is_held_out


def test_a_stage_that_comes_again_with_a_later_due_date_is_no_second_try_although_another_text_failed() -> None:
    facts = a_customer(an_account(an_instalment("2026-12-20")))
    failed = replace(a_text(taipei("2026-12-03 10:00"), "A9", stage=3), failed=True)
    standing = a_standing(failed, a_text(taipei("2026-12-04 10:00"), stage=3), progress=progress_at(3, "2026-12-04"))
    decision = decide(facts, standing, POLICIES, taipei("2026-12-23 10:00"))
    assert isinstance(decision, Send)
    reminder = decision.reminder
    assert reminder.stage == 3
    assert reminder.send_id == send_id_of(facts.customer_id, reminder.reached_stages, 3, "sms")
