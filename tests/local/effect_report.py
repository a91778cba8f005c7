"""What the trials of a played half-year have found, beside what was planted, as a manager likes to read it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dunning.domain.decision.chance import minute_of_hour_arm
from dunning.domain.effect.draws import SILENCE, Layer
from dunning.domain.effect.strategies import EVERY_SEGMENT
from dunning.domain.effect.sums import ArmSummary, FirstLine, LiftEstimate
from dunning.domain.effect.trial_results import ArmComparison, LearnedShare, SignSeen, TrialResult, TrialSign
from ops.columns import WIDTH, fold
from tests.local.effect_run import EffectRun
from tests.local.report import dollars, table

_SIGNS: Mapping[TrialSign, str] = {
    TrialSign.LEAK: "somebody held out was contacted",
    TrialSign.SAMPLE_RATIO: "the arms are not as large as configured",
    TrialSign.MOVING_SHARES: "the arms are not as large as their probabilities",
    TrialSign.DRAW_WITHOUT_RECORD: "draws without a record",
    TrialSign.RECORD_WITHOUT_DRAW: "records without a draw",
    TrialSign.LOSS: "the arms lose unequal shares of their rungs",
    TrialSign.PRE_TREND: "the arms paid differently before the draw",
    TrialSign.HARM: "more opt-outs, complaints and wrong persons",
}
_ARMS: Mapping[str, str] = {SILENCE: "without text", "text": "with texts"}
_NOT_KNOWN = "-"

LEAD = "Everybody here is made up, and what texts do to people was planted. Beside each finding stands what it was."


class TableOfTrial(NamedTuple):
    """A table: what is said above it, its columns with their sides (`<` or `>`), and what is said below."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: str
    note: str = ""


# ------------------------------------------------------------------ the report


def effect_report(run: EffectRun) -> Iterator[str]:
    """Yield the lines of the report."""
    yield "=" * WIDTH
    yield from (f"  {line}" for line in head_of(run))
    yield from _folded(LEAD)
    yield "=" * WIDTH
    for result in run.results:
        yield ""
        yield title_of(result)
        for sentence in sentences_of(run, result):
            yield from _folded(sentence)
        for each in tables_of(run, result):
            yield ""
            if each.caption:
                yield f"  {each.caption}"
            yield from table(each.header, each.rows, each.align)
            if each.note:
                yield from _folded(each.note)
        yield ""
        for sentence in signs_of(run, result):
            yield from _folded(sentence)
    yield ""
    yield "CHECKED BESIDE IT, from the people and the records, by nothing of the nightly run"
    for check in run.checks:
        yield f"  {check.name:44} {check.number:>9,}  {check.more}".rstrip()
    yield f"  {run.seconds:.0f} s of CPU, of which the nights {run.seconds_of_nights:.0f}; {run.memory_mb:.0f} MB"


def _folded(sentence: str) -> Iterator[str]:
    yield from (f"  {line}" for line in fold(sentence, WIDTH - 2))


def head_of(run: EffectRun) -> Iterator[str]:
    """Yield what was played, in lines."""
    happened = run.happened
    yield f"Effect: {run.customers:,} people, {run.days} days from {run.begin}, seed {run.seed}"
    yield f"{happened.texts:,} texts, {happened.held_out:,} more left out by lot, {happened.payments:,} payments"
    yield f"{happened.opt_outs:,} people opted out, and {happened.complaints:,} complained"


# ------------------------------------------------------------------ a trial


def title_of(result: TrialResult) -> str:
    """Return the title of a trial."""
    learned = ", shares are learned" if result.is_learned else ""
    places = ", ".join(result.places)
    return f"{result.trial.upper()}: {result.layer} in {places}, {result.starts_on} to {result.ends_on}{learned}"


def sentences_of(run: EffectRun, result: TrialResult) -> Iterator[str]:
    """Yield what is known of a trial in sentences, the first line first, and what was planted."""
    for comparison in _whole(result):
        yield first_line(comparison, result.goal_days)
    if planted := run.planted.get(result.trial):
        yield f"Planted: {planted}"


def first_line(comparison: ArmComparison, goal_days: int) -> str:
    """Return the sentence that stands first: what is known, or how many customers it takes."""
    estimate = comparison.estimate
    arms = [_arm(arm) for arm in (comparison.arm, comparison.other)]
    rates = [_percent(each.cure_rate) for each in (estimate.arm, estimate.other)]
    seen = f"{arms[0]} {rates[0]} paid within {goal_days} days, {arms[1]} {rates[1]}: {lift_in_words(estimate)}."
    match estimate.first_line:
        case FirstLine.MORE_PAY:
            return f"FOUND: more pay {arms[0]}. {_capital(seen)}"
        case FirstLine.FEWER_PAY:
            return f"FOUND: fewer pay {arms[0]}. {_capital(seen)}"
        case FirstLine.NO_DIFFERENCE_FOUND:
            return f"NO DIFFERENCE FOUND. {_capital(seen)}"
        case FirstLine.TOO_FEW:
            needs = "nobody knows how many" if estimate.needs_customers is None else f"{estimate.needs_customers:,}"
            there = estimate.arm.customers + estimate.other.customers
            return f"TOO FEW to say: {there:,} customers took part; to see 2 points takes {needs}. So far {seen}"


def lift_in_words(estimate: LiftEstimate) -> str:
    """Return a lift in points with what it is at least and at most, if that can be stated."""
    if estimate.lift is None:
        return "no lift is known"
    lift = f"{_points(estimate.lift)} points"
    if estimate.interval is None:
        return f"{lift}, and no interval, because an arm has fewer than 100 customers"
    return f"{lift}, at least {_points(estimate.interval.low)}, at most {_points(estimate.interval.high)}"


