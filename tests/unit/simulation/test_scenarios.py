"""The scenarios: the proof has each event of a lender, and each reply, beside all that it may meet."""

import json

import pytest

from dunning.contracts.lender_event import EVENTS as KINDS_OF_EVENTS
from dunning.domain.replies.intents import ReplyIntent
from tests.simulation.catalogue import BY_NAME
from tests.simulation.faults import KINDS as KINDS_OF_FAULTS
from tests.simulation.scenarios import EVENTS, LOADS, REPLIES, Scenario
from tests.simulation.search import Budget, Search
from tests.simulation.simulator import Move, Simulator, Situation
from tests.simulation.workers import Call

EVENT_OF = {json.loads(news.mail.body)["detail-type"]: news.name for news in EVENTS}


def test_each_event_that_a_lender_may_send_is_in_the_proof() -> None:
    assert set(EVENT_OF) == set(KINDS_OF_EVENTS)


@pytest.mark.parametrize("event", EVENT_OF.values())
def test_each_event_meets_the_sender_each_other_event_each_reply_and_each_load(event: str) -> None:
    assert f"send x {event}" in BY_NAME
    assert all(f"{reply.name} x {event}" in BY_NAME for reply in REPLIES)
    assert all(f"{load.name} x {event}" in BY_NAME for load in LOADS)
    others = [other for other in EVENT_OF.values() if other != event]
    assert all({f"{event} x {other}", f"{other} x {event}"} & set(BY_NAME) for other in others)
    assert f"{event} x {event} again" in BY_NAME


def test_each_intent_of_a_reply_meets_the_sender() -> None:
    assert {f"send x reply {intent}" for intent in ReplyIntent} <= set(BY_NAME)
    assert not any(BY_NAME[f"send x reply {intent}"].is_deep for intent in ReplyIntent)


def place_in_its_group(scenario: Scenario) -> int:
    return [other.name for other in BY_NAME.values() if other.group == scenario.group].index(scenario.name)


@pytest.mark.slow(reason="a scenario of each group, with one fault")
def test_each_call_that_may_go_wrong_is_made_in_some_scenario_and_not_at_the_end_alone() -> None:
    missing = set(KINDS_OF_FAULTS)

    def judge(_: Situation, move: Move) -> list[str]:
        if isinstance(call := move.step.call, Call):
            missing.discard((call.port, call.operation))
        return []

    for scenario in sorted(BY_NAME.values(), key=place_in_its_group):
        if missing and not scenario.is_deep:
            Search(Simulator(), judge, lambda _: []).run(scenario.start(), [Budget(1, 0)])
    assert missing == set()
