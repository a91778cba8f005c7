"""The stand-in for AWS, and the proxy that injects faults between it and the sender: two processes and their logs."""

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self
from urllib.error import URLError
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config

from tests.e2e.deployed.certificate import write_certificate
from tests.local import ROOT

REGION = "ap-northeast-1"
ACCOUNT = "123456789012"

_MINISTACK = ROOT / ".venv-stand-in" / "bin" / "python"
_MICROBURST = ROOT / ".venv-stand-in" / "bin" / "microburst"
_LAMBDA = ROOT / ".venv-lambda" / "bin" / "python"
_OBSERVER = Path(__file__).parent / "observer"

_START_WITHIN = 60.0
_STOP_WITHIN = 3.0


class StandInError(Exception):
    """The stand-in did not do what it was asked; the message names its logs."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a run keeps what it writes."""

    base: Path

    @property
    def logs(self) -> Path:
        """What the processes print, and what the functions log."""
        return self.base / "logs"

    @property
    def calls(self) -> Path:
        """A file for each process of a function: its calls."""
        return self.base / "calls"

    @property
    def clock(self) -> Path:
        """How far the functions' clock is from the real one, in seconds."""
        return self.base / "clock"

    @property
    def opted_out(self) -> Path:
        """The numbers on the carrier's list of those who want no texts."""
        return self.base / "opted_out.json"

    def make(self) -> None:
        """Begin anew."""
        shutil.rmtree(self.base, ignore_errors=True)
        for folder in (self.logs, self.calls, self.base / "tmp", self.base / "home"):
            folder.mkdir(parents=True)
        self.clock.write_text("0", "utf-8")
        self.opted_out.write_text("[]", "utf-8")


