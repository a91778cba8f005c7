"""
`make whatif`: today's policy and a changed one over the same customers, by the real decisions. It sends nothing.

What would be paid it does not say: who pays when is assumed, and the same under both.
"""

import argparse
import csv
import gc
import io
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import boto3
from botocore.exceptions import BotoCoreError

from dunning.adapters.dynamodb.comparison_table import DynamoComparisons
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.system_clock import SystemClock
from dunning.contracts.what_if_result import (
    ExampleCourse,
    ExampleCustomer,
    PaymentsNotKnown,
    TrialSize,
    WhatIfResult,
    example_decision,
    example_text,
    policy_sums,
)
from dunning.domain.customer.facts import Facts
from dunning.domain.effect.assumed_payments import EVERYBODY, Hazards, Period, assumed_payments, hazards_from_records
from dunning.domain.effect.courses import AssumedPayment, Course, DifferingCustomer, PolicyComparison
from dunning.domain.effect.intervals import customers_needed, weeks_needed
from dunning.domain.errors import DunningError, ServiceCallError
from dunning.domain.texts.formulas import begins_a_formula
from dunning.policy import PolicyBook, PolicyError, load_policies
from dunning.policy.lender import check_running_trials
from dunning.ports.clock import Clock
from dunning.ports.customers import WholeScan
from dunning.services.what_if import CustomerAtStart, PlayedUnder, compare, course_of
from ops.own_policies import changed_files, changes_over, over_the_package
from ops.stack import StackError, deployed
from tests.local.asked import REFUSALS, OneLineParser, read_asked
from tests.local.kept_what_if import check_who, keep_result
from tests.local.policies import load
from tests.local.runner import begin_of
from tests.local.what_if_portfolio import (
    WhatIfChoiceError,
    WhatIfPortfolio,
    from_file,
    from_tables,
    observed_in,
    read_hazards,
)
from tests.local.what_if_report import what_if_report
from tests.local.what_if_segments import segments_report
from tests.local.world import local_zone

FILES = {
    "text": "what-if.txt",
    "result": "what-if.json",
    "today": "what-if-today.csv",
    "changed": "what-if-changed.csv",
}
"""What is written. The last two have a line for each text, in the same order: made to be compared."""

COLUMNS = ("customer_id", "what", "at", "local_at", "stage", "channel", "template", "parts", "price_usd_micros")

NOBODY, AS_IN_FILE, AS_RECORDED = "nobody", "file", "records"

BASE = 0.6
"""The cure rate for which the sizes of trials are computed, as nobody knows the lender's own."""

_LIFTS = (0.01, 0.02, 0.04)
_SHARE = 0.5
_DAYS = 45
_SLICE = 2_000
_MOST_DECISIONS = 8
_A_WEEK = timedelta(days=7)
_LONGEST = 400

_EPILOG = """\
POLICY is a folder with changed files, in folders as in the package: lenders/demo-tw.toml, texts/en.toml. All else
stays as it is today. Today's policy is the package's, or that of POLICIES.

PAYMENTS=nobody   nobody pays: the most texts there can be (the default)
PAYMENTS=file     the payments that the file of accounts dates after the first day
PAYMENTS=records  as likely, by days past due, as the file's payments before the first day
PAYMENTS=own.csv  a table of your own: group,day,share (docs/effect.md)

Whoever pays, pays the same under both policies. What a policy does to payments is not known without a trial.

KEEP=1 WHO=mei.chen   with STACK=, keeps the result for 90 days on the page "What if" of the stack's console

Exit status: 0 it was compared, 1 a policy or every row is refused, 2 something asked for cannot be, 130 interrupted.
"""


class _Play(NamedTuple):
    """All that a process needs to play a slice."""

    portfolio: WhatIfPortfolio
    today: PlayedUnder
    changed: PlayedUnder
    payments_of: Callable[[Facts], Sequence[AssumedPayment]]
    is_as_today: Callable[[Facts], bool]


_SHARED: list[_Play] = []
"""What processes inherit when they are forked, so that no customer has to be copied."""


