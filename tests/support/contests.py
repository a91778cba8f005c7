"""
Contests: what many clients at once do to the tables through the real adapters, and what must be true afterwards.

A client notes of each write what the port answered: `True`, `False`, or nothing if the call failed. The judge looks at
the stored items alone, and holds them against the notes. Answers are lost on purpose: the engine has done the work, and
the client sees a connection that timed out. Half of the clients' SDKs then repeat the request; the others give up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any, ClassVar, NamedTuple, override

import boto3
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from dunning.adapters.aws_call import aws_call
from dunning.adapters.client import LEAN
from dunning.adapters.dynamodb.case_table import DynamoCases
from dunning.adapters.dynamodb.contact_table import DynamoContacts
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.items import contact_item, contact_of, file_loads_of, lender_record_of, standing_of
from dunning.adapters.dynamodb.keys import FACTS, LOADS, PHONE, REPLY, STANDING
from dunning.adapters.dynamodb.tally_table import DynamoTally
from dunning.domain.customer.lender_record import LenderRecord, erase_record
from dunning.domain.customer.standing import Standing
from dunning.domain.delivery.contact import Contact, ContactState
from dunning.domain.errors import ServiceCallError
from dunning.domain.replies.reply import InboundSms, Reply
from dunning.ports.case_book import Case
from dunning.ports.customers import StoredCustomer
from dunning.ports.file_loads import FileLoad
from dunning.ports.sessions import Role, Viewer
from dunning.ports.tallies import CountedChanges
from dunning.services.send.claims import release_claim
from tests.support.builders import a_lender_record
from tests.support.fakes import FakeTelemetry
from tests.support.people import NOW, someone, texted, waking

SHARDS = 4
CLIENTS = 50


class Tables(NamedTuple):
    """The names of the tables that a contest is held on."""

    customers: str
    contacts: str
    tally: str
    console: str


type Items = Sequence[Mapping[str, Any]]
type Violations = list[str]

_LOST = 0.05
"""The share of requests whose answer is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a client was answered. `answer` is `None` after an error: the write may or may not have been made."""

    what: str
    subject: str
    answer: bool | None
    key: str = ""
    version: int = 0
    based_on: str = ""
    lost: bool = False
    """An answer was lost during the call."""


@dataclass(kw_only=True)
class Client:
    """One of the clients: its adapters, its randomness, and what it was answered."""

    number: int
    customers: DynamoCustomers
    contacts: DynamoContacts
    tally: DynamoTally
    cases: DynamoCases
    random: Random
    losses: Losses
    notes: list[Note] = field(default_factory=list)
    _keys: int = 0

    def new_key(self) -> str:
        """Return a key that no other write has."""
        self._keys += 1
        return f"{self.number}-{self._keys}"

    def note(self, what: str, subject: str, write: Callable[[], bool], **more: Any) -> bool:  # noqa: ANN401 - a note's
        """Make a write, and note its answer."""
        lost = self.losses.count
        try:
            answer: bool | None = write()
        except ServiceCallError:
            answer = None
        self.notes.append(Note(what=what, subject=subject, answer=answer, lost=self.losses.count > lost, **more))
        return bool(answer)

    def order(self, subjects: Iterable[str]) -> list[str]:
        """Return subjects in an order of the client's own."""
        shuffled = list(subjects)
        self.random.shuffle(shuffled)
        return shuffled


@dataclass
class Losses:
    """Loses answers of a client's connection once the work is done; `count` says how many so far."""

    random: Random
    share: float
    count: int = 0

    def at(self, client: Any) -> None:  # noqa: ANN401 - botocore's client
        """Begin with the client's requests."""
        session = client._endpoint.http_session  # noqa: SLF001 - botocore has no hook between the wire and its retries
        send = session.send

        def send_and_lose(request: Any) -> Any:  # noqa: ANN401 - as botocore
            answer = send(request)
            if self.random.random() < self.share:
                self.count += 1
                raise ReadTimeoutError(endpoint_url=request.url)
            return answer

        session.send = send_and_lose


