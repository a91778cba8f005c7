"""The stand-in for AWS, and the proxy that injects faults between it and the sender: two processes and their logs."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from tests.e2e.deployed.certificate import write_certificate
from tests.local import ROOT
from tests.support.stand_in import (
    ACCOUNT,
    PYTHON,
    REGION,
    Servers,
    StandInError,
    ask,
    free_ports,
    ministack_variables,
)

__all__ = ["ACCOUNT", "REGION", "Folders", "StandIn", "StandInError"]

_MICROBURST = ROOT / ".venv-stand-in" / "bin" / "microburst"
_LAMBDA = ROOT / ".venv-lambda" / "bin" / "python"
_OBSERVER = Path(__file__).parent / "observer"


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
        self.port, self.proxy_port = free_ports(2)
        self.certificate, self.key = write_certificate(folders.base)
        self._servers = Servers(folders.base)

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
            self._servers.start(
                "ministack",
                [PYTHON, "-m", "ministack"],
                {
                    **ministack_variables(self.folders.base, self.port),
                    "AUTH": "true",  # every request is signed, and judged by the policies of who signed it
                    "USE_SSL": "1",
                    "MINISTACK_SSL_CERT": str(self.certificate),
                    "MINISTACK_SSL_KEY": str(self.key),
                    "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",  # AWS waits a minute, and then two
                    # The functions inherit what follows.
                    # SNS alone is asked over http, and so it alone is asked through the proxy. A request is signed for
                    # the host it is meant for: with the proxy's own address the stand-in would not believe it.
                    "AWS_ENDPOINT_URL_SNS": f"http://127.0.0.1:{self.port}",
                    "HTTP_PROXY": self.proxy_url,
                    "AWS_CA_BUNDLE": str(self.certificate),
                    "SSL_CERT_FILE": str(self.certificate),  # of the identity provider, which has the same
                    "PYTHONPATH": str(_OBSERVER),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "E2E_FUNCTIONS_PYTHON": str(_LAMBDA),
                    "E2E_CALLS": str(self.folders.calls),
                    "E2E_CLOCK": str(self.folders.clock),
                    "E2E_OPTED_OUT": str(self.folders.opted_out),
                },
            )
            self._servers.start(
                "microburst",
                [_MICROBURST, "--upstream", self.url, "--port", str(self.proxy_port)],
                {"SSL_CERT_FILE": str(self.certificate)},
            )
            self._servers.wait_for(f"{self.url}/_ministack/health", self.certificate)
            self._servers.wait_for(f"{self.proxy_url}/_microburst/health")
            self._warm_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._servers.stop()
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
        return ask(url, method, body, self.certificate if url.startswith("https:") else None)

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


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
