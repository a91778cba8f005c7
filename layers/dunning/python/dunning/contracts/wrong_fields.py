"""What is wrong with a message, in our own words: fields, never their contents."""

from typing import TYPE_CHECKING

from pydantic import ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def wrong_fields(error: ValidationError, *, inside: str = "") -> str:
    """Name the fields of a message that are wrong, in our own words, and never their contents."""
    return ", ".join(inside + _place(fault) for fault in error.errors(include_input=False, include_url=False))


def _place(error: "ErrorDetails") -> str:
    """Name what is wrong in our own words: the name of a field we do not know is somebody else's text."""
    if error["type"] == "extra_forbidden":
        return "an unknown field"
    return ".".join(map(str, error["loc"])) or "body"