class Slice(NamedTuple):
    """The comparison of some customers in a row, and the lines of both files."""

    comparison: PolicyComparison
    today: str
    changed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A finished comparison."""

    comparison: PolicyComparison
    today_lines: Sequence[str]
    changed_lines: Sequence[str]


def compare_all(play: _Play, processes: int, on_progress: Callable[[int], None]) -> Compared:
    """Play all customers, in so many processes; the result does not depend on how many."""
    count = len(play.portfolio.customers)
    slices = [(first, min(first + _SLICE, count)) for first in range(0, count, _SLICE)]
    _SHARED[:] = [play]
    gc.freeze()  # what was loaded stays: to look through it again and again takes longer than playing
    comparison = PolicyComparison()
    today: list[str] = []
    changed: list[str] = []
    try:
        for (_, last), part in zip(slices, _played(slices, processes), strict=True):
            comparison.merge(part.comparison)
            today.append(part.today)
            changed.append(part.changed)
            on_progress(last)
    finally:
        gc.unfreeze()
        _SHARED.clear()
    return Compared(comparison=comparison, today_lines=today, changed_lines=changed)


def _played(slices: Sequence[tuple[int, int]], processes: int) -> Iterator[Slice]:
    if processes == 1:
        yield from map(_play_slice, slices)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("fork")) as pool:
        yield from pool.map(_play_slice, slices)


def _play_slice(borders: tuple[int, int]) -> Slice:
    (play,) = _SHARED
    texts = io.StringIO(), io.StringIO()
    writers = [csv.writer(text, lineterminator="\n") for text in texts]

    def write(before: Course, after: Course) -> None:
        for writer, course in zip(writers, (before, after), strict=True):
            writer.writerows(_lines_of(course))

    customers = play.portfolio.customers[slice(*borders)]
    comparison = compare(customers, play.payments_of, play.today, play.changed, write, play.is_as_today)
    return Slice(comparison, *(text.getvalue() for text in texts))


def _lines_of(course: Course) -> Iterator[Sequence[object]]:
    # An id may begin as a formula of a spreadsheet does, which would then run it.
    customer_id = f"'{course.customer_id}" if begins_a_formula(course.customer_id) else course.customer_id
    for text in course.texts:
        yield (
            customer_id,
            "text",
            f"{text.at:%Y-%m-%dT%H:%M:%SZ}",
            text.local_at.isoformat(),
            text.stage,
            text.channel,
            text.template,
            text.parts,
            text.price,
        )
    for review in course.handed_over:
        yield customer_id, f"person:{review}", "", "", "", "", "", "", ""


# ------------------------------------------------------------------ the result


def result_of(asked: "_Asked", comparison: PolicyComparison) -> WhatIfResult:
    """Return the result as it is stored."""
    play = asked.play
    begin, end = play.today.begin, play.today.end
    a_week = comparison.differing / max((end - begin) / _A_WEEK, 1)
    return WhatIfResult(
        source=asked.source,
        policy=str(asked.policy),
        changed_files=tuple(asked.files),
        begin=begin,
        end=end,
        assumed_payments=asked.paid,
        customers=comparison.today.customers,
        differing=comparison.differing,
        moved=comparison.moved,
        next_texts=dict(sorted(comparison.next_texts.items())),
        today=policy_sums(comparison.today),
        changed=policy_sums(comparison.changed),
        payments=PaymentsNotKnown(
            base=BASE, customers_a_week=round(a_week, 1), trials=tuple(_trial(lift, a_week) for lift in _LIFTS)
        ),
        examples=tuple(_example(play, kind, customer) for kind, customer in comparison.examples()),
    )


def _trial(lift: float, a_week: float) -> TrialSize:
    customers = customers_needed(BASE, lift, _SHARE, looked_at_daily=True)
    return TrialSize(lift=lift, share=_SHARE, customers=customers, weeks=weeks_needed(customers, a_week))


def _example(play: _Play, kind: str, customer: DifferingCustomer) -> ExampleCustomer:
    """Play a customer once more under both policies, with the traces."""
    at_start = CustomerAtStart(customer.facts, customer.standing)
    before, after = (course_of(at_start, customer.payments, under, traced=True) for under in (play.today, play.changed))
    same = 0
    while same < min(len(before.traces), len(after.traces)) and before.traces[same] == after.traces[same]:
        same += 1
    return ExampleCustomer(
        customer_id=customer.facts.customer_id,
        difference=kind,
        today=_example_course(before, same),
        changed=_example_course(after, same),
    )


def _example_course(course: Course, same: int) -> ExampleCourse:
    return ExampleCourse(
        texts=tuple(map(example_text, course.texts)),
        handed_over=tuple(course.handed_over),
        decisions=tuple(map(example_decision, course.traces[same : same + _MOST_DECISIONS])),
    )


class ChangedPolicy(NamedTuple):
    """A changed policy: its folder, the files that differ, and what comes of them."""

    folder: Path
    files: Sequence[str]
    book: PolicyBook


def changed_policy(folder: Path, below: Path | None, variable: str = "POLICY") -> ChangedPolicy:
    """
    Read a folder of changed files over today's policy, which is the package's or that of the folder `below`.

    Raises:
        WhatIfChoiceError: there is no such folder, or a file of it belongs nowhere.
        PolicyError: a file is refused.
    """
    if not folder.is_dir():
        raise WhatIfChoiceError(f"{variable}={folder}: there is no such folder")
    source = over_the_package(below) if below else None
    differing, unread = changed_files(folder, source)
    if unread:
        raise WhatIfChoiceError(
            f"{variable}={folder}: {unread[0]} is in no folder of policies; use lenders/, texts/ and the like"
        )
    return ChangedPolicy(folder, differing, load_policies(changes_over(folder, source)))


def what_if_of_tables(
    scan: WholeScan, today: PolicyBook, changed: ChangedPolicy, period: Period, source: str
) -> WhatIfResult:
    """Return what would be sent to the customers of some tables, if nobody paid."""
    portfolio = from_tables(scan)
    play = _play(portfolio, (today, changed.book), period, NOBODY, {}, 1, changed.files)
    asked = _Asked(play, source, changed.folder, changed.files, _in_words(NOBODY, 1), portfolio.refused, 1)
    return result_of(asked, compare_all(play, 1, lambda _: None).comparison)


def only_lender(files: Sequence[str]) -> str:
    """Return the only lender whom changed files concern; empty if there are several, or all."""
    lenders = lenders_changed(files) or frozenset()
    return next(iter(lenders)) if len(lenders) == 1 else ""


# ------------------------------------------------------------------ the command


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="make whatif",
        description="Compare today's policy with a changed one over your customers: what would be sent, and to whom.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--policy", metavar="DIR", help="the changed files")
    parser.add_argument("--policies", metavar="DIR", help="today's policy, if it is not the package's")
    parser.add_argument("--accounts", metavar="FILE", help="a CSV file of accounts (default: a sample)")
    parser.add_argument("--encoding", default="", metavar="NAME", help="of the accounts besides UTF-8, such as big5")
    parser.add_argument("--lender", default="", metavar="ID", help="the lender of all accounts, whatever the file says")
    parser.add_argument("--start", metavar="DATE", help="the first day, as 2026-12-01 (default: as `make run` has it)")
    parser.add_argument("--days", default=str(_DAYS), help="how many days (default: %(default)s)")
    parser.add_argument("--stack", metavar="NAME", help="the customers of a deployed stack, as they stand now")
    parser.add_argument("--region", help="its region; by default that of your AWS configuration")
    parser.add_argument("--payments", default=NOBODY, metavar="WHO", help="who pays meanwhile (default: %(default)s)")
    parser.add_argument("--seed", default="1", help="of the payments drawn from a table (default: %(default)s)")
    parser.add_argument("--jobs", default="1", help="processes (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="for the console of the stack: 90 days, the newest twenty")
    parser.add_argument("--who", default="", help="who keeps it")
    parser.add_argument("--out", default=".local", metavar="DIR", help="where the files go (default: %(default)s)")
    parser.set_defaults(events=None, complete=None)
    return parser


class _Asked(NamedTuple):
    play: _Play
    source: str
    policy: Path
    files: Sequence[str]
    paid: str
    refused: int
    processes: int


def _read(options: argparse.Namespace, clock: Clock) -> _Asked:
    """
    Read all that is asked for.

    Raises:
        DunningError: something cannot be; the message says what, and what to do.
    """
    if Path(options.out).is_file():
        raise WhatIfChoiceError(f"OUT={options.out} is a file: name a folder")
    if not options.policy:
        raise WhatIfChoiceError("POLICY= is missing: name a folder with changed files, such as lenders/demo-tw.toml")
    if options.keep and not options.stack:
        raise WhatIfChoiceError("KEEP=1 needs STACK=; for the console of this machine use make console WHATIF=folder")
    if options.keep:
        check_who(options.who)
    below = Path(options.policies) if options.policies else None
    policy, differing, changed_book = changed_policy(Path(options.policy), below)
    days, seed, processes = _number("DAYS", options.days), _number("SEED", options.seed), _number("JOBS", options.jobs)
    if options.stack:
        period = _from_now(clock, days)
        return _of_stack(options, policy, differing, changed_book, period, seed, processes)
    hazards = {} if options.payments == AS_RECORDED else _hazards(options.payments)
    asked = read_asked(options)
    begin = begin_of(asked.start)
    portfolio = from_file(asked.accounts, asked.name, asked.form, asked.policies.book, begin)
    end = begin + timedelta(days=days)
    if options.payments == AS_RECORDED:
        hazards = {EVERYBODY: hazards_from_records(observed_in(asked.accounts, asked.form, begin))}
        if not hazards[EVERYBODY]:
            raise WhatIfChoiceError(
                f"PAYMENTS=records: {asked.name} has no paid_on before {asked.start}; give a table, or use nobody"
            )
    check_running_trials(asked.policies.book.lenders, changed_book.lenders, begin.date())
    play = _play(
        portfolio, (asked.policies.book, changed_book), Period(begin, end), options.payments, hazards, seed, differing
    )
    paid = _in_words(options.payments, seed)
    return _Asked(play, asked.name, policy, differing, paid, portfolio.refused, processes)


def _of_stack(
    options: argparse.Namespace,
    policy: Path,
    differing: Sequence[str],
    changed_book: PolicyBook,
    period: Period,
    seed: int,
    processes: int,
) -> _Asked:
    for variable in ("accounts", "start", "lender"):
        if getattr(options, variable):
            raise WhatIfChoiceError(f"STACK= and {variable.upper()}= do not go together: take one out")
    if options.payments in {AS_IN_FILE, AS_RECORDED}:
        raise WhatIfChoiceError(f"PAYMENTS={options.payments} needs ACCOUNTS=; with STACK= give a table, or use nobody")
    session = boto3.Session(region_name=options.region)
    stack = deployed(session.client("cloudformation"), options.stack)
    shards = int(stack.parameter("DueShards"))
    scan = DynamoCustomers(session.client("dynamodb"), stack.output("CustomersTable"), shards)
    portfolio = from_tables(scan)
    if not portfolio.customers:
        raise WhatIfChoiceError(f"STACK={options.stack}: no customer is planned there: load a file first")
    book = load(Path(options.policies) if options.policies else None).book
    check_running_trials(book.lenders, changed_book.lenders, period.begin.date())
    books = book.stored_in(session.region_name), changed_book.stored_in(session.region_name)
    play = _play(portfolio, books, period, options.payments, _hazards(options.payments), seed, differing)
    paid = _in_words(options.payments, seed)
    return _Asked(play, f"stack {options.stack}", policy, differing, paid, portfolio.refused, processes)


def _from_now(clock: Clock, days: int) -> Period:
    now = clock.now()
    return Period(now, now + timedelta(days=days))


def _hazards(payments: str) -> Hazards:
    return {} if payments in {NOBODY, AS_IN_FILE} else read_hazards(Path(payments))


def _play(
    portfolio: WhatIfPortfolio,
    books: tuple[PolicyBook, PolicyBook],
    period: Period,
    payments: str,
    hazards: Hazards,
    seed: int,
    differing: Sequence[str],
) -> _Play:
    """Put together what is played. Time zones are those of today's policy, so that payments are the same for both."""
    today, changed = books

    def drawn(facts: Facts) -> Sequence[AssumedPayment]:
        return assumed_payments(facts, hazards, period, local_zone(today, facts), seed)

    def dated(facts: Facts) -> Sequence[AssumedPayment]:
        return portfolio.paid_later.get(facts.customer_id, ())

    payments_of = dated if payments == AS_IN_FILE else drawn if hazards else _nobody_pays
    changed_lenders = lenders_changed(differing)

    def is_as_today(facts: Facts) -> bool:
        return changed_lenders is not None and facts.lender not in changed_lenders

    return _Play(portfolio, PlayedUnder(today, *period), PlayedUnder(changed, *period), payments_of, is_as_today)


