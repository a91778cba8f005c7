"""
Where a run leaves its results: in a new folder beside `OUT`, put in place once the run has ended well.

Whoever is interrupted, or fails, finds the results of the run before.
"""

import hashlib
import json
import os
import shutil
import signal
import threading
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from dunning.domain.errors import DunningError

FILES = {
    "sent": "outbox.jsonl",
    "decisions": "decisions.jsonl",
    "contacts": "contacts.jsonl",
    "replies": "replies.jsonl",
    "came back": "came_back.jsonl",
    "customers": "customers.jsonl",
    "stored": "stored.jsonl",
    "events": "events.jsonl",
    "money": "money.jsonl",
    "refused": "rejects.csv",
    "log": "functions.log",
    "page": "report.html",
    "summary": "summary.json",
}
"""What a run writes, and what the report calls it. The summary is put in place last: it tells whose the others are."""

SAMPLE = "accounts.csv"
_SAMPLE_BESIDE = "accounts.sample.csv"


class OutError(DunningError):
    """A folder cannot take the results of a run; the message says why, and what to do."""


class Results:
    """
    The results of one run. Inside the context they are in `folder`; `put_in_place` moves them to `out`.

    What was not put in place when the context ends is removed, unless `keep` was called.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        whole = out.resolve()
        self.folder = _beside(whole) / f".{whole.name}.{os.getpid()}.unfinished"
        self._kept = False

    def __enter__(self) -> Self:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        # One that is there already was left by a process of the same number that was killed.
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    def put_in_place(self) -> None:
        """
        Move the files to `out`, each over the one of the run before. What else is there stays.

        An interrupt waits meanwhile, so that nobody is left with files of two runs.
        """
        with _uninterrupted():
            self.out.mkdir(exist_ok=True)
            made = sorted(path.name for path in self.folder.iterdir())
            for name in FILES.values():
                if name not in made:
                    (self.out / name).unlink(missing_ok=True)
            for name in sorted(made, key=lambda name: name == FILES["summary"]):
                (self.folder / name).replace(self.out / name)

    def keep(self, error: BaseException) -> None:
        """Leave what there is, with the traceback of an error at the end of the functions' log."""
        self._kept = True
        with (self.folder / FILES["log"]).open("a", encoding="utf-8") as log:
            log.writelines(traceback.format_exception(error))


def check_out(out: Path, inputs: Iterable[Path]) -> None:
    """
    Make sure that results can be put into a folder, and replace nothing but the results of another run.

    Args:
        out: the folder; it need not be there yet.
        inputs: the files that the run reads.

    Raises:
        OutError: they cannot.
    """
    if out.exists() and not out.is_dir():
        raise OutError(f"OUT={out} is a file: name a folder")
    around = next((folder for folder in out.absolute().parents if folder.exists()), None)
    if around is not None and not around.is_dir():
        raise OutError(f"OUT={out} lies in {around}, which is a file: name a folder")
    overwritten = {(out / name).resolve() for name in FILES.values()}
    for path in inputs:
        if path.resolve() in overwritten:
            raise OutError(f"OUT={out}: the results would overwrite {path}, which the run reads: name another folder")
    others = [name for name in FILES.values() if (out / name).exists()]
    if others and _summary(out) is None:
        raise OutError(f"OUT={out}: {others[0]} there is not of a run, and would be lost: name another folder")


def sample_name(out: Path) -> str:
    """Return the name for the sample's accounts in a folder: never that of a file a user has written or changed."""
    return SAMPLE if not (out / SAMPLE).exists() or sample_digest(out) else _SAMPLE_BESIDE


def sample_digest(out: Path) -> str | None:
    """Return the digest of the sample that a run has left in a folder, `None` if it is gone or has been changed."""
    written = (_summary(out) or {}).get("run", {}).get("sample")
    if not isinstance(written, str) or not (out / SAMPLE).is_file():
        return None
    return written if written == digest((out / SAMPLE).read_bytes()) else None


def digest(body: bytes) -> str:
    """Return what tells a file from all others."""
    return hashlib.sha256(body).hexdigest()


def _summary(out: Path) -> dict[str, dict[str, object]] | None:
    """Return the summary of the run before, `None` if there is none."""
    try:
        summary = json.loads((out / FILES["summary"]).read_bytes())
    except (OSError, ValueError):
        return None
    is_ours = isinstance(summary, dict) and {"run", "sent", "decisions"} <= summary.keys()
    return summary if is_ours and isinstance(summary["run"], dict) else None


def _beside(out: Path) -> Path:
    """Return where a folder can be made from which files are moved to `out` in one step: beside it, or else in it."""
    parent = out.parent
    if not out.exists():
        return parent
    same_disk = out.stat().st_dev == parent.stat().st_dev
    return parent if same_disk and os.access(parent, os.W_OK) else out


@contextmanager
def _uninterrupted() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
