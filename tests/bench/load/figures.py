"""The figures of a load, worked out once: the report prints them, and a file may keep them."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.bench.capacity import MACHINE, Capacity, Portfolio, load_known, load_template
from tests.bench.cost import Machine
from tests.bench.load.engine import Attempt, Sample
from tests.bench.load.functions import Invocation, Sandbox
from tests.bench.load.play import Outcome
from tests.bench.load.portfolio import SHARDS, customer_of

_WARM_AFTER = 0.5
"""The part of a process's work that counts as its beginning, in which memory grows once: threads, connections."""

_MIDDLE = (0.1, 0.7)
"""The share of texts between which throughput is measured: neither the first tick nor the last stragglers."""


class Percentiles(NamedTuple):
    """Seconds, of so many."""

    number: int
    p50: float
    p90: float
    p99: float


def percentiles(values: Iterable[float]) -> Percentiles:
    """Return the percentiles, zeros if there are no values."""
    ordered = sorted(values)
    if not ordered:
        return Percentiles(0, 0.0, 0.0, 0.0)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.9, 0.99)]
    return Percentiles(len(ordered), *at)


class Side(NamedTuple):
    """Ours, or the bare loop: texts a second, and milliseconds of CPU for a text that was taken."""

    texts: int
    texts_a_second: float
    sender_ms: float
    scanner_ms: float
    process_ms: float
    """Everything, with AWS's own part of polling, but without the cold start."""


class Spell(NamedTuple):
    """A part of the time: how many woke and were texted a second, and how late."""

    name: str
    seconds: float
    woken_a_second: float
    texts_a_second: float
    late: Percentiles


class Refusals(NamedTuple):
    """Texts by the number of requests they took, and what was refused."""

    refused: int
    requests: int
    by_requests: Mapping[int, int]
    late: Percentiles
    """Seconds from the wake to the text for those refused at least once, until minutes are skipped."""

    most_a_second: int
    """The most requests that reached the carrier within a second, in part 3."""


class Backlog(NamedTuple):
    """
    What happened when the rate was lowered and raised.

    `held_back` are the ticks, of so many, that queued nothing because the queue was full. The others are seconds;
    `None` if it did not come about. `jobs_a_text` counts those that the scanner queued for a text in part 3.
    """

    jobs_a_text: float
    deepest_queue: int
    held_back: int
    ticks: int
    capacity_lowered: int
    queue_within_capacity_after: float | None
    most_due: int
    recovered_after: float | None
    expected_recovery: float


class SwitchedOff(NamedTuple):
    """Texts that went out after the switch, by what had begun before it, and how long they did."""

    claimed_before: int
    in_batch: int
    still_trusted: int
    last_after: float
    silent_seconds: float
    first_after_on: float


class Growth(NamedTuple):
    """
    The memory of a process: MB at the end of its beginning and at its end, and by 1,000 messages in between.

    `cached` are the values in the fullest of its bounded caches at the end, `cached_at_most` what it may hold.
    """

    name: str
    handled: int
    first_mb: float
    last_mb: float
    mb_a_thousand: float
    cache: str = ""
    cached: int = 0
    cached_at_most: int = 0


class Modelled(NamedTuple):
    """A figure of the capacity model beside the measured one."""

    what: str
    model: float
    measured: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All figures."""

    texts: int
    ours: Side
    bare: Side
    calls: Mapping[str, float]
    """Calls for a text that was taken, by operation, in part 2."""

    expected_calls: float
    spells: Sequence[Spell]
    ways: Mapping[str, Percentiles]
    """Where the time of a text goes, while the pace suffices."""

    refusals: Refusals
    backlog: Backlog
    switched_off: SwitchedOff
    growth: Sequence[Growth]
    modelled: Sequence[Modelled]
    engine_share: float
    """The share of all CPU that the engine took in part 2."""

    engine_us: float
    """Microseconds of the engine's CPU for a request."""

    cold_start_seconds: float
    curve: Sequence[Sample]


