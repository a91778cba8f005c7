"""
The pages of the console on 100,000 customers: first byte, CPU, size, and calls, each beside a bare loop.

The real handler answers, over tables at the end of the wire (`tests.bench.console_store`): the time of the store is
taken off, and there is no network. The bare loop makes the same calls with boto3 and renders one paragraph. The same
pages on 100 customers say whether anything grows with the portfolio. Each look comes half a minute after the one
before, so that nothing is remembered of it: neither the switch nor the oldest job.

A cold first look is that of a new process, from its first import to the answer, with the store behind HTTP. It is of
what `make build` has built if there is such a build, and else of the working copy, which reads pages and policies from
their files.
"""

import contextlib
import gzip
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from botocore import xform_name

from dunning import wiring
from dunning.adapters.client import LEAN
from dunning.console.render import PAGES
from dunning.console.routes import ROUTES
from dunning.console.translations import LANGUAGES
from dunning.console.views.entrance import SESSION_COOKIE
from dunning.ports.sessions import Role
from dunning.services.console.roles import MAY
from functions.console.app import lambda_handler
from tests.bench.beside import ENVIRONMENT
from tests.bench.console_store import Call, ConsoleStore
from tests.bench.console_world import fill, open_session, pages, write_lenders
from tests.bench.portfolio import NOW
from tests.local import ROOT
from tests.local.console import http_event
from tests.local.policies import load

CUSTOMERS, FEW = 100_000, 100
LOOKS = 20
COLD_LOOKS = 5
MOST_BYTES = 30_000
"""Of a page; a print is as long as the life it shows."""
MOST_SECONDS = 0.120
"""Of the page of a customer: the 95th percentile of warm looks, without network."""
MOST_CALLS = {"Today": 2, "Customer": 3}
"""Calls besides session and audit, by the first word of a page's name."""
_SESSION_AND_AUDIT = frozenset({"GetItem", "UpdateItem", "TransactWriteItems"})
_OF_AUDIT = ("audit", "customer", "colleague")
"""Where the entries of the audit trail stand."""
_PAUSE = timedelta(seconds=31)
_ROLES = (Role.MANAGER, Role.AGENT, Role.COMPLIANCE)
_HOST = "console.example"
_LANGUAGE = "zh-Hant"
_CONSOLE = {
    **ENVIRONMENT,
    "CONSOLE_TABLE": "console",
    "TALLY_TABLE": "tally",
    "ORIGIN": f"https://{_HOST}",
    "OIDC_ISSUER": "https://login.example",
    "OIDC_CLIENT_ID": "console",
    "OIDC_GROUPS": "managers=manager",
    "UPLOADS_BUCKET": "uploads",
}
_COLD = """
import json, sys, time
began = time.perf_counter()
from functions.console.app import lambda_handler
imported = time.perf_counter()
answer = lambda_handler(json.loads(sys.stdin.read()), None)
assert answer["statusCode"] == 200, answer
print(imported - began, time.perf_counter() - began)
"""


