"""Looks: who looked at which customer, when and why. A look is written down before anything is read."""

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dunning.contracts.instants import instant
from dunning.domain.errors import DunningError

LOOKS_OF_A_RUN = "looks.jsonl"

PURPOSES = ("complaint", "regulator", "access_request", "question", "audit")
"""What somebody may look at a customer for."""

_WHO = re.compile(r"[^\W_][\w .,@'+-]{1,79}")
_WHY = re.compile(rf"({'|'.join(PURPOSES)})( [A-Za-z0-9][A-Za-z0-9./_-]{{0,39}})?")
_ONLY_OWNER = 0o600


class LookError(DunningError):
    """A look may not be taken, or could not be written down; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """
    One look at one customer.

    `who` and `why` are what the person says; `caller` is the identity that AWS knows, empty for a local run.
    """

    at: datetime
    customer_id: str
    who: str
    why: str
    caller: str = ""

    def line(self) -> str:
        """Write the look as a line of a log."""
        fields = {
            "message": "look",
            "at": instant(self.at),
            "customer_id": self.customer_id,
            "who": self.who,
            "why": self.why,
            "caller": self.caller,
        }
        return json.dumps(fields, ensure_ascii=False)


def check_look(who: str, why: str) -> None:
    """
    Make sure that it is said who looks and why.

    Raises:
        LookError: it is not, or not so that it can be counted later.
    """
    if _WHO.fullmatch(who) is None:
        raise LookError("WHO: say who looks, by a name or a mail address of your own, as in WHO=mei.chen")
    if _WHY.fullmatch(why) is None:
        raise LookError(
            f"WHY: say why, as in WHY=complaint or WHY='complaint 2026-117': one of {', '.join(PURPOSES)}, "
            "and the number of the case if there is one"
        )


def write_look_to_stack(client: Any, group: str, look: Look) -> None:  # noqa: ANN401 - a client of CloudWatch Logs
    """
    Write a look to the log of looks of a stack.

    Raises:
        LookError: the log has not taken it, so nothing may be shown.
    """
    stream = look.at.strftime("%Y/%m/%d")
    try:
        with suppress(client.exceptions.ResourceAlreadyExistsException):  # somebody has looked on that day
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        answer = client.put_log_events(
            logGroupName=group,
            logStreamName=stream,
            logEvents=[{"timestamp": int(look.at.timestamp() * 1000), "message": look.line()}],
        )
    except ClientError as error:
        raise LookError(_not_written(group, error.response.get("Error", {}).get("Code", "Unknown"))) from None
    except BotoCoreError as error:
        raise LookError(_not_written(group, type(error).__name__)) from None
    if answer.get("rejectedLogEventsInfo"):
        raise LookError(_not_written(group, "the line was rejected: is the clock of this machine right?"))


def _not_written(group: str, why: str) -> str:
    return f"{group} has not taken down who looks ({why}): nothing is shown"


def write_look_to_file(out: Path, look: Look) -> None:
    """
    Add a look to the file of looks beside a local run.

    Raises:
        LookError: the file cannot be written, so nothing may be shown.
    """
    try:
        descriptor = os.open(out / LOOKS_OF_A_RUN, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _ONLY_OWNER)
        with open(descriptor, "a", encoding="utf-8") as opened:  # noqa: PTH123 - of a descriptor
            opened.write(look.line() + "\n")
    except OSError as error:
        raise LookError(f"OUT={out}: {LOOKS_OF_A_RUN} cannot be written ({error.strerror}): nothing is shown") from None
