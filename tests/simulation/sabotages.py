"""
Sabotages: planted faults, one each, that the proof has to find. One that is not found is a hole in the proof.

Each is the slip of a good engineer: a condition forgotten, two writes exchanged, an answer trusted too much.
"""

# ruff: noqa: SLF001 - a sabotage is planted in the middle of a class

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from dunning.adapters.dynamodb import customer_table, reading, writing
from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import lender_record_item, standing_item
from dunning.contracts import ses_event
from dunning.contracts.http_call import HttpAnswer
from dunning.domain.customer import lender_record as lender_records
from dunning.domain.customer import returning
from dunning.domain.customer import standing as standings
from dunning.domain.customer.facts import Facts
from dunning.domain.customer.lender_record import LenderRecord, record_snapshot
from dunning.domain.customer.standing import LedgerEntry, Progress, Standing, with_address_refused
from dunning.domain.decision import channel_choice, hours, ladder
from dunning.domain.decision import decide as decisions
from dunning.domain.decision.caps import cap_in_the_way
from dunning.domain.decision.rules import SNS, ContactHours
from dunning.domain.delivery import receipt_effects, undelivered
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact
from dunning.domain.errors import DunningError, ServiceCallError, UnreadableRecordError
from dunning.domain.replies import opt_out_confirmation, reply_effects
from dunning.domain.replies.carrier_opt_out import CarrierOptOut, carrier_opt_out
from dunning.domain.replies.intents import ParsedReply, ReplyIntent
from dunning.policy import PolicyBook
from dunning.ports.customers import Customer
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import Outgoing
from dunning.ports.queues import QueueMessage
from dunning.services import carrier_opt_outs, channel_wishes, news_first, optimistic, planning
from dunning.services import lender_events as lender_event_services
from dunning.services import replies as reply_services
from dunning.services.delivery_receipts import DeliveryReceiptService
from dunning.services.erasure.erase import ErasedUploads, EraseService
from dunning.services.erasure.purge import PurgeService
from dunning.services.intake import settle
from dunning.services.lender_events import LenderEventService
from dunning.services.news_first import NewsFirstSwitch
from dunning.services.optimistic import CONFLICT, Conflict
from dunning.services.planning import plan
from dunning.services.replies import ReplyService
from dunning.services.send import claims, sender
from dunning.services.send.confirmations import OptOutConfirmations
from dunning.services.send.gateways_by_name import GatewaysByName
from dunning.services.send.messages import message_to
from dunning.services.send.sender import SendService
from dunning.services.take_channel_events import ChannelEventService
from dunning.services.webhooks import WebhookService
from tests.simulation import cast, ports
from tests.simulation.chance_sabotages import CHANCE_SABOTAGES
from tests.simulation.planting import MORE, Plant, Sabotage, edited, patched
from tests.simulation.promises import (
    AFTER_STOP,
    AT_NIGHT,
    BLIND,
    CLAIMED_TWICE,
    DISAGREES,
    FORGOTTEN,
    HARSHER,
    IN_SILENCE,
    LADDER,
    LEFT_BEHIND,
    LOST_NEWS,
    NEVER_DONE,
    NOT_CLAIMED,
    NOT_FOLLOWED,
    OUT_OF_DATE,
    OUT_OF_ORDER,
    SAID_AGAIN,
    SWITCHED_OFF,
    THIRD,
    TOO_OFTEN,
    TWICE,
    UNALARMED,
    UNANNOUNCED,
    UNNOTED,
    UNNOTICED,
    UNRECORDED,
    UNTOLD,
    UNTRUE,
)

# ------------------------------------------------------------------ the claim


def _no_condition(attribute: str, expected: int) -> dict[str, Any]:
    del attribute, expected
    return {}


def _save_standing_anyway(
    self: DynamoCustomers, standing: Standing, *, expected_version: int, claim_id: str = ""
) -> bool:
    del expected_version, claim_id
    self._client.put_item(TableName=self._table, Item=standing_item(standing, self._shards))
    return True


def _save_standing_blind(
    self: DynamoCustomers, standing: Standing, *, expected_version: int, claim_id: str = ""
) -> bool:
    """Take no answer for a yes."""
    try:
        return _save_standing(self, standing, expected_version=expected_version, claim_id=claim_id)
    except DunningError:
        return True


_save_standing = DynamoCustomers.save_standing


def _holds_no_claim(item: Mapping[str, Any], claim_id: str) -> bool:
    del item, claim_id
    return False


@contextmanager
def _decide_once() -> Iterator[None]:
    """Claim again after a conflict, under the new version, with the decision on what was read before."""

    def stubborn[S, R](
        customer_id: str,
        first: S | UnreadableRecordError,
        reread: Callable[[], S | UnreadableRecordError],
        attempt: Callable[[S], R | Conflict],
    ) -> R:
        result = attempt(first) if not isinstance(first, UnreadableRecordError) else CONFLICT
        if not isinstance(result, Conflict) or not isinstance(first, Customer):
            return result if not isinstance(result, Conflict) else _optimistically(customer_id, first, reread, attempt)
        fresh = reread()
        assert isinstance(fresh, Customer)
        assert first.standing is not None
        assert fresh.standing is not None
        stale: Any = Customer(first.facts, replace(first.standing, version=fresh.standing.version))
        return _optimistically(customer_id, stale, reread, attempt)

    with patch.object(sender, "write_optimistically", stubborn):
        yield


