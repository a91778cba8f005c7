"""Messages that have gone out of a played world: what a service has taken, whichever it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape

_PREVIEW = re.compile(r'<div [^>]*aria-hidden="true">(.*?)</div>', re.DOTALL)
_FILLING = re.compile(r"[\u034f\u200c\u00a0]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """
    A message as a service took it.

    `to` is a number, an e-mail address or a LINE user id, `attributes` are what the service got beside the words.
    Subject and HTML are a mail's, buttons those of LINE: what is on each, and its code.
    """

    at: datetime
    to: str
    text: str
    message_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    channel: str = "sms"
    gateway: str = "sns"
    subject: str = ""
    html: str = ""
    buttons: tuple[tuple[str, str], ...] = ()

    @property
    def preview(self) -> str:
        """What a list of mails shows behind the subject: the first words of the HTML, which nobody sees in the mail."""
        found = _PREVIEW.search(self.html)
        return _FILLING.sub("", unescape(found[1])) if found else ""
