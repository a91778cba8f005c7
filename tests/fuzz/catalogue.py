"""All parsers that are fuzzed, and the inputs that are kept of them: each is checked in every run of the tests."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.fuzz.channels import channel_parsers
from tests.fuzz.files import file_parsers
from tests.fuzz.messages import message_parsers
from tests.fuzz.parser import Parser
from tests.fuzz.visits import visit_parsers

SEEDS = Path(__file__).parent / "seeds"


def parsers() -> Mapping[str, Parser]:
    """Return the parsers by their names."""
    return {
        parser.name: parser for parser in (*message_parsers(), *channel_parsers(), *file_parsers(), *visit_parsers())
    }


def kept_inputs(name: str, folder: Path = SEEDS) -> Iterator[bytes]:
    """Yield what earlier runs have kept of a parser: inputs that reach what no other does."""
    path = folder / f"{name}.jsonl"
    if path.exists():
        for line in path.read_text("ascii").splitlines():
            yield json.loads(line).encode("utf-8", "surrogateescape")


def keep_inputs(name: str, inputs: Iterable[bytes], folder: Path = SEEDS) -> None:
    """Keep inputs of a parser, a line of JSON each; bytes that are no UTF-8 are written as halves of characters."""
    lines = [json.dumps(data.decode("utf-8", "surrogateescape")) for data in sorted(inputs, key=lambda b: (len(b), b))]
    (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), "ascii")
