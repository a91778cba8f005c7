"""Nights of trials that go wrong: a fault at any call, missed nights, rungs that nobody can read."""

from __future__ import annotations

from collections.abc import Collection
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from dunning.adapters.dynamodb.trial_control_table import control_to_json
from dunning.adapters.trial_book_lines import book_lines
from dunning.adapters.trial_result_text import result_text
from dunning.domain.customer.facts import Hold, HoldReason
from dunning.domain.customer.lender_record import erase_record
from dunning.domain.customer.standing import Standing
from dunning.domain.effect import keeping_books
from dunning.domain.effect.draws import SILENCE, TEXTED, Draw, Layer, draws_to_text
from dunning.domain.effect.keeping_books import book_part_of
from dunning.domain.effect.settling import OutcomeState, SideEffects
from dunning.domain.errors import DunningError, ServiceCallError, UnreadableRecordError
from dunning.ports.kept_comparisons import WrittenComparison
from dunning.ports.telemetry import LogEvent, Metric
from dunning.services import settle_trials
from dunning.services.console.what_ifs_read import WhatIfsService
from dunning.services.erasure.erase import UNDER_WAY, EraseService
from dunning.services.settle_trials import Shelf, TrialNightService
from dunning.services.steer_trials import SteerService
from tests.support.arms import a_trial
from tests.support.builders import a_customer, a_lender_record, an_account
from tests.support.fakes import FakeContacts, FakeTelemetry, FakeTrialControls, FakeUploadErasure
from tests.support.lively_trials import a_comparison, keep_a_comparison
from tests.support.trial_nights import (
    FIRST,
    LENDER,
    TAIPEI,
    TrialOffice,
    a_rung,
    at_ten,
    days_after,
    night_of,
    the_holdout,
)

OVER = days_after(FIRST, 15)
OTHER = "demo-zz"
"""A lender that comes after the first in a night."""


@pytest.fixture
def office() -> TrialOffice:
    return TrialOffice()


@dataclass
class Faults:
    """Counts the calls of ports, and lets one of them fail."""

    fails_at: int = 0
    calls: int = 0

    def port(self, inner: object) -> object:
        return _Port(inner, self)

    def count(self) -> None:
        self.calls += 1
        if self.calls == self.fails_at:
            raise ServiceCallError("Call", "Down")


class _Port:
    def __init__(self, inner: object, faults: Faults) -> None:
        self._inner, self._faults = inner, faults

    def __getattr__(self, name: str) -> object:
        method = getattr(self._inner, name)

        def call(*args: object, **named: object) -> object:
            self._faults.count()
            return method(*args, **named)

        return call


@dataclass
class FaultyOffice(TrialOffice):
    """An office each of whose calls may fail."""

    controls: FakeTrialControls = field(default_factory=FakeTrialControls)
    faults: Faults = field(default_factory=Faults)

    @property
    def shelf(self) -> Shelf:
        whole = super().shelf
        return Shelf(*[self.faults.port(each) for each in whole])  # type: ignore[arg-type]

    @property
    def service(self) -> TrialNightService:
        self.steering = SteerService(self.faults.port(self.controls))  # type: ignore[arg-type]
        return super().service

    def twin(self, fails_at: int = 0) -> FaultyOffice:
        """Return an office like this one, where nothing has been counted yet."""
        kept = deepcopy((self.books, self.results, self.rungs, self.controls))
        books, results, rungs, controls = kept
        return replace(
            self, books=books, results=results, rungs=rungs, controls=controls, telemetry=FakeTelemetry(),
            faults=Faults(fails_at),
        )  # fmt: skip

    def state(self) -> object:
        return (
            self.books.parts,
            {key: replace(each, as_of=OVER_AT) for key, each in self.results.results.items()},
            self.results.points,
            self.results.progress,
            self.rungs.runs,
            self.rungs.marks,
            self.controls.controls,
        )


OVER_AT = night_of(OVER)


