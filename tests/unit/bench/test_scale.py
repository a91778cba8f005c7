"""The million customers, played in miniature: the two ways agree, and the checks find what is planted."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from dunning.domain.customer.standing import Standing, Wake
from tests.bench import scale
from tests.bench.scale import (
    BEGIN,
    CAPS,
    LADDER,
    Checks,
    Life,
    Played,
    Result,
    Slice,
    Wakes,
    WithServices,
    WithTheCore,
    expected_days,
    play_slice,
    report,
    slices,
)

END = BEGIN + timedelta(days=30)
NOON = datetime(2026, 12, 8, 4, 0, tzinfo=UTC)
"""12:00 in Taipei, on a Tuesday."""


def _life(**changes: object) -> Life:
    life = Life("TW", date(2026, 12, 5), None, None, 1)
    return replace(life, **changes)  # type: ignore[arg-type]


def _checks(**changes: object) -> Checks:
    return Checks({"C1": _life(**changes)}, END)


def test_core_and_services_send_everybody_the_same_texts_and_break_no_rule() -> None:
    core, services = play_slice(Slice(0, 100, 30, 1.0), in_sample=True)
    assert services is not None
    assert core.violations + services.violations == []
    assert core.texts == services.texts > 100
    assert core.by_day == services.by_day
    assert (core.news, core.customers) == (services.news, services.customers)
    assert core.on_their_day == services.on_their_day
    assert core.on_their_day >= 0.95 * core.expected > 50


def test_a_slice_outside_the_sample_is_played_with_the_core_alone() -> None:
    assert play_slice(Slice(0, 5, 3, 1.0), in_sample=False).services is None


def test_a_pace_that_is_too_slow_shows_as_texts_that_are_late() -> None:
    slow = WithTheCore(Slice(0, 300, 12, 1 / 60)).play()
    assert slow.violations == []
    assert slow.late_minutes(0.99) > 10
    assert max(slow.by_day.values()) <= 11.5 * 60, "more in a day than its hours hold at that pace"


class _Deaf(WithTheCore):
    """A play that forgets what the lender says."""

    def hear(self, news: Sequence[tuple[datetime, str, str]]) -> None:
        del news


def test_a_sender_that_forgets_payments_and_holds_is_found() -> None:
    found = {violation.partition(":")[0] for violation in _Deaf(Slice(0, 200, 30, 5.0)).play().violations}
    assert found == {"a text after the payment", "a text during a hold"}


class _Stuck(WithTheCore):
    """A play in which nobody is woken after the tenth day."""

    def tick(self, minute: datetime) -> None:
        if minute < BEGIN + timedelta(days=10):
            super().tick(minute)


def test_a_customer_whose_wake_nobody_answers_is_found() -> None:
    found = {violation.partition(":")[0] for violation in _Stuck(Slice(0, 100, 20, 5.0)).play().violations}
    assert found == {"a wake that nobody answered"}


def test_what_differs_between_core_and_services_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "WithTheCore", _Deaf)
    services = play_slice(Slice(0, 100, 30, 5.0), in_sample=True).services
    assert services is not None
    assert any(violation.startswith("core and services differ") for violation in services.violations)


@pytest.mark.parametrize(
    ("at", "stage", "changes", "rule"),
    [
        (datetime(2026, 12, 8, 0, 59, tzinfo=UTC), 0, {}, "a text outside the hours"),
        (datetime(2026, 12, 8, 12, 30, tzinfo=UTC), 0, {}, "a text outside the hours"),
        (datetime(2026, 12, 6, 4, 0, tzinfo=UTC), 3, {"country": "HK"}, "an overdue text on a Sunday"),
        (datetime(2026, 12, 25, 4, 0, tzinfo=UTC), 3, {"country": "HK"}, "an overdue text on a holiday"),
        (NOON, 3, {"held_at": NOON - timedelta(hours=1)}, "a text during a hold"),
        (NOON, 3, {"pays_at": NOON - timedelta(hours=1)}, "a text after the payment"),
    ],
)
def test_a_text_that_may_not_go_out_is_found(at: datetime, stage: int, changes: dict[str, object], rule: str) -> None:
    checks = _checks(**changes)
    checks.text("C1", "s1", stage, at)
    assert [violation.partition(":")[0] for violation in checks.violations] == [rule]


@pytest.mark.parametrize(
    ("at", "stage", "changes"),
    [
        (datetime(2026, 12, 8, 1, 0, tzinfo=UTC), 0, {}),
        (datetime(2026, 12, 6, 4, 0, tzinfo=UTC), 0, {"country": "HK"}),
        (datetime(2026, 12, 6, 4, 0, tzinfo=UTC), 3, {}),
        (NOON, 3, {"held_at": NOON + timedelta(hours=1)}),
        (datetime(2027, 1, 1, 4, 0, tzinfo=UTC), -3, {"pays_at": NOON}),
    ],
)
def test_a_text_that_may_go_out_is_no_violation(at: datetime, stage: int, changes: dict[str, object]) -> None:
    checks = _checks(**changes)
    checks.text("C1", "s1", stage, at)
    assert checks.violations == []


def test_a_cap_is_exceeded_within_its_window_and_not_at_its_end() -> None:
    for most, window in CAPS:
        for too_soon in (True, False):
            checks = _checks()
            step = window / most
            for place in range(most):
                checks.text("C1", f"s{place}", 0, NOON + place * step.days * timedelta(days=1))
            checks.violations.clear()
            last = NOON + window - (timedelta(minutes=1) if too_soon else timedelta())
            checks.text("C1", "last", 0, last)
            assert any(v.startswith(f"more than {most} texts") for v in checks.violations) is too_soon


def test_a_second_text_for_a_send_id_is_found() -> None:
    checks = _checks()
    checks.text("C1", "s1", 0, NOON)
    checks.text("C1", "s1", 3, NOON + timedelta(days=3))
    assert [violation.partition(":")[0] for violation in checks.violations] == ["a second text for a send_id"]


def test_nobody_may_be_left_without_a_wake_or_a_reason() -> None:
    for standing, rule in (
        (None, "nobody planned the customer"),
        (Standing(customer_id="C1", reason="next_stage"), "no wake, for the reason next_stage"),
        (Standing(customer_id="C1", reason="due", wake=Wake(NOON, 0)), "a wake that nobody answered"),
        (Standing(customer_id="C1", reason="no_written_notice"), None),
        (Standing(customer_id="C1", reason="next_stage", wake=Wake(END + timedelta(days=1), 0)), None),
    ):
        played = Played()
        _checks().finish({"C1": standing} if standing else {}, played)
        assert [violation.partition(":")[0] for violation in played.violations] == ([rule] if rule else [])


def test_the_days_of_the_ladder_are_expected_until_the_customer_pays_or_is_held() -> None:
    due_on = date(2026, 12, 5)
    all_days = {due_on + timedelta(days=stage) for stage in LADDER}
    assert expected_days(_life(), END) == all_days
    paid = _life(pays_at=datetime(2026, 12, 8, 1, 0, tzinfo=UTC))
    assert expected_days(paid, END) == {due_on - timedelta(days=3), due_on}
    assert expected_days(_life(held_at=BEGIN), END) == set()


def test_slices_share_customers_and_rate() -> None:
    parts = slices(50_000, 30, 20)
    assert [part.customers for part in parts] == [20_000, 20_000, 10_000]
    assert sum(part.per_second for part in parts) == pytest.approx(20)
    assert {part.per_second / part.customers for part in parts} == {20 / 50_000}


def test_slices_have_no_customer_in_common() -> None:
    first, second = ({facts.customer_id for facts, _ in scale.lives(Slice(n, 50, 30, 1.0))} for n in (0, 1))
    assert not first & second


def test_the_index_yields_the_earliest_wakes_once_and_only_those_that_still_hold() -> None:
    wakes = Wakes()
    for name, minutes in (("late", 9), ("early", 1), ("moved", 0), ("early", 1), ("future", 90)):
        wakes[name] = Standing(customer_id=name, wake=Wake(NOON + timedelta(minutes=minutes), 0))
    wakes["moved"] = Standing(customer_id="moved", wake=None)
    until = NOON + timedelta(minutes=10)
    assert [due.customer_id for due in wakes.due(until, 10)] == ["early", "late"]
    assert [due.customer_id for due in wakes.due(until, 1)] == ["early"]
    assert wakes.first() == NOON + timedelta(minutes=1)


def test_a_violation_is_reported_and_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = Result(core=Played(customers=10, texts=20, seconds={"loading": 1.0}))
    monkeypatch.setattr(scale, "play_all", lambda *_, **__: outcome)
    monkeypatch.setattr(scale, "rates", list)
    assert scale.main(["--customers", "10"]) == 0
    assert "no violation in 20 texts" in capsys.readouterr().out
    outcome.core.violations.append("a text outside the hours: C1")
    assert scale.main(["--customers", "10"]) == 1
    assert "1 VIOLATIONS" in capsys.readouterr().out


def test_a_number_of_customers_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        scale.main(["--customers", "0"])
    assert exit_.value.code == 2
    assert "must be 1 or more" in capsys.readouterr().err


def test_the_report_says_how_late_texts_were() -> None:
    core, services = play_slice(Slice(0, 40, 30, 1.0), in_sample=True)
    assert services is not None
    lines = "\n".join(report(Result(core, services), rate=1.0, processes=1, elapsed=1.0))
    assert "minutes from wake to claim" in lines
    assert f"{core.texts:,}" in lines


def test_services_work_without_threads() -> None:
    play = WithServices(Slice(0, 5, 3, 1.0))
    assert "ThreadPoolExecutor" not in {type(value).__name__ for value in vars(play._sender).values()}  # noqa: SLF001
