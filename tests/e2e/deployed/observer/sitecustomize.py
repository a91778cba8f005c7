"""
What the harness adds to the stand-in's processes, through PYTHONPATH. Nothing of it is in the product.

In a function: every call of AWS is written down, with its outcome, the clock is moved to a working day, and what the
stand-in's SNS does not have is answered. In the stand-in itself: functions are started by an interpreter that has what
Lambda has, not by the stand-in's own, notifications, changes of items and the end of items are dated by the moved clock
too, and streams name their shard.
"""

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

_NAMED_BY = ("TableName", "IndexName", "QueueUrl", "Bucket", "Key", "VersionId", "Name", "TopicArn", "TargetArn")
"""Parameters that name a resource, and none that holds personal data."""


class _Calls:
    """The calls of this process, a line each."""

    def __init__(self, folder: str, function: str) -> None:
        self._function = function
        self._path = Path(folder, f"{function}.{os.getpid()}.jsonl")
        self._path.touch()  # the process is known by it, also before its first call

    def begun(self, params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401
        named = {name: params[name] for name in _NAMED_BY if name in params}
        tables = params.get("RequestItems")
        if isinstance(tables, dict):
            named["TableName"] = list(tables)
        if model.name == "TransactWriteItems":
            writes = {(kind, write["TableName"]) for entry in params["TransactItems"] for kind, write in entry.items()}
            named["Writes"] = sorted(writes)
        if model.name == "PutEvents":
            named["EventBusName"] = sorted({entry["EventBusName"] for entry in params["Entries"]})
        context["e2e"] = {
            "function": self._function,
            "service": model.service_model.service_name,
            "operation": model.name,
            "named": named,
            "to_phone": "PhoneNumber" in params,
        }

    def answered(self, parsed: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
        self._write(context, parsed.get("Error", {}).get("Code", ""))

    def failed(self, exception: Exception, context: dict[str, Any], **_: object) -> None:
        self._write(context, type(exception).__name__)

    def _write(self, context: dict[str, Any], error: str) -> None:
        call = context.pop("e2e", None)
        if call:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**call, "error": error}) + "\n")


class _CarriersList:
    """
    The list of numbers that want no texts, which the stand-in's SNS does not keep.

    It judges by the role who may ask, and then knows no such action. Only what it says to that is exchanged here.
    """

    def __init__(self, numbers: Path) -> None:
        self._numbers = numbers

    def listed(self, http_response: Any, parsed: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's
        self._answer(http_response, parsed, {"phoneNumbers": json.loads(self._numbers.read_text("utf-8"))})

    def taken_off(self, http_response: Any, parsed: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's
        self._answer(http_response, parsed, {})

    def _answer(self, http_response: Any, parsed: dict[str, Any], answer: Mapping[str, Any]) -> None:  # noqa: ANN401
        if parsed.get("Error", {}).get("Code") == "InvalidAction":
            del parsed["Error"]
            parsed.update(answer)
            http_response.status_code = 200


class _AsImported(MetaPathFinder, Loader):
    """Lets a module, as it is imported, be changed."""

    def __init__(self, module: str, change: Callable[[Any], None]) -> None:
        self._module = module
        self._change = change
        self._found: ModuleSpec | None = None
        self._looking = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self._module or self._looking:
            return None
        self._looking = True  # the next line asks all finders, this one too
        self._found = importlib.util.find_spec(fullname)
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        if self._found is None or self._found.loader is None:
            raise ImportError(self._module)
        self._found.loader.exec_module(module)
        self._change(module)


class _MovedClock:
    """A clock that adds to the time what a file says, in seconds."""

    def __init__(self, offset: Path) -> None:
        self._offset = offset

    def in_a_function(self, clock: Any) -> None:  # noqa: ANN401 - a module
        """Move the clock that our code asks."""

        def now(_clock: object) -> datetime:
            return datetime.now(UTC) + timedelta(seconds=self._seconds())

        clock.SystemClock.now = now

    def in_sns(self, sns: Any) -> None:  # noqa: ANN401 - a module
        """Move the moment that a notification names, which is when a reply was written."""

        def gmtime(moment: float | None = None) -> time.struct_time:
            return time.gmtime(time.time() + self._seconds() if moment is None else moment)

        sns.time = SimpleNamespace(**{**vars(time), "gmtime": gmtime})

    def in_dynamodb(self, dynamodb: Any) -> None:  # noqa: ANN401 - a module
        """
        Move the moment of a change in a stream, and that at which items end.

        By the real time, from the day on on which the run begins, what our functions keep for an hour would be gone.
        """

        def now() -> float:
            return time.time() + self._seconds()

        dynamodb.time = SimpleNamespace(**{**vars(time), "time": now})

    def _seconds(self) -> float:
        return float(self._offset.read_text("utf-8"))


def _in_windows(functions: Any) -> None:  # noqa: ANN401 - a module
    """Let an event of a stream name its shard, as one of a window does: the stand-in has no windows, and one shard."""
    execute = functions._execute_function  # noqa: SLF001 - the stand-in's own

    def executed(function: Any, event: Any, *args: object, **named: object) -> Any:  # noqa: ANN401 - as declared there
        records = event.get("Records") if isinstance(event, dict) else None
        if records and records[0].get("eventSource") == "aws:dynamodb":
            event = {**event, "shardId": "shardId-000000000001", "isFinalInvokeForWindow": False}
        return execute(function, event, *args, **named)

    functions._execute_function = executed  # noqa: SLF001


def _observe() -> None:
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    clock = _MovedClock(Path(os.environ["E2E_CLOCK"]))
    if not function:
        sys.executable = os.environ["E2E_FUNCTIONS_PYTHON"]
        sys.meta_path.insert(0, _AsImported("ministack.services.sns", clock.in_sns))
        sys.meta_path.insert(0, _AsImported("ministack.services.dynamodb", clock.in_dynamodb))
        sys.meta_path.insert(0, _AsImported("ministack.services.lambda_svc", _in_windows))
        return
    import botocore.handlers  # noqa: PLC0415 - a function's interpreter has it, the stand-in's own needs none

    calls = _Calls(os.environ["E2E_CALLS"], function)
    carrier = _CarriersList(Path(os.environ["E2E_OPTED_OUT"]))
    botocore.handlers.BUILTIN_HANDLERS += [
        ("after-call.sns.ListPhoneNumbersOptedOut", carrier.listed),
        ("after-call.sns.OptInPhoneNumber", carrier.taken_off),
        ("before-parameter-build", calls.begun),
        ("after-call", calls.answered),
        ("after-call-error", calls.failed),
    ]
    sys.meta_path.insert(0, _AsImported("dunning.adapters.system_clock", clock.in_a_function))


if "E2E_CALLS" in os.environ:
    _observe()
