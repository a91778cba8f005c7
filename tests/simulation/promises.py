"""
The promises, written a second time: from the pages, in the plainest way, and not from the code that keeps them.

Nothing here asks how a decision is made. What is stored is read as it is stored, and held against what was promised.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dunning.adapters.dynamodb.items import contact_of, reply_of, standing_of
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import (
    AccountClosed,
    AddressChanged,
    ConsentChanged,
    CustomerHold,
    CustomerReleased,
    InstalmentChanged,
    InstalmentPaid,
    LenderRecord,
)
from dunning.domain.customer.standing import AddressSince, LedgerEntry, Standing
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.outbound_events import OutboundEvent
from tests.simulation.chance_promises import (
    is_about,
    judge_cap,
    judge_lot,
    judge_record,
    judge_records,
    judge_said,
)
from tests.simulation.comebacks import FOR_GOOD, FOR_NOW
from tests.simulation.customer_rows import CustomerRow, contacts_in, customer_at, customers_in
from tests.simulation.limits import CAPS, DAY, HOURS, ZONES, country_of
from tests.simulation.simulator import MOST_RECEIVES, Move, Situation
from tests.simulation.tables import CONTACTS, CUSTOMERS, read_once
from tests.simulation.workers import Answer, Call, Node, label_of_claim
from tests.simulation.world import NOTES_ARE_KEPT, Text, World

CAPS_OF: Final = {"line": ((2, 7 * DAY),), "voice": ((1, DAY), (3, 7 * DAY))}
"""The most messages on a channel alone within a sliding window, by channel."""

HOURS_OF: Final = {"voice": (time(10), time(19))}
"""The hours of a channel that has its own."""

LAPSE: Final = timedelta(minutes=10)
"""Gateways that give up in time are handed nothing so shortly before the hours end."""

NEEDS_CONSENT: Final = frozenset({"voice"})
"""The channels that nobody is reached on without a consent to them."""

FAILOVER_AFTER: Final = timedelta(hours=6)
"""How long a gateway has to be out before another channel takes its customers."""

CLOSED_ON_SUNDAYS: Final = frozenset({"US"})

ZONES_OF_THE_STATES: Final = ("America/New_York", "America/Los_Angeles", "Pacific/Honolulu")
"""Where a customer of the United States may live of whom no more is known: from one end to the other."""

ENDINGS: Final = frozenset({
    "nothing_open", "opted_out", "not_in_list", "number_refused", "shared_phone", "no_channel", "bankrupt", "deceased",
    "represented", "wrong_person", "ceased", "no_consent", "on_hold", "unknown_lender", "unknown_jurisdiction",
    "country_not_allowed", "stored_elsewhere", "unknown_time_zone", "no_written_notice", "ladder_finished",
    "unanswered", "calendar_not_covered", "no_lawful_moment", "no_text", "unknown_currency", "text_refused",
    "text_too_long", "template_not_registered", "unreadable_record",
})  # fmt: skip
"""The stops of the design, each with somebody who can end it."""

REMEMBERED: Final = timedelta(days=31)
"""The ledger may forget older texts."""

WITHIN: Final = timedelta(minutes=1)
"""The switch stops sending within this time."""

OVERDUE_STAGES: Final = (3, 7, 15, 30)
"""The overdue stages of the sample policies, in order."""

DAYS_APART: Final = 3
"""The fewest local days between two texts that mark a stage of one account, by the sample policies."""

_SHOWN_BY_THE_TABLE: Final = frozenset({
    "nothing_open", "opted_out", "not_in_list", "number_refused", "shared_phone", "no_channel", "bankrupt", "deceased",
    "represented", "wrong_person", "ceased", "on_hold",
})  # fmt: skip
"""The stops whose cause is stored: they last as long as it is there."""

_ANNOUNCED: Final = frozenset({
    "number_refused", "shared_phone", "no_channel", "no_consent", "no_written_notice", "ladder_finished",
})  # fmt: skip
"""The stops of the design that are announced, as far as they come about here."""

_NO_TEXT_OF_ANY_KIND: Final = frozenset({
    "distress", "bankrupt", "deceased", "represented", "wrong_person", "ceased",
})  # fmt: skip
"""Holds during which not even an opt-out is confirmed."""

_OPTED_OUT_THERE: Final = "DESTINATION_PHONE_NUMBER_OPTED_OUT"
"""The answer of End User Messaging to a text for somebody who has opted out there."""

BEGINS: Final = datetime(2026, 12, 1, tzinfo=UTC)
"""What was refused before is not of a scenario."""

_MAY_LACK_A_CLAIM: Final = frozenset({ContactState.REFUSED, ContactState.UNKNOWN, ContactState.UNCONFIRMED})

TWICE = "a text was sent twice"
SAID_AGAIN = "a stage was said again although its first message may have arrived"
THIRD = "a stage was said a third time"
OUT_OF_ORDER = "a channel although one before it was open"
AFTER_STOP = "a message after a stop on any channel"
TOO_OFTEN = "a cap was exceeded"
AT_NIGHT = "a text outside the hours"
SWITCHED_OFF = "a text although sending is off"
NOT_CLAIMED = "a text without a claim of its own"
CLAIMED_TWICE = "two claims of one text"
IN_SILENCE = "a text although silence was due"
UNRECORDED = "a claim without an audit record"
UNCLAIMED = "an audit record of a text without its claim"
DISAGREES = "audit and carrier disagree"
LADDER = "ladder and ledger disagree"
UNALARMED = "an unknown outcome without an alarm"
NEVER_DONE = "a message is never done"
FORGOTTEN = "somebody due has neither a text, nor a wake, nor a reason"
LOST_NEWS = "news was lost"
LEFT_BEHIND = "personal data of somebody erased is left"
HARSHER = "an overdue stage out of order, or too soon"
UNTRUE = "a stop that nothing stored bears out"
UNNOTED = "news failed, and no note of it stops the texts"
BLIND = "a claim although nobody could ask whether news had failed"
OUT_OF_DATE = "a read that may be out of date"
NOT_FOLLOWED = "a carrier's refusal or report has not had its effect"
UNANNOUNCED = "a stop that a person has to end is not marked as announced"
UNNOTICED = "nobody will notice that a promise is broken"
UNTOLD = "a stop is stored, and whoever has written it ends well and tells nobody"


def judge_move(before: Situation, move: Move) -> list[str]:
    """Return the promises that a move breaks."""
    was, now_is = before.world, move.to.world
    broken: list[str] = []
    if now_is.rows is not was.rows:
        broken += _judge_rows(before, now_is)
    if len(now_is.texts) > len(was.texts):
        broken += _judge_text(before, now_is, now_is.texts[-1])
    if isinstance(call := move.step.call, Call) and call.port == "table" and _may_be_out_of_date(call):
        broken.append(OUT_OF_DATE)
    if move.step.result is not None and not move.step.result.done and _is_without_note(before, move):
        broken.append(UNNOTED)
    if move.step.result is not None and move.step.result.done:
        broken += _judge_telling(before, move)
    return broken


def _judge_telling(before: Situation, move: Move) -> Iterator[str]:
    """
    Hold what a program that ends well has told of against the stops that it wrote and that are still stored.

    What the table answered makes no difference: a write that is refused may have been made. A shared address is told
    of by whoever finds it, for all who share it. Of an address that a carrier refuses, the call for a person tells.
    """
    calls = [*reversed([*_answers_so_far(before)]), (move.step.call, move.step.answer)]
    published = {
        (type(event).__name__, event.customer_id, _why_of(event))
        for call, _ in calls
        if isinstance(call, Call) and call.port == "bus"
        for event in call.request
    }
    for first, standing in _standings_written(calls):
        customer_id, stop = standing.customer_id, standing.reason
        last = customer_at(move.to.world.rows, customer_id).standing
        if last is None:
            continue
        ends = stop in ENDINGS and stop != "shared_phone" and standing.wake is None  # a hold with an end is waited for
        is_new = ends and stop == last.reason != first.reason
        telling = {(event, customer_id, stop) for event in ("ReminderStopped", "CustomerNeedsPerson")}
        if is_new and not telling & published:
            yield f"{UNTOLD}: {stop}"
        announced = {*standing.announced} & {*last.announced} - {*first.announced, "shared_phone"}
        for why in {stop.partition(":")[0] for stop in announced}:  # behind a colon, the instalment
            if ("CustomerNeedsPerson", customer_id, why) not in published:
                yield f"{UNTOLD}: {why} needs a person"


def _standings_written(calls: Sequence[tuple[object, Answer | None]]) -> Iterator[tuple[Standing, Standing]]:
    """Yield each standing that a program asked to be stored alone, behind the one that it had read last."""
    read: dict[str, Standing] = {}
    for call, answer in calls:
        if not isinstance(call, Call) or call.port != "table":
            continue
        if call.operation == "batch_get_item" and answer is not None and answer.error is None:
            standings = (
                item for item in answer.value["Responses"].get(CUSTOMERS, ()) if item["item"] == {"S": "standing"}
            )
            read |= {found.customer_id: found for found in map(standing_of, standings)}
        elif call.operation == "put_item" and [key[::2] for key in call.keys] == [(CUSTOMERS, "standing")]:
            standing = standing_of(call.request["Item"])
            if standing.customer_id in read:
                yield read[standing.customer_id], standing


def _why_of(event: OutboundEvent) -> str:
    return str(getattr(event, "reason", "") or getattr(event, "why", ""))


def _may_be_out_of_date(call: Call) -> bool:
    """Tell whether a read by key is eventually consistent. An index always is: what it names is read again."""
    if call.operation == "batch_get_item":
        return not all(asked.get("ConsistentRead") for asked in call.request["RequestItems"].values())
    return call.operation == "query" and "IndexName" not in call.request and not call.request.get("ConsistentRead")


def _is_without_note(before: Situation, move: Move) -> bool:
    """Tell whether a program that failed with news ends without a note of it, though the note was not refused."""
    after, name = move.to.world, move.step.label.rpartition("/")[0]
    mail = next(mail for mail in after.mail if mail.name == name)
    # A later round of an erasure is no news: the customer is gone already.
    if mail.kind not in {"event", "reply"} or "erase_again" in mail.body:
        return False
    if after.noted_at is not None and move.to.now - after.noted_at < NOTES_ARE_KEPT:
        return False
    answers = [*_answers_so_far(before), (move.step.call, move.step.answer)]
    return not any(
        isinstance(call, Call) and call.operation == "note" and answer is not None and answer.error is not None
        for call, answer in answers
    )


def _answers_so_far(here: Situation) -> Iterator[tuple[object, Answer | None]]:
    """Yield the calls of the program that has the turn, the newest first, with their answers."""
    node: Node | None = here.workers[here.turn].node if here.turn >= 0 else None
    while node is not None and node.parent is not None:
        yield node.parent.call, node.answer
        node = node.parent


def _is_blind(here: Situation) -> bool:
    """Tell whether the program that has the turn last asked for failed news in vain."""
    asked = (answer for call, answer in _answers_so_far(here) if isinstance(call, Call) and call.operation == "news")
    last = next(asked, None)
    return last is not None and last.error is not None


def _judge_rows(before: Situation, after: World) -> Iterator[str]:
    """Hold each new claim and record against what was stored at the instant before it."""
    for key, row in after.rows.items():
        if before.world.rows.get(key) is row:
            continue
        if key[0] == CONTACTS and not key[2].startswith("reply#"):
            yield from judge_record(before.world.rows, key, read_once(row, contact_of))
        elif key[0] == CUSTOMERS and key[2] == "standing":
            standing = read_once(row, standing_of)
            if standing is not None:
                yield from _judge_standing(before, key[1], standing)


def _judge_standing(before: Situation, customer_id: str, standing: Standing) -> Iterator[str]:
    customer = customer_at(before.world.rows, customer_id)
    known = {entry.claim_id for entry in customer.standing.ledger} if customer.standing else set[str]()
    yield from judge_cap(customer, standing, before.now)
    for entry in standing.ledger:
        if entry.claim_id in known or not entry.claim_id:
            continue
        if before.world.off_since is not None and before.now - before.world.off_since > WITHIN:
            yield SWITCHED_OFF
        if entry.stage is None and (reason := _no_text_at_all(customer)):
            yield f"{IN_SILENCE}: {reason}"
        if entry.stage is not None:
            yield from _judge_reminder(before, customer_id, customer, entry)
            yield from judge_lot(customer, standing, entry, _control_read(before))
        if _is_blind(before):
            yield BLIND
        if sum(other.send_id == entry.send_id for other in standing.ledger) > 1:
            yield CLAIMED_TWICE


def _control_read(here: Situation) -> str:
    """Return what the program that has the turn was told of trials."""
    told_last = (answer for call, answer in _answers_so_far(here) if isinstance(call, Call) and call.port == "control")
    answer = next(told_last, None)
    return "all drawn" if answer is None else str(answer.value)


def _judge_reminder(before: Situation, customer_id: str, customer: CustomerRow, claim: LedgerEntry) -> Iterator[str]:
    """Hold the claim of a reminder against all that asks for silence, and against the ladder."""
    if why := why_silent(customer, before.now):
        yield f"{IN_SILENCE}: {why}"
    if _has_said_stop(before, customer_id, customer):
        yield AFTER_STOP
    if customer.channels:
        yield from _judge_channel(before, customer, claim)
    if _is_harsher(customer, claim):
        yield HARSHER
    if any(_has_refused(customer, contact, claim.channel) for contact in contacts_in(before.world.rows)):
        yield f"{NOT_FOLLOWED}: refused"


def _judge_channel(before: Situation, customer: CustomerRow, claim: LedgerEntry) -> Iterator[str]:
    """Hold the channel of a claim against the order of the policy, and against what is known of each channel."""
    standing, now, channel = customer.standing, before.now, claim.channel
    if standing is None:
        return
    if channel == "none":
        # Left out by chance: the message would have gone by the first channel that is open, if there is one.
        reaching = [each for each in customer.channels if not why_closed(customer, each, now)]
        channel = next((each for each in reaching if _has_room(standing, each, now)), "")
        if not channel:
            yield f"{IN_SILENCE}: no channel"
        if channel in before.world.stopped:
            yield SWITCHED_OFF
        return
    if why := why_closed(customer, channel, now):
        yield f"{IN_SILENCE}: {channel}, {why}"
    if channel in before.world.stopped:
        yield SWITCHED_OFF
    for most, window in CAPS_OF.get(channel, ()):
        if sum(entry.channel == channel and entry.at > now - window for entry in standing.ledger) >= most:
            yield f"{TOO_OFTEN}: {most} in {window.total_seconds() / 3600:.0f} hours on {channel}"
    failed = {
        entry.channel
        for entry in standing.ledger
        if entry.failed and entry.stage == claim.stage and set(entry.accounts) & set(claim.accounts)
    }
    listed = [each for each in customer.channels if each != "voice" or (claim.stage or 0) <= 0]
    usable = [each for each in listed if not why_closed(customer, each, now) and _has_room(standing, each, now)]
    # A channel whose gateway has been out for long may be passed over, and need not: whoever died has not noted it.
    out = {each for each in usable if _has_been_out(before, customer, each)}
    firsts = [sorted(usable, key=lambda each: each in last) for last in (failed, failed | out)]
    if channel not in {order[0] for order in firsts if order}:
        yield OUT_OF_ORDER


def _has_room(standing: Standing, channel: str, now: datetime) -> bool:
    return all(
        sum(entry.channel == channel and entry.at > now - window for entry in standing.ledger) < most
        for most, window in CAPS_OF.get(channel, ())
    )


def _has_been_out(before: Situation, customer: CustomerRow, channel: str) -> bool:
    """Tell whether a gateway has taken nothing for a customer for so long that another channel takes over."""
    address = address_of(customer.record, channel)
    taken = [text.at for text in before.world.texts if (text.channel, text.address) == (channel, address)]
    refused = [
        refusal.at
        for refusal in before.world.refusals
        if (refusal.channel, refusal.address) == (channel, address)
        and not refusal.is_for_good
        and not any(at >= refusal.at for at in taken)
    ]
    return bool(refused) and before.now - min(refused) >= FAILOVER_AFTER


def address_of(record: LenderRecord | None, channel: str) -> str:
    """Return a customer's address on a channel, by the last word of the lender on it; nothing if there is none."""
    facts = record.snapshot if record else None
    if record is None or facts is None:
        return ""
    if channel not in {"email", "line"}:
        return facts.phone
    stated = facts.email if channel == "email" else facts.line_user_id
    last = record.events.get(f"address:{channel}")
    if last is not None and isinstance(last.event, AddressChanged):
        is_overtaken = bool(stated) and facts.as_of is not None and facts.as_of >= last.time.at
        return (stated or "") if is_overtaken else last.event.address
    return stated or ""


