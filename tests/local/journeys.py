"""Journeys: what one customer got on several channels, what came back, and what followed, for the report of a run."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dunning.evidence.words import REASONS, stage_name

type _Line = Mapping[str, Any]

CHANNELS: Mapping[str, str] = {
    "sms": "SMS",
    "line": "LINE",
    "email": "mail",
    "voice": "call",
    "whatsapp": "WhatsApp",
}
"""The channels, as a reader calls them."""

CAME_BACK: Mapping[str, str] = {
    "pending": "on its way to the phone: nothing follows",
    "ttl_expired": "the phone was off until the hours ended: given up, heard once more",
    "sent": "taken for delivery: nothing follows",
    "delivered": "arrived",
    "delayed": "delayed: nothing follows",
    "bounce": "no such mailbox: the address is not used again",
    "mailbox_full": "mailbox full, given up: heard once more",
    "complaint": "marked as unwanted: nothing follows on any channel, and a person looks",
    "button_opened": "a program looked at the address of the button: nothing follows",
    "unsubscribed": "the button for no more mail: nothing follows on any channel",
    "words": "words: read as a reply is",
    "button": "a button below the message: it means what it says",
    "sticker": "a sticker: a person looks",
    "block": "blocks the account: the other channels go on",
    "follow": "adds the account again: LINE is used again",
}
"""What comes back, and what follows from it."""

_STATES: Mapping[str, str] = {
    "unknown": "no answer: counts as sent",
    "sent": "taken, no receipt",
    "refused": "refused at once",
    "unconfirmed": "no receipt",
    "failed": "did not arrive",
    "delivered": "arrived",
    "held_out": "left out by lot",
}

_LEFT_OUT = "held_out"
_NO_TEXT = "no text"
_LOST = frozenset({"failed", "refused"})
_ENDING = ("words", "button", "unsubscribed", "complaint")
_QUIET = frozenset({"pending", "sent", "delivered"})
"""What a record says already."""


class Step(NamedTuple):
    """A line of a journey: the local day and hour, the channel, and what happened."""

    at: str
    channel: str
    what: str


class Journey(NamedTuple):
    """A customer's journey: who, why it is shown, its steps, and where it ends."""

    customer_id: str
    shows: str
    steps: Sequence[Step]
    end: str


def fallbacks(contacts: Iterable[_Line]) -> int:
    """Count the messages that repeat a stage on another channel, because one before did not arrive."""
    return sum(1 for _ in _fallbacks(contacts))


def _fallbacks(contacts: Iterable[_Line]) -> Iterator[_Line]:
    lost: defaultdict[tuple[str, int | None], set[str]] = defaultdict(set)
    for line in contacts:
        stage = line["customer_id"], line["stage"]
        if line["state"] != _LEFT_OUT and lost[stage] - {line["channel"]}:
            yield line
        if line["state"] in _LOST:
            lost[stage].add(line["channel"])


def journeys(
    contacts: Sequence[_Line], came_back: Sequence[_Line], replies: Sequence[_Line], customers: Sequence[_Line]
) -> list[Journey]:
    """
    Choose customers whose journeys show what the channels do, each once and the same ones every time.

    Args:
        contacts: the lines of contacts.jsonl.
        came_back: the lines of came_back.jsonl.
        replies: the lines of replies.jsonl.
        customers: the lines of customers.jsonl.
    """
    on: defaultdict[str, set[str]] = defaultdict(set)
    for line in contacts:
        if line["state"] != _LEFT_OUT:
            on[line["customer_id"]].add(line["channel"])
    standing = {line["customer_id"]: line for line in customers}
    stopped = {line["customer_id"] for line in customers if line["reason"] == "opted_out"}
    bounced = {line["customer_id"] for line in came_back if line["kind"] == "bounce"}
    on_line = {line["customer_id"] for line in came_back if line["channel"] == "line" and line["kind"] in _ENDING}
    wishes = (
        ("over most channels", sorted(on, key=lambda who: (-len(on[who]), who))),
        ("another channel after a bounce", [line["customer_id"] for line in _fallbacks(contacts)]),
        ("a stop on LINE ends all channels", sorted(on_line & stopped)),
        ("the button of a mail ends all channels", _unsubscribed(came_back)),
    )
    chosen: dict[str, str] = {}
    for shows, found in wishes:
        wanted = [who for who in found if who in standing and who not in chosen]
        if shows.endswith("bounce"):
            wanted = [who for who in wanted if who in bounced]
        if wanted and (len(on[wanted[0]]) > 1 or shows != "over most channels"):
            chosen[wanted[0]] = shows
    return [
        Journey(who, shows, _steps(who, contacts, came_back, replies), _end_of(standing[who]))
        for who, shows in chosen.items()
    ]


def _unsubscribed(came_back: Iterable[_Line]) -> list[str]:
    return sorted({line["customer_id"] for line in came_back if line["kind"] == "unsubscribed"})


def _steps(who: str, contacts: Sequence[_Line], came_back: Sequence[_Line], replies: Sequence[_Line]) -> Sequence[Step]:
    found = [
        (
            line["local_at"],
            0,
            _channel(line),
            f"{stage_name(line['stage'])}: {_STATES[line['state']]}",
        )
        for line in contacts
        if line["customer_id"] == who
    ]
    found += [
        (line["local_at"], 1, CHANNELS[line["channel"]], CAME_BACK[line["kind"]])
        for line in came_back
        if line["customer_id"] == who and line["kind"] not in _QUIET
    ]
    found += [
        (line["local_at"], 2, CHANNELS[line["channel"]], f"understood: {', '.join(line['sure'] + line['likely'])}")
        for line in replies
        if line["customer_id"] == who and line["sure"] + line["likely"]
    ]
    return [Step(f"{at[:10]} {at[11:16]}", channel, what) for at, _, channel, what in sorted(found)]


def _channel(contact: _Line) -> str:
    return _NO_TEXT if contact["state"] == _LEFT_OUT else CHANNELS[contact["channel"]]


def _end_of(customer: _Line) -> str:
    reason = customer["reason"]
    return f"{REASONS.get(reason, reason)} ({reason})"
