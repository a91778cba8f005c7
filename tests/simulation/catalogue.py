"""The catalogue: all scenarios, by name."""

from tests.simulation.chance_scenarios import CHANCE_SCENARIOS
from tests.simulation.channel_scenarios import CHANNEL_SCENARIOS
from tests.simulation.scenarios import SCENARIOS

_ALL = (*SCENARIOS, *CHANNEL_SCENARIOS, *CHANCE_SCENARIOS)
BY_NAME = {scenario.name: scenario for scenario in _ALL}
assert len(BY_NAME) == len(_ALL)