def why_closed(customer: CustomerRow, channel: str, now: datetime) -> str:
    """Return why nothing reaches a customer on a channel; nothing if something does."""
    record, standing, facts = customer.record, customer.standing, customer.facts
    if record is None or standing is None or facts is None:
        return "unknown"
    address = address_of(record, channel)
    if not address:
        return "no address"
    kind = channel if channel in {"email", "line"} else "number"
    if _is_known_of(address, standing.suspended.get(channel), record, "number_refused"):
        return "refused"
    if _is_known_of(address, standing.shared.get(kind), record, "shared_phone"):
        return "shared"
    return "no consent" if channel in NEEDS_CONSENT and not _has_consented(record, facts, channel, now) else ""


def _is_known_of(address: str, known: AddressSince | None, record: LenderRecord, reason: str) -> bool:
    return (
        known is not None
        and known.address == address
        and not known.is_usable
        and not _is_released(record, known.at, reason)
    )


def _has_consented(record: LenderRecord, facts: Facts, channel: str, now: datetime) -> bool:
    """Tell whether a consent to a channel is on record that was given after every withdrawal."""
    given = [moment for name, moment in (facts.channel_consents or {}).items() if name == channel]
    last = record.events.get(f"consent:{channel}")
    withdrawn = None
    if last is not None and isinstance(last.event, ConsentChanged):
        given += [last.event.consented_at] if last.event.consented_at else []
        withdrawn = last.time.at if last.event.consented_at is None else None
    return any(moment <= now and (withdrawn is None or moment > withdrawn) for moment in given)


