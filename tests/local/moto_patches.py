"""
What moto needs to stand in for AWS under a virtual clock: undone when the context ends, and each with its reason.

Nothing here changes an answer, only its time, its order among threads, or how long it takes.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from functools import cache, partial
from itertools import islice
from pkgutil import resolve_name
from threading import RLock
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.auth import SigV4Auth
from botocore.exceptions import ClientError
from botocore.handlers import BUILTIN_HANDLERS
from moto import backend_index
from moto.core.base_backend import BaseBackend
from moto.core.constants import MISSING
from moto.core.responses import BaseResponse
from moto.core.serialize import (
    DEFAULT_ALIAS_PROVIDERS,
    AttributePickerContext,
    ResponseSerializer,
    XFormedAttributePicker,
)
from moto.core.utils import get_value
from moto.dynamodb import models as dynamodb_models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.sns import models as sns_models
from moto.sqs import models as sqs_models

from tests.local.clock import VirtualClock

_SERIALISED = frozenset({"dynamodb", "sns"})
"""moto is not atomic across threads; SQS is left out because it long-polls inside its handler."""


_READS = frozenset({"Query", "BatchGetItem", "GetItem", "Scan", "DescribeTable", "Publish"})


def _instant_of(clock: VirtualClock) -> str:
    return clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _messages_kept(clock: VirtualClock, queue: sqs_models.Queue) -> int:
    """Count the visible messages of a queue that are not older than its retention."""
    oldest = clock.millis() - 1000 * int(queue.message_retention_period)  # type: ignore[attr-defined]
    return sum(message.sent_timestamp > oldest for message in queue.messages)


@contextmanager
def patched_moto(
    clock: VirtualClock,
    on_publish: Callable[[dict[str, Any], str], None],
    on_events: Callable[[list[dict[str, Any]]], None] = lambda _: None,
    is_busy: Callable[[str], bool] = lambda _: False,
) -> Iterator[None]:
    """
    Patch moto and botocore while the context lasts.

    Args:
        clock: what SQS and SNS take for the time: visibility timeouts, retention, and when a topic took a message.
        on_publish: told of every accepted SNS publish: its parameters and its message id.
        on_events: told of the entries of every PutEvents.
        is_busy: asked before each text whether SNS turns it away for now, by number.
    """
    with ExitStack() as stack:
        # moto compares visibility through two datetimes per message and call (1,000 jobs: 25 s to drain).
        # Milliseconds of the virtual clock are both quicker and what a run over virtual weeks needs.
        stack.enter_context(patch.object(sqs_models, "unix_time_millis", clock.millis))
        stack.enter_context(patch.object(sqs_models, "unix_time", lambda: clock.millis() / 1000))
        # moto drops an old message when somebody receives it, and counts it until then.
        kept = property(partial(_messages_kept, clock))
        stack.enter_context(patch.object(sqs_models.Queue, "approximate_number_of_messages", kept))
        # A reply was said when its topic took it.
        now_written = partial(_instant_of, clock)
        stack.enter_context(patch.object(sns_models, "iso_8601_datetime_with_milliseconds", now_written))
        stack.enter_context(_pure_functions_cached())
        stack.enter_context(_nothing_done_in_vain())
        groups = _Groups()
        call_action = _serialised(BaseResponse.call_action, groups)
        stack.enter_context(patch.object(BaseResponse, "call_action", call_action))
        stack.enter_context(patch.object(Table, "query", _query_by_key(Table.query, groups)))
        transact = DynamoDBBackend.transact_write_items
        stack.enter_context(patch.object(DynamoDBBackend, "transact_write_items", _undone_by_item(transact)))
        stack.enter_context(patch.object(Table, "all_items", _candidates_only(Table.all_items)))
        stack.enter_context(_calls_told_to(on_publish, on_events, is_busy))
        yield


_PURE = (
    "moto.core.responses.method_names_from_class",
    "moto.core.responses.camelcase_to_underscores",
    "moto.sqs.models.camelcase_to_underscores",
    # Whoever asks for the syntax tree of an update reads it, or changes a copy of it.
    "moto.dynamodb.parsing.expressions.UpdateExpressionParser.make",
    "jsonpath_ng.ext.parse",
    # Each function makes a session of its own, and would read the descriptions of the same services again.
    "botocore.session.create_loader",
    "botocore.useragent.sanitize_user_agent_string_component",
    "moto.backends.get_backend",
)
_NODES = "moto.dynamodb.parsing.ast_nodes.DepthFirstTraverser.nodes_to_be_processed"


@contextmanager
def _pure_functions_cached() -> Iterator[None]:
    """
    Work out once what is worked out anew for every call, though it depends on nothing but its arguments.

    The names of methods and attributes, the keys under which a result may hold a member, parsed expressions, what
    botocore knows of the services, and where moto finds them.
    """
    keys = _PossibleKeys()
    with ExitStack() as stack:
        for name in _PURE:
            stack.enter_context(patch(name, cache(resolve_name(name))))
        stack.enter_context(patch(_NODES, _kinds_of_nodes(resolve_name(_NODES))))
        stack.enter_context(patch.object(BaseBackend, "urls", _urls_by_class(BaseBackend.urls)))
        stack.enter_context(patch.object(XFormedAttributePicker, "__call__", _picked(keys)))
        structure = "_serialize_type_structure"
        stack.enter_context(patch.object(ResponseSerializer, structure, _members_that_are_there(keys)))
        yield


def _urls_by_class(urls: Any) -> property:  # noqa: ANN401 - a property, which has no type of its own
    """Return moto's addresses of a service, always those of its class."""
    kept: dict[type, dict[str, Any]] = {}

    def known(self: BaseBackend) -> dict[str, Any]:
        if type(self) not in kept:
            kept[type(self)] = urls.fget(self)
        return kept[type(self)]

    return property(known)


