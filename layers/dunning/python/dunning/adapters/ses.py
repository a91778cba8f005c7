"""
Mail by Amazon SES.

Nothing is tracked: no opened mail and no clicked link is counted, because neither is needed to know that a mail was
delivered. SES takes mail to addresses of its suppression list and does not send it: accepted is not delivered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import formataddr
from typing import Any, Protocol

from botocore.exceptions import ClientError

from dunning.adapters.aws_call import error_code
from dunning.adapters.one_request import AFTER_REPAIR, SERVER_ERROR, SOON, http_status, not_taken, publish_once
from dunning.contracts.claim_marks import claim_labels
from dunning.domain.customer.addresses import is_mail_address
from dunning.domain.delivery.channels import Channel
from dunning.ports.gateways import Published, PublishOutcome
from dunning.ports.outgoing import MailBody, Outgoing

BUSY_ERRORS = frozenset({"TooManyRequestsException"})
"""SES refused the request, and did not take the mail."""

ADDRESS_ERRORS = frozenset({"BadRequestException"})
"""The request cannot be. If the words are about an address, the address cannot be."""

OUR_ERRORS = frozenset(
    {
        "AccountSuspendedException", "LimitExceededException", "MailFromDomainNotVerifiedException", "MessageRejected",
        "NotFoundException", "SendingPausedException",
    }
)  # fmt: skip
"""Our account, our sender, our words: somebody has to repair something, and no address is to blame."""

_ABOUT_AN_ADDRESS = ("Domain ", "Illegal address", "Local address ", "Missing domain", "Missing final", "Missing local")
"""How the words begin that SES finds for an address that cannot be. The sender's address is checked before."""

_HTTPS_URL = re.compile(r"https://[!-;=?-~]{1,900}")
_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


class SesClient(Protocol):
    """The part of the SDK's client for SES that is called."""

    def send_email(self, **request: Any) -> Mapping[str, Any]:  # noqa: ANN401 - as the SDK declares it
        """Send a mail."""
        ...


class SesGateway:
    """
    Implements `Gateway`. The client must be made with `PUBLISH_ONCE`.

    `configuration_set` leads the events to their topic. `tenant` keeps the sender's reputation apart from others'.
    """

    channel = Channel.EMAIL
    name = "ses"
    repeatable = False

    def __init__(self, client: SesClient, configuration_set: str, tenant: str = "") -> None:
        self._client = client
        self._configuration_set = configuration_set
        self._tenant = tenant

    def publish(self, outgoing: Outgoing) -> Published:
        """Publish once and class the answer. An address that SES cannot take is refused for good without a request."""
        body = outgoing.body
        if not isinstance(body, MailBody):
            return not_taken("NotAMail", AFTER_REPAIR)
        if not is_mail_address(body.sender_address) or (body.reply_to and not is_mail_address(body.reply_to)):
            return not_taken("SenderNotAnAddress", AFTER_REPAIR)
        if not _HTTPS_URL.fullmatch(body.unsubscribe_url):
            return not_taken("NoUnsubscribeUrl", AFTER_REPAIR)
        if not _ONE_LINE.fullmatch(body.subject) or not _ONE_LINE.fullmatch(body.sender_name):
            return not_taken("SubjectOrSenderNotALine", AFTER_REPAIR)
        if not is_mail_address(outgoing.address):
            return Published(PublishOutcome.REFUSED_FOR_GOOD, code="NotAnAddress")

        def send() -> str:
            message_id: str = self._client.send_email(**self._request(outgoing, body)).get("MessageId", "")
            return message_id

        return publish_once(send, ses_refusal)

    def _request(self, outgoing: Outgoing, body: MailBody) -> dict[str, Any]:
        def content(data: str) -> dict[str, str]:
            return {"Data": data, "Charset": "UTF-8"}

        request: dict[str, Any] = {
            "FromEmailAddress": formataddr((body.sender_name, body.sender_address)),
            "Destination": {"ToAddresses": [outgoing.address]},
            "Content": {
                "Simple": {
                    "Subject": content(body.subject),
                    "Body": {"Text": content(body.text), "Html": content(body.html)},
                    "Headers": [
                        {"Name": "List-Unsubscribe", "Value": f"<{body.unsubscribe_url}>"},
                        {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
                        # So that no machine answers "out of office" (RFC 3834), which SES would call a bounce.
                        {"Name": "Auto-Submitted", "Value": "auto-generated"},
                    ],
                }
            },
            "EmailTags": [{"Name": name, "Value": value} for name, value in claim_labels(outgoing).items()],
            "ConfigurationSetName": self._configuration_set,
            "ConfigurationOverrides": {
                "Tracking": {"OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED"}
            },
        }
        if body.reply_to:
            request["ReplyToAddresses"] = [body.reply_to]
        if self._tenant:
            request["TenantName"] = self._tenant
        return request


def ses_refusal(error: ClientError) -> Published:
    """
    Class an error answer.

    A 4xx did not take the mail. Unless it is about an address, it is busy or our own fault. A 5xx may have sent it.
    """
    code, status = error_code(error), http_status(error)
    if status >= SERVER_ERROR or not status:
        return Published(PublishOutcome.UNKNOWN, code=code)
    if code in BUSY_ERRORS:
        return not_taken(code, SOON)
    if code in ADDRESS_ERRORS and str(error.response.get("Error", {}).get("Message", "")).startswith(_ABOUT_AN_ADDRESS):
        return Published(PublishOutcome.REFUSED_FOR_GOOD, code=code)
    return not_taken(code, AFTER_REPAIR)
