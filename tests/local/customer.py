"""
`make customer`: one customer as the last local run left them, on a page that can be read on the phone with them.

    python -m tests.local.customer --out .local C0012

It reads what `make run` has written, and no deployed stack. Name and number are masked; texts are as they arrived.
Exits with 0, or 2 if there is no run, no such customer, or something asked for cannot be.
"""

import argparse
import difflib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from dunning.domain.errors import DunningError
from ops.columns import WIDTH, fold, stage_name
from tests.local.report import BANDS, REASONS, field, table, understood, with_day
from tests.local.results import FILES

_DECISIONS_SHOWN = 20
_MOST_NEAR = 3
_CUSTOMER_MISSING = "name the customer by the id, as in CUSTOMER=C0012"


class CustomerError(DunningError):
    """There is nothing to show; the message says why, and what to do."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; `--help` says the rest."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("the following arguments are required"):
            message = _CUSTOMER_MISSING
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the page of each customer, and return the exit status."""
    parser = _Parser(prog="make customer", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("customers", nargs="+", metavar="CUSTOMER", help="customer_id, as in the file of accounts")
    parser.add_argument("--out", type=Path, default=Path(".local"), help="where the run left its files (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        found = Found(options.out)
        pages = ["\n".join(found.page(customer_id)) for customer_id in options.customers]
    except CustomerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("\n\n".join(pages) + "\n")
    return 0


class Found:
    """
    The results of a run in a folder.

    Raises:
        CustomerError: there are none, or an earlier version has left them.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        try:
            self._run: Mapping[str, Any] = json.loads((out / FILES["summary"]).read_text("utf-8"))["run"]
        except FileNotFoundError:
            raise CustomerError(f"OUT={out}: no run has left its results there yet: make run") from None
        except (OSError, ValueError, KeyError, TypeError):
            raise CustomerError(f"OUT={out}: {FILES['summary']} there is not of a run: name another folder") from None
        self._customers = {line["customer_id"]: line for line in self._lines("customers")}

    def _lines(self, what: str) -> list[dict[str, Any]]:
        try:
            return [json.loads(line) for line in (self._out / FILES[what]).read_text("utf-8").splitlines()]
        except FileNotFoundError:
            raise CustomerError(
                f"OUT={self._out}: the run there has left no {FILES[what]}: play it again with make run"
            ) from None
        except (OSError, ValueError):
            raise CustomerError(f"OUT={self._out}: {FILES[what]} cannot be read: play it again with make run") from None

    def _of(self, what: str, customer_id: str) -> list[dict[str, Any]]:
        return [line for line in self._lines(what) if line.get("customer_id") == customer_id]

    def page(self, customer_id: str) -> Iterator[str]:
        """
        Yield the lines of a customer's page.

        Raises:
            CustomerError: the run knows nobody of this id.
        """
        customer = self._customers.get(customer_id)
        contacts = self._of("contacts", customer_id)
        if customer is None:
            if contacts:
                raise CustomerError(f"CUSTOMER={customer_id}: the customer was erased during the run")
            near = difflib.get_close_matches(customer_id, self._customers, n=_MOST_NEAR)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            raise CustomerError(f"CUSTOMER={customer_id}: the run in {self._out} has no such customer{meant}")
        zone = ZoneInfo(customer["time_zone"])
        yield "=" * WIDTH
        yield f"  {customer_id}  {customer['name']}  {customer['phone']}"
        yield (
            f"  {customer['place']}, {customer['language']}, lender {customer['lender']}; "
            f"times are those of {customer['time_zone']}"
        )
        yield f"  as the run from {self._run['start']} to {self._run['last_day']} left them"
        yield "=" * WIDTH
        yield from _now(customer, zone)
        yield from _open(customer["open"])
        yield from _texts(contacts, zone)
        yield from _replies(self._of("replies", customer_id))
        yield from _decisions(self._of("decisions", customer_id), zone)


def _now(customer: Mapping[str, Any], zone: ZoneInfo) -> Iterator[str]:
    reason = f"{REASONS.get(customer['reason'], 'not planned yet')} ({customer['reason'] or '-'})"
    yield ""
    yield "NOW"
    if customer["next_decision_at"]:
        yield from field("next decision", f"{_local(customer['next_decision_at'], zone)}; until then: {reason}")
    else:
        yield from field("no more texts", reason)
    for silence in customer["silences"]:
        yield from field("hold", silence)
    for promise in customer["promises"]:
        kept = {None: "still open", True: "kept", False: "broken"}[promise["kept"]]
        yield from field("promise", f"{promise['about']} by {promise['on']}: {kept}")


def _open(instalments: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield "WHAT IS OPEN"
    if not instalments:
        yield "  nothing"
        return
    yield from table(
        ("account", "ends in", "for", "instalment", "due on", "amount", "open"),
        [
            (
                *(line[what] for what in ("account_id", "digits", "product")),
                str(line["number"]),
                *(line[what] for what in ("due_on", "amount", "open")),
            )
            for line in sorted(instalments, key=lambda line: (line["due_on"], line["account_id"]))
        ],
        "<<<>>>>",
    )


def _texts(contacts: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Iterator[str]:
    yield ""
    yield f"TEXTS ({len(contacts)})"
    for contact in contacts:
        yield f"  {_local(contact['at'], zone)}  {stage_name(contact['stage'])}: {contact['state']}"
        yield from (f"  | {part}" for part in fold(contact["text"] or "", WIDTH - 8))
    if not contacts:
        yield "  none"


def _replies(replies: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield f"REPLIES ({len(replies)})"
    for line in replies:
        yield f"  {line['local_at'][:10]} {line['local_at'][11:16]}  {line['reply_id']}"
        yield from (f"  | {part}" for part in fold(" / ".join(line["text"].splitlines()), WIDTH - 8))
        yield from field("understood", understood(line))
        yield from field("band", f"{line['band']}: {BANDS[line['band']]}")
        for reason in line["why"] or ("nothing in it is known",):
            yield from field("why", reason)
        label = line["label"]
        if label:
            says = with_day(label["intents"] or ["nothing"], label["promised_on"])
            yield from field("a person says", says)
        for followed in line["followed"]:
            yield from field("followed", followed)
    if not replies:
        yield "  none"


def _decisions(decisions: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> Iterator[str]:
    yield ""
    earlier = len(decisions) - _DECISIONS_SHOWN
    yield f"DECISIONS, the last {_DECISIONS_SHOWN} of {len(decisions)}" if earlier > 0 else "DECISIONS"
    if not decisions:
        yield "  none"
        return
    yield from table(
        ("at", "", "reason", "stage", "until"),
        [
            (
                _local(line["at"], zone),
                line["decision"],
                REASONS.get(line["reason"], line["reason"]),
                "" if line["stage"] is None else f"{line['stage']:+d}",
                _local(line["until"], zone) if line["until"] else "",
            )
            for line in decisions[-_DECISIONS_SHOWN:]
        ],
        "<<<><",
    )


def _local(at: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(at).astimezone(zone).strftime("%Y-%m-%d %H:%M")


if __name__ == "__main__":
    sys.exit(main())
