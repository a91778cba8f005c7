"""
`make release-check`: whether this commit can be released, and the commands that do it. Changes nothing.

The version in pyproject.toml is that of the newest section of CHANGELOG.md, which has its date and says something;
nothing stands under `Unreleased`; nothing is left to commit; the tag is not taken. The locks are `make locks`.

Exits with 0 if the commit can be released, 1 if not, and says in a line each what is missing.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from tests.local import ROOT

_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<dated>.+))?$", re.MULTILINE)
_ENTRY = re.compile(r"^- \S", re.MULTILINE)
_UNRELEASED = "Unreleased"


class Section(NamedTuple):
    """What the changelog says of a version; `dated` is as written."""

    version: str
    dated: str
    text: str

    @property
    def is_empty(self) -> bool:
        """Whether no entry stands in it."""
        return _ENTRY.search(self.text) is None


class Tree(NamedTuple):
    """What git says: the files that are changed or unknown, and the tags that are taken."""

    changed: tuple[str, ...]
    tags: frozenset[str]


def sections(changelog: str) -> list[Section]:
    """Return the sections of a changelog, the newest first."""
    found = list(_HEADING.finditer(changelog))
    ends = [heading.start() for heading in found[1:]] + [len(changelog)]
    return [
        Section(heading["version"], heading["dated"] or "", changelog[heading.end() : end].strip())
        for heading, end in zip(found, ends, strict=False)
    ]


def obstacles(version: str, changelog: str, tree: Tree) -> Iterator[str]:
    """Yield in a line each what keeps this commit from being released as this version."""
    written = sections(changelog)
    if not written or written[0].version != _UNRELEASED:
        yield f"CHANGELOG.md does not begin with `## [{_UNRELEASED}]`."
    elif not written[0].is_empty:
        yield f"CHANGELOG.md still has entries under `{_UNRELEASED}`: move them to the section of {version}."
    yield from _obstacles_of_section(version, [section for section in written if section.version != _UNRELEASED])
    if tree.changed:
        yield f"The tree is not clean: {', '.join(tree.changed)}."
    if f"v{version}" in tree.tags:
        yield f"The tag v{version} exists already: raise the version in pyproject.toml."


def _obstacles_of_section(version: str, released: list[Section]) -> Iterator[str]:
    if not released or released[0].version != version:
        newest = released[0].version if released else "none"
        yield f"pyproject.toml says {version}, the newest section of CHANGELOG.md is {newest}."
        return
    if released[0].is_empty:
        yield f"The section of {version} in CHANGELOG.md is empty."
    try:
        date.fromisoformat(released[0].dated)
    except ValueError:
        yield f"The section of {version} in CHANGELOG.md has no date: `## [{version}] - 2026-11-29`."


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603, S607 - the developer's own git
    return done.stdout.splitlines()


def main() -> int:
    """Say what is missing, or how this commit is released."""
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    tree = Tree(tuple(line[3:] for line in _git("status", "--porcelain")), frozenset(_git("tag", "--list")))
    found = list(obstacles(version, changelog, tree))
    if found:
        sys.stdout.write("".join(f"{line}\n" for line in [f"{version} cannot be released:", *found]))
        return 1
    sys.stdout.write(
        f"{version} can be released once .ci/run has passed on this commit:\n\n"
        f'    git tag -a v{version} -m "dunning {version}"\n'
        f"    git push origin v{version}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
