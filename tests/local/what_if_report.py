"""What a what-if came to, as a manager likes to read it."""

from collections.abc import Iterator, Mapping, Sequence

from dunning.contracts.what_if_result import ExampleCourse, ExampleCustomer, PolicySums, WhatIfResult
from dunning.domain.effect.courses import NextText
from dunning.evidence.words import REASONS, stage_name
from ops.columns import WIDTH, fold
from tests.local.report import dollars, table

_NEXT: Mapping[NextText, str] = {
    NextText.EARLIER: "earlier",
    NextText.LATER: "later",
    NextText.NEW: "one where there was none",
    NextText.NONE: "none any more",
    NextText.OTHER_WORDS: "other words at the same time",
}
_ALIGN = "<>>>"


def what_if_report(result: WhatIfResult, refused: int = 0) -> Iterator[str]:
    """Yield the lines of the report. `refused` rows or records could not be read, and are in no figure."""
    days = (result.end - result.begin).days
    yield "=" * WIDTH
    yield f"  What if: {result.policy} in place of today's policy, {days} days from {result.begin:%Y-%m-%d %H:%M} UTC"
    yield f"  {result.customers:,} customers of {result.source}; {refused:,} rows or records could not be read"
    yield f"  Payments: {result.assumed_payments}"
    yield "=" * WIDTH
    yield ""
    if not result.changed_files:
        yield f"  {result.policy} CHANGES NOTHING: each file in it is as today's."
    elif not result.differing:
        yield f"  {result.policy} CHANGES NOTHING for these customers in these days. Its files that differ:"
        yield from (f"    {name}" for name in result.changed_files)
    else:
        yield from fold(f"  Changed: {', '.join(result.changed_files)}", WIDTH)
        yield ""
        yield f"  {result.differing:,} of {result.customers:,} customers get something else, or at another time."
    today, changed = result.today, result.changed
    yield from _section("ALL TOGETHER", _totals(today, changed))
    yield from _next_texts(result)
    yield from _counts("BY STAGE", today.by_stage, changed.by_stage, _stage)
    yield from _counts("BY HOUR of the customer's day", today.by_hour, changed.by_hour, lambda hour: f"{hour:02d}:00")
    yield from _counts("BY PLACE", today.by_place, changed.by_place, str)
    yield from _counts("BY CHANNEL", today.by_channel, changed.by_channel, str)
    yield from _counts("CAPS MET: decisions to wait with a cap in the way", today.caps, changed.caps, _cap)
    yield from _counts("WAITS: decisions to wait, by their first reason", today.waits, changed.waits, _reason)
    yield from _counts("OVER TO A PERSON: customers, by reason", today.handed_over, changed.handed_over, _reason)
    yield from _payments(result)
    yield from _examples(result.examples)


def _section(title: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield ""
        yield title
        yield from table(("", "today", "changed", "difference"), rows, _ALIGN)


def _totals(today: PolicySums, changed: PolicySums) -> list[Sequence[str]]:
    rows = [
        _row("customers who get a text", today.texted, changed.texted),
        _row("texts", today.texts, changed.texts),
        _row("segments of SMS", today.segments, changed.segments),
        (
            "carriers' fees, estimated",
            dollars(today.price_usd_micros),
            dollars(changed.price_usd_micros),
            _difference(today.price_usd_micros, changed.price_usd_micros, money=True),
        ),
        _row("customers over to a person", today.to_people, changed.to_people),
    ]
    tops = today.most_texted, changed.most_texted
    ranges = [f"{top.least} to {top.most}" for top in tops]
    rows.append((f"texts to each of the {tops[0].customers:,} most texted (1 %)", *ranges, ""))
    rows.append(_row("  texts to all of these", tops[0].texts, tops[1].texts))
    return rows


def _row(name: str, today: int, changed: int) -> Sequence[str]:
    return name, f"{today:,}", f"{changed:,}", _difference(today, changed)


def _difference(today: int, changed: int, *, money: bool = False) -> str:
    more = changed - today
    if not more:
        return "-"
    amount = f"{'+' if more > 0 else '-'}{dollars(abs(more))}" if money else f"{more:+,}"
    return f"{amount} ({more / today:+.1%})" if today else amount


def _counts[K](title: str, today: Mapping[K, int], changed: Mapping[K, int], name: object) -> Iterator[str]:
    assert callable(name)
    keys = sorted(today.keys() | changed.keys())  # type: ignore[type-var]
    yield from _section(title, [_row(name(key), today.get(key, 0), changed.get(key, 0)) for key in keys])


def _stage(stage: int) -> str:
    return f"{_sign(stage)} {stage_name(stage)}"


def _sign(stage: int) -> str:
    return f"{stage:+d}" if stage else "0"


def _reason(code: str) -> str:
    return f"{REASONS.get(code, code.replace('_', ' '))} ({code})"


def _cap(code: str) -> str:
    reason, _, cap = code.partition(": ")
    return f"{cap}, {'for the person' if reason == 'person_cap' else 'for the account'}"


def _next_texts(result: WhatIfResult) -> Iterator[str]:
    yield ""
    share = result.moved / result.customers if result.customers else 0.0
    yield f"NEXT TEXT: it moves for {result.moved:,} of {result.customers:,} customers ({share:.1%})"
    for moves, words in _NEXT.items():
        if count := result.next_texts.get(moves, 0):
            yield f"  {count:>9,}  {words}"


def _payments(result: WhatIfResult) -> Iterator[str]:
    payments = result.payments
    yield ""
    yield "WHAT IT DOES TO PAYMENTS"
    yield f"  {payments.says}. Who pays was assumed, and the same under both policies."
    if not result.differing:
        yield "  There is nothing to try: nobody would notice."
        return
    yield from fold(
        f"  Half of the customers under each policy, looked at every day; {payments.base:.0%} pay anyway; "
        f"{payments.customers_a_week:,.0f} customers a week get something else:",
        WIDTH,
    )
    for trial in payments.trials:
        weeks = "never" if trial.weeks is None else f"{trial.weeks:,} weeks"
        points = "1 point: " if trial.lift == 0.01 else f"{trial.lift * 100:.0f} points:"
        yield f"    to see {points} {trial.customers:>9,} customers, {weeks}"


def _examples(examples: Sequence[ExampleCustomer]) -> Iterator[str]:
    if examples:
        yield ""
        yield f"EXAMPLES: {len(examples)} customers whose course differs, of each kind in turn"
    for number, example in enumerate(examples, 1):
        yield ""
        yield f"  {number}. {example.customer_id}: {example.difference}"
        yield from _course("today", example.today)
        yield from _course("changed", example.changed)


def _course(name: str, course: ExampleCourse) -> Iterator[str]:
    texts = [f"{text.local_at:%m-%d %H:%M} {_sign(text.stage)} {text.channel}" for text in course.texts]
    people = [f"over to a person: {code}" for code in course.handed_over]
    first, *rest = fold("; ".join([*texts, *people]) or "no text", WIDTH - 17)
    yield f"     {name:8}  {first}"
    yield from (f"{'':15}{line}" for line in rest)
    if course.decisions:
        decision = course.decisions[0]
        yield f"{'':15}first difference, {decision.at:%m-%d %H:%M} UTC: {decision.reason}"
        yield from (f"{'':17}| {line}" for gate in decision.trace for line in fold(gate, WIDTH - 19))