class Contest:
    """What many clients do at once, and the judge."""

    name: ClassVar[str]
    subjects: ClassVar[Sequence[str]]

    def prepare(self, client: Client) -> None:
        """Store what the contest is about."""

    def play(self, client: Client) -> None:
        """Do what one client does."""
        raise NotImplementedError

    def judge(self, items: Items, notes: Sequence[Note]) -> Violations:
        """Return what must not be."""
        raise NotImplementedError


def _of(notes: Iterable[Note], *kinds: str, subject: str = "") -> list[Note]:
    return [note for note in notes if note.what in kinds and (not subject or note.subject == subject)]


def _item(items: Items, subject: str, name: str) -> Mapping[str, Any] | None:
    found = [item for item in _of_customer(items, subject) if item.get("item", {}).get("S") == name]
    return found[0] if found else None


def _of_customer(items: Items, subject: str) -> Items:
    return [item for item in items if item.get("customer_id", {}).get("S") == subject]


def _bounds(notes: Sequence[Note]) -> tuple[int, int]:
    """Return how many of these writes were made: at least, and at most."""
    sure = sum(note.answer is True for note in notes)
    return sure, sure + sum(_is_unsure(note) for note in notes)


def _is_unsure(note: Note) -> bool:
    """
    Tell whether a write may have been made, as far as its client knows.

    A repeated write that fails against itself is recognised only while nobody else has written. Who is told no then
    looks again: a list of loads holds the load, and a case is with a colleague.
    """
    return note.answer is None or (note.what in {"count", "case"} and note.answer is False and note.lost)


def _is_between(count: int, bounds: tuple[int, int], what: str) -> Violations:
    low, high = bounds
    return [] if low <= count <= high else [f"{what}: {count} stored, {low} to {high} successes"]


def _many_winners(notes: Sequence[Note], what: str) -> Violations:
    """Return each version of a subject of which more than one write was told that it won."""
    won = Counter((note.subject, note.version) for note in notes if note.answer)
    return [
        f"{subject}: {count} {what} won version {version}" for (subject, version), count in won.items() if count > 1
    ]


def _named(subject: str) -> LenderRecord:
    return a_lender_record(someone(customer_id=subject, name="facts 0"))


def _first(subject: str, **changes: Any) -> Standing:  # noqa: ANN401 - a standing's
    return waking(someone(customer_id=subject), planned_for="facts 0", **changes)