def _has_said_stop(before: Situation, customer_id: str, customer: CustomerRow) -> bool:
    """Tell whether a reply that is done with surely said stop, on whatever channel, and none said start since."""
    back_in = customer.standing.opted_in_at if customer.standing else None
    for key, row in before.world.rows.items():
        if key[0] != CONTACTS or key[1] != customer_id or not key[2].startswith("reply#"):
            continue
        reply = read_once(row, reply_of)
        if reply is None or "opt_out" not in reply.sure or (back_in is not None and back_in > reply.inbound.at):
            continue
        if any(
            mail.kind == "reply" and mail.is_done and reply.inbound.inbound_id in mail.body
            for mail in before.world.mail
        ):
            return True
    return False


def _is_harsher(customer: CustomerRow, claim: LedgerEntry) -> bool:
    """Tell whether an overdue stage does not follow the stages reached before it, or follows within days."""
    standing, facts = customer.standing, customer.facts
    if claim.stage is None or claim.stage <= 0 or standing is None or facts is None:
        return False
    zone = ZoneInfo(ZONES[country_of(facts.phone)])
    for account_id in set(claim.accounts) - set(claim.also_named):
        marking = [entry for entry in standing.ledger if entry.stage is not None and entry.marks(account_id)]
        reached = [entry.stage for entry in marking if entry.stage is not None]
        reached += [known.stage for key, known in standing.progress.items() if key.rpartition("#")[0] == account_id]
        after = max(reached, default=0)
        if claim.stage > min((stage for stage in OVERDUE_STAGES if stage > after), default=after):
            return True
        days = (claim.at.astimezone(zone).date() - entry.at.astimezone(zone).date() for entry in marking[-1:])
        if any(day.days < DAYS_APART for day in days):
            return True
    return False


