"""Standing: the ledger, and the stage each ladder has reached."""

from datetime import timedelta

from dunning.domain.customer.standing import (
    LEDGER_FLOOR,
    PROGRESS_LIMIT,
    Progress,
    claim_for_wake,
    progress_key,
    with_claim,
    without_claim,
)
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
    before = a_standing(a_text(NOW - LEDGER_FLOOR), a_text(NOW - LEDGER_FLOOR + timedelta(seconds=1)))
    assert [entry.at for entry in with_claim(before, a_text(NOW), {}, 7 * DAY, a_customer()).ledger] == [
        NOW - LEDGER_FLOOR + timedelta(seconds=1),
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


def test_a_claim_that_is_not_there_cannot_be_released() -> None:
    standing = a_standing(a_text(NOW))
    assert without_claim(standing, a_standing(), "unknown") is standing


def test_a_repeated_job_finds_the_claim_that_answered_its_wake() -> None:
    answered = a_text(NOW, for_wake=NOW - timedelta(minutes=3))
    standing = a_standing(a_text(NOW - DAY), answered)
    assert claim_for_wake(standing, NOW - timedelta(minutes=3)) is answered
    assert claim_for_wake(standing, NOW) is None