_optimistically = optimistic.write_optimistically


def _saves_claims_without_ledger(
    self: DynamoCustomers, standing: Standing, *, expected_version: int, claim_id: str = ""
) -> bool:
    stored = replace(standing, ledger=standing.ledger[:-1]) if claim_id else standing
    return _save_standing(self, stored, expected_version=expected_version, claim_id=claim_id)


def _claims_without_ladder(
    standing: Standing, entry: LedgerEntry, reached: Mapping[str, Progress], remember: timedelta, facts: Facts
) -> Standing:
    return replace(_with_claim(standing, entry, reached, remember, facts), progress=standing.progress)


_with_claim = standings.with_claim


def _keeps_the_stage(standing: Standing, before: Standing, claim_id: str) -> Standing:
    return replace(_without_claim(standing, before, claim_id), progress=standing.progress)


_without_claim = standings.without_claim


def _forgets_the_wake(facts: Facts, standing: Standing, policies: PolicyBook, now: datetime) -> Any:  # noqa: ANN401
    return plan(facts, standing, policies, now)._replace(wake=None)


# ------------------------------------------------------------------ the publish


def _publishes_first() -> AbstractContextManager[object]:
    """Publish, and then claim."""
    claim, publish = SendService._claim, SendService._publish
    answers: dict[int, Published] = {}

    def claim_later(self: SendService, facts: Facts, standing: Standing, reminder: Any, *rest: Any) -> Any:  # noqa: ANN401
        rules = self._rules(facts, rest[0])
        entry = LedgerEntry(
            send_id=reminder.send_id,
            claim_id="",
            at=rest[0],
            stage=reminder.stage,
            accounts=reminder.account_ids,
            channel=reminder.channel,
            for_wake=None,
        )
        answers[id(self)] = self._gateways.publish_once(SNS, message_to(facts, rules, entry, reminder))
        return claim(self, facts, standing, reminder, *rest)

    def publish_no_more(self: SendService, *given: Any) -> Any:  # noqa: ANN401
        gateways = self._gateways
        self._gateways = GatewaysByName(_Answers(answers.pop(id(self))))
        try:
            return publish(self, *given)
        finally:
            self._gateways = gateways

    return patch.multiple(SendService, _claim=claim_later, _publish=publish_no_more)


class _Answers:
    """A gateway that has its answer already."""

    channel = Channel.SMS
    name = "sns"
    repeatable = False

    def __init__(self, answer: Published) -> None:
        self._answer = answer

    def publish(self, sms: Outgoing) -> Published:
        del sms
        return self._answer


class _AsksAgain(ports.SimulatedCarrier):
    """Repeats a publish that had no answer, as the SDK does by default."""

    def publish(self, sms: Outgoing) -> Published:
        answer = super().publish(sms)
        return super().publish(sms) if answer.outcome is PublishOutcome.UNKNOWN else answer


class _NoAnswerIsNo(ports.SimulatedCarrier):
    """Takes silence for a refusal, so that the claim is released."""

    def publish(self, sms: Outgoing) -> Published:
        answer = super().publish(sms)
        is_silent = answer.outcome is PublishOutcome.UNKNOWN
        return answer._replace(outcome=PublishOutcome.REFUSED_FOR_NOW) if is_silent else answer


class _NoAnswerIsYes(ports.SimulatedCarrier):
    """Takes silence for a yes."""

    def publish(self, sms: Outgoing) -> Published:
        answer = super().publish(sms)
        return answer._replace(outcome=PublishOutcome.ACCEPTED) if answer.outcome is PublishOutcome.UNKNOWN else answer


def _records_first() -> AbstractContextManager[object]:
    """Write the record of a text, and then publish it."""
    publish = SendService._publish

    def record_first(self: SendService, facts: Facts, before: Standing, claimed: Standing, *rest: Any) -> Any:  # noqa: ANN401
        gateways, answer = self._gateways, Published(PublishOutcome.ACCEPTED, message_id="to come")
        self._gateways = GatewaysByName(_Answers(answer))
        record = publish(self, facts, before, claimed, *rest)
        assert isinstance(record, Contact)
        self._contacts.write([record])
        self._gateways = gateways
        outgoing = message_to(facts, self._rules(facts, rest[1]), claimed.ledger[-1], rest[0].reminder)
        gateways.publish_once(SNS, outgoing)
        return None

    return patch.object(SendService, "_publish", record_first)


def _never_settles(self: SendService, *given: object) -> None:
    del self, given


