"""The wrong fields of a message, named in our own words, never with their contents."""

from typing import TYPE_CHECKING

from pydantic import ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def wrong_fields(error: ValidationError, *, inside: str = "") -> str:
    """Name the fields of a message that are wrong, in our own words, and never their contents."""
    return ", ".join(inside + _place(fault) for fault in error.errors(include_input=False, include_url=False))


def _place(error: "ErrorDetails") -> str:
    """Name a wrong field. An unknown field is not named, because its name is the sender's text."""
    if error["type"] == "extra_forbidden":
        return "an unknown field"
    return ".".join(map(str, error["loc"])) or "body"
