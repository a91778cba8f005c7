"""
Workers: the programs under proof, which hand over control at each call of a port.

A program is deterministic: what it asks next depends on nothing but the answers so far, and on the time at each answer.
So a program is a tree of histories. Each history is played once, by the real code in a greenlet, and remembered. The
search walks the tree.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

_MOST_LIVE = 400
"""Programs that are kept where they stand, so that they go on without being played again."""


@dataclass(eq=False, slots=True)
class Call:
    """A call of a port: where, what, and with which request. `keys` name the items of a table that it is about."""

    port: str
    operation: str
    request: Any
    keys: tuple[tuple[str, str, str], ...] = ()


class Answer:
    """
    An answer: a value, or an error to be raised. Two answers with one `key` cannot be told apart by a program.

    `error` makes a new error each time, because a raised error keeps where it was raised.
    """

    __slots__ = ("error", "key", "value")

    def __init__(self, key: Hashable, value: Any = None, error: Callable[[], Exception] | None = None) -> None:  # noqa: ANN401 - whatever the port answers
        self.key = key
        self.value = value
        self.error = error


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a program: whether its message is done, the alarms it raised, and the error if it raised one."""

    done: bool
    alarms: frozenset[str] = frozenset()
    error: str = ""


class Ports:
    """What a program sees of the world. `now` is the time of the last answer."""

    def __init__(self, label: str, now: datetime) -> None:
        self.label = label
        self.alarms: set[str] = set()
        self.at = now
        self._hub = getcurrent()
        self._ids = 0

    def ask(self, call: Call) -> Any:  # noqa: ANN401 - whatever the port answers
        """Hand over control with a call, and return or raise the answer."""
        answer, self.at = self._hub.switch(call)
        if answer.error is not None:
            raise answer.error()
        return answer.value

    def new_id(self) -> str:
        """Return an id that no other program and no other delivery has."""
        self._ids += 1
        return claim_id_of(self.label, self._ids)


_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9]")
_WRITTEN = re.compile(r"_([0-9A-F]{2})")


def claim_id_of(label: str, number: int) -> str:
    """Return the id of a claim that a delivery makes: it tells whose it is, and services can bring it back."""
    return f"{_NOT_IN_AN_ID.sub(lambda sign: f'_{ord(sign[0]):02X}', label)}-{number}"


def label_of_claim(claim_id: str) -> str:
    """Return the delivery that made a claim."""
    return _WRITTEN.sub(lambda sign: chr(int(sign[1], 16)), claim_id.rpartition("-")[0])


type Program = Callable[[Ports], Result]


class Node:
    """One history of a program: where it stands after its answers. It has a call, or a result at its end."""

    __slots__ = ("answer", "at", "call", "calls", "children", "live", "parent", "program", "result")

    def __init__(self, program: "Script", parent: "Node | None", answer: Answer | None, at: datetime) -> None:
        self.program = program
        self.parent = parent
        self.answer = answer
        self.at = at
        self.calls: int = parent.calls + 1 if parent else 0
        self.call: Call | None = None
        self.result: Result | None = None
        self.children: dict[tuple[Hashable, datetime], Node] = {}
        self.live: greenlet | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A program: one delivery, by its label, of a message with a content. Two deliveries never share ids."""

    label: str
    content: Hashable
    play: Program = field(compare=False)


@dataclass(slots=True)
class Theatre:
    """Plays programs. `played` counts the histories that the real code was run for."""

    played: int = 0
    _roots: dict[tuple[Script, datetime], Node] = field(default_factory=dict)
    _live: OrderedDict[int, Node] = field(default_factory=OrderedDict)

    def begin(self, script: Script, now: datetime) -> Node:
        """Return the beginning of a program that starts at a moment."""
        node = self._roots.get((script, now))
        if node is None:
            node = Node(script, None, None, now)
            self._roots[script, now] = node
            self._enter(node, self._start(node), None)
        return node

    def go_on(self, node: Node, answer: Answer, now: datetime) -> Node:
        """Return where a program stands after an answer that comes at a moment."""
        child = node.children.get((answer.key, now))
        if child is None:
            child = Node(node.program, node, answer, now)
            node.children[answer.key, now] = child
            live, node.live = node.live, None
            if live is None:
                live = self._replayed(node)
            self._live.pop(id(node), None)
            self._enter(child, live, (answer, now))
        return child

    def _start(self, root: Node) -> greenlet:
        ports = Ports(root.program.label, root.at)
        play = root.program.play

        def run() -> Result:
            return play(ports)

        return greenlet(run)

    def _replayed(self, node: Node) -> greenlet:
        """Play a program again up to a history."""
        path: list[Node] = []
        step: Node | None = node
        while step is not None and step.parent is not None:
            path.append(step)
            step = step.parent
        assert step is not None
        live = self._start(step)
        live.switch()
        for passed in reversed(path):
            live.switch((passed.answer, passed.at))
        return live

    def _enter(self, node: Node, live: greenlet, message: object) -> None:
        self.played += 1
        came = live.switch() if message is None else live.switch(message)
        if isinstance(came, Result):
            node.result = came
            return
        assert isinstance(came, Call), f"a program ended with {came!r}"
        node.call, node.live = came, live
        self._live[id(node)] = node
        if len(self._live) > _MOST_LIVE:
            _, oldest = self._live.popitem(last=False)
            oldest.live = None


class InlinePool:
    """A pool of no threads: what is submitted is done at once, because its program has the turn."""

    @staticmethod
    def submit(work: Callable[..., Any], *arguments: object) -> Future[Any]:
        """Do the work, and keep its result or its error. A program that is given up ends here."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except GreenletExit:
            raise
        except Exception as error:  # noqa: BLE001 - as a thread's
            future.set_exception(error)
        return future
