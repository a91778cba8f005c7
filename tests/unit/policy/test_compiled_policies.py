"""What is prepared when the layer is built is what a working copy loads, and is all that a cold start reads."""

import importlib.util
import pickle
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from dunning import compiled_policies
from dunning.domain.decision.rules import Rules
from dunning.domain.replies.intents import ReplyIntent
from tests.devtools.built import contents
from tests.local import ROOT
from tests.support.people import NOW

_COMPILE = ROOT / "layers" / "dunning" / "compile_policies.py"


@pytest.fixture(scope="module")
def _at_build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """As in a layer: all is prepared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled_policies, "COMPILED_FOLDER", tmp_path_factory.mktemp("layer") / "prepared")
        spec = importlib.util.spec_from_file_location("compile_policies", _COMPILE)
        assert spec
        assert spec.loader
        compile_policies = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(compile_policies)
        patch.setattr(compile_policies, "COMPILED_FOLDER", compiled_policies.COMPILED_FOLDER)
        compile_policies.main()
        yield


@pytest.fixture
def _no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_policies, "LOADERS", {})


@pytest.mark.usefixtures("_at_build")
@pytest.mark.parametrize("what", compiled_policies.LOADERS)
def test_compiled_policies_equal_loaded_ones(what: str) -> None:
    found = pickle.loads((compiled_policies.COMPILED_FOLDER / f"{what}.pickle").read_bytes())
    assert contents(found) == contents(compiled_policies.LOADERS[what]())


@pytest.mark.usefixtures("_at_build", "_no_files")
def test_all_is_used_without_the_files() -> None:
    book = compiled_policies.policies()
    assert book.lenders
    for lender, found in book.lenders.items():
        for country in book.places.countries_under(found.policy.countries):
            assert isinstance(book.rules(lender, country, at=NOW), Rules)
    assert book.calendar_of("TW")
    assert book.calendar_of("XX") is None
    assert max(compiled_policies.calendars_needed().values()) > date(2026, 1, 1)
    understood = compiled_policies.reply_reader().parse("STOP", said_on=date(2026, 12, 1), phone_country="US")
    assert understood.sure == (ReplyIntent.OPT_OUT,)


def test_a_working_copy_loads_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_policies, "COMPILED_FOLDER", tmp_path)
    monkeypatch.setattr(compiled_policies, "LOADERS", {"calendars_needed": lambda: {"XX": date(2026, 12, 1)}})
    assert compiled_policies.calendars_needed() == {"XX": date(2026, 12, 1)}