def figures(outcome: Outcome) -> Figures:
    """Work out all figures."""
    ours = {due.customer_id for due in outcome.load.ours}
    attempts = [attempt for attempt in outcome.journal.attempts if customer_of(attempt.phone) in ours]
    taken = [attempt for attempt in attempts if attempt.accepted]
    at_once = {due.customer_id for due in outcome.load.at_once}
    marks = outcome.marks
    in_part_3 = [sample for sample in outcome.journal.samples if marks["begun"] <= sample.at <= marks["done"]]
    our_side = _side(outcome, ("unpaced",), [a for a in taken if customer_of(a.phone) in at_once])
    sandboxes = [sandbox for group in outcome.sandboxes.values() for sandbox in group]
    before, after = outcome.counts["unpaced"], outcome.counts["unpaced, done"]
    engine_cpu = after.cpu_seconds - before.cpu_seconds
    calls = Counter(after.calls)
    calls.subtract(before.calls)
    worked = sum(_after_start(sandbox) for sandbox in outcome.sandboxes["unpaced"])
    throttled = outcome.plan.habits.throttled
    return Figures(
        texts=len(taken),
        ours=our_side,
        bare=_bare_side(outcome),
        calls={name: number / max(1, our_side.texts) for name, number in calls.items() if number},
        # Each request to the carrier is a claim and a publish, and each refusal one more write.
        expected_calls=2 / (1 - throttled) + throttled / (1 - throttled),
        spells=_spells(outcome, taken),
        ways=_ways(outcome, attempts),
        refusals=_refusals(outcome, attempts),
        backlog=_backlog(outcome, in_part_3),
        switched_off=_switched_off(outcome, taken),
        growth=[_growth(outcome, sandbox) for sandbox in sandboxes if "bare" not in sandbox.name],
        modelled=_modelled(outcome, our_side),
        engine_share=engine_cpu / (engine_cpu + worked) if worked else 0.0,
        engine_us=1e6 * engine_cpu / max(1, calls.total()),
        cold_start_seconds=statistics.median(s.cold_start_cpu for s in sandboxes if "sender" in s.name),
        curve=_until_drained(in_part_3, outcome),
    )


# ------------------------------------------------------------------ part 2 and the reference


def _after_start(sandbox: Sandbox) -> float:
    return sandbox.cpu_seconds - sandbox.cold_start_cpu


def _side(outcome: Outcome, groups: Sequence[str], taken: Sequence[Attempt]) -> Side:
    """Return throughput and CPU of the sandboxes that sent these texts."""
    sandboxes = [sandbox for group in groups for sandbox in outcome.sandboxes.get(group, ())]
    texts = max(1, len(taken))

    def cpu(word: str) -> float:
        return sum(i.cpu_seconds for sandbox in sandboxes if word in sandbox.name for i in sandbox.invocations)

    return Side(
        len(taken),
        _a_second([attempt.answered_at for attempt in taken]),
        1000 * (cpu("sender") + cpu("bare")) / texts,
        1000 * cpu("scanner") / texts,
        1000 * sum(map(_after_start, sandboxes)) / texts,
    )


def _bare_side(outcome: Outcome) -> Side:
    """Return both halves of the reference together; the throughput is the mean."""
    reference = {due.customer_id for due in outcome.load.reference}
    taken = [a for a in outcome.journal.attempts if a.accepted and customer_of(a.phone) in reference]
    groups = [group for group in ("bare", "bare again") if group in outcome.sandboxes]
    half = len(reference) // 2
    side = _side(outcome, groups, taken)
    rates = [_a_second([a.answered_at for a in part]) for part in (taken[:half], taken[half:]) if part]
    return side._replace(texts_a_second=statistics.mean(rates) if rates else 0.0)