def _settles_silently() -> AbstractContextManager[object]:
    """Record an unknown outcome, and tell nobody."""
    count = ports.SimulatedTelemetry.count

    def quiet(self: ports.SimulatedTelemetry, metric: Any, value: float = 1) -> None:  # noqa: ANN401
        if metric != "SmsUnknown":
            count(self, metric, value)

    return patch.object(ports.SimulatedTelemetry, "count", quiet)


def _says_done(self: SendService, messages: Sequence[QueueMessage], seconds_left: Callable[[], float]) -> list[str]:
    _handle_jobs(self, messages, seconds_left)
    return []


_handle_jobs = SendService.handle_batch


def _keeps_claim_of_refused(*given: object) -> None:
    del given


# ------------------------------------------------------------------ hours, caps, the switch


@contextmanager
def _counts_no_cap() -> Iterator[None]:
    with patch.object(decisions, "cap_in_the_way", lambda *_: None):
        yield


@contextmanager
def _cap_frees_a_moment_early() -> Iterator[None]:
    """Let a text that is nearly a window old count no more: `<=` for `<`, in minutes."""

    def early(caps: Any, contacts: Any) -> Any:  # noqa: ANN401
        found = cap_in_the_way(caps, contacts)
        return found._replace(frees_at=found.frees_at - timedelta(minutes=1)) if found else None

    with patch.object(decisions, "cap_in_the_way", early):
        yield


def _always_on(self: object) -> bool:
    del self
    return True


def _always_off(self: object) -> bool:
    del self
    return False


def _of_the_next_weekday(week: ContactHours, zone: ZoneInfo, ordinal: int) -> Any:  # noqa: ANN401
    return _windows_of(replace(week, week=(*week.week[1:], week.week[0])), zone, ordinal)


_windows_of = hours._windows


def _greenwich(*given: object) -> tuple[ZoneInfo, ...]:
    del given
    return (ZoneInfo("UTC"),)


# ------------------------------------------------------------------ facts and standing


def _save_by_halves(
    self: DynamoCustomers,
    lender_record: LenderRecord,
    standing: Standing,
    *,
    expected_revision: int,
    expected_version: int,
    standing_first: bool,
) -> bool:
    named = replace(standing, facts_revision=lender_record.revision)
    if_read = writing.if_read
    writes = [
        self._put(lender_record_item(lender_record), if_read("revision", expected_revision))["Put"],
        self._put(standing_item(named, self._shards), if_read("version", expected_version))["Put"],
    ]
    for put in reversed(writes) if standing_first else writes:
        if writing.write_conditionally("PutItem", partial(self._client.put_item, **put), self._pause) is not None:
            return False
    return True


def _by_halves(*, standing_first: bool) -> Plant:
    def save(self: DynamoCustomers, lender_record: LenderRecord, standing: Standing, **read: int) -> bool:
        return _save_by_halves(self, lender_record, standing, standing_first=standing_first, **read)

    return patched(DynamoCustomers, "save_customer", save)


def _facts_anyway(
    self: DynamoCustomers, lender_record: LenderRecord, standing: Standing, *, expected_revision: int, **rest: int
) -> bool:
    """Write facts and standing whatever is stored."""
    del expected_revision, rest
    named = replace(standing, facts_revision=lender_record.revision)
    self._transact(self._put(lender_record_item(lender_record), {}), self._put(standing_item(named, self._shards), {}))
    return True


def _of_any_moment(facts: object, standing: object) -> bool:
    del facts, standing
    return True


def _forgets_events(lender_record: LenderRecord, facts: Facts) -> LenderRecord:
    return replace(record_snapshot(lender_record, facts), events={})


# ------------------------------------------------------------------ replies, events, receipts


def _kept_is_done(self: ReplyService, *given: Any, is_new: bool, **named: Any) -> Any:  # noqa: ANN401
    """Take a reply that is kept for one that has had its effect."""
    return _act_on_reply(self, *given, is_new=is_new, **named) if is_new else []


_act_on_reply = ReplyService._act


def _events_done(
    self: LenderEventService, messages: Sequence[QueueMessage], seconds_left: Callable[[], float]
) -> list[str]:
    _handle_events(self, messages, seconds_left)
    return []


_handle_events = LenderEventService.handle_batch


def _no_second_look(self: OptOutConfirmations, *given: object) -> bool:
    del self, given
    return False


def _confirms_without_claim() -> AbstractContextManager[object]:
    """Confirm an opt-out as soon as it is understood, and write it down then."""
    claim = OptOutConfirmations.claim

    def at_once(self: OptOutConfirmations, facts: Facts, *given: Any) -> None:  # noqa: ANN401
        confirmation = claim(self, facts, *given)
        if confirmation is not None:
            entry = confirmation.claimed.ledger[-1]
            self._gateways.publish_once(SNS, message_to(facts, confirmation.rules, entry, confirmation.text))

    return patch.object(OptOutConfirmations, "claim", at_once)


def _drops_early_receipts(self: DeliveryReceiptService, matches: Sequence[Any]) -> Any:  # noqa: ANN401
    return _act_on_receipts(self, [match for match in matches if match.contact is not None])


_act_on_receipts = DeliveryReceiptService._act