def _no_text_at_all(customer: CustomerRow) -> str:
    """Return why not even an opt-out may be confirmed, nothing if it may."""
    holds = [*(customer.standing.holds if customer.standing else ()), *(customer.facts.holds if customer.facts else ())]
    return next((f"held: {hold.reason}" for hold in holds if hold.reason in _NO_TEXT_OF_ANY_KIND), "")


def _judge_text(before: Situation, after: World, text: Text) -> Iterator[str]:
    """Hold a text that the carrier takes against all texts before it, its claim, and the clock."""
    customer_id, claim = _claim_of(after, text)
    if claim is None:
        # A sender that keeps no ledger is judged at the moment of its text.
        yield NOT_CLAIMED
        for owner in customers_in(before.world.rows):
            customer = customer_at(before.world.rows, owner)
            if customer.facts and customer.facts.phone == text.address and (why := why_silent(customer, before.now)):
                yield f"{IN_SILENCE}: {why}"
    yield from _judge_hours(text, claim, customer_at(after.rows, customer_id))
    yield from judge_said(after.rows, text, claim)
    same = [
        earlier
        for earlier in before.world.texts
        if (earlier.address, earlier.words, earlier.stage) == (text.address, text.words, text.stage)
        and not _is_known_to_have_failed(after, customer_id, earlier)
    ]
    if same:
        yield TWICE
    of_stage = [earlier for earlier in before.world.texts if _says_the_same(earlier, text)]
    if not all(_has_surely_failed(after, customer_id, earlier) for earlier in of_stage):
        yield SAID_AGAIN
    if len(of_stage) > 1:
        yield THIRD
    if claim is None or claim.stage is not None:
        yield from _judge_caps(after, text, claim)