def tables_of(run: EffectRun, result: TrialResult) -> Iterator[TableOfTrial]:
    """Yield the tables of a trial: its arms, its parts, and what was learned."""
    yield _arms(result)
    if parts := _parts(result):
        yield parts
    shares = run.learned.get(result.trial, ())
    for segment in dict.fromkeys(each.payer_segment for each in shares):
        yield _learned(segment, [each for each in shares if each.payer_segment == segment])


def _arms(result: TrialResult) -> TableOfTrial:
    arms: dict[str, ArmSummary] = {}
    for each in _whole(result):
        arms.setdefault(each.other, each.estimate.other)
        arms[each.arm] = each.estimate.arm
    rows = [
        (
            _arm(name),
            f"{arm.customers:,}",
            f"{arm.rungs:,}",
            _percent(arm.cure_rate),
            _percent(arm.paid_in_part_rate),
            _number(arm.opt_outs_per_thousand),
            _number(arm.complaints_per_thousand),
            _percent(arm.next_late_rate),
            _NOT_KNOWN if name == SILENCE else _number(arm.texts_per_cure, 2),
            _dollars_of_thousand(arm.price_usd_micros_per_rung),
        )
        for name, arm in ((name, arms[name]) for name in result.shares if name in arms)
    ]
    counted = "instalments" if result.layer == Layer.HOLDOUT else "texts due"
    header = ("", "people", counted, "paid", "in part", "opt-outs", "complain", "next late", "texts/paid", "price")
    prices = [
        f" {_capital(_arm(each.arm))}, an additional cure costs {dollars(round(price))}."
        for each in _whole(result)
        if (price := each.estimate.price_usd_micros_per_additional_cure) and _is_found(each)
    ]
    note = (
        f"Opt-outs, complaints and price are those of a thousand {counted}; an opt-out counts once, after the last "
        f"text before it.{''.join(prices)}"
    )
    return TableOfTrial("", header, rows, "<>>>>>>>>>", note)


def _parts(result: TrialResult) -> TableOfTrial | None:
    several = len(result.places) > 1
    parts = [each for each in result.comparisons if _scope(each) and (each.place is None or several)]
    rows = [
        (
            _scope(each),
            f"{_arm(each.arm)} / {_arm(each.other)}",
            f"{each.estimate.arm.customers + each.estimate.other.customers:,}",
            _points(each.estimate.lift),
            *(
                (_points(each.estimate.interval.low), _points(each.estimate.interval.high))
                if each.estimate.interval
                else (_NOT_KNOWN, _NOT_KNOWN)
            ),
        )
        for each in parts
    ]
    header = ("part", "arms", "people", "lift", "at least", "at most")
    note = (
        "An instalment counts once, at the first stage at which it was drawn for: later ones follow from it."
        if result.layer == Layer.HOLDOUT and any(each.stage is not None for each in parts)
        else ""
    )
    return TableOfTrial("", header, rows, "<<>>>>", note) if rows else None


def _scope(comparison: ArmComparison) -> str:
    if comparison.stage is not None:
        return f"stage {comparison.stage:+d}" if comparison.stage else "stage 0"
    if comparison.payer_segment is not None:
        return f"payers: {comparison.payer_segment}"
    return "" if comparison.place is None else f"place: {comparison.place}"


def _learned(segment: str, weeks: Sequence[LearnedShare]) -> TableOfTrial:
    arms = list(weeks[0].shares)
    rows = [
        (each.week, *(_percent(each.shares.get(arm), 0) for arm in arms), each.reason.replace("_", " "))
        for each in weeks
    ]
    of = "" if segment == EVERY_SEGMENT else f", payers: {segment}"
    header = ("week", *(_arm(arm) for arm in arms), "why")
    return TableOfTrial(f"Shares by week{of}", header, rows, f"<{'>' * len(arms)}<")


def signs_of(run: EffectRun, result: TrialResult) -> Iterator[str]:
    """Yield the signs of a trial, and what followed from them."""
    if not result.signs:
        yield "Signs that the trial is broken, or does harm: none."
    for sign in result.signs:
        since = run.first_seen.get((result.trial, sign.sign, sign.arm))
        yield f"SIGN {_sign(sign)}{f', first seen on {since}' if since else ''}."
    for arm in result.paused:
        yield f"PAUSED: nobody draws {_arm(arm)} any more."
    if result.is_stopped:
        yield "STOPPED: nothing is drawn any more."


def _sign(sign: SignSeen) -> str:
    about = f" ({_arm(sign.arm)})" if sign.arm else ""
    return f"{sign.sign.value}: {_SIGNS[sign.sign]}{about}, {sign.counted:,}"


# ------------------------------------------------------------------ words and numbers


def _whole(result: TrialResult) -> list[ArmComparison]:
    return [each for each in result.comparisons if _scope(each) == ""]


def _is_found(comparison: ArmComparison) -> bool:
    return comparison.estimate.first_line is FirstLine.MORE_PAY


def _arm(name: str) -> str:
    minute = minute_of_hour_arm(name)
    return _ARMS.get(name, name) if minute is None else f"at {minute // 60}:{minute % 60:02}"


def _points(share: float | None) -> str:
    return _NOT_KNOWN if share is None else f"{round(share * 100, 1) + 0.0:+.1f}"


def _percent(share: float | None, digits: int = 1) -> str:
    return _NOT_KNOWN if share is None else f"{share * 100:.{digits}f} %"


def _number(value: float | None, digits: int = 1) -> str:
    return _NOT_KNOWN if value is None else f"{value:,.{digits}f}"


def _dollars_of_thousand(micros: float | None) -> str:
    return _NOT_KNOWN if micros is None else dollars(round(1000 * micros))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
