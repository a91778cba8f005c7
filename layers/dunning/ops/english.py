"""What a limit says in English, in the words of the console."""

from functools import cache
from zoneinfo import ZoneInfo

from dunning.console.translations import Translation


def in_english(says: object) -> str:
    """Return sayings as a sentence; a sentence stays as it is."""
    return _english().write(says)


@cache
def _english() -> Translation:
    return Translation("en", ZoneInfo("UTC"))
