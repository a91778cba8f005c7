"""Tell whether the weights of the reader are older than the corpus, or the program, that they were made from."""

import hashlib
import json
import sys
from pathlib import Path

from training.corpus import TRAIN

HERE = Path(__file__).parent
PACKAGE = HERE.parent / "python/dunning"
WEIGHTS = PACKAGE / "policy/data/reader/weights.json"

_PROGRAM = (
    HERE / "corpus.py",
    HERE / "train.py",
    PACKAGE / "domain/replies/features.py",
    PACKAGE / "domain/replies/weights.py",
    PACKAGE / "domain/texts/lint/folding.py",
)


def training_digest() -> str:
    """Return the digest of everything that the weights follow from."""
    digest = hashlib.sha256()
    for file in (*sorted(TRAIN.glob("*.tsv")), *_PROGRAM):
        digest.update(f"{file.name}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def main() -> None:
    """Exit with status 1 and say what to do if the weights are stale."""
    if json.loads(WEIGHTS.read_text("utf-8"))["digest"] != training_digest():
        sys.exit(f"{WEIGHTS.name} is older than the corpus or the program it is made from: run make replies-train")


if __name__ == "__main__":
    main()