def _a_second(moments: Sequence[float]) -> float:
    """Return how many a second there were, between the first and the last few."""
    ordered = sorted(moments)
    first, last = (int(len(ordered) * share) for share in _MIDDLE)
    seconds = ordered[last] - ordered[first] if last > first else 0.0
    return (last - first) / seconds if seconds else 0.0


# ------------------------------------------------------------------ part 3


def _spells(outcome: Outcome, taken: Sequence[Attempt]) -> list[Spell]:
    marks = outcome.marks
    first_try = _first_tries(outcome, taken)
    ends = outcome.load.evenly[-1].wake.timestamp() if outcome.load.evenly else marks["begun"]
    named = [
        ("at the pace", marks["begun"], marks["lowered"]),
        ("a quarter of it", marks["lowered"], marks["raised"]),
        ("raised again", marks["raised"], marks["off"]),
        ("switched off", marks["off"], marks["on"]),
        ("on, until the last wake", marks["on"], max(ends, marks["on"])),
    ]
    spells = []
    for name, begins, until in named:
        seconds = until - begins
        if seconds <= 0:
            continue
        woken = [due for due in outcome.load.evenly if begins <= due.wake.timestamp() < until]
        late = [
            first_try[due.customer_id].answered_at - due.wake.timestamp()
            for due in woken
            if due.customer_id in first_try
        ]
        sent = sum(begins <= attempt.answered_at < until for attempt in taken)
        spells.append(Spell(name, seconds, len(woken) / seconds, sent / seconds, percentiles(late)))
    return spells


def _first_tries(outcome: Outcome, attempts: Iterable[Attempt]) -> dict[str, Attempt]:
    """Return the text of each customer who was never refused."""
    tries = Counter(customer_of(attempt.phone) for attempt in outcome.journal.attempts)
    return {
        customer_id: attempt
        for attempt in attempts
        if attempt.accepted and tries[customer_id := customer_of(attempt.phone)] == 1
    }


def _ways(outcome: Outcome, attempts: Sequence[Attempt]) -> dict[str, Percentiles]:
    wakes = {
        due.customer_id: due.wake.timestamp()
        for due in outcome.load.evenly
        if due.wake.timestamp() < outcome.marks["lowered"]
    }
    texts = [(attempt, wakes[c]) for c, attempt in _first_tries(outcome, attempts).items() if c in wakes]
    return {
        "wake to queue: the tick": percentiles(a.queued_at - wake for a, wake in texts),
        "queue to sender: jobs before it": percentiles(a.received_at - a.queued_at for a, _ in texts),
        "sender to claim: pace and decision": percentiles(a.claimed_at - a.received_at for a, _ in texts),
        "claim to the carrier's answer": percentiles(a.answered_at - a.claimed_at for a, _ in texts),
        "wake to the carrier's answer": percentiles(a.answered_at - wake for a, wake in texts),
    }


def _refusals(outcome: Outcome, attempts: Sequence[Attempt]) -> Refusals:
    requests: Counter[str] = Counter()
    taken_at: dict[str, float] = {}
    for attempt in attempts:
        customer_id = customer_of(attempt.phone)
        requests[customer_id] += 1
        if attempt.accepted:
            taken_at[customer_id] = attempt.answered_at
    by_requests = Counter(requests[customer_id] for customer_id in taken_at)
    skipped = outcome.marks.get("skipped", outcome.marks["done"])
    late = [
        taken_at[due.customer_id] - due.wake.timestamp()
        for due in outcome.load.evenly
        if taken_at.get(due.customer_id, skipped) < skipped and requests[due.customer_id] > 1
    ]
    in_part_3 = sorted(a.arrived_at for a in attempts if a.arrived_at >= outcome.marks["begun"])
    return Refusals(
        sum(not attempt.accepted for attempt in attempts),
        len(attempts),
        dict(sorted(by_requests.items())),
        percentiles(late),
        _most_within_a_second(in_part_3),
    )


