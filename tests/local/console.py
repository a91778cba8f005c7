"""
`make console`: the console on this machine, over a world that is played.

    python -m tests.local.console --days 20
    python -m tests.local.console --accounts accounts.csv --events events.jsonl --start 2026-12-01

The embedded AWS is filled with a sample or a file of accounts and played up to a day. Then a server on the loopback
hands each request to the console's handler as API Gateway would, and the page "Move the clock" lets time pass, writes
as a customer and puts payments on the bus. Nothing leaves this machine.
"""

import argparse
import base64
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4
from zoneinfo import ZoneInfo

import boto3

from dunning import wiring
from dunning.adapters.dynamodb import items
from dunning.console.http_messages import PageRequest, is_from_ourselves, request_of
from dunning.console.translations import LANGUAGES, Translation, language_for
from dunning.domain.customer.facts import Facts
from dunning.domain.errors import DunningError
from dunning.services.intake.table import file_form
from tests.local import events
from tests.local.cloud import LocalCloud
from tests.local.command import SAMPLE_START
from tests.local.console_page import local_page
from tests.local.issuer import CLIENT_ID, GROUPS, DemoIssuer
from tests.local.payments import Payment, split
from tests.local.policies import load
from tests.local.portfolio import read_portfolio
from tests.local.runner import begin_of
from tests.local.sample import sample_file
from tests.local.scripted_events import read_scripted_events
from tests.local.template import Function
from tests.local.world import World, is_facts

CONSOLE_TABLE = "dunning-console"
HANDLER = "functions.console.app.lambda_handler"

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SETTLES = timedelta(minutes=2)
"""The time that is played after a reply or a payment, so that what follows is there to see."""
_FAR = timedelta(days=400)
_MOST_BYTES = 1_000_000


def http_event(method: str, target: str, headers: Mapping[str, str], body: bytes, at: datetime) -> events.Event:
    """
    Build the event of API Gateway for a request (payload format 2.0).

    Cookies stand in a list of their own and not among the headers, and a body is base64, as for any form.
    """
    path, _, query = target.partition("?")
    lowered = {name.lower(): value for name, value in headers.items()}
    cookies = [each.strip() for each in lowered.pop("cookie", "").split(";") if each.strip()]
    event: events.Event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": lowered,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": lowered.get("host", ""),
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": lowered.get("user-agent", ""),
            },
            "requestId": uuid4().hex,
            "routeKey": "$default",
            "stage": "$default",
            "time": at.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(at.timestamp() * 1000),
        },
        "isBase64Encoded": bool(body),
    }
    if cookies:
        event["cookies"] = cookies
    if body:
        event["body"] = base64.b64encode(body).decode()
    return event


def create_console_table(client: Any, table: str = CONSOLE_TABLE) -> None:  # noqa: ANN401 - a client of DynamoDB
    """Create the table of the console."""
    client.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "about", "AttributeType": "S"},
            {"AttributeName": "what", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "about", "KeyType": "HASH"}, {"AttributeName": "what", "KeyType": "RANGE"}],
    )


