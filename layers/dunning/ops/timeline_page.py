"""The timeline of a customer as a page to print: one file of HTML that loads nothing."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from html import escape
from itertools import groupby

from dunning.evidence.timeline import MEANINGS, Entry, Timeline
from ops.timeline_text import visible

_STYLE = """
:root { --ink: #1c1f23; --soft: #5b636d; --line: #d5d9de; --paper: #fff; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.5rem 4rem; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK TC", "PingFang TC",
  "Microsoft JhengHei", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; border-bottom: 2px solid var(--ink); padding-bottom: .2rem; }
h3 { font-size: .95rem; margin: 1.4rem 0 .3rem; color: var(--soft); }
p { margin: .3rem 0; }
.soft { color: var(--soft); }
ul { margin: .3rem 0; padding-left: 1.2rem; }
table { width: 100%; border-collapse: collapse; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .3rem 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
td { vertical-align: top; padding: .5rem .6rem .5rem 0; border-top: 1px solid var(--line); }
td.when { width: 8em; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.kind { width: 7.6em; }
.utc { color: var(--soft); font-size: .8em; }
.kind span { display: inline-block; min-width: 6.4em; text-align: center; border: 1px solid currentColor;
  border-radius: 3px; padding: 0 .4rem; font-size: .85em; color: var(--soft); }
.kind .text, .kind .receipt { color: #1d5b9c; }
.kind .reply, .kind .label { color: #7b2d7b; }
.kind .fact { color: #22683a; }
.kind .silence, .kind .unreadable { color: #a03516; }
.title { overflow-wrap: anywhere; }
blockquote { margin: .35rem 0; padding: .4rem .8rem; border-left: 3px solid var(--ink); background: #f4f5f7;
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
.details { font-size: .87em; grid-template-columns: 6.6em 1fr; }
.gaps { border: 1px solid #a03516; padding: .4rem .8rem; margin: 1rem 0; }
.gaps h2 { border: 0; margin: 0; }
@page { size: A4; margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); } }
@media print {
  html { font-size: 11px; }
  body { padding: 0; max-width: none; font-size: 9.5pt; line-height: 1.35; }
  h2, h3 { break-after: avoid; }
  dd, li, blockquote, .title, .when, .gaps { break-inside: avoid; }
  .title { break-after: avoid; }
  blockquote { background: none; }
}
"""

_WHAT_IT_IS = """\
This page holds all that is stored of the customer and could be read, by time. Times are those of the customer, with
UTC below them. It is personal data: keep it as you keep the customer's file, and destroy it when the matter is closed.
"""


def timeline_page(timeline: Timeline, about: Mapping[str, str]) -> str:
    """Return the page. `about` says of it when, from what, for whom and why it was made."""
    return "\n".join(_page(timeline, about)) + "\n"


def _page(timeline: Timeline, about: Mapping[str, str]) -> Iterator[str]:
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">"""
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="robots" content="noindex">'
    yield f"<title>Customer {_safe(timeline.customer_id)}</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield f"<h1>Customer {_safe(timeline.customer_id)}</h1>"
    yield f'<p class="soft">{_safe(_WHAT_IT_IS)}</p>'
    yield from _list((name.replace("_", " "), value) for name, value in about.items())
    if timeline.gaps:
        yield '<section class="gaps"><h2>What could not be read, or is not kept</h2>'
        yield from _lines(timeline.gaps)
        yield "</section>"
    if timeline.person:
        yield "<h2>The customer</h2>"
        yield from _list(timeline.person)
    yield "<h2>Now</h2>"
    yield from _lines(timeline.now or ("Nothing is known.",))
    yield "<h2>What is open</h2>"
    yield from _lines(timeline.still_open or ("Nothing.",))
    yield f"<h2>Timeline: {len(timeline.entries)} entries, times of {_safe(timeline.zone.key)}</h2>"
    by_day = groupby(timeline.entries, key=lambda entry: entry.at.astimezone(timeline.zone).date())
    for day, entries in by_day:
        yield f"<h3>{day:%A}, {day.isoformat()}</h3>"
        yield "<table>"
        for entry in entries:
            yield from _entry(entry, timeline)
        yield "</table>"
    yield "<h2>What the kinds of entries mean</h2>"
    there = {entry.kind for entry in timeline.entries}
    yield from _list((kind.value, words) for kind, words in MEANINGS.items() if kind in there)
    yield "</body>"
    yield "</html>"


def _entry(entry: Entry, timeline: Timeline) -> Iterator[str]:
    local = entry.at.astimezone(timeline.zone).strftime("%H:%M:%S")
    utc = entry.at.astimezone(UTC).strftime("%m-%d %H:%M:%SZ")
    yield "<tr>"
    yield f'<td class="when">{local}<br><span class="utc">{utc}</span></td>'
    yield f'<td class="kind"><span class="{entry.kind.value}">{entry.kind.value}</span></td>'
    yield f'<td><div class="title">{_safe(entry.title)}</div>'
    if entry.quote:
        yield f"<blockquote>{_safe(entry.quote, lines=True)}</blockquote>"
    if entry.details:
        yield '<dl class="details">'
        before = ""
        for name, value in entry.details:
            yield f"<dt>{_safe('' if name == before else name)}</dt><dd><bdi>{_safe(value)}</bdi></dd>"
            before = name
        yield "</dl>"
    yield "</td></tr>"


def _list(named: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield "<dl>"
    for name, value in named:
        yield f"<dt>{_safe(name)}</dt><dd><bdi>{_safe(value)}</bdi></dd>"
    yield "</dl>"


def _lines(lines: Iterable[str]) -> Iterator[str]:
    yield "<ul>"
    for line in lines:
        yield f"<li>{_safe(line)}</li>"
    yield "</ul>"


def _safe(text: str, *, lines: bool = False) -> str:
    """Return a text that is nothing but text on a page; a quoted text keeps its lines."""
    if lines:
        return "\n".join(escape(visible(line)) for line in text.splitlines())
    return escape(visible(text.strip("\n").replace("\n", " ")))
