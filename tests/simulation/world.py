"""The world: what is stored at all ports, and what a call does to it, with a fault or without. Nothing here changes."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from dunning.adapters.dynamodb.items import standing_of
from dunning.domain.delivery.channels import Channel
from dunning.domain.errors import ServiceCallError
from dunning.domain.outbound_events import OutboundEvent
from dunning.ports.erasure import StoredUpload
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import Outgoing
from tests.simulation.comebacks import event_of
from tests.simulation.faults import Fault
from tests.simulation.tables import CUSTOMERS, Outcome, Rows, busy, perform, read_half, read_once, write_half
from tests.simulation.workers import Answer, Call

NOTES_ARE_KEPT = timedelta(seconds=600)
"""As in the template: a note about failed news is kept until the news has come back."""


class Text(NamedTuple):
    """A message that a gateway took: to whom, which words, when, and which delivery of which message handed it over."""

    address: str
    words: str
    at: datetime
    by: str
    message_id: str
    channel: str = "sms"
    customer_id: str = ""
    claim_id: str = ""
    stage: int | None = None
    about: tuple[str, ...] = ()
    """The instalments whose stage its claim has marked, each with its due date."""
    report: str = ""
    """What the gateway reports of it; nothing if it is silent."""


class Refusal(NamedTuple):
    """A message that a gateway of several has refused."""

    channel: str
    address: str
    at: datetime
    is_for_good: bool


class Mail(NamedTuple):
    """
    A message on its way: of which queue, and how often it has been delivered so far.

    It may be delivered from `ready_at` on. `in_hand` counts the programs that have it, `copies` how often it may still
    be delivered while it is in hand or done. Later mail (`is_later`) is left until all that is explored has ended.
    """

    name: str
    kind: str
    body: str
    ready_at: datetime
    receives: int = 0
    in_hand: int = 0
    is_done: bool = False
    is_later: bool = False
    copies: int = 0


class World(NamedTuple):
    """What is stored at all ports."""

    rows: Rows
    texts: tuple[Text, ...] = ()
    mail: tuple[Mail, ...] = ()
    bus: frozenset[OutboundEvent] = frozenset()
    alarms: frozenset[str] = frozenset()
    noted_at: datetime | None = None
    uploads: tuple[tuple[StoredUpload, bytes], ...] = ()
    letters: tuple[str, ...] = ()
    listed: frozenset[str] = frozenset()
    off_since: datetime | None = None
    """Since when the switch has been off; nothing if it is on."""
    reports: str = ""
    """What the carrier reports of each text: `delivered`, or its words about a failure; nothing if it is silent."""
    reports_of: tuple[tuple[str, str], ...] = ()
    """The same of channels whose gateways bring the claim back: pairs of a channel and a report."""
    refusals: tuple[Refusal, ...] = ()
    """What these gateways have refused, LINE's among them."""
    out: frozenset[str] = frozenset()
    """The channels whose gateways are out: they take nothing."""
    stopped: frozenset[Channel] = frozenset()
    """The channels that the switch has stopped, long ago."""
    controls: tuple[str, ...] = ("all drawn",)
    """What those who draw are told of the trials, by its name, and before it what they were told."""
    unseen: frozenset[str] = frozenset()
    """Deliveries that died or failed while a newer delivery of their message was under way: no queue repeats them."""


class Effect(NamedTuple):
    """What came of a call: the world after it, and the answer; no answer if the program dies or the SDK repeats."""

    world: World
    answer: Answer | None


def _no_connection() -> Exception:
    return ConnectTimeoutError(endpoint_url="aws")


def _no_answer() -> Exception:
    return ReadTimeoutError(endpoint_url="aws")


_FAILED_CALL = partial(ServiceCallError, "Call", "Failed")
_LOST_OF_TABLE = Answer("lost", error=_no_connection)
_ANSWER_LOST_OF_TABLE = Answer("answer lost", error=_no_answer)
_LOST = Answer("lost", error=_FAILED_CALL)
_OFF = Answer("off", value=(False, frozenset()))

_SILENT = Published(PublishOutcome.UNKNOWN, code="ReadTimeoutError")
_REFUSALS = {
    Fault.REFUSED_FOR_NOW: Published(PublishOutcome.REFUSED_FOR_NOW, code="Throttling"),
    Fault.REFUSED_FOR_GOOD: Published(PublishOutcome.REFUSED_FOR_GOOD, code="OptedOut"),
    Fault.OPTED_OUT_THERE: Published(
        PublishOutcome.REFUSED_FOR_GOOD, code="DESTINATION_PHONE_NUMBER_OPTED_OUT", opted_out=True
    ),
    Fault.SILENT_NOT_TAKEN: _SILENT,
}
_OUT = Published(PublishOutcome.REFUSED_FOR_NOW, code="ServiceUnavailable", retry_after=timedelta(hours=3))


def effect_of(world: World, call: Call, fault: Fault | None, now: datetime, label: str) -> Effect:
    """Return what comes of a call."""
    if fault is Fault.DIES_BEFORE:
        return Effect(world, None)
    if call.port == "table":
        return _of_table(world, call, fault)
    if call.port == "carrier" and call.operation in _PUBLISHES:
        return _of_publish(world, call, fault, now, label)
    return _of_other_port(world, call, fault, now)


