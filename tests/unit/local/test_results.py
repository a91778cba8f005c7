"""Results are put in place when they are complete, and replace nothing but those of an earlier run."""

import json
from pathlib import Path

import pytest

from tests.local.results import FILES, SAMPLE, OutError, Results, check_out, digest, sample_digest, sample_name

SUMMARY = {"run": {"sample": None}, "sent": {}, "decisions": {}}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The results of an earlier run, and a file of the user's own beside them."""
    folder = tmp_path / "out"
    folder.mkdir()
    for name in FILES.values():
        (folder / name).write_text("earlier", "utf-8")
    (folder / FILES["summary"]).write_text(json.dumps(SUMMARY), "utf-8")
    (folder / "notes.txt").write_text("mine", "utf-8")
    return folder


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_nothing_changes_before_the_results_are_put_in_place(out: Path) -> None:
    with Results(out) as results:
        (results.folder / FILES["sent"]).write_text("new", "utf-8")
        assert (out / FILES["sent"]).read_text("utf-8") == "earlier"
        assert results.folder.parent == out.parent
        results.put_in_place()
    assert (out / FILES["sent"]).read_text("utf-8") == "new"


def test_files_that_the_new_run_has_not_written_go_and_others_stay(out: Path) -> None:
    with Results(out) as results:
        (results.folder / FILES["sent"]).touch()
        results.put_in_place()
    assert _names(out) == {FILES["sent"], "notes.txt"}


def test_a_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    out = tmp_path / "some" / "where"
    with Results(out) as results:
        (results.folder / FILES["sent"]).touch()
        results.put_in_place()
    assert _names(out) == {FILES["sent"]}
    assert _names(out.parent) == {"where"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_run_that_does_not_end_well_leaves_the_earlier_results_and_nothing_else(
    error: type[BaseException], out: Path
) -> None:
    def run() -> None:
        with Results(out) as results:
            (results.folder / FILES["sent"]).touch()
            raise error

    before = _names(out)
    with pytest.raises(error):
        run()
    assert _names(out) == before
    assert (out / FILES["sent"]).read_text("utf-8") == "earlier"
    assert _names(out.parent) == {"out"}


def test_the_files_of_a_failed_run_end_with_the_traceback(out: Path) -> None:
    with Results(out) as results:
        results.keep(ZeroDivisionError("by nought"))
    assert "ZeroDivisionError: by nought" in (results.folder / FILES["log"]).read_text("utf-8")


def test_a_file_is_no_folder_for_results(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OutError, match=rf"^OUT={file} is a file: name a folder$"):
        check_out(file, [])
    with pytest.raises(OutError, match=rf"lies in {file}, which is a file"):
        check_out(file / "out", [])


@pytest.mark.parametrize("name", FILES.values())
def test_a_file_that_the_run_reads_is_not_overwritten(name: str, out: Path) -> None:
    with pytest.raises(OutError, match="would overwrite"):
        check_out(out, [out / name])


def test_a_file_that_no_run_has_written_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").touch()
    with pytest.raises(OutError, match=r"events\.jsonl there is not of a run"):
        check_out(tmp_path, [])


def test_results_of_an_earlier_run_may_be_replaced(out: Path) -> None:
    check_out(out, [out / "accounts.csv", out / "mine.jsonl"])


def test_the_sample_is_written_anew_over_a_sample_and_beside_anything_else(out: Path) -> None:
    assert sample_name(out) == SAMPLE
    (out / SAMPLE).write_bytes(b"a sample")
    assert sample_name(out) == "accounts.sample.csv"
    (out / FILES["summary"]).write_text(json.dumps({**SUMMARY, "run": {"sample": digest(b"a sample")}}), "utf-8")
    assert sample_name(out) == SAMPLE
    assert sample_digest(out) == digest(b"a sample")
    (out / SAMPLE).write_bytes(b"a sample that the user has changed")
    assert sample_digest(out) is None
    assert sample_name(out) == "accounts.sample.csv"
