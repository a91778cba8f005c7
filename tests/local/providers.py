"""
The services beside SNS that send messages, connected to the embedded AWS: End User Messaging, SES, LINE's platform.

Each answers at the wire, as the services do, and every client of AWS made meanwhile is answered. What they have taken
lies in the outbox beside the texts of SNS. A service is there if the policy of some lender uses it.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import boto3

from dunning.domain.delivery.channels import Channel
from dunning.policy import PolicyBook
from dunning.ports.secret_store import UNSUBSCRIBE_KEY, line_secret, line_token
from tests.local.channels.eum import EumAtTheWire, EumOptOutsAtTheWire
from tests.local.channels.line import ACCESS_TOKEN, CHANNEL_SECRET, Bubble, LinePlatform
from tests.local.channels.ses import SesAtTheWire
from tests.local.channels.wire import Hook, answering_every_client
from tests.local.clock import VirtualClock
from tests.local.sent import SentMessage

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

UNSUBSCRIBE_ORIGIN = "https://webhooks.invalid"
"""Where the button for no more mail leads. Nobody is there: who presses it in a played world calls the function."""

_CONFIGURATION_SET, _POOL, _OPT_OUT_LIST = "reminders", "reminders", "reminders"
_KEY_OF_TOKENS = "a key of the played world, which signs nothing that leaves it"


class ServicesNeeded(NamedTuple):
    """What the policies of a book need beside SNS: the domains of mails, and who has an account on LINE."""

    texts_by_eum: bool = False
    mail_domains: tuple[str, ...] = ()
    line_lenders: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the template that connect the services."""
        parameters: dict[str, str] = {}
        if self.texts_by_eum:
            parameters |= {"EumConfigurationSet": _CONFIGURATION_SET, "EumPool": _POOL, "EumOptOutList": _OPT_OUT_LIST}
        if self.mail_domains:
            parameters |= {"SesConfigurationSet": _CONFIGURATION_SET, "SesDomain": self.mail_domains[0]}
        if self.line_lenders:
            parameters["LineLenders"] = ",".join(self.line_lenders)
        return parameters


NO_SERVICES = ServicesNeeded()


def services_needed(book: PolicyBook) -> ServicesNeeded:
    """Return what the policies of a book need beside SNS."""
    policies = {lender_id: lender.policy for lender_id, lender in book.lenders.items()}
    senders = (policy.email.sender_address for policy in policies.values() if policy.email)
    return ServicesNeeded(
        texts_by_eum=any(there.gateway == "eum" for policy in policies.values() for there in policy.countries.values()),
        mail_domains=tuple(sorted({sender.partition("@")[2] for sender in senders})),
        line_lenders=tuple(sorted(lender_id for lender_id, policy in policies.items() if policy.line)),
    )


class Providers:
    """
    The services, for as long as the context lasts. AWS has to be faked before it begins.

    Args:
        needed: which services there are.
        clock: the time at which they take messages.
        on_sent: told of each message that was taken. It is called by several threads.
    """

    def __init__(self, needed: ServicesNeeded, clock: VirtualClock, on_sent: Callable[[SentMessage], None]) -> None:
        self.needed = needed
        self.texts: EumAtTheWire
        self.mails: SesAtTheWire
        self.line: LinePlatform
        self.numbers: dict[str, int] = {}
        self._clock = clock
        self._on_sent = on_sent
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            hooks: list[Hook] = []
            now = self._clock.now()
            if self.needed.texts_by_eum:
                client = boto3.Session().client("pinpoint-sms-voice-v2")
                self.texts = EumAtTheWire(client, now)
                self.texts.on_taken = self._took_text
                hooks += [*self.texts.hooks, *EumOptOutsAtTheWire(client, _OPT_OUT_LIST).hooks]
            if self.needed.mail_domains:
                self.mails = SesAtTheWire(boto3.Session().client("sesv2"), now, *self.needed.mail_domains)
                self.mails.on_taken = self._took_mail
                hooks += self.mails.hooks
            if self.needed.line_lenders:
                self.line = LinePlatform()
                self.line.on_taken = self._took_bubble
                stack.callback(self.line.close)
            stack.enter_context(answering_every_client(*hooks))
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._exit.close()

    def environment(self) -> Mapping[str, str]:
        """Return what the sender has to know of addresses that the embedded AWS does not have."""
        found = {}
        if self.needed.line_lenders:
            found["LINE_ORIGIN"] = self.line.origin
        if self.needed.mail_domains:
            found["UNSUBSCRIBE_ORIGIN"] = UNSUBSCRIBE_ORIGIN
        return found

    def put_secrets(self, ssm: "SSMClient", path: str) -> None:
        """Put the secrets of the channels among the parameters of SSM, as somebody does who connects them."""
        secrets = {UNSUBSCRIBE_KEY: _KEY_OF_TOKENS} if self.needed.mail_domains else {}
        for lender in self.needed.line_lenders:
            secrets |= {line_token(lender): ACCESS_TOKEN, line_secret(lender): CHANNEL_SECRET}
        for name, secret in secrets.items():
            ssm.put_parameter(Name=f"{path}{name}", Value=secret, Type="SecureString")

    def _took_text(self, message_id: str, request: Mapping[str, Any]) -> None:
        self.numbers[message_id] = len(self.texts.message_ids) - 1
        self._took(
            Channel.SMS,
            "eum",
            message_id,
            to=request["DestinationPhoneNumber"],
            text=request["MessageBody"],
            attributes={"origination": request["OriginationIdentity"], "seconds": str(request.get("TimeToLive", ""))},
        )

    def _took_mail(self, message_id: str, request: Mapping[str, Any]) -> None:
        self.numbers[message_id] = len(self.mails.message_ids) - 1
        simple = request["Content"]["Simple"]
        (address,) = request["Destination"]["ToAddresses"]
        headers = {header["Name"]: header["Value"] for header in simple["Headers"]}
        self._took(
            Channel.EMAIL,
            "ses",
            message_id,
            to=address,
            text=simple["Body"]["Text"]["Data"],
            subject=simple["Subject"]["Data"],
            html=simple["Body"]["Html"]["Data"],
            attributes=headers,
        )

    def _took_bubble(self, bubble: Bubble) -> None:
        gateway = "line_notification" if bubble.tag else "line"
        self._took(
            Channel.LINE,
            gateway,
            bubble.message_id,
            to=bubble.to,
            text=bubble.text,
            buttons=bubble.buttons,
            attributes={"tag": bubble.tag},
        )

    def _took(self, channel: Channel, gateway: str, message_id: str, **what: Any) -> None:  # noqa: ANN401 - of a message
        self._on_sent(
            SentMessage(at=self._clock.now(), message_id=message_id, channel=channel.value, gateway=gateway, **what)
        )
