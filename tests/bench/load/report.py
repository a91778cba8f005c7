"""Writes the figures of a load for a reader: tables, and curves of what waited."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from tests.bench.load.engine import Sample
from tests.bench.load.figures import Figures, Growth, Percentiles
from tests.bench.load.play import Outcome

_WIDTH, _HEIGHT = 88, 8
_FLAT_MB_A_THOUSAND = 0.1
_BYTES_OF_A_CACHED_VALUE = 450
_ENOUGH_TO_TELL = 2000


def report(outcome: Outcome, found: Figures, engine: Growth, violations: Sequence[str]) -> Iterator[str]:
    """Yield the lines."""
    plan = outcome.plan
    yield (
        f"{plan.customers:,} customers; the carrier takes {1000 * plan.habits.latency_seconds:.0f} ms and refuses "
        f"{plan.habits.throttled:.0%} of requests; {plan.habits.duplicated:.0%} of jobs come twice; "
        f"seed {plan.habits.seed}"
    )
    yield f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}"
    yield ""
    yield from _beside(found, plan.at_work(10_000))
    yield ""
    yield from _evenly(outcome, found)
    yield ""
    yield from _refusals(outcome, found)
    yield ""
    yield from _curves(outcome, found)
    yield ""
    yield from _switch(found)
    yield ""
    yield from _memory(found, engine)
    yield ""
    yield from _model(outcome, found)
    yield ""
    yield "Checked: a text for each customer and never two, each claim with its record, each text announced once,"
    yield "nobody left without a text or a reason, silence a minute after the switch, nothing left on a queue"
    if violations:
        yield f"  {len(violations):,} VIOLATIONS, of which the first are"
        yield from (f"    {violation}" for violation in violations[:20])
    else:
        yield f"  no violation in {found.texts:,} texts"


def _row(what: str, *columns: object) -> str:
    return f"  {what:58}" + "".join(f" {column!s:>11}" for column in columns)


def _beside(found: Figures, senders: int) -> Iterator[str]:
    ours, bare = found.ours, found.bare
    yield f"All at once, without a pace: {ours.texts:,} due, {senders} senders"
    yield _row("", "ours", "bare loop", "ratio")
    for what, first, second in (
        ("texts a second", ours.texts_a_second, bare.texts_a_second),
        ("CPU of senders for a text, ms", ours.sender_ms, bare.sender_ms),
        ("CPU of processes for a text, ms, scanner and polling too", ours.process_ms, bare.process_ms),
    ):
        yield _row(what, f"{first:,.2f}", f"{second:,.2f}", f"{first / second:.2f}" if second else "-")
    yield _row("CPU of the scanner for a text, ms", f"{ours.scanner_ms:.2f}")
    calls = found.calls
    sqs = ("SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch")
    without = sum(number for name, number in calls.items() if name not in sqs[1:])
    yield _row("calls for a text, the scanner's included", f"{without:.2f}", f"floor {found.expected_calls:.2f}")
    yield _row("  with SQS receiving and deleting", f"{sum(calls.values()):.2f}")
    for name, number in sorted(calls.items(), key=lambda item: -item[1]):
        yield _row(f"    {name}", f"{number:.3f}")
    yield _row("the engine's share of all CPU", f"{found.engine_share:.0%}", f"{found.engine_us:.0f} µs/call")


def _seconds(late: Percentiles) -> tuple[str, str, str]:
    return f"{late.p50:,.2f}", f"{late.p90:,.2f}", f"{late.p99:,.2f}"


def _evenly(outcome: Outcome, found: Figures) -> Iterator[str]:
    plan = outcome.plan
    yield (
        f"One after the other: {plan.rate:g} texts a second, of which the carrier takes {plan.taken_a_second:g}; "
        f"a tick each {plan.tick_seconds:g} s; {plan.at_work(plan.rate)} senders"
    )
    yield _row("seconds from wake to text, of those never refused", "wakes/s", "texts/s", "p50", "p90", "p99")
    for spell in found.spells:
        yield _row(
            f"{spell.name}, {spell.seconds:.0f} s",
            f"{spell.woken_a_second:.0f}",
            f"{spell.texts_a_second:.0f}",
            *_seconds(spell.late),
        )
    yield _row("where the time goes at the pace", "", "", "p50", "p90", "p99")
    for name, late in found.ways.items():
        yield _row(f"  {name}", "", "", *_seconds(late))


def _refusals(outcome: Outcome, found: Figures) -> Iterator[str]:
    refusals, throttled = found.refusals, outcome.plan.habits.throttled
    yield f"Refused because the carrier was busy: {refusals.refused:,} of {refusals.requests:,} requests"
    yield _row("requests for a text", "texts", "expected")
    for requests, texts in refusals.by_requests.items():
        expected = found.texts * (1 - throttled) * throttled ** (requests - 1)
        yield _row(f"  {requests}", f"{texts:,}", f"{expected:,.0f}")
    yield _row("seconds from wake to text, of those refused: p50 p90 p99", *_seconds(refusals.late))
    yield _row("most requests within a second, at a rate of", f"{refusals.most_a_second:,}", f"{outcome.plan.rate:g}")


def _curves(outcome: Outcome, found: Figures) -> Iterator[str]:
    backlog, marks = found.backlog, outcome.marks
    samples = found.curve
    if len(samples) < 2:
        return
    signs = {"lowered": "v", "raised": "^", "off": "0", "on": "1"}
    yield "What waited (v the rate is lowered to a quarter, ^ raised, 0 sending is off, 1 on again)"
    for what, value in (
        ("customers whose wake has come", lambda sample: float(sample.due)),
        ("of which jobs on the queue", lambda sample: float(sample.visible + sample.hidden)),
    ):
        yield from curve(samples, value, what)
    yield marked_axis(samples, {signs[name]: marks[name] for name in signs})
    yield _row("deepest queue while the rate was low, jobs", f"{backlog.deepest_queue:,}")
    yield _row("  what the scanner puts on it at most", f"{backlog.capacity_lowered:,}", "at the low rate")
    yield _row("  ticks that queued nothing, of", backlog.held_back, backlog.ticks)
    yield _row("  seconds until the queue was no deeper than that", _known(backlog.queue_within_capacity_after))
    yield _row("most customers waiting while the rate was low", f"{backlog.most_due:,}")
    yield _row(
        "  seconds until no more waited than before",
        _known(backlog.recovered_after),
        f"expected {backlog.expected_recovery:,.0f}",
    )
    yield _row("jobs for a text: who is still on the queue is queued again", f"{backlog.jobs_a_text:.2f}")


def _known(seconds: float | None) -> str:
    return "not reached" if seconds is None else f"{seconds:,.1f}"


def curve(samples: Sequence[Sample], value: Callable[[Sample], float], what: str) -> Iterator[str]:
    """Draw a value over time: a column for each slice of it, as high as the value's greatest in the slice."""
    begin, end = samples[0].at, samples[-1].at
    columns = [0.0] * _WIDTH
    for sample, following in pairwise((*samples, samples[-1])):
        first, last = (
            min(_WIDTH - 1, int((moment - begin) / max(1e-9, end - begin) * _WIDTH))
            for moment in (sample.at, following.at)
        )
        for column in range(first, max(first, last) + 1):
            columns[column] = max(columns[column], value(sample))
    top = max(*columns, 1.0)
    yield f"  {top:>7,.0f} {what}"
    for row in range(_HEIGHT, 0, -1):
        cells = "".join(_cell(column / top * _HEIGHT - (row - 1)) for column in columns)
        yield f"          |{cells}".rstrip()