def _judge_hours(text: Text, claim: LedgerEntry | None, customer: CustomerRow) -> Iterator[str]:
    """Hold a text against the hours of the customer's place."""
    country, facts = country_of(text.address), customer.facts
    lapses = LAPSE if customer.channels and claim is not None and claim.stage is not None else timedelta()
    opens, closes = HOURS_OF.get(text.channel, HOURS[country])
    for zone in (ZONES[country],) if facts is None or facts.time_zone or country != "US" else ZONES_OF_THE_STATES:
        local = text.at.astimezone(ZoneInfo(zone))
        is_open = opens <= local.time() and (local + lapses).time() < closes
        if not is_open or (country in CLOSED_ON_SUNDAYS and local.isoweekday() == 7):
            yield AT_NIGHT
            break


def _judge_caps(after: World, text: Text, claim: LedgerEntry | None) -> Iterator[str]:
    """Count a text with all others to the person, on all channels, in each sliding window."""
    # The answer to a "stop" goes out whatever went before, and does not count against a text claimed before it.
    counting = [
        other
        for other in after.texts
        if _is_to_the_same_person(other, text) and not _is_answer_after(claim, _claim_of(after, other)[1])
    ]
    for most, window in CAPS[country_of(text.address)]:
        within = [other for other in counting if text.at - window < other.at <= text.at]
        if len(within) > most:
            yield f"{TOO_OFTEN}: {most} in {window.total_seconds() / 3600:.0f} hours"


def _is_to_the_same_person(other: Text, text: Text) -> bool:
    """Tell whether two messages are to one person, on whatever channel each is."""
    return other.address == text.address or (bool(text.customer_id) and other.customer_id == text.customer_id)


def _says_the_same(earlier: Text, text: Text) -> bool:
    """Tell whether two messages to a person are of one stage of an instalment, whatever the channel and the words."""
    is_of_one_stage = text.stage is not None and earlier.stage == text.stage
    return is_of_one_stage and earlier.customer_id == text.customer_id and bool(set(earlier.about) & set(text.about))


def _has_surely_failed(world: World, customer_id: str, text: Text) -> bool:
    """Tell whether the gateway has reported that a message did not arrive, and we know of it."""
    return text.report in FOR_GOOD | FOR_NOW and _is_known_to_have_failed(world, customer_id, text)