_ASKED_MOST = frozenset({"dynamodb", "sqs", "sns", "ssm", "events"})


@contextmanager
def _nothing_done_in_vain() -> Iterator[None]:
    """
    Leave out what nobody looks at: moto checks no signature, and tries the addresses of all services in turn.

    No address of the services that are asked most is another service's, so that their order makes no difference.
    """
    patterns = backend_index.backend_url_patterns
    asked_most = [entry for entry in patterns if entry[0] in _ASKED_MOST]
    others = [entry for entry in patterns if entry[0] not in _ASKED_MOST]
    with (
        patch.object(backend_index, "backend_url_patterns", asked_most + others),
        patch.object(SigV4Auth, "canonical_request", lambda *_: ""),
        patch.object(SigV4Auth, "signature", lambda *_: "0" * 64),
    ):
        yield


class _PossibleKeys:
    """The keys under which moto looks for a member in a result, which depend on the result's class alone."""

    def __init__(self) -> None:
        self._kept: dict[tuple[type, object, str], tuple[str, ...]] = {}

    @staticmethod
    def are_known(picker: XFormedAttributePicker, found: object) -> bool:
        """Tell whether they are the same each time: a result may name aliases of its own in `Meta`."""
        return (
            type(picker) is XFormedAttributePicker
            and not picker.response_transformers
            and picker.alias_providers is DEFAULT_ALIAS_PROVIDERS
            and not hasattr(found, "Meta")
        )

    def of(self, picker: XFormedAttributePicker, context: AttributePickerContext) -> tuple[str, ...]:
        """Return the keys of a member, each once, in moto's order."""
        member = (context.obj.__class__, context.shape, context.key)
        keys = self._kept.get(member)
        if keys is None:
            keys = self._kept[member] = tuple(dict.fromkeys(picker.get_possible_keys(context)))
        return keys


def _kinds_of_nodes(ask_moto: Callable[[object], tuple[type, ...]]) -> Callable[[object], tuple[type, ...]]:
    """Return moto's way to name the nodes of a syntax tree that a traverser works on: always those of its class."""
    kept: dict[type, tuple[type, ...]] = {}

    def kinds(self: object) -> tuple[type, ...]:
        known = kept.get(type(self))
        if known is None:
            known = kept[type(self)] = ask_moto(self)
        return known

    return kinds


