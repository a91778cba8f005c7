"""One run: a file of accounts, a virtual clock, so many days; and what comes of it, as files and as numbers."""

import csv
import io
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import boto3
import phonenumbers

from dunning.adapters.dynamodb import items
from dunning.adapters.dynamodb.keys import FACTS, REPLY, STANDING
from dunning.adapters.dynamodb.trial_result_table import DynamoTrialResults
from dunning.contracts.instants import instant
from dunning.domain.customer.facts import Facts, HoldReason
from dunning.domain.customer.standing import Standing
from dunning.domain.decision.rules import Rules
from dunning.domain.delivery.channels import Channel
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.effect.trial_results import TrialResult
from dunning.domain.effect_rates import EffectRates
from dunning.domain.errors import DunningError
from dunning.domain.replies.intents import ReplyIntent
from dunning.policy import PolicyBook, PolicyError
from dunning.ports.gateways import PublishOutcome
from dunning.services.intake.refusals import NOTES, REJECT_COLUMNS
from dunning.services.intake.table import FileForm, file_form
from tests.local.cloud import LocalCloud
from tests.local.customers import customer_line
from tests.local.html_report import report_page
from tests.local.journeys import Journey, fallbacks, journeys
from tests.local.money import MoneyLog
from tests.local.payments import Payment, count_customers, split
from tests.local.policies import Policies, PoliciesError, has_trials, load
from tests.local.providers import services_needed
from tests.local.readings import choose_replies, reading_figures, reply_line
from tests.local.recorder import Recorder, write_csv, write_json, write_json_lines
from tests.local.report import Example, choose_examples
from tests.local.results import FILES, SAMPLE, Results, digest, sample_digest
from tests.local.run_rates import rates_of_run
from tests.local.sample import PARTS
from tests.local.scripted_events import ScriptedEvent
from tests.local.sent import SentMessage
from tests.local.template import TemplateError
from tests.local.trial_report import trials_section
from tests.local.world import NoTextError, World, is_facts, local_zone

BEGINS_IN = timezone(timedelta(hours=8))
"""A run begins at midnight here: where most of the sample's customers live."""

_ACCOUNTS, _REJECTS = "accounts/", "rejects/"
_KEYS = ("customer_id", "item", "contact")
_MICRO = 1_000_000


LIST_COMES = timedelta(days=1, hours=6)
"""The time from the beginning of a run to the upload of a whole list: early on the second day."""


class WholeList(NamedTuple):
    """A file that is all that a lender has."""

    body: bytes
    name: str
    lender: str


class NothingLoadedError(DunningError):
    """The file, or every row of it, was refused: there is nobody to remind. The message says why."""


class RunFailedError(DunningError):
    """Something went wrong that nobody foresaw. The message says where more is written about it."""


_FORESEEN = (NothingLoadedError, NoTextError, PoliciesError, PolicyError, TemplateError)
"""What the user can mend; it explains itself."""