def _has_refused(customer: CustomerRow, contact: Contact, channel: str) -> bool:
    """Tell whether a message to a customer's address is on record as refused for good, and nobody has lifted it."""
    if contact.state is not ContactState.REFUSED or contact.code == _OPTED_OUT_THERE:
        return False
    if (contact.channel, contact.phone or contact.address) != (channel, address_of(customer.record, channel)):
        return False
    known = customer.standing.suspended.get(contact.channel) if customer.standing else None
    is_lifted = customer.record is not None and _is_released(customer.record, contact.at, "number_refused")
    return not is_lifted and not (known is not None and known.is_usable)


def _claim_of(world: World, text: Text) -> tuple[str, LedgerEntry | None]:
    """Return the claim that a text was sent under: the newest of the delivery that handed it over."""
    taken = [earlier.message_id for earlier in world.texts if earlier.by == text.by].index(text.message_id)
    for customer_id in customers_in(world.rows):
        standing = customer_at(world.rows, customer_id).standing
        ledger = standing.ledger if standing else ()
        claims = [entry for entry in ledger if label_of_claim(entry.claim_id) == text.by and entry.channel != "none"]
        if len(claims) > taken:
            return customer_id, claims[taken]
    # A customer who was erased between claim and text has no ledger any more.
    if any(customer_at(world.rows, customer_id).standing is None for customer_id in customers_in(world.rows)):
        return "", LedgerEntry(send_id="", claim_id="", at=text.at, stage=0, accounts=(), channel="sms", for_wake=None)
    return "", None


def _is_answer_after(claim: LedgerEntry | None, other: LedgerEntry | None) -> bool:
    """Tell whether another claim is that of an answer to a "stop" which came when a text was claimed already."""
    return claim is not None and other is not None and other.stage is None and other.at >= claim.at


def _is_known_to_have_failed(world: World, customer_id: str, text: Text) -> bool:
    """Tell whether a text is known not to have arrived. It may be said again, under a claim of its own."""
    return any(
        contact.message_id == text.message_id and contact.state is ContactState.FAILED
        for contact in contacts_in(world.rows)
        if contact.customer_id == customer_id
    )


def why_silent(customer: CustomerRow, now: datetime) -> str:
    """Return why a customer must not be texted, by what is stored; nothing if nothing forbids it."""
    record, standing, facts = customer.record, customer.standing, customer.facts
    if record is None or facts is None:
        return "erased" if record is not None and record.erased_at else "unknown"
    if standing is None:
        return "not planned"
    today = now.astimezone(ZoneInfo(ZONES[country_of(facts.phone)])).date()
    still_open = open_instalments_of(record)
    if not still_open:
        return "paid"
    if facts.not_in_list_since is not None:
        return "not in the list"
    if held := is_held_by_lender(record, today):
        return held
    return _why_unreachable(customer, now) or _silenced_by_customer(standing, record, still_open, today)


def _why_unreachable(customer: CustomerRow, now: datetime) -> str:
    """Return why no message may reach a customer on any channel; nothing if one may."""
    facts, standing = customer.facts, customer.standing
    out, back_in = (standing.opted_out_at, standing.opted_in_at) if standing else (None, None)
    if (facts is not None and facts.opted_out) or (out is not None and (back_in is None or back_in <= out)):
        return "opted out"
    if customer.channels:
        is_reached = any(not why_closed(customer, channel, now) for channel in customer.channels)
        return "" if is_reached else "no channel"
    why = why_closed(customer, "sms", now)
    return {"refused": "number refused", "shared": "shared number"}.get(why, why)


def has_returned(customer: CustomerRow) -> bool:
    """Tell whether somebody erased has consented anew since, and a newer file has said so."""
    erased_at, facts = customer.record.erased_at if customer.record else None, customer.facts
    moments = (facts.consented_at, facts.as_of) if facts else (None,)
    return erased_at is not None and all(moment is not None and moment > erased_at for moment in moments)


def open_instalments_of(record: LenderRecord) -> set[tuple[str, int]]:
    """Return the instalments on which money is due, by the last word of the lender on each."""
    facts = record.snapshot
    if facts is None:
        return set()
    amounts = {
        (account.account_id, instalment.number): (instalment.amount, instalment.paid)
        for account in facts.accounts
        for instalment in account.instalments
    }
    closed: set[str] = set()
    for recorded in sorted(record.events.values(), key=lambda entry: entry.time):
        match recorded.event:
            case InstalmentPaid(account_id=account_id, number=number, paid=paid):
                amounts[account_id, number] = amounts.get((account_id, number), (0, 0))[0], paid
            case InstalmentChanged(account_id=account_id, number=number, amount=amount):
                amounts[account_id, number] = amount, amounts.get((account_id, number), (0, 0))[1]
            case AccountClosed(account_id=account_id):
                closed.add(account_id)
    return {key for key, (amount, paid) in amounts.items() if amount > paid and key[0] not in closed}


