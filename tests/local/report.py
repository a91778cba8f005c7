"""The closing report: what a collections manager wants to see, in plain text, aligned with Chinese in it, too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import phonenumbers

from dunning.domain.delivery.channels import AddressKind
from dunning.evidence.words import BANDS, REASONS, stage_name, understood, with_day
from dunning.policy.effective import CALENDAR_WARNING
from ops.columns import WIDTH, fold, pad, width_of
from tests.local.journeys import CAME_BACK, CHANNELS, Journey

_MICRO = 1_000_000


def table(header: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> Iterator[str]:
    """Yield the lines of a table; `align` has `<` or `>` for each column."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(width_of(row[column]) for row in cells) for column in range(len(header))]
    for number, row in enumerate(cells):
        columns = zip(row, widths, align, strict=True)
        yield "  " + "  ".join(pad(cell, width, right=side == ">") for cell, width, side in columns).rstrip()
        if number == 0:
            yield "  " + "  ".join("-" * width for width in widths)


_GROUPS = {8: (4, 4), 9: (3, 3, 3), 10: (3, 3, 4), 11: (3, 4, 4)}


def mask_phone(phone: str) -> str:
    """Mask a number for the terminal: +886912345678 becomes +886 9** *** 678."""
    number = phonenumbers.parse(phone)
    national = phonenumbers.national_significant_number(number)
    hidden = national[:1] + "*" * max(0, len(national) - 4) + national[-3:]
    masked, start = [f"+{number.country_code}"], 0
    for size in _GROUPS.get(len(hidden), (len(hidden),)):
        masked.append(hidden[start : start + size])
        start += size
    return " ".join(masked)


def dollars(micro: int) -> str:
    """Write millionths of a dollar."""
    return f"${micro / _MICRO:,.2f}"


OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "arrived": ("delivered",),
    "did not": ("failed",),
    "refused": ("refused",),
    "no receipt": ("sent", "unknown", "unconfirmed"),
}
"""What becomes of texts, by the states of their records."""

NOTHING_SENT: Mapping[str, Any] = {"texts": 0, "customers": 0, "cost_usd": 0}

_LAST = 10_000
"""Where what is no reminder stands among the stages: behind all of them."""


def mask_address(address: str) -> str:
    """Mask a number, an e-mail address or a LINE user id."""
    match AddressKind.of_address(address):
        case AddressKind.EMAIL:
            name, _, domain = address.partition("@")
            return f"{name[:1]}***@{domain}"
        case AddressKind.LINE:
            return f"LINE {address[:2]}***"
        case _:
            return mask_phone(address)


@dataclass(frozen=True, slots=True)
class Example:
    """A message as it arrived with somebody. Subject and preview are a mail's, buttons those of LINE."""

    local_at: str
    to: str
    stage: int | None
    language: str
    segments: int
    encoding: str
    text: str
    channel: str = "sms"
    subject: str = ""
    preview: str = ""
    buttons: tuple[str, ...] = ()

    @property
    def size(self) -> str:
        """Segments of a text; what else it is, if it has none."""
        if self.channel != "sms":
            return CHANNELS[self.channel]
        return f"{'1 segment' if self.segments == 1 else f'{self.segments} segments'} {self.encoding}"

    @property
    def shown_to(self) -> str:
        """The address, masked."""
        return mask_address(self.to)


def _place(example: Example) -> int:
    return _LAST if example.stage is None else example.stage


def choose_examples(examples: Iterable[Example], count: int = 6) -> list[Example]:
    """
    Choose texts that show as many languages and stages as possible, the same ones every time.

    Of each channel beside SMS there are two more: one before the due date, one after.
    """
    ordered = sorted(examples, key=lambda e: (e.language, e.local_at, e.to, _place(e)))
    of_language = {
        language: list(texts)
        for language, texts in groupby((e for e in ordered if e.channel == "sms"), key=lambda e: e.language)
    }
    chosen: list[Example] = []
    stages_shown: set[int | None] = set()
    while len(chosen) < count and any(of_language.values()):
        for texts in of_language.values():
            if texts and len(chosen) < count:
                example = next((e for e in texts if e.stage not in stages_shown), texts[0])
                # One text of a stage and language is enough, unless there is nothing else.
                texts[:] = [e for e in texts if e.stage != example.stage] or [e for e in texts if e != example]
                chosen.append(example)
                stages_shown.add(example.stage)
    by_stage = sorted(chosen, key=lambda e: (e.language, _place(e), e.local_at))
    others = sorted((e for e in ordered if e.channel != "sms"), key=lambda e: e.channel, reverse=True)
    for _, found in groupby(others, key=lambda e: e.channel):
        of_channel = sorted(found, key=lambda e: e.language, reverse=True)
        early = next((e for e in of_channel if e.stage is not None and e.stage <= 0), None)
        late = next((e for e in of_channel if e.stage is not None and e.stage > 0), None)
        by_stage += filter(None, (early, late))
    return by_stage