# ------------------------------------------------------------------ erasure


def _erases_nothing(*given: object, **named: object) -> int:
    del given, named
    return 0


def _no_uploads(self: EraseService, again: object, seconds_left: object) -> ErasedUploads:
    del again, seconds_left
    return ErasedUploads(deleted=0, waiting=frozenset(), searched_before=self._clock.now())


def _always_through(*given: object) -> bool:
    del given
    return True


# ------------------------------------------------------------------ channels


class _NoAnswerIsNoAddress(ports.SimulatedMails):
    """Takes silence for a refusal of the address, so that the next channel takes over."""

    def publish(self, outgoing: Outgoing) -> Published:
        answer = super().publish(outgoing)
        is_silent = answer.outcome is PublishOutcome.UNKNOWN
        return answer._replace(outcome=PublishOutcome.REFUSED_FOR_GOOD) if is_silent else answer


_SAID_ELSEWHERE = "said on another channel than SMS"


@contextmanager
def _ends_one_channel() -> Iterator[None]:
    """Take a stop on LINE for a block there."""
    parse, apply = ReplyService._parse, reply_effects.apply_reply

    def parse_by_channel(self: ReplyService, inbound: Any, *given: Any) -> ParsedReply:  # noqa: ANN401
        parsed = parse(self, inbound, *given)
        return parsed if inbound.channel is Channel.SMS else replace(parsed, why=(_SAID_ELSEWHERE,))

    def apply_there(facts: Facts, before: Standing, parsed: ParsedReply, at: datetime, *given: Any) -> Any:  # noqa: ANN401
        if _SAID_ELSEWHERE not in parsed.why or ReplyIntent.OPT_OUT not in parsed.sure:
            return apply(facts, before, parsed, at, *given)
        return with_address_refused(before, Channel.LINE, facts.address_of(Channel.LINE), at), (), False

    with (
        patch.object(ReplyService, "_parse", parse_by_channel),
        patch.object(reply_services, "apply_reply", apply_there),
    ):
        yield


def _channel_events_done(self: ChannelEventService, messages: Sequence[Any]) -> list[str]:
    _handle_channel_events(self, messages)
    return []


def _take_in_part(self: ports.SimulatedQueue, bodies: Sequence[str], delay: timedelta) -> None:
    with suppress(ServiceCallError):
        _send_with_delay(self, bodies, delay)


_send_with_delay = ports.SimulatedQueue.send_with_delay
_handle_channel_events = ChannelEventService.handle_batch


