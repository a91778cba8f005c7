"""A user's own policies: a folder laid over the package's, the same for the local run, the preview and policy-check."""

from importlib.readers import MultiplexedPath
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast

LENDERS = "lenders"


def package_policies() -> Traversable:
    """Return the folder of the package's policies."""
    return files("dunning.policy") / "data"


class _Overlay:
    """A folder of policies over others: a file it lacks is theirs. Lenders are its own alone, unless they are kept."""

    def __init__(self, folder: Path, below: Traversable, *, keeps_lenders: bool) -> None:
        self._folder = folder
        self._below = below
        self._keeps_lenders = keeps_lenders

    def __truediv__(self, name: str) -> Traversable:
        own, ours = self._folder / name, self._below / name
        if name.partition("/")[0] == LENDERS and not self._keeps_lenders:
            return own
        if own.is_dir() and ours.is_dir():
            return MultiplexedPath(own, ours)
        return own if own.exists() else ours


def over_the_package(folder: Path) -> Path:
    """
    Return a folder of policies with all that it lacks taken from the package, for the loaders of policies.

    It has `lenders/*.toml`, which are then the only lenders, and may have `texts/`, `jurisdictions/` and the like: a
    file there counts instead of the package's of that name.
    """
    # The loaders do nothing with it but go to what is inside.
    return cast("Path", _Overlay(folder, package_policies(), keeps_lenders=False))


def changes_over(folder: Path, below: Path | None) -> Path:
    """
    Return policies with the files of a folder in place of those of the same names. All other lenders stay.

    Args:
        folder: the changed files, in folders as in the package: `lenders/demo-tw.toml`, `texts/en.toml`.
        below: a user's own policies, as `over_the_package` returns them; the package's if `None`.
    """
    return cast("Path", _Overlay(folder, below or package_policies(), keeps_lenders=True))


def changed_files(folder: Path, below: Path | None) -> tuple[list[str], list[str]]:
    """
    Return the files of a folder that differ from those of the same names, and those that no loader of policies reads.

    Files that are no TOML are read by nobody, and are in neither.
    """
    base: Traversable = below or package_policies()
    known = {entry.name for entry in package_policies().iterdir()}
    differing: list[str] = []
    unread: list[str] = []
    for file in sorted(folder.rglob("*.toml")):
        name = file.relative_to(folder).as_posix()
        there = base / name
        if name.partition("/")[0] not in known:
            unread.append(name)
        elif not there.is_file() or there.read_bytes() != file.read_bytes():
            differing.append(name)
    return differing, unread
