"""Secrets of the channels, each an encrypted parameter of SSM."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from dunning.adapters.aws_call import aws_call
from dunning.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_KEPT_FOR = timedelta(minutes=5)


class SsmSecrets:
    """Implements `SecretStore`. `path` is what the names of all parameters begin with, and ends with a stroke."""

    def __init__(self, client: SSMClient, path: str, clock: Clock) -> None:
        self._client = client
        self._path = path
        self._clock = clock
        self._known: dict[str, tuple[datetime, str]] = {}
        self._lock = Lock()

    def secret(self, name: str) -> str:
        """Read a parameter, decrypted, at most every five minutes."""
        with self._lock:
            now = self._clock.now()
            read_at, secret = self._known.get(name, (None, ""))
            if read_at is None or not read_at <= now < read_at + _KEPT_FOR:
                with aws_call("GetParameter"):
                    answer = self._client.get_parameter(Name=f"{self._path}{name}", WithDecryption=True)
                secret = answer["Parameter"].get("Value", "").strip()
                self._known[name] = now, secret
            return secret
