"""A gateway that takes a claim once is asked again after silence, and its repeat is believed only if it says yes."""

from datetime import timedelta

import pytest

from dunning.domain.delivery.channels import Channel
from dunning.ports.gateways import Published, PublishOutcome
from dunning.services.send.gateways_by_name import GatewaysByName
from tests.support.fakes import FakeGateway
from tests.support.outgoing import outgoing_line

SILENCE = Published(PublishOutcome.UNKNOWN, code="ReadTimeoutError")
TAKEN = Published(PublishOutcome.ACCEPTED, message_id="taken-1")
BUSY = Published(PublishOutcome.REFUSED_FOR_NOW, code="429", retry_after=timedelta(minutes=1))
NOBODY = Published(PublishOutcome.REFUSED_FOR_GOOD, code="400")


class Line(FakeGateway):
    """LINE, which knows the claim of a message and takes it once."""

    channel = Channel.LINE
    name = "line"
    repeatable = True


def asked(*answers: Published) -> tuple[Published, int]:
    gateway = Line()
    gateway.answers = list(answers)
    return GatewaysByName(gateway).publish_once("line", outgoing_line()), len(gateway.published)


def test_a_repeat_that_says_yes_settles_the_silence() -> None:
    assert asked(SILENCE, TAKEN) == (TAKEN, 2)


@pytest.mark.parametrize("repeat", [SILENCE, BUSY, NOBODY])
def test_a_repeat_that_is_refused_says_nothing_of_the_first_request_which_may_have_been_taken(
    repeat: Published,
) -> None:
    assert asked(SILENCE, repeat) == (SILENCE, 2)


@pytest.mark.parametrize("first", [TAKEN, BUSY, NOBODY])
def test_a_first_answer_that_is_definite_is_believed_and_nothing_is_repeated(first: Published) -> None:
    assert asked(first) == (first, 1)


NOT_SENT = Published(PublishOutcome.REFUSED_FOR_NOW, code="GatewayNotConfigured", retry_after=timedelta(hours=1))


@pytest.mark.parametrize("name", ["no such gateway", "sns"])
def test_a_message_for_a_gateway_that_is_not_there_or_not_of_its_channel_waits_and_is_handed_to_nobody(
    name: str,
) -> None:
    texts = FakeGateway()
    assert GatewaysByName(texts).publish_once(name, outgoing_line()) == NOT_SENT
    assert texts.published == []


def test_a_gateway_is_built_when_a_message_first_needs_it_and_once() -> None:
    built: list[Line] = []

    def make() -> Line:
        built.append(Line())
        return built[-1]

    gateways = GatewaysByName(makers={"line": make})
    assert built == []
    for _ in range(2):
        assert gateways.publish_once("line", outgoing_line()).outcome is PublishOutcome.ACCEPTED
    assert [len(gateway.published) for gateway in built] == [2]
