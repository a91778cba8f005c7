"""A small load played by real processes: its figures, and the faults that its checks find when they are planted."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.bench.load import __main__ as command
from tests.bench.load.audit import violations
from tests.bench.load.engine import Attempt, CarrierHabits, Sample
from tests.bench.load.figures import Figures, Growth, engine_growth, figures, percentiles
from tests.bench.load.functions import Invocation
from tests.bench.load.play import LoadError, LoadPlan, Outcome, Player, memory_mb
from tests.bench.load.portfolio import SECOND, customer_of, the_load
from tests.bench.load.report import curve, flatness, marked_axis, report

PLAN = LoadPlan(
    customers=200,
    rate=400,
    habits=CarrierHabits(latency_seconds=0.005, throttled=0.2, duplicated=0.5, seed=1),
    senders_for=lambda _: 1,
    tick_seconds=1.0,
    off_seconds=0.0,
    patience_seconds=90.0,
)

pytestmark = pytest.mark.slow(reason="real processes of scanner and sender start cold, five times")


@pytest.fixture(scope="module")
def played() -> Outcome:
    return Player(PLAN).play()


@pytest.fixture(scope="module")
def found(played: Outcome) -> Figures:
    return figures(played)


def test_every_customer_is_texted_once_though_the_carrier_refuses_and_jobs_come_twice(
    played: Outcome, found: Figures
) -> None:
    assert violations(played) == []
    assert found.texts == 200
    assert found.refusals.refused > 20
    assert found.refusals.requests == 200 + found.refusals.refused
    assert sum(found.refusals.by_requests.values()) == 200


def test_calls_for_a_text_are_what_the_design_says(found: Figures) -> None:
    """A claim and a publish for each request, one more write for each refusal; all else is shared by a batch."""
    calls = found.calls
    assert calls["Publish"] == pytest.approx(1.25, abs=0.15)
    # Half of the jobs come twice: the second may lose against the first, or record as unknown what is being sent.
    assert calls["Publish"] * 2 - 1 <= calls["PutItem"] < calls["Publish"] * 2 - 0.5
    assert sum(calls[name] for name in ("BatchGetItem", "BatchWriteItem", "PutEvents")) < 0.5
    assert found.bare.texts == 10


def test_the_report_says_what_was_found(played: Outcome, found: Figures) -> None:
    lines = list(report(played, found, engine_growth(played), violations(played)))
    assert "  no violation in 200 texts" in lines
    assert lines[0].startswith("200 customers; the carrier takes 5 ms and refuses 20% of requests")
    broken = list(report(played, found, engine_growth(played), ["a text twice: C000001: 2 texts"]))
    assert "  1 VIOLATIONS, of which the first are" in broken
    assert "    a text twice: C000001: 2 texts" in broken


# ------------------------------------------------------------------ planted faults


def text_twice(outcome: Outcome) -> Outcome:
    return _with_attempts(outcome, [*outcome.journal.attempts, _taken(outcome)])


def text_lost(outcome: Outcome) -> Outcome:
    lost = outcome.load.ours[7].customer_id
    return _with_attempts(outcome, [a for a in outcome.journal.attempts if customer_of(a.phone) != lost])


def publish_afterwards(outcome: Outcome) -> Outcome:
    return _with_attempts(outcome, [*outcome.journal.attempts, _taken(outcome)._replace(accepted=False)])


def record_missing(outcome: Outcome) -> Outcome:
    return replace(outcome, contacts=[item for item in outcome.contacts if not _is_of(item, outcome, 3)])


def record_unknown(outcome: Outcome) -> Outcome:
    return replace(
        outcome,
        contacts=[
            {**item, "state": {"S": "unknown"}} if _is_of(item, outcome, 3) else item for item in outcome.contacts
        ],
    )


def claim_missing(outcome: Outcome) -> Outcome:
    without = [
        {**item, "ledger": {"S": "[]"}} if "ledger" in item and _is_of(item, outcome, 3) else item
        for item in outcome.customers
    ]
    return replace(outcome, customers=without)


def nobody_left_a_reason(outcome: Outcome) -> Outcome:
    lost = text_lost(outcome)
    without = [
        {name: value for name, value in item.items() if name not in {"wake_key", "shard"}}
        if "ledger" in item and _is_of(item, outcome, 7)
        else item
        for item in outcome.customers
    ]
    return replace(lost, customers=without)


def not_announced(outcome: Outcome) -> Outcome:
    announced = Counter(outcome.journal.announced)
    announced[outcome.load.ours[3].customer_id] += 1
    return replace(outcome, journal=replace(outcome.journal, announced=announced))


def text_after_switch(outcome: Outcome) -> Outcome:
    last = max(attempt.arrived_at for attempt in outcome.journal.attempts)
    return replace(outcome, marks={**outcome.marks, "off": last - 61, "on": last + 1})


def left_behind(outcome: Outcome) -> Outcome:
    return replace(outcome, dead_letters=1, left_on_queue=2)


def handler_failed(outcome: Outcome) -> Outcome:
    (name, (first, *others)), *groups = outcome.sandboxes.items()
    failed = replace(first, errors=["KeyError: 'x'"], invocations=[Invocation(0, 1, 0.1, 25, failed=2)])
    return replace(outcome, sandboxes={name: [failed, *others], **dict(groups)})


def _taken(outcome: Outcome) -> Attempt:
    ours = {due.customer_id for due in outcome.load.ours}
    return next(a for a in outcome.journal.attempts if a.accepted and customer_of(a.phone) in ours)


def _with_attempts(outcome: Outcome, attempts: list[Attempt]) -> Outcome:
    return replace(outcome, journal=replace(outcome.journal, attempts=attempts))


def _is_of(item: Any, outcome: Outcome, place: int) -> bool:  # noqa: ANN401 - an item
    return bool(item["customer_id"]["S"] == outcome.load.ours[place].customer_id)


@pytest.mark.parametrize(
    ("plant", "lines"),
    [
        (text_twice, ["a text twice", "announced 1 times, texted 2"]),
        (text_lost, ["a claim that stayed without a text", "announced 1 times, texted 0"]),
        (nobody_left_a_reason, ["neither texted nor waiting with a reason", "a claim that stayed without a text"]),
        (publish_afterwards, ["a publish after the text was taken"]),
        (record_missing, ["a claim without an audit record"]),
        (record_unknown, ["a text that was taken, on record as unknown"]),
        (claim_missing, ["an audit record without a claim", "a text without a claim"]),
        (not_announced, ["announced 2 times, texted 1"]),
        (text_after_switch, ["s after the switch"]),
        (left_behind, ["1 dead letters", "2 jobs left on the queue"]),
        (handler_failed, ["an error left the handler: KeyError", "2 jobs of a batch failed"]),
    ],
)
def test_a_planted_fault_is_found(played: Outcome, plant: Callable[[Outcome], Outcome], lines: list[str]) -> None:
    broken = violations(plant(played))
    for line in lines:
        assert any(line in violation for violation in broken), (line, broken)


# ------------------------------------------------------------------ the parts of the report


def test_percentiles_are_values_that_occur() -> None:
    assert percentiles(range(100)) == (100, 50, 90, 99)
    assert percentiles([3.0]) == (1, 3.0, 3.0, 3.0)
    assert percentiles([]) == (0, 0.0, 0.0, 0.0)


def test_a_curve_is_as_high_as_its_greatest_value_and_names_it() -> None:
    samples = [Sample(float(second), due, 0, 0, 0, 0) for second, due in enumerate([0, 10, 40, 0, 0])]
    head, *rows = curve(samples, lambda sample: float(sample.due), "waiting")
    assert head.split() == ["40", "waiting"]
    assert "█" in rows[0]
    assert all(row.startswith("          |") for row in rows)
    assert max(map(len, rows)) <= 99


def test_the_axis_has_a_sign_where_something_was_done() -> None:
    samples = [Sample(float(second), 0, 0, 0, 0, 0) for second in range(101)]
    axis = marked_axis(samples, {"v": 50.0, "0": 500.0})
    assert axis.endswith("- 100 s")
    assert (axis.count("v"), axis.partition("+")[2].index("v")) == (1, 44)
    assert "0" not in axis.partition("+")[2].partition(" ")[0]


@pytest.mark.parametrize(
    ("growth", "judged"),
    [
        (Growth("sender", 10, 80, 85, 9.0), "too few to tell"),
        (Growth("sender", 5000, 80, 80.2, 0.04), "flat"),
        (
            Growth("sender", 5000, 80, 81.4, 0.29, "format_money", 4800, 16384),
            "format_money caches 4,800 of at most 16,384",
        ),
        (Growth("sender", 5000, 80, 90, 2.0, "format_money", 4800, 16384), "GROWS"),
    ],
)
def test_memory_is_flat_or_fills_a_bounded_cache_or_grows(growth: Growth, judged: str) -> None:
    assert flatness(growth) == judged


def test_the_memory_of_a_process_that_is_gone_is_not_known() -> None:
    assert memory_mb(2**22 + 1) is None


def test_half_of_the_customers_are_due_at_once_and_the_others_evenly() -> None:
    load = the_load(1000, a_second=50)
    assert (len(load.at_once), len(load.evenly), len(load.reference)) == (500, 500, 50)
    assert load.arrivals_seconds == pytest.approx(499 / 50)
    assert load.evenly[50].wake == SECOND + (load.evenly[100].wake - load.evenly[50].wake)
    assert len({due.customer_id for due in (*load.ours, *load.reference)}) == 1050


# ------------------------------------------------------------------ the command


class _Rehearsed:
    """A player that has played already."""

    outcome: Outcome | None = None

    def __init__(self, plan: LoadPlan, say: Callable[[str], object]) -> None:
        del plan
        self._say = say

    def play(self) -> Outcome:
        self._say("playing")
        if self.outcome is None:
            raise LoadError("sender 1: the process ended with code 1")
        return self.outcome


@pytest.fixture
def rehearsed(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Rehearsed]]:
    monkeypatch.setattr(command, "Player", _Rehearsed)
    yield _Rehearsed
    _Rehearsed.outcome = None


def test_the_command_fails_if_a_rule_was_broken_and_only_then(
    rehearsed: type[_Rehearsed], played: Outcome, tmp_path: Path
) -> None:
    written: list[str] = []
    rehearsed.outcome = played
    assert command.main(["--out", str(tmp_path)], written.append) == 0
    assert json.loads((tmp_path / "load.json").read_text("utf-8"))["texts"] == 200
    rehearsed.outcome = text_twice(played)
    assert command.main([], written.append) == 1
    assert any("a text twice" in line for line in written)


def test_the_command_says_which_process_did_not_do_its_part(
    rehearsed: type[_Rehearsed], capsys: pytest.CaptureFixture[str]
) -> None:
    rehearsed.outcome = None
    assert command.main([]) == 2
    assert "sender 1: the process ended with code 1" in capsys.readouterr().err


def test_the_command_line_takes_what_make_hands_over() -> None:
    plan, out = command.parse_plan(
        ["--customers", "5,000", "--workers", "3", "--latency-ms", "80", "--throttled", "35", "--rate", "50"]
    )
    assert (plan.customers, plan.workers, plan.rate, out) == (5000, 3, 50, "")
    assert (plan.habits.latency_seconds, plan.habits.throttled) == (0.08, 0.35)
    usual, _ = command.parse_plan([])
    assert (usual.customers, usual.at_work(usual.rate), usual.habits.latency_seconds) == (20_000, 2, 0.05)
    with pytest.raises(SystemExit):
        command.parse_plan(["--throttled", "95"])


def test_an_engine_that_dies_is_named_and_nobody_waits_for_it() -> None:
    player = Player(replace(PLAN, customers=10))
    player._engine.process.kill()  # noqa: SLF001 - what a fault would do
    player._engine.process.join()  # noqa: SLF001 - what a fault would do
    with pytest.raises((LoadError, OSError)):
        player._engine.ask("count")  # noqa: SLF001 - as the player asks
