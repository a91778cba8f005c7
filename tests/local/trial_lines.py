"""What is known of a trial, in lines of plain text, as a manager likes to read it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from dunning.domain.decision.chance import minute_of_hour_arm
from dunning.domain.effect.draws import SILENCE, TEXTED, USUAL_TEXT, Layer
from dunning.domain.effect.strategies import EVERY_SEGMENT
from dunning.domain.effect.sums import ArmSummary, FirstLine, LiftEstimate
from dunning.domain.effect.trial_results import ArmComparison, LearnedShare, SignSeen, TrialResult, TrialSign
from dunning.evidence.words import stage_name
from ops.columns import WIDTH, fold
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
_ARMS: Mapping[str, str] = {SILENCE: "without text", TEXTED: "with texts", USUAL_TEXT: "usual words"}
_NEVER: Mapping[tuple[TrialSign, str], date] = MappingProxyType({})
_FIRST_WEEKS, _NEWEST_WEEKS = 1, 4
"""The weeks of a learner that are shown."""
_WHOLE_DOLLARS_FROM = 10_000_000
_NOT_KNOWN = "-"


class TableOfTrial(NamedTuple):
    """A table: what is said above it, its columns with their sides (`<` or `>`), and what is said below."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: str
    note: str = ""


def trials_part(results: Sequence[TrialResult]) -> Iterator[str]:
    """Yield the lines of a report's part about trials; none without results."""
    for number, result in enumerate(results):
        yield ""
        if number == 0:
            yield "TRIALS: what the texts have caused. No other number of this report says that"
            yield ""
        yield from lines_of_trial(result)


def lines_of_trial(
    result: TrialResult,
    *,
    planted: str = "",
    learned: Sequence[LearnedShare] = (),
    first_seen: Mapping[tuple[TrialSign, str], date] = _NEVER,
) -> Iterator[str]:
    """
    Yield the lines about a trial.

    Args:
        result: what the last night knows.
        planted: what simulated people were made to do, in a sentence.
        learned: all shares that a learner has decided, oldest first.
        first_seen: the night on which a sign was first seen, by sign and arm.
    """
    yield title_of(result)
    for sentence in sentences_of(result, planted):
        yield from folded(sentence)
    for each in tables_of(result, learned):
        yield ""
        if each.caption:
            yield f"  {each.caption}"
        yield from table(each.header, each.rows, each.align)
        if each.note:
            yield from folded(each.note)
    yield ""
    for sentence in signs_of(result, first_seen):
        yield from folded(sentence)


def folded(sentence: str) -> Iterator[str]:
    """Yield the lines of a sentence, below a title."""
    yield from (f"  {line}" for line in fold(sentence, WIDTH - 2))


def title_of(result: TrialResult) -> str:
    """Return the title of a trial."""
    learned = ", shares are learned" if result.is_learned else ""
    places = ", ".join(result.places)
    return f"{result.trial.upper()}: {result.layer} in {places}, {result.starts_on} to {result.ends_on}{learned}"


def sentences_of(result: TrialResult, planted: str = "") -> Iterator[str]:
    """Yield what is known of a trial in sentences, the first line first, and what was planted."""
    whole = _whole(result)
    for comparison in whole:
        yield first_line(comparison, result.goal_days)
    if not whole:
        yield "NOTHING KNOWN: of nobody who took part the days are over."
    if planted:
        yield f"Planted: {planted}"


def first_line(comparison: ArmComparison, goal_days: int) -> str:
    """Return the sentence that stands first: what is known, or how many customers it takes."""
    estimate = comparison.estimate
    arms = [_in_sentence(arm) for arm in (comparison.arm, comparison.other)]
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


