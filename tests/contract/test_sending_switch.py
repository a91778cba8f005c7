"""The one switch for all sending: what the port promises, of the fake and of SSM alike."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import boto3
import pytest

from dunning.adapters.client import LEAN
from dunning.adapters.ssm import SsmSwitch
from dunning.domain.delivery.channels import Channel
from dunning.ports.gateways import SendingSwitch
from tests.contract.conftest import BACKENDS, engine_of
from tests.local.cloud import LocalCloud
from tests.support.aws_requests import Requests, error
from tests.support.fakes import FakeClock, FakeSwitch, FakeTelemetry
from tests.support.stand_in import Aws


@dataclass
class Panel:
    """The switch seen through the port, and the hand on it; `wait` lets time pass."""

    switch: SendingSwitch
    turn: Callable[[bool], object]
    wait: Callable[[float], None]


@dataclass
class Ssm:
    """The switch on SSM with its surroundings."""

    switch: SsmSwitch
    clock: FakeClock
    telemetry: FakeTelemetry
    put: Callable[[str], object]


def _on_ssm(aws: Aws) -> Ssm:
    name = aws.stack.sender.environment["SENDING_PARAMETER"]
    clock, telemetry = FakeClock(), FakeTelemetry()
    client = boto3.client("ssm", config=LEAN)

    def put(value: str) -> None:
        client.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    put("on")
    return Ssm(SsmSwitch(client, name, clock, telemetry), clock, telemetry, put)


@pytest.fixture
def ssm(cloud: LocalCloud) -> Ssm:
    return _on_ssm(cloud)


@pytest.fixture(params=BACKENDS)
def panel(request: pytest.FixtureRequest) -> Panel:
    if request.param == "fake":
        fake = FakeSwitch()
        return Panel(fake, lambda on: setattr(fake, "on", on), lambda _: None)
    ssm = _on_ssm(engine_of(request))
    return Panel(ssm.switch, lambda on: ssm.put("on" if on else "off"), ssm.clock.sleep)


def test_a_new_stack_sends(panel: Panel) -> None:
    assert panel.switch.is_on()


def test_a_change_holds_within_a_minute_in_both_directions(panel: Panel) -> None:
    for on in (False, True, False):
        panel.switch.is_on()
        panel.turn(on)
        panel.wait(60)
        assert panel.switch.is_on() is on


class TestOnSsm:
    """What only a parameter can do."""

    def test_it_is_read_twice_a_minute_however_often_it_is_asked(self, ssm: Ssm, requests: Requests) -> None:
        for _ in range(600):
            ssm.switch.is_on()
            ssm.clock.sleep(0.1)
        assert requests.sent["ssm.GetParameter"] == 2

    @pytest.mark.parametrize(("value", "on"), [(" ON\n", True), ("off", False), ("true", False), ("onn", False)])
    def test_only_on_is_on(self, ssm: Ssm, value: str, *, on: bool) -> None:
        ssm.put(value)
        assert ssm.switch.is_on() is on

    @pytest.mark.parametrize(
        ("value", "stopped"),
        [
            ("on", set()),
            ("off", set(Channel)),
            ("off: line, voice", {Channel.LINE, Channel.VOICE}),
            (" OFF:Line,VOICE ", {Channel.LINE, Channel.VOICE}),
            ("off: all, line", set(Channel)),
            ("off: lime", set(Channel)),
            ("off:", set(Channel)),
            ("off line", set(Channel)),
            ("on: line", set(Channel)),
            ("", set(Channel)),
        ],
    )
    def test_channels_are_stopped_by_name_and_all_of_them_by_whatever_cannot_be_read(
        self, ssm: Ssm, value: str, stopped: set[Channel]
    ) -> None:
        ssm.put(value or " ")
        assert ssm.switch.stopped_channels() == stopped
        assert ssm.switch.is_on() is (stopped != set(Channel))

    def test_a_pause_of_all_sending_starts_no_channel_that_was_stopped_by_name(self, ssm: Ssm) -> None:
        ssm.put("off: line, voice")
        assert ssm.switch.is_on()
        ssm.switch.turn(on=False)
        assert (ssm.switch.is_on(), ssm.switch.stopped_channels()) == (False, frozenset(Channel))
        ssm.switch.turn(on=True)
        assert (ssm.switch.is_on(), ssm.switch.stopped_channels()) == (True, frozenset({Channel.LINE, Channel.VOICE}))

    @pytest.mark.parametrize("value", ["off", "offf", "on"])
    def test_a_turn_from_all_or_nothing_is_all_or_nothing(self, ssm: Ssm, value: str) -> None:
        ssm.put(value)
        ssm.switch.turn(on=False)
        assert not ssm.switch.is_on()
        ssm.switch.turn(on=True)
        assert ssm.switch.stopped_channels() == set()

    def test_a_switch_that_cannot_be_read_is_off_and_says_so(self, ssm: Ssm, requests: Requests) -> None:
        assert ssm.switch.is_on()
        requests.answer("ssm.GetParameter", error("AccessDeniedException"))
        ssm.clock.sleep(60)
        assert not ssm.switch.is_on()
        assert ssm.telemetry.events == [("switch_unreadable", {"code": "AccessDeniedException"})]
        assert ssm.telemetry.counts == {"SwitchUnreadable": 1}

    def test_it_is_on_again_once_it_can_be_read_again(self, ssm: Ssm, requests: Requests) -> None:
        requests.answer("ssm.GetParameter", error("ParameterNotFound"))
        assert not ssm.switch.is_on()
        requests.let_all_through()
        ssm.clock.sleep(60)
        assert ssm.switch.is_on()

    def test_a_clock_that_was_set_back_does_not_keep_an_old_reading(self, ssm: Ssm) -> None:
        assert ssm.switch.is_on()
        ssm.put("off")
        ssm.clock.move_to(ssm.clock.now() - timedelta(days=1))
        assert not ssm.switch.is_on()
