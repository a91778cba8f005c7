"""A folder of policies is laid over the package's."""

from pathlib import Path

import pytest

from dunning import wiring
from dunning.policy import PolicyError
from tests.local.policies import PoliciesError, lender_for, load
from tests.support.builders import the_policies

PACKAGE = Path(wiring.__file__).parent / "policy" / "data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one lender, and nothing else."""
    written = (PACKAGE / "lenders" / "demo-tw.toml").read_text("utf-8")
    (tmp_path / "lenders").mkdir()
    (tmp_path / "lenders" / "mine.toml").write_text(written.replace('id = "demo-tw"', 'id = "mine"'), "utf-8")
    return tmp_path


def test_its_lenders_are_the_only_ones_and_the_rest_is_the_packages(folder: Path) -> None:
    policies = load(folder)
    assert list(policies.book.lenders) == ["mine"]
    assert policies.book.places.by_id.keys() == the_policies().places.by_id.keys()
    assert policies.book.calendar_of("TW") is not None


def test_a_file_of_texts_counts_instead_of_the_packages(folder: Path) -> None:
    written = (PACKAGE / "texts" / "en.toml").read_text("utf-8")
    (folder / "texts").mkdir()
    (folder / "texts" / "en.toml").write_text(written, "utf-8")
    assert load(folder).book.wordings.keys() == the_policies().wordings.keys()
    (folder / "texts" / "en.toml").write_text(written.replace("single =", "sngle =", 1), "utf-8")
    with pytest.raises(PolicyError, match=r"texts/en\.toml"):
        load(folder)


def test_the_handlers_use_them_while_they_are_in_use(folder: Path) -> None:
    policies = load(folder)
    with policies.in_use():
        assert wiring.policy_book().lenders is policies.book.lenders
    assert list(wiring.policy_book().lenders) == list(the_policies().lenders)


@pytest.mark.parametrize(("name", "says"), [("nowhere", "there is no such folder"), (".", r"no file lenders/\*\.toml")])
def test_a_folder_without_lenders_is_refused(name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(PoliciesError, match=f"^POLICIES=.*{says}"):
        load(tmp_path / name)


class TestTheLenderOfAllAccounts:
    """`LENDER=`, or the only one there is."""

    def test_is_the_one_that_is_asked_for(self) -> None:
        assert lender_for(the_policies(), "demo-cn", frozenset()) == "demo-cn"

    def test_is_each_accounts_own_if_nobody_asks(self) -> None:
        assert not lender_for(the_policies(), "", frozenset({"demo-tw"}))

    def test_is_the_only_one_there_is_where_the_sample_knows_others(self, folder: Path) -> None:
        assert lender_for(load(folder).book, "", frozenset({"demo-tw"})) == "mine"

    def test_has_to_be_named_where_there_are_several(self) -> None:
        with pytest.raises(
            PoliciesError, match=r"^LENDER= has to be named for the sample, one of: demo-channels, demo-cn"
        ):
            lender_for(the_policies(), "", frozenset({"another"}))

    def test_is_refused_with_all_there_are_if_none_is_near(self) -> None:
        with pytest.raises(
            PoliciesError, match=r"no such lender\. There are: demo-channels, demo-cn, demo-tw, demo-world$"
        ):
            lender_for(the_policies(), "zzz", frozenset())

    def test_is_refused_with_the_nearest_if_there_is_none_such(self) -> None:
        with pytest.raises(PoliciesError, match=r"^LENDER=demo-tv: there is no such lender; did you mean demo-tw\?"):
            lender_for(the_policies(), "demo-tv", frozenset())