class Claims(Contest):
    """Claims, releases of claims, and changes of the facts, all of the same customers."""

    name = "claims, releases, facts"
    subjects = tuple(f"CLAIM{number}" for number in range(4))
    _rounds = 6

    def prepare(self, client: Client) -> None:
        """Store customers with facts and a standing."""
        for subject in self.subjects:
            client.customers.save_customer(_named(subject), _first(subject), expected_revision=0, expected_version=0)

    def play(self, client: Client) -> None:
        """Claim, and now and then release the claim; or change the facts."""
        for _ in range(self._rounds):
            subject = client.random.choice(self.subjects)
            try:
                stored = client.customers.load_stored([subject])[subject]
            except ServiceCallError:
                continue
            if not isinstance(stored, StoredCustomer) or stored.standing is None or not stored.lender_record.snapshot:
                client.notes.append(Note(what="lost", subject=subject, answer=True))
                continue
            name = stored.lender_record.snapshot.name
            if name != stored.standing.planned_for:
                torn = f"{name} beside {stored.standing.planned_for}"
                client.notes.append(Note(what="torn", subject=subject, answer=True, key=torn))
            if client.random.random() < 0.3:
                self._change_facts(client, subject, stored.lender_record, stored.standing)
            else:
                self._claim(client, subject, stored.standing, name)

    @staticmethod
    def _change_facts(client: Client, subject: str, record: LenderRecord, standing: Standing) -> None:
        name = f"facts {client.new_key()}"
        assert record.snapshot is not None
        after = replace(record, revision=record.revision + 1, snapshot=replace(record.snapshot, name=name))
        planned = replace(standing, version=standing.version + 1, planned_for=name)
        client.note(
            "facts",
            subject,
            lambda: client.customers.save_customer(
                after, planned, expected_revision=record.revision, expected_version=standing.version
            ),
            key=name,
            version=standing.version,
        )

    @staticmethod
    def _claim(client: Client, subject: str, standing: Standing, based_on: str) -> None:
        claim_id = client.new_key()
        entry = texted(someone(), NOW, claim_id=claim_id)
        claimed = replace(standing, version=standing.version + 1, ledger=(*standing.ledger, entry))
        won = client.note(
            "claim",
            subject,
            lambda: client.customers.save_standing(claimed, expected_version=standing.version, claim_id=claim_id),
            key=claim_id,
            version=standing.version,
            based_on=based_on,
        )
        if not won or client.random.random() < 0.6:
            return
        telemetry = FakeTelemetry()

        def release() -> bool:
            release_claim(client.customers, telemetry, claimed, standing, claim_id, lambda after, _: after)
            if telemetry.events:
                raise ServiceCallError("PutItem", "Contested")  # nobody knows whether the last try was written
            return True

        client.note("release", subject, release, key=claim_id)

    def judge(self, items: Items, notes: Sequence[Note]) -> Violations:
        """Hold ledger, version, revision and names against what the writers were told."""
        found = [f"{note.subject}: read {note.key or 'nobody'}" for note in _of(notes, "torn", "lost")]
        found += _many_winners(_of(notes, "claim", "facts"), "writers")
        for subject in self.subjects:
            facts, stored = _item(items, subject, FACTS), _item(items, subject, STANDING)
            if facts is None or stored is None:
                found.append(f"{subject}: an item is gone")
                continue
            record, standing = lender_record_of(facts), standing_of(stored)
            found += self._ledger(subject, standing, notes)
            writes = _of(notes, "claim", "facts", "release", subject=subject)
            found += _is_between(standing.version - 1, _bounds(writes), f"{subject}: the version counts writes")
            changes = _of(notes, "facts", subject=subject)
            found += _is_between(record.revision - 1, _bounds(changes), f"{subject}: the revision counts changes")
            name = record.snapshot.name if record.snapshot else ""
            if name != standing.planned_for:
                found.append(f"{subject}: {name} is stored beside {standing.planned_for}")
            found += self._decided_on_former_facts(subject, notes)
        return found

    @staticmethod
    def _ledger(subject: str, standing: Standing, notes: Sequence[Note]) -> Violations:
        claims, releases = _of(notes, "claim", subject=subject), _of(notes, "release", subject=subject)
        released = {note.key for note in releases if note.answer}
        perhaps_released = {note.key for note in releases if note.answer is None}
        won = {note.key for note in claims if note.answer}
        perhaps = {note.key for note in claims if note.answer is None}
        ledger = [entry.claim_id for entry in standing.ledger]
        lacking = won - released - perhaps_released - set(ledger)
        extra = set(ledger) - ((won | perhaps) - released)
        return [
            *([f"{subject}: the ledger lacks claims that were told yes: {sorted(lacking)}"] if lacking else []),
            *([f"{subject}: the ledger holds claims that were told no: {sorted(extra)}"] if extra else []),
            *([f"{subject}: a claim stands twice"] if len(ledger) != len(set(ledger)) else []),
        ]

    @staticmethod
    def _decided_on_former_facts(subject: str, notes: Sequence[Note]) -> Violations:
        changes = [(note.version, note) for note in _of(notes, "facts", subject=subject) if note.answer]
        unsure = {note.key for note in _of(notes, "facts", subject=subject) if note.answer is None}
        found = []
        for claim in _of(notes, "claim", subject=subject):
            before = [(version, note.key) for version, note in changes if version < claim.version]
            current = max(before)[1] if before else "facts 0"
            if claim.answer and claim.based_on not in {current, *unsure}:
                found.append(f"{subject}: claim {claim.key} passed on {claim.based_on}, and {current} was stored")
        return found


