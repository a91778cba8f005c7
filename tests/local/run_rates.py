"""What follows the reminders of a run, per thousand: by the rules of the tally, from what is stored at the end."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from dunning.domain.counters import changes_of_contact
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact
from dunning.domain.effect_rates import (
    HOURS_A_BAND,
    JOINED,
    LEAST_REMINDERS,
    CountedDay,
    EffectRate,
    EffectRates,
    RateRow,
    RateTable,
    effect_rates,
    with_few_rows,
)
from dunning.domain.text_effects import (
    NO_REMINDER,
    NOT_KNOWN,
    TextDetails,
    TextEffect,
    TextPart,
    counters_of_effect,
    effects_of_change,
)
from dunning.evidence.words import stage_name
from tests.local.report import table

EFFECTS = {
    TextEffect.OPT_OUT: "opt-outs",
    TextEffect.COMPLAINT: "complaints",
    TextEffect.WRONG_PERSON: "wrong persons",
    TextEffect.HARDSHIP: "cannot pay",
}
PARTS = {
    TextPart.STAGE: "By stage",
    TextPart.HOUR: "By the customer's hour",
    TextPart.WORDING: "By wording",
    TextPart.PAYER: "By payer segment",
}
HOW_COUNTED = (
    "Each is put down to the last reminder before it, once a customer. In brackets stands the range that the numbers "
    "allow, with 95 %. What follows no reminder of the last 31 days is in no rate."
)
_WITHOUT_VALUE = {JOINED: "all others", NOT_KNOWN: "not on record", NO_REMINDER: "after no reminder"}
_MOST_ROWS = 16
NOT_WHY = "These rates say where to look and not why: at another stage or hour other customers are texted."


def rates_of_run(contacts: Iterable[Contact], standings: Iterable[Standing], last_day: date) -> EffectRates:
    """
    Return the rates of a run from its records and standings at the end, as if all was counted on its last day.

    A standing keeps the last opt-out alone: of who opts out twice the first one is missing here, and not in the tally.
    """
    total: Counter[str] = Counter()
    details: dict[tuple[str, str], TextDetails] = {}
    for contact in contacts:
        total.update(changes_of_contact(None, contact))
        known = TextDetails(contact.template, contact.payer_segment, contact.local_hour)
        details[contact.customer_id, contact.send_id] = known
    for standing in standings:
        for effect in effects_of_change(None, standing):
            text = effect.text
            total.update(
                counters_of_effect(effect, details.get((standing.customer_id, text.send_id)) if text else None)
            )
    return effect_rates([CountedDay(last_day, total)], last_day, last_day)


def row_name(part: TextPart, value: str) -> str:
    """Return what a row is of."""
    if value in _WITHOUT_VALUE:
        return _WITHOUT_VALUE[value]
    match part:
        case TextPart.STAGE:
            return f"{int(value):+d}: {stage_name(int(value))}"
        case TextPart.HOUR:
            return f"{value}:00 to {int(value) + HOURS_A_BAND}:00"
        case TextPart.WORDING | TextPart.PAYER:
            return value


def rate_written(rate: EffectRate) -> str:
    """Write a rate per thousand, with its range and whether it stands out."""
    if rate.rate is None:
        return str(rate.count) if rate.count else "-"
    written = f"{1000 * rate.rate:.1f}"
    if rate.interval:
        written += f" ({1000 * rate.interval.low:.1f} to {1000 * rate.interval.high:.1f})"
    return f"{written}, {rate.differs}" if rate.stands_out else written


def rows_of(rates: EffectRates, each: RateTable) -> Iterator[Sequence[str]]:
    """Yield the rows of a table, that of all reminders at the end."""
    for row in with_few_rows(each, _MOST_ROWS).rows:
        yield _cells(row_name(each.part, row.value), row)
    yield _cells("all", rates.whole)


def compared_written(rates: EffectRates) -> str:
    """Say whether rows differ, or were not compared at all."""
    if any(rate.stands_out for each in rates.tables for row in each.rows for rate in row.rates.values()):
        return "What is higher or lower differs from all other rows together by more than chance allows."
    if rates.compared:
        return "No row differs from all others together by more than chance allows."
    return f"Rows are not compared: it takes {LEAST_REMINDERS} reminders in a row, and as many in the others."


def _cells(name: str, row: RateRow) -> list[str]:
    return [name, f"{row.reminders:,}", *(rate_written(row.rates[effect]) for effect in EFFECTS)]


def rates_part(rates: EffectRates) -> Iterator[str]:
    """Yield the lines of a report's part about what follows reminders: opt-outs and complaints; none without any."""
    if not rates.whole.reminders:
        return
    shown = (TextEffect.OPT_OUT, TextEffect.COMPLAINT)
    yield ""
    yield "OPT-OUTS AND COMPLAINTS per 1,000 reminders, where each follows the last reminder before it"
    yield f"  {compared_written(rates)}"
    for each in rates.tables_with_values:
        yield ""
        header = (PARTS[each.part].lower(), "reminders", *(EFFECTS[effect] for effect in shown))
        yield from table(header, [row[: len(header)] for row in rows_of(rates, each)], "<>>>")
