"""The night of trials: each draw is settled once its days are over, and nothing is guessed that was not read."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from dunning.domain.customer.lender_record import erase_record
from dunning.domain.customer.standing import Standing
from dunning.domain.effect.draws import SILENCE, TEXTED, Draw, Layer
from dunning.domain.effect.keeping_books import book_part_of
from dunning.domain.effect.settling import OutcomeState
from dunning.domain.effect.sums import SumKey
from dunning.domain.effect.trial_results import TrialSign
from dunning.domain.errors import UnreadableRecordError
from dunning.ports.telemetry import LogEvent, Metric
from tests.support.arms import a_trial
from tests.support.builders import a_customer, a_lender_record, an_account, an_instalment, instant, policies_with
from tests.support.trial_fakes import FakeSteering
from tests.support.trial_nights import (
    FIRST,
    LENDER,
    TrialOffice,
    a_rung,
    at_ten,
    days_after,
    night_of,
    the_holdout,
)

OVER = days_after(FIRST, 15)
"""The first night on which a spell of 14 days that began on `FIRST` is over."""


@pytest.fixture
def office() -> TrialOffice:
    return TrialOffice()


def drawn_by(office: TrialOffice, number: int = 400) -> None:
    """Let customers draw; of those with a text 60 % pay within a week, of the others half."""
    for index in range(number):
        customer_id = f"C{index:04d}"
        rung = office.drawn(customer_id, FIRST)
        pays = index % 10 < (5 if rung.was_silent else 6)
        office.customer(customer_id, paid_at=at_ten(days_after(FIRST, 5)) if pays else None)


def test_what_was_drawn_runs_until_its_days_are_over_and_then_has_an_outcome(office: TrialOffice) -> None:
    drawn_by(office)
    assert office.run(days_after(FIRST, 14))
    assert {each.outcome.state for each in office.book()} == {OutcomeState.RUNNING}
    assert sum(office.result().running.values()) == sum(office.result().drawn.values()) == 400
    assert office.run(OVER)
    assert {each.outcome.state for each in office.book()} == {OutcomeState.SETTLED}
    result = office.result()
    assert set(result.running.values()) == {0}
    texted = result.sums[SumKey("quiet", TEXTED)]
    silent = result.sums[SumKey("quiet", SILENCE)]
    assert (texted.customers + silent.customers, texted.y + silent.y) == (
        400,
        sum(each.outcome.cured for each in office.book()),
    )
    whole = result.comparisons[0]
    assert (whole.arm, whole.other, whole.stage, whole.place) == (TEXTED, SILENCE, None, None)
    assert whole.estimate.lift == pytest.approx(texted.y / texted.k - silent.y / silent.k)
    assert {(each.stage, each.payer_segment, each.place) for each in result.comparisons[1:]} == {
        (0, None, None), (None, "unknown", None), (None, None, "TW"),
    }  # fmt: skip
    assert result.signs == ()
    assert [point.night for point in office.results.line_of(LENDER, "quiet")] == [days_after(FIRST, 14), OVER]


def test_the_same_night_run_twice_gives_the_same_books_and_results(office: TrialOffice) -> None:
    drawn_by(office, 60)
    office.run(OVER)
    books, results = dict(office.books.parts), dict(office.results.results)
    office.results.progress.clear()
    office.run(OVER)
    assert (office.books.parts, office.results.results) == (books, results)
    written = office.books.written
    office.run(OVER)  # it is done, and is left out
    assert office.books.written == written


def test_a_missed_night_is_made_up_for_and_a_rung_that_comes_late_or_twice_is_one(office: TrialOffice) -> None:
    drawn_by(office, 30)
    rung = office.drawn("C9999", FIRST)
    office.keep(rung)
    office.customer("C9999")
    office.run(days_after(FIRST, 1))
    late = office.drawn("C8888", FIRST)
    office.customer("C8888")
    office.run(days_after(FIRST, 48))
    book = office.book()
    assert len(book) == len({each.spell.send_id for each in book}) == 32
    assert late.send_id in {each.spell.send_id for each in book}
    assert {each.outcome.state for each in book} == {OutcomeState.SETTLED}


def test_late_payments_change_an_outcome_on_the_last_night_and_no_more_after_it(office: TrialOffice) -> None:
    office.drawn("C1", FIRST)
    office.customer("C1")
    office.run(OVER)
    assert not office.book()[0].outcome.cured
    office.customer("C1", paid_at=at_ten(days_after(FIRST, 3)))
    office.run(days_after(OVER, 2))
    assert office.book()[0].outcome.cured
    office.customer("C1")
    office.run(days_after(OVER, 3))
    assert office.book()[0].outcome.cured


def test_a_spell_ends_with_the_day_where_the_customer_lives(office: TrialOffice) -> None:
    """Ten in Taipei is the afternoon before in Honolulu: the draw is of that day, and its days end 6 hours sooner."""
    honolulu = ZoneInfo("Pacific/Honolulu")
    facts = office.customer("C1", paid_at=instant("2026-12-15 00:01", "Pacific/Honolulu"))
    office.policies = policies_with(facts, zones=(honolulu,), home_zones=(honolulu,))
    office.drawn("C1", FIRST)
    office.run(OVER)
    spell, outcome = office.book()[0]
    assert spell.drawn_on == days_after(FIRST, -1)
    assert (outcome.state, outcome.cured) == (OutcomeState.SETTLED, False)
    office.results.progress.clear()
    office.books.parts.clear()
    office.customer("C1", paid_at=instant("2026-12-14 23:59", "Pacific/Honolulu"))
    office.run(OVER)
    assert office.book()[0].outcome.cured


def test_what_cannot_be_read_is_lost_and_counted_and_the_next_look_may_find_it(office: TrialOffice) -> None:
    office.drawn("C1", FIRST)
    office.customer("C1", paid_at=at_ten(days_after(FIRST, 2)))
    office.drawn("C2", FIRST)
    office.customers.unreadable.add("C1")
    office.run(OVER)
    assert [each.outcome.state for each in office.book()] == [OutcomeState.LOST] * 2
    assert sum(entry.lost for key, entry in office.result().sums.items() if key[2:] == (None,) * 4) == 2
    office.customers.unreadable.clear()
    office.run(days_after(OVER, 2))
    outcomes = {each.spell.customer_id: each.outcome for each in office.book()}
    assert (outcomes["C1"].state, outcomes["C1"].cured) == (OutcomeState.SETTLED, True)
    assert outcomes["C2"].state is OutcomeState.LOST


def test_side_effects_stay_though_later_nights_read_no_standing(office: TrialOffice) -> None:
    office.drawn("C1", FIRST)
    office.customer("C1")
    office.customers.standings["C1"] = Standing(customer_id="C1", version=1, opted_out_at=at_ten(days_after(FIRST, 1)))
    office.run(OVER)
    office.run(days_after(OVER, 2))
    assert office.book()[0].outcome.side_effects.opted_out


def test_four_weeks_later_it_is_known_whether_the_next_instalment_was_late(office: TrialOffice) -> None:
    office.drawn("C1", FIRST)
    asked, following = an_instalment(), an_instalment("2027-01-01", number=2)
    facts = a_customer(an_account(asked, following, account_id="A-C1"))
    office.customers.lender_records["C1"] = a_lender_record(facts)
    office.run(OVER)
    assert office.book()[0].outcome.next_late is None
    office.run(days_after(OVER, 29))  # the night on which it was due was missed
    assert office.book()[0].outcome.next_late is True


def test_a_night_whose_time_runs_out_says_so_and_goes_on_with_the_other_parts(office: TrialOffice) -> None:
    drawn_by(office, 200)
    left = iter([900.0] * 20)
    assert not office.run(OVER, lambda: next(left, 0.0))
    assert office.results.results == {}
    assert office.telemetry.events[-1][0] is LogEvent.TRIAL_NIGHT_UNFINISHED
    assert Metric.TRIAL_NIGHTS not in office.telemetry.counts
    done = {part for part in range(64) if part in office.results.progress[LENDER].parts}
    assert done == set(range(20))
    office.customers.looked_at.clear()
    assert office.run(OVER)
    assert office.customers.looked_at
    assert not {book_part_of(customer_id) for customer_id in office.customers.looked_at} & done
    whole = TrialOffice()
    drawn_by(whole, 200)
    whole.run(OVER)
    assert office.result() == whole.result()


def test_a_day_that_cannot_be_read_fails_the_night_by_its_name_and_keeps_the_results_before(
    office: TrialOffice,
) -> None:
    drawn_by(office, 10)
    office.run(days_after(FIRST, 1))
    before = office.result()
    office.rungs.unreadable.add((LENDER, FIRST))
    with pytest.raises(UnreadableRecordError, match=f"draws#{LENDER}#{FIRST}"):
        office.run(days_after(FIRST, 2))
    assert office.result() == before


def test_a_drawn_rung_that_does_not_say_what_it_asked_for_fails_the_night(office: TrialOffice) -> None:
    office.drawn("C1", FIRST, asked=())
    with pytest.raises(UnreadableRecordError, match="asked is empty"):
        office.run(days_after(FIRST, 1))


def test_whoever_was_erased_leaves_books_and_rungs_and_counts_by_arm(office: TrialOffice) -> None:
    drawn_by(office, 20)
    office.run(days_after(FIRST, 1))
    arm = next(each.spell.draws[0].arm for each in office.book() if each.spell.customer_id == "C0003")
    at = night_of(days_after(FIRST, 3))
    record = office.customers.lender_records["C0003"]
    office.customers.lender_records["C0003"] = erase_record(record, at, at)
    office.rungs.mark_draws("C0003", at, at)
    office.run(days_after(FIRST, 4))
    assert "C0003" not in repr(office.books.parts)
    assert "C0003" not in repr(office.rungs.runs)
    assert office.rungs.marks, "a stream may still bring a rung"
    office.run(OVER)
    assert not office.rungs.marks
    assert "C0003" not in repr(office.books.parts)
    erased = {key.arm: entry.erased for key, entry in office.result().sums.items() if key[2:] == (None,) * 4}
    assert {name: number for name, number in erased.items() if number} == {arm: 1}
    assert sum(office.result().drawn.values()) == 20
    assert office.result().signs == ()


def test_a_tombstone_is_enough_to_leave_a_book(office: TrialOffice) -> None:
    office.drawn("C1", FIRST)
    office.customer("C1")
    at = night_of(days_after(FIRST, 3))
    office.customers.lender_records["C1"] = erase_record(office.customers.lender_records["C1"], at, at)
    office.run(OVER)
    assert "C1" not in repr(office.books.parts)
    assert [each.outcome.state for each in office.book()] == [OutcomeState.ERASED]


def test_whoever_has_returned_keeps_what_was_drawn_since(office: TrialOffice) -> None:
    office.drawn("C1", FIRST)
    office.drawn("C1", days_after(FIRST, 5), stage=3)
    office.customer("C1")
    at = night_of(days_after(FIRST, 3))
    office.rungs.mark_draws("C1", at, at)
    office.run(days_after(FIRST, 6))
    assert [(each.spell.stage, each.spell.customer_id) for each in office.book()] == [(3, "C1")]


def test_a_text_to_somebody_held_out_is_a_leak_and_counts_as_one_once(office: TrialOffice) -> None:
    office.drawn("C1", FIRST, arm=SILENCE)
    office.customer("C1")
    office.run(days_after(FIRST, 1))
    assert office.signs() == []
    office.keep(a_rung("C1", days_after(FIRST, 3), None, stage=3))
    for night in (4, 5):
        office.run(days_after(FIRST, night))
    assert [(sign.sign, sign.counted) for sign in office.signs()] == [(TrialSign.LEAK, 1)]
    assert office.telemetry.counts[Metric.TRIAL_LEAKS] == 1


def test_once_a_trial_is_stopped_the_texts_that_follow_are_no_further_leaks(office: TrialOffice) -> None:
    office.drawn("C1", FIRST, arm=SILENCE)
    office.customer("C1")
    office.keep(a_rung("C1", days_after(FIRST, 1), None, stage=3))
    office.run(days_after(FIRST, 2))
    office.results.keep_result(replace(office.result(), is_stopped=True))
    office.keep(a_rung("C1", days_after(FIRST, 3), None, stage=0))
    office.run(days_after(FIRST, 4))
    assert [(sign.sign, sign.counted) for sign in office.signs()] == [(TrialSign.LEAK, 1)]
    assert office.telemetry.counts[Metric.TRIAL_LEAKS] == 1


def test_claims_and_records_are_compared_once_both_streams_have_told_of_a_day(office: TrialOffice) -> None:
    rung = office.drawn("C1", FIRST)
    office.customer("C1")
    office.keep(a_rung("C2", FIRST, Draw(Layer.HOLDOUT, "quiet", TEXTED, 0.8)), is_claimed=False)
    office.customer("C2")
    for key, run in list(office.rungs.runs.items()):
        if rung in run.rungs:
            office.rungs.runs[key] = replace(run, rungs=[])
    office.run(days_after(FIRST, 1))
    assert office.signs() == []
    office.run(days_after(FIRST, 2))
    assert {(sign.sign, sign.counted) for sign in office.signs()} == {
        (TrialSign.DRAW_WITHOUT_RECORD, 1), (TrialSign.RECORD_WITHOUT_DRAW, 1),
    }  # fmt: skip


def test_a_claim_that_was_released_needs_no_record(office: TrialOffice) -> None:
    rung = office.drawn("C1", FIRST)
    for key, run in list(office.rungs.runs.items()):
        (claim,) = run.claims
        office.rungs.runs[key] = replace(run, rungs=[], claims=[claim, claim._replace(is_released=True)])
    assert rung.draws
    office.run(days_after(FIRST, 3))
    assert office.signs() == []


def test_trials_of_other_layers_have_books_of_their_own_and_the_customer_is_read_once() -> None:
    steering = FakeSteering()
    tone = a_trial(Layer.TEXT, (("usual", 0.5), ("kind", 0.5)), trial_id="tone")
    office = TrialOffice(trials=(the_holdout(), tone), steering=steering)
    draws = "hquiet.text:0.8;ttone.kind:0.5"
    office.keep(a_rung("C1", FIRST, Draw(Layer.HOLDOUT, "quiet", TEXTED, 0.8), draws=draws))
    office.customer("C1")
    office.customers.looked_at.clear()
    office.run(OVER)
    assert [each.spell.draws[0].arm for each in office.book("tone")] == ["kind"]
    assert [each.spell.draws[0].arm for each in office.book("quiet")] == [TEXTED]
    assert office.customers.looked_at == ["C1"]
    assert steering.calls == [(LENDER, ("quiet", "tone"))]
    assert len(steering.spells["tone"]) == 1


def test_a_trial_whose_spells_are_long_over_is_left_alone(office: TrialOffice) -> None:
    office.drawn("C1", FIRST)
    office.customer("C1")
    office.run(OVER)
    office.trials = (the_holdout(ends_on=FIRST),)
    office.run(days_after(FIRST, 60))
    assert office.result().night == OVER


def test_what_cannot_be_read_does_not_keep_the_erased_in_the_other_books_and_their_mark_stays(
    office: TrialOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.drawn("C1", FIRST)
    office.customer("C1")
    office.run(days_after(FIRST, 1))
    at = night_of(days_after(FIRST, 1))
    office.rungs.mark_draws("C1", at, at)
    remove = office.rungs.remove_rungs

    def damaged(lender: str, day: date, until: Mapping[str, datetime]) -> int:
        if day == days_after(FIRST, 1):
            raise UnreadableRecordError(f"draws#{lender}#{day}")
        return remove(lender, day, until)

    monkeypatch.setattr(office.rungs, "remove_rungs", damaged)
    with pytest.raises(UnreadableRecordError, match=f"draws#{LENDER}#{days_after(FIRST, 1)}"):
        office.run(days_after(FIRST, 5))
    assert "C1" not in repr(office.books.parts)
    assert "C1" not in repr(office.rungs.runs)
    assert office.rungs.marks, "the damaged entry may name the customer"
    assert office.result().night == days_after(FIRST, 5), "the lender's own night was run"
    monkeypatch.undo()
    office.run(days_after(FIRST, 6))
    assert not office.rungs.marks