class FirstLoads(Contest):
    """First loads of the same customers."""

    name = "first loads"
    subjects = tuple(f"NEW{number}" for number in range(10))

    def play(self, client: Client) -> None:
        """Load each customer."""
        for subject in client.order(self.subjects):
            self._load(client, subject)

    @staticmethod
    def _load(client: Client, subject: str) -> None:
        name = f"facts {client.new_key()}"
        record = a_lender_record(someone(customer_id=subject, name=name))
        standing = waking(someone(customer_id=subject), planned_for=name)
        client.note(
            "load",
            subject,
            lambda: client.customers.save_customer(record, standing, expected_revision=0, expected_version=0),
            key=name,
        )

    def judge(self, items: Items, notes: Sequence[Note]) -> Violations:
        """Look for one winner, stored with both items."""
        found = _many_winners(notes, "loads")
        for subject in self.subjects:
            facts, stored = _item(items, subject, FACTS), _item(items, subject, STANDING)
            if facts is None or stored is None:
                found.append(f"{subject}: loaded by half, or not at all")
                continue
            record, planned_for = lender_record_of(facts), standing_of(stored).planned_for
            if record.snapshot is None or record.snapshot.name != planned_for:
                found.append(f"{subject}: two loads are stored")
            won = {note.key for note in _of(notes, "load", subject=subject) if note.answer}
            perhaps = {note.key for note in _of(notes, "load", subject=subject) if note.answer is None}
            if planned_for not in (won or perhaps):
                found.append(f"{subject}: {planned_for} is stored, and {sorted(won)} won")
        return found


class Erasures(Contest):
    """Erasures of customers who are claimed and loaded meanwhile; and of customers who have returned."""

    name = "erasures"
    subjects = tuple(f"GONE{number}" for number in range(12))
    returned = tuple(f"BACK{number}" for number in range(4))

    def prepare(self, client: Client) -> None:
        """Store customers with facts and a standing."""
        for subject in (*self.subjects, *self.returned):
            client.customers.save_customer(_named(subject), _first(subject), expected_revision=0, expected_version=0)

    def play(self, client: Client) -> None:
        """Claim or erase, each customer in turn."""
        for subject in client.order((*self.subjects, *self.returned)):
            try:
                stored = client.customers.load_stored([subject])[subject]
            except ServiceCallError:
                continue
            if isinstance(stored, StoredCustomer) and stored.standing is not None:
                if client.number % 2:
                    Claims._claim(client, subject, stored.standing, "")  # noqa: SLF001 - the same claim
                else:
                    self._erase(client, subject, stored.lender_record)

    def _erase(self, client: Client, subject: str, record: LenderRecord) -> None:
        # Two erasures never happen at the same instant: as two equal transactions they would count as one.
        at = NOW + timedelta(microseconds=client.number)
        after = erase_record(record, at)
        if subject in self.returned:
            after = replace(record, revision=record.revision + 1, erased_at=at)
        client.note(
            "erasure",
            subject,
            lambda: client.customers.save_erased(after, expected_revision=record.revision),
            version=record.revision,
        )

    def judge(self, items: Items, notes: Sequence[Note]) -> Violations:
        """Look for tombstones without a standing; of who has returned, the version counts erasures, too."""
        found = _many_winners(_of(notes, "erasure"), "erasures") + _many_winners(_of(notes, "claim"), "claims")
        for subject in self.subjects:
            facts = _item(items, subject, FACTS)
            is_erased = facts is not None and lender_record_of(facts).snapshot is None
            if _bounds(_of(notes, "erasure", subject=subject))[0] and not is_erased:
                found.append(f"{subject}: an erasure was told yes, and the facts are there")
            if is_erased and _item(items, subject, STANDING) is not None:
                found.append(f"{subject}: a standing came back after the erasure")
        for subject in self.returned:
            facts, stored = _item(items, subject, FACTS), _item(items, subject, STANDING)
            if facts is None or stored is None:
                found.append(f"{subject}: an item is gone")
                continue
            erasures = _bounds(_of(notes, "erasure", subject=subject))
            writes = _bounds(_of(notes, "erasure", "claim", "release", subject=subject))
            found += _is_between(lender_record_of(facts).revision - 1, erasures, f"{subject}: the revision")
            found += _is_between(standing_of(stored).version - 1, writes, f"{subject}: the version")
            found += Claims._ledger(subject, standing_of(stored), notes)  # noqa: SLF001 - the same ledger
        return found


