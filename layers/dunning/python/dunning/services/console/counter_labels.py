"""The words of counters, such as `wait:quiet_hours`: codes, which the pages write in the language of who reads them."""

import re
from collections.abc import Mapping

from dunning.services.console.shown import CodeShown, StageShown

_STAGE = re.compile(r"-?[0-9]{1,4}")

COUNTED_BY: Mapping[str, str] = {
    "sent": "stage",
    "failed": "failure",
    "wait": "reason",
    "stop": "reason",
    "reply": "intent",
    "needs_person": "review",
    "text": "wording",
}
"""The kinds of counters that are counted by something, and the group of its words. Wordings go by their own names."""


def counter_label(counter: str) -> CodeShown | StageShown:
    """Return the words of a counter."""
    kind, _, by = counter.partition(":")
    if not by or kind not in COUNTED_BY:
        return CodeShown("number", counter)
    if kind == "sent":
        return StageShown(int(by) if _STAGE.fullmatch(by) else None)
    return CodeShown(COUNTED_BY[kind], by)


def counters_of_kind(counters: Mapping[str, int], kind: str) -> Mapping[str, int]:
    """Return the counters of a kind that are not zero: the kind itself, or all that it is counted by."""
    return {
        name: number for name, number in counters.items() if number and (name == kind or name.startswith(f"{kind}:"))
    }


def total_of_kind(counters: Mapping[str, int], kind: str) -> int:
    """Return a counter, or the sum of all counters of a kind."""
    return sum(counters_of_kind(counters, kind).values())
