"""Weights that are older than their corpus or program are refused."""

import json
from pathlib import Path

import pytest

from training import stale


def test_the_weights_of_the_repository_are_fresh() -> None:
    stale.main()


def test_weights_of_another_corpus_are_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights.json"
    weights.write_text(json.dumps({"digest": "0" * 64}), "utf-8")
    monkeypatch.setattr(stale, "WEIGHTS", weights)
    with pytest.raises(SystemExit, match=r"weights\.json is older than .*: run make replies-train"):
        stale.main()
