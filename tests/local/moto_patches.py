"""
What moto needs to stand in for AWS under a virtual clock: undone when the context ends, and each with its reason.

Nothing here changes an answer, only its time, its order among threads, or how long it takes.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import RLock
from typing import Any
from unittest.mock import patch

from botocore.handlers import BUILTIN_HANDLERS
from moto.core.responses import BaseResponse
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.sqs import models as sqs_models

from tests.local.clock import VirtualClock

_SERIALISED = frozenset({"dynamodb", "sns"})
"""moto is not atomic across threads; SQS is left out because it long-polls inside its handler."""


@contextmanager
def patched_moto(clock: VirtualClock, on_publish: Callable[[dict[str, Any], str], None]) -> Iterator[None]:
    """
    Patch moto and botocore while the context lasts.

    Args:
        clock: what SQS takes for the time: visibility timeouts and retention follow it.
        on_publish: told of every accepted SNS publish: its parameters and its message id.
    """
    with ExitStack() as stack:
        # moto compares visibility through two datetimes per message and call (1,000 jobs: 25 s to drain).
        # Milliseconds of the virtual clock are both quicker and what a run over virtual weeks needs.
        stack.enter_context(patch.object(sqs_models, "unix_time_millis", clock.millis))
        stack.enter_context(patch.object(sqs_models, "unix_time", lambda: clock.millis() / 1000))
        stack.enter_context(patch.object(BaseResponse, "call_action", _serialised(BaseResponse.call_action)))
        stack.enter_context(patch.object(Table, "query", _query_by_key(Table.query)))
        stack.enter_context(patch.object(Table, "all_items", _candidates_only(Table.all_items)))
        stack.enter_context(_publishes_told_to(on_publish))
        yield


def _serialised(call_action: Callable[[BaseResponse], Any]) -> Callable[[BaseResponse], Any]:
    lock = RLock()

    def one_at_a_time(self: BaseResponse) -> Any:  # noqa: ANN401 - moto's own type
        if self.service_name not in _SERIALISED:
            return call_action(self)
        with lock:
            return call_action(self)

    return one_at_a_time


_CANDIDATES = "_local_candidates"


def _query_by_key(query: Callable[..., Any]) -> Callable[..., Any]:
    """
    Let a query look at the items that have the key asked for, not at every item of the table.

    moto's query sorts all items of a table before it looks at the first: 10 ms at 1,000 rows, 183 ms at 30,000.
    Items without the index's hash attribute, with another value of it, or outside the range asked for, can
    never be in the answer, nor do they count as scanned. The rest is moto's, untouched.
    """

    def only_candidates(  # noqa: PLR0913, PLR0917 - moto's own parameters
        self: Table,
        hash_key: DynamoType | None,
        range_comparison: str | None,
        range_objs: list[DynamoType],
        limit: int,
        exclusive_start_key: dict[str, Any],
        scan_index_forward: bool,  # noqa: FBT001
        projection_expressions: list[list[str]] | None,
        index_name: str | None = None,
        *rest: Any,  # noqa: ANN401
        **more: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        candidates = (
            _index_candidates(self, index_name, hash_key, range_comparison, range_objs)
            if index_name
            else _partition(self, hash_key)
        )
        setattr(self, _CANDIDATES, candidates)
        try:
            return query(
                self,
                hash_key,
                range_comparison,
                range_objs,
                limit,
                exclusive_start_key,
                scan_index_forward,
                projection_expressions,
                index_name,
                *rest,
                **more,
            )
        finally:
            delattr(self, _CANDIDATES)

    return only_candidates


def _candidates_only(all_items: Callable[[Table], list[Item]]) -> Callable[[Table], list[Item]]:
    def candidates(self: Table) -> list[Item]:
        chosen: list[Item] | None = getattr(self, _CANDIDATES, None)
        return all_items(self) if chosen is None else chosen

    return candidates


def _partition(table: Table, hash_key: DynamoType | None) -> list[Item] | None:
    if hash_key is None or not table.range_key_attr:
        return None
    return list(table.items.get(hash_key, {}).values())


def _index_candidates(
    table: Table,
    index_name: str,
    hash_key: DynamoType | None,
    comparison: str | None,
    operands: list[DynamoType],
) -> list[Item] | None:
    index = next((one for one in table.all_indexes() if one.name == index_name), None)
    if index is None or hash_key is None or not table.range_key_attr:
        return None
    hash_attributes = [key["AttributeName"] for key in index.schema if key["KeyType"] == "HASH"]
    range_attributes = [key["AttributeName"] for key in index.schema if key["KeyType"] == "RANGE"]
    if len(hash_attributes) != 1 or len(range_attributes) > 1:
        return None
    asked, hash_attribute = hash_key.value, hash_attributes[0]
    found = [
        item
        for partition in table.items.values()
        for item in partition.values()
        if (value := item.attrs.get(hash_attribute)) is not None and value.value == asked
    ]
    if range_attributes:
        present = [(item, item.attrs.get(range_attributes[0])) for item in found]
        found = [
            item
            for item, value in present
            if value is not None and (comparison is None or value.compare(comparison, operands))
        ]
    # In the order in which moto would have met them.
    return sorted(found, key=lambda item: (item.hash_key, item.range_key))


@contextmanager
def _publishes_told_to(on_publish: Callable[[dict[str, Any], str], None]) -> Iterator[None]:
    """
    Hook into every client made from now on: moto keeps text and number of an SMS, but drops its attributes.

    The two hooks of one call share its context.
    """

    def remember(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context["local_publish"] = params

    def tell(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if "MessageId" in parsed and "PhoneNumber" in (params := context.get("local_publish", {})):
            on_publish(params, parsed["MessageId"])

    hooks: list[tuple[str, Callable[..., None]]] = [
        ("provide-client-params.sns.Publish", remember),
        ("after-call.sns.Publish", tell),
    ]
    BUILTIN_HANDLERS.extend(hooks)
    try:
        yield
    finally:
        for hook in hooks:
            BUILTIN_HANDLERS.remove(hook)
