"""
The cold import of a sender with each gateway, beside the same sender with SNS: CPU of fresh processes, in turn.

    python -m tests.bench.gateways 15

Each round starts a process for each variant, so that a busy machine slows all of them. The least of all rounds counts.
Bytecode is written in a first round that is not counted, as a build for Lambda brings it along.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tests.local import ROOT

_COMMON = """
import time
began = time.process_time()
from dunning import cold_start
import dunning.wiring
import dunning.services.send.sender
from dunning.adapters.client import LEAN, new_session
from dunning.adapters.one_request import PUBLISH_ONCE
from dunning.adapters.system_clock import SystemClock
session, clock = new_session(), SystemClock()
for service in ("dynamodb", "sqs", "ssm", "events"):
    session.client(service, config=LEAN)
{settings}
{gateways}
print(time.process_time() - began)
"""

_SNS = "from dunning.adapters.sns import SnsGateway; SnsGateway(session.client('sns', config=PUBLISH_ONCE))"
_EUM_CLIENT = "eum = session.client('pinpoint-sms-voice-v2', config=PUBLISH_ONCE)"
_EUM = f"from dunning.adapters.eum_sms import EumSmsGateway; {_EUM_CLIENT}; EumSmsGateway(eum, clock, 'c')"
_VOICE = "from dunning.adapters.eum_voice import EumVoiceGateway; EumVoiceGateway(eum, clock, 'c')"
_SES = "from dunning.adapters.ses import SesGateway; SesGateway(session.client('sesv2', config=PUBLISH_ONCE), 'c')"
_LINE = "from dunning.adapters.line import LineApi, LinePushGateway; LinePushGateway(LineApi(lambda _: ''))"
_WHATSAPP = """
from dunning.adapters.whatsapp import WhatsAppGateway
WhatsAppGateway(session.client('socialmessaging', config=PUBLISH_ONCE))
"""

_NAMED = ("queue_url", "sending_parameter", "replies_queue_url", "lender_events_queue_url", "news_failures_queue_url")
SETTINGS = f"""
from dunning.settings import SenderSettings
named = dict.fromkeys({(*_NAMED, "bus_name", "dead_letter_url", "customers_table", "contacts_table")!r}, "xxx")
settings = SenderSettings(**named)
"""

CONNECTED = """
channels = {"eum_configuration_set": "c", "ses_configuration_set": "c", "unsubscribe_origin": "https://x.example"}
settings = SenderSettings(secrets_path="/x/", **named, **channels)
dunning.wiring._gateways(session, settings)
dunning.wiring._unsubscribe_url(session, settings)
"""
"""A sender of a stack that has all channels, before any message has gone over them."""

VARIANTS: Mapping[str, Sequence[str]] = {
    "sns": [_SNS],
    "sns, again": [_SNS],
    "sns, others not used": [_SNS, CONNECTED],
    "eum in place of sns": [_EUM],
    "sns and eum": [_SNS, _EUM],
    "sns and eum and voice": [_SNS, _EUM, _VOICE],
    "sns and ses": [_SNS, _SES],
    "sns and line": [_SNS, _LINE],
    "sns and whatsapp": [_SNS, _WHATSAPP],
    "all": [_SNS, _EUM, _VOICE, _SES, _LINE, _WHATSAPP],
}


def seconds_of(gateways: Sequence[str]) -> float:
    """Start a process that imports a sender with these gateways, and return its CPU."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        "PYTHONPATH": str(ROOT / "layers" / "dunning" / "python"),
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_LAMBDA_FUNCTION_NAME": "sender",
        "POWERTOOLS_SERVICE_NAME": "sender",
        "POWERTOOLS_METRICS_NAMESPACE": "bench",
    }
    program = _COMMON.format(settings=SETTINGS, gateways="\n".join(gateways))
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def main(rounds: int) -> None:
    """Measure all variants in turn, and print the least of each beside that of SNS."""
    for gateways in VARIANTS.values():
        seconds_of(gateways)
    least = dict.fromkeys(VARIANTS, float("inf"))
    for _ in range(rounds):
        for name, gateways in VARIANTS.items():
            least[name] = min(least[name], seconds_of(gateways))
    for name, seconds in least.items():
        print(f"{name:24} {seconds * 1000:6.0f} ms  {seconds / least['sns']:.3f} x")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
