"""
Lives: seeded random runs beyond the bounds of the search. A seed replays a run.

Four customers live for 45 days, one of them reached on several channels. Two of them may be left out by chance, and
trials are paused and stopped meanwhile. They pay, and answer, and block us on LINE. Their lender holds, releases,
reschedules, attends to them, hears of consents, closes, loads files and erases. The services report, or do not, and are
out for a while. Somebody replans, and the switch is off for a while. News comes late, twice and out of order. Several
programs run side by side, and any call may meet a fault.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from dunning.contracts.channel_message import channel_message_body
from dunning.contracts.replan_part import ReplanPart, replan_body
from dunning.domain.customer.facts import Facts, Hold, HoldReason
from dunning.domain.delivery.channel_events import ChannelMessage
from dunning.domain.delivery.channels import Channel
from dunning.domain.replies.intents import ReplyIntent
from tests.simulation.cast import LOADED, Cast, event_body, reply_body
from tests.simulation.comebacks import line_body
from tests.simulation.customer_rows import customer_at
from tests.simulation.ending import Witness, live_on, next_wake, unseen
from tests.simulation.faults import Fault
from tests.simulation.policies import CHANNELS, CONTROLLED, CONTROLS, SILENT, SILENT_CHANNELS
from tests.simulation.promises import LOST_NEWS, is_held_by_lender, judge_end, judge_move, open_instalments_of
from tests.simulation.scenarios import AMERICAN, REPORTS, rows_of
from tests.simulation.search import Explored, is_delivered_again
from tests.simulation.simulator import Move, Simulator, Situation
from tests.simulation.tables import CONTACTS, RowKey, Rows, Stored, forget_items
from tests.simulation.world import Mail, World
from tests.support.builders import a_lender_record
from tests.support.people import someone, waking

START = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
DAYS = 45
MOST_SIDE_BY_SIDE = 4
MOST_FAULTS = 12

_FAULT, _SWITCH, _AGAIN = 0.04, 0.25, 0.05
"""How likely a call meets a fault, another program has its turn before a call, and a message comes twice."""


@dataclass(slots=True)
class LenderBooks:
    """What the lender knows of a customer: the truth that our tables must come to."""

    facts: Facts
    paid: int = 0
    is_closed: bool = False
    is_held: bool = False
    is_erased: bool = False
    moved: int = 0

    @property
    def instalment(self) -> tuple[str, int, int]:
        """The account, the number and the amount of the one instalment."""
        account = self.facts.accounts[0]
        return account.account_id, account.instalments[0].number, account.instalments[0].amount

    @property
    def is_open(self) -> bool:
        """Whether money is due."""
        return not self.is_closed and self.paid < self.instalment[2]

    def as_file(self, at: datetime) -> Facts:
        """Return what a file of this moment says, which knows of payments up to a day before."""
        account = self.facts.accounts[0]
        paid = self.instalment[2] if self.is_closed else self.paid
        stated = replace(account, instalments=(replace(account.instalments[0], paid=paid),))
        holds = (Hold(HoldReason.DISPUTE),) if self.is_held else ()
        return replace(self.facts, accounts=(stated,), holds=holds, as_of=at, paid_as_of=at - timedelta(days=1))


@dataclass(slots=True)
class Life:
    """One run."""

    seed: int
    cast: Cast = field(default_factory=Cast)
    witness: Witness = unseen
    explored: Explored = field(default_factory=Explored)

    def run(self) -> Explored:
        """Live, and return what was counted and broken."""
        began = time.process_time()
        forget_items()
        chance = Random(self.seed)
        simulator = Simulator(self.cast)
        books, news = _history(chance, Random(f"trials of {self.seed}"))
        here = self._lived(simulator, chance, _beginning(books, chance), news)
        broken: list[str] = []
        here = live_on(simulator, here, 0, broken, self._seen)
        for promise in {*broken, *judge_end(here.world, here.now), *_lost(books, here.world, news)}:
            self._break(promise)
        self.explored.schedules = self.explored.lives = 1
        self.explored.situations = self.explored.moves
        self.explored.seconds = time.process_time() - began
        self.explored.histories = simulator.theatre.played
        return self.explored

    def _lived(self, simulator: Simulator, chance: Random, here: Situation, news: list[Mail]) -> Situation:
        """Let time pass until the last day."""
        coming = sorted(news, key=lambda mail: (mail.ready_at, mail.name))
        end = START + timedelta(days=DAYS)
        while True:
            waiting = [mail.ready_at for mail in here.world.mail if not mail.is_done]
            if coming:
                waiting.append(coming[0].ready_at)
            wake = next_wake(here)
            if wake is not None and here.world.off_since is None:
                waiting.append(max(wake, here.now + timedelta(minutes=1)))
            moment = max(min(waiting, default=end), here.now)
            if moment >= end:
                # What is still under way arrives, however late.
                here = here._replace(now=end, world=here.world._replace(off_since=None))
                return self._work(simulator, chance, self._arrived(here, coming, chance, is_due=False))
            here = here._replace(now=moment)
            arrived = [mail for mail in coming if mail.ready_at <= moment]
            coming = coming[len(arrived) :]
            here = self._arrived(here, arrived, chance, is_due=wake is not None and wake <= moment)
            here = self._work(simulator, chance, here)

    @staticmethod
    def _arrived(here: Situation, arrived: list[Mail], chance: Random, *, is_due: bool) -> Situation:
        """Put what has come on its queues: news, and the tick of the scanner if somebody is due."""
        world = here.world
        for mail in arrived:
            if mail.kind == "switch":
                world = world._replace(off_since=here.now if mail.body == "off" else None)
            elif mail.kind == "reports":
                world = world._replace(reports=mail.body)
            elif mail.kind == "reports of":
                world = world._replace(reports_of=tuple(json.loads(mail.body).items()))
            elif mail.kind == "out":
                world = world._replace(out=frozenset(filter(None, [mail.body])))
            else:
                copies = int(chance.random() < _AGAIN)
                world = world._replace(mail=(*world.mail, mail._replace(copies=copies)))
        if is_due:
            tick = Mail(f"tick {len(world.mail)}", "tick", "", here.now)
            world = world._replace(mail=(*world.mail, tick))
        return here._replace(world=world)

    def _work(self, simulator: Simulator, chance: Random, here: Situation) -> Situation:
        """Let programs take turns until nothing is ready any more at this moment."""
        while True:
            here = _with_ready_mail(here)
            moves = self._moves(simulator, chance, here)
            if not moves:
                return here
            move = chance.choice(moves)
            self._seen(here, move)
            for promise in judge_move(here, move):
                self._break(promise)
            here = move.to

    def _moves(self, simulator: Simulator, chance: Random, here: Situation) -> list[Move]:
        """Return the moves of a kind that chance has chosen, so that time stands still meanwhile."""
        if self.explored.faults < MOST_FAULTS and chance.random() < _FAULT and here.turn >= 0:
            kinds = [move for move in simulator.faulty(here) if move.step.fault is not Fault.DELIVERED_AGAIN]
            if kinds:
                return kinds
        if chance.random() < _SWITCH and here.turn >= 0:
            others = [move for move in simulator.switching(here) if _is_now(here, move)]
            if others:
                return others
        return [move for move in simulator.plain(here) if here.turn >= 0 or _is_now(here, move)]

    def _seen(self, here: Situation, move: Move) -> None:
        explored = self.explored
        explored.moves += 1
        explored.faults += move.faults
        explored.texts += len(move.to.world.texts) - len(here.world.texts)
        explored.duplicates += move.step.kind == "begins" and is_delivered_again(move)
        self.witness(here, move)

    def _break(self, promise: str) -> None:
        self.explored.broken[promise] = self.explored.broken.get(promise, 0) + 1


def _is_now(here: Situation, move: Move) -> bool:
    """Tell whether a move takes no time, and leaves not too many programs side by side."""
    return move.to.now == here.now and len(move.to.workers) <= MOST_SIDE_BY_SIDE


def _with_ready_mail(here: Situation) -> Situation:
    """Let all mail be delivered whose moment has come, duplicates at once, and no other mail."""
    mails = tuple(
        mail._replace(
            is_later=mail.ready_at > here.now and not mail.copies,
            ready_at=min(mail.ready_at, here.now) if mail.copies and mail.receives else mail.ready_at,
        )
        for mail in here.world.mail
    )
    return here if mails == here.world.mail else here._replace(world=here.world._replace(mail=mails))


def _beginning(books: list[LenderBooks], chance: Random) -> Situation:
    rows: dict[RowKey, Stored] = {}
    for book in books:
        rows |= rows_of(a_lender_record(book.facts), waking(book.facts, START))
    return Situation(World(Rows(rows), reports=chance.choice(["", "delivered", *REPORTS.values()])), START)


def _history(chance: Random, lot: Random) -> tuple[list[LenderBooks], list[Mail]]:
    """Return the customers as the lender knows them in the end, and all that comes of it."""
    american = replace(
        AMERICAN,
        customer_id="C0003",
        accounts=(replace(AMERICAN.accounts[0], account_id="A0003-0"),),
        as_of=START - timedelta(days=1),
    )
    books = [
        LenderBooks(replace(someone(1, due_in=chance.randint(-5, 10)), as_of=START - timedelta(days=1))),
        LenderBooks(replace(someone(2, due_in=chance.randint(-5, 10)), as_of=START - timedelta(days=1))),
        LenderBooks(american),
        LenderBooks(replace(_on_channels(chance), as_of=START - timedelta(days=1))),
    ]
    books[1].facts = replace(books[1].facts, lender=lot.choice([books[1].facts.lender, SILENT, CONTROLLED]))
    books[3].facts = replace(books[3].facts, lender=lot.choice([CHANNELS, SILENT_CHANNELS]))
    news = [
        Mail(f"control {number}", "control", lot.choice(list(CONTROLS)), START + timedelta(days=lot.randrange(DAYS)))
        for number in range(3)
    ]
    moments = sorted(START + timedelta(minutes=chance.randrange(DAYS * 24 * 60)) for _ in range(chance.randint(8, 30)))
    for number, at in enumerate(moments):
        tell = chance.choice(_HAPPENINGS)
        news += tell(chance, chance.choice(books), at, f"{number}")
    for day in range(DAYS):
        news.append(Mail(f"closing {day}", "closing", "", START + timedelta(days=day, hours=20)))
    return books, news


def _on_channels(chance: Random) -> Facts:
    """Return a customer who is reached by LINE, by mail and by text."""
    facts = someone(4, due_in=chance.randint(-5, 10))
    return replace(facts, lender=CHANNELS, email="someone@example.com", line_user_id="U" + "c4" * 16)


def _late(chance: Random, at: datetime) -> datetime:
    """Return when news arrives: mostly at once, sometimes a day late."""
    return at + timedelta(minutes=chance.choice([0, 0, 0, 1, 7, 90, 1500]))


def _told(chance: Random, kind: str, book: LenderBooks, at: datetime, number: str, **detail: object) -> list[Mail]:
    """Write an event, which may come twice."""
    body = event_body(kind, book.facts.customer_id, at, **detail)
    mails = [Mail(f"{kind} {number}", "event", body, _late(chance, at))]
    if chance.random() < _AGAIN:
        mails.append(Mail(f"{kind} {number} again", "event", body, _late(chance, at)))
    return mails


def _pays(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    account_id, instalment, amount = book.instalment
    if book.is_erased or book.is_closed:
        return []
    book.paid = chance.choice([0, amount // 2, amount])
    currency = book.facts.accounts[0].currency
    return _told(
        chance, "InstalmentPaid", book, at, number,
        account_id=account_id, instalment_no=instalment, paid=book.paid, currency=currency,
    )  # fmt: skip


def _holds(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    if book.is_erased:
        return []
    book.is_held = not book.is_held
    kind = "CustomerHold" if book.is_held else "CustomerReleased"
    return _told(chance, kind, book, at, number, reason="dispute")


def _closes(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    if book.is_erased or chance.random() < 0.7:
        return []
    book.is_closed = True
    return _told(chance, "AccountClosed", book, at, number, account_id=book.instalment[0])


def _erases(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    if chance.random() < 0.8:
        return []
    book.is_erased = True
    return _told(chance, "CustomerErased", book, at, number)


def _loads(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    if book.is_erased:
        return []
    name = f"file {number}"
    LOADED[name] = book.as_file(at)
    return [Mail(name, "load", name, _late(chance, at))]


def _answers(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    intent = chance.choice([*ReplyIntent, "?opt_out", "?hardship", ""])
    body = reply_body(f"in-{number}", book.facts.phone, str(intent), at)
    if book.facts.line_user_id and chance.random() < 0.5:
        written = ChannelMessage(Channel.LINE, book.facts.line_user_id, f"in-{number}", at, str(intent))
        body = channel_message_body(written)
    return [Mail(f"reply {number}", "reply", body, _late(chance, at))]


def _replans(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    del chance, book
    return [Mail(f"replan {number}", "part", replan_body(ReplanPart(0, 1, "")), at)]


def _switches(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    del book
    on = at + timedelta(minutes=chance.randrange(2000))
    return [Mail(f"off {number}", "switch", "off", at), Mail(f"on {number}", "switch", "on", on)]


def _blocks(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    if not book.facts.line_user_id:
        return []
    event = (chance.choice(["follow", "unfollow"]), f"01{number}", at)
    return [Mail(f"block {number}", "channel", line_body(event, user=book.facts.line_user_id), _late(chance, at))]


def _moves_mailbox(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    if not book.facts.email or book.is_erased:
        return []
    book.facts = replace(book.facts, email=f"someone{number}@example.com")
    return _told(
        chance, "AddressChanged", book, at, number, schema_version=2, channel="email", address=book.facts.email
    )


def _attends(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    if book.is_erased:
        return []
    return _told(chance, "CustomerAttended", book, at, number, schema_version=2, outcome="called_back")


def _consents(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    if book.is_erased:
        return []
    given = chance.choice([None, at.isoformat()])
    return _told(
        chance, "ConsentChanged", book, at, number, schema_version=2, channel=chance.choice(["email", "line"]),
        consented_at=given,
    )  # fmt: skip


def _reschedules(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    """The instalment falls due on another day, and comes to another amount."""
    if book.is_erased or book.is_closed:
        return []
    account = book.facts.accounts[0]
    instalment = account.instalments[0]
    changed = replace(
        instalment,
        due_on=instalment.due_on + timedelta(days=chance.randint(-3, 20)),
        amount=instalment.amount + chance.choice([0, 1_000, 50_000]),
    )
    book.facts = replace(book.facts, accounts=(replace(account, instalments=(changed,)),))
    return _told(
        chance, "InstalmentChanged", book, at, number, account_id=account.account_id, instalment_no=changed.number,
        due_on=changed.due_on.isoformat(), amount=changed.amount, currency=account.currency,
    )  # fmt: skip


def _gateways(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    """A gateway is out for a while, and the services report other things than before."""
    del book
    back = at + timedelta(minutes=chance.randrange(2000))
    reports = {
        "email": chance.choice(["", "send", "delivery", "bounce", "full"]),
        "sms": chance.choice(["", "pending", "delivered", "invalid", "unreachable"]),
    }
    return [
        Mail(f"reports of {number}", "reports of", json.dumps(reports), at),
        Mail(f"out {number}", "out", chance.choice(["line", "email", "sms"]), at),
        Mail(f"back {number}", "out", "", back),
    ]


def _reports(chance: Random, book: LenderBooks, at: datetime, number: str) -> list[Mail]:
    del book
    return [Mail(f"reports {number}", "reports", chance.choice(["", "delivered", *REPORTS.values()]), at)]


_HAPPENINGS: list[Callable[[Random, LenderBooks, datetime, str], list[Mail]]] = [
    _pays, _pays, _holds, _holds, _closes, _erases, _loads, _loads, _answers, _answers, _answers, _replans, _switches,
    _reports, _blocks, _moves_mailbox, _gateways, _attends, _consents, _reschedules,
]  # fmt: skip


def _lost(books: list[LenderBooks], world: World, news: list[Mail]) -> list[str]:
    """Hold our tables against the lender's books, and against the replies that came."""
    lost: list[str] = []
    today = (START + timedelta(days=DAYS)).date()
    for book in books:
        customer = customer_at(world.rows, book.facts.customer_id)
        record = customer.record
        if record is None or (record.erased_at is not None) != book.is_erased:
            lost.append(f"{LOST_NEWS}: an erasure")
        elif not book.is_erased:
            if bool(open_instalments_of(record)) != book.is_open:
                lost.append(f"{LOST_NEWS}: what is paid")
            if bool(is_held_by_lender(record, today)) != book.is_held:
                lost.append(f"{LOST_NEWS}: a hold or a release")
    kept = " ".join(key[2] for key in world.rows if key[0] == CONTACTS and key[2].startswith("reply#"))
    is_anybody_erased = any(book.is_erased for book in books)
    lost += [
        f"{LOST_NEWS}: a reply"
        for mail in news
        if mail.kind == "reply" and f"#in-{mail.name.removeprefix('reply ')}" not in kept and not is_anybody_erased
    ]
    return lost