class Records(Contest):
    """The first records of messages, receipts that bring them forward, and deliveries of replies."""

    name = "records, receipts, replies"
    subjects = tuple(f"TEXT{number}" for number in range(5))

    def play(self, client: Client) -> None:
        """Write each record, settle it, and keep each reply."""
        for subject in client.order(self.subjects):
            self._play(client, subject)

    @staticmethod
    def _play(client: Client, subject: str) -> None:
        first, settled = client.new_key(), client.new_key()
        record = _record(subject, ContactState.UNKNOWN, first)
        after = _record(subject, ContactState.DELIVERED, settled)
        reply = _reply(subject, first)
        client.note("record", subject, lambda: client.contacts.write_if_absent(record), key=first)
        client.note(
            "receipt", subject, lambda: client.contacts.advance(after, expected=ContactState.UNKNOWN), key=settled
        )
        client.note("reply", subject, lambda: client.contacts.keep(reply), key=first)

    def judge(self, items: Items, notes: Sequence[Note]) -> Violations:
        """
        Look for one winner of each, whose words are stored. Who was told no may have lost a yes.

        Of equal records all writers are told yes, as long as no receipt has come.
        """
        found = [
            f"{subject}: {count} {what}s were told yes"
            for (subject, what), count in Counter((note.subject, note.what) for note in notes if note.answer).items()
            if count > 1 and what != "record"
        ]
        for subject in self.subjects:
            mine = [item for item in _of_customer(items, subject) if "contact" in item]
            texts = [contact_of(item) for item in mine if not item["contact"]["S"].startswith(REPLY)]
            replies = [item["text"]["S"] for item in mine if item["contact"]["S"].startswith(REPLY)]
            if len(texts) != 1 or len(replies) != 1:
                found.append(f"{subject}: {len(texts)} records and {len(replies)} replies are stored")
                continue
            for what, key in (("receipt", texts[0].message_id), ("record", texts[0].code), ("reply", replies[0])):
                own = [note for note in _of(notes, what, subject=subject) if note.key == key]
                if not own or not (own[0].answer or own[0].lost):
                    found.append(f"{subject}: the {what} of {key} is stored, who was told no")
        return found


def _record(subject: str, state: ContactState, key: str) -> Contact:
    return Contact(
        customer_id=subject,
        send_id="send",
        claim_id="claim",
        at=NOW,
        state=state,
        stage=-3,
        account_ids=("A1",),
        channel="sms",
        expires_at=NOW + timedelta(days=90),
        message_id=key if state is ContactState.DELIVERED else "",
        code=key if state is ContactState.UNKNOWN else "",
    )


def _reply(subject: str, key: str) -> Reply:
    inbound = InboundSms(inbound_id="inbound", phone="+886900000001", text=key, at=NOW)
    return Reply(customer_id=subject, inbound=inbound, intents=(), promised_on=None, expires_at=NOW)