def _most_within_a_second(moments: Sequence[float]) -> int:
    most = first = 0
    for place, moment in enumerate(moments):
        while moments[first] <= moment - 1:
            first += 1
        most = max(most, place - first + 1)
    return most


def _backlog(outcome: Outcome, samples: Sequence[Sample]) -> Backlog:
    marks, plan = outcome.marks, outcome.plan
    begun, lowered, raised, off = (marks[name] for name in ("begun", "lowered", "raised", "off"))
    capacity = int(plan.rate * plan.lowered_to * plan.tick_seconds)
    ticks = [i for s in outcome.sandboxes["lowered"] if "scanner" in s.name for i in s.invocations]
    while_lowered = [sample for sample in samples if lowered <= sample.at < raised]
    usual = percentiles(sample.due for sample in samples if begun + plan.tick_seconds <= sample.at < lowered).p90
    after = [sample for sample in samples if sample.at >= raised]
    most = max((sample.due for sample in while_lowered), default=0)
    surplus = plan.taken_a_second * (1 - plan.arrivals)
    flat = next((s.at - lowered for s in while_lowered if s.visible + s.hidden <= capacity), None)
    recovered = next((s.at - raised for s in after if s.due <= usual and s.at < off), None)
    scanners = [s for name in ("steady", "lowered", "raised") for s in outcome.sandboxes[name] if "scanner" in s.name]
    jobs = sum(invocation.pieces for scanner in scanners for invocation in scanner.invocations)
    return Backlog(
        jobs / max(1, len(outcome.load.evenly)),
        max((sample.visible + sample.hidden for sample in while_lowered), default=0),
        sum(not tick.pieces for tick in ticks),
        len(ticks),
        capacity,
        flat,
        most,
        recovered,
        max(0.0, most - usual) / surplus if surplus else 0.0,
    )


def _switched_off(outcome: Outcome, taken: Sequence[Attempt]) -> SwitchedOff:
    off, on = outcome.marks["off"], outcome.marks["on"]
    after = [attempt for attempt in taken if off < attempt.arrived_at < on]
    claimed = sum(attempt.claimed_at <= off for attempt in after)
    in_batch = sum(attempt.received_at <= off < attempt.claimed_at for attempt in after)
    last = max((attempt.arrived_at for attempt in after), default=off)
    again = min((attempt.arrived_at for attempt in taken if attempt.arrived_at >= on), default=on)
    return SwitchedOff(claimed, in_batch, len(after) - claimed - in_batch, last - off, on - last, again - on)


def _until_drained(samples: Sequence[Sample], outcome: Outcome) -> list[Sample]:
    """Return the samples until nothing waits any more after the last wake, or minutes are skipped."""
    last_wake = outcome.load.evenly[-1].wake.timestamp() if outcome.load.evenly else 0.0
    on, skipped = outcome.marks["on"], outcome.marks.get("skipped", outcome.marks["done"])
    kept = []
    for sample in samples:
        if sample.at > skipped:
            break
        kept.append(sample)
        if sample.at > max(last_wake, on) and not sample.due and not sample.visible + sample.hidden:
            break
    return kept


# ------------------------------------------------------------------ memory


def _growth(outcome: Outcome, sandbox: Sandbox) -> Growth:
    """Fit a line to the memory of a process over the messages it has handled."""
    readings = [reading for reading in outcome.memory if reading.pid == sandbox.pid]
    handled = sum(invocation.pieces for invocation in sandbox.invocations)
    points = [(_handled_by(sandbox.invocations, reading.at), reading.mb) for reading in readings]
    warm = [(x, y) for x, y in points if x >= handled * _WARM_AFTER] or points
    if not warm:
        return Growth(sandbox.name, handled, 0.0, 0.0, 0.0)
    cache, cached = max(sandbox.cached.items(), key=lambda item: item[1], default=("", (0, 0)))
    xs, ys = zip(*warm, strict=True)
    slope = statistics.linear_regression(xs, ys).slope if len(set(xs)) > 1 else 0.0
    return Growth(sandbox.name, handled, ys[0], ys[-1], 1000 * slope, cache.rpartition(".")[2], *cached)


