"""Real concurrency: what many clients at once do to the tables, seen from outside. `make races` shows more of it."""

import pytest

from tests.devtools.races import on_stand_in, race, sabotage

pytestmark = pytest.mark.stand_in


@pytest.mark.slow(reason="50 clients in four processes, all contests once, and then with each planted fault")
def test_no_race_is_won_twice_and_no_answer_is_untrue_and_planted_faults_are_caught() -> None:
    with on_stand_in() as engine:
        assert race(engine, 1, print) == []
        assert sabotage(engine, print) == []
