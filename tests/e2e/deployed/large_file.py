"""
A large file on the stand-in: deployed, split, loaded in parts; with the memory of its functions over time.

    python -m tests.e2e.deployed.large_file [--rows 20000] [--instalments 6] [--loaders 4] [--minutes 15]
        [--twice]

The stand-in is no AWS: it answers a write in a hundredth of a second at best, a request at a time, and shares this
machine with the functions. What is shown is that the file is whole in the end, that memory does not follow its size,
and with `--twice` that the same file changes nothing. A customer is written once, however many rows: a million rows of
long contracts are loaded in minutes.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dunning.adapters.dynamodb.keys import FACTS, STANDING
from tests.bench.dynamodb_units import Attributes, Index, item_size, write_units
from tests.bench.intake_rows import INSTALMENTS_A_CUSTOMER, write_file
from tests.e2e.deployed.deployment import Deployer
from tests.e2e.deployed.standin import Folders, StandIn
from tests.e2e.deployed.world import ENGINEER_MAY, LENDER_MAY, MANAGER_MAY, World, make_user
from tests.local import ROOT

FOLDER = ROOT / ".local" / "large_file"
_PARTS = 20
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 2.0, 30.0
_KEYS = ("large.csv", "again.csv")
_DUE = Index("due", ("shard", "wake_key"), ("customer_id", "item"))
_WRITTEN_TOGETHER = frozenset({FACTS, STANDING})
"""Facts and standing of a customer are one transaction; all other items are written alone."""


def deployed(folders: Folders, stand_in: StandIn, *, split_above: int, loaders: int) -> World:
    """Deploy the stack, with its schedule off."""
    engineer, manager, lender = (
        make_user(stand_in, name, may)
        for name, may in (("engineer", ENGINEER_MAY), ("manager", MANAGER_MAY), ("lender", LENDER_MAY))
    )
    deployer = Deployer(stand_in.url, stand_in.certificate, engineer, folders.base, folders.logs / "deploy.log")
    world = World(stand_in, manager, engineer, lender, deployer)
    world.begin()
    world.deploy(ScheduleState="DISABLED", SplitAbove=str(split_above), FileLoaders=str(loaders))
    return world


class Memory(NamedTuple):
    """The megabytes that a process holds now, and the most that it has held."""

    now: int
    peak: int


def memory_of_the_intake(name: str) -> dict[int, Memory]:
    """Return the memory of each process of the intake, by its id."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            status = (process / "status").read_text("utf-8")
        except OSError:
            continue  # it has ended, or is none of ours
        if f"AWS_LAMBDA_FUNCTION_NAME={name}\0".encode() in environment:
            sizes = dict(line.split(":") for line in status.splitlines() if line.startswith(("VmRSS:", "VmHWM:")))
            now, peak = (int(sizes[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))
            found[int(process.name)] = Memory(now, peak)
    return found


def watch(world: World, place: int, minutes: float) -> Iterator[str]:
    """Yield how far the load of a file has come, until its summary is there, and then the summary."""
    started, peaks = time.monotonic(), dict[int, int]()
    parts_before = len(world.logged("intake", "file_part_loaded"))
    split: Sequence[dict[str, Any]] = ()
    while (elapsed := time.monotonic() - started) < minutes * 60:
        memory = memory_of_the_intake(world.ids["IntakeFunction"])
        peaks |= {process: held.peak for process, held in memory.items()}
        done = len(world.logged("intake", "file_part_loaded")) - parts_before
        now = " ".join(str(held.now) for held in sorted(memory.values())) or "-"
        yield f"{elapsed:6.0f} s  {done:4} parts  now {now} MB  load of the machine {os.getloadavg()[0]:.1f}"
        if not split and (split := world.logged("intake", "file_split")[place:]):
            yield "         split: {rows:,} rows, {parts} parts, {seconds:.1f} s".format(**split[0])
        for summary in world.logged("intake", "intake_finished")[place:]:
            yield f"         summary: {summary}"
            yield f"         most held by each process: {' '.join(map(str, sorted(peaks.values())))} MB"
            return
        time.sleep(min(_LONGEST_PAUSE_SECONDS, max(_PAUSE_SECONDS, elapsed / 20)))  # who asks takes the stand-in's time
    yield f"given up after {minutes:.0f} minutes"


def calls(world: World) -> Iterator[str]:
    """Yield the calls of DynamoDB that the intake has made."""
    made, failed = Counter[str](), Counter[str]()
    for call in world.calls():
        if call["function"] == world.ids["IntakeFunction"] and call["service"] == "dynamodb":
            made[call["operation"]] += 1
            failed[call["error"]] += bool(call["error"])
    yield "calls of DynamoDB by the intake: " + _listed(made)
    yield "of which failed: " + (_listed(+failed) or "none")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in counts.most_common())


class Stored:
    """What a table that was empty holds now, by kind of item: its number, its bytes, and the write units of it."""

    def __init__(self, items: Iterable[Attributes]) -> None:
        self.numbers, self._bytes, self._units = Counter[str](), Counter[str](), Counter[str]()
        for item in items:
            kind = item["item"]["S"].partition("#")[0]
            self.numbers[kind] += 1
            self._bytes[kind] += item_size(item)
            self._units[kind] += int(write_units(None, item, [_DUE], transactional=kind in _WRITTEN_TOGETHER))

    def lines(self) -> Iterator[str]:
        """Yield what is stored, a line each kind. Units are those of items that are written once."""
        for kind, number in self.numbers.most_common():
            units = self._units[kind]
            yield f"{number:9,} {kind}: {self._bytes[kind] // number:,} bytes each, {units:,} write units"
        all_units = self._units.total()
        yield f"{all_units:,} write units, {all_units / max(1, self.numbers[STANDING]):.1f} a customer"


def main(argv: Sequence[str] | None = None) -> int:
    """Load a file; return 1 if not all of its customers are there in the end."""
    parser = argparse.ArgumentParser(prog="make rows", description="Load a large file in parts on the stand-in.")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--loaders", type=int, default=2, choices=[2, 4, 8, 16])
    parser.add_argument("--instalments", type=int, default=INSTALMENTS_A_CUSTOMER, help="rows of each customer")
    parser.add_argument("--minutes", type=float, default=15.0, help="give up after them")
    parser.add_argument("--twice", action="store_true", help="load the same file again afterwards")
    arguments = parser.parse_args(argv)
    folders = Folders(FOLDER)
    folders.make()
    with tempfile.TemporaryDirectory() as place, StandIn(folders) as stand_in:
        file = Path(place, "rows.csv")
        write_file(file, arguments.rows, arguments.instalments)
        size = file.stat().st_size
        world = deployed(folders, stand_in, split_above=size // _PARTS * 4, loaders=arguments.loaders)
        sys.stdout.write(f"{arguments.rows:,} rows, {size:,} bytes; logs are in {folders.logs}\n")
        for number, key in enumerate(_KEYS[: 1 + arguments.twice]):
            with file.open("rb") as body:
                world.as_manager("s3").put_object(
                    Bucket=world.outputs["UploadsBucket"], Key=f"accounts/{key}", Body=body
                )
            for line in watch(world, number, arguments.minutes):
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
        stored = Stored(world.items("CustomersTable"))
        sys.stdout.writelines(f"{line}\n" for line in (*calls(world), *stored.lines()))
    expected = -(-arguments.rows // arguments.instalments)
    sys.stdout.write(f"{stored.numbers[STANDING]:,} of {expected:,} customers are stored\n")
    return int(stored.numbers[STANDING] != expected)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.nice(10)
    sys.exit(main())