def _of_other_port(world: World, call: Call, fault: Fault | None, now: datetime) -> Effect:
    if fault in {Fault.LOST, Fault.IN_PART} and call.port == "bus":
        # The publisher logs an event that is refused in full, and its loss rings an alarm.
        taken = call.request[:1] if fault is Fault.IN_PART else ()
        lossy = world._replace(bus=world.bus | frozenset(taken), alarms=world.alarms | {"OutboundEventsLost"})
        return Effect(lossy, Answer("published"))
    if call.port == "control" and fault is not None:
        control = "unreadable" if fault is Fault.UNREADABLE else world.controls[0]
        return Effect(world, Answer(control, control))
    if fault is Fault.LOST or (fault is Fault.UNREADABLE and call.operation != "is_on"):
        return Effect(world, _LOST)
    if fault is Fault.UNREADABLE:
        return Effect(world, _OFF)
    request = _first_of(call.request) if fault is Fault.IN_PART else call.request
    after, answer = _PORTS[call.port, call.operation](world, request, now)
    if fault is Fault.REPEATED:
        after, answer = _PORTS[call.port, call.operation](after, call.request, now)
    if fault is Fault.ANSWER_LOST:
        answer = _LOST
    return Effect(after, None if fault is Fault.DIES_AFTER else answer)


def _of_table(world: World, call: Call, fault: Fault | None) -> Effect:
    if fault is Fault.LOST:
        return Effect(world, _LOST_OF_TABLE)
    if fault is Fault.THROTTLED:
        return Effect(world, _answer_of_busy_table(world, call))
    outcome = perform(world.rows, call.operation, call.request, call.keys)
    after = world if outcome.rows is world.rows else world._replace(rows=outcome.rows)
    if fault is Fault.ANSWER_LOST:
        return Effect(after, _ANSWER_LOST_OF_TABLE)
    if fault is Fault.DIES_AFTER or (fault is Fault.REPEATED and outcome.error is None):
        return Effect(after, None)
    return Effect(after, answer_of(outcome))


def answer_of(outcome: Outcome) -> Answer:
    """Return what a table answers a program."""
    return Answer(outcome.key, outcome.value, outcome.error)


def _answer_of_busy_table(world: World, call: Call) -> Answer:
    if call.operation == "batch_get_item":
        return answer_of(read_half(world.rows, call.request, call.keys))
    if call.operation == "batch_write_item":
        return answer_of(write_half(world.rows, call.request))
    return Answer("busy", error=busy(call.operation))


_PUBLISHES = frozenset({"publish", "text", "mail", "push", "call"})
"""The calls that hand over a message: SNS's, and those of the other gateways."""


def _of_publish(world: World, call: Call, fault: Fault | None, now: datetime, label: str) -> Effect:
    outgoing: Outgoing
    outgoing, message_id = call.request
    if fault in _REFUSALS:
        refused = _REFUSALS[fault]
        after = world if call.operation == "publish" else _with_refusal(world, outgoing, refused, now)
        return Effect(after, Answer(fault, refused))
    if outgoing.channel in world.out:
        after = _with_refusal(world, outgoing, _OUT, now)
        return Effect(after, None if fault is Fault.DIES_AFTER else Answer("out", _OUT))
    taken = _taken_before(world, outgoing) if call.operation == "push" else None
    if taken is None:
        report = world.reports if call.operation == "publish" else dict(world.reports_of).get(outgoing.channel, "")
        stage, about = _marked_by(world, outgoing)
        text = Text(
            address=outgoing.address, words=outgoing.body.text, at=now, by=label, message_id=message_id,
            channel=outgoing.channel.value, customer_id=outgoing.customer_id, claim_id=outgoing.claim_id, stage=stage,
            about=about, report=report,
        )  # fmt: skip
        mail = _reports_of(world, text) if call.operation == "publish" else _events_of(world, text, outgoing)
        after = world._replace(texts=(*world.texts, text), mail=(*world.mail, *mail))
    else:
        after, message_id = world, taken.message_id
    if fault is Fault.DIES_AFTER:
        return Effect(after, None)
    if fault is Fault.SILENT_TAKEN:
        return Effect(after, Answer(fault, _SILENT))
    published = Published(PublishOutcome.ACCEPTED, message_id=message_id)
    return Effect(after, Answer(("accepted", message_id), published))


def _with_refusal(world: World, outgoing: Outgoing, answer: Published, now: datetime) -> World:
    is_for_good = answer.outcome is PublishOutcome.REFUSED_FOR_GOOD
    if answer.outcome is PublishOutcome.UNKNOWN:
        return world
    refusal = Refusal(outgoing.channel.value, outgoing.address, now, is_for_good)
    return world._replace(refusals=(*world.refusals, refusal))


def _taken_before(world: World, outgoing: Outgoing) -> Text | None:
    """Return the message that a retry key has brought already."""
    found = (text for text in world.texts if text.channel == outgoing.channel and text.claim_id == outgoing.claim_id)
    return next(found, None)