class LocalConsole:
    """
    The console over a played world, for as long as the context lasts.

    Args:
        accounts: the file of accounts; `None` for the sample.
        scripted: lines of events, as `make run EVENTS=` takes them.
        start: the first day of the world.
        days: how many days are played before anybody looks.
        port: where to listen; 0 for any port that is free.
    """

    def __init__(
        self,
        *,
        accounts: bytes | None = None,
        scripted: bytes | None = None,
        start: datetime | None = None,
        days: int = 20,
        port: int = 0,
    ) -> None:
        self._lock = threading.Lock()
        self._begin = start or begin_of(SAMPLE_START)
        self._is_sample = accounts is None
        self._accounts = accounts if accounts is not None else sample_file(SAMPLE_START)
        self._scripted = scripted
        self._days = days
        self._exit = ExitStack()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.serve(self)

            def do_HEAD(self) -> None:
                outer.serve(self)

            def do_POST(self) -> None:
                outer.serve(self)

            def log_message(self, *_: object) -> None:
                """Say nothing: the terminal belongs to whoever started this."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            policies = load(None)
            self.cloud = stack.enter_context(LocalCloud(self._begin, policies=policies, streams=True))
            stack.callback(wiring.use)
            create_console_table(boto3.client("dynamodb"))
            zones = wiring._lender_zones()  # noqa: SLF001 - as the console has them
            self._zone = next(iter(zones.values()), ZoneInfo("UTC"))
            self.world = World(self.cloud, policies.book, lively=self._is_sample)
            self._play_to_begin(policies)
            issuer = stack.enter_context(DemoIssuer(lambda: datetime.now(UTC), self.origin))
            self._function = self._console_function(issuer.address)
            threading.Thread(target=self._server.serve_forever, daemon=True).start()
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._exit.close()

    def _play_to_begin(self, policies: Any) -> None:  # noqa: ANN401 - as `load` returns them
        form = file_form(policies.book.headings, "")
        first, later = split(self._accounts, begin=self._begin, places=policies.book.places, form=form)
        self.cloud.upload("accounts/accounts.csv", first)
        scripted = (
            read_scripted_events(self._scripted, "events.jsonl", read_portfolio(self._accounts, "accounts.csv", form))
            if self._scripted
            else []
        )
        self.world.expect(later, [event for event in scripted if event.at >= self._begin], self._begin + _FAR)
        self.world.run_until(self._begin + self._days * _DAY, lambda: None)

    def _console_function(self, issuer: str) -> Function:
        stack = self.cloud.stack
        environment = {
            "CUSTOMERS_TABLE": stack.customers_table,
            "CONTACTS_TABLE": stack.contacts_table,
            "CONSOLE_TABLE": CONSOLE_TABLE,
            "TALLY_TABLE": stack.tally_table,
            "SENDING_PARAMETER": stack.sender.environment["SENDING_PARAMETER"],
            "ORIGIN": self.origin,
            "OIDC_ISSUER": issuer,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_GROUPS": GROUPS,
            "BUS_NAME": stack.bus_name,
            "IS_PLAYED": "true",
            "UPLOADS_BUCKET": stack.uploads_bucket,
            "POWERTOOLS_SERVICE_NAME": "console",
            "POWERTOOLS_METRICS_NAMESPACE": "Dunning",
        }
        function = Function(
            name="console",
            physical_name="dunning-console",
            handler=HANDLER,
            timeout=timedelta(seconds=30),
            memory_mb=1024,
            environment=environment,
        )
        # An erasure deletes the notes of colleagues.
        stack.functions["lender_events"].environment["CONSOLE_TABLE"] = CONSOLE_TABLE  # type: ignore[index]
        # The stack takes a function's environment out of the process before another runs.
        stack.functions["console"] = function  # type: ignore[index]
        return function

    def serve(self, exchange: BaseHTTPRequestHandler) -> None:
        """Answer a request: the page of the clock here, all others by the console's handler, one at a time."""
        length = min(int(exchange.headers.get("Content-Length") or 0), _MOST_BYTES)
        body = exchange.rfile.read(length)
        began = time.monotonic()
        with self._lock:
            event = http_event(exchange.command, exchange.path, dict(exchange.headers), body, self.cloud.clock.now())
            if exchange.path.partition("?")[0] == "/local":
                status, headers, cookies, answer = self._local(request_of(event))
            else:
                found = self.cloud.invoke(self._function, event)
                if exchange.command == "POST":
                    self.cloud.drain("lender_events")  # what somebody did in the console goes out as an event
                status, headers, cookies = found["statusCode"], found.get("headers", {}), found.get("cookies", [])
                answer = found.get("body") or ""
                if found.get("isBase64Encoded"):
                    answer = base64.b64decode(answer).decode()
        encoded = answer.encode()
        exchange.send_response(status)
        for name, value in headers.items():
            exchange.send_header(name, value)
        for each in cookies:
            exchange.send_header("Set-Cookie", each)
        exchange.send_header("Server-Timing", f"handler;dur={(time.monotonic() - began) * 1000:.1f}")
        exchange.send_header("Content-Length", str(len(encoded)))
        exchange.end_headers()
        if exchange.command != "HEAD":
            exchange.wfile.write(encoded)

    def _local(self, request: PageRequest) -> tuple[int, Mapping[str, str], Sequence[str], str]:
        language = language_for(request.cookies.get("__Host-language", ""), request.headers.get("accept-language", ""))
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'",
        }
        done = ""
        if request.method == "POST":
            if not is_from_ourselves(request, self.origin):
                return 403, headers, (), ""
            done = self.act(request.form)
        words = Translation(language, self._zone)
        page = local_page(words, LANGUAGES, self.cloud.clock.now(), self.cloud.next_tick(), done)
        return 200, headers, (), page

    def act(self, form: Mapping[str, str]) -> str:
        """Do what a form of the page of the clock asks for; return the key of what to say of it."""
        now = self.cloud.clock.now()
        match form.get("act"):
            case "hour":
                self._play(now + _HOUR)
            case "day":
                self._play(now + _DAY)
            case "wake":
                self._play((self.cloud.next_wake() or now) + _SETTLES)
            case "reply":
                facts = self._facts(form.get("customer", "").strip())
                text = form.get("text", "").strip()
                if facts is None or not text:
                    return "no_customer"
                self.world.write_as(facts.phone, text)
                self._play(now + _SETTLES)
                return "done_reply"
            case "payment":
                payment = self._payment(self._facts(form.get("customer", "").strip()), now)
                if payment is None:
                    return "no_customer"
                self.cloud.lender_says(payment.event())
                self._play(now + _SETTLES)
                return "done_payment"
            case _:
                return ""
        return "done_clock"

    def _play(self, end: datetime) -> None:
        self.world.run_until(max(end, self.cloud.clock.now()), lambda: None)

    def _facts(self, customer_id: str) -> Facts | None:
        for item in self.cloud.items(self.cloud.stack.customers_table):
            if is_facts(item) and item["customer_id"]["S"] == customer_id:
                return items.read_facts(item)
        return None

    def _payment(self, facts: Facts | None, now: datetime) -> Payment | None:
        still_open = [
            (each.due_on, account, each)
            for account in (facts.accounts if facts else ())
            for each in account.instalments
            if each.open > 0
        ]
        if facts is None or not still_open:
            return None
        _, account, each = min(still_open, key=lambda found: (found[0], found[1].account_id, found[2].number))
        return Payment(now, facts.customer_id, account.account_id, each.number, each.amount, account.currency)


def main(argv: Sequence[str] | None = None) -> int:
    """Play, then serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", metavar="FILE", help="a CSV file of accounts (default: a sample)")
    parser.add_argument("--events", metavar="FILE", help="your own payments, replies and receipts (JSON lines)")
    parser.add_argument("--start", metavar="DATE", help="the first day, as 2026-12-01")
    parser.add_argument("--days", type=int, default=20, help="how many days are played first (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8765, help="on 127.0.0.1 (default: %(default)s)")
    options = parser.parse_args(argv)
    try:
        accounts = Path(options.accounts).read_bytes() if options.accounts else None
        scripted = Path(options.events).read_bytes() if options.events else None
        start = (
            begin_of(datetime.strptime(options.start, "%Y-%m-%d").replace(tzinfo=UTC).date()) if options.start else None
        )
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stderr.write(f"Playing {options.days} days; this takes some seconds.\n")
    try:
        with LocalConsole(
            accounts=accounts, scripted=scripted, start=start, days=options.days, port=options.port
        ) as console:
            sys.stdout.write(f"The console is at {console.origin}/ (end with Ctrl-C)\n")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        sys.stdout.write("\n")
    except DunningError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"PORT={options.port}: {os.strerror(error.errno or 0)}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