class StandIn:
    """
    AWS on this machine, reachable from this machine only, with IAM enforced.

    What functions ask of SNS passes the proxy; everything else goes straight to the stand-in.
    """

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self.port, self.proxy_port = _free_ports(2)
        self.certificate, self._key = write_certificate(folders.base)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._files: list[IO[bytes]] = []

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def proxy_url(self) -> str:
        """Where the functions find SNS."""
        return f"http://127.0.0.1:{self.proxy_port}"

    def __enter__(self) -> Self:
        try:
            self._start(
                "ministack",
                [_MINISTACK, "-m", "ministack"],
                {
                    "AUTH": "true",  # every request is signed, and judged by the policies of who signed it
                    "BIND_HOST": "127.0.0.1",
                    "MINISTACK_HOST": "127.0.0.1",
                    "GATEWAY_PORT": str(self.port),
                    "USE_SSL": "1",
                    "MINISTACK_SSL_CERT": str(self.certificate),
                    "MINISTACK_SSL_KEY": str(self._key),
                    "IOT_MTLS_ENABLED": "0",  # a port of its own that nobody here needs
                    "MINISTACK_ACCOUNT_ID": ACCOUNT,
                    "MINISTACK_REGION": REGION,
                    "STATE_DIR": str(self.folders.base / "state"),
                    "S3_DATA_DIR": str(self.folders.base / "s3"),
                    "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",  # AWS waits a minute, and then two
                    # The functions inherit what follows.
                    # SNS alone is asked over http, and so it alone is asked through the proxy. A request is signed for
                    # the host it is meant for: with the proxy's own address the stand-in would not believe it.
                    "AWS_ENDPOINT_URL_SNS": f"http://127.0.0.1:{self.port}",
                    "HTTP_PROXY": self.proxy_url,
                    "AWS_CA_BUNDLE": str(self.certificate),
                    "PYTHONPATH": str(_OBSERVER),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "E2E_FUNCTIONS_PYTHON": str(_LAMBDA),
                    "E2E_CALLS": str(self.folders.calls),
                    "E2E_CLOCK": str(self.folders.clock),
                    "E2E_OPTED_OUT": str(self.folders.opted_out),
                },
            )
            self._start(
                "microburst",
                [_MICROBURST, "--upstream", self.url, "--port", str(self.proxy_port)],
                {"SSL_CERT_FILE": str(self.certificate)},
            )
            self._await(f"{self.url}/_ministack/health")
            self._await(f"{self.proxy_url}/_microburst/health")
            self._warm_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        # Each leads a group of its own, which the functions it has started belong to.
        for process in self._processes:
            _signal(process, signal.SIGTERM)
        end = time.monotonic() + _STOP_WITHIN
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, end - time.monotonic()))
            _signal(process, signal.SIGKILL)
            process.wait()
        for file in self._files:
            file.close()
        # Each process of a function has unpacked the layer there: 400 MB, which the next run would take long to delete.
        shutil.rmtree(self.folders.base / "tmp", ignore_errors=True)

    def sms(self) -> dict[str, list[Mapping[str, Any]]]:
        """Return what SNS took for phones, by number."""
        answer = self.ask(f"{self.url}/_ministack/sns/sms-messages?account={ACCOUNT}&region={REGION}")
        found: dict[str, list[Mapping[str, Any]]] = answer["sms_messages"]
        return found

    @contextlib.contextmanager
    def faults(self, *rules: Mapping[str, Any]) -> Iterator[None]:
        """Break what passes the proxy, by the rules of microburst, as long as this lasts."""
        self.ask(f"{self.proxy_url}/_microburst/rules", "POST", list(rules))
        self.ask(f"{self.proxy_url}/_microburst/fired", "DELETE")
        try:
            yield
        finally:
            self.ask(f"{self.proxy_url}/_microburst/rules", "POST", [])

    def fired(self) -> int:
        """Return how many faults have struck since the last rules came."""
        return len(self.ask(f"{self.proxy_url}/_microburst/fired"))

    def processes_of(self, function: str) -> list[int]:
        """Return the running processes of a function."""
        pids = [int(path.stem.rpartition(".")[2]) for path in self.folders.calls.glob(f"{function}.*.jsonl")]
        return [pid for pid in pids if _alive(pid)]

    def ask(self, url: str, method: str = "GET", body: object = None) -> Any:  # noqa: ANN401 - whatever JSON comes
        """Send a request to one of the two, outside AWS's own interface."""
        data = None if body is None else json.dumps(body).encode()
        trust = ssl.create_default_context(cafile=str(self.certificate)) if url.startswith("https:") else None
        request = Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - our own
        with urlopen(request, timeout=10, context=trust) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")

    def _start(self, name: str, command: list[str | Path], environment: Mapping[str, str]) -> None:
        log = (self.folders.logs / f"{name}.log").open("wb")
        self._files.append(log)
        self._processes.append(
            subprocess.Popen(  # noqa: S603 - what `make` has installed
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folders.base,
                start_new_session=True,
                env={
                    # Nothing of the caller's: no credentials, no proxies, no address of another stand-in.
                    "PATH": os.defpath,
                    "TZ": "UTC",
                    "HOME": str(self.folders.base / "home"),
                    "TMPDIR": str(self.folders.base / "tmp"),
                    **environment,
                },
            )
        )

    def _warm_up(self) -> None:
        """Let the proxy learn SNS: its first request takes longer than a sender waits for an answer."""
        sns = boto3.client(
            "sns",
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the stand-in's own root
            endpoint_url=f"http://127.0.0.1:{self.port}",
            config=Config(proxies={"http": self.proxy_url}, read_timeout=60),
        )
        sns.list_topics()

    def _await(self, url: str) -> None:
        end = time.monotonic() + _START_WITHIN
        while time.monotonic() < end:
            with contextlib.suppress(URLError, ConnectionError, TimeoutError):
                self.ask(url)
                return
            if any(process.poll() is not None for process in self._processes):
                break
            time.sleep(0.1)
        raise StandInError(f"{url} did not answer; see {self.folders.logs}")


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in sockets]