def _marked_by(world: World, outgoing: Outgoing) -> tuple[int | None, tuple[str, ...]]:
    """Return the stage of a message's claim, and the instalments whose stage it has marked."""
    row = world.rows.get((CUSTOMERS, outgoing.customer_id, "standing"))
    standing = read_once(row, standing_of)
    entries = standing.ledger if standing is not None else ()
    entry = next((entry for entry in entries if entry.claim_id and entry.claim_id == outgoing.claim_id), None)
    if standing is None or entry is None:
        return None, ()
    marked = [
        f"{key} {reached.due_on}"
        for key, reached in standing.progress.items()
        if reached.stage == entry.stage and entry.marks(key.rpartition("#")[0])
    ]
    return entry.stage, tuple(sorted(marked))


def _events_of(world: World, text: Text, outgoing: Outgoing) -> tuple[Mail, ...]:
    """Return the event of a service about a message, which may come at once."""
    if not text.report:
        return ()
    body = event_of(text.report, outgoing, text.message_id, text.at)
    return (Mail(f"report {len(world.mail)}", "channel", body, text.at),)


def _reports_of(world: World, text: Text) -> tuple[Mail, ...]:
    """Return the carrier's report of a text, which may come at once."""
    if not world.reports:
        return ()
    is_delivered = world.reports == "delivered"
    receipt = {
        "message_id": text.message_id,
        "at": text.at.isoformat(),
        "phone": text.address,
        "delivered": is_delivered,
        "response": "" if is_delivered else world.reports,
    }
    return (Mail(f"receipt {len(world.mail)}", "receipt", json.dumps(receipt), text.at),)


def _send(world: World, request: Any, now: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    kind, bodies, delay = request
    posted = tuple(
        Mail(f"{kind} {len(world.mail) + place}", kind, body, now + delay, is_later=True)
        for place, body in enumerate(bodies)
    )
    return world._replace(mail=world.mail + posted), Answer(("sent", len(bodies)), len(bodies))


def _first_of(request: Any) -> Any:  # noqa: ANN401 - of the port
    kind, bodies, delay = request
    return kind, bodies[:1], delay


def _note(world: World, _: Any, now: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    return world._replace(noted_at=now), Answer("noted")


def _depth(world: World, request: Any, _: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    depth = sum(mail.kind == request and not mail.is_done for mail in world.mail)
    return world, Answer(("depth", depth), depth)


def _letters(world: World, _: Any, __: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    return world, Answer(("letters", world.letters), world.letters)


def _replace_letter(world: World, request: Any, _: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    before, after = request
    left = tuple(letter for letter in world.letters if letter != before)
    return world._replace(letters=(*left, after) if after else left), Answer("replaced")


def _publish(world: World, request: Any, _: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    return world._replace(bus=world.bus | frozenset(request)), Answer("published")


def _is_on(world: World, _: Any, __: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    is_on = world.off_since is None
    return world, Answer((is_on, world.stopped), (is_on, world.stopped))


def _news(world: World, _: Any, now: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    has_failed = world.noted_at is not None and now - world.noted_at < NOTES_ARE_KEPT
    return world, Answer(has_failed, has_failed)


def _opt_in(world: World, request: Any, _: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    allowed = request in world.listed
    return world._replace(listed=world.listed - {request}), Answer(("opted in", allowed), allowed)


def _opted_out(world: World, _: Any, __: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    return world, Answer(("listed", world.listed), sorted(world.listed))


def _read_control(world: World, _: Any, __: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    return world, Answer(world.controls[-1], world.controls[-1])


def _write_control(world: World, request: Any, _: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    return world._replace(controls=(world.controls[-1], request)), Answer("written")


def _list_uploads(world: World, _: Any, __: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    found = [upload for upload, _ in world.uploads]
    return world, Answer(("uploads", tuple(found)), found)


def _read_upload(world: World, request: Any, _: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    body = dict(world.uploads).get(request, b"")
    return world, Answer(("body", body), body)


def _delete_upload(world: World, request: Any, _: datetime) -> tuple[World, Answer]:  # noqa: ANN401 - of the port
    left = tuple(entry for entry in world.uploads if entry[0] != request)
    return world._replace(uploads=left), Answer("deleted")


_PORTS: dict[tuple[str, str], Callable[[World, Any, datetime], tuple[World, Answer]]] = {
    ("queue", "send"): _send,
    ("queue", "note"): _note,
    ("queue", "depth"): _depth,
    ("queue", "scan"): _letters,
    ("queue", "replace"): _replace_letter,
    ("bus", "publish"): _publish,
    ("switch", "is_on"): _is_on,
    ("switch", "news"): _news,
    ("carrier", "opt_in"): _opt_in,
    ("carrier", "opted_out"): _opted_out,
    ("control", "read"): _read_control,
    ("control", "write"): _write_control,
    ("bucket", "list"): _list_uploads,
    ("bucket", "read"): _read_upload,
    ("bucket", "delete"): _delete_upload,
}
