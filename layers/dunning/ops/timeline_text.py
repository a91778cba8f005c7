"""The timeline of a customer on a terminal."""

import unicodedata
from collections.abc import Iterator
from datetime import UTC

from dunning.evidence.timeline import Entry, Timeline
from ops.columns import WIDTH, fold, pad

_NAME = 16
_KIND = 12
_BIDI = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows, beyond the text they stand in."""


def visible(text: str) -> str:
    """Return a text without the characters that would steer a terminal or turn a line; each is shown as U+FFFD."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) == "Cc" or c in _BIDI else c
        for c in text.replace("\r\n", "\n").replace("\n", " / ").replace("\t", " ")
    )


def timeline_text(timeline: Timeline, about: str) -> Iterator[str]:
    """Yield the lines; `about` says what was read, and for whom."""
    yield "=" * WIDTH
    yield from (f"  {line}" for line in fold(f"{timeline.customer_id}: {about}", WIDTH - 4))
    yield f"  times are those of {timeline.zone.key}, with UTC beside them"
    yield "=" * WIDTH
    for name, value in timeline.person:
        yield from _detail(name, value, 2)
    for title, lines in (
        ("NOW", timeline.now),
        ("WHAT IS OPEN", timeline.still_open or ("nothing",)),
        ("WHAT COULD NOT BE READ, OR IS NOT KEPT", timeline.gaps),
    ):
        if lines:
            yield ""
            yield title
            for line in lines:
                first, *more = fold(visible(line), WIDTH - 4)
                yield f"  {first}"
                yield from (f"    {part}" for part in more)
    yield ""
    yield f"TIMELINE ({len(timeline.entries)})"
    for entry in timeline.entries:
        yield from _entry(entry, timeline)
    if not timeline.entries:
        yield "  nothing"


def _entry(entry: Entry, timeline: Timeline) -> Iterator[str]:
    yield ""
    local = entry.at.astimezone(timeline.zone).strftime("%Y-%m-%d %H:%M:%S")
    utc = entry.at.astimezone(UTC).strftime("%m-%d %H:%M:%SZ")
    head = f"  {local}  ({utc})  {pad(entry.kind.value, _KIND)}"
    first, *more = fold(visible(entry.title), WIDTH - len(head))
    yield f"{head}{first}"
    yield from (" " * len(head) + part for part in more)
    if entry.quote:
        yield from (f"      | {part}" for part in fold(visible(entry.quote), WIDTH - 8))
    before = ""
    for name, value in entry.details:
        yield from _detail("" if name == before else name, value, 6)
        before = name


def _detail(name: str, value: str, indent: int) -> Iterator[str]:
    """Yield a named value, folded beside its name. A name that repeats the one above is left out."""
    first, *more = list(fold(visible(value), WIDTH - indent - _NAME)) or [""]
    yield f"{' ' * indent}{pad(name, _NAME)}{first}".rstrip()
    yield from (" " * (indent + _NAME) + part for part in more)