def _picked(keys: _PossibleKeys) -> Callable[[XFormedAttributePicker, AttributePickerContext], Any]:
    """Return moto's way to find a member in a result, with the keys known."""
    ask_moto = XFormedAttributePicker.__call__

    def pick(self: XFormedAttributePicker, context: AttributePickerContext) -> Any:  # noqa: ANN401 - of any result
        if not keys.are_known(self, context.obj):
            return ask_moto(self, context)
        for key in keys.of(self, context):
            value = get_value(context.obj, key, MISSING)
            if value is not MISSING:
                return value
        return None

    return pick


def _members_that_are_there(keys: _PossibleKeys) -> Callable[..., None]:
    """
    Return moto's way to write a structure that looks for no member that a plain dictionary cannot hold.

    A value of DynamoDB has one of ten members, and moto looks for each of the ten under up to six keys.
    """
    ask_moto = ResponseSerializer._serialize_type_structure  # noqa: SLF001 - moto has no other way in
    kept: dict[object, list[tuple[str, Any, frozenset[str] | None]]] = {}

    def members_of(self: ResponseSerializer, shape: Any) -> list[tuple[str, Any, frozenset[str] | None]]:  # noqa: ANN401
        members = []
        for key, member in shape.members.items():
            member.parent = shape
            context = AttributePickerContext({}, key, member, self.operation_model)
            possible = keys.of(self._value_picker, context)
            # A key with a dot is a path into the dictionary.
            members.append((key, member, None if any("." in name for name in possible) else frozenset(possible)))
        return members

    def write(self: ResponseSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:  # noqa: ANN401
        picker = self._value_picker
        if type(value) is not dict or not keys.are_known(picker, value):
            ask_moto(self, serialized, value, shape, key)
            return
        members = kept.get(shape)
        if members is None:
            members = kept[shape] = members_of(self, shape)
        wrapper = self.MAP_TYPE() if key else serialized
        for name, member, possible in members:
            if possible is None or not possible.isdisjoint(value):
                self._serialize_structure_member(wrapper, value, member, name)
        if key:
            self._default_serialize(serialized, wrapper, shape, key)

    return write


class _Groups:
    """The items of tables by the value of an attribute, kept until something is written."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Table, str], dict[Any, list[Item]]] = {}

    def of(self, table: Table, attribute: str) -> dict[Any, list[Item]]:
        """Return the items that have an attribute, by its value."""
        groups = self._kept.get((table, attribute))
        if groups is None:
            groups = self._kept[table, attribute] = {}
            for partition in table.items.values():
                for item in partition.values():
                    if (value := item.attrs.get(attribute)) is not None:
                        groups.setdefault(value.value, []).append(item)
        return groups

    def clear(self) -> None:
        """Start afresh: something was written."""
        self._kept.clear()


def _serialised(call_action: Callable[[BaseResponse], Any], groups: _Groups) -> Callable[[BaseResponse], Any]:
    lock = RLock()

    def one_at_a_time(self: BaseResponse) -> Any:  # noqa: ANN401 - moto's own type
        if self.service_name not in _SERIALISED:
            return call_action(self)
        with lock:
            try:
                return call_action(self)
            finally:
                if self._get_action() not in _READS:
                    groups.clear()

    return one_at_a_time


def _undone_by_item(transact: Callable[..., None]) -> Callable[..., None]:
    """
    Let a transaction that fails restore the items it names.

    moto copies all tables with all their items before each transaction: 60 ms at 1,000 items.
    """

    def copied(copied_object: object) -> object:
        return copied_object if isinstance(copied_object, Table) else deepcopy(copied_object)

    def transact_items(self: DynamoDBBackend, items: list[dict[str, Any]]) -> None:
        before = []
        for entry in items:
            ((_, write),) = entry.items()
            table, key = self.get_table(write["TableName"]), write.get("Item") or write["Key"]
            place = DynamoType(key[table.hash_key_attr]), DynamoType(key[table.range_key_attr])
            before.append((table.items, place, deepcopy(table.items.get(place[0], {}).get(place[1]))))
        try:
            with patch.object(dynamodb_models, "copy", SimpleNamespace(deepcopy=copied)):
                transact(self, items)
        except Exception:
            for stored, (partition, item), known in before:
                if known is None:
                    stored.get(partition, {}).pop(item, None)
                else:
                    stored[partition][item] = known
            raise

    return transact_items


_CANDIDATES = "_local_candidates"


def _query_by_key(query: Callable[..., Any], groups: _Groups) -> Callable[..., Any]:
    """
    Let a query look at the items that have the key asked for, not at every item of the table.

    moto's query sorts all items of a table before it looks at the first: 10 ms at 1,000 rows, 183 ms at 30,000.
    Items without the index's hash attribute, with another value of it, or outside the range asked for can never
    be in the answer, nor do they count as scanned. The rest is moto's, untouched.
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
            _index_candidates(groups, self, index_name, hash_key, range_comparison, range_objs)
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
    groups: _Groups,
    table: Table,
    index_name: str,
    hash_key: DynamoType | None,
    comparison: str | None,
    operands: list[DynamoType],
) -> list[Item] | None:
    index = next((found for found in table.all_indexes() if found.name == index_name), None)
    if index is None or hash_key is None or not table.range_key_attr:
        return None
    hash_attributes = [key["AttributeName"] for key in index.schema if key["KeyType"] == "HASH"]
    range_attributes = [key["AttributeName"] for key in index.schema if key["KeyType"] == "RANGE"]
    if len(hash_attributes) != 1 or len(range_attributes) > 1:
        return None
    found = groups.of(table, hash_attributes[0]).get(hash_key.value, [])
    if range_attributes:
        found = _in_range(found, range_attributes[0], comparison, operands)
    # In the order in which moto would have met them.
    return sorted(found, key=lambda item: (item.hash_key, item.range_key))


