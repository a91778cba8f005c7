"""The search of the proof: it visits every schedule, keeps to its budgets, and loses no failure by its reduction."""

from collections import Counter
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from dunning.services.send.sender import SendService
from tests.simulation.catalogue import BY_NAME
from tests.simulation.ending import ending_of
from tests.simulation.promises import judge_move
from tests.simulation.prove import explore, findings_of
from tests.simulation.search import Budget, Explored, Search
from tests.simulation.simulator import Simulator, Situation
from tests.simulation.trace import UnknownMoveError, parse_replay, retold


def every_path(simulator: Simulator, here: Situation, left: Budget) -> Iterator[tuple[int, int]]:
    """Walk every schedule by itself, as a search without any memory does, and yield what each has spent."""
    moves = list(simulator.plain(here))
    if not moves:
        yield 0, 0  # an end, unless what is done is delivered once more
    moves += [*simulator.faulty(here), *simulator.switching(here)]
    for move in moves:
        if move.faults <= left.faults and move.switches <= left.switches:
            after = Budget(left.faults - move.faults, left.switches - move.switches)
            for faults, switches in every_path(simulator, move.to, after):
                yield faults + move.faults, switches + move.switches


def searched(name: str, *bounds: Budget, prunes: bool = True) -> Explored:
    simulator = Simulator()
    scenario = BY_NAME[name]
    return Search(simulator, judge_move, ending_of(scenario, simulator), prunes=prunes).run(scenario.start(), bounds)


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("send", Budget(0, 0)),
        ("send", Budget(2, 0)),
        ("send x hold", Budget(0, 1)),
        ("send x hold", Budget(1, 0)),
        ("send x redelivery", Budget(0, 2)),
    ],
)
def test_as_many_schedules_are_counted_as_there_are_without_the_reduction(name: str, bound: Budget) -> None:
    paths = Counter(every_path(Simulator(), BY_NAME[name].start(), bound))
    assert searched(name, bound).schedules == paths.total()
    assert all(faults <= bound.faults and switches <= bound.switches for faults, switches in paths)
    assert max(paths) >= (bound.faults, 0), "the budget is spent"


def test_a_schedule_within_two_bounds_is_counted_once() -> None:
    alone = {bound: searched("send x hold", bound).schedules for bound in (Budget(1, 0), Budget(0, 1), Budget(0, 0))}
    together = searched("send x hold", Budget(1, 0), Budget(0, 1)).schedules
    assert together == alone[Budget(1, 0)] + alone[Budget(0, 1)] - alone[Budget(0, 0)]


def test_the_reduction_visits_fewer_situations_and_no_other_schedules() -> None:
    with_it, without = (searched("send", Budget(2, 0), prunes=prunes) for prunes in (True, False))
    assert with_it.schedules == without.schedules == without.endings
    assert with_it.situations < without.situations / 2


@pytest.mark.slow(reason="every schedule is played by itself")
@pytest.mark.parametrize("name", ["send", "send x duplicate"])
def test_the_reduction_loses_no_failure(name: str) -> None:
    with patch.object(SendService, "_settle", lambda *_: None):
        with_it, without = (searched(name, Budget(1, 1), prunes=prunes) for prunes in (True, False))
    assert set(with_it.broken) == set(without.broken) != set()


def test_a_failure_is_found_with_the_fewest_faults_and_replayed_by_its_command() -> None:
    scenario = BY_NAME["send"]
    with patch.object(SendService, "_settle", lambda *_: None):
        findings = findings_of(scenario, explore(scenario, [Budget(2, 0)]))
        assert findings
        for promise, command, trace in findings:
            written = command.partition('REPLAY="')[2].rstrip('"')
            assert trace
            lines, broken = retold(scenario, Simulator(), parse_replay(written))
            assert promise in broken
            assert (lines, broken) == retold(scenario, Simulator(), parse_replay(written))
    (without_record,) = [found for found in findings if found.promise == "a claim without an audit record"]
    assert len(parse_replay(without_record.command.partition('REPLAY="')[2].rstrip('"'))) == 1


def test_the_schedule_in_which_all_goes_well_can_be_replayed_too() -> None:
    lines, broken = retold(BY_NAME["send"], Simulator(), parse_replay("none"))
    assert broken == []
    assert sum("the carrier takes a text" in line for line in lines) == 3, "and two wakes are lived through"


def test_a_replay_that_names_an_unknown_move_says_which_there_are() -> None:
    with pytest.raises(UnknownMoveError, match="step 2: there is no move lots; there are: ok, unreadable, dies-after"):
        retold(BY_NAME["send"], Simulator(), parse_replay("2=lots"))


def test_two_runs_of_a_search_find_the_same() -> None:
    first, second = (searched("send x hold", Budget(1, 1)) for _ in range(2))
    assert (first.schedules, first.situations, first.moves) == (second.schedules, second.situations, second.moves)
