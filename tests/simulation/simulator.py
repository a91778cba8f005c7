"""
The simulator: a situation, and the moves that lead on from it.

A situation is all that decides what may happen next: what is stored at all ports, the time, and where each program
stands. Programs are deterministic, so two situations that are equal have one future, and the search visits it once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from tests.simulation.cast import HIDDEN_FOR, Cast, label_of
from tests.simulation.faults import KINDS, SEEN_BY_OTHERS, Fault
from tests.simulation.tables import Stored, read_batch
from tests.simulation.workers import Answer, Call, Node, Result, Theatre
from tests.simulation.world import Mail, World, answer_of, effect_of

MOST_RECEIVES = 9
"""A message that has been delivered so often, and is not done, is never done."""


class Half(NamedTuple):
    """A batch read by half: which keys have been read, and what was found."""

    is_first: bool
    found: tuple[Stored | None, ...]


class Worker(NamedTuple):
    """A program that is running: its message, where it stands, and what of its present call is done already."""

    mail: int
    node: Node
    half: Half | None = None
    repeats: bool = False


class Situation(NamedTuple):
    """What decides what may happen next. `turn` is the worker that has the turn, -1 if none; it `has_moved` or not."""

    world: World
    now: datetime
    workers: tuple[Worker, ...] = ()
    turn: int = -1
    has_moved: bool = False


class Step(NamedTuple):
    """What happened in a move, for promises and traces."""

    kind: str
    """`call`, `begins`, `goes on`, `half`, or `repeats`."""
    label: str
    call: object = None
    fault: Fault | None = None
    answer: Answer | None = None
    result: Result | None = None


class Move(NamedTuple):
    """A way to go on: its word in a replay command, what it costs of the budgets, where it leads, and what happens."""

    word: str
    faults: int
    switches: int
    to: Situation
    step: Step


@dataclass(slots=True)
class Simulator:
    """Knows the moves of a situation."""

    cast: Cast = field(default_factory=Cast)
    theatre: Theatre = field(default_factory=Theatre)

    def plain(self, here: Situation) -> Iterator[Move]:
        """Yield the moves that cost nothing: the program goes on, or, at the end of one, another begins or goes on."""
        if here.turn >= 0:
            yield self._call(here, None)
            return
        for place, worker in enumerate(here.workers):
            yield self._resumes(here, place, worker, switches=0)
        for number, mail in enumerate(here.world.mail):
            if not (mail.is_done or mail.is_later or mail.in_hand):
                yield self.begin(here, number, mail)
        # Copies are duplicates: another delivery of a message that is in hand or done already.
        for number, mail in enumerate(here.world.mail):
            if mail.copies and (mail.in_hand or mail.is_done):
                yield self.begin(here, number, mail)

    def faulty(self, here: Situation) -> Iterator[Move]:
        """Yield the moves that cost a fault: of the present call, or a message that is done and comes once more."""
        if here.turn >= 0:
            worker = here.workers[here.turn]
            if worker.half is not None or worker.repeats:
                return
            call = worker.node.call
            assert call is not None
            if not worker.node.calls:
                yield self._call(here, Fault.DIES_BEFORE)
            for kind in KINDS[call.port, call.operation]:
                if not _is_of_several(call, kind) or _entries(call) > 1:
                    yield self._call(here, kind)
            return
        for number, mail in enumerate(here.world.mail):
            if mail.is_done and not mail.is_later and not mail.in_hand and mail.receives < 2:
                begun = self.begin(here, number, mail)
                yield begun._replace(
                    word=f"again:{mail.name}", faults=1, step=begun.step._replace(fault=Fault.DELIVERED_AGAIN)
                )

    def switching(self, here: Situation) -> Iterator[Move]:
        """Yield the moves that cost a switch: another program has its turn before, or in the middle of, a call."""
        if here.turn < 0:
            return
        worker = here.workers[here.turn]
        call = worker.node.call
        assert call is not None
        if call.port not in SEEN_BY_OTHERS:
            return
        if here.has_moved:
            yield from self._others(here, here.turn)
        if call.operation == "batch_get_item" and len(call.keys) > 1 and worker.half is None:
            for is_first in (True, False):
                keys = call.keys[:1] if is_first else call.keys[1:]
                half = Half(is_first, tuple(here.world.rows.get(key) for key in keys))
                workers = _with(here.workers, here.turn, worker._replace(half=half))
                torn = here._replace(workers=workers, has_moved=True)
                side = "first" if is_first else "rest"
                step = Step("half", worker.node.program.label, call)
                for move in self._others(torn, here.turn):
                    yield move._replace(word=f"{side}-then-{move.word}", step=step)

    def _others(self, here: Situation, turn: int) -> Iterator[Move]:
        for place, worker in enumerate(here.workers):
            if place != turn:
                yield self._resumes(here, place, worker, switches=1)
        for number, mail in enumerate(here.world.mail):
            is_waiting = not (mail.is_done or mail.is_later or mail.in_hand)
            if is_waiting or (mail.copies and (mail.in_hand or mail.is_done)):
                yield self.begin(here, number, mail, switches=1)

    def _resumes(self, here: Situation, place: int, worker: Worker, *, switches: int) -> Move:
        label = worker.node.program.label
        to = here._replace(turn=place, has_moved=False)
        return Move(f"to:{label}", 0, switches, to, Step("goes on", label))

    def begin(self, here: Situation, number: int, mail: Mail, *, switches: int = 0) -> Move:
        """Deliver a message: its program begins. Time moves on to the moment from which it may be delivered."""
        is_copy = mail.in_hand > 0 or mail.is_done
        now = max(here.now, mail.ready_at)
        taken = mail._replace(
            ready_at=now + HIDDEN_FOR.get(mail.kind, HIDDEN_FOR["job"]),
            receives=mail.receives + 1,
            in_hand=mail.in_hand + 1,
            is_done=False,
            copies=mail.copies - (is_copy and mail.copies > 0),
        )
        world = here.world._replace(mail=_with(here.world.mail, number, taken))
        script = self.cast.script(taken)
        node = self.theatre.begin(script, now)
        move = Move(f"begin:{mail.name}", 0, switches, here, Step("begins", script.label, result=node.result))
        if node.result is not None:
            to = self._ended(here._replace(world=world, now=now), -1, Worker(number, node), node.result)
            return move._replace(to=to)
        workers = (*here.workers, Worker(number, node))
        return move._replace(to=Situation(world, now, workers, len(workers) - 1))

    def _call(self, here: Situation, fault: Fault | None) -> Move:
        """Let the present call happen."""
        worker = here.workers[here.turn]
        node, call = worker.node, worker.node.call
        assert call is not None
        label = node.program.label
        word = fault.word if fault else "ok"
        if worker.half is not None:
            answer: Answer | None = self._second_half(here, worker)
            world = here.world
        else:
            world, answer = effect_of(here.world, call, fault, here.now, label)
        cost = 1 if fault else 0
        if fault is Fault.REPEATED and answer is None:
            workers = _with(here.workers, here.turn, worker._replace(repeats=True))
            to = Situation(world, here.now, workers, here.turn, has_moved=True)
            return Move(word, cost, 0, to, Step("call", label, call, fault))
        if answer is None:
            to = self._ended(here._replace(world=world), here.turn, worker, None)
            return Move(word, cost, 0, to, Step("call", label, call, fault))
        after = self.theatre.go_on(node, answer, here.now)
        step = Step("repeats" if worker.repeats else "call", label, call, fault, answer, after.result)
        if after.result is not None:
            to = self._ended(here._replace(world=world), here.turn, worker, after.result)
        else:
            workers = _with(here.workers, here.turn, Worker(worker.mail, after))
            to = Situation(world, here.now, workers, here.turn, has_moved=True)
        return Move(word, cost, 0, to, step)

    def _second_half(self, here: Situation, worker: Worker) -> Answer:
        call, half = worker.node.call, worker.half
        assert call is not None
        assert half is not None
        rows = here.world.rows
        if half.is_first:
            found = (*half.found, *(rows.get(key) for key in call.keys[1:]))
        else:
            found = (rows.get(call.keys[0]), *half.found)
        return answer_of(read_batch(rows, call.request, call.keys, found))

    def _ended(self, here: Situation, turn: int, worker: Worker, result: Result | None) -> Situation:
        """
        Return the situation after the end of a program; without a result it died.

        Only the newest delivery of a message decides whether the message is done. To its queue an earlier delivery has
        failed, however long its program lives.
        """
        mail = here.world.mail[worker.mail]
        is_newest = worker.node.program.label == label_of(mail)
        is_done = (result is not None and result.done) if is_newest else mail.is_done
        put_back = mail._replace(in_hand=mail.in_hand - 1, is_done=is_done)
        alarms = here.world.alarms | result.alarms if result is not None else here.world.alarms
        unseen = here.world.unseen
        if not is_newest and (result is None or not result.done):
            unseen |= {worker.node.program.label}
        mails = _with(here.world.mail, worker.mail, put_back)
        world = here.world._replace(mail=mails, alarms=alarms, unseen=unseen)
        workers = here.workers if turn < 0 else here.workers[:turn] + here.workers[turn + 1 :]
        return Situation(world, here.now, workers, -1)


def _is_of_several(call: Call, kind: Fault) -> bool:
    """Tell whether a fault does only a part of what is asked, so that it needs several entries."""
    return kind is Fault.IN_PART or (kind is Fault.THROTTLED and call.operation == "batch_get_item")


def _entries(call: Call) -> int:
    """Count what a call asks for at once: keys, messages, or events."""
    if call.port == "queue":
        _, bodies, _ = call.request
        return len(bodies)
    return len(call.keys) if call.port == "table" else len(call.request)


def _with[T](entries: tuple[T, ...], place: int, entry: T) -> tuple[T, ...]:
    return (*entries[:place], entry, *entries[place + 1 :])
