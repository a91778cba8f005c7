"""
What every gateway promises, at the wire: one request a message, silence is no refusal, nothing personal leaves.

The services are fakes that answer as the real ones do, and refuse what the services' own models do not allow.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import boto3
import pytest

from dunning.adapters.eum_sms import EumSmsGateway
from dunning.adapters.eum_voice import EumVoiceGateway
from dunning.adapters.line import LineApi, LineNotificationGateway, LinePushGateway
from dunning.adapters.one_request import PUBLISH_ONCE
from dunning.adapters.ses import SesGateway
from dunning.adapters.sns import SnsGateway
from dunning.adapters.whatsapp import WhatsAppGateway
from dunning.domain.delivery.channels import Channel
from dunning.ports.gateways import Gateway, PublishOutcome
from dunning.ports.outgoing import LineBody, Outgoing
from tests.local.channels import eum, line, ses, sns, whatsapp
from tests.local.channels.eum import EumAtTheWire
from tests.local.channels.line import LinePlatform
from tests.local.channels.ses import SesAtTheWire
from tests.local.channels.sns import SnsAtTheWire
from tests.local.channels.whatsapp import WhatsAppAtTheWire
from tests.local.channels.wire import TAKEN_BY, Refusal, Wire, WireFault
from tests.support.fakes import FakeClock
from tests.support.outgoing import (
    outgoing_call,
    outgoing_line,
    outgoing_mail,
    outgoing_notice,
    outgoing_sms,
    outgoing_whatsapp,
)

SOON, AFTER_REPAIR, TOMORROW = timedelta(minutes=1), timedelta(hours=1), timedelta(hours=24)


@dataclass
class Bench:
    """A gateway, the service behind it, a message that the service takes, and how the service refuses."""

    gateway: Gateway
    wire: Wire
    outgoing: Outgoing
    busy: Refusal
    bad_address: Refusal | Outgoing
    """How the service refuses an address; a message to one that no request is made for, if it says so by an event."""
    ours: Refusal
    elsewhere: Outgoing = field(default_factory=lambda: outgoing_sms("+8613800000000", "您好"))
    """A message that the gateway cannot send."""


def eum_sms() -> Bench:
    client: Any = boto3.client("pinpoint-sms-voice-v2", config=PUBLISH_ONCE)
    clock = FakeClock()
    return Bench(
        EumSmsGateway(client, clock, "reminders", pool="pool-1"),
        EumAtTheWire(client, clock.now()),
        outgoing_sms("+886900000001", "【示範分期】王*明您好", max_price="0.20"),
        busy=eum.THROTTLED,
        bad_address=eum.invalid("INVALID_PARAMETER", "DestinationPhoneNumber"),
        ours=eum.conflict("RESOURCE_NOT_ACTIVE"),
    )


def ses_mail() -> Bench:
    client: Any = boto3.client("sesv2", config=PUBLISH_ONCE)
    return Bench(
        SesGateway(client, "reminders"),
        SesAtTheWire(client, FakeClock().now()),
        outgoing_mail(),
        busy=ses.THROTTLED,
        bad_address=ses.BAD_ADDRESS,
        ours=ses.PAUSED,
        elsewhere=outgoing_mail(unsubscribe_url=""),
    )


def _line_api(platform: LinePlatform) -> LineApi:
    return LineApi(lambda _: line.ACCESS_TOKEN, origin=platform.origin, read_seconds=0.7)


def line_push() -> Bench:
    platform = LinePlatform()
    return Bench(
        LinePushGateway(_line_api(platform)),
        platform,
        outgoing_line(),
        busy=line.RATE_LIMITED,
        bad_address=line.NO_SUCH_USER,
        ours=line.MONTH_USED_UP,
        elsewhere=outgoing_line(body=LineBody("")),
    )


def line_notice() -> Bench:
    platform = LinePlatform()
    return Bench(
        LineNotificationGateway(_line_api(platform)),
        platform,
        outgoing_notice(),
        busy=line.RATE_LIMITED,
        bad_address=line.UNDELIVERABLE,
        ours=line.NOT_ALLOWED,
        elsewhere=outgoing_notice("+4915100000000"),
    )


def eum_voice() -> Bench:
    client: Any = boto3.client("pinpoint-sms-voice-v2", config=PUBLISH_ONCE)
    clock = FakeClock()
    return Bench(
        EumVoiceGateway(client, clock, "reminders"),
        EumAtTheWire(client, clock.now(), "SendVoiceMessage"),
        outgoing_call(),
        busy=eum.THROTTLED,
        bad_address=eum.invalid("CANNOT_PARSE", "DestinationPhoneNumber"),
        ours=eum.quota("MONTHLY_SPEND_LIMIT_REACHED_FOR_VOICE"),
        elsewhere=outgoing_call("+8613800000000"),
    )


def whatsapp_template() -> Bench:
    client: Any = boto3.client("socialmessaging", config=PUBLISH_ONCE)
    return Bench(
        WhatsAppGateway(client),
        WhatsAppAtTheWire(client, FakeClock().now(), "before_3"),
        outgoing_whatsapp(),
        busy=whatsapp.THROTTLED,
        bad_address=outgoing_whatsapp("0912345678"),
        ours=whatsapp.NO_ACCESS,
        elsewhere=outgoing_whatsapp()._replace(registered_template=""),
    )


def sns_sms() -> Bench:
    client: Any = boto3.client("sns", config=PUBLISH_ONCE)
    return Bench(
        SnsGateway(client),
        SnsAtTheWire(client, FakeClock().now()),
        outgoing_sms("+886900000001", "【示範分期】王*明您好", max_price="0.20"),
        busy=sns.THROTTLED,
        bad_address=sns.NOT_A_NUMBER,
        ours=sns.NO_PERMISSION,
        elsewhere=outgoing_mail(),
    )


BENCHES: dict[str, Callable[[], Bench]] = {
    "sns": sns_sms,
    "eum": eum_sms,
    "ses": ses_mail,
    "line": line_push,
    "line_notification": line_notice,
    "eum_voice": eum_voice,
    "whatsapp": whatsapp_template,
}


@pytest.fixture(params=list(BENCHES))
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = BENCHES[request.param]()
    assert bench.gateway.name == request.param
    yield bench
    close = getattr(bench.wire, "close", None)
    if close:
        close()


def test_an_accepted_message_has_an_id_of_its_own_and_was_asked_for_once(bench: Bench) -> None:
    first, second = (
        bench.gateway.publish(bench.outgoing),
        bench.gateway.publish(bench.outgoing._replace(claim_id="d2" * 16)),
    )
    assert first.outcome is second.outcome is PublishOutcome.ACCEPTED
    assert "" not in {first.message_id, second.message_id}
    assert first.message_id != second.message_id
    assert (bench.wire.requests, bench.wire.messages_taken) == (2, 2)


def test_a_busy_service_has_not_taken_the_message_and_is_asked_again_soon(bench: Bench) -> None:
    bench.wire.will(bench.busy)
    answer = bench.gateway.publish(bench.outgoing)
    assert (answer.outcome, answer.retry_after) == (PublishOutcome.REFUSED_FOR_NOW, SOON)
    assert answer.code
    assert (bench.wire.requests, bench.wire.messages_taken) == (1, 0)


def test_a_bad_address_is_refused_for_good(bench: Bench) -> None:
    if isinstance(bench.bad_address, Refusal):
        bench.wire.will(bench.bad_address)
        answer = bench.gateway.publish(bench.outgoing)
    else:
        answer = bench.gateway.publish(bench.bad_address)
    assert (answer.outcome, answer.opted_out) == (PublishOutcome.REFUSED_FOR_GOOD, False)
    assert (bench.wire.requests, bench.wire.messages_taken) == (int(isinstance(bench.bad_address, Refusal)), 0)


def test_a_fault_of_ours_blames_no_address_and_waits_for_a_repair(bench: Bench) -> None:
    bench.wire.will(bench.ours)
    answer = bench.gateway.publish(bench.outgoing)
    assert (answer.outcome, answer.retry_after) == (PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR)
    assert (bench.wire.requests, bench.wire.messages_taken) == (1, 0)


@pytest.mark.parametrize("fault", [fault for fault in WireFault if fault is not WireFault.NO_CONNECTION])
def test_silence_or_a_failed_server_leaves_the_outcome_unknown_after_one_try(bench: Bench, fault: WireFault) -> None:
    bench.wire.will(fault)
    answer = bench.gateway.publish(bench.outgoing)
    assert answer.outcome is PublishOutcome.UNKNOWN
    assert answer.code
    assert not answer.message_id
    assert (bench.wire.requests, bench.wire.messages_taken) == (1, int(fault in TAKEN_BY))


def test_without_a_connection_nothing_was_sent(bench: Bench) -> None:
    bench.wire.will(WireFault.NO_CONNECTION)
    answer = bench.gateway.publish(bench.outgoing)
    assert (answer.outcome, answer.retry_after) == (PublishOutcome.REFUSED_FOR_NOW, SOON)
    assert (bench.wire.requests, bench.wire.messages_taken) == (0, 0)


def test_a_message_that_the_gateway_cannot_send_is_refused_without_a_request(bench: Bench) -> None:
    answer = bench.gateway.publish(bench.elsewhere)
    assert (answer.outcome, answer.retry_after) == (PublishOutcome.REFUSED_FOR_NOW, AFTER_REPAIR)
    assert answer.code
    assert bench.wire.requests == 0


def test_only_line_push_may_be_asked_again(bench: Bench) -> None:
    assert bench.gateway.repeatable is (bench.gateway.name == "line")
    assert bench.gateway.channel is bench.outgoing.channel
    assert bench.gateway.channel in Channel


@pytest.mark.parametrize("answered", ["busy", "ours", "bad_address", *WireFault])
def test_no_answer_quotes_the_address_or_the_words(bench: Bench, answered: str | WireFault) -> None:
    answer = getattr(bench, answered) if isinstance(answered, str) else answered
    if not isinstance(answer, Outgoing):
        bench.wire.will(answer)
    written = repr(bench.gateway.publish(bench.outgoing))
    assert bench.outgoing.address not in written
    assert bench.outgoing.body.text not in written