def is_held_by_lender(record: LenderRecord, today: date) -> str:
    """Return which hold of the lender is on, nothing if none is: of a hold and a release the later counts."""
    released = _releases(record)
    facts = record.snapshot
    for hold in facts.holds if facts else ():
        lifted = [moment for reason, moment in released if reason in {None, hold.reason}]
        is_lifted = any(facts is not None and facts.as_of is not None and moment >= facts.as_of for moment in lifted)
        if (hold.until is None or hold.until >= today) and not is_lifted:
            return f"held: {hold.reason}"
    for recorded in record.events.values():
        event = recorded.event
        if isinstance(event, CustomerHold) and (event.until is None or event.until >= today):
            lifted = [moment for reason, moment in released if reason in {None, event.reason}]
            if not any(moment >= recorded.time.at for moment in lifted):
                return f"held: {event.reason}"
    return ""


def _releases(record: LenderRecord) -> list[tuple[object, datetime]]:
    return [
        (recorded.event.reason, recorded.time.at)
        for recorded in record.events.values()
        if isinstance(recorded.event, CustomerReleased)
    ]


def _silenced_by_customer(
    standing: Standing, record: LenderRecord, still_open: set[tuple[str, int]], today: date
) -> str:
    for hold in standing.holds:
        if (hold.until is None or hold.until >= today) and not _is_released(record, hold.since, hold.reason):
            return f"held: {hold.reason}"
    about_open = {f"{account_id}#{number}" for account_id, number in still_open}
    for statement in standing.payment_statements:
        if (
            statement.until >= today
            and about_open.intersection(statement.about)
            and not _is_released(record, statement.said_at, statement.reason)
        ):
            return f"says: {statement.reason}"
    return ""


def _is_released(record: LenderRecord, since: datetime | None, reason: str) -> bool:
    lifted = [moment for of, moment in _releases(record) if of in {None, reason}]
    return since is not None and any(moment >= since for moment in lifted)


def judge_end(world: World, now: datetime) -> list[str]:
    """Return the promises that are broken when everything has been delivered."""
    broken: list[str] = []
    if any(not mail.is_done and mail.receives >= MOST_RECEIVES for mail in world.mail):
        broken.append(NEVER_DONE)
    contacts = contacts_in(world.rows)
    for customer_id in customers_in(world.rows):
        customer = customer_at(world.rows, customer_id)
        own = [contact for contact in contacts if contact.customer_id == customer_id]
        erased_at = customer.record.erased_at if customer.record is not None else None
        if erased_at is not None and not has_returned(customer):
            if customer.standing is not None or _is_more_than_a_tombstone(customer.record):
                broken.append(f"{LEFT_BEHIND}: more than a tombstone")
            continue
        if erased_at is not None:
            own = [contact for contact in own if contact.at > erased_at]
        broken += _judge_books(customer, own, world, now)
        broken += _judge_future(customer, now)
        broken += judge_records(customer, own)
        broken += _judge_reports(customer, own)
        broken += _judge_suspensions(customer, world)
    known = {
        address_of(customer_at(world.rows, customer_id).record, channel)
        for customer_id in customers_in(world.rows)
        for channel in ("sms", "email", "line")
    } - {""}
    for text in world.texts:
        # Of somebody who was erased between claim and record nobody keeps the claim.
        if text.by in world.unseen or text.address not in known:
            continue
        if not any(_is_record_of(contact, text) for contact in contacts):
            broken.append(f"{DISAGREES}: a text without a record")
    return sorted(set(broken))


def _is_more_than_a_tombstone(record: LenderRecord | None) -> bool:
    return record is not None and bool(record.snapshot or record.events or record.phones or record.next_phone)


def _is_record_of(contact: Contact, text: Text) -> bool:
    if contact.message_id:
        return contact.message_id == text.message_id
    return contact.state in {ContactState.UNKNOWN, ContactState.UNCONFIRMED} and (
        label_of_claim(contact.claim_id) == text.by
    )


def _judge_books(customer: CustomerRow, contacts: Sequence[Contact], world: World, now: datetime) -> Iterator[str]:
    """Hold ledger, ladder, audit and carrier against each other."""
    standing = customer.standing
    ledger = standing.ledger if standing else ()
    claims = {entry.claim_id for entry in ledger}
    recorded = {contact.claim_id: contact for contact in contacts}
    for entry in ledger:
        contact = recorded.get(entry.claim_id)
        if label_of_claim(entry.claim_id) in world.unseen:
            continue  # delivered twice side by side, and the first died last: the ledger alone knows of the claim
        if entry.claim_id and (contact is None or contact.at != entry.at or contact.send_id != entry.send_id):
            yield UNRECORDED
        elif contact is not None and contact.state is ContactState.REFUSED:
            yield f"{DISAGREES}: a refused text counts as sent"
    for contact in contacts:
        # A record "unknown" may be of a text that was refused: another delivery of its job did not wait for the answer.
        is_remembered = now - contact.at < REMEMBERED
        if is_remembered and contact.state not in _MAY_LACK_A_CLAIM and contact.claim_id not in claims:
            yield UNCLAIMED
        is_taken = any(text.message_id == contact.message_id for text in world.texts)
        if contact.state is ContactState.SENT and not is_taken:
            yield f"{DISAGREES}: the carrier did not take a text that is recorded as sent"
        is_seen = contact.claim_id in claims and label_of_claim(contact.claim_id) not in world.unseen
        alarm = "SmsUnknown" if contact.channel == "sms" else "MessagesUnknown"
        if contact.state is ContactState.UNKNOWN and is_seen and alarm not in world.alarms:
            yield UNALARMED
    if standing is not None:
        yield from _judge_ladder(customer, standing, contacts)