class Counters(Contest):
    """The list of file loads, which counts its changes; and numbers that customers get and give up."""

    name = "counters and sets"
    subjects = tuple(f"+88690000000{number}" for number in range(4))

    def play(self, client: Client) -> None:
        """Change the list some times; take each number, and give up every other."""
        for _ in range(6):
            self._count(client)
        for subject in client.order(self.subjects):
            self._take(client, subject)

    @staticmethod
    def _count(client: Client) -> None:
        try:
            known = client.customers.read_loads()
        except ServiceCallError:
            return
        load = FileLoad(client.new_key(), NOW)
        client.note(
            "count",
            "files",
            lambda: client.customers.save_loads([*known.loads, load], expected_version=known.version),
            key=load.key,
            version=known.version,
        )

    @staticmethod
    def _take(client: Client, phone: str) -> None:
        mine = f"C{client.number}"
        client.note("add", phone, lambda: mine in client.customers.add_address(phone, mine), key=mine)
        if client.number % 2:

            def remove() -> bool:
                client.customers.remove_address(phone, mine)
                return True

            client.note("remove", phone, remove, key=mine)

    def judge(self, items: Items, notes: Sequence[Note]) -> Violations:
        """Count successes, and who has the numbers."""
        found = _many_winners(_of(notes, "count"), "changes of the list")
        stored = [item for item in items if item.get("item", {}).get("S") == LOADS]
        known = file_loads_of(stored[0]) if stored else None
        counted, keys = known.version if known else 0, [load.key for load in known.loads] if known else []
        changes = _of(notes, "count")
        found += _is_between(counted, _bounds(changes), "the version of the list")
        won = {note.key for note in changes if note.answer}
        perhaps = {note.key for note in changes if _is_unsure(note)}
        if not won <= set(keys) <= won | perhaps:
            found.append("the list lacks a load that was told yes, or holds one that was told no")
        added: defaultdict[str, set[str]] = defaultdict(set)
        perhaps_added: defaultdict[str, set[str]] = defaultdict(set)
        for note in _of(notes, "add", "remove"):
            if note.answer is None:
                perhaps_added[note.subject].add(note.key)
            if note.what == "add" and note.answer is False:
                found.append(f"{note.subject}: {note.key} was added, and is not in the answer")
            if note.answer:
                (added[note.subject].add if note.what == "add" else added[note.subject].discard)(note.key)
        for phone in self.subjects:
            item = _item(items, f"phone#{phone}", PHONE)
            have = set(item["customers"]["SS"]) if item else set()
            sure = added[phone] - perhaps_added[phone]
            if not sure <= have <= added[phone] | perhaps_added[phone]:
                lacking, extra = sorted(sure - have), sorted(have - added[phone] - perhaps_added[phone])
                found.append(f"{phone}: customers {lacking} are missing, {extra} are too many")
        return found


class Cases(Contest):
    """Cases that agents take from one another, and give back."""

    name = "cases"
    subjects = tuple(f"CASE{number}" for number in range(6))

    def play(self, client: Client) -> None:
        """Take each case, or give it back."""
        for subject in client.order(self.subjects * 2):
            self._turn(client, subject)

    @staticmethod
    def _turn(client: Client, subject: str) -> None:
        try:
            case = client.cases.cases([subject]).get(subject, Case(customer_id=subject))
        except ServiceCallError:
            return
        agent = Viewer(f"agent {client.number}", Role.AGENT)
        holder = None if case.is_held_by(agent) else agent
        at = NOW + timedelta(seconds=len(client.notes))
        after = replace(case, version=case.version + 1, holder=holder, taken_at=holder and at, touched_at=at)
        client.note(
            "case",
            subject,
            lambda: client.cases.save_case(after, expected_version=case.version),
            key=agent.subject if holder else "",
            version=case.version,
        )

    def judge(self, items: Items, notes: Sequence[Note]) -> Violations:
        """Look for one winner of each version; the last of them has the case."""
        found = _many_winners(notes, "agents")
        for subject in self.subjects:
            stored = [item for item in items if item.get("about", {}).get("S") == f"case#{subject}"]
            if len(stored) != 1:
                found.append(f"{subject}: {len(stored)} cases are stored")
                continue
            version = int(stored[0]["version"]["N"])
            mine = _of(notes, "case", subject=subject)
            found += _is_between(version, _bounds(mine), f"{subject}: the version counts acts")
            won = {note.key for note in mine if note.answer and note.version == version - 1}
            perhaps = {note.key for note in mine if _is_unsure(note) and note.version == version - 1}
            holder = stored[0].get("subject", {}).get("S", "")
            if holder not in (won or perhaps):
                found.append(f"{subject}: {holder or 'nobody'} has the case, and {sorted(won) or 'nobody'} won it")
        return found


