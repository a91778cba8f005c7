"""
`make console`: the console on this machine, over a world that is played.

    python -m tests.local console --days 20
    python -m tests.local console --accounts accounts.csv --events events.jsonl --start 2026-12-01

The embedded AWS is filled with a sample or a file of accounts and played up to a day. A server on the loopback says
how far it is, and then hands each request to the console's handler as API Gateway would. The page "Move the clock" lets
time pass, writes as a customer and puts payments on the bus. Nothing leaves this machine.
"""

import argparse
import base64
import errno
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote
from uuid import uuid4
from zoneinfo import ZoneInfo

import boto3

from dunning import wiring
from dunning.adapters.dynamodb import items
from dunning.adapters.dynamodb.comparison_table import DynamoComparisons
from dunning.adapters.dynamodb.customer_table import DynamoCustomers
from dunning.adapters.dynamodb.trial_result_table import DynamoTrialResults
from dunning.console.http_messages import PageRequest, is_from_ourselves, request_of
from dunning.console.render import static_files
from dunning.console.translations import Translation, language_for
from dunning.console.visits import LANGUAGE_COOKIE
from dunning.domain.customer.facts import Facts
from dunning.domain.effect.assumed_payments import Period
from dunning.domain.errors import DunningError
from dunning.services.intake.refusals import NOTES, REJECT_COLUMNS
from dunning.services.intake.table import file_form
from tests.local import events
from tests.local.asked import (
    REFUSALS,
    SAMPLE_START,
    Asked,
    ChoiceError,
    OneLineParser,
    ProgressLine,
    read_asked,
    take_world,
    warn_of_events_outside,
)
from tests.local.cloud import LocalCloud
from tests.local.console_page import Act, local_page, playing_page
from tests.local.demo_trials import PEOPLE, days_of_trials, keep_demo_trials, with_lender_of_trials
from tests.local.effect_people import LENDER
from tests.local.happenings import Watch
from tests.local.issuer import CLIENT_ID, GROUPS, LOGINS, DemoIssuer
from tests.local.kept_what_if import keep_result
from tests.local.payments import Payment
from tests.local.policies import Policies, load
from tests.local.providers import services_needed
from tests.local.results import SAMPLE
from tests.local.runner import (
    BEGINS_IN,
    LIST_COMES,
    Opening,
    Progress,
    WholeList,
    begin_of,
    open_world,
    refusals_of,
    upload_whole_list,
)
from tests.local.sample import sample_file
from tests.local.scripted_events import ScriptedEvent
from tests.local.template import Function
from tests.local.what_if import NOBODY, ChangedPolicy, changed_policy, only_lender, what_if_of_tables
from tests.local.what_if_portfolio import WhatIfChoiceError
from tests.local.world import is_facts

CONSOLE_TABLE = "dunning-console"
HANDLER = "functions.console.app.lambda_handler"
LOCAL = "/local"
"""The address of the page that moves the clock; below it each customer has one to be played."""

ROLE_OF_GROUP = dict(pair.split("=") for pair in GROUPS.split(","))
ROLES = {login: ROLE_OF_GROUP[group] for login, group in LOGINS.items()}
"""The role of each demo login."""

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_SETTLES = timedelta(minutes=2)
"""The time that is played after a reply or a payment, so that what follows is there to see."""
_EVENING = timedelta(hours=9)
"""What is left of the last day, so that the page of the day is not that of a day that has just begun."""
_FAR = timedelta(days=400)
_COMPARED = timedelta(days=45)
"""The days of a what-if."""
_MOST_BYTES = 1_000_000
_DAYS_PLAYED = 20
_LAST_PORT = 65_535
_MOST_SUGGESTED = 24
_REASON = 1 + REJECT_COLUMNS.index("reason")
_MOMENT = timedelta(seconds=1)

_PLAIN = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
_OWN_PAGE = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


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


