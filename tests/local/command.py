"""The command line of a local run. Its errors name what the user types: the variables of `make run`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dunning.domain.errors import DunningError
from tests.local.asked import (
    REFUSALS,
    OneLineParser,
    ProgressLine,
    read_asked,
    take_world,
    warn_of_events_outside,
)
from tests.local.report import choose_examples, report
from tests.local.results import FILES, OutError, check_out, sample_name
from tests.local.run_rates import rates_part
from tests.local.runner import run
from tests.local.trial_lines import trials_part

_DAYS = 45

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


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="python -m tests.local",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    take_world(parser, _DAYS)
    parser.add_argument("--out", default=".local", metavar="DIR", help="where the files go (default: %(default)s)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run and return the exit status.

    Raises:
        KeyboardInterrupt: the user has ended it; the results of the run before are as they were.
    """
    options = _parser().parse_args(arguments)
    out = Path(options.out)
    try:
        check_out(out, [Path(name) for name in (options.accounts, options.events, options.complete) if name])
        asked = read_asked(options)
    except (*REFUSALS, OutError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    warn_of_events_outside(asked)
    accounts_file = out / sample_name(out) if asked.is_sample else Path(options.accounts)
    progress = ProgressLine(asked.start, asked.days)
    try:
        result = run(
            asked.accounts,
            start=asked.start,
            days=asked.days,
            out=out,
            name=accounts_file.name,
            scripted=asked.scripted,
            sample=asked.is_sample,
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
        sys.stderr.write(f"OUT={out}: {error.strerror}\n")
        return 2
    finally:
        progress.close()
    files = {"accounts": accounts_file, **result.files}
    sys.stdout.write(
        "\n".join(
            report(
                result.summary,
                choose_examples(result.examples),
                files,
                result.replies,
                result.journeys,
                trials_part(result.trials),
                rates_part(result.rates) if result.rates else (),
            )
        )
        + "\n"
    )
    sys.stdout.write(f"  A page of it to mail: {result.files['page']}\n")
    return 0