class Tallies(Contest):
    """Runs of changes of a stream's shards, which several programs count at once, each from where it believes to be."""

    name = "tallies"
    subjects = ("shard-1", "shard-2", "shard-3")
    _changes = 40
    _tries = 200

    def play(self, client: Client) -> None:
        """Count all changes of each shard, in runs of one's own lengths, and again what failed."""
        for shard in client.order(self.subjects):
            done = 0
            for _ in range(self._tries):
                if done >= self._changes:
                    break
                done = self._count(client, shard, done)

    def _count(self, client: Client, shard: str, done: int) -> int:
        """Count some changes behind those that are done, and return which are done then."""
        run = range(done + 1, min(self._changes, done + client.random.randint(1, 6)) + 1)
        changes = CountedChanges(
            lender="lender",
            day=NOW.date(),
            shard=shard,
            first=run[0],
            last=run[-1],
            as_of=NOW,
            counters={"changes": len(run), "weight": sum(run)},
            customers={},
        )
        counted: list[int | None] = []

        def add() -> bool:
            counted.append(client.tally.add(changes))
            return counted[0] is None

        client.note("run", shard, add, key=f"{run[0]}-{run[-1]}")
        return done if not counted else run[-1] if counted[0] is None else counted[0]

    def judge(self, items: Items, notes: Sequence[Note]) -> Violations:
        """Look for each change counted once."""
        found = []
        for shard in self.subjects:
            stored = [item for item in items if item.get("part", {}).get("S", "").endswith(f"#{shard}")]
            counted = [{name: int(item[name]["N"]) for name in ("changes", "weight")} for item in stored]
            once = {"changes": self._changes, "weight": sum(range(1, self._changes + 1))}
            if counted != [once]:
                found.append(f"{shard}: {counted} counted, not {once}")
            if not any(note.answer for note in _of(notes, "run", subject=shard)):
                found.append(f"{shard}: nobody was told that it counts")
        return found


CONTESTS: tuple[type[Contest], ...] = (Claims, FirstLoads, Erasures, Records, Counters, Cases, Tallies)


# ---------------------------------------------------------------- writers that are wrong on purpose


class Unconditional(DynamoCustomers):
    """Writes whatever was read: no version, no revision."""

    @override
    def _put(self, item: Any, condition: Mapping[str, Any]) -> dict[str, Any]:
        del condition
        return super()._put(item, {})

    @override
    def save_loads(self, loads: Sequence[FileLoad], *, expected_version: int) -> bool:
        """Look for the version anew."""
        del expected_version
        return super().save_loads(loads, expected_version=self.read_loads().version)


_READS_BETWEEN = 3
"""What a planted writer does between two writes, so that another writer comes in between on a busy machine, too."""


class TwoWrites(DynamoCustomers):
    """Writes facts and standing one after the other, each under its own condition."""

    @override
    def _transact(self, *writes: Mapping[str, Any]) -> Sequence[Any] | None:
        for write in writes:
            for _ in range(_READS_BETWEEN):
                self.read_loads()
            answer = super()._transact(write)
            if answer is not None:
                return [*answer, None][:2]
        return None