def lenders_changed(files: Sequence[str]) -> frozenset[str] | None:
    """Return the lenders whom changed files concern; `None` for all: words, laws and the like are everybody's."""
    own = [name.removeprefix("lenders/") for name in files if name.startswith("lenders/")]
    if not files or len(own) < len(files):
        return None
    return frozenset(name.partition("/")[0].removesuffix(".toml") for name in own)


def _nobody_pays(facts: Facts) -> Sequence[AssumedPayment]:
    del facts
    return ()


def _in_words(payments: str, seed: int) -> str:
    words = {
        NOBODY: "nobody pays: the most texts there can be",
        AS_IN_FILE: "as the file dates them",
        AS_RECORDED: f"as likely as before, by days past due (seed {seed})",
    }
    return words.get(payments, f"as likely as {payments} says (seed {seed})")


def _number(variable: str, written: str) -> int:
    if not written.isdecimal() or not 1 <= int(written) <= _LONGEST:
        raise WhatIfChoiceError(f"{variable}={written} is not a whole number from 1 to {_LONGEST}")
    return int(written)


class _Progress:
    """One line that changes on a terminal, nothing elsewhere."""

    def __init__(self, customers: int) -> None:
        self._customers = customers
        self._is_terminal = sys.stderr.isatty()

    def __call__(self, done: int) -> None:
        if self._is_terminal:
            sys.stderr.write(f"\r\x1b[K{done:,} of {self._customers:,} customers")
            sys.stderr.flush()

    def close(self) -> None:
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def main(arguments: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """Compare, write the files, print the report, and return the exit status."""
    options = _parser().parse_args(arguments)
    out = Path(options.out)
    try:
        asked = _read(options, clock or SystemClock())
    except PolicyError as error:
        sys.stderr.write(f"Refused: {error}\n")
        return 1
    except (*REFUSALS, WhatIfChoiceError, StackError, ServiceCallError, BotoCoreError, DunningError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    progress = _Progress(len(asked.play.portfolio.customers))
    try:
        compared = compare_all(asked.play, asked.processes, progress)
    finally:
        progress.close()
    result = result_of(asked, compared.comparison)
    segments = segments_report(asked.play.portfolio.customers, asked.play.changed.policies, asked.play.changed.begin)
    text = "\n".join([*what_if_report(result, asked.refused), *segments]) + "\n"
    try:
        _write(out, text, result, compared)
    except OSError as error:
        sys.stderr.write(f"OUT={out}: {error.strerror}\n")
        return 2
    sys.stdout.write(text)
    if options.keep:
        try:
            _keep_in_stack(options, result, (clock or SystemClock()).now())
        except (StackError, ServiceCallError, BotoCoreError) as error:
            sys.stderr.write(f"It was compared, and not kept: {error}\n")
            return 2
    sys.stdout.write("\nFILES\n")
    sys.stdout.writelines(f"  {out / name}\n" for name in FILES.values())
    return 0


def _keep_in_stack(options: argparse.Namespace, result: WhatIfResult, at: datetime) -> None:
    session = boto3.Session(region_name=options.region)
    table = deployed(session.client("cloudformation"), options.stack).output("TallyTable")
    head = keep_result(
        DynamoComparisons(session.client("dynamodb"), table),
        result,
        lender=only_lender(result.changed_files),
        payments=options.payments,
        who=check_who(options.who),
        at=at,
    )
    sys.stdout.write(f"\nKept for the console: /what-if/{head.comparison_id}\n")


def _write(out: Path, text: str, result: WhatIfResult, compared: Compared) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / FILES["text"]).write_text(text, "utf-8")
    (out / FILES["result"]).write_text(result.model_dump_json(indent=2) + "\n", "utf-8")
    for name, lines in (("today", compared.today_lines), ("changed", compared.changed_lines)):
        with (out / FILES[name]).open("w", encoding="utf-8") as file:
            file.write(",".join(COLUMNS) + "\n")
            file.writelines(lines)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make whatif | head` ends quietly
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: nothing was written.\n")
        sys.exit(130)