_MOST_REFUSALS_TOLD = 10


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: its virtual instant, the texts that have gone out, the customers who wait for something."""

    at: datetime
    texts: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Result:
    """
    What a run came to. `outbox` are the lines of outbox.jsonl, `replies` a choice of those of replies.jsonl.

    `trials` is what the last night knows of each trial, if a lender has any, `rates` what followed the reminders.
    """

    summary: Mapping[str, Any]
    outbox: Sequence[Mapping[str, Any]]
    examples: Sequence[Example]
    replies: Sequence[Mapping[str, Any]]
    journeys: Sequence[Journey]
    files: Mapping[str, Path]
    trials: Sequence[TrialResult] = ()
    rates: EffectRates | None = None


def begin_of(start: date) -> datetime:
    """Return the instant at which a run that starts on a day begins."""
    return datetime.combine(start, datetime.min.time(), BEGINS_IN).astimezone(UTC)


def run(  # noqa: PLR0913 - what a run is made of
    accounts: bytes,
    *,
    start: date,
    days: int,
    out: Path,
    name: str = "accounts.csv",
    scripted: Sequence[ScriptedEvent] = (),
    sample: bool = False,
    policies: Policies | None = None,
    parameters: Mapping[str, str] | None = None,
    whole_list: WholeList | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Result:
    """
    Play `days` days on the embedded AWS and write the results into a folder, once they are complete.

    Args:
        accounts: the file as it would be uploaded; a `paid_on` later than the clock arrives on its day.
        start: the first day.
        days: how many days.
        out: where the files go, over those of an earlier run. Whatever else is there stays.
        name: what the file is called.
        scripted: events of the user's own that happen during the run; those before and after it do not.
        sample: whether the file is the sample, which is written to `out` too. Its people write back and some of its
            numbers fail by themselves; other people do so only by `scripted`.
        policies: what is played by; by default the package's policies.
        parameters: overrides of the template's parameters.
        whole_list: a lender's whole list that is uploaded `LIST_COMES` after the beginning.
        on_progress: called once for each simulated day on which something happened.

    Raises:
        NothingLoadedError: the file or every row of it was refused.
        NoTextError: a receipt of `scripted` came before any text to its number.
        TemplateError: the template cannot be played.
        RunFailedError: something else went wrong. The folder it names holds what there was until then.
    """
    with Results(out) as results:
        try:
            played = _play(
                accounts,
                _Plan(
                    start,
                    days,
                    name,
                    scripted,
                    sample,
                    sample_digest(out),
                    policies or load(None),
                    parameters,
                    whole_list,
                ),
                results.folder,
                on_progress,
            )
        except _FORESEEN:
            raise
        except Exception as error:
            results.keep(error)
            raise RunFailedError(
                f"the run failed ({type(error).__name__}): the end of {results.folder / FILES['log']} tells where"
            ) from error
        results.put_in_place()
    summary, harvest = played
    files = {what: out / file for what, file in FILES.items()}
    return Result(
        summary,
        harvest.outbox,
        harvest.examples,
        choose_replies(harvest.reply_lines),
        harvest.journeys,
        files,
        harvest.trials,
        harvest.rates,
    )


class Opening(NamedTuple):
    """How a world begins: what the file is called, how files are read, the policies, what is to happen, who answers."""

    name: str
    form: FileForm
    book: PolicyBook
    scripted: Sequence[ScriptedEvent]
    is_lively: bool


class Opened(NamedTuple):
    """A world that has begun: who was loaded, and the payments that the file has for later."""

    world: World
    loaded: frozenset[str]
    payments: Sequence[Payment]


def open_world(cloud: LocalCloud, accounts: bytes, opening: Opening, end: datetime) -> Opened:
    """
    Load a file of accounts, and take down what is to happen until `end`.

    Raises:
        NothingLoadedError: the file or every row of it was refused.
    """
    begin = cloud.clock.now()
    first, later = split(accounts, begin=begin, places=opening.book.places, form=opening.form)
    cloud.upload(_ACCOUNTS + opening.name, first)
    loaded = frozenset(item["customer_id"]["S"] for item in cloud.items(cloud.stack.customers_table) if is_facts(item))
    if not loaded:
        raise NothingLoadedError(_why_nothing(opening.name, list(refusals_of(cloud))))
    payments = [payment for payment in later if payment.at < end and payment.customer_id in loaded]
    world = World(cloud, opening.book, lively=opening.is_lively, parts=PARTS if opening.is_lively else None)
    world.expect(payments, [event for event in opening.scripted if begin <= event.at < end], end)
    return Opened(world, loaded, payments)


def upload_whole_list(cloud: LocalCloud, whole_list: WholeList, opening: Opening) -> None:
    """Upload a lender's whole list, as it is known now."""
    body, _ = split(whole_list.body, begin=cloud.clock.now(), places=opening.book.places, form=opening.form)
    cloud.upload(f"complete/{whole_list.lender}/{whole_list.name}", body)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a run is to play. `sample_there` is the digest of the sample that an earlier run has left."""

    start: date
    days: int
    name: str
    scripted: Sequence[ScriptedEvent]
    sample: bool
    sample_there: str | None
    policies: Policies
    parameters: Mapping[str, str] | None
    whole_list: WholeList | None

    @property
    def form(self) -> FileForm:
        """How the intake reads files."""
        return file_form(self.policies.book.headings, (self.parameters or {}).get("AccountsEncoding", ""))

    @property
    def opening(self) -> Opening:
        """How the world of the run begins."""
        return Opening(self.name, self.form, self.policies.book, self.scripted, self.sample)


def _play(
    accounts: bytes, plan: _Plan, folder: Path, on_progress: Callable[[Progress], None]
) -> tuple[dict[str, Any], "_Harvest"]:
    began = time.monotonic()
    begin = begin_of(plan.start)
    end = begin + timedelta(days=plan.days)
    if plan.sample:
        (folder / plan.name).write_bytes(accounts)
    with (
        Recorder(folder / FILES["decisions"]) as recorder,
        (folder / FILES["log"]).open("w", encoding="utf-8") as log,
        LocalCloud(
            begin,
            listener=recorder,
            log=log,
            parameters=plan.parameters,
            policies=plan.policies,
            services=services_needed(plan.policies.book),
            streams=has_trials(plan.policies.book),
        ) as cloud,
    ):
        progress = _daily(cloud, on_progress)
        opened = open_world(cloud, accounts, plan.opening, end)
        money = MoneyLog(cloud)
        if plan.whole_list is not None and begin + LIST_COMES < end:
            _play_days(opened.world, money, begin, begin + LIST_COMES, progress)
            upload_whole_list(cloud, plan.whole_list, plan.opening)
        _play_days(opened.world, money, cloud.clock.now(), end, progress)
        harvest = _Harvest(cloud, recorder, [*opened.payments, *opened.world.paid], plan.policies.book, opened.world)
        harvest.write(folder)
        write_json_lines(folder / FILES["money"], money.lines)
        customers, rows = count_customers(accounts, plan.form)
        summary = {
            "run": {
                "file": plan.name,
                "sample": digest(accounts) if plan.sample and plan.name == SAMPLE else plan.sample_there,
                "start": plan.start.isoformat(),
                "last_day": (plan.start + timedelta(days=plan.days - 1)).isoformat(),
                "days": plan.days,
                "customers": customers,
                "loaded": len(opened.loaded),
                "rows": rows,
                "ticks": cloud.ticks,
                "uploads": len(cloud.uploads),
                "dead_letters": cloud.dead_letters(),
                "calendar_days_left": recorder.metrics.get("CalendarDaysLeft"),
                "wall_seconds": round(time.monotonic() - began, 1),
            },
            **harvest.numbers(),
        }
    page = report_page(
        summary,
        texts=harvest.outbox,
        contacts=harvest.contact_lines,
        customers=harvest.customer_lines,
        money=money.lines,
        examples=choose_examples(harvest.examples),
        journeys=harvest.journeys,
        is_sample=plan.sample,
        trials=trials_section(harvest.trials, harvest.lift_lines),
        rates=harvest.rates,
    )
    (folder / FILES["page"]).write_text(page, "utf-8")
    write_json(folder / FILES["summary"], summary)
    return summary, harvest


def _play_days(world: World, money: MoneyLog, begin: datetime, end: datetime, on_step: Callable[[], None]) -> None:
    """Let time pass, and count the money at the end of each day that ends until then."""
    moment = begin
    while (day := moment.astimezone(BEGINS_IN).date()) and (midnight := begin_of(day + timedelta(days=1))) <= end:
        world.run_until(midnight, on_step)
        money.end_day(day)
        moment = midnight
    world.run_until(end, on_step)


def _why_nothing(name: str, refusals: Sequence[Sequence[str]]) -> str:
    """Say why a file was refused: in one line where it was refused whole, else what was wrong with the first rows."""
    reasons = [f"{name}{_place_of(refusal)}: {refusal[-1]}" for refusal in refusals]
    if len(reasons) > _MOST_REFUSALS_TOLD:
        reasons[_MOST_REFUSALS_TOLD:] = [f"{name}: and {len(refusals) - _MOST_REFUSALS_TOLD} more refusals"]
    if len(reasons) == 1:
        return f"nothing was loaded: {reasons[0]}"
    return "\n".join([f"nothing was loaded: every row of {name} was refused", *reasons])


def _place_of(refusal: Sequence[str]) -> str:
    """Return the line and field of a refusal, as far as it has them."""
    line, field = refusal[1 + REJECT_COLUMNS.index("line")], refusal[1 + REJECT_COLUMNS.index("field")]
    return (f":{line}" if line else "") + (f": {field}" if field else "")


def _daily(cloud: LocalCloud, on_progress: Callable[[Progress], None]) -> Callable[[], None]:
    last: date | None = None

    def after_a_step() -> None:
        nonlocal last
        today = cloud.clock.now().astimezone(BEGINS_IN).date()
        if today != last:
            last = today
            on_progress(Progress(cloud.clock.now(), len(cloud.outbox), cloud.waiting()))

    return after_a_step


class _Harvest:
    """Everything a finished run left in the cloud, joined."""

    def __init__(
        self,
        cloud: LocalCloud,
        recorder: Recorder,
        payments: Iterable[Payment],
        book: PolicyBook,
        world: World,
    ) -> None:
        self._recorder = recorder
        self._payments_made = payments
        self._published = cloud.published_events
        self._holds: Counter[str] = Counter()
        self._promises: Counter[str] = Counter()
        self._unreachable = 0
        self._book = book
        self._written = world.written
        self._came_back = world.life.came_back
        self._end = cloud.clock.now()
        self.facts: dict[str, Facts] = {}
        self.standings: Counter[tuple[str, str]] = Counter()
        self._standing_of: dict[str, Standing] = {}
        for item in cloud.items(cloud.stack.customers_table):
            if item["item"]["S"] == FACTS:
                facts = items.read_facts(item)
                if facts is not None:
                    self.facts[facts.customer_id] = facts
            elif item["item"]["S"] == STANDING:
                standing = items.standing_of(item)
                self._standing_of[standing.customer_id] = standing
                held = {hold.reason for hold in standing.holds}
                held |= {
                    claim.reason
                    for claim in standing.payment_statements
                    if claim.about and claim.reason is HoldReason.SAYS_PAID
                }
                self._holds.update(held)
                self._promises.update(_kept(promise.kept) for promise in standing.promises.values())
                self._unreachable += bool(standing.suspended)
                self.standings["waiting" if standing.wake else "stopped", standing.reason] += 1
        tables = (cloud.stack.customers_table, cloud.stack.contacts_table)
        # No customer id has a `#`: what has is a number's.
        kept_items = (item for table in tables for item in cloud.items(table) if "#" not in item["customer_id"]["S"])
        self._stored = sorted(kept_items, key=lambda item: [item[key]["S"] for key in _KEYS if key in item])
        records = [item for item in cloud.items(cloud.stack.contacts_table) if "send_id" in item]
        contacts = (items.contact_of(item) for item in records)
        self.contacts = sorted(contacts, key=lambda contact: (contact.at, contact.customer_id))
        kept = [
            items.reply_of(i) for i in cloud.items(cloud.stack.contacts_table) if i["contact"]["S"].startswith(REPLY)
        ]
        self._replies = sorted(kept, key=lambda reply: (reply.inbound.at, reply.inbound.inbound_id, reply.customer_id))
        self.refusals = list(refusals_of(cloud))
        by_message = {contact.message_id: contact for contact in self.contacts if contact.message_id}
        sent = [(sms, by_message.get(sms.message_id)) for sms in cloud.outbox]
        # The sender's threads finish in any order; a run of the same file has to read the same.
        sent.sort(key=lambda pair: (pair[0].at, pair[1].customer_id if pair[1] else "", pair[0].to))
        self._sent = sent
        known = DynamoTrialResults(boto3.client("dynamodb"), cloud.stack.tally_table)
        self.trials = known.newest() if cloud.has_streams else ()
        self.lift_lines = {(each.lender, each.trial): known.line_of(each.lender, each.trial) for each in self.trials}

    @cached_property
    def rates(self) -> EffectRates:
        """What followed the reminders."""
        return rates_of_run(self.contacts, self._standing_of.values(), self._end.astimezone(BEGINS_IN).date())

    @cached_property
    def outbox(self) -> list[dict[str, Any]]:
        """The lines of outbox.jsonl."""
        return [self._line(sms, contact) for sms, contact in self._sent]

    @cached_property
    def contact_lines(self) -> list[dict[str, Any]]:
        """The lines of contacts.jsonl."""
        return [_contact_line(contact, self._zone(contact.customer_id)) for contact in self.contacts]

    @cached_property
    def came_back_lines(self) -> list[dict[str, Any]]:
        """The lines of came_back.jsonl."""
        return [
            {
                "at": instant(each.at),
                "local_at": each.at.astimezone(self._zone(each.customer_id)).isoformat(timespec="seconds"),
                "channel": each.channel,
                "kind": each.kind,
                "customer_id": each.customer_id,
            }
            for each in sorted(self._came_back)
        ]

    @cached_property
    def journeys(self) -> list[Journey]:
        """Customers to show, over several channels."""
        return journeys(self.contact_lines, self.came_back_lines, self.reply_lines, self.customer_lines)

    @cached_property
    def customer_lines(self) -> list[dict[str, Any]]:
        """The lines of customers.jsonl."""
        return [
            customer_line(facts, self._standing_of.get(customer_id), local_zone(self._book, facts), self._end)
            for customer_id, facts in sorted(self.facts.items())
        ]

    @cached_property
    def reply_lines(self) -> list[dict[str, Any]]:
        """The lines of replies.jsonl."""
        needs: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for event in self._published:
            detail = event.detail
            if event.kind == "CustomerNeedsPerson":
                needs[detail["customer_id"], detail.get("reply_id", "")][detail["why"]] = None
        return [
            reply_line(
                reply,
                zone=self._zone(reply.customer_id),
                facts=self.facts.get(reply.customer_id),
                standing=self._standing_of.get(reply.customer_id),
                needs=list(needs[reply.customer_id, reply.inbound.inbound_id]),
                written=self._written.get(reply.inbound.inbound_id),
            )
            for reply in self._replies
        ]

    def _line(self, sms: SentMessage, contact: Contact | None) -> dict[str, Any]:
        line: dict[str, Any] = {"at": instant(sms.at), "local_at": instant(sms.at)}
        if contact is None:
            # A message without a record: the sender died between publishing and writing it down.
            return {**line, "to": sms.to, "text": sms.text, "message_id": sms.message_id}
        line["local_at"] = sms.at.astimezone(self._zone(contact.customer_id)).isoformat(timespec="seconds")
        return {
            **line,
            "customer_id": contact.customer_id,
            "account_ids": list(contact.account_ids),
            "stage": contact.stage,
            "channel": contact.channel,
            "to": sms.to,
            "text": self._as_it_arrives(sms, contact),
            "encoding": contact.encoding,
            "segments": contact.parts,
            "template": contact.template,
            "message_id": sms.message_id,
            **({"subject": sms.subject, "preview": sms.preview} if sms.subject else {}),
            **({"buttons": [label for label, _ in sms.buttons]} if sms.buttons else {}),
        }

    def _zone(self, customer_id: str) -> ZoneInfo:
        facts = self.facts.get(customer_id)
        return local_zone(self._book, facts) if facts else ZoneInfo("UTC")  # erased since

    def _as_it_arrives(self, sms: SentMessage, contact: Contact) -> str:
        """Return the text with the signature the carrier puts in front of it, where it does."""
        facts = self.facts.get(contact.customer_id) if contact.channel == Channel.SMS else None
        rules = self._book.rules_for(facts, sms.at) if facts else None
        if not isinstance(rules, Rules) or not rules.signature_by_carrier or sms.text.startswith("【"):
            return sms.text
        name = rules.sender_name.get(_language(contact), "")
        return f"【{name}】{sms.text}"

    @cached_property
    def examples(self) -> list[Example]:
        """Every text, as it arrived."""
        return [
            Example(
                local_at=f"{line['local_at'][:10]} {line['local_at'][11:16]}",
                to=line["to"],
                stage=line["stage"],
                language=_language(contact),
                segments=line["segments"],
                encoding=line["encoding"],
                text=line["text"],
                channel=line["channel"],
                subject=sms.subject,
                preview=sms.preview,
                buttons=tuple(label for label, _ in sms.buttons),
            )
            for line, (sms, contact) in zip(self.outbox, self._sent, strict=True)
            if contact is not None
        ]

    def write(self, out: Path) -> None:
        """Write what was sent, recorded and refused."""
        write_json_lines(out / FILES["sent"], self.outbox)
        write_json_lines(out / FILES["contacts"], self.contact_lines)
        write_json_lines(out / FILES["replies"], self.reply_lines)
        write_json_lines(out / FILES["came back"], self.came_back_lines)
        write_json_lines(out / FILES["customers"], self.customer_lines)
        # Names, numbers and words in full, as the tables have them.
        (out / FILES["stored"]).touch(mode=0o600)
        write_json_lines(out / FILES["stored"], self._stored)
        write_json_lines(
            out / FILES["events"],
            ({"at": instant(event.at), "event": event.kind, "detail": event.detail} for event in self._published),
        )
        write_csv(out / FILES["refused"], ("file", *REJECT_COLUMNS), self.refusals)

    def numbers(self) -> dict[str, Any]:
        """Count everything for the summary."""
        pairs = [(sms, contact) for sms, contact in self._sent if contact is not None]
        by_stage: defaultdict[str, list[Contact]] = defaultdict(list)
        by_country: defaultdict[str, list[Contact]] = defaultdict(list)
        by_channel: defaultdict[str, list[Contact]] = defaultdict(list)
        for sms, contact in pairs:
            by_stage[str(contact.stage)].append(contact)
            by_country[self._country(sms, contact)].append(contact)
            by_channel[contact.channel].append(contact)
        channels_of = Counter(len(channels) for channels in self._channels_of().values())
        decisions: dict[str, dict[str, dict[str, Any]]] = {"send": {}, "wait": {}, "stop": {}}
        for (kind, reason), count in sorted(self._recorder.decisions.items()):
            customers = self._recorder.customers(kind, reason)
            stages = self._recorder.stages[kind, reason]
            counted = {"none" if stage is None else str(stage): number for stage, number in stages.items()}
            decisions[kind][reason] = {"customers": customers, "decisions": count, "by_stage": counted}
        at_the_end: dict[str, dict[str, int]] = {"waiting": {}, "stopped": {}}
        for (state, reason), count in sorted(self.standings.items()):
            at_the_end[state][reason] = count
        return {
            "sends": {
                "decided": sum(reason["decisions"] for reason in decisions["send"].values()),
                **{name: self._recorder.outcomes[outcome] for name, outcome in _OUTCOMES.items()},
                "confirmations": sum(contact.stage is None for _, contact in pairs),
            },
            "sent": {
                **_figures([contact for _, contact in pairs]),
                "by_stage": {stage: _figures(contacts) for stage, contacts in by_stage.items()},
                "by_country": {country: _figures(contacts) for country, contacts in by_country.items()},
                "by_channel": {channel: _figures(contacts) for channel, contacts in sorted(by_channel.items())},
                "by_state": dict(Counter(contact.state.value for contact in self.contacts)),
            },
            "channels": {
                "states": {
                    channel: dict(Counter(c.state.value for c in self.contacts if c.channel == channel))
                    for channel in sorted({contact.channel for contact in self.contacts})
                },
                "came_back": {
                    channel: dict(sorted(Counter(e.kind for e in self._came_back if e.channel == channel).items()))
                    for channel in sorted({event.channel for event in self._came_back})
                },
                "customers_by_channels": {str(number): channels_of[number] for number in sorted(channels_of)},
                "fallbacks": fallbacks(self.contact_lines),
            },
            "decisions": decisions,
            "at_the_end": at_the_end,
            "payments": self._payments(),
            "replies": {
                "total": self._recorder.metrics["Replies"],
                "not_understood": self._recorder.metrics["RepliesNotUnderstood"],
                "by_intent": {
                    intent.value: count
                    for intent in ReplyIntent
                    if (count := self._recorder.metrics[f"Reply{intent.value.title().replace('_', '')}"])
                },
                **reading_figures(self.reply_lines),
            },
            "holds": dict(sorted(self._holds.items())),
            "promises": dict(sorted(self._promises.items())),
            "unreachable": self._unreachable,
            "outbound_events": dict(sorted(Counter(event.kind for event in self._published).items())),
            "reminders_published": sum(len(event.detail.get("reminders", ())) for event in self._published),
            "refused": {
                "total": sum(refusal[_REASON] not in NOTES for refusal in self.refusals),
                "by_reason": dict(Counter(r[_REASON] for r in self.refusals if r[_REASON] not in NOTES)),
                "noted": dict(Counter(r[_REASON] for r in self.refusals if r[_REASON] in NOTES)),
            },
        }

    def _country(self, sms: SentMessage, contact: Contact) -> str:
        """Return the country of the customer's number, which a mail and a message on LINE do not have."""
        if contact.channel == Channel.SMS:
            return phonenumbers.region_code_for_number(phonenumbers.parse(sms.to)) or "?"
        facts = self.facts.get(contact.customer_id)
        return facts.phone_country if facts else "?"

    def _channels_of(self) -> Mapping[str, set[str]]:
        """Return the channels on which each customer was sent something."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for _, contact in self._sent:
            if contact is not None:
                found[contact.customer_id].add(contact.channel)
        return found

    def _payments(self) -> dict[str, Any]:
        """Say after which text about the account each payment came."""
        texts: defaultdict[tuple[str, str], list[tuple[datetime, int | None]]] = defaultdict(list)
        for contact in (each for each in self.contacts if each.state is not ContactState.HELD_OUT):
            for account_id in contact.account_ids:
                texts[contact.customer_id, account_id].append((contact.at, contact.stage))
        after: Counter[str] = Counter()
        for payment in self._payments_made:
            about = texts[payment.customer_id, payment.account_id]
            before = [stage for at, stage in about if at < payment.at and stage is not None]
            after[str(before[-1]) if before else "none"] += 1
        return {"total": after.total(), "after_stage": dict(after)}


_OUTCOMES: Mapping[str, PublishOutcome] = {
    "published": PublishOutcome.ACCEPTED,
    "throttled": PublishOutcome.REFUSED_FOR_NOW,
    "refused": PublishOutcome.REFUSED_FOR_GOOD,
    "unknown": PublishOutcome.UNKNOWN,
}
"""What becomes of a send that was decided."""


def _kept(kept: bool | None) -> str:  # noqa: FBT001 - of a promise
    return "open" if kept is None else "kept" if kept else "broken"


_REASON = 1 + REJECT_COLUMNS.index("reason")


def refusals_of(cloud: LocalCloud) -> Iterator[list[str]]:
    """Yield the lines of all reject files, each with the file it is about."""
    for key, body in cloud.objects(_REJECTS):
        lines = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))
        next(lines, None)
        yield from ([key.removeprefix(_REJECTS), *line] for line in lines)


def _language(contact: Contact) -> str:
    return contact.template.partition("/")[0]


def _figures(contacts: Sequence[Contact]) -> dict[str, Any]:
    return {
        "texts": len(contacts),
        "customers": len({contact.customer_id for contact in contacts}),
        "segments": sum(contact.parts for contact in contacts if contact.channel == Channel.SMS),
        "cost_usd": round(sum(contact.price_usd_micros for contact in contacts) / _MICRO, 4),
    }


def _contact_line(contact: Contact, zone: ZoneInfo) -> dict[str, Any]:
    fields = asdict(contact)
    return {
        **fields,
        "at": instant(contact.at),
        "local_at": contact.at.astimezone(zone).isoformat(timespec="seconds"),
        "expires_at": instant(contact.expires_at),
        "state": contact.state.value,
    }
