"""Lives: a seed is one life, and a life is a life worth proving."""

from unittest.mock import patch

import pytest

from dunning.services.send.sender import SendService
from tests.simulation.catalogue import BY_NAME
from tests.simulation.lives import Life
from tests.simulation.prove import Task, do, tasks_of, tasks_of_lives
from tests.simulation.simulator import Move, Situation


def lived(seed: int) -> tuple[list[str], Life]:
    words: list[str] = []

    def witness(_: Situation, move: Move) -> None:
        words.append(f"{move.step.label} {move.word}")

    life = Life(seed, witness=witness)
    life.run()
    return words, life


@pytest.mark.slow(reason="two lives of 45 days")
def test_a_seed_is_one_life() -> None:
    (first, life), (second, _) = lived(3), lived(3)
    assert first == second
    assert life.explored.texts > 0
    assert life.explored.faults > 3
    assert life.explored.broken == {}


@pytest.mark.slow(reason="some lives of 45 days")
def test_a_sender_that_forgets_its_claims_is_found_out_in_some_life() -> None:
    with patch.object(SendService, "_settle", lambda *_: None):
        broken = {promise for seed in range(12) for promise in Life(seed).run().broken}
    assert broken


def test_the_tasks_of_the_proof_hold_every_scenario_and_every_seed_once() -> None:
    deep = [task.name for task in tasks_of(BY_NAME, deep=True)]
    assert sorted(deep) == sorted(BY_NAME)
    shallow = [task.name for task in tasks_of(BY_NAME, deep=False)]
    assert set(shallow) < set(deep)
    assert [seed for task in tasks_of_lives(40) for seed in task.seeds] == list(range(40))


@pytest.mark.slow(reason="a life of 45 days")
def test_a_task_of_lives_adds_them_up() -> None:
    _, explored, findings = do(Task("lives 0", "lives", seeds=(0,)))
    assert (explored.lives, explored.schedules, findings) == (1, 1, [])
