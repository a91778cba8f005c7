"""Images: the items of both tables as their change streams have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dunning.adapters.dynamodb.items import contact_of, reply_of, standing_of
from dunning.adapters.dynamodb.keys import REPLY, STANDING
from dunning.domain.errors import UnreadableRecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dunning.domain.customer.standing import Standing
    from dunning.domain.delivery.contact import Contact
    from dunning.domain.replies.reply import Reply

_NOT_COUNTED = frozenset({"text", "response", "reasons", "why", "digits"})
"""What nobody counts is not even read: words of customers, of ours and of carriers."""


class DynamoImages:
    """Implements `ImageReader`."""

    def read(self, image: Mapping[str, Mapping[str, Any]]) -> Standing | Contact | Reply | None:
        """Read an image by its keys, without its words."""
        item: Any = {name: value for name, value in image.items() if name not in _NOT_COUNTED}
        if "contact" in item:
            return reply_of(item) if _key_text(item["contact"]).startswith(REPLY) else contact_of(item)
        return standing_of(item) if _key_text(item.get("item", {})) == STANDING else None


def _key_text(value: Mapping[str, Any]) -> str:
    text = value.get("S", "")
    if not isinstance(text, str):
        raise UnreadableRecordError("image: a key that is no text")
    return text