def _in_range(items: list[Item], attribute: str, comparison: str | None, operands: list[DynamoType]) -> list[Item]:
    """
    Return the items in the range asked for, and one beyond each end of it.

    From whether anything follows the last item of a page moto tells whether to offer another page.
    """
    inside: list[Item] = []
    outside: list[Item] = []
    for item in items:
        value = item.attrs.get(attribute)
        if value is not None:
            wanted = comparison is None or value.compare(comparison, operands)
            (inside if wanted else outside).append(item)
    if not inside:
        return inside
    middle = inside[0].attrs[attribute].value
    above = (item for item in outside if item.attrs[attribute].value > middle)
    below = (item for item in outside if item.attrs[attribute].value < middle)
    return [*inside, *islice(above, 1), *islice(below, 1)]


@contextmanager
def _calls_told_to(
    on_publish: Callable[[dict[str, Any], str], None],
    on_events: Callable[[list[dict[str, Any]]], None],
    is_busy: Callable[[str], bool],
) -> Iterator[None]:
    """
    Hook into every client made from now on: moto drops an SMS's attributes, keeps no event, and is never busy.

    The two hooks of one publish share its context.
    """

    def remember(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if "PhoneNumber" in params and is_busy(params["PhoneNumber"]):
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "Publish")
        context["local_publish"] = params

    def on_put_events(params: dict[str, Any], **_: object) -> None:
        on_events(params["Entries"])

    def on_answer(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if "MessageId" in parsed and "PhoneNumber" in (params := context.get("local_publish", {})):
            on_publish(params, parsed["MessageId"])

    hooks: list[tuple[str, Callable[..., None]]] = [
        ("provide-client-params.sns.Publish", remember),
        ("after-call.sns.Publish", on_answer),
        ("provide-client-params.eventbridge.PutEvents", on_put_events),
    ]
    BUILTIN_HANDLERS.extend(hooks)
    try:
        yield
    finally:
        for hook in hooks:
            BUILTIN_HANDLERS.remove(hook)
