"""What people do in the console takes effect by the way of all news: over the bus, to the handler of lender events."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import boto3
import pytest

from dunning.adapters.dynamodb.console_table import DynamoConsole
from dunning.console.views.entrance import SESSION_COOKIE
from dunning.ports.sessions import Role, Session, Viewer
from dunning.services.console.login import form_token, session_key
from dunning.services.erasure.erase import SECOND_ROUND
from tests.local.console import CONSOLE_TABLE, LocalConsole
from tests.local.runner import begin_of
from tests.support.lender_files import CHEN, WANG, csv_of, row

pytestmark = pytest.mark.slow(reason="the embedded AWS is filled and played, and the real handlers act")

BEGIN = begin_of(datetime(2026, 12, 1, tzinfo=UTC).date())
WAITING = "C-1001"


class Worker:
    """Somebody at a browser, who has logged in."""

    def __init__(self, console: LocalConsole, subject: str, role: Role) -> None:
        self._origin = console.origin
        self._session = f"session-{subject}"
        now = datetime.now(UTC)
        session = Session(
            key=session_key(self._session),
            viewer=Viewer(subject, role),
            began_at=now,
            seen_at=now,
            ends_at=now + timedelta(hours=8),
        )
        DynamoConsole(boto3.client("dynamodb"), CONSOLE_TABLE).add(session)

    def get(self, path: str) -> str:
        """Return a page as it reads."""
        return self._text(self._request(path, None))

    def post(self, path: str, **form: str) -> str:
        """Send a form, and return the page that it leads to."""
        body = urlencode({"token": form_token(self._session), **form}).encode()
        return self._text(self._request(path, body))

    def _request(self, path: str, body: bytes | None) -> Request:
        headers = {"Cookie": f"{SESSION_COOKIE}={self._session}", "Sec-Fetch-Site": "same-origin"}
        return Request(self._origin + path, body, {**headers, "Accept-Language": "en"})  # noqa: S310 - the loopback

    def _text(self, request: Request) -> str:
        try:
            answer = urlopen(request, timeout=30)  # noqa: S310 - the loopback
        except HTTPError as error:
            answer = error
        return " ".join(re.sub(r"<[^>]+>", " ", answer.read().decode()).split())


@pytest.fixture
def console() -> Iterator[LocalConsole]:
    accounts = csv_of([row(WANG), row(CHEN)]).encode()
    with LocalConsole(accounts=accounts, start=BEGIN, days=1) as console:
        yield console


@pytest.fixture
def agent(console: LocalConsole) -> Worker:
    return Worker(console, "jun.li", Role.AGENT)


def let_write(console: LocalConsole, text: str) -> None:
    """Let the customer write something."""
    act = console.act({"act": "reply", "customer": WAITING, "text": text})
    assert act is not None
    assert act.done == "done_reply"


def test_a_hold_shows_as_silence_and_a_release_ends_it(console: LocalConsole, agent: Worker) -> None:
    page = agent.post(f"/customers/{WAITING}/hold", reason="vulnerable", until="2026-12-20")
    assert "No reminders for now: vulnerable customer, through Sun 20 Dec 2026" in page
    manager = Worker(console, "mei.chen", Role.MANAGER)
    page = manager.post(f"/customers/{WAITING}/release", reason="vulnerable")
    assert "No reminders for now: vulnerable customer" not in page


def test_a_case_that_is_closed_leaves_the_list_and_the_customer_is_silent(console: LocalConsole, agent: Worker) -> None:
    let_write(console, "我要申訴，這筆帳有爭議")
    assert WAITING in agent.get("/waiting")
    assert "Yours since" in agent.post(f"/waiting/{WAITING}/take")
    page = agent.post(f"/waiting/{WAITING}/close", outcome="dispute")
    assert "Closed: Disputes the debt. No text until a person releases the hold." in page
    assert WAITING not in page.partition("Closed:")[2]
    page = agent.get(f"/customers/{WAITING}")
    assert "dispute, until a person releases it" in page
    assert "Nothing waits for a person." in page
    page = agent.get("/audit")
    assert "jun.li (agent) closed the case Disputes the debt" in page


def test_a_label_takes_the_place_of_the_reading_and_is_kept_with_the_reply(
    console: LocalConsole, agent: Worker
) -> None:
    let_write(console, "那個之前的事情我再看看啦")
    page = agent.get(f"/waiting/{WAITING}")
    assert "to be read" in page
    (reply_id,) = {
        item["inbound_id"]["S"]
        for item in console.cloud.items(console.cloud.stack.contacts_table)
        if "inbound_id" in item
    }
    agent.post(f"/waiting/{WAITING}/label", reply=reply_id, intent="hardship")
    page = agent.get(f"/customers/{WAITING}")
    assert "Nothing waits for a person." in page
    labelled = [item for item in console.cloud.items(console.cloud.stack.contacts_table) if "labelled_at" in item]
    assert [item["inbound_id"]["S"] for item in labelled] == [reply_id]


def test_paused_sending_sends_nothing_until_it_is_resumed(console: LocalConsole) -> None:
    manager = Worker(console, "mei.chen", Role.MANAGER)
    before = len(console.cloud.outbox)
    assert "Paused by mei.chen" in manager.post("/sending/pause", reason="wrong amounts")
    for _ in range(3):
        console.act({"act": "day"})
    assert len(console.cloud.outbox) == before
    assert "switched all sending off" in manager.get(f"/customers/{WAITING}")
    assert "Sending is on." in manager.post("/sending/resume", reason="amounts mended", typed="RESUME")
    for _ in range(3):
        console.act({"act": "day"})
    assert len(console.cloud.outbox) > before


def test_an_erasure_by_two_takes_the_notes_of_colleagues_with_it(console: LocalConsole, agent: Worker) -> None:
    manager, compliance = Worker(console, "mei.chen", Role.MANAGER), Worker(console, "ana.costa", Role.COMPLIANCE)
    agent.post(f"/waiting/{WAITING}/note", text="王小明 ruft am Freitag an")
    agent.post("/waiting/C-1002/note", text="another's note")
    assert "Freitag" in agent.get(f"/waiting/{WAITING}")
    manager.post(f"/customers/{WAITING}/erase", reason="own_request")
    table = boto3.client("dynamodb")
    (request,) = [item for item in table.scan(TableName=CONSOLE_TABLE)["Items"] if item["about"]["S"] == "erasures"]
    assert "王" not in repr(request)
    version = datetime.fromisoformat(request["asked_at"]["S"]).isoformat()
    compliance.post(f"/erasures/{WAITING}/confirm", version=version, sure="yes")
    console.cloud.clock.move_to(console.cloud.clock.now() + SECOND_ROUND + timedelta(seconds=1))
    console.cloud.drain("lender_events")
    left = repr(table.scan(TableName=CONSOLE_TABLE)["Items"])
    assert "Freitag" not in left
    assert "another's note" in left
    assert "This customer was erased on" in compliance.get(f"/customers/{WAITING}")
    assert "Nothing can be done" in agent.post(f"/waiting/{WAITING}/note", text="one more")
