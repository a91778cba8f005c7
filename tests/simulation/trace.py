"""Traces: one schedule step by step, in words, from the moves that make it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dunning.adapters.dynamodb.items import standing_of
from tests.simulation.ending import judge_scenario, live_on
from tests.simulation.promises import judge_move
from tests.simulation.scenarios import Scenario
from tests.simulation.search import moves_of
from tests.simulation.simulator import Move, Simulator, Situation
from tests.simulation.tables import CUSTOMERS, TOKENS
from tests.simulation.workers import Call, label_of_claim

ALL_GOES_WELL = "none"
"""The replay of the schedule that takes the first move everywhere."""


class UnknownMoveError(Exception):
    """A replay names a move that the situation does not have."""


def parse_replay(written: str) -> dict[int, str]:
    """Read `5=dies-after,12=to:job/1`: by the number of the step, the moves that are not the first of their place."""
    moves: dict[int, str] = {}
    for part in written.split(",") if written != ALL_GOES_WELL else ():
        number, _, word = part.partition("=")
        moves[int(number)] = word
    return moves


def replay_of(words: Sequence[str], simulator: Simulator, start: Situation) -> str:
    """Write a schedule for a replay command."""
    here, written = start, []
    for number, word in enumerate(words):
        moves = list(moves_of(simulator, here))
        if moves[0].word != word:
            written.append(f"{number}={word}")
        here = next(move.to for move in moves if move.word == word)
    return ",".join(written) or ALL_GOES_WELL


def schedule(simulator: Simulator, start: Situation, replay: Mapping[int, str]) -> Iterator[tuple[Situation, Move]]:
    """Yield the situations and moves of a schedule up to the point where nothing is left to choose."""
    here, number = start, 0
    while True:
        moves = list(moves_of(simulator, here))
        if not moves or (not next(iter(simulator.plain(here)), None) and number not in replay):
            return
        word = replay.get(number, moves[0].word)
        move = next((move for move in moves if move.word == word), None)
        if move is None:
            known = ", ".join(move.word for move in moves)
            raise UnknownMoveError(f"step {number}: there is no move {word}; there are: {known}")
        yield here, move
        here, number = move.to, number + 1


def retold(scenario: Scenario, simulator: Simulator, replay: Mapping[int, str]) -> tuple[list[str], Sequence[str]]:
    """Return the lines of a trace, and the promises that its schedule breaks."""
    lines: list[str] = []
    broken: list[str] = []
    last = scenario.start()
    for number, (here, move) in enumerate(schedule(simulator, last, replay)):
        found = judge_move(here, move)
        broken += found
        lines += lines_of(f"{number:3}", here, move, found)
        last = move.to
    lines.append("    everything is delivered until it is done, without faults:")

    def witness(here: Situation, move: Move) -> None:
        lines.extend(lines_of("   ", here, move, judge_move(here, move)))

    last = live_on(simulator, last, scenario.wakes, broken, witness)
    broken = list(judge_scenario(scenario, last, broken))
    return lines, broken


def lines_of(number: str, here: Situation, move: Move, found: Sequence[str]) -> list[str]:
    """Return the lines of one step: who, which call, what happened to it, what was stored, and what it breaks."""
    step = move.step
    clock = move.to.now.strftime("%d %b %H:%M:%S")
    if step.kind in {"begins", "goes on"}:
        again = f" ({step.fault.value})" if step.fault else ""
        lines = [f"{number} {clock}  {step.label:16} {step.kind}{again}"]
    else:
        call = step.call
        assert isinstance(call, Call)
        what = f"{call.port} {call.operation}" + "".join(f" {'/'.join(filter(None, key[1:]))}" for key in call.keys)
        how = {"half": "is read by half, and another program has its turn", "repeats": "is repeated by the SDK"}
        happened = how.get(step.kind) or (step.fault.value if step.fault else _answered(move))
        lines = [f"{number} {clock}  {step.label:16} {what}: {happened}"]
    lines += [f"{'':20}      {line}" for line in _stored(here, move)]
    if step.result is not None:
        end = (
            f"fails ({step.result.error})"
            if step.result.error
            else "ends"
            if step.result.done
            else "asks for the message again"
        )
        lines.append(f"{'':20}      {step.label} {end}")
    lines += [f"{'':20}  >>> BROKEN: {promise}" for promise in found]
    return lines


def _answered(move: Move) -> str:
    answer = move.step.answer
    if answer is None:
        return "done"
    if answer.error is not None:
        return f"refused ({type(answer.error()).__name__})" if isinstance(answer.key, tuple) else "failed"
    return "ok"


def _stored(here: Situation, move: Move) -> Iterator[str]:
    """Say what a move stored, in a few words."""
    was, after = here.world, move.to.world
    for key, row in after.rows.items():
        if was.rows.get(key) is not row and key[0] != TOKENS:
            yield f"stored {'/'.join(filter(None, key))}: {_digest(key[0], row.item)}"
    for key in was.rows:
        if key not in after.rows:
            yield f"deleted {'/'.join(filter(None, key))}"
    for text in after.texts[len(was.texts) :]:
        what = "a text" if text.channel == "sms" else f"a message by {text.channel}"
        yield f"the carrier takes {what} to {text.address[:6]}...: {text.words[:40]}..."
    for mail in after.mail[len(was.mail) :]:
        yield f"posted {mail.name}"
    if after.noted_at != was.noted_at:
        yield "noted that news has failed"
    for alarm in sorted(after.alarms - was.alarms):
        yield f"alarm {alarm}"


def _digest(table: str, item: Mapping[str, Any]) -> str:
    shown = ("version", "revision", "reason", "wake_key", "state", "code", "opted_out_at", "erased_at")
    found = [f"{name} {next(iter(item[name].values()))}" for name in shown if name in item]
    if table == CUSTOMERS and "ledger" in item:
        claims = [label_of_claim(entry.claim_id) or "earlier" for entry in standing_of(item).ledger]
        found.append(f"claims in the ledger: {', '.join(claims)}")
    return ", ".join(found) or "..."
