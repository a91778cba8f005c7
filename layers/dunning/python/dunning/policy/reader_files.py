"""The weights of the statistical reader, as `make replies-train` writes them into `reader/`."""

import json
import tomllib
from importlib.resources import files
from typing import NamedTuple

from dunning.domain.replies.intents import ReplyIntent
from dunning.domain.replies.weights import ReplyWeights, Thresholds
from dunning.domain.texts.lint.folding import Characters
from dunning.policy.files import PolicyError

_FOLDER = files("dunning.policy") / "data" / "reader"
_HASH_BYTES = 4


class TrainedReader(NamedTuple):
    """The weights, and the characters that have a Simplified form: features are taken after that folding."""

    weights: ReplyWeights
    simplified: dict[str, str]

    def characters(self, characters: Characters) -> Characters:
        """Return characters with every Simplified form there is."""
        return Characters({**characters.simplified, **self.simplified}, characters.lookalikes)


def load_trained_reader() -> TrainedReader:
    """
    Load the weights and their thresholds.

    Raises:
        PolicyError: the files do not belong together.
    """
    document = json.loads((_FOLDER / "weights.json").read_text("utf-8"))
    written = tomllib.loads((_FOLDER / "thresholds.toml").read_text("utf-8"))
    intents = tuple(map(ReplyIntent, document["intents"]))
    if set(written) != set(intents):
        raise PolicyError("reader/thresholds.toml: has not the intents of weights.json: run make replies-train")
    count = document["features"]
    binary = (_FOLDER / "weights.bin").read_bytes()
    width = len(intents) + 2
    if len(binary) != count * (_HASH_BYTES + width):
        raise PolicyError("reader/weights.bin: is not as long as weights.json says: run make replies-train")
    hashes = memoryview(binary[: count * _HASH_BYTES]).cast("I")
    weights = ReplyWeights(
        intents,
        dict(zip(hashes, range(0, count * width, width), strict=True)),
        binary[count * _HASH_BYTES :],
        document["units"],
        document["offsets"],
        document["slopes"],
        document["shifts"],
        {intent: Thresholds(**written[intent]) for intent in intents},
    )
    return TrainedReader(weights, dict(zip(document["variants"], document["simplified"], strict=True)))
