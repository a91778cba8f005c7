"""The load of a large file: its arithmetic by hand, and what it takes for granted against counted calls."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.capacity import MACHINE, load_known, load_template
from tests.bench.file_load import NEW, PART, FileLoad, answer, counted

TEMPLATE = load_template()
LOAD = FileLoad(
    rows=10_000_000,
    known=load_known("ap-northeast-1"),
    machine=MACHINE,
    loaders=TEMPLATE.loaders,
    part_bytes=TEMPLATE.part_bytes,
    shards=TEMPLATE.shards,
    memory_mb=TEMPLATE.intake_mb,
    disk_mb=TEMPLATE.intake_disk_mb,
)
PAGE = Path(__file__).parents[3] / "layers" / "dunning" / "docs" / "capacity.md"


@pytest.mark.slow(reason="a file of sixty customers on the embedded AWS, whole and in parts")
def test_customers_and_parts_use_what_the_model_takes_for_granted() -> None:
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    found = counted()
    whole, split, parts = found.whole, found.split, found.parts
    assert whole.write_units / found.customers == pytest.approx(NEW.writes, rel=0.02)
    assert whole.read_units / found.customers == pytest.approx(NEW.reads, rel=0.03)
    assert (split.write_units - whole.write_units) / parts == pytest.approx(PART.writes, rel=0.15)
    assert (split.read_units - whole.read_units) / parts == pytest.approx(PART.reads, rel=0.1)
    assert split.calls["s3.PutObject"] / parts == pytest.approx(PART.puts, rel=0.05)
    assert split.calls["s3.GetObject"] / parts == pytest.approx(PART.gets, rel=0.1)
    # Each message is received and deleted, too, which is no call of the function.
    assert split.sqs_requests / parts + 2 == pytest.approx(PART.sqs_requests, rel=0.05)


def test_ten_million_rows_fit_into_invocations_and_onto_the_disk() -> None:
    assert LOAD.parts == 120
    assert LOAD.fits
    assert not replace(LOAD, rows=100_000_000).fits


def test_a_file_takes_its_split_and_then_its_customers_at_the_pace_of_the_narrowest() -> None:
    first = LOAD.limits()[0]
    assert first.name == "4 loaders"
    assert first.customers_a_second == pytest.approx(4 * 8 / (4 * 0.006))
    assert LOAD.seconds() == pytest.approx(10_000_000 / 50_000 * 1.5 + 10_000_000 / 6 / first.customers_a_second)


def test_a_new_table_gives_way_before_the_loaders_do() -> None:
    new = replace(LOAD, is_new_table=True)
    assert new.limits()[0].customers_a_second == pytest.approx(4000 / NEW.writes)
    assert new.seconds() > LOAD.seconds()


def test_a_file_that_says_little_new_costs_little() -> None:
    assert replace(LOAD, unchanged=0.98).dollars() < LOAD.dollars() / 10


def test_the_example_on_the_page_is_what_the_model_says() -> None:
    page = PAGE.read_text("utf-8")
    for load in (replace(LOAD, is_new_table=True), LOAD, replace(LOAD, unchanged=0.98)):
        assert f"{load.seconds() / 60:.0f} min" in page
        assert f"{load.write_units() / 1e6:.1f} million" in page
        assert f"{load.dollars():.2f}" in page
    assert f"{LOAD.parts} parts" in page
    assert any("gives way first" in line for line in answer(LOAD))