def tables_of(result: TrialResult, learned: Sequence[LearnedShare] = ()) -> Iterator[TableOfTrial]:
    """Yield the tables of a trial: its arms, its parts, and what was learned."""
    if _whole(result):
        yield _arms(result)
    if parts := _parts(result):
        yield parts
    for segment in dict.fromkeys(each.payer_segment for each in learned):
        yield _learned(segment, [each for each in learned if each.payer_segment == segment])


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
            _NOT_KNOWN if name == SILENCE else _number(arm.texts_per_cure),
            _of_thousand(arm.price_usd_micros_per_rung),
        )
        for name, arm in ((name, arms[name]) for name in result.shares if name in arms)
    ]
    counted = "instalments" if result.layer == Layer.HOLDOUT else "texts"
    header = ("", "people", "due", "paid", "in part", "opt-outs", "complain", "next late", "texts/paid", "price")
    prices = [
        f" {_capital(_arm(each.arm))}, an additional cure costs {dollars(round(price))}."
        for each in _whole(result)
        if (price := each.estimate.price_usd_micros_per_additional_cure) and _is_found(each)
    ]
    note = (
        f"Due are {counted}; opt-outs, complaints and price are those of a thousand. An opt-out counts once, after the "
        f"last text before it.{''.join(prices)}"
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
        return stage_name(comparison.stage)
    if comparison.payer_segment is not None:
        return f"payers: {comparison.payer_segment}"
    return "" if comparison.place is None else f"place: {comparison.place}"


def _learned(segment: str, weeks: Sequence[LearnedShare]) -> TableOfTrial:
    arms = list(weeks[0].shares)
    rows = [
        (each.week, *(_percent(each.shares.get(arm), 0) for arm in arms), each.reason.replace("_", " "))
        for each in weeks
    ]
    between = len(rows) - _FIRST_WEEKS - _NEWEST_WEEKS
    if between > 1:
        left_out = ("...", *("" for _ in arms), f"{between} weeks between")
        rows[_FIRST_WEEKS:-_NEWEST_WEEKS] = [left_out]
    of = "" if segment == EVERY_SEGMENT else f", payers: {segment}"
    header = ("week", *(_arm(arm) for arm in arms), "why")
    return TableOfTrial(f"Shares by week{of}", header, rows, f"<{'>' * len(arms)}<")


def signs_of(result: TrialResult, first_seen: Mapping[tuple[TrialSign, str], date] = _NEVER) -> Iterator[str]:
    """Yield the signs of a trial, and what followed from them."""
    if not result.signs:
        yield "Signs that the trial is broken, or does harm: none."
    for sign in result.signs:
        since = first_seen.get((sign.sign, sign.arm))
        yield f"SIGN {_sign(sign)}{f', first seen on {since}' if since else ''}."
    for arm in result.paused:
        yield f"PAUSED: nobody draws {_arm(arm)} any more."
    if result.is_stopped:
        yield "STOPPED: nothing is drawn any more."


def _sign(sign: SignSeen) -> str:
    about = f"{_in_sentence(sign.arm)}, " if sign.arm else ""
    return f"{sign.sign.value.replace('_', ' ')}: {about}{_SIGNS[sign.sign]} ({sign.counted:,})"


# ------------------------------------------------------------------ words and numbers


def _whole(result: TrialResult) -> list[ArmComparison]:
    return [each for each in result.comparisons if _scope(each) == ""]


def _is_found(comparison: ArmComparison) -> bool:
    return comparison.estimate.first_line is FirstLine.MORE_PAY


def _arm(name: str) -> str:
    minute = minute_of_hour_arm(name)
    return _ARMS.get(name, name) if minute is None else f"at {minute // 60}:{minute % 60:02}"


def _in_sentence(name: str) -> str:
    """Return an arm as it stands behind what people did: "with usual words 67.7 % paid"."""
    arm = _arm(name)
    return f"with {arm}" if name in {USUAL_TEXT, arm} else arm


def _points(share: float | None) -> str:
    return _NOT_KNOWN if share is None else f"{round(share * 100, 1) + 0.0:+.1f}"


def _percent(share: float | None, digits: int = 1) -> str:
    return _NOT_KNOWN if share is None else f"{share * 100:.{digits}f} %"


def _number(value: float | None, digits: int = 1) -> str:
    return _NOT_KNOWN if value is None else f"{value:,.{digits}f}"


def _of_thousand(micros: float | None) -> str:
    """Return the price of a thousand; cents are shown where they are a part of it that matters."""
    price = 1000 * (micros or 0)
    if micros is None or price < _WHOLE_DOLLARS_FROM:
        return _NOT_KNOWN if micros is None else dollars(round(price))
    return f"${price / 1_000_000:,.0f}"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