def _cell(height: float) -> str:
    return " ▁▂▃▄▅▆▇█"[max(0, min(8, round(height * 8)))]


def marked_axis(samples: Sequence[Sample], marks: Mapping[str, float]) -> str:
    """Draw the axis of time, with a sign where something was done, and its length in seconds."""
    begin, end = samples[0].at, samples[-1].at
    axis = ["-"] * _WIDTH
    for sign, moment in marks.items():
        if begin <= moment <= end:
            axis[min(_WIDTH - 1, int((moment - begin) / max(1e-9, end - begin) * _WIDTH))] = sign
    return f"        0 +{''.join(axis)} {end - begin:.0f} s"


def _switch(found: Figures) -> Iterator[str]:
    off = found.switched_off
    total = off.claimed_before + off.in_batch + off.still_trusted
    yield f"Switched off under load: {total:,} texts after it, the last {off.last_after:.1f} s after it (promise: 60 s)"
    yield _row("claimed before the switch, and on their way", f"{off.claimed_before:,}")
    yield _row("in a batch that had begun", f"{off.in_batch:,}")
    yield _row("in later batches: a sandbox trusts its reading for 30 s", f"{off.still_trusted:,}")
    yield _row("seconds of silence until it was switched on", f"{off.silent_seconds:.1f}")
    yield _row("seconds from on to the first text", f"{off.first_after_on:.1f}")


def _memory(found: Figures, engine: Growth) -> Iterator[str]:
    yield "Memory of each process, MB, in the second half of its work"
    yield _row("", "handled", "first", "last", "per 1,000")
    for growth in (*found.growth, engine):
        columns = (f"{growth.handled:,}", f"{growth.first_mb:.1f}", f"{growth.last_mb:.1f}")
        judged = "" if growth is engine else f"  {flatness(growth)}"
        yield _row(growth.name, *columns, f"{growth.mb_a_thousand:+.2f}") + judged
    yield "  the engine keeps every item, record and moment, and grows with them"


def flatness(growth: Growth) -> str:
    """Say whether a process keeps its size, or fills a bounded cache, or grows."""
    if growth.handled < _ENOUGH_TO_TELL:
        return "too few to tell"
    if growth.mb_a_thousand <= _FLAT_MB_A_THOUSAND:
        return "flat"
    of_caches = 1000 * growth.cached / growth.handled * _BYTES_OF_A_CACHED_VALUE / 2**20
    if growth.mb_a_thousand > _FLAT_MB_A_THOUSAND + of_caches:
        return "GROWS"
    return f"{growth.cache} caches {growth.cached:,} of at most {growth.cached_at_most:,}"


def _model(outcome: Outcome, found: Figures) -> Iterator[str]:
    yield "Beside the model of make capacity"
    yield _row("", "model", "measured", "difference")
    for row in found.modelled:
        difference = f"{row.measured / row.model - 1:+.0%}" if row.model else "-"
        yield _row(
            f"{row.what}{', ' if row.unit else ''}{row.unit}", f"{row.model:,.2f}", f"{row.measured:,.2f}", difference
        )
    answers = ", ".join(f"{name} in {1000 * seconds:.1f} ms" for name, seconds in outcome.answers_in.items())
    yield f"  the engine answers {answers}; a cold start of a sender takes {found.cold_start_seconds:.2f} s of CPU"
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in outcome.seconds.items())
    yield f"  {took}"
