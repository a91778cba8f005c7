"""
The stand-in for AWS as a process: for the suites that ask an engine over HTTP, and for those that deploy to it.

It answers a request at a time, so it is atomic as DynamoDB is; its clients run side by side.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, Self
from unittest.mock import patch
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

import boto3

from tests.local import ROOT
from tests.local.template import Stack, create_stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

REGION = "ap-northeast-1"
ACCOUNT = "123456789012"

PYTHON = ROOT / ".venv-stand-in" / "bin" / "python"

_START_WITHIN = 60.0
_STOP_WITHIN = 3.0


class StandInError(Exception):
    """The stand-in did not do what it was asked; the message names its logs."""


def ministack_variables(base: Path, port: int) -> dict[str, str]:
    """Return the environment in which the stand-in listens on this machine only and writes below a folder."""
    return {
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",  # a port of its own that nobody here needs
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "STATE_DIR": str(base / "state"),
        "S3_DATA_DIR": str(base / "s3"),
    }


class Servers:
    """Processes that are started together, with a log each, and end together with all they have started."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.logs = base / "logs"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._files: list[IO[bytes]] = []

    def start(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Start a process with nothing of the caller's environment: no credentials, proxies or other addresses."""
        log = (self.logs / f"{name}.log").open("wb")
        self._files.append(log)
        self._processes.append(
            subprocess.Popen(  # noqa: S603 - what `make` has installed
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.base,
                start_new_session=True,
                env={
                    "PATH": os.defpath,
                    "TZ": "UTC",
                    "HOME": str(self.base / "home"),
                    "TMPDIR": str(self.base / "tmp"),
                    **environment,
                },
            )
        )

    def wait_for(self, url: str, certificate: Path | None = None) -> None:
        """Wait until an address answers."""
        end = time.monotonic() + _START_WITHIN
        while time.monotonic() < end:
            with contextlib.suppress(URLError, ConnectionError, TimeoutError):
                ask(url, certificate=certificate)
                return
            if any(process.poll() is not None for process in self._processes):
                break
            time.sleep(0.1)
        raise StandInError(f"{url} did not answer; see {self.logs}")

    def stop(self) -> None:
        """End all processes. Each leads a group of its own, which the functions it has started belong to."""
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


def ask(url: str, method: str = "GET", body: object = None, certificate: Path | None = None) -> Any:  # noqa: ANN401 - JSON
    """Send a request outside AWS's own interface."""
    data = None if body is None else json.dumps(body).encode()
    trust = ssl.create_default_context(cafile=str(certificate)) if certificate else None
    request = Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - our own
    with urlopen(request, timeout=10, context=trust) as answer:  # noqa: S310
        return json.loads(answer.read() or b"null")


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in sockets]


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


class Aws(Protocol):
    """AWS as a test looks into it beside a port, embedded or a stand-in."""

    stack: Stack
    sqs: "SQSClient"
    ssm: "SSMClient"

    @property
    def queue_url(self) -> str:
        """The queue of jobs."""
        ...

    def items(self, table: str) -> Iterator[dict[str, Any]]:
        """Yield all items of a table."""
        ...


@dataclass
class Engine:
    """The stand-in with the tables, queues, bucket and parameter of the template; no functions, no IAM."""

    url: str
    stack: Stack
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    ssm: "SSMClient"
    s3: "S3Client"

    @property
    def queue_url(self) -> str:
        """The queue of jobs."""
        return self.stack.scanner.environment["QUEUE_URL"]

    def items(self, table: str) -> Iterator[dict[str, Any]]:
        """Yield all items of a table."""
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            yield from page["Items"]

    def messages(self, queue_url: str) -> list[str]:
        """Return the bodies on a queue, hidden ones too, without receiving them."""
        found = ask(f"{self.url}/_ministack/sqs/messages?{urlencode({'QueueUrl': queue_url})}")["messages"]
        return [
            message["Body"]
            for regions in found.values()
            for queues in regions.values()
            for messages in queues.values()
            for message in messages
        ]

    def texts(self) -> list[Mapping[str, Any]]:
        """Return what SNS took for phones."""
        answer = ask(f"{self.url}/_ministack/sns/sms-messages?account={ACCOUNT}&region={REGION}")
        return [sms for messages in answer["sms_messages"].values() for sms in messages]

    def anew(self) -> "Engine":
        """
        Return the same engine with tables of other names, and queues and bucket emptied.

        The name of a table is part of a transaction's token, which outlives an emptied table.
        """
        stack = self.stack
        names = {table: self._copy(table) for table in (stack.customers_table, stack.contacts_table, stack.tally_table)}
        for url in {self.queue_url, stack.sender.environment["DEAD_LETTER_URL"]}:
            if self.messages(url):
                self.sqs.purge_queue(QueueUrl=url)
        listed: Any = self.s3.list_object_versions(Bucket=stack.uploads_bucket)
        for version in [*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())]:
            self.s3.delete_object(Bucket=stack.uploads_bucket, Key=version["Key"], VersionId=version["VersionId"])
        return replace(
            self,
            stack=replace(
                stack,
                customers_table=names[stack.customers_table],
                contacts_table=names[stack.contacts_table],
                tally_table=names[stack.tally_table],
            ),
        )

    def _copy(self, table: str) -> str:
        """Create a table like another one."""
        found: Any = self.dynamodb.describe_table(TableName=table)["Table"]
        name = f"{table}-{uuid4().hex}"
        indexes: Any = [
            {part: index[part] for part in ("IndexName", "KeySchema", "Projection")}
            for index in found.get("GlobalSecondaryIndexes", ())
        ]
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=found["KeySchema"],
            AttributeDefinitions=found["AttributeDefinitions"],
            **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
            BillingMode="PAY_PER_REQUEST",
        )
        return name


class StandInProcess:
    """
    The stand-in, alone and without IAM, with what the template declares.

    The clients that are made while `reached` lasts find it; nothing else of the process changes.
    """

    def __init__(self, base: Path) -> None:
        (self._port,) = free_ports(1)
        self._servers = Servers(base)
        self.url = f"http://127.0.0.1:{self._port}"
        self.engine: Engine

    def __enter__(self) -> Self:
        base = self._servers.base
        shutil.rmtree(base, ignore_errors=True)
        for folder in (self._servers.logs, base / "tmp", base / "home"):
            folder.mkdir(parents=True)
        if not PYTHON.exists():
            raise StandInError(f"{PYTHON} is missing: run make stand-in")
        try:
            self._servers.start("ministack", [PYTHON, "-m", "ministack"], ministack_variables(base, self._port))
            self._servers.wait_for(f"{self.url}/_ministack/health")
            with self.reached():
                stack = create_stack(boto3.client("cloudformation"), ROOT / "template.yaml")
                self.engine = Engine(
                    self.url,
                    stack,
                    boto3.client("dynamodb"),
                    boto3.client("sqs"),
                    boto3.client("ssm"),
                    boto3.client("s3"),
                )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._servers.stop()

    @contextlib.contextmanager
    def reached(self) -> Iterator[None]:
        """Let the clients that are made meanwhile find the stand-in."""
        with patch.dict(os.environ, {"AWS_ENDPOINT_URL": self.url}), patch.object(boto3, "DEFAULT_SESSION", None):
            yield
