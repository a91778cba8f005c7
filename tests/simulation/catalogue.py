"""The catalogue: all scenarios, by name."""

from tests.simulation.channel_scenarios import CHANNEL_SCENARIOS
from tests.simulation.scenarios import SCENARIOS

BY_NAME = {scenario.name: scenario for scenario in (*SCENARIOS, *CHANNEL_SCENARIOS)}
assert len(BY_NAME) == len(SCENARIOS) + len(CHANNEL_SCENARIOS)