def report(
    summary: Mapping[str, Any],
    examples: Sequence[Example],
    files: Mapping[str, Path],
    replies: Sequence[Mapping[str, Any]] = (),
    journeys: Sequence[Journey] = (),
    trials: Iterable[str] = (),
    rates: Iterable[str] = (),
) -> Iterator[str]:
    """
    Yield the lines of the closing report.

    `replies` are lines of replies.jsonl whose texts are invented, `trials` the lines about trials, `rates`
    those about opt-outs and complaints.
    """
    run, sent, refusals = summary["run"], summary["sent"], summary["refused"]["total"]
    yield "=" * WIDTH
    yield f"  Reminders from {run['start']} to {run['last_day']} ({_count(run['days'], 'day')})"
    yield (
        f"  {_count(run['customers'], 'customer')} with {_count(run['rows'], 'instalment')} in {run['file']}: "
        f"{_count(run['loaded'], 'customer')} loaded, {_count(refusals, 'refusal')}"
    )
    yield "=" * WIDTH
    yield from _sends(summary["sends"], sent)
    yield from _sent(sent)
    yield from _channels(summary)
    yield from _journeys(journeys)
    yield from _decisions("WAITS: not now, but later", summary["decisions"]["wait"])
    yield from _decisions("STOPS: no text", summary["decisions"]["stop"])
    yield from _by_stage(summary["decisions"])
    yield from _at_the_end(summary["at_the_end"], run["loaded"])
    yield from _payments(summary["payments"])
    yield from trials
    yield from _replies(summary)
    yield from rates
    yield from _refused(summary["refused"])
    yield from _examples(examples)
    yield from _reply_examples(replies)
    yield ""
    yield "FILES"
    yield from ("  " + pad(what, 12) + str(path) for what, path in files.items())
    yield ""
    if run["dead_letters"]:
        yield f"  {_count(run['dead_letters'], 'message')} ended in dead-letter queues; functions.log tells more"
    if (left := run["calendar_days_left"]) is not None and left < CALENDAR_WARNING.days:
        yield f"  {_ending(left)}: make policy-check says which"
    ticks = _count(run["ticks"], "tick")
    yield f"  {run['wall_seconds']:.1f} s for {_count(run['days'], 'day')}, {ticks} with something to do"


def _count(number: int, noun: str, several: str = "") -> str:
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"


def _ending(days_left: int) -> str:
    days = _count(abs(days_left), "day")
    if days_left < 0:
        return f"A holiday calendar ended {days} before the last day"
    return f"A holiday calendar ends {days} after the last day"


_SENDS: Mapping[str, str] = {
    "throttled": "turned away by the carrier for the moment: decided again later",
    "refused": "refused by the carrier for good",
    "unknown": "without an answer: counts as sent, is not sent again",
}
"""What becomes of sends that are not published, in words."""


def _sends(sends: Mapping[str, int], sent: Mapping[str, Any]) -> Iterator[str]:
    """Lead from the sends that were decided to the texts that the tables after it count."""
    yield ""
    yield "SENDS, from decisions to texts"
    rows = [
        ("", "sends decided", f"{sends['decided']:,}"),
        *(("-", words, f"{sends[name]:,}") for name, words in _SENDS.items() if sends[name]),
        ("=", "reminders published", f"{sends['published']:,}"),
        ("+", "confirmations of opt-outs, where the place has them", f"{sends['confirmations']:,}"),
        ("=", "texts published, which the tables below count", f"{sent['texts']:,}"),
    ]
    yield from table(("", "", "how many"), rows, "<<>")