def _handled_by(invocations: Sequence[Invocation], moment: float) -> int:
    return sum(invocation.pieces for invocation in invocations if invocation.ended <= moment)


def engine_growth(outcome: Outcome) -> Growth:
    """Return the memory of the engine, which keeps every record and its journal."""
    readings = [reading for reading in outcome.memory if reading.name == "engine"]
    texts = len(outcome.load.ours)
    if not readings:
        return Growth("engine", texts, 0.0, 0.0, 0.0)
    first, last = readings[len(readings) // 10].mb, readings[-1].mb
    return Growth("engine", texts, first, last, 1000 * (last - first) / max(1, texts))


# ------------------------------------------------------------------ the model


def _modelled(outcome: Outcome, ours: Side) -> list[Modelled]:
    """Set the capacity model beside what was measured."""
    plan = outcome.plan
    here = Machine(
        sender_cpu=MACHINE.sender_cpu,
        scanner_cpu=MACHINE.scanner_cpu,
        intake_cpu=MACHINE.intake_cpu,
        dynamodb_answers=outcome.answers_in["Query"],
        sqs_answers=outcome.answers_in["SendMessageBatch"],
        sns_answers=plan.habits.latency_seconds,
        factor=1 / Machine(sender_cpu=0, scanner_cpu=0, intake_cpu=0, factor=1).computing(1, _SCANNER_MB),
    )
    ticks = [i for s in outcome.sandboxes["unpaced"] if "scanner" in s.name for i in s.invocations]
    largest = max(ticks, key=lambda tick: tick.pieces, default=Invocation(0, 0, 0, 0))
    rate_of_tick = max(1, largest.pieces) / 60

    known, template = load_known(), load_template()

    def tick_of(machine: Machine) -> float:
        capacity = Capacity(
            portfolio=Portfolio(instalments=plan.customers, reminders_a_day=plan.customers),
            rate=plan.rate,
            shards=SHARDS,
            known=known,
            template=template,
            machine=machine,
        )
        return capacity.tick(rate_of_tick).seconds

    jobs = max(1, sum(tick.pieces for tick in ticks))
    senders = max(1, sum("sender" in sandbox.name for sandbox in outcome.sandboxes["unpaced"]))
    taken = 1 - plan.habits.throttled
    took = largest.ended - largest.began
    scanner_cpu = sum(tick.cpu_seconds for tick in ticks)
    return [
        Modelled(f"a tick of {largest.pieces:,} jobs, as in Lambda", tick_of(MACHINE), took, "s"),
        Modelled("the same, with the engine's answers, whole core", tick_of(here), took, "s"),
        Modelled("CPU of the scanner for a job", 1000 * MACHINE.scanner_cpu, 1000 * scanner_cpu / jobs, "ms"),
        Modelled("CPU of the sender for a request", 1000 * MACHINE.sender_cpu, ours.sender_ms * taken, "ms"),
        Modelled("requests a second of one sender, no pace", 50, ours.texts_a_second / taken / senders, ""),
        Modelled("senders busy at the pace", plan.arrivals * plan.at_work(plan.rate), _busy(outcome), ""),
    ]


_SCANNER_MB = 512


def _busy(outcome: Outcome) -> float:
    """Return how many senders were busy at a time while the pace sufficed."""
    begun, lowered = outcome.marks["begun"] + outcome.plan.tick_seconds, outcome.marks["lowered"]
    busy = sum(
        max(0.0, min(invocation.ended, lowered) - max(invocation.began, begun))
        for sandbox in outcome.sandboxes["steady"]
        if "sender" in sandbox.name
        for invocation in sandbox.invocations
    )
    return busy / (lowered - begun) if lowered > begun else 0.0
