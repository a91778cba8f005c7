"""
The page for counsel: every limit of every place, how sure we are of it, what has changed, and room to sign.

It is made of the files of jurisdictions alone, whatever the lenders' policies say, and needs nothing but itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from html import escape
from typing import NamedTuple

from dunning.domain.delivery.channels import Channel
from dunning.policy.effective import (
    call_back_in_words,
    cap_in_words,
    carrier_in_words,
    channel_in_words,
    closed_days_in_words,
    consent_in_words,
    forbidden_in_words,
    grace_in_words,
    hours_in_words,
    links_in_words,
    opt_out_in_words,
    owed_in_words,
    refusal_in_words,
    required_in_words,
    retention_in_words,
    storage_in_words,
    two_way_in_words,
)
from dunning.policy.fields import Mark, Sourced
from dunning.policy.jurisdiction import (
    CallBackNumbers,
    Carrier,
    ChannelLaw,
    ClosedDays,
    Consent,
    ForbiddenContent,
    HoursFile,
    LeftToLender,
    LinkRules,
    Noted,
    OptOut,
    OverdueGrace,
    OwedTexts,
    Place,
    RefusalToPay,
    RequiredContent,
    Retention,
    SourcedCap,
    Storage,
    TwoWay,
)
from ops.english import in_english

MARKS: dict[Mark, str] = {
    "V": "confirmed: the words of the law or of the authority were read",
    "Vq": "quoted: its words were read as a secondary source quotes them",
    "V2": "from secondary sources",
    "M": "from memory, not verified",
    "D": "our own default, and no law",
}
"""Each mark in words."""

_TO_CHECK_FIRST: tuple[Mark, ...] = ("M", "V2", "Vq", "V", "D")


class LimitToSign(NamedTuple):
    """One limit of a place, as counsel reads it. `changed`: since the day that was asked for."""

    topic: str
    says: str
    source: str
    mark: Mark
    checked_on: date
    in_force_from: date | None
    in_force_until: date | None
    at: str
    changed: bool


def limits_to_sign(place: Place, since: date | None = None) -> Iterator[LimitToSign]:
    """Yield every limit of a place; those looked at, or in force, since a day are marked as changed."""
    for where, limit, holds_from in place.law.sourced():
        topic, says = _in_words(where, limit)
        days = (limit.checked_on, *limit.changes_on, *filter(None, [holds_from]))
        yield LimitToSign(
            topic,
            in_english(says),
            limit.source,
            limit.mark,
            limit.checked_on,
            holds_from or limit.in_force_from,
            limit.in_force_until,
            place.file.at(*where),
            since is not None and max(days) >= since,
        )


def _channel_in_words(channel: Channel, limit: Sourced) -> str:
    """Return what a place says of a channel; a condition to accept stands there in full."""
    says = in_english(channel_in_words(channel, limit))
    if isinstance(limit, ChannelLaw) and limit.condition:
        return f"{says}, which reads so since {limit.condition_since}: {limit.condition}"
    return says


def _in_words(where: Sequence[str | int], limit: Sourced) -> tuple[str, object]:  # noqa: C901, PLR0911, PLR0912 - one a kind
    if "channels" in where and not isinstance(limit, LeftToLender):
        return "channels", _channel_in_words(Channel(str(where[where.index("channels") + 1])), limit)
    match limit:
        case HoursFile():
            return ("our hours" if where[-1] == "ours" else "hours"), hours_in_words(limit.week)
        case ClosedDays():
            return "closed days", closed_days_in_words(limit)
        case SourcedCap():
            return "cap", cap_in_words(limit)
        case RequiredContent():
            return "a text", required_in_words(limit)
        case ForbiddenContent():
            return "a text", forbidden_in_words(limit)
        case OptOut():
            return "opt-out", f"{in_english(opt_out_in_words(limit))}; words: {', '.join(limit.words)}"
        case RefusalToPay():
            return "refusal to pay", refusal_in_words(limit)
        case LinkRules():
            return "links", links_in_words(limit)
        case CallBackNumbers():
            return "numbers to call", call_back_in_words(limit)
        case Storage():
            return "storage", storage_in_words(limit)
        case OverdueGrace():
            return "days of grace", grace_in_words(limit)
        case OwedTexts():
            return "owed texts", owed_in_words(limit)
        case Carrier():
            return "carriers", carrier_in_words(limit)
        case Consent():
            return "consent", consent_in_words(limit)
        case TwoWay():
            return "replies", two_way_in_words(limit)
        case Retention():
            return "record", retention_in_words(limit)
        case LeftToLender():
            return "left to the lender", limit.what
        case Noted():
            return "noted", limit.what
        case _:
            raise TypeError(f"{type(limit).__name__}: a kind of limit that no page shows")


def changes_since(places: Iterable[Place], since: date) -> Iterator[str]:
    """Yield a line for each limit that was looked at, or came or comes into force, since a day."""
    for place in places:
        for limit in limits_to_sign(place, since):
            if limit.changed:
                mark = f"[{limit.mark}]"
                yield f"{place.law.id:8} {mark:5} {limit.at:32} {limit.topic}: {limit.says}{_days(limit)}"


def _days(limit: LimitToSign) -> str:
    """Return the days between which a limit holds, if it does not always."""
    days = [f"{word} {day}" for word, day in (("from", limit.in_force_from), ("until", limit.in_force_until)) if day]
    return f" ({', '.join(days)})" if days else ""


def counsel_page(places: Sequence[Place], today: date, since: date | None = None) -> str:
    """Return the page as HTML that needs no other file."""
    limits = {place.law.id: list(limits_to_sign(place, since)) for place in places}
    body = ["<h1>The law as this system keeps it</h1>", f"<p>For counsel, printed on {today}."]
    if since:
        body.append(
            f" <b class=changed>changed</b> marks what was looked at, or came or comes into force, since {since}."
        )
    body.append(" A limit that is wrong is corrected in the file named above it, with its source.</p>")
    body.append("<table class=sums><thead><tr><th>Mark<th>Meaning</thead>")
    body += [f"<tr><td><b>{mark}</b><td class=words>{escape(meaning)}" for mark, meaning in MARKS.items()]
    body += ["</table>", *_summary(places, limits, dated=since is not None)]
    for place in places:
        body += _place(place, limits[place.law.id])
    head = f"<meta charset=utf-8><title>The law, for counsel</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang=en>{head}{''.join(body)}</html>\n"


def _summary(places: Sequence[Place], limits: dict[str, list[LimitToSign]], *, dated: bool) -> Iterator[str]:
    heads = ["Place", *MARKS, "left to the lender", *(["changed"] if dated else [])]
    yield "<table class=sums><thead><tr>" + "".join(f"<th>{escape(head)}" for head in heads) + "</thead>"
    totals: Counter[str] = Counter()
    for place in places:
        own = limits[place.law.id]
        counts: Counter[str] = Counter(limit.mark for limit in own)
        counts["left to the lender"] = sum(limit.topic == "left to the lender" for limit in own)
        counts["changed"] = sum(limit.changed for limit in own)
        totals += counts
        name = f"<a href='#{place.law.id}'>{escape(place.law.name)}</a> {place.law.id}"
        yield f"<tr><td>{name}" + "".join(f"<td>{counts[head]}" for head in heads[1:])
    yield "<tr class=total><td>All" + "".join(f"<td>{totals[head]}" for head in heads[1:]) + "</table>"


def _place(place: Place, limits: Sequence[LimitToSign]) -> Iterator[str]:
    law = place.law
    holds = f" It holds for {', '.join(law.countries)}." if law.countries else ""
    yield f"<section id='{law.id}'><h2>{escape(law.name)} <small>{law.id}</small></h2>"
    yield f"<p>{escape(place.file.name)}.{holds}</p>"
    yield "<table class=limits><thead><tr><th>Limit<th>What is kept<th>Source<th>Mark<th>Checked on<th>Right?</thead>"
    left = [limit for limit in limits if limit.topic == "left to the lender"]
    yield from _group("Left to the lender: what the place demands and this system cannot do, or not alone", left)
    for mark in _TO_CHECK_FIRST:
        group = [limit for limit in limits if limit.mark == mark and limit not in left]
        yield from _group(f"{mark}: {MARKS[mark]}", group)
    yield "</table><div class=sign>"
    yield "".join(f"<p>{field}<span></span></p>" for field in ("Name", "Capacity", "Date", "Signature"))
    yield "</div></section>"


def _group(title: str, limits: Sequence[LimitToSign]) -> Iterator[str]:
    if not limits:
        return
    yield f"<tbody><tr class=group><td colspan=6>{escape(title)} ({len(limits)})"
    for limit in limits:
        changed = " <b class=changed>changed</b>" if limit.changed else ""
        says = escape(limit.says + _days(limit))
        line = limit.at.rpartition(":")[2]
        yield (
            f"<tr><td>{escape(limit.topic)}{changed}<td>{says}<td>{escape(limit.source)} <small>line {line}</small>"
            f"<td>{limit.mark}<td>{limit.checked_on}<td class=box>"
        )
    yield "</tbody>"


_STYLE = """
@page { size: A4 landscape; margin: 14mm }
body { font: 10pt/1.4 system-ui, "Noto Sans", "Noto Sans CJK TC", sans-serif; color: #111; max-width: 1100px;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 20pt; margin: 0 0 .4em } h2 { font-size: 15pt; margin: 0 } small { color: #555; font-weight: normal }
table { border-collapse: collapse; width: 100%; margin: .8em 0 1.4em }
th, td { border: 1px solid #bbb; padding: .3em .5em; text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { background: #eee } thead { display: table-header-group } tr { break-inside: avoid }
.sums { width: auto } .sums td + td { text-align: right } .sums td.words { text-align: left }
.total td { font-weight: bold; border-top: 2px solid #555 }
.limits { table-layout: fixed } .limits th:nth-child(1) { width: 11% } .limits th:nth-child(2) { width: 31% }
.limits th:nth-child(4) { width: 4% } .limits th:nth-child(5) { width: 8% } .limits th:nth-child(6) { width: 10% }
.group td { background: #f4f1e6; font-weight: bold; break-after: avoid }
.changed { background: #ffe08a; padding: 0 .3em; font-weight: normal; font-size: 9pt }
.sign { display: grid; grid-template-columns: 1fr 1fr; gap: 0 3em; break-inside: avoid }
.sign p { display: flex; gap: .6em; margin: 1.2em 0 0 } .sign span { flex: 1; border-bottom: 1px solid #333 }
section { break-before: page; margin-top: 3rem }
@media print {
  body { font-size: 8.5pt; max-width: none; margin: 0 } section { margin: 0 } td, th { padding: .15em .4em }
}
a { color: inherit }
"""