def _sent(sent: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield "SENT, by stage"
    rows = [
        (_sign(stage), stage_name(None if stage == "None" else int(stage)), *_figures(numbers))
        for stage, numbers in sorted(sent["by_stage"].items(), key=lambda entry: _number(entry[0]))
    ]
    yield from table(
        ("stage", "", "texts", "customers", "segments", "estimated cost (USD)"),
        [*rows, ("all", "", *_figures(sent))],
        "><>>>>",
    )
    yield ""
    yield "SENT, by country of the number"
    yield from table(
        ("country", "texts", "customers", "segments", "estimated cost (USD)", "per text"),
        [
            (country, *_figures(numbers), f"${numbers['cost_usd'] / max(1, numbers['texts']):.4f}")
            for country, numbers in sorted(sent["by_country"].items())
        ],
        "<>>>>>",
    )
    yield ""
    yield "WHAT BECAME OF THE TEXTS, by what the carrier has reported"
    states = [(state, _STATES[state], f"{n:,}") for state, n in sorted(sent["by_state"].items(), key=lambda e: -e[1])]
    yield from table(("state", "", "texts"), states, "<<>")


def cost_of(dollars: float) -> str:
    """Write an amount in dollars; cents would hide what a few mails cost."""
    return f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:.4f}"


def _channels(summary: Mapping[str, Any]) -> Iterator[str]:
    """Say what went over which channel and what became of it, if there is more than SMS."""
    sent, channels = summary["sent"]["by_channel"], summary["channels"]
    if set(sent) <= {"sms"} and not channels["came_back"]:
        return
    yield ""
    yield "BY CHANNEL: texts, and what became of them. LINE gives no receipt of what it has taken"
    rows = []
    for channel in (name for name in CHANNELS if name in sent or name in channels["states"]):
        numbers, states = sent.get(channel, NOTHING_SENT), channels["states"].get(channel, {})
        texts = numbers["texts"]
        rows.append(
            (
                CHANNELS[channel],
                f"{texts:,}",
                f"{numbers['customers']:,}",
                cost_of(numbers["cost_usd"]),
                f"${numbers['cost_usd'] / max(1, texts):.4f}",
                *(f"{sum(states.get(state, 0) for state in group):,}" for group in OUTCOMES.values()),
            )
        )
    header = ("channel", "texts", "customers", "cost (USD)", "per text", *OUTCOMES)
    yield from table(header, rows, "<" + ">" * (len(header) - 1))
    reached = ", ".join(
        f"{_count(count, 'customer')} on {_count(int(number), 'channel')}"
        for number, count in channels["customers_by_channels"].items()
    )
    yield f"  {reached}"
    yield f"  {_count(channels['fallbacks'], 'stage')} repeated on another channel"
    if channels["came_back"]:
        yield ""
        yield "WHAT CAME BACK from services beside SNS and from people there, and what follows"
        found = [
            (CHANNELS[channel], CAME_BACK[kind], f"{count:,}")
            for channel in CHANNELS
            for kind, count in channels["came_back"].get(channel, {}).items()
        ]
        yield from table(("channel", "", "times"), found, "<<>")


def _journeys(shown: Sequence[Journey]) -> Iterator[str]:
    if not shown:
        return
    yield ""
    yield "ONE CUSTOMER OVER SEVERAL CHANNELS"
    for journey in shown:
        yield ""
        yield f"  {journey.customer_id}: {journey.shows}"
        for step in journey.steps:
            first, *more = fold(step.what, WIDTH - 30)
            yield f"    {step.at}  {pad(step.channel, 8)}  {first}"
            yield from (" " * 32 + part for part in more)
        yield f"    at the end: {journey.end}"


