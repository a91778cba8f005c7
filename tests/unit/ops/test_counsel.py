"""The page for counsel shows every limit of every place, how sure we are, what has changed, and room to sign."""

import re
from datetime import date
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dunning.policy import jurisdiction, load_policies
from dunning.policy.fields import Sourced
from ops.counsel import changes_since, counsel_page, limits_to_sign
from ops.policy_check import main
from tests.support.builders import the_policies

TODAY = date(2026, 11, 30)
PLACES = list(the_policies().places.by_id.values())


class _Sections(HTMLParser):
    """The words of each place's section, and the cells of the first table of sums."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[str, list[str]] = {}
        self.within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self.within = dict(attrs)["id"] or ""
            self.of[self.within] = []
        assert tag not in {"script", "link", "img"}, "the page needs no other file"

    def handle_data(self, data: str) -> None:
        self.of.setdefault(self.within, []).append(data)


def sections(page: str) -> dict[str, str]:
    reader = _Sections()
    reader.feed(page)
    return {name: " ".join(pieces) for name, pieces in reader.of.items()}


def test_every_limit_of_every_place_is_there_with_its_source_and_its_mark() -> None:
    page = sections(counsel_page(PLACES, TODAY))
    assert set(page) == {"", *the_policies().places.by_id}
    for place in PLACES:
        shown = page[place.law.id]
        limits = list(place.law.sourced())
        for _, limit, _ in limits:
            assert limit.source in shown
        assert len(re.findall(r"line \d+", shown)) == len(limits)


def test_every_kind_of_limit_has_words() -> None:
    kinds = {kind for kind in vars(jurisdiction).values() if isinstance(kind, type) and issubclass(kind, Sourced)}
    shown = {type(limit) for place in PLACES for _, limit, _ in place.law.sourced()}
    assert kinds - {Sourced} == shown
    assert all(limit.topic and limit.says for place in PLACES for limit in limits_to_sign(place))


def test_what_is_left_to_the_lender_comes_first_then_what_is_least_sure_and_there_is_room_to_sign() -> None:
    shown = sections(counsel_page(PLACES, TODAY))["HK"]
    order = [
        shown.index(words) for words in ("Left to the lender", "M: from memory", "V2: from", "V: conf", "D: our own")
    ]
    assert order == sorted(order)
    assert order[-1] < shown.index("Name") < shown.index("Capacity") < shown.index("Signature")


def test_the_sums_count_each_mark() -> None:
    (indonesia,) = [place for place in PLACES if place.law.id == "ID"]
    page = unescape(counsel_page([indonesia], TODAY))
    marks = [limit.mark for limit in limits_to_sign(indonesia)]
    sums = [str(marks.count(mark)) for mark in ("V", "Vq", "V2", "M", "D")]
    assert f"ID<td>{'<td>'.join(sums)}<td>0" in page
    assert marks.count("Vq") == 3


def test_what_was_looked_at_or_comes_into_force_since_a_day_is_marked() -> None:
    page = sections(counsel_page(PLACES, TODAY, date(2026, 12, 1)))
    assert "since 2026-12-01" in page[""]
    india = [limit for place in PLACES if place.law.id == "IN" for limit in limits_to_sign(place, date(2026, 12, 1))]
    assert {limit.in_force_from for limit in india if limit.changed} == {date(2027, 1, 1)}
    assert "(from 2027-01-01)" in page["IN"]
    lines = list(changes_since(PLACES, date(2026, 12, 1)))
    assert any(
        re.match(r"IN +\[V2\] +jurisdictions/IN\.toml:\d+ +hours: 08:00-19:00 every day \(from 2027", line)
        for line in lines
    )
    assert {line.split()[0] for line in lines} == {"IN", "US"}


def test_what_a_file_says_is_text_and_no_markup(folder: Path) -> None:
    place = folder / "jurisdictions/TW.toml"
    place.write_text(place.read_text("utf-8").replace('name = "Taiwan"', 'name = "<b>Tai & wan"'), "utf-8")
    page = counsel_page([load_policies(folder).places.by_id["TW"]], TODAY)
    assert "&lt;b&gt;Tai &amp; wan" in page
    assert "<b>Tai" not in page


def test_the_command_writes_the_page_of_the_places_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "counsel.html"
    assert main(["--counsel", str(file), "--place", "GR"], TODAY) == 0
    assert capsys.readouterr().out == f"Wrote {file}: 1 place, to print and sign.\n"
    assert set(sections(file.read_text("utf-8"))) == {"", "GR"}
    assert main(["--counsel", str(tmp_path / "nowhere" / "x.html")], TODAY) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_command_lists_what_has_changed_since_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--since", "2027-01-01", "--place", "IN"], TODAY) == 0
    assert all(line.startswith("IN ") and "2027-01-01" in line for line in capsys.readouterr().out.splitlines())


def test_a_day_that_is_none_is_refused_with_what_to_write(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--since", "yesterday"], TODAY)
    assert "yesterday is no day: write it as in SINCE=2026-12-01" in capsys.readouterr().err


@pytest.mark.parametrize(("region", "code"), [("ap-south-1", 0), ("eu-central-1", 1)])
def test_a_stack_in_a_region_where_data_of_a_lenders_people_may_not_be_stored_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], region: str, code: int
) -> None:
    lender = folder / "lenders/demo-tw.toml"
    indian = 'sender_id = "DEMOFN"\nentity_id = "E"\nmax_price = "0.01"\nregistered = { "en/before-3@3" = "I-1" }'
    text = f"{lender.read_text('utf-8')}\n[countries.IN]\n{indian}\n"
    lender.write_text(text, "utf-8")
    line = text.splitlines().index("[countries.IN]") + 1
    assert main(["--policies", str(folder), "--brief", "--region", region], TODAY) == code
    out, refused = capsys.readouterr()
    assert (f"No law keeps the data of the lenders' people out of {region}." in out) is (code == 0)
    if code:
        assert refused.startswith(
            f"Refused: lenders/demo-tw.toml:{line}: countries.IN: data of people in India are stored"
        )
        assert "only in ap-south-1, ap-south-2, jurisdictions/IN.toml:" in refused
        assert "not in eu-central-1" in refused