class Distrustful(DynamoCustomers):
    """Does not recognise its own claim when the answer was lost."""

    @override
    def save_standing(self, standing: Standing, *, expected_version: int, claim_id: str = "") -> bool:
        """Forget the claim's id."""
        del claim_id
        return super().save_standing(standing, expected_version=expected_version)


class ReadAndWritten(DynamoCustomers):
    """Reads the set of a number, and writes it back."""

    @override
    def add_address(self, phone: str, customer_id: str) -> frozenset[str]:
        """Write all that were read, and one more."""
        after = self.customers_with([phone])[phone] | {customer_id}
        item: Any = {
            "customer_id": {"S": f"phone#{phone}"},
            "item": {"S": PHONE},
            "customers": {"SS": sorted(after)},
        }
        with aws_call("PutItem"):
            self._client.put_item(TableName=self._table, Item=item)
        return after


class Overwriting(DynamoContacts):
    """Writes a record whether there is one or not."""

    @override
    def write_if_absent(self, contact: Contact) -> bool:
        """Forget the condition."""
        with aws_call("PutItem"):
            self._client.put_item(TableName=self._table, Item=contact_item(contact))
        return True


class Grabbing(DynamoCases):
    """Takes a case whoever has it by now."""

    @override
    def save_case(self, case: Case, *, expected_version: int) -> bool:
        """Look for the version anew."""
        known = self.cases([case.customer_id]).get(case.customer_id)
        return super().save_case(case, expected_version=known.version if known else expected_version)


class CountsAnyRun(DynamoTally):
    """Adds a run whether it has been counted or not."""

    @override
    def add(self, changes: CountedChanges) -> int | None:
        """Claim that the run is behind all others."""
        return super().add(replace(changes, first=10**9))


class Writers(NamedTuple):
    """The adapters that the clients write through."""

    customers: type[DynamoCustomers] = DynamoCustomers
    contacts: type[DynamoContacts] = DynamoContacts
    tally: type[DynamoTally] = DynamoTally
    cases: type[DynamoCases] = DynamoCases


OURS = Writers()


@dataclass(frozen=True, slots=True)
class Sabotage:
    """A fault that was planted, and the contest that must show it."""

    name: str
    contest: type[Contest]
    writers: Writers


SABOTAGES = (
    Sabotage("no version condition", Claims, Writers(Unconditional)),
    Sabotage("a claim whose answer was lost counts as not written", Claims, Writers(Distrustful)),
    Sabotage("facts and standing in two writes", FirstLoads, Writers(TwoWrites)),
    Sabotage("a first load without its condition", FirstLoads, Writers(Unconditional)),
    Sabotage("a record without its condition", Records, Writers(contacts=Overwriting)),
    Sabotage("the set of a number read and written", Counters, Writers(ReadAndWritten)),
    Sabotage("the list of loads without its version", Counters, Writers(Unconditional)),
    Sabotage("a case without its version", Cases, Writers(cases=Grabbing)),
    Sabotage("a run of changes without its condition", Tallies, Writers(tally=CountsAnyRun)),
)


def new_client(
    number: int,
    seed: int,
    tables: Tables,
    *,
    writers: Writers = OURS,
    session: boto3.Session | None = None,
    lost: float = _LOST,
) -> Client:
    """Return a client with a connection of its own. Every other client's SDK repeats no request."""
    config = LEAN.merge(Config(retries={"total_max_attempts": 1})) if number % 2 else LEAN
    dynamodb = (session or boto3.Session()).client("dynamodb", config=config)
    losses = Losses(Random(f"{seed} {number} losses"), lost)
    losses.at(dynamodb)
    return Client(
        number=number,
        customers=writers.customers(dynamodb, tables.customers, SHARDS),
        contacts=writers.contacts(dynamodb, tables.contacts),
        tally=writers.tally(dynamodb, tables.tally),
        cases=writers.cases(dynamodb, tables.console),
        random=Random(f"{seed} {number}"),
        losses=losses,
    )