def _figures(numbers: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return (
        f"{numbers['texts']:,}",
        f"{numbers['customers']:,}",
        f"{numbers['segments']:,}",
        f"${numbers['cost_usd']:,.2f}",
    )


def _decisions(title: str, reasons: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield title
    if not reasons:
        yield "  none"
        return
    rows = sorted(reasons.items(), key=lambda entry: (-entry[1]["decisions"], entry[0]))
    yield from table(
        ("reason", "", "customers", "decisions"),
        [(code, REASONS.get(code, ""), f"{n['customers']:,}", f"{n['decisions']:,}") for code, n in rows],
        "<<>>",
    )


def _by_stage(decisions: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Say for which stage decisions were made; a customer who is stopped before stages are looked at has none."""
    made = {
        (kind, reason): numbers["by_stage"]
        for kind, reasons in decisions.items()
        for reason, numbers in sorted(reasons.items())
    }
    stages = sorted({stage for by_stage in made.values() for stage in by_stage if stage != "none"}, key=int)
    yield ""
    yield "DECISIONS, by stage"
    yield from table(
        ("", "reason", *(f"{int(stage):+d}" for stage in stages), "no stage"),
        [
            (kind, reason, *(f"{by_stage[stage]:,}" if stage in by_stage else "" for stage in (*stages, "none")))
            for (kind, reason), by_stage in made.items()
        ],
        "<<" + ">" * (len(stages) + 1),
    )


def _at_the_end(standing: Mapping[str, Mapping[str, int]], loaded: int) -> Iterator[str]:
    yield ""
    yield "WHERE THE CUSTOMERS STAND AT THE END"
    rows = [
        (state, code, REASONS.get(code, ""), f"{count:,}")
        for state in ("waiting", "stopped")
        for code, count in sorted(standing[state].items(), key=lambda entry: (-entry[1], entry[0]))
    ]
    erased = loaded - sum(count for reasons in standing.values() for count in reasons.values())
    if erased > 0:
        rows.append(("erased", "", "nothing is kept of the customer", f"{erased:,}"))
    rows.append(("all", "", "customers loaded", f"{loaded:,}"))
    yield from table(("", "reason", "", "customers"), rows, "<<<>")


def _payments(payments: Mapping[str, Any]) -> Iterator[str]:
    if not payments["total"]:
        return
    yield ""
    yield f"PAID DURING THE RUN: {payments['total']:,} instalments, by the last text about the account before"
    yield from table(
        ("last text", "", "instalments"),
        [
            ("none", "no text during the run", f"{count:,}")
            if stage == "none"
            else (f"{int(stage):+d}", stage_name(int(stage)), f"{count:,}")
            for stage, count in sorted(
                payments["after_stage"].items(), key=lambda entry: (entry[0] != "none", _number(entry[0]))
            )
        ],
        "><>",
    )


def _number(stage: str) -> int:
    return 0 if stage == "none" else _LAST if stage == "None" else int(stage)


def _sign(stage: str) -> str:
    return "" if stage == "None" else f"{int(stage):+d}"


def _replies(summary: Mapping[str, Any]) -> Iterator[str]:
    replies = summary["replies"]
    if replies["total"]:
        yield ""
        yield f"WHAT CUSTOMERS WROTE: {replies['total']:,} replies, by what they mean (one may mean several things)"
        rows = [
            *((intent, _MEANINGS[intent], f"{count:,}") for intent, count in replies["by_intent"].items()),
            ("-", "in doubt: kept, told, and silence for some days", f"{replies['not_understood']:,}"),
        ]
        yield from table(("meaning", "", "replies"), rows, "<<>")
        yield from _read(replies)
    silent = [(f"hold: {reason}", "", f"{count:,}") for reason, count in summary["holds"].items()]
    silent += [(f"promise {state}", "of an instalment", f"{n:,}") for state, n in summary["promises"].items()]
    if summary["unreachable"]:
        silent.append(("unreachable", "the number is suspended until it is corrected", f"{summary['unreachable']:,}"))
    if silent:
        yield ""
        yield "HOLDS, PROMISES AND NUMBERS AT THE END, as customers and carriers made them"
        yield from table(("", "", "how many"), silent, "<<>")
    if summary["outbound_events"]:
        yield ""
        yield "TOLD TO OTHER SYSTEMS, events on the bus (events.jsonl)"
        reminders = f"{summary['reminders_published']:,} reminders, an event for each batch of them"
        yield from table(
            ("event", "", "events"),
            [
                (kind, reminders if kind == "ReminderSent" else "", f"{count:,}")
                for kind, count in summary["outbound_events"].items()
            ],
            "<<>",
        )


def _read(replies: Mapping[str, Any]) -> Iterator[str]:
    """Say how certainly replies were read, and how often rightly, as far as it is known what they mean."""
    yield ""
    yield "HOW CERTAINLY THEY WERE READ, and how often the best guess is all that was meant"
    yield from table(
        ("a reply is", "so it is", "replies", "labelled", "right"),
        [
            (band, words, *(f"{replies['by_band'][band][what]:,}" for what in ("replies", "judged", "right")))
            for band, words in BANDS.items()
        ],
        "<<>>>",
    )
    if not replies["judged"]:
        return
    yield ""
    yield "HOW EACH INTENT WAS READ, against the labels that people gave in the corpus"
    yield from table(
        ("intent", "meant", "heard: sure", "right", "heard: likely", "right", "meant, not heard"),
        [
            (
                intent,
                f"{n['meant']:,}",
                *(f"{n[what]:,}" for what in ("sure", "sure_right", "likely", "likely_right", "in_doubt")),
            )
            for intent, n in replies["read"].items()
        ],
        "<>>>>>>",
    )
    yield (
        f"  {_count(replies['needing_silence'], 'reply', 'replies')} had to be followed by silence; "
        f"{replies['needing_silence_without']:,} were not"
    )


_STATES: Mapping[str, str] = {
    "held_out": "nothing was sent, by lot",
    "unknown": "no answer yet: counts as sent, is not sent again",
    "sent": "taken by the carrier, no receipt yet",
    "refused": "refused at once, not published and not counted above",
    "unconfirmed": "no delivery receipt for three days",
    "failed": "did not arrive",
    "delivered": "arrived",
}

_MEANINGS: Mapping[str, str] = {
    "opt_out": "wants no texts: none follow",
    "opt_in": "wants texts again",
    "paid": "says it is paid: silence for some days, or until it is",
    "promise": "will pay by a day: silence until then",
    "hardship": "cannot pay, wants a plan: over to a person",
    "dispute": "disputes it: over to a person",
    "refusal": "will not pay: over to a person",
    "wrong_person": "is somebody else: nothing follows",
    "deceased": "the customer has died: nothing follows",
    "represented": "a lawyer speaks for the customer: nothing follows",
    "complaint": "complains: over to a person",
    "distress": "is in distress: a person at once",
    "suspicion": "thinks of a fraud: over to a person",
    "question": "asks something: over to a person",
    "acknowledged": "OK, thanks: nothing follows",
    "auto_reply": "the phone answers: nothing follows",
    "chat": "none of these: silence for some days",
}


def _refused(refused: Mapping[str, Any]) -> Iterator[str]:
    for title, counts in (
        ("REFUSED, by reason (rejects.csv tells line, column and what to do)", refused["by_reason"]),
        ("PASSED OVER OR DOUBTFUL, and not refused (rejects.csv tells the lines)", refused["noted"]),
    ):
        if counts:
            yield ""
            yield title
            ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
            yield from table(("reason", "lines"), [(code, f"{count:,}") for code, count in ordered], "<>")


def _examples(examples: Sequence[Example]) -> Iterator[str]:
    if not examples:
        return
    yield ""
    yield "ON THE PHONE"
    for example in examples:
        yield ""
        yield f"  {example.local_at}  {example.shown_to}  {stage_name(example.stage)}, {example.size}"
        if example.subject:
            yield from field("subject", example.subject)
            yield from field("preview", example.preview)
        for paragraph in example.text.split("\n"):
            yield from (f"  | {line}".rstrip() for line in list(fold(paragraph, WIDTH - 8)) or [""])
        if example.buttons:
            yield f"  {' '.join(f'[{label}]' for label in example.buttons)}"


def _reply_examples(replies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not replies:
        return
    yield ""
    yield "WRITTEN BACK, what was understood, and what followed"
    for line in replies:
        yield ""
        yield f"  {line['local_at'][:10]} {line['local_at'][11:16]}  {line['customer_id']}"
        yield from (f"  | {part}" for part in fold(line["text"].replace("\n", " / "), WIDTH - 8))
        meant = with_day(line["meant"]["intents"], line["meant"]["promised_on"])
        verdict = "right" if line["right"] else f"meant: {meant}"
        yield from field("understood", f"{understood(line)}; {verdict}")
        yield from field("followed", "; ".join(line["followed"]))


_FIELD = 14


def field(name: str, value: str) -> Iterator[str]:
    """Yield a named value, folded beside its name."""
    first, *more = fold(value, WIDTH - _FIELD - 2)
    yield f"  {pad(name, _FIELD)}{first}"
    yield from (" " * (_FIELD + 2) + part for part in more)
