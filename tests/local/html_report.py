"""
The report of a run as one page that can be mailed: no script, no other file, and nobody's name or number in full.

It is made from what the run writes into `OUT`, and says first what it does not show.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from operator import itemgetter
from statistics import mean, median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from markupsafe import Markup

from dunning.console.charts import Series, stacked_bars
from dunning.console.translations import Translation
from dunning.domain.effect_rates import EffectRates
from dunning.domain.texts.money import format_money
from dunning.evidence.words import stage_name
from dunning.services.console.shown import CodeShown
from tests.local.journeys import CAME_BACK, CHANNELS, Journey
from tests.local.money import KINDS, NO_TEXT
from tests.local.report import NOTHING_SENT, OUTCOMES, Example, cost_of
from tests.local.run_rates import EFFECTS, HOW_COUNTED, NOT_WHY, PARTS, compared_written, rows_of
from tests.local.templates import page_template

_LANGUAGE = "en"
_MICRO = 1_000_000
_HOURS = 24
_MOST_DAYS = 92
"""A longer run is shown by month."""

_NO_TRIALS = Markup()

type _Line = Mapping[str, Any]


class Chart(NamedTuple):
    """Bars, with what stands at their edges: what they are, up to which figure, and the first and the last bar."""

    svg: Markup
    top: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Figures:
    """
    A table, perhaps with charts of the same figures.

    `words` are the columns that hold no figures. The first column of a dated table has moments.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: frozenset[int] = frozenset({0})
    charts: Sequence[Chart] = ()
    is_dated: bool = False

    def is_number(self, column: int) -> bool:
        """Whether a column holds figures."""
        return column not in self.words

    @property
    def is_long(self) -> bool:
        """Whether the rows are to be scrolled through."""
        return bool(self.charts) and len(self.rows) > 14


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page. `lead` says how to read it."""

    name: str
    title: str
    lead: str
    tables: Sequence[Figures]


def report_page(  # noqa: PLR0913 - what a run writes
    summary: _Line,
    *,
    texts: Sequence[_Line],
    contacts: Sequence[_Line],
    customers: Sequence[_Line],
    money: Sequence[_Line],
    examples: Sequence[Example],
    is_sample: bool,
    journeys: Sequence[Journey] = (),
    trials: Markup = _NO_TRIALS,
    rates: EffectRates | None = None,
) -> str:
    """
    Return the page of a run.

    Args:
        summary: what summary.json holds.
        texts: the lines of outbox.jsonl.
        contacts: the lines of contacts.jsonl.
        customers: the lines of customers.jsonl.
        money: the lines of money.jsonl.
        examples: texts to show as they arrived.
        is_sample: whether everything is made up.
        journeys: customers to show, over several channels.
        trials: the section about trials (`trials_section`), if the run had any.
        rates: what followed the reminders, if any was sent.
    """
    run = summary["run"]
    first = date.fromisoformat(run["start"])
    days = [first + timedelta(days=number) for number in range(run["days"])]
    waiting = [line for line in customers if line["waits_for_person"]]
    sections = [
        _money(money, days),
        _texts(texts, days, run["loaded"]),
        _delivery(summary, contacts),
        *_channels(summary, journeys),
        _replies(summary),
        *([_rates(rates)] if rates and rates.whole.reminders else []),
        _cost(summary, texts, contacts),
        _waiting(waiting),
    ]
    return page_template("report").render(
        run=run,
        is_sample=is_sample,
        sections=sections,
        trials=trials,
        tiles=_tiles(summary, len(waiting)),
        examples=[_shown(example) for example in examples],
    )


@cache
def _words() -> Translation:
    return Translation(_LANGUAGE, ZoneInfo("UTC"))


def _code(group: str, code: str) -> str:
    return _words().write(CodeShown(group, code))


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _dollars(micros: int) -> str:
    return f"${micros / _MICRO:,.2f}"


def _amount(amount: int, currency: str) -> str:
    return format_money(amount, currency, _LANGUAGE)


def _bare(amount: int, currency: str) -> str:
    """Write an amount where the currency stands above it."""
    return _amount(amount, currency).replace(f"{currency} ", "") if amount else "0"


def _stage(stage: str) -> str:
    return "no text yet" if stage == NO_TEXT else f"{int(stage):+d}: {stage_name(int(stage))}"


def _stage_order(stage: str) -> tuple[bool, int]:
    return stage != NO_TEXT, 0 if stage == NO_TEXT else int(stage)


# ---------------------------------------------------------------- the head


def _tiles(summary: _Line, waiting: int) -> Iterator[tuple[str, str]]:
    """Yield the figures that stand above all: a name and a value."""
    sent = summary["sent"]
    yield "customers", _count(summary["run"]["loaded"])
    yield "texts sent", _count(sent["texts"])
    yield "did not arrive", _count(sent["by_state"].get("failed", 0))
    yield "replies", _count(summary["replies"]["total"])
    yield "wait for a person", _count(waiting)
    yield "cost of texts, estimated", f"${sent['cost_usd']:,.2f}"


def _by(lines: Iterable[_Line], field: str) -> Iterator[tuple[str, list[_Line]]]:
    """Yield the lines by the values of a field."""
    for value, found in groupby(sorted(lines, key=itemgetter(field)), key=itemgetter(field)):
        yield value, list(found)


def _sums(lines: Iterable[_Line]) -> Counter[str]:
    total: Counter[str] = Counter()
    for line in lines:
        total.update({kind: line[kind] for kind in KINDS})
    return total


# ---------------------------------------------------------------- money


def _money(money: Sequence[_Line], days: Sequence[date]) -> Section:
    first, last = days[0].isoformat(), days[-1].isoformat()
    by_currency = dict(_by(money, "currency"))
    in_all = [
        (currency, *(_bare(amount, currency) for amount in (_ended(lines, first).overdue, *_ended(lines, last))))
        for currency, lines in by_currency.items()
    ]
    tables = [
        Figures("In all", ("", f"overdue on {first}", *_AT_THE_END), in_all),
        *(_money_by_day(currency, lines, days) for currency, lines in by_currency.items()),
    ]
    for caption, field, name, order in _MONEY_BY:
        rows = [
            (name(value), currency, *(_bare(amount, currency) for amount in _ended(found, last)))
            for value, lines in sorted(_by(money, field), key=lambda group: order(group[0]))
            for currency, found in _by(lines, "currency")
        ]
        tables.append(Figures(caption, ("", "currency", *_AT_THE_END), rows, frozenset({0, 1})))
    return Section("money", "Money", _MONEY_LEAD, tables)


def _money_by_day(currency: str, lines: Sequence[_Line], days: Sequence[date]) -> Figures:
    spans = _spans(days)
    ends = {day.isoformat()[: len(spans[0])]: day.isoformat() for day in days}
    figures = [_ended([line for line in lines if line["day"].startswith(span)], ends[span]) for span in spans]
    charts = [
        _bars(css, amounts, f"{kind}, up to {_amount(max(amounts), currency)}", spans[0], spans[-1])
        for css, kind, amounts in (
            ("a", "overdue", [each.overdue for each in figures]),
            ("b", "paid", [max(0, each.paid) for each in figures]),
        )
        if any(amounts)
    ]
    rows = [(span, *(_bare(amount, currency) for amount in each)) for span, each in zip(spans, figures, strict=True)]
    return Figures(f"{currency} by {_span_name(spans)}", ("", "overdue", "promised", "paid"), rows, charts=charts)


def _spans(days: Sequence[date]) -> list[str]:
    """Return what the figures are shown by: each day or, in a long run, each month. A day begins with its span."""
    length = len("2026-12-01") if len(days) <= _MOST_DAYS else len("2026-12")
    return list(dict.fromkeys(day.isoformat()[:length] for day in days))


_AT_THE_END = ("overdue at the end", "promised at the end", "paid in all")
_MONEY_LEAD = (
    "Overdue is what was due before a day and is open as it ends. Promised is what is open of instalments that a "
    "customer has promised to pay by a day that has not ended; it may be overdue, too. Paid is what the lender's "
    "records say, whatever the reason: the last text before a payment need not be its cause. "
    "A day ends at midnight in UTC+8. Currencies are never added up."
)


def _same(value: str) -> str:
    return value


_MONEY_BY: Sequence[tuple[str, str, Callable[[str], str], Callable[[str], Any]]] = (
    (
        "By the last text about the instalment",
        "stage",
        _stage,
        _stage_order,
    ),
    ("By lender", "lender", _same, _same),
    ("By place", "place", _same, _same),
)


class _Ended(NamedTuple):
    """What is overdue and promised as a time ends, and what was paid during it."""

    overdue: int
    promised: int
    paid: int


def _ended(lines: Sequence[_Line], last: str) -> _Ended:
    """Return the amounts of the lines of a time that ends with the day `last`."""
    at_end = _sums(line for line in lines if line["day"] == last)
    return _Ended(at_end["overdue"], at_end["promised"], _sums(lines)["paid"])


def _bars(css: str, figures: Sequence[float], top: str, first: str, last: str) -> Chart:
    return Chart(stacked_bars([Series(css, figures)]), top, first, last)


def _span_name(spans: Sequence[str]) -> str:
    return "day" if len(spans[0]) == len("2026-12-01") else "month"


# ---------------------------------------------------------------- texts


def _texts(texts: Sequence[_Line], days: Sequence[date], loaded: int) -> Section:
    spans = _spans(days)
    by_day = Counter(line["local_at"][: len(spans[0])] for line in texts)
    # Who lives east or west of the run's midnight may be a day ahead or behind.
    seen = sorted({*spans, *by_day})
    per_day = [by_day[span] for span in seen]
    by_hour = Counter(int(line["local_at"][11:13]) for line in texts)
    per_hour = [by_hour[hour] for hour in range(_HOURS)]
    customers = Counter(line["customer_id"] for line in texts if "customer_id" in line)
    counts = [*customers.values(), *[0] * (loaded - len(customers))]
    most = max(counts)
    spread = [counts.count(number) for number in range(most + 1)]
    by_customer = f"By customer: {mean(counts):.1f} texts on average, {median(counts):g} in the middle, {most} at most"
    return Section(
        "texts",
        "Texts",
        "A text counts on the day and in the hour at which it is sent, by the customer's own clock.",
        [
            Figures(
                f"By {_span_name(spans)}",
                ("", "texts"),
                [(span, _count(number)) for span, number in zip(seen, per_day, strict=True)],
                charts=[_bars("a", per_day, f"texts, up to {_count(max(per_day))}", seen[0], seen[-1])],
            ),
            Figures(
                "By hour of the day",
                ("from", "texts"),
                [(f"{hour:02d}:00", _count(number)) for hour, number in enumerate(per_hour) if number],
                charts=[_bars("a", per_hour, f"texts, up to {_count(max(per_hour))}", "00:00", "23:00")],
            ),
            Figures(
                by_customer,
                ("texts", "customers with so many"),
                [(_count(number), _count(who)) for number, who in enumerate(spread)],
                charts=[_bars("b", spread, f"customers, up to {_count(max(spread))}", "0 texts", f"{most} texts")],
            ),
        ],
    )


# ---------------------------------------------------------------- what became of them


def _delivery(summary: _Line, contacts: Sequence[_Line]) -> Section:
    by_state = summary["sent"]["by_state"]
    failed = Counter(line["delivery_status"] or "unclassified" for line in contacts if line["state"] == "failed")
    tables = [
        Figures("Texts by what the carrier has reported", ("state", "texts"), _ranked(by_state, "state")),
        Figures("What did not arrive, by class", ("class", "texts"), _ranked(failed, "failure")),
    ]
    return Section("delivery", "Delivery", "", tables)


def _channels(summary: _Line, journeys: Sequence[Journey]) -> Iterator[Section]:
    """Yield what went over which channel, and what came back, if there is more than SMS."""
    sent, channels = summary["sent"]["by_channel"], summary["channels"]
    if set(sent) <= {"sms"} and not channels["came_back"]:
        return
    used = [channel for channel in CHANNELS if channel in sent or channel in channels["states"]]
    rows = []
    for channel in used:
        numbers, states = sent.get(channel, NOTHING_SENT), channels["states"].get(channel, {})
        rows.append(
            (
                CHANNELS[channel],
                _count(numbers["texts"]),
                _count(numbers["customers"]),
                cost_of(numbers["cost_usd"]),
                f"${numbers['cost_usd'] / max(1, numbers['texts']):.4f}",
                *(_count(sum(states.get(state, 0) for state in group)) for group in OUTCOMES.values()),
            )
        )
    came_back = [
        (CHANNELS[channel], CAME_BACK[kind], _count(count))
        for channel in CHANNELS
        for kind, count in channels["came_back"].get(channel, {}).items()
    ]
    reached = [(number, _count(count)) for number, count in channels["customers_by_channels"].items()]
    tables = [
        Figures("By channel", ("channel", "texts", "customers", "cost", "per text", *OUTCOMES), rows),
        Figures("Customers by the channels that reached them", ("channels", "customers"), reached),
        Figures(
            "What came back from services beside SNS",
            ("channel", "what, and what follows", "times"),
            came_back,
            frozenset({0, 1}),
        ),
        *(
            Figures(
                f"{journey.customer_id}: {journey.shows}",
                ("when", "what"),
                [*((step.at, f"{step.channel}: {step.what}") for step in journey.steps), ("at the end", journey.end)],
                frozenset({0, 1}),
                is_dated=True,
            )
            for journey in journeys
        ),
    ]
    repeated = channels["fallbacks"]
    stages = "1 stage was" if repeated == 1 else f"{_count(repeated)} stages were"
    yield Section(
        "channels",
        "Channels",
        f"LINE gives no receipt of what it has taken. {stages} repeated on another channel, because a message before "
        "had certainly not arrived. What came back is what services beside SNS have reported, and what people have "
        "done there.",
        tables,
    )


def _ranked(counts: Mapping[str, int], group: str) -> list[tuple[str, str]]:
    return [
        (_code(group, code), _count(number)) for code, number in sorted(counts.items(), key=lambda e: (-e[1], e[0]))
    ]


def _replies(summary: _Line) -> Section:
    replies = summary["replies"]
    rows = _ranked(replies["by_intent"], "intent")
    if replies["not_understood"]:
        rows.append(("in doubt: a person reads it", _count(replies["not_understood"])))
    lead = f"{_count(replies['total'])} replies came in. A reply may mean several things." if replies["total"] else ""
    return Section("replies", "Replies", lead, [Figures("By what was understood", ("meaning", "replies"), rows)])


def _cost(summary: _Line, texts: Sequence[_Line], contacts: Sequence[_Line]) -> Section:
    # A message without segments stands under its channel.
    price = {line["message_id"]: line["price_usd_micros"] for line in contacts if line["message_id"]}
    by_segments: defaultdict[int, list[int]] = defaultdict(list)
    by_channel: defaultdict[str, list[int]] = defaultdict(list)
    for line in texts:
        if "segments" in line and line["channel"] == "sms":
            by_segments[line["segments"]].append(price.get(line["message_id"], 0))
        elif "segments" in line:
            by_channel[CHANNELS[line["channel"]]].append(price.get(line["message_id"], 0))
    countries = [
        (
            country,
            _count(n["texts"]),
            _count(n["segments"]),
            f"${n['cost_usd']:,.2f}",
            f"${n['cost_usd'] / max(1, n['texts']):.4f}",
        )
        for country, n in sorted(summary["sent"]["by_country"].items())
    ]
    parts = [
        (_count(number), _count(len(prices)), _count(number * len(prices)), _dollars(sum(prices)))
        for number, prices in sorted(by_segments.items())
    ]
    parts += [(name, _count(len(prices)), "", _dollars(sum(prices))) for name, prices in sorted(by_channel.items())]
    return Section(
        "cost",
        "Cost",
        "Estimated from the prices in the policies, in US dollars. A long text is billed as several segments.",
        [
            Figures("By country of the number", ("country", "texts", "segments", "cost", "per text"), countries),
            Figures("By segments of a text", ("segments", "texts", "segments in all", "cost"), parts),
        ],
    )


# ---------------------------------------------------------------- who waits


def _rates(rates: EffectRates) -> Section:
    header = ("reminders of", "reminders", *(f"{name} per 1,000" for name in EFFECTS.values()))
    figures = [Figures(PARTS[each.part], header, list(rows_of(rates, each))) for each in rates.tables_with_values]
    return Section("rates", "Opt-outs and complaints", f"{HOW_COUNTED} {NOT_WHY} {compared_written(rates)}", figures)


def _waiting(waiting: Sequence[_Line]) -> Section:
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for line in waiting:
        for why in dict.fromkeys(review["why"] for review in line["waits_for_person"]):
            reasons[why].append(line["customer_id"])
    rows = [
        (_code("review", why), _count(len(ids)), ", ".join(sorted(ids)))
        for why, ids in sorted(reasons.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    ]
    lead = (
        f"{_count(len(waiting))} customers wait. Who waits for several reasons stands in several rows."
        if waiting
        else ""
    )
    return Section(
        "waiting",
        "Who waits for a person",
        lead,
        [Figures("By reason", ("reason", "customers", "ids"), rows, frozenset({0, 2}))],
    )


# ---------------------------------------------------------------- samples


class _ShownText(NamedTuple):
    head: str
    language: str
    text: str
    subject: str
    preview: str
    buttons: Sequence[str]


def _shown(example: Example) -> _ShownText:
    head = f"{example.local_at} · {example.shown_to} · {stage_name(example.stage)} · {example.size}"
    return _ShownText(head, example.language, example.text, example.subject, example.preview, example.buttons)
