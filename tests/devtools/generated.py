"""Files that are written by a program and kept: write them, or tell which would differ."""

import argparse
import sys
from collections.abc import Callable, Sequence


def write_or_check(
    about: str, write_all: Callable[[], None], differing: Callable[[], Sequence[str]], arguments: list[str] | None
) -> int:
    """Write all files or, with `--check`, name those that would differ; return the exit status."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 and name the files that would differ"
    )
    if not parser.parse_args(arguments).check:
        write_all()
        return 0
    names = differing()
    sys.stdout.write("".join(f"{name} would differ\n" for name in names))
    return 1 if names else 0