def _judge_ladder(customer: CustomerRow, standing: Standing, contacts: Sequence[Contact]) -> Iterator[str]:
    ledger = standing.ledger
    progress: Mapping[str, int] = {key: reached.stage for key, reached in standing.progress.items()}
    for entry in ledger:
        if entry.stage is None or entry.failed:
            continue
        for account_id in entry.accounts:
            marks = [mark for key, mark in standing.progress.items() if key.rpartition("#")[0] == account_id]
            if marks and not any(is_about(customer, mark.due_on, entry.stage, entry.at) for mark in marks):
                continue  # it falls due on a later day since, and its ladder has begun anew
            if (
                account_id not in entry.also_named
                and max((mark.stage for mark in marks), default=entry.stage - 1) < entry.stage
            ):
                yield f"{LADDER}: a text whose stage is not marked"
    for key, stage in progress.items():
        account_id = key.rpartition("#")[0]
        texted = [entry.stage for entry in ledger if account_id in entry.accounts]
        # The ledger forgets after a month, the records do not.
        went_out = [contact for contact in contacts if contact.state is not ContactState.REFUSED]
        texted += [contact.stage for contact in went_out if account_id in contact.account_ids]
        if not any(reached is not None and reached >= stage for reached in texted):
            yield f"{LADDER}: a stage that no text was sent for"


def _judge_future(customer: CustomerRow, now: datetime) -> Iterator[str]:
    standing = customer.standing
    if customer.facts is None or customer.record is None or not open_instalments_of(customer.record):
        return
    if standing is None or (standing.wake is None and standing.reason not in ENDINGS):
        yield FORGOTTEN
        return
    if standing.wake is None and standing.reason in _SHOWN_BY_THE_TABLE and not why_silent(customer, now):
        yield f"{UNTRUE}: {standing.reason}"
    is_announced = any(stop.partition(":")[0] == standing.reason for stop in standing.announced)
    if standing.wake is None and standing.reason in _ANNOUNCED and not is_announced:
        yield UNANNOUNCED
    zone = ZoneInfo(ZONES[country_of(customer.facts.phone)])
    for promise in standing.promises.values():
        ends = datetime.combine(promise.on + DAY, time(0), zone)
        if promise.kept is None and (standing.wake is None or standing.wake.at > ends):
            yield UNNOTICED


def _judge_reports(customer: CustomerRow, contacts: Sequence[Contact]) -> Iterator[str]:
    """Hold what services said of an address against what is known of it: refused for good, or opted out there."""
    standing = customer.standing
    if standing is None or customer.facts is None:
        return
    for contact in contacts:
        has_opted_out = contact.delivery_status == "opted_out" or contact.code == _OPTED_OUT_THERE
        is_refused = contact.state is ContactState.REFUSED or contact.delivery_status == "permanent_failure"
        known, address = standing.suspended.get(contact.channel), contact.phone or contact.address
        is_kept = known is not None and known.address == address
        is_present = address == address_of(customer.record, contact.channel)
        if is_refused and is_present and not is_kept and not has_opted_out:
            yield f"{NOT_FOLLOWED}: {contact.delivery_status or 'refused'}"
        if has_opted_out and standing.opted_out_at is None:
            yield f"{NOT_FOLLOWED}: opted_out"


def _judge_suspensions(customer: CustomerRow, world: World) -> Iterator[str]:
    """Ask of each address that counts as refused who has refused it: a failure closes its own channel alone."""
    if customer.standing is None or not customer.channels:
        return
    for channel, known in customer.standing.suspended.items():
        by_gateway = [
            *((refusal.channel, refusal.address) for refusal in world.refusals if refusal.is_for_good),
            *((text.channel, text.address) for text in world.texts if text.report in FOR_GOOD),
        ]
        is_from_before = known.at is not None and known.at < BEGINS
        is_blocked = channel == "line" and any(
            mail.kind == "channel" and "unfollow" in mail.body for mail in world.mail
        )
        if not (known.is_usable or is_from_before or is_blocked or (channel, known.address) in by_gateway):
            yield f"{UNTRUE}: {channel} is closed"
