"""What several unit tests need."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the package's policies that may be spoilt."""
    with as_file(files("dunning.policy") / "data") as source:
        shutil.copytree(source, tmp_path / "policy", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "policy"
