"""
What a user asks to be played, read to its end before anything starts. Errors name what the user types: the variables.

`make run` and `make console` take the same files, and refuse the same.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NoReturn

from dunning.domain.errors import DunningError
from dunning.policy import PolicyError
from dunning.services.intake.encodings import NAMES
from dunning.services.intake.table import FileForm, file_form
from tests.local.payments import lenders_in, with_lender
from tests.local.policies import Policies, PoliciesError, lender_for, load
from tests.local.portfolio import read_portfolio
from tests.local.results import SAMPLE
from tests.local.runner import BEGINS_IN, Progress, WholeList, begin_of
from tests.local.sample import sample_file
from tests.local.scripted_events import ScriptedEvent, ScriptedEventsError, outside_run, read_scripted_events

SAMPLE_START = date(2026, 11, 16)
SAMPLE_LENDERS = frozenset({"demo-tw", "demo-cn", "demo-channels"})

_LONGEST = 3660
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FEW_DIGITS = re.compile(r"[0-9]{1,5}")
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_MOST_NAMED = 5
_DAYS_WITH_LIST = 2


class ChoiceError(DunningError):
    """Something the user has asked for cannot be; the message names the variable and the fix."""


REFUSALS = (ChoiceError, PoliciesError, PolicyError, ScriptedEventsError)
"""What `read_asked` raises."""


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line; `--help` says the rest."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def take_world(parser: argparse.ArgumentParser, days: int) -> None:
    """Let a command take what is to be played; `days` are how many if none are named."""
    parser.add_argument("--accounts", metavar="FILE", help="a CSV file of accounts (default: a sample)")
    parser.add_argument("--encoding", default="", metavar="NAME", help="of the accounts besides UTF-8, such as big5")
    parser.add_argument(
        "--complete", metavar="FILE", help="a lender's whole list, uploaded on the second day: who is missing is silent"
    )
    parser.add_argument("--events", metavar="FILE", help="your own payments, replies and receipts (JSON lines)")
    parser.add_argument(
        "--start",
        metavar="DATE",
        help=f"the first day, as 2026-12-01 (default: {SAMPLE_START} for the sample, else today)",
    )
    parser.add_argument("--days", default=str(days), help="how many days (default: %(default)s)")
    parser.add_argument("--policies", metavar="DIR", help="a folder with lenders/*.toml, and perhaps texts/ and others")
    parser.add_argument("--lender", default="", metavar="ID", help="the lender of all accounts, whatever the file says")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be played. `name` is what the file of accounts is called."""

    accounts: bytes
    name: str
    is_sample: bool
    start: date
    days: int
    scripted: Sequence[ScriptedEvent] = ()
    policies: Policies
    encoding: str = ""
    whole_list: WholeList | None = None

    @property
    def last_day(self) -> date:
        """The last day that is played."""
        return self.start + timedelta(days=self.days - 1)

    @property
    def form(self) -> FileForm:
        """How the intake reads files."""
        return file_form(self.policies.book.headings, self.encoding)


def read_asked(options: argparse.Namespace) -> Asked:
    """
    Read all that `take_world` let a user ask for.

    Raises:
        ChoiceError: something cannot be.
        PoliciesError: there are no such policies, or no such lender.
        PolicyError: a file of the policies is refused.
        ScriptedEventsError: lines of the events are not what they should be.
    """
    days = _days(options.days)
    encoding = _encoding(options.encoding)
    is_sample = options.accounts is None
    if is_sample:
        start = _day(options.start) if options.start else SAMPLE_START
        accounts, name = sample_file(start), SAMPLE
    else:
        start = _day(options.start) if options.start else date.today()  # noqa: DTZ011 - the user's own today
        accounts, name = _bytes_of("ACCOUNTS", Path(options.accounts)), Path(options.accounts).name
    policies = load(Path(options.policies) if options.policies else None)
    lender = lender_for(policies.book, options.lender, SAMPLE_LENDERS if is_sample else frozenset())
    form = file_form(policies.book.headings, encoding)
    if lender:
        accounts = with_lender(accounts, lender, form)
    whole_list = _whole_list(Path(options.complete), lender, days, form) if options.complete else None
    scripted: list[ScriptedEvent] = []
    if options.events is not None:
        file = Path(options.events)
        scripted = read_scripted_events(_bytes_of("EVENTS", file), file.name, read_portfolio(accounts, name, form))
    return Asked(
        accounts=accounts,
        name=name,
        is_sample=is_sample,
        start=start,
        days=days,
        scripted=scripted,
        policies=policies,
        encoding=encoding,
        whole_list=whole_list,
    )


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text) if _ISO_DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ChoiceError(
            f"START={text} is not a date such as 2026-12-01, between the years {_FIRST_YEAR} and {_LAST_YEAR}"
        )
    return day


def _days(text: str) -> int:
    if not _FEW_DIGITS.fullmatch(text) or not 1 <= int(text) <= _LONGEST:
        raise ChoiceError(f"DAYS={text} is not a number of days from 1 to {_LONGEST}")
    return int(text)


def _bytes_of(variable: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ChoiceError(f"{variable}={path}: {error.strerror}") from None


def _encoding(name: str) -> str:
    if name and name.lower() not in NAMES:
        raise ChoiceError(f"ENCODING={name} is not one of {', '.join(NAMES)}")
    return name.lower()


def _whole_list(file: Path, lender: str, days: int, form: FileForm) -> WholeList:
    body = _bytes_of("COMPLETE", file)
    if days < _DAYS_WITH_LIST:
        raise ChoiceError(f"COMPLETE={file} is uploaded on the second day: DAYS={days} ends before it")
    if lender:
        body = with_lender(body, lender, form)
    lenders = lenders_in(body, form)
    if len(lenders) != 1:
        raise ChoiceError(f"COMPLETE={file} is a list of one lender, and names {len(lenders)}")
    return WholeList(body, file.name, *lenders)


def warn_of_events_outside(asked: Asked) -> None:
    """Tell a user of events that the time played does not reach."""
    begin = begin_of(asked.start)
    left_out = outside_run(asked.scripted, begin, begin + timedelta(days=asked.days))
    if left_out:
        named = ", ".join(event.where for event in left_out[:_MOST_NAMED])
        more = f" and {len(left_out) - _MOST_NAMED} more" if len(left_out) > _MOST_NAMED else ""
        events = "1 event lies" if len(left_out) == 1 else f"{len(left_out)} events lie"
        sys.stderr.write(
            f"EVENTS: {events} outside the run, which lasts from {asked.start} to {asked.last_day} in UTC+8; left out: "
            f"{named}{more}\n"
        )


class ProgressLine:
    """Shows how far a run is: one line that changes on a terminal, nothing elsewhere."""

    def __init__(self, start: date, days: int) -> None:
        self._start = start
        self._days = days
        self._terminal = sys.stderr.isatty()

    def show(self, progress: Progress) -> None:
        """Show how far the run is."""
        if not self._terminal:
            return
        today = progress.at.astimezone(BEGINS_IN).date()
        day = (today - self._start).days + 1
        line = f"{today}, day {day} of {self._days}: texts {progress.texts:,}, customers waiting {progress.waiting:,}"
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()

    def close(self) -> None:
        """Leave the line empty."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
