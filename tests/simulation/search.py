"""
The search: every schedule within the budgets, depth first.

Situations that are equal have one future. So each is entered once, and again only with a budget that no earlier visit
had. That loses nothing: what can happen in a situation depends on it and on the budgets alone. The number of schedules
is worked out over the graph of situations: it is the number of paths, and each path is a schedule that a search without
this reduction would have to run.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.simulation.simulator import Move, Simulator, Situation


class Budget(NamedTuple):
    """How many faults may happen, and how often another program may have its turn in the middle of one."""

    faults: int
    switches: int


BOUNDS = (Budget(3, 0), Budget(2, 1), Budget(1, 2), Budget(0, 4))
"""All schedules within one of these are explored."""

type Judge = Callable[[Situation, Move], Sequence[str]]
"""Says which promises a move breaks, by what is stored before it and after it."""

type Ending = Callable[[Situation], Sequence[str]]
"""Goes on to the end from a situation in which nothing is left to choose, and says which promises are broken there."""


class Breach(NamedTuple):
    """A broken promise, and the moves that lead to it."""

    promise: str
    moves: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Explored:
    """What a search has covered."""

    schedules: int = 0
    situations: int = 0
    moves: int = 0
    histories: int = 0
    endings: int = 0
    faults: int = 0
    duplicates: int = 0
    texts: int = 0
    lives: int = 0
    seconds: float = 0.0
    """Of CPU."""
    breaches: list[Breach] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)
    """How many schedules break a promise, by the promise; counted as moves or endings that break it."""

    def add(self, other: "Explored") -> None:
        """Add what another search has covered."""
        for name in ("schedules", "situations", "moves", "histories", "endings", "faults", "duplicates", "texts"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.lives += other.lives
        self.seconds += other.seconds
        for promise, count in other.broken.items():
            self.broken[promise] = self.broken.get(promise, 0) + count


class _Place:
    """A situation in the graph: its moves as far as they were asked for, and the budgets it was visited with."""

    __slots__ = ("budgets", "faulty", "plain", "situation", "switching")

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.plain: list[tuple[int, int, int]] | None = None
        self.faulty: list[tuple[int, int, int]] | None = None
        self.switching: list[tuple[int, int, int]] | None = None
        self.budgets: list[Budget] = []

    def edges(self, budget: Budget) -> Iterator[tuple[int, int, int]]:
        """Yield the moves that a budget allows: faults, switches, and where to."""
        yield from self.plain or ()
        if budget.faults:
            yield from self.faulty or ()
        if budget.switches:
            yield from self.switching or ()

    @property
    def is_end(self) -> bool:
        return not self.plain


class Search:
    """One exploration of all schedules from a situation."""

    def __init__(self, simulator: Simulator, judge: Judge, ending: Ending, *, prunes: bool = True) -> None:
        self._simulator = simulator
        self._judge = judge
        self._ending = ending
        self._prunes = prunes
        self._places: list[_Place] = []
        self._numbers: dict[Situation, int] = {}
        self._breaches: dict[int, list[tuple[str, int, int, str]]] = defaultdict(list)
        self._at_the_end: dict[int, Sequence[str]] = {}
        self.explored = Explored()

    def run(self, start: Situation, bounds: Sequence[Budget] = BOUNDS, *, until: float = float("inf")) -> Explored:
        """Explore all schedules within any of the bounds. `until` ends the search early, by the monotonic clock."""
        began = time.process_time()
        root = self._number(start)
        for bound in bounds:
            self._visit(root, bound, until)
        explored = self.explored
        explored.situations = len(self._places)
        explored.histories = self._simulator.theatre.played
        explored.endings = len(self._at_the_end)
        explored.schedules = _Counts(self._places).of(root, tuple(bounds))
        explored.breaches = self._shortest(root, bounds)
        explored.seconds = time.process_time() - began
        return explored

    def _number(self, situation: Situation) -> int:
        number = self._numbers.get(situation) if self._prunes else None
        if number is None:
            number = len(self._places)
            self._places.append(_Place(situation))
            self._numbers[situation] = number
        return number

    def _visit(self, root: int, bound: Budget, until: float) -> None:
        stack = [(root, bound)]
        while stack:
            number, budget = stack.pop()
            place = self._places[number]
            if any(known.faults >= budget.faults and known.switches >= budget.switches for known in place.budgets):
                continue
            if time.monotonic() > until:
                raise TimeoutError
            place.budgets = [
                known for known in place.budgets if known.faults > budget.faults or known.switches > budget.switches
            ]
            place.budgets.append(budget)
            self._expand(number, place, budget)
            onward = [
                (to, Budget(budget.faults - faults, budget.switches - switches))
                for faults, switches, to in place.edges(budget)
            ]
            stack += reversed(onward)

    def _expand(self, number: int, place: _Place, budget: Budget) -> None:
        here = place.situation
        if place.plain is None:
            place.plain = [self._edge(number, move) for move in self._simulator.plain(here)]
            if not place.plain:
                self._at_the_end[number] = self._ending(here)
                for promise in self._at_the_end[number]:
                    self._break(promise)
        if budget.faults and place.faulty is None:
            place.faulty = [self._edge(number, move) for move in self._simulator.faulty(here)]
        if budget.switches and place.switching is None:
            place.switching = [self._edge(number, move) for move in self._simulator.switching(here)]

    def _edge(self, number: int, move: Move) -> tuple[int, int, int]:
        explored = self.explored
        explored.moves += 1
        explored.faults += move.faults
        explored.texts += len(move.to.world.texts) > len(self._places[number].situation.world.texts)
        explored.duplicates += move.step.kind == "begins" and is_delivered_again(move)
        for promise in self._judge(self._places[number].situation, move):
            self._break(promise)
            self._breaches[number].append((promise, move.faults, move.switches, move.word))
        return move.faults, move.switches, self._number(move.to)

    def _break(self, promise: str) -> None:
        self.explored.broken[promise] = self.explored.broken.get(promise, 0) + 1

    def _shortest(self, root: int, bounds: Sequence[Budget]) -> list[Breach]:
        """Return for each broken promise a schedule that breaks it: the fewest faults and switches, then moves."""
        if not self.explored.broken:
            return []
        found: dict[str, Breach] = {}
        frontier: list[tuple[int, Budget, tuple[str, ...]]] = []
        seen: set[tuple[int, Budget]] = set()
        spent_of: dict[int, list[tuple[int, Budget, tuple[str, ...]]]] = defaultdict(list)
        spent_of[0].append((root, Budget(0, 0), ()))
        for spent in range(max(sum(bound) for bound in bounds) + 1):
            frontier = spent_of[spent]
            while frontier:
                onward: list[tuple[int, Budget, tuple[str, ...]]] = []
                for number, used, words in frontier:
                    if (number, used) in seen:
                        continue
                    seen.add((number, used))
                    for promise in self._at_the_end.get(number, ()):
                        found.setdefault(promise, Breach(promise, words))
                    for promise, faults, switches, word in self._breaches.get(number, ()):
                        after = Budget(used.faults + faults, used.switches + switches)
                        if _is_within(after, bounds):
                            found.setdefault(promise, Breach(promise, (*words, word)))
                    onward += self._onward(number, used, words, bounds, spent, spent_of)
                frontier = onward
            if len(found) == len(self.explored.broken):
                break
        return list(found.values())

    def _onward(
        self,
        number: int,
        used: Budget,
        words: tuple[str, ...],
        bounds: Sequence[Budget],
        spent: int,
        spent_of: dict[int, list[tuple[int, Budget, tuple[str, ...]]]],
    ) -> list[tuple[int, Budget, tuple[str, ...]]]:
        here = self._places[number].situation
        free: list[tuple[int, Budget, tuple[str, ...]]] = []
        for move in moves_of(self._simulator, here):
            after = Budget(used.faults + move.faults, used.switches + move.switches)
            if not _is_within(after, bounds) or move.to not in self._numbers:
                continue
            entry = (self._numbers[move.to], after, (*words, move.word))
            if sum(after) == spent:
                free.append(entry)
            else:
                spent_of[sum(after)].append(entry)
        return free


def moves_of(simulator: Simulator, here: Situation) -> Iterator[Move]:
    """Yield all moves of a situation, whatever they cost. The first is taken where a replay says nothing."""
    yield from simulator.plain(here)
    yield from simulator.faulty(here)
    yield from simulator.switching(here)


def _is_within(used: Budget, bounds: Sequence[Budget]) -> bool:
    return any(used.faults <= bound.faults and used.switches <= bound.switches for bound in bounds)


def is_delivered_again(move: Move) -> bool:
    """Tell whether a delivery repeats an earlier one: of the same message, or of another with the same words."""
    name, _, receives = move.step.label.rpartition("/")
    mails = move.to.world.mail
    bodies = [mail.body for mail in mails if mail.name == name]
    return receives != "1" or any(mail.body in bodies and mail.receives and mail.name != name for mail in mails)


class _Counts:
    """Counts the schedules from a situation on within any of some bounds: one for each way to an end."""

    def __init__(self, places: Sequence[_Place]) -> None:
        self._places = places
        self._known: dict[tuple[int, tuple[Budget, ...]], int] = {}

    def of(self, root: int, bounds: tuple[Budget, ...]) -> int:
        known = self._known
        stack = [(root, bounds)]
        while stack:
            key = stack[-1]
            if key in known:
                stack.pop()
                continue
            number, left = key
            place = self._places[number]
            onward = [
                (to, after)
                for faults, switches, to in place.edges(
                    Budget(max(b.faults for b in left), max(b.switches for b in left))
                )
                if (after := _spent(left, faults, switches))
            ]
            missing = [entry for entry in onward if entry not in known]
            if missing:
                stack += missing
                continue
            # An end is a schedule, and so is each way on: what is done may be delivered once more.
            known[key] = place.is_end + sum(known[entry] for entry in onward)
            stack.pop()
        return known[root, bounds]


def _spent(bounds: tuple[Budget, ...], faults: int, switches: int) -> tuple[Budget, ...]:
    """Return what is left of the bounds that allow a move."""
    if not faults and not switches:
        return bounds
    return tuple(
        Budget(bound.faults - faults, bound.switches - switches)
        for bound in bounds
        if bound.faults >= faults and bound.switches >= switches
    )