class PortError(DunningError):
    """The port cannot be listened on; the message names the variable and the fix."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has it
        """Say nothing of a browser that has gone before its answer came."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class LocalConsole:
    """
    The console over a played world, for as long as the context lasts.

    It listens from the first moment on: while the world is played, its only page says how far that is.

    Args:
        accounts: the file of accounts; `None` for the sample.
        name: what the file is called.
        scripted: what is to happen besides, as `make run EVENTS=` takes it.
        start: the first day of the world.
        days: how many days are played before anybody looks.
        port: where to listen; 0 for any port that is free.
        policies: what is played by; by default the package's policies.
        encoding: that of files besides UTF-8.
        whole_list: a lender's whole list, uploaded on the second day.
        what_if: a changed policy, compared with today's over the customers as they stand after the last day.
        is_lively: whether people answer and numbers fail by themselves; by default those of the sample do.
        has_demo_trials: whether results of made-up people are shown as trials.
        on_progress: called for each day that is played.

    Raises:
        PortError: something else listens on the port, or it may not be listened on.
        ChoiceError: there can be no made-up trials in this world.
    """

    def __init__(  # noqa: PLR0913 - what a world is made of
        self,
        *,
        accounts: bytes | None = None,
        name: str = SAMPLE,
        scripted: Sequence[ScriptedEvent] = (),
        start: datetime | None = None,
        days: int = _DAYS_PLAYED,
        port: int = 0,
        policies: Policies | None = None,
        encoding: str = "",
        whole_list: WholeList | None = None,
        what_if: ChangedPolicy | None = None,
        is_lively: bool | None = None,
        has_demo_trials: bool = False,
        on_progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._lock = threading.Lock()
        self._begin = start or begin_of(SAMPLE_START)
        self._accounts = accounts if accounts is not None else sample_file(SAMPLE_START)
        self._days = days
        self._encoding = encoding
        self._whole_list = whole_list
        self._what_if = what_if
        own = policies or load(None)
        self._policies = with_lender_of_trials(own) if has_demo_trials else own
        last = self._begin + (days - 1) * _DAY
        self._trial_days = days_of_trials(last.astimezone(BEGINS_IN).date()) if has_demo_trials else 0
        self.planted: Mapping[str, str] = {}
        form = file_form(own.book.headings, encoding)
        self._opening = Opening(name, form, own.book, scripted, accounts is None if is_lively is None else is_lively)
        self._on_progress = on_progress
        self._progress = Progress(self._begin, 0, 0)
        self._is_ready = False
        self._last_act: Act | None = None
        self._zone = ZoneInfo("UTC")
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

        try:
            self._server = _Server(("127.0.0.1", port), Handler)
        except OSError as error:
            raise PortError(_why_not(port, error)) from None
        self._host = f"127.0.0.1:{self._server.server_address[1]}"
        self.origin = f"http://{self._host}"

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._server.server_close)
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
            stack.callback(self._server.shutdown)
            self.cloud = stack.enter_context(
                LocalCloud(
                    self._begin,
                    policies=self._policies,
                    streams=True,
                    parameters={"AccountsEncoding": self._encoding},
                    services=services_needed(self._policies.book),
                )
            )
            create_console_table(boto3.client("dynamodb"))
            zones = wiring._lender_zones()  # noqa: SLF001 - as the console has them
            self._zone = next(iter(zones.values()), ZoneInfo("UTC"))
            self._play_to_begin()
            if self._trial_days:
                results = DynamoTrialResults(boto3.client("dynamodb"), self.cloud.stack.tally_table)
                self.planted = keep_demo_trials(results, self._trial_days)
            if self._what_if is not None:
                self._keep_what_if(self._what_if)
            issuer = stack.enter_context(DemoIssuer(lambda: datetime.now(UTC), self.origin))
            self._function = self._console_function(issuer.address)
            self._is_ready = True
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def _play_to_begin(self) -> None:
        opened = open_world(self.cloud, self._accounts, self._opening, self._begin + _FAR)
        self.world, self.loaded = opened.world, len(opened.loaded)
        self.refused = sum(refusal[_REASON] not in NOTES for refusal in refusals_of(self.cloud))
        if self._whole_list is not None:
            self._play(self._begin + LIST_COMES)
            upload_whole_list(self.cloud, self._whole_list, self._opening)
        for day in range(1, self._days + 1):
            self._play(self._begin + day * _DAY - (_EVENING if day == self._days else timedelta()))
            self._progress = Progress(self.cloud.clock.now() - _MOMENT, len(self.cloud.outbox), self.cloud.waiting())
            self._on_progress(self._progress)

    def _keep_what_if(self, changed: ChangedPolicy) -> None:
        """Compare a changed policy with today's over the customers as they stand, and keep what comes of it."""
        stack, now = self.cloud.stack, self.cloud.clock.now()
        dynamodb = boto3.client("dynamodb")
        scan = DynamoCustomers(dynamodb, stack.customers_table, int(stack.sender.environment["DUE_SHARDS"]))
        period = Period(now, now + _COMPARED)
        region = dynamodb.meta.region_name
        stored = changed._replace(book=changed.book.stored_in(region))
        result = what_if_of_tables(scan, self._policies.book.stored_in(region), stored, period, self._opening.name)
        keep_result(
            DynamoComparisons(dynamodb, stack.tally_table),
            result,
            lender=only_lender(changed.files),
            payments=NOBODY,
            who="make console",
            at=now,
        )

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
        """Answer a request: pages of the world here, all others by the console's handler, one at a time."""
        length = min(int(exchange.headers.get("Content-Length") or 0), _MOST_BYTES)
        body = exchange.rfile.read(length)
        began = time.monotonic()
        cookies: Sequence[str] = ()
        if exchange.headers.get("Host") != self._host:
            # Another name may be one that a page from elsewhere has made point to this machine.
            status, headers, answer = self._by_another_name(exchange)
        elif not self._is_ready:
            status, headers, answer = self._while_playing(exchange)
        else:
            with self._lock:
                event = http_event(
                    exchange.command, exchange.path, dict(exchange.headers), body, self.cloud.clock.now()
                )
                path = unquote(exchange.path.partition("?")[0])
                if path == LOCAL or path.startswith(f"{LOCAL}/"):
                    status, headers, answer = self._local(request_of(event), path.removeprefix(LOCAL).strip("/"))
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

    def _by_another_name(self, exchange: BaseHTTPRequestHandler) -> tuple[int, Mapping[str, str], str]:
        is_typed = exchange.headers.get("Host", "").partition(":")[0] == "localhost" and exchange.command == "GET"
        if is_typed and exchange.path.startswith("/") and not exchange.path.startswith("//"):
            return 307, {"Location": f"{self.origin}{exchange.path}", **_PLAIN}, ""
        return 421, _PLAIN, f"This console is at {self.origin}/\n"

    def _while_playing(self, exchange: BaseHTTPRequestHandler) -> tuple[int, Mapping[str, str], str]:
        name = exchange.path.removeprefix("/static/")
        if name in static_files().by_name:
            file = static_files().by_name[name]
            return 200, {"Content-Type": file.content_type}, file.text
        words = Translation(language_for("", exchange.headers.get("Accept-Language", "")), self._zone)
        day = min((self._progress.at - self._begin) // _DAY + 1, self._days)
        page = playing_page(words, now=self._progress.at, day=day, days=self._days)
        return 503, {**_OWN_PAGE, "Retry-After": "1"}, page

    def _local(self, request: PageRequest, customer: str) -> tuple[int, Mapping[str, str], str]:
        """Answer the page that moves the clock, for one customer or for any."""
        if request.method == "POST":
            if not is_from_ourselves(request, self.origin):
                return 403, _PLAIN, ""
            self.act(request.form)
            # The page is asked for anew, so that to reload it repeats nothing.
            return 303, {"Location": request.path, **_PLAIN}, ""
        facts = self._facts(customer) if customer else None
        if customer and facts is None:
            return 303, {"Location": LOCAL, **_PLAIN}, ""
        language = language_for(request.cookies.get(LANGUAGE_COOKIE, ""), request.headers.get("accept-language", ""))
        page = local_page(
            Translation(language, self._zone),
            now=self.cloud.clock.now(),
            wake=self.cloud.next_tick(),
            act=self._last_act,
            customer=customer,
            last=self.world.last_to(facts) if facts else None,
            suggested=() if customer else self.last_texted(),
        )
        return 200, _OWN_PAGE, page

    def act(self, form: Mapping[str, str]) -> Act | None:
        """Do what a form of the page of the clock asks for, and return what has happened; `None` if it asks nothing."""
        watch = Watch(self.cloud)
        try:
            done, is_done = self._do(form)
        except DunningError as error:
            # Lines of the user's own events may be about what has not happened.
            self._last_act = Act("failed", self.cloud.clock.now(), detail=str(error))
            return self._last_act
        if done:
            played = form.get("customer", "").strip()
            self._last_act = Act(done, self.cloud.clock.now(), watch.look() if is_done else None, played)
        return self._last_act if done else None

    def _do(self, form: Mapping[str, str]) -> tuple[str, bool]:
        """Return the key of what to say, and whether anything was done."""
        now = self.cloud.clock.now()
        act = form.get("act", "")
        match act:
            case "hour" | "day":
                self._play(now + (_HOUR if act == "hour" else _DAY))
            case "wake":
                self._play((self.cloud.next_tick() or now) + _SETTLES)
            case "reply" | "press" | "payment":
                facts = self._facts(form.get("customer", "").strip())
                if facts is None:
                    return "no_customer", False
                if refused := self._done_as(facts, act, form, now):
                    return refused, False
                self._play(now + _SETTLES)
                return "done_payment" if act == "payment" else "done_reply", True
            case _:
                return "", False
        return "done_clock", True

    def _done_as(self, facts: Facts, act: str, form: Mapping[str, str], now: datetime) -> str:
        """Do something as a customer; return the key of why not, if nothing is done."""
        if act == "payment":
            return self._pay(facts, now)
        if act == "press":
            return "" if self.world.press_as(facts, form.get("code", "")) else "no_button"
        return self._write(facts, form)

    def _write(self, facts: Facts, form: Mapping[str, str]) -> str:
        """Write as a customer; return the key of why not, if nothing is written."""
        text = form.get("text", "").strip()
        if text:
            self.world.write_as(facts, text)
        return "" if text else "no_text"

    def _pay(self, facts: Facts, now: datetime) -> str:
        """Pay the earliest open instalment; return the key of why not, if nothing is paid."""
        payment = self._payment(facts, now)
        if payment is not None:
            self.cloud.lender_says(payment.event())
        return "" if payment is not None else "nothing_open"

    def last_texted(self) -> Sequence[str]:
        """Return the customers to whom the last texts went, the newest first."""
        sent = {sms.message_id: number for number, sms in enumerate(self.cloud.outbox)}
        contacts = [
            (sent[item["message_id"]["S"]], item["customer_id"]["S"])
            for item in self.cloud.items(self.cloud.stack.contacts_table)
            if "message_id" in item and item["message_id"]["S"] in sent
        ]
        return list(dict.fromkeys(customer for _, customer in sorted(contacts, reverse=True)))[:_MOST_SUGGESTED]

    def _play(self, end: datetime) -> None:
        self.world.run_until(max(end, self.cloud.clock.now()), lambda: None)

    def _facts(self, customer_id: str) -> Facts | None:
        for item in self.cloud.items(self.cloud.stack.customers_table):
            if is_facts(item) and item["customer_id"]["S"] == customer_id:
                return items.read_facts(item)
        return None

    def _payment(self, facts: Facts, now: datetime) -> Payment | None:
        still_open = [
            (each.due_on, account, each) for account in facts.accounts for each in account.instalments if each.open > 0
        ]
        if not still_open:
            return None
        _, account, each = min(still_open, key=lambda found: (found[0], found[1].account_id, found[2].number))
        return Payment(now, facts.customer_id, account.account_id, each.number, each.amount, account.currency)


def _why_not(port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"PORT={port} is in use, perhaps by another console: name another, as PORT={port + 1}"
        case errno.EACCES:
            return f"PORT={port} is kept for the administrator of this machine: name one from 1024 on, as PORT=8765"
        case _:
            return f"PORT={port}: {error.strerror}"


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _LAST_PORT:
        raise ChoiceError(f"PORT={text} is not a port from 0 to {_LAST_PORT}; 0 takes any that is free")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="python -m tests.local console",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    take_world(parser, _DAYS_PLAYED)
    parser.add_argument("--what-if", metavar="DIR", help='a changed policy, compared with today\'s on "What if"')
    parser.add_argument(
        "--trials", action="store_true", help="results of made-up people with planted effects on the page Trials"
    )
    parser.add_argument("--port", default="8765", help="on 127.0.0.1 (default: %(default)s)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """
    Serve while and after the world is played, until interrupted.

    Raises:
        KeyboardInterrupt: the user has ended it before all was played.
    """
    options = _parser().parse_args(argv)
    try:
        asked, port = read_asked(options), _port(options.port)
        changed = _changed(options)
        line = ProgressLine(asked.start, asked.days)
        console = _console_of(asked, port, line.show, changed, has_demo_trials=options.trials)
    except (*REFUSALS, PortError, WhatIfChoiceError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    began = time.monotonic()
    sys.stdout.write(f"{console.origin}/  is the console, on this machine alone. Ctrl-C ends it.\n")
    accounts = "A sample of fictional customers" if asked.is_sample else asked.name
    sys.stdout.write(f"{accounts} is played from {asked.start} to {asked.last_day}. The page says how far it is.\n")
    sys.stdout.flush()
    try:
        with console:
            line.close()
            refused = f", rows refused {console.refused:,} (make run lists them)" if console.refused else ""
            seconds = time.monotonic() - began
            sys.stdout.write(f"Ready after {seconds:.0f} s: customers loaded {console.loaded:,}{refused}. Logins: ")
            sys.stdout.write(f"{', '.join(f'{login} ({role})' for login, role in ROLES.items())}.\n")
            if customers := console.last_texted():
                sys.stdout.write(f"Find for example the customer {customers[0]}.\n")
            sys.stdout.writelines(_said_of_trials(console))
            sys.stdout.flush()
            with suppress(KeyboardInterrupt):
                signal.pause()
    except DunningError as error:
        line.close()
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        line.close()
    sys.stdout.write("\nThe console has ended; nothing of it is kept.\n")
    return 0


def _said_of_trials(console: LocalConsole) -> Iterator[str]:
    """Yield the lines that say whose results the page Trials has, if they are made up."""
    if console.planted:
        yield f"The trials are of {PEOPLE} made-up people of the lender {LENDER}. What texts do to them was planted:\n"
        yield from (f"  {trial}: {planted}\n" for trial, planted in console.planted.items())


def _changed(options: argparse.Namespace) -> ChangedPolicy | None:
    """Read the changed policy to compare with today's, if there is one."""
    below = Path(options.policies) if options.policies else None
    return changed_policy(Path(options.what_if), below, "WHATIF") if options.what_if else None


def _console_of(
    asked: Asked,
    port: int,
    on_progress: Callable[[Progress], None],
    what_if: ChangedPolicy | None,
    *,
    has_demo_trials: bool,
) -> LocalConsole:
    warn_of_events_outside(asked)
    return LocalConsole(
        accounts=asked.accounts,
        is_lively=asked.is_sample,
        name=asked.name,
        scripted=asked.scripted,
        start=begin_of(asked.start),
        days=asked.days,
        port=port,
        policies=asked.policies,
        encoding=asked.encoding,
        whole_list=asked.whole_list,
        what_if=what_if,
        has_demo_trials=has_demo_trials,
        on_progress=on_progress,
    )


if __name__ == "__main__":
    sys.exit(main())