SABOTAGES: tuple[Sabotage, ...] = (
    Sabotage(
        name="claim without the version that was read",
        plant=patched(DynamoCustomers, "save_standing", _save_standing_anyway),
        scenario="send x duplicate",
        breaks=(TWICE, CLAIMED_TWICE),
    ),
    Sabotage(
        name="drop every condition of a write",
        plant=patched(customer_table, "if_read", _no_condition),
        scenario="send x hold",
        breaks=(IN_SILENCE, LOST_NEWS),
    ),
    Sabotage(
        name="take a claim without an answer for claimed",
        plant=patched(DynamoCustomers, "save_standing", _save_standing_blind),
        scenario="send",
        breaks=(NOT_CLAIMED,),
    ),
    Sabotage(
        name="blame another writer when a claim fails against itself",
        plant=patched(customer_table, "_holds_claim", _holds_no_claim),
        scenario="send",
        breaks=(UNRECORDED,),
    ),
    Sabotage(
        name="blame another writer when a standing fails against itself, and tell of nothing",
        plant=edited(
            (DynamoCustomers.save_standing, "else bool(stored[0] == item)", "else False"),
            (planning.told_again, "for event in tried", "for event in ()"),
        ),
        scenario="reply dispute x hold",
        breaks=(UNTOLD,),
    ),
    Sabotage(
        name="tell of no stop that was written before another wrote",
        plant=edited((planning.told_again, "for event in tried", "for event in ()")),
        scenario="reply dispute x hold",
        breaks=(UNTOLD,),
    ),
    Sabotage(
        name="claim again after a conflict, and decide no more",
        plant=_decide_once,
        scenario="send x reply opt_out",
        breaks=(IN_SILENCE,),
    ),
    Sabotage(
        name="claim without an entry in the ledger",
        plant=patched(DynamoCustomers, "save_standing", _saves_claims_without_ledger),
        scenario="send",
        breaks=(NOT_CLAIMED,),
    ),
    Sabotage(
        name="claim without marking the stage",
        plant=patched(claims, "with_claim", _claims_without_ladder),
        scenario="send",
        breaks=(LADDER, CLAIMED_TWICE),
    ),
    Sabotage(
        name="keep the stage of a claim that is released",
        plant=patched(claims, "without_claim", _keeps_the_stage),
        scenario="send",
        breaks=(LADDER,),
    ),
    Sabotage(
        name="forget the wake that follows a text",
        plant=patched(sender, "plan", _forgets_the_wake),
        scenario="send",
        breaks=(FORGOTTEN,),
    ),
    Sabotage(
        name="publish, then claim",
        plant=_publishes_first,
        scenario="send x duplicate",
        breaks=(TWICE, NOT_CLAIMED),
    ),
    Sabotage(
        name="repeat a publish that had no answer",
        plant=patched(cast, "SimulatedCarrier", _AsksAgain),
        scenario="send",
        breaks=(TWICE,),
    ),
    Sabotage(
        name="release the claim of an unknown outcome",
        plant=patched(cast, "SimulatedCarrier", _NoAnswerIsNo),
        scenario="send",
        breaks=(TWICE, NOT_CLAIMED),
    ),
    Sabotage(
        name="take no answer of the carrier for a yes",
        plant=patched(cast, "SimulatedCarrier", _NoAnswerIsYes),
        scenario="send",
        breaks=(DISAGREES,),
    ),
    Sabotage(
        name="write the record of a text, then publish it",
        plant=_records_first,
        scenario="send",
        breaks=(DISAGREES,),
    ),
    Sabotage(
        name="forget to look for the claim of an earlier delivery",
        plant=patched(SendService, "_settle", _never_settles),
        scenario="send",
        breaks=(UNRECORDED, DISAGREES),
    ),
    Sabotage(
        name="record an unknown outcome without an alarm",
        plant=_settles_silently,
        scenario="send",
        breaks=(UNALARMED,),
    ),
    Sabotage(
        name="say that a job is done when it failed",
        plant=patched(SendService, "handle_batch", _says_done),
        scenario="send",
        breaks=(UNRECORDED, DISAGREES, FORGOTTEN),
    ),
    Sabotage(
        name="keep the claim of a text that was refused",
        plant=patched(sender, "release_claim", _keeps_claim_of_refused),
        scenario="send",
        breaks=(DISAGREES, UNRECORDED),
    ),
    Sabotage(
        name="ask for no cap",
        plant=_counts_no_cap,
        scenario="send x cap of a day",
        breaks=(TOO_OFTEN,),
    ),
    Sabotage(
        name="free a cap a minute early",
        plant=_cap_frees_a_moment_early,
        scenario="send x cap of a week",
        breaks=(TOO_OFTEN,),
    ),
    Sabotage(
        name="keep the hours of another zone",
        plant=patched(decisions, "zones_of", _greenwich),
        scenario="send x night",
        breaks=(AT_NIGHT,),
    ),
    Sabotage(
        name="skip the switch",
        plant=patched(NewsFirstSwitch, "is_on", _always_on),
        scenario="send x switch off",
        breaks=(SWITCHED_OFF,),
    ),
    Sabotage(
        name="send while news has failed",
        plant=patched(ports.SimulatedSwitch, "has_failed", _always_off),
        scenario="send x failed news",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="write the standing, then the facts",
        plant=_by_halves(standing_first=True),
        scenario="send x payment",
        breaks=(IN_SILENCE, LOST_NEWS, NEVER_DONE, FORGOTTEN),
    ),
    Sabotage(
        name="write the facts, then the standing",
        plant=_by_halves(standing_first=False),
        scenario="send x payment",
        breaks=(IN_SILENCE,),
    ),
    Sabotage(
        name="write what a lender says whatever is stored",
        plant=patched(DynamoCustomers, "save_customer", _facts_anyway),
        scenario="payment x hold",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="believe a torn read",
        plant=patched(customer_table, "_are_of_one_moment", _of_any_moment),
        scenario="send x payment",
        breaks=(IN_SILENCE,),
        bounds=MORE,
    ),
    Sabotage(
        name="forget recorded events when a file is loaded",
        plant=patched(settle, "record_snapshot", _forgets_events),
        scenario="load another number x payment",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="take a reply that is kept for one that has had its effect",
        plant=patched(ReplyService, "_act", _kept_is_done),
        scenario="send x reply opt_out",
        breaks=(LOST_NEWS, IN_SILENCE),
    ),
    Sabotage(
        name="say that an event is done when it failed",
        plant=patched(LenderEventService, "handle_batch", _events_done),
        scenario="send x hold",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="forget that an opt-out was confirmed",
        plant=patched(OptOutConfirmations, "settle", _no_second_look),
        scenario="send x opt-out with confirmation",
        breaks=(TWICE, UNRECORDED, DISAGREES),
    ),
    Sabotage(
        name="confirm an opt-out without a claim",
        plant=_confirms_without_claim,
        scenario="send x opt-out with confirmation",
        breaks=(NOT_CLAIMED, TWICE),
    ),
    Sabotage(
        name="drop a receipt that comes before the record",
        plant=patched(DeliveryReceiptService, "_act", _drops_early_receipts),
        scenario="send x receipt delivered",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="leave the texts of somebody erased in the records",
        plant=patched(DynamoContacts, "redact", _erases_nothing),
        scenario="send x erasure",
        breaks=(LEFT_BEHIND, LOST_NEWS),
    ),
    Sabotage(
        name="leave the replies of somebody erased",
        plant=patched(DynamoContacts, "erase_replies", _erases_nothing),
        scenario="send x erasure",
        breaks=(LEFT_BEHIND, LOST_NEWS),
    ),
    Sabotage(
        name="leave the number of somebody erased in the index",
        plant=patched(DynamoCustomers, "remove_address", _erases_nothing),
        scenario="send x erasure",
        breaks=(LEFT_BEHIND, LOST_NEWS),
    ),
    Sabotage(
        name="leave the files of somebody erased",
        plant=patched(EraseService, "erase_uploads", _no_uploads),
        scenario="send x erasure",
        breaks=(LEFT_BEHIND, LOST_NEWS),
    ),
    Sabotage(
        name="leave the dead letters of somebody erased",
        plant=patched(PurgeService, "_take_out", _always_through),
        scenario="send x erasure",
        breaks=(LEFT_BEHIND, LOST_NEWS),
    ),
    Sabotage(
        name="settle only the last job of a customer in a batch",
        plant=edited((SendService._settle, "sorted(turn.wakes)", "[turn.job.wake_at]")),
        scenario="send x batch",
        breaks=(UNRECORDED,),
    ),
    Sabotage(
        name="leave no wake to whose number was corrected",
        plant=edited((SendService._release_for_good, "if contested and planned.wake is None", "if False")),
        scenario="send x load another number",
        breaks=(UNTRUE,),
        bounds=MORE,
    ),
    Sabotage(
        name="keep a number that was refused",
        plant=edited((standings.with_address_refused, "AddressSince(address,", 'AddressSince("",')),
        scenario="send",
        breaks=(NOT_FOLLOWED,),
    ),
    Sabotage(
        name="skip an opt-out at the carrier",
        plant=edited(
            (
                receipt_effects.apply_receipt,
                "return replace(standing, opted_out_at=said_last(standing.opted_out_at, receipt.at))",
                "return standing",
            )
        ),
        scenario="send x receipt of an opt-out",
        breaks=(NOT_FOLLOWED,),
    ),
    Sabotage(
        name="leave no note of news that failed",
        plant=edited((news_first.note_failures, "if all(", "if True or all(")),
        scenario="send x hold",
        breaks=(UNNOTED,),
    ),
    Sabotage(
        name="take queues that cannot be asked for quiet",
        plant=edited((NewsFirstSwitch._why_held_up, "return type(error).__name__", 'return ""')),
        scenario="send",
        breaks=(BLIND,),
    ),
    Sabotage(
        name="wake nobody at the end of a promise",
        plant=edited((planning.wake_for_promises, "ends is None or (", "True or (")),
        scenario="send x reply promise",
        breaks=(UNNOTICED,),
    ),
    Sabotage(
        name="keep a stop whose hold was released",
        plant=edited((planning.fingerprint, "name in _TIMES", 'name in {*_TIMES, "released"}')),
        scenario="own hold x release",
        breaks=(UNTRUE,),
    ),
    Sabotage(
        name="forget that a stop was announced",
        plant=edited((planning.with_reviews, "if announced.stops != standing.announced:", "if False:")),
        scenario="send x long overdue",
        breaks=(UNANNOUNCED,),
    ),
    Sabotage(
        name="jump to the harshest stage that is due",
        plant=edited(
            (
                ladder.next_step,
                "stage <= reached:",
                "stage <= reached or any(stage < other <= today - due_on for other in ladder):",
            )
        ),
        scenario="send x long overdue",
        breaks=(HARSHER,),
    ),
    Sabotage(
        name="read what may be out of date",
        plant=edited((reading.read_items, '"ConsistentRead": consistent', '"ConsistentRead": False')),
        scenario="send",
        breaks=(OUT_OF_DATE,),
    ),
    Sabotage(
        name="keep the hours of the next weekday",
        plant=patched(hours, "_windows", _of_the_next_weekday),
        scenario="send x Sunday",
        breaks=(AT_NIGHT,),
    ),
    Sabotage(
        name="keep the hours of the first zone alone",
        plant=edited((decisions._Evaluation.__init__, "self.zones = zones", "self.zones = zones[:1]")),
        scenario="send x several zones",
        breaks=(AT_NIGHT,),
    ),
    Sabotage(
        name="confirm an opt-out at night",
        plant=edited((OptOutConfirmations.claim, "if not is_confirmation_lawful_now(rules, zones, now):", "if False:")),
        scenario="opt-out with confirmation x night",
        breaks=(AT_NIGHT,),
    ),
    Sabotage(
        name="confirm an opt-out although sending is off",
        plant=edited((OptOutConfirmations.claim, " or not self._may_send()", "")),
        scenario="opt-out with confirmation x switch off",
        breaks=(SWITCHED_OFF,),
    ),
    Sabotage(
        name="confirm each opt-out of a customer",
        plant=edited((opt_out_confirmation.may_confirm_opt_out, "before.is_opted_out or ", "")),
        scenario="opt-out with confirmation x another",
        breaks=(TWICE,),
    ),
    Sabotage(
        name="confirm an opt-out of somebody in distress",
        plant=edited((opt_out_confirmation.wants_no_text_at_all, "return any(", "return False and any(")),
        scenario="distress x opt-out with confirmation",
        breaks=(IN_SILENCE,),
    ),
    Sabotage(
        name="start the caps anew after an erasure",
        plant=edited((returning.caps_after_erasure, "if erased_at is None or", "if True or")),
        scenario="job x load of who returns",
        breaks=(TOO_OFTEN,),
    ),
    Sabotage(
        name="delete the standing of who returned while a round was under way",
        plant=edited((DynamoCustomers.erase_items, "if revision is not None:", "if False:")),
        scenario="load of who returns x erasure round",
        breaks=(FORGOTTEN,),
    ),
    Sabotage(
        name="let an old file bring back somebody erased",
        plant=edited(
            (settle._bar, "is_barred_by_erasure(lender_record, facts)", "False"),
            (lender_records.record_snapshot, "if is_barred_by_erasure(lender_record, facts):", "if False:"),
        ),
        scenario="load paid x erasure",
        breaks=(LEFT_BEHIND,),
    ),
    Sabotage(
        name="record events of somebody erased",
        plant=edited(
            (
                lender_records.record_event,
                "lender_record.snapshot is None or recorded.time.at <= lender_record.erased_at",
                "False",
            )
        ),
        scenario="payment x erasure",
        breaks=(LEFT_BEHIND,),
    ),
    Sabotage(
        name="index no mailbox that an event brings",
        plant=patched(lender_event_services, "new_addresses", lambda *_: ()),
        scenario="send x address",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="forget that a person has attended to somebody",
        plant=patched(lender_event_services, "with_attended", lambda standing, _: standing),
        scenario="send x attended",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="pass over a number that the carrier has on its list",
        plant=patched(carrier_opt_outs, "carrier_opt_out", lambda *_: CarrierOptOut.NOTHING),
        scenario="send x carrier's list",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="believe the carrier's list against an opt-in of this minute",
        plant=edited((carrier_opt_out, "now - standing.opted_in_at < STILL_OPTING_IN", "False")),
        scenario="reply opt_in x carrier's list",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="delete a number that another customer has, too",
        plant=edited((DynamoCustomers.remove_address, "customers = :customer OR", "attribute_exists(customers) OR")),
        scenario="erasure of a neighbour",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="believe the event that comes last",
        plant=edited((lender_records.record_event, "_order(known) >= _order(recorded)", "known == recorded")),
        scenario="hold x outdated hold",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="drop events that come before the first file",
        plant=edited(
            (
                LenderEventService._take,
                "return () if self._keep_events(lender_record, after)",
                "return () if facts is None or self._keep_events(lender_record, after)",
            )
        ),
        scenario="payment before the first load",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="drop events that change nothing yet",
        plant=edited(
            (
                LenderEventService._take,
                "return () if self._keep_events(lender_record, after)",
                "return () if facts is not None or self._keep_events(lender_record, after)",
            )
        ),
        scenario="payment of an account x the load that brings it",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="let an opt-in win that meets an opt-out",
        plant=edited((standings._is_last, "out >= back_in", "out > back_in")),
        scenario="opt-out x later opt-out that meets an opt-in",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="forget the label of a reply that comes again",
        plant=edited((DynamoContacts.keep, 'ConditionExpression="attribute_not_exists(customer_id)",', "")),
        scenario="reply hardship x its label",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="believe the opt-in that comes last",
        plant=edited((reply_effects._opted_out, "said_last(standing.opted_out_at, said_at)", "said_at")),
        scenario="opt-out x later opt-out that meets an opt-in",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="close a record that has got its receipt",
        plant=edited(
            (DynamoContacts.advance, '"#state = :expected"', '"attribute_exists(#state) OR #state = :expected"')
        ),
        scenario="closing x late receipt",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="fall back on silence",
        plant=patched(cast, "SimulatedMails", _NoAnswerIsNoAddress),
        scenario="channels x no LINE",
        breaks=(SAID_AGAIN,),
    ),
    Sabotage(
        name="fall back after a mail was accepted",
        plant=edited(
            (
                ses_event._events,
                "return ChannelEvents(under_way=(UnderWay(event.claim, event.message_id, event.at),))",
                'return _mail_receipt(event, DeliveryStatus.TEMPORARY_FAILURE, "")',
            )
        ),
        scenario="channels x mail under way",
        breaks=(SAID_AGAIN,),
    ),
    Sabotage(
        name="believe a repeat that is refused",
        plant=edited(
            (
                GatewaysByName.publish_once,
                "return again if again.outcome is PublishOutcome.ACCEPTED else answer",
                "return again",
            )
        ),
        scenario="channels",
        breaks=(SAID_AGAIN,),
        bounds=MORE,
    ),
    Sabotage(
        name="repeat a mail as LINE is repeated",
        plant=patched(ports.SimulatedMails, "repeatable", value=True),
        scenario="channels x no LINE",
        breaks=(TWICE,),
    ),
    Sabotage(
        name="say a stage a third time",
        plant=edited((undelivered.delivered_stage, "last.send_id.endswith(_RETRY_SUFFIX)", "False")),
        scenario="channels x nothing arrives",
        breaks=(THIRD,),
    ),
    Sabotage(
        name="say a stage once more on the channel that failed",
        plant=edited((channel_choice.by_preference, "key=lambda each: each.channel in last", "key=lambda each: 0")),
        scenario="channels x second contact",
        breaks=(OUT_OF_ORDER,),
    ),
    Sabotage(
        name="blame a channel for what failed of an earlier stage",
        plant=edited((decisions._Evaluation._failed_channels, "islice(of_account, 1)", "of_account if entry.failed")),
        scenario="channels x second contact of another stage",
        breaks=(OUT_OF_ORDER,),
    ),
    Sabotage(
        name="count the caps of a person on one channel alone",
        plant=edited(
            (
                decisions._Evaluation.__init__,
                "self.texted_at.append(entry.at)",
                'self.texted_at += [entry.at] if entry.channel == "line" else []',
            )
        ),
        scenario="channels x cap of a day",
        breaks=(TOO_OFTEN,),
    ),
    Sabotage(
        name="forget the caps of a channel",
        plant=edited((channel_choice.shut_for_now, "if each.caps:", "if False:")),
        scenario="channels x cap of LINE",
        breaks=(TOO_OFTEN,),
    ),
    Sabotage(
        name="end LINE alone after a stop on LINE",
        plant=_ends_one_channel,
        scenario="channels x stop on LINE",
        breaks=(AFTER_STOP,),
    ),
    Sabotage(
        name="drop a complaint about a mail",
        plant=edited((ChannelEventService._hand_on, "if wish.wish in WISHES_IN_WORDS", "if False")),
        scenario="channels x complaint",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="close the number for a mail that bounced",
        plant=edited(
            (
                receipt_effects.apply_receipt,
                "return with_address_refused(standing, channel, address, receipt.at)",
                "standing = with_address_refused(standing, Channel.SMS, facts.phone, receipt.at)\n"
                + " " * 12
                + "return with_address_refused(standing, channel, address, receipt.at)",
            )
        ),
        scenario="channels x mail bounced",
        breaks=(UNTRUE,),
    ),
    Sabotage(
        name="keep an address whose mail bounced",
        plant=edited(
            (
                receipt_effects.apply_receipt,
                "return with_address_refused(standing, channel, address, receipt.at)",
                "return standing",
            )
        ),
        scenario="channels x mail bounced",
        breaks=(NOT_FOLLOWED,),
    ),
    Sabotage(
        name="ignore a block",
        plant=edited(
            (
                channel_wishes.apply_wish,
                "return with_address_refused(standing, wish.channel, wish.address, wish.at)",
                "return standing",
            )
        ),
        scenario="channels x blocked",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="let a block win over the return that came after it",
        plant=edited((standings.with_address_refused, "known.at > at", "known.at > at and not known.is_usable")),
        scenario="channels x block x return",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="say that a channel event is done when it failed",
        plant=patched(ChannelEventService, "handle_batch", _channel_events_done),
        scenario="channels x blocked",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="answer a webhook before all of it is on a queue",
        plant=patched(WebhookService, "_failed", lambda *_: HttpAnswer(200)),
        scenario="channels x webhook of three events",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="overlook that a queue took only the first of several messages",
        plant=patched(ports.SimulatedQueue, "send_with_delay", _take_in_part),
        scenario="channels x webhook of three events",
        breaks=(LOST_NEWS,),
    ),
    Sabotage(
        name="move customers at once in an outage",
        plant=edited((channel_choice.channels_out, "and at - outage.since >= after", "")),
        scenario="channels x outage",
        breaks=(OUT_OF_ORDER,),
    ),
    Sabotage(
        name="skip the switch of a channel",
        plant=edited(
            (SendService._decide, "_channel_of(decision.reminder) in self._switch.stopped_channels()", "False")
        ),
        scenario="channels x channel stopped",
        breaks=(SWITCHED_OFF,),
    ),
    Sabotage(
        name="call somebody who has not agreed to it",
        plant=edited(
            (channel_choice._why_unreachable, "each.consent_required and", "False and"),
            (channel_choice.shut_for_now, "each.consent_required and", "False and"),
        ),
        scenario="channels x no consent to calls",
        breaks=(IN_SILENCE,),
    ),
    Sabotage(
        name="write to a mailbox of two customers",
        plant=edited((channel_choice._why_unreachable, "if standing.shares_address(", "if False and (")),
        scenario="channels x mailbox shared",
        breaks=(IN_SILENCE,),
    ),
    Sabotage(
        name="hand a message over shortly before the hours end",
        plant=edited((channel_choice._hours_open, "if lapses and", "if False and")),
        scenario="channels x ten minutes before night",
        breaks=(AT_NIGHT,),
    ),
    *CHANCE_SABOTAGES,
)

BY_PLANT = {sabotage.name: sabotage for sabotage in SABOTAGES}