@pytest.fixture
def few_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let books have three parts: a night asks a tenth of the calls."""
    for module in (keeping_books, settle_trials):
        monkeypatch.setattr(module, "BOOK_PARTS", 3)


@pytest.mark.usefixtures("few_parts")
def test_whatever_call_fails_the_night_that_runs_again_leaves_what_a_night_without_a_fault_leaves() -> None:
    office = FaultyOffice(trials=(the_holdout(),))
    for index in range(12):
        customer_id = f"C{index:04d}"
        office.drawn(customer_id, FIRST)
        office.customer(customer_id, paid_at=at_ten(days_after(FIRST, 5)) if index % 3 else None)
    office.run(days_after(FIRST, 13))
    (silent, *_) = [each.spell.customer_id for each in office.book() if each.spell.draws[0].arm == SILENCE]
    office.keep(a_rung(silent, days_after(FIRST, 13), None, stage=3))
    at = night_of(days_after(FIRST, 3))
    office.rungs.mark_draws("C0005", at, at)
    whole = office.twin()
    assert whole.run(OVER)
    calls = whole.faults.calls
    assert calls > 40
    assert whole.telemetry.counts[Metric.TRIAL_LEAKS] == 1
    for number in range(1, calls + 1):
        broken = office.twin(number)
        with pytest.raises(DunningError):
            broken.run(OVER)
        assert broken.run(OVER)
        assert broken.state() == whole.state(), number
        counted = broken.telemetry.counts | {Metric.TRIAL_LEAKS: 1}
        assert counted == whole.telemetry.counts, number
        # An alarm may come twice, if the result that tells of it was not kept. It never fails to come.
        assert 1 <= broken.telemetry.counts[Metric.TRIAL_LEAKS] <= 2, number


def test_rungs_that_nobody_can_read_fail_the_night_of_their_lender_and_no_other(office: TrialOffice) -> None:
    office.lenders = (LENDER, OTHER)
    office.keep(a_rung("C1", FIRST, None, draws="written by a newer program"))
    for lender in office.lenders:
        office.keep(a_rung("C2", FIRST, Draw(Layer.HOLDOUT, "quiet", TEXTED, 0.8)), lender=lender)
    office.customer("C2")
    with pytest.raises(UnreadableRecordError, match=f"rungs of {LENDER}, {FIRST}: draws: entry 1"):
        office.run(days_after(FIRST, 3))
    assert [lender for lender, _ in office.results.results] == [OTHER]


def test_a_fault_of_our_own_in_the_trials_of_a_lender_keeps_no_other_from_its_night(office: TrialOffice) -> None:
    office.lenders = (LENDER, OTHER)
    office.keep(a_rung("C2", FIRST, Draw(Layer.HOLDOUT, "quiet", TEXTED, 0.8)), lender=OTHER)
    office.customer("C2")
    office.rungs.unreadable = Faulty()
    with pytest.raises(ZeroDivisionError):
        office.run(days_after(FIRST, 3))
    assert [lender for lender, _ in office.results.results] == [OTHER]
    assert [(fields["lender"], fields["why"]) for name, fields in office.telemetry.events
            if name == LogEvent.TRIAL_NIGHT_FAILED] == [(LENDER, "")]  # fmt: skip


class Faulty(set[tuple[str, date]]):
    """Days that cannot be asked for without a fault of ours."""

    def __contains__(self, day: object) -> bool:
        assert isinstance(day, tuple)
        return bool(day[0] == LENDER and 1 // 0)


def test_a_missed_night_is_no_reason_to_miss_a_payment_that_was_told_late(office: TrialOffice) -> None:
    office.drawn("C1", FIRST)
    office.customer("C1")
    office.run(OVER)
    office.customer("C1", paid_at=at_ten(days_after(FIRST, 13)))
    office.run(days_after(OVER, 1))
    assert not office.book()[0].outcome.cured
    for night in (6, 7):
        office.run(days_after(OVER, night))
        assert office.book()[0].outcome.cured


def test_what_a_customer_did_stays_whatever_else_the_customer_drew(office: TrialOffice) -> None:
    office.drawn("C1", FIRST)
    office.drawn("C1", days_after(FIRST, 2), stage=3)
    facts = office.customer("C1")
    complaint = Hold(HoldReason.COMPLAINT, since=at_ten(days_after(FIRST, 1)))
    office.customers.standings["C1"] = Standing(customer_id=facts.customer_id, holds=(complaint,))
    office.run(OVER)
    office.customers.standings["C1"] = Standing(customer_id=facts.customer_id)
    office.run(days_after(OVER, 2))
    assert office.book()[0].outcome.side_effects == SideEffects(complained=True)


def test_a_tombstone_takes_a_draw_away_once(office: TrialOffice) -> None:
    office.drawn("C1", FIRST)
    office.customer("C1")
    at = night_of(days_after(FIRST, 3))
    office.customers.lender_records["C1"] = erase_record(office.customers.lender_records["C1"], at, at)
    for night in range(4):
        office.run(days_after(OVER, night))
    assert [each.outcome.state for each in office.book()] == [OutcomeState.ERASED]


@pytest.mark.usefixtures("few_parts")
def test_two_nights_at_once_leave_what_one_leaves() -> None:
    office = FaultyOffice(trials=(the_holdout(),))
    for index in range(30):
        office.drawn(f"C{index}", FIRST)
        office.customer(f"C{index}", paid_at=at_ten(days_after(FIRST, 5)) if index % 3 else None)
    office.run(FIRST)
    whole = office.twin()
    whole.run(OVER)
    for number in range(1, whole.faults.calls + 1, 3):
        contested = office.twin()

        class Meanwhile(Faults):
            def count(self) -> None:
                self.calls += 1
                if self.calls == number:  # noqa: B023 - called within the turn
                    assert contested.run(OVER)  # noqa: B023

        contested.faults = Meanwhile()
        contested.run(OVER)
        assert contested.run(OVER), "the next invocation of the night"
        assert contested.state() == whole.state(), number


def test_nothing_of_an_erased_customer_is_left_anywhere_after_the_next_nights() -> None:
    office = FaultyOffice(trials=(the_holdout(), a_trial(Layer.TEXT, (("usual", 0.5), ("kind", 0.5)), trial_id="tone")))
    draws = draws_to_text([Draw(Layer.HOLDOUT, "quiet", TEXTED, 0.8), Draw(Layer.TEXT, "tone", "kind", 0.5)])
    for index in range(12):
        customer_id = f"C{index:04d}"
        for stage, day in ((0, FIRST), (3, days_after(FIRST, 3))):
            office.keep(a_rung(customer_id, day, Draw(Layer.HOLDOUT, "quiet", TEXTED, 0.8), stage=stage, draws=draws))
        office.customer(customer_id)
    office.keep(a_rung("C0003", FIRST, None), lender="demo-gone")
    office.books.write_part("demo-gone", "old", book_part_of("C0003"), [])
    kept = a_comparison()
    leaving = kept.examples[0].model_copy(update={"customer_id": "C0003"})
    keep_a_comparison(office.comparisons, kept.model_copy(update={"examples": (leaving, *kept.examples[1:])}))
    office.run(days_after(FIRST, 4))
    held = {
        "C0003",
        "A-C0003",
        *(each.spell.send_id for each in office.book() if each.spell.customer_id == "C0003"),
    }
    assert len(held) == 4
    erasing = EraseService(
        customers=office.customers, contacts=FakeContacts(), uploads=FakeUploadErasure(), clock=office.clock,
        telemetry=FakeTelemetry(), draws=office.rungs,
    )  # fmt: skip
    at = night_of(days_after(FIRST, 4)) + timedelta(hours=5)
    office.clock.move_to(at)
    erasing.erase("C0003", at)
    office.clock.move_to(at + UNDER_WAY)
    erasing.purge_numbers("C0003")
    office.telemetry = FakeTelemetry()
    assert left_of(held, office), "what is searched for is found"
    for night in range(5, 20):
        office.run(days_after(FIRST, night))
    assert left_of(held, office) == {}
    assert sum(office.result().drawn.values()) == 24
    found = WhatIfsService(office.comparisons).view("a1b2c3d4e5f60718")
    assert found is not None
    assert len(found.examples) == len(kept.examples) - 1
    assert found.head.differing == kept.differing, "its figures stay"


def left_of(ids: Collection[str], office: FaultyOffice) -> dict[str, list[str]]:
    """Return where ids are found, and which, in all that nights read, write and say; the customer's tombstone apart."""
    places = {
        "rungs": (office.rungs.runs, office.rungs.marks),
        "books": office.books.parts,
        "results": (office.results.results, office.results.points, office.results.progress),
        "lines": [line for spells in office.books.parts.values() for line in book_lines(spells)],
        "stored results": [result_text(each) for each in office.results.results.values()],
        "control": (office.controls.controls, [control_to_json(each) for each in office.controls.controls.values()]),
        "comparisons": office.comparisons.kept,
        "logs and metrics": (office.telemetry.events, office.telemetry.counts),
    }
    found = {place: [each for each in ids if each in repr(held)] for place, held in places.items()}
    return {place: each for place, each in found.items() if each}


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"examples":3}', '{"examples":[{}]}', "[" * 100_000])
def test_a_kept_comparison_that_nobody_can_read_keeps_the_mark_of_the_erased_and_is_said_to_be_so(
    office: TrialOffice, written: str
) -> None:
    office.drawn("C1", FIRST)
    office.customer("C1")
    head = keep_a_comparison(office.comparisons)
    office.comparisons.kept[head.comparison_id] = WrittenComparison(head, written)
    office.rungs.mark_draws("C2", night_of(FIRST), night_of(FIRST))
    with pytest.raises(UnreadableRecordError, match="kept comparison a1b2c3d4e5f60718"):
        office.run(days_after(FIRST, 5))
    assert office.rungs.marks
    assert office.result().drawn, "the nights of lenders are done all the same"
    assert [fields["error"] for name, fields in office.telemetry.events if name == LogEvent.TRIAL_NIGHT_FAILED] == [
        "UnreadableRecordError"
    ]


