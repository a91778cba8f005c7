"""A user's own policies: a folder laid over the package's, the same for the local run, the preview and policy-check."""

from importlib.readers import MultiplexedPath
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast

LENDERS = "lenders"


class _Overlay:
    """A folder of policies over the package's: a file it lacks is the package's. Lenders are its own alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __truediv__(self, name: str) -> Traversable:
        own, ours = self._folder / name, files("dunning.policy") / "data" / name
        if name.partition("/")[0] == LENDERS:
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
    return cast("Path", _Overlay(folder))  # the loaders do nothing with it but go to what is inside