class _Clock:
    """One in the afternoon in Taipei, and half a minute later for each look."""

    def __init__(self) -> None:
        self.looks = 0

    def now(self) -> datetime:
        return NOW + self.looks * _PAUSE

    def sleep(self, seconds: float) -> None:
        del seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at a page took; seconds without those of the store."""

    seconds: float
    cpu_seconds: float
    bare_cpu_seconds: float
    body: str
    calls: Sequence[Call]

    @property
    def other_calls(self) -> int:
        """The calls besides session and audit trail."""
        return sum(not _is_of_session_or_audit(call) for call in self.calls)


def _is_of_session_or_audit(call: Call) -> bool:
    asked = call.asked
    written = json.dumps(asked.get("ExpressionAttributeValues", {}))
    return call.operation in _SESSION_AND_AUDIT or (
        asked.get("TableName") == "console" and any(f'"{place}#' in written for place in _OF_AUDIT)
    )


class ConsoleBench:
    """The handler over tables of so many customers, with a session for each role."""

    def __init__(self, customers: int) -> None:
        self.store, self.clock = ConsoleStore(), _Clock()
        make: Any = boto3.Session().client
        self._clients = {name: make(name, config=LEAN) for name in ("dynamodb", "ssm")}
        for client in self._clients.values():
            self.store.plug_into(client)
        dynamodb = self._clients["dynamodb"]
        fill(self.store, dynamodb, customers)
        self.sessions = {role: open_session(dynamodb, role) for role in Role}
        self._replayed = 0

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Let the handler's clients end at this store."""
        make: Any = boto3.Session.client

        def plugged(*args: object, **options: object) -> object:
            client = make(*args, **options)
            self.store.plug_into(client)
            return client

        wiring.use(clock=self.clock)
        with patch.object(boto3.Session, "client", plugged):
            yield
        wiring.use()

    def event(self, address: str, role: Role, language: str = _LANGUAGE) -> dict[str, Any]:
        """Return what API Gateway hands over."""
        headers = {"host": _HOST, "cookie": f"{SESSION_COOKIE}={self.sessions[role]}", "accept-language": language}
        event: dict[str, Any] = {**http_event("GET", address, headers, b"", self.clock.now())}
        return event

    def look(self, address: str, role: Role, language: str = _LANGUAGE) -> Look:
        """Look at a page once, and let the bare loop make its calls."""
        self.clock.looks += 1
        event = self.event(address, role, language)
        self.store.calls.clear()
        answers: list[dict[str, Any]] = []
        seconds, cpu = self._timed(lambda: answers.append(lambda_handler(event, None)))  # type: ignore[arg-type]
        (answer,) = answers
        if answer["statusCode"] != 200:
            raise AssertionError(f"{address} as {role.value}: {answer}")
        calls = list(self.store.calls)
        _, bare = self._timed(lambda: self._make_again(calls))
        return Look(seconds=seconds, cpu_seconds=cpu, bare_cpu_seconds=bare, body=answer["body"], calls=calls)

    def _timed(self, work: Callable[[], object]) -> tuple[float, float]:
        """Return the seconds, and those of CPU, of a piece of work, without those of the store."""
        store = self.store
        store.wall_seconds = store.cpu_seconds = 0.0
        began, cpu = time.perf_counter(), time.process_time()
        work()
        return time.perf_counter() - began - store.wall_seconds, time.process_time() - cpu - store.cpu_seconds

    def _make_again(self, calls: Sequence[Call]) -> str:
        """Make the calls with boto3 and nothing else, and render a paragraph."""
        read = 0
        for call in calls:
            asked = call.asked
            if call.operation == "TransactWriteItems":
                asked = {"TransactItems": [self._entry_anew(write) for write in asked["TransactItems"]]}
            client = self._clients["ssm" if call.operation == "GetParameter" else "dynamodb"]
            answer = getattr(client, xform_name(call.operation))(**asked)
            read += len(answer.get("Items", ()))
        return f"<p>{read}</p>"

    def _entry_anew(self, write: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an entry of the audit trail that is another, an hour earlier so that no page shows it."""
        self._replayed += 1
        item = write["Put"]["Item"]
        about = f"bare#{item['about']['S']}"
        return {
            "Put": {
                **write["Put"],
                "Item": {**item, "about": {"S": about}, "what": {"S": f"{item['what']['S']}{self._replayed}"}},
            }
        }


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def _may_see(address: str, role: Role) -> bool:
    path = address.partition("?")[0].split("/")
    for route in ROUTES:
        parts = route.path.split("/")
        is_like = len(parts) == len(path) and all(
            part.startswith("<") or part == given for part, given in zip(parts, path, strict=True)
        )
        if route.method == "GET" and is_like:
            return route.act is None or role in MAY[route.act]
    raise LookupError(address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A page as somebody of a role sees it: the first look in this process, and the others."""

    name: str
    role: Role
    first: Look
    looks: Sequence[Look]
    few: Look
    """The page on few customers."""
    bodies: Sequence[str]
    """The page in every language."""

    @property
    def raw(self) -> int:
        """The bytes of the page in the language in which it is longest."""
        return max(len(body.encode()) for body in self.bodies)

    def missed(self) -> Iterator[str]:
        """Yield what misses a target."""
        if self.raw > MOST_BYTES and not self.name.startswith("print"):
            yield f"{self.raw:,} B"
        most = MOST_CALLS.get(self.name.partition(",")[0])
        if most is not None and self.looks[-1].other_calls > most:
            yield f"{self.looks[-1].other_calls} calls, at most {most}"
        if self.name.startswith("Customer") and _p95([look.seconds for look in self.looks]) > MOST_SECONDS:
            yield "too slow"

    def line(self) -> str:
        """Write a line of the table."""
        seconds = [1000 * look.seconds for look in self.looks]
        cpu = statistics.median(1000 * look.cpu_seconds for look in self.looks)
        bare = statistics.median(1000 * look.bare_cpu_seconds for look in self.looks)
        last, gzipped = self.looks[-1], max(map(_gzipped, self.bodies))
        return (
            f"{self.name:26} {self.role.value:10} {statistics.median(seconds):6.1f} {_p95(seconds):6.1f} "
            f"{1000 * self.first.seconds:6.0f}  {cpu:6.1f} {bare:6.1f}  {self.raw:7,} {gzipped:6,}  "
            f"{last.other_calls:3} + {len(last.calls) - last.other_calls:<2} {sum(call.read for call in last.calls):6,}"
            f"  {len(self.few.body.encode()):7,} {len(self.few.calls):3}  {', '.join(self.missed())}"
        )

    def calls(self) -> str:
        """Write which calls the page makes."""
        counted = Counter(
            f"{call.operation} {call.asked.get('TableName', '')}".strip() for call in self.looks[-1].calls
        )
        return f"  {self.name}: {dict(sorted(counted.items()))}"


def _gzipped(body: str) -> int:
    return len(gzip.compress(body.encode(), 6, mtime=0))


def measure(many: ConsoleBench, few: ConsoleBench) -> list[Measured]:
    """Look at each page as each role that may, first on few customers and then on many."""
    seen = [(name, address, role) for name, address in pages() for role in _ROLES if _may_see(address, role)]
    with few.in_use():
        for_few = [few.look(address, role) for _, address, role in seen]
    measured = []
    with many.in_use():
        for (name, address, role), look in zip(seen, for_few, strict=True):
            first = many.look(address, role)
            looks = [many.look(address, role) for _ in range(LOOKS)]
            bodies = [many.look(address, role, language).body for language in LANGUAGES]
            measured.append(Measured(name=name, role=role, first=first, looks=looks, few=look, bodies=bodies))
    return measured


# ------------------------------------------------------------------ a cold start


class _Door(ThreadingHTTPServer):
    """The store behind HTTP, for another process."""

    daemon_threads = True

    def __init__(self, store: ConsoleStore) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.store = store


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Door

    def do_POST(self) -> None:
        """Answer a call."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.store.answer(self.headers["X-Amz-Target"].rpartition(".")[2], body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def cold_looks(bench: ConsoleBench, address: str, role: Role) -> tuple[str, list[tuple[float, float]]]:
    """Return what was started, and the seconds until it was imported and until it had answered, of each new process."""
    built = ROOT / ".aws-sam" / "host"
    is_built = (built / "ConsoleFunction").is_dir()
    layer = built / "DunningLayer" / "python" if is_built else PAGES.parents[2]
    door = _Door(bench.store)
    threading.Thread(target=door.serve_forever, daemon=True).start()
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{layer}",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{door.server_address[1]}",
        "AWS_LAMBDA_FUNCTION_NAME": "console",
    }
    event = json.dumps(bench.event(address, role))
    try:
        taken = []
        for _ in range(COLD_LOOKS):
            done = subprocess.run(  # noqa: S603 - this interpreter
                [sys.executable, "-c", _COLD], input=event, capture_output=True, text=True, env=environment, check=True
            )
            imported, answered = done.stdout.splitlines()[-1].split()
            taken.append((float(imported), float(answered)))
    finally:
        door.shutdown()
        door.server_close()
    return "built" if is_built else "working copy", taken


def main() -> None:
    """Print the table, and what misses a target."""
    os.environ.update(_CONSOLE)
    out = sys.stdout.write
    sample = ROOT / "layers/dunning/python/dunning/policy/data/lenders/demo-tw.toml"
    with tempfile.TemporaryDirectory() as folder:
        write_lenders(Path(folder) / "policies", sample)
        with load(Path(folder) / "policies").in_use():
            began = time.monotonic()
            few, many = ConsoleBench(FEW), ConsoleBench(CUSTOMERS)
            out(f"{CUSTOMERS:,} customers of ten lenders, filled in {time.monotonic() - began:.0f} s; ")
            out(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
            with contextlib.redirect_stdout(Path(os.devnull).open("w")):
                measured = measure(many, few)
            out("first byte and CPU in ms, without network and store; calls + those of session and audit trail;\n")
            out(f"bytes in the language of most; in the last columns the page on {FEW} customers\n")
            out(f"{'page':26} {'as':10} {'median':>6} {'p95':>6} {'first':>6}  {'CPU':>6} {'bare':>6}  {'bytes':>7} "
                f"{'gzip':>6}  calls    read  {'of 100':>7} calls\n")  # fmt: skip
            for each in measured:
                out(f"{each.line()}\n")
            out("calls\n")
            for each in {each.name: each for each in measured}.values():
                out(f"{each.calls()}\n")
    what, cold = cold_looks(many, "/today", Role.MANAGER)
    imported, answered = min(cold, key=lambda each: each[1])
    out(f"a cold first look at Today ({what}; without these lenders, by HTTP): {1000 * answered:.0f} ms, ")
    out(f"{1000 * imported:.0f} of them until imported; least of {COLD_LOOKS}\n")


if __name__ == "__main__":
    main()
