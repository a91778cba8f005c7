"""`make effect`: people with planted effects under a lender with trials, and what the trials find of it."""

import argparse
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date, datetime
from pathlib import Path

from dunning.domain.errors import DunningError
from tests.local.asked import OneLineParser
from tests.local.effect_page import effect_page
from tests.local.effect_people import BEGIN
from tests.local.effect_report import effect_report
from tests.local.effect_run import EffectRun, play_effect
from tests.local.effect_world import EffectWorld

FILES = {"text": "effect.txt", "result": "effect.json", "page": "report.html"}
"""What is written."""

OUT = ".local/effect"
"""Where, if no folder is named: not where `make run` leaves its own report.html."""

_CUSTOMERS, _DAYS, _SEED, _LIFT, _NIGHTS = 4_000, 182, 1, 5, 7
_MOST_CUSTOMERS = 100_000
_MOST_DAYS = 182

_EPILOG = """\
All people, payments, replies and approvals are made up. The lender and its trials are in tests/local/trial_policies.

LIFT is what the holdout ought to find, in points. The report says beside each finding what was planted. Studies of
texts find 1 to 4 points; to see 4, it takes more people than fit into a minute: the report says how many.

Exit status: 0 it was played, 1 something that was checked is wrong, 2 something asked for cannot be, 130 interrupted.
"""


class EffectChoiceError(DunningError):
    """Something the user has asked for cannot be; the message names the variable and the fix."""


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="make effect",
        description="Play half a year of people on whom texts have a planted effect, and let the trials find it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--customers", default=str(_CUSTOMERS), help="how many people (default: %(default)s)")
    parser.add_argument("--days", default=str(_DAYS), help="how many days (default: %(default)s, an epoch)")
    parser.add_argument("--seed", default=str(_SEED), help="another seed makes other people (default: %(default)s)")
    parser.add_argument(
        "--lift", default=str(_LIFT), help="points of the holdout that are planted (default: %(default)s)"
    )
    parser.add_argument(
        "--nights", default=str(_NIGHTS), help="the nightly run comes every so many nights (default: %(default)s)"
    )
    parser.add_argument("--out", default=OUT, metavar="DIR", help="where the files go (default: %(default)s)")
    return parser


def _number(variable: str, written: str, most: int) -> int:
    if not written.isdecimal() or not 1 <= int(written) <= most:
        raise EffectChoiceError(f"{variable}={written} is not a whole number from 1 to {most}")
    return int(written)


def _points(written: str) -> float:
    try:
        points = float(written)
    except ValueError:
        raise EffectChoiceError(f"LIFT={written} is no number of points, such as 4") from None
    return points / 100


def _check_out(out: Path) -> None:
    """
    Make sure that nothing is replaced but what another play has left.

    Raises:
        EffectChoiceError: it would be.
    """
    page = FILES["page"]
    if (out / page).exists() and not (out / FILES["result"]).exists():
        raise EffectChoiceError(f"OUT={out}: {page} there is not of a play, and would be lost: name another folder")


class _Progress:
    """One line that changes on a terminal, nothing elsewhere."""

    def __init__(self, days: int) -> None:
        self._days = days
        self._is_terminal = sys.stderr.isatty()

    def show(self, day: date, world: EffectWorld) -> None:
        """Show how far the play is."""
        if self._is_terminal:
            happened, number = world.happened, (day - BEGIN).days
            counts = f"texts {happened.texts:,}, payments {happened.payments:,}"
            sys.stderr.write(f"\r\x1b[K{day}, day {number} of {self._days}: {counts}")
            sys.stderr.flush()

    def close(self) -> None:
        """Leave the line empty."""
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def as_json(run: EffectRun) -> str:
    """Return a run as JSON: numbers, and no customer. What depends on the machine is left out."""
    left_out = {"seconds", "seconds_of_nights", "memory_mb"}
    return json.dumps(_plain({k: v for k, v in _fields(run).items() if k not in left_out}), indent=2) + "\n"


def _fields(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}  # type: ignore[attr-defined]


def _plain(value: object) -> object:
    """Return what JSON knows: keys that are not text become text, such as `quiet/text/-3`."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(each) for name, each in _fields(value).items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    if isinstance(value, Mapping):
        return {_key(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _key(name: object) -> str:
    if isinstance(name, tuple):
        return "/".join("*" if part is None else str(part) for part in name)
    return str(name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, write the files, print the report, and return the exit status."""
    options = _parser().parse_args(arguments)
    out = Path(options.out)
    try:
        customers = _number("CUSTOMERS", options.customers, _MOST_CUSTOMERS)
        days = _number("DAYS", options.days, _MOST_DAYS)
        seed = _number("SEED", options.seed, 2**31)
        nights = _number("NIGHTS", options.nights, _MOST_DAYS)
        lift = _points(options.lift)
        _check_out(out)
        out.mkdir(parents=True, exist_ok=True)
    except DunningError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"OUT={out}: {error.strerror}\n")
        return 2
    progress = _Progress(days)
    try:
        run = play_effect(
            customers=customers, days=days, seed=seed, lift=lift, nights_apart=nights, on_night=progress.show
        )
    except ValueError as error:
        progress.close()
        sys.stderr.write(f"LIFT={options.lift}: {error}\n")
        return 2
    finally:
        progress.close()
    text = "\n".join(effect_report(run)) + "\n"
    (out / FILES["text"]).write_text(text, "utf-8")
    (out / FILES["result"]).write_text(as_json(run), "utf-8")
    (out / FILES["page"]).write_text(effect_page(run), "utf-8")
    sys.stdout.write(text)
    sys.stdout.write("\nFILES\n")
    sys.stdout.writelines(f"  {out / name}\n" for name in FILES.values())
    return 0 if run.is_right else 1


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make effect | head` ends quietly
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: nothing was written.\n")
        sys.exit(130)
