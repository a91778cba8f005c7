"""The command line of a local run. Its errors name what the user types: the variables of `make run`."""

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
from tests.local.report import choose_examples, report
from tests.local.results import FILES, OutError, check_out, sample_name
from tests.local.runner import BEGINS_IN, Progress, WholeList, begin_of, run
from tests.local.sample import sample_file
from tests.local.scripted_events import ScriptedEvent, ScriptedEventsError, outside_run, read_scripted_events

SAMPLE_START = date(2026, 11, 16)
SAMPLE_DAYS = 45
SAMPLE_LENDERS = frozenset({"demo-tw", "demo-cn"})

_LONGEST = 3660
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FEW_DIGITS = re.compile(r"[0-9]{1,5}")
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_MOST_NAMED = 5
_DAYS_WITH_LIST = 2

_DESCRIPTION = """\
Play some days of instalment reminders on an AWS that lives in this process (moto): tables, queues and the bucket
are created as template.yaml declares them, the real Lambda handlers are driven with the events AWS sends, and a
virtual clock jumps from one moment at which something is due to the next. Nothing leaves this machine.
"""
_EPILOG = f"""\
Without --accounts a sample portfolio of fictional customers is made up, and written to OUT/accounts.csv.

A `paid_on` later than the virtual clock has not happened yet: it arrives as a payment at the start of that day
where the customer lives. The run begins on START at 00:00 in UTC+8, and ends after DAYS days.

In the sample people write back where the lender has a number that can be answered (replies of the corpus that only
examine the reader), and some numbers cannot be reached. With --accounts every text arrives and nobody
answers, but for what --events says: payments, replies and receipts, a line of JSON each (docs/input.md,
"Your own events").

Written to OUT when all is done: {", ".join(FILES.values())}.

Exit status: 0 all went well, 1 the run failed or every row was refused, 2 something asked for cannot be,
130 it was interrupted.
"""


class ChoiceError(DunningError):
    """Something the user has asked for cannot be; the message names the variable and the fix."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; `--help` says the rest."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m tests.local",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
    parser.add_argument("--days", default=str(SAMPLE_DAYS), help="how many days (default: %(default)s)")
    parser.add_argument("--out", default=".local", metavar="DIR", help="where the files go (default: %(default)s)")
    parser.add_argument("--policies", metavar="DIR", help="a folder with lenders/*.toml, and perhaps texts/ and others")
    parser.add_argument("--lender", default="", metavar="ID", help="the lender of all accounts, whatever the file says")
    return parser


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


def _read(variable: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ChoiceError(f"{variable}={path}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be played. `accounts_file` is where the accounts are, or will be."""

    accounts: bytes
    accounts_file: Path
    sample: bool
    start: date
    days: int
    out: Path
    scripted: Sequence[ScriptedEvent]
    policies: Policies
    encoding: str
    whole_list: WholeList | None

    @property
    def last_day(self) -> date:
        return self.start + timedelta(days=self.days - 1)


def _asked(options: argparse.Namespace) -> _Asked:
    """
    Read all that was asked for, to its end, before anything starts.

    Raises:
        ChoiceError: something cannot be.
        OutError: the results cannot go where they should.
        PoliciesError: there are no such policies, or no such lender.
        PolicyError: a file of the policies is refused.
        SaidError: lines of the events are not what they should be.
    """
    days, out = _days(options.days), Path(options.out)
    inputs = [Path(name) for name in (options.accounts, options.events, options.complete) if name]
    encoding = _encoding(options.encoding)
    check_out(out, inputs)
    sample = options.accounts is None
    if sample:
        start = _day(options.start) if options.start else SAMPLE_START
        accounts, accounts_file = sample_file(start), out / sample_name(out)
    else:
        start = _day(options.start) if options.start else date.today()  # noqa: DTZ011 - the user's own today
        accounts_file = Path(options.accounts)
        accounts = _read("ACCOUNTS", accounts_file)
    policies = load(Path(options.policies) if options.policies else None)
    lender = lender_for(policies.book, options.lender, SAMPLE_LENDERS if sample else frozenset())
    form = file_form(policies.book.headings, encoding)
    if lender:
        accounts = with_lender(accounts, lender, form)
    whole_list = _whole_list(Path(options.complete), lender, days, form) if options.complete else None
    scripted: list[ScriptedEvent] = []
    if options.events is not None:
        file = Path(options.events)
        portfolio = read_portfolio(accounts, accounts_file.name, form)
        scripted = read_scripted_events(_read("EVENTS", file), file.name, portfolio)
    return _Asked(accounts, accounts_file, sample, start, days, out, scripted, policies, encoding, whole_list)


def _encoding(name: str) -> str:
    if name and name.lower() not in NAMES:
        raise ChoiceError(f"ENCODING={name} is not one of {', '.join(NAMES)}")
    return name.lower()


def _whole_list(file: Path, lender: str, days: int, form: FileForm) -> WholeList:
    body = _read("COMPLETE", file)
    if days < _DAYS_WITH_LIST:
        raise ChoiceError(f"COMPLETE={file} is uploaded on the second day: DAYS={days} ends before it")
    if lender:
        body = with_lender(body, lender, form)
    lenders = lenders_in(body, form)
    if len(lenders) != 1:
        raise ChoiceError(f"COMPLETE={file} is a list of one lender, and names {len(lenders)}")
    return WholeList(body, file.name, *lenders)


def _warn_of_events_outside(asked: _Asked) -> None:
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


class _ProgressLine:
    """Shows how far a run is: one line that changes on a terminal, nothing elsewhere."""

    def __init__(self, start: date, days: int) -> None:
        self._start = start
        self._days = days
        self._terminal = sys.stderr.isatty()

    def show(self, progress: Progress) -> None:
        if not self._terminal:
            return
        today = progress.at.astimezone(BEGINS_IN).date()
        day = (today - self._start).days + 1
        line = f"{today}, day {day} of {self._days}: texts {progress.texts:,}, customers waiting {progress.waiting:,}"
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()

    def close(self) -> None:
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run and return the exit status.

    Raises:
        KeyboardInterrupt: the user has ended it; the results of the run before are as they were.
    """
    options = _parser().parse_args(arguments)
    try:
        asked = _asked(options)
    except (ChoiceError, OutError, PoliciesError, PolicyError, ScriptedEventsError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _warn_of_events_outside(asked)
    progress = _ProgressLine(asked.start, asked.days)
    try:
        result = run(
            asked.accounts,
            start=asked.start,
            days=asked.days,
            out=asked.out,
            name=asked.accounts_file.name,
            scripted=asked.scripted,
            sample=asked.sample,
            policies=asked.policies,
            parameters={"AccountsEncoding": asked.encoding},
            whole_list=asked.whole_list,
            on_progress=progress.show,
        )
    except DunningError as error:
        progress.close()
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        progress.close()
        sys.stderr.write(f"OUT={asked.out}: {error.strerror}\n")
        return 2
    finally:
        progress.close()
    files = {"accounts": asked.accounts_file, **result.files}
    sys.stdout.write("\n".join(report(result.summary, choose_examples(result.examples), files, result.replies)) + "\n")
    return 0
