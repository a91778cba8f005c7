"""Starting and ending the console on this machine: what it prints, what it refuses, what it shows meanwhile."""

import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.local.console import LocalConsole, PortError, main
from tests.local.runner import NothingLoadedError, Progress, begin_of
from tests.support.lender_files import csv_of, row

pytestmark = pytest.mark.slow(reason="the embedded AWS is filled and played for some days")

BEGIN = begin_of(datetime(2026, 12, 1, tzinfo=UTC).date())


def answer_of(address: str) -> tuple[int, str]:
    """Return status and page."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - the loopback
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_while_the_world_is_played_the_address_says_how_far_it_is() -> None:
    seen: list[tuple[int, str]] = []

    def ask(_: Progress) -> None:
        seen.append(answer_of(f"{console.origin}/today"))

    console = LocalConsole(accounts=csv_of([row()]).encode(), start=BEGIN, days=2, on_progress=ask)
    with console:
        assert answer_of(f"{console.origin}/login")[0] == 200
    assert [status for status, _ in seen] == [503, 503]
    assert "Day 1 of 2" in seen[0][1]
    assert "Day 2 of 2" in seen[1][1]


def test_a_port_that_is_in_use_is_named_with_another(busy_port: int) -> None:
    named = f"^PORT={busy_port} is in use, perhaps by another console: name another, as PORT={busy_port + 1}$"
    with pytest.raises(PortError, match=named):
        LocalConsole(days=1, port=busy_port)


def test_a_file_of_which_nothing_can_be_loaded_ends_it_and_frees_the_port() -> None:
    console = LocalConsole(accounts=csv_of([row(due_on="tomorrow")]).encode(), start=BEGIN, days=1)
    with pytest.raises(NothingLoadedError, match=r"nothing was loaded: accounts.csv:2: due_on"), console:
        pass
    LocalConsole(days=1, port=int(console.origin.rpartition(":")[2]))._server.server_close()  # noqa: SLF001


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--days", "0"], "DAYS=0 is not a number of days from 1 to 3660"),
        (["--days", "ten"], "DAYS=ten is not a number of days from 1 to 3660"),
        (["--start", "1.12.2026"], "START=1.12.2026 is not a date such as 2026-12-01, between the years 2000 and 2100"),
        (["--port", "http"], "PORT=http is not a port from 0 to 65535; 0 takes any that is free"),
        (["--port", "70000"], "PORT=70000 is not a port from 0 to 65535; 0 takes any that is free"),
        (["--accounts", "none.csv"], "ACCOUNTS=none.csv: No such file or directory"),
        (["--events", "none.jsonl"], "EVENTS=none.jsonl: No such file or directory"),
        (["--policies", "nowhere"], "POLICIES=nowhere: there is no such folder"),
        (["--encoding", "big6"], "ENCODING=big6 is not one of "),
        (["--what-if", "nowhere"], "WHATIF=nowhere: there is no such folder"),
        (["--complete", "none.csv"], "COMPLETE=none.csv: No such file or directory"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_by_the_name_of_its_variable(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(error)
    assert (printed.err.count("\n"), printed.out) == (1, "")


def test_the_address_is_printed_first_and_an_interrupt_ends_it_without_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("signal.pause", interrupt)
    accounts = tmp_path / "mine.csv"
    accounts.write_text(csv_of([row(), row(customer_id="C-2", account_id="A-2", due_on="tomorrow")]), "utf-8")
    assert main(["--accounts", str(accounts), "--start", "2026-12-01", "--days", "2", "--port", "0"]) == 0
    printed = capsys.readouterr()
    assert re.match(r"http://127\.0\.0\.1:\d+/  is the console, on this machine alone", printed.out)
    assert "mine.csv is played from 2026-12-01 to 2026-12-02" in printed.out
    assert re.search(r"Ready after \d+ s: customers loaded 1, rows refused 1", printed.out)
    assert "mei.chen (manager), jun.li (agent), ana.costa (compliance), sam.okafor (engineer)" in printed.out
    assert "Find for example the customer C-1001.\n" in printed.out
    assert printed.out.endswith("The console has ended; nothing of it is kept.\n")
    assert printed.err == ""
