"""The command line: `python -m tests.local`, which `make run` calls."""

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NoReturn

from dunning.domain.errors import DunningError
from tests.local.recorder import FILES
from tests.local.report import choose_examples, report
from tests.local.runner import BEGINS_IN, NothingLoadedError, Progress, run
from tests.local.said import Said, SaidError, read_said
from tests.local.sample import sample_file
from tests.local.template import TemplateError

SAMPLE_START = date(2026, 11, 16)
SAMPLE_DAYS = 45
_LONGEST = 3660
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_YEAR, _LAST_YEAR = 2000, 2100

_DESCRIPTION = """\
Play some days of instalment reminders on an AWS that lives in this process (moto): tables, queues and the bucket
are created as template.yaml declares them, the real Lambda handlers are driven with the events AWS sends, and a
virtual clock jumps from one moment at which something is due to the next. Nothing leaves this machine.
"""
_EPILOG = f"""\
Without --accounts a sample portfolio of fictional customers is made up, and written to OUT/accounts.csv.

A `paid_on` later than the virtual clock has not happened yet: it arrives as a payment at the start of that day
where the customer lives. The run begins on START at 00:00 in UTC+8, and ends after DAYS days.

In the sample people write back, and some numbers cannot be reached. With --accounts every text arrives and nobody
answers, but for what --events says: payments, replies and receipts, a line of JSON each (README, "Your own events").

Written to OUT: {", ".join(FILES.values())}.

Exit status: 0 all went well, 1 the run failed or every row was refused, 2 something asked for cannot be.
"""


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
    parser.add_argument("--accounts", type=Path, metavar="FILE", help="a CSV file of accounts (default: a sample)")
    parser.add_argument(
        "--events", type=Path, metavar="FILE", help="your own payments, replies and receipts (JSON lines)"
    )
    parser.add_argument(
        "--start",
        type=_day,
        metavar="DATE",
        help=f"the first day, as 2026-12-01 (default: {SAMPLE_START} for the sample, else today)",
    )
    parser.add_argument("--days", type=_days, default=SAMPLE_DAYS, help="how many days (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path(".local"), metavar="DIR", help="where the files go (default: %(default)s)"
    )
    return parser


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text) if _ISO_DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a date such as 2026-12-01, between the years {_FIRST_YEAR} and {_LAST_YEAR}"
        )
    return day


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to {_LONGEST}")
    return int(text)


class _ProgressLine:
    """Shows how far a run is, every third day: on a terminal in one line, elsewhere a line each."""

    _EVERY = timedelta(days=3)

    def __init__(self, last_day: date) -> None:
        self._last_day = last_day
        self._next: date | None = None
        self._terminal = sys.stderr.isatty()

    def show(self, progress: Progress) -> None:
        today = progress.at.astimezone(BEGINS_IN).date()
        if self._next is not None and today < self._next:
            return
        self._next = today + self._EVERY
        line = f"{today} (until {self._last_day})  {progress.sent:>6,} sent  {progress.waiting:>6,} waiting"
        sys.stderr.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        sys.stderr.flush()

    def close(self) -> None:
        if self._terminal and self._next is not None:
            sys.stderr.write("\r\x1b[K")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and return the exit status."""
    options = _parser().parse_args(arguments)
    out: Path = options.out
    if options.accounts is None:
        start: date = options.start or SAMPLE_START
        accounts, path = sample_file(start), out / "accounts.csv"
    else:
        start, path = options.start or date.today(), options.accounts  # noqa: DTZ011 - the user's own today
        try:
            accounts = path.read_bytes()
        except OSError as error:
            sys.stderr.write(f"{path}: {error.strerror}\n")
            return 2
    said: list[Said] = []
    if options.events is not None:
        try:
            said = read_said(options.events.read_bytes(), options.events.name)
        except OSError as error:
            sys.stderr.write(f"{options.events}: {error.strerror}\n")
            return 2
        except SaidError as error:
            sys.stderr.write(f"{error}\n")
            return 2
    try:
        out.mkdir(parents=True, exist_ok=True)
        if options.accounts is None:
            path.write_bytes(accounts)
    except OSError as error:
        sys.stderr.write(f"{out}: {error.strerror}\n")
        return 2

    progress = _ProgressLine(start + timedelta(days=options.days - 1))
    try:
        result = run(
            accounts,
            start=start,
            days=options.days,
            out=out,
            name=path.name,
            said=said,
            lively=options.accounts is None,
            on_progress=progress.show,
        )
    except (NothingLoadedError, TemplateError, DunningError) as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
    finally:
        progress.close()
    files = {"accounts": path, **result.files}
    sys.stdout.write("\n".join(report(result.summary, choose_examples(result.examples), files)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