@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "America/New_York", "Europe/London", "Pacific/Kiritimati"])
@pytest.mark.parametrize("drawn_on", [date(2026, 10, 11), date(2026, 10, 18), date(2027, 2, 14)])
@pytest.mark.parametrize(("late_by", "is_cured"), [(-1, True), (0, False)])
def test_days_are_those_of_the_customer_wherever_the_lender_is_and_whatever_its_clocks_do(
    zone: str, drawn_on: date, late_by: int, *, is_cured: bool
) -> None:
    office = TrialOffice(zone=ZoneInfo(zone))  # London and New York change their clocks on the last of these days
    office.drawn("C1", drawn_on)
    midnight = datetime.combine(days_after(drawn_on, 15), time(), TAIPEI)
    office.customer("C1", paid_at=midnight + timedelta(seconds=late_by))
    for night in range(1, 20):
        office.clock.move_to(datetime.combine(days_after(drawn_on, night), time(20, 40), UTC))
        office.service.run_all(lambda: 900.0)
    (settled,) = office.book()
    assert (settled.spell.drawn_on, settled.outcome.cured) == (drawn_on, is_cured)
    assert office.signs() == []


def test_trials_of_one_name_at_two_lenders_have_nothing_in_common(office: TrialOffice) -> None:
    office.lenders = (LENDER, OTHER)
    draw = Draw(Layer.HOLDOUT, "quiet", SILENCE, 0.2)
    office.keep(a_rung("C1", FIRST, draw))
    office.customer("C1")
    office.keep(a_rung("C1", days_after(FIRST, 1), None, stage=3), lender=OTHER)
    office.keep(a_rung("C2", FIRST, draw), lender=OTHER)
    office.run(OVER)
    assert [each.spell.customer_id for each in office.books.of_trial(LENDER, "quiet")] == ["C1"]
    assert [each.spell.customer_id for each in office.books.of_trial(OTHER, "quiet")] == ["C2"]
    assert [result.signs for result in office.results.results.values()] == [(), ()], "no leak of the other's silence"


def test_whoever_is_gone_to_another_lender_or_lacks_the_account_is_lost(office: TrialOffice) -> None:
    office.drawn("C1", FIRST)
    office.drawn("C2", FIRST)
    moved = office.customer("C1", paid_at=at_ten(days_after(FIRST, 1)))
    office.customers.lender_records["C1"] = a_lender_record(replace(moved, lender=OTHER))
    office.customer("C2")
    office.customers.lender_records["C2"] = a_lender_record(a_customer(an_account(account_id="B"), customer_id="C2"))
    office.run(OVER)
    assert [each.outcome.state for each in office.book()] == [OutcomeState.LOST, OutcomeState.LOST]


def test_a_rung_of_a_trial_that_is_gone_from_the_policy_is_no_sign_of_the_others(office: TrialOffice) -> None:
    office.keep(a_rung("C1", FIRST, Draw(Layer.HOLDOUT, "gone", SILENCE, 0.2)))
    office.run(days_after(FIRST, 5))
    assert (office.book(), office.signs()) == ([], [])
    assert sum(office.result().drawn.values()) == 0
