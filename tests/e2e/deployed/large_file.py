"""
A large file on the stand-in: deployed, split, loaded in parts; with the memory of its functions over time.

    python -m tests.e2e.deployed.large_file [--rows 20000] [--loaders 4]

The stand-in is no AWS: it answers a write in a hundredth of a second at best, and shares this machine with the
functions. What is shown is that the file is whole in the end, and that memory does not follow its size.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.bench.intake_rows import INSTALMENTS_A_CUSTOMER, write_file
from tests.e2e.deployed.deployment import Deployer
from tests.e2e.deployed.standin import Folders, StandIn
from tests.e2e.deployed.world import ENGINEER_MAY, LENDER_MAY, MANAGER_MAY, World, make_user
from tests.local import ROOT

FOLDER = ROOT / ".local" / "large_file"
_PARTS = 20
_PAUSE_SECONDS = 2.0
_GIVE_UP_SECONDS = 900
_KEY = "large.csv"


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


def memory_of_the_intake(name: str) -> dict[int, int]:
    """Return the megabytes that each process of the intake holds, by its id."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            status = (process / "status").read_text("utf-8")
        except OSError:
            continue  # it has ended, or is none of ours
        if f"AWS_LAMBDA_FUNCTION_NAME={name}\0".encode() in environment:
            (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
            found[int(process.name)] = int(line.split()[1]) // 1024
    return found


def _lines(world: World, message: str) -> list[dict[str, Any]]:
    return [line for line in world.logged("intake") if line.get("message") == message]


def watch(world: World) -> Iterator[str]:
    """Yield how far the load has come, until its summary is there, and then the summary."""
    started, peaks = time.monotonic(), defaultdict[int, int](int)
    while time.monotonic() - started < _GIVE_UP_SECONDS:
        memory = memory_of_the_intake(world.ids["IntakeFunction"])
        for process, megabytes in memory.items():
            peaks[process] = max(peaks[process], megabytes)
        done = _lines(world, "file_part_loaded")
        yield (
            f"{time.monotonic() - started:6.0f} s  {len(done):4} parts  "
            f"now {' '.join(map(str, sorted(memory.values()))) or '-'} MB"
        )
        for split in _lines(world, "file_split")[:1]:
            yield f"         split: {split['rows']:,} rows, {split['parts']} parts, {split['seconds']:.1f} s"
        for summary in _lines(world, "intake_finished"):
            yield f"         summary: {summary}"
            yield f"         peaks: {' '.join(map(str, sorted(peaks.values())))} MB"
            return
        time.sleep(_PAUSE_SECONDS)
    yield f"given up after {_GIVE_UP_SECONDS} s"


def main(argv: Sequence[str] | None = None) -> int:
    """Load a file; return 1 if not all of its customers are there in the end."""
    parser = argparse.ArgumentParser(prog="make rows", description="Load a large file in parts on the stand-in.")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--loaders", type=int, default=2, choices=[2, 4, 8, 16])
    arguments = parser.parse_args(argv)
    folders = Folders(FOLDER)
    folders.make()
    with tempfile.TemporaryDirectory() as place, StandIn(folders) as stand_in:
        file = Path(place, _KEY)
        write_file(file, arguments.rows)
        size = file.stat().st_size
        world = deployed(folders, stand_in, split_above=size // _PARTS * 4, loaders=arguments.loaders)
        sys.stdout.write(f"{arguments.rows:,} rows, {size:,} bytes; logs are in {folders.logs}\n")
        with file.open("rb") as body:
            world.as_manager("s3").put_object(Bucket=world.outputs["UploadsBucket"], Key=f"accounts/{_KEY}", Body=body)
        for line in watch(world):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        stored = len(world.standings())
    expected = -(-arguments.rows // INSTALMENTS_A_CUSTOMER)
    sys.stdout.write(f"{stored:,} of {expected:,} customers are stored\n")
    return int(stored != expected)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.nice(10)
    sys.exit(main())
