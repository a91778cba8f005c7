"""What others write as JSON: a list of objects that may be no list, or hold something else."""

from typing import Any


def objects_in(written: object) -> list[dict[str, Any]]:
    """Return the objects of a list, and leave out what is none. What is no list has none."""
    return [each for each in written if isinstance(each, dict)] if isinstance(written, list) else []
