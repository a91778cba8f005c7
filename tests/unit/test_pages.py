"""The pages: links lead somewhere, commands and paths exist, and the first page stays short."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "dunning" / "python" / "dunning"
DOCS = ROOT / "layers" / "dunning" / "docs"
CHANGELOG = ROOT / "CHANGELOG.md"
"""Tells of names and places that were."""

PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "functions").glob("*.md"), *(ROOT / "events").glob("*.md"), *DOCS.rglob("*.md")]
)
WIDEST = 110
LONGEST_README = 200

OF_THE_ROOT = ("events", "functions", "layers", "tests")
OF_THE_PACKAGE = ("adapters", "contracts", "domain", "policy", "ports", "services")

_LINK = re.compile(r"\]\(([^)\s]+)\)|^\[\w+\]: (\S+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_TARGET = re.compile(r"[a-z][a-z0-9-]*")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
present = pytest.mark.parametrize(
    "page", [page for page in PAGES if page != CHANGELOG], ids=lambda page: str(page.relative_to(ROOT))
)


def links(page: Path) -> Iterator[str]:
    """Yield where the links of a page lead, but for those to other sites."""
    for match in _LINK.finditer(page.read_text("utf-8")):
        link = match[1] or match[2]
        if "://" not in link:
            yield link


def anchors(page: Path) -> set[str]:
    """Return the headings of a page as GitHub names them in an address."""
    headings = _HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def commands(page: Path) -> Iterator[str]:
    """Yield what is written as code on a page: indented lines, and what stands in back-ticks."""
    text = page.read_text("utf-8")
    yield from (line.strip() for line in text.splitlines() if line.startswith("    "))
    yield from _CODE.findall(" ".join(text.split()))


def targets(command: str) -> Iterator[str]:
    """Yield the targets of each `make` in a command."""
    for part in re.split(r"&&|;", command):
        name, *words = part.split() or [""]
        if name != "make":
            continue
        for word in words:
            if not _TARGET.fullmatch(word):
                break
            yield word


def paths(page: Path) -> Iterator[str]:
    """Yield each path in back-ticks that begins with a folder of ours; a name in angle brackets may be any."""
    for code in _CODE.findall(page.read_text("utf-8")):
        if code.partition("/")[0] in (*OF_THE_ROOT, *OF_THE_PACKAGE) and "/" in code and " " not in code:
            yield re.sub(r"<[^>]*>", "*", code)


def exists(path: str) -> bool:
    folder = ROOT if path.partition("/")[0] in OF_THE_ROOT else PACKAGE
    # The data files of policies stand beside their loaders for now.
    spellings = (
        path,
        path.replace("policy/data/", "policy/", 1),
        path.replace("dunning/policy/data", "dunning/policy", 1),
    )
    return any(True for spelling in spellings for _ in folder.glob(spelling.rstrip("/")))


@pages
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def test_every_page_is_linked_from_another() -> None:
    linked = {(page.parent / link.partition("#")[0]).resolve() for page in PAGES for link in links(page)}
    assert set(DOCS.rglob("*.md")) <= linked


def test_a_stranger_reads_the_readme_in_five_minutes() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= LONGEST_README


@present
def test_no_line_is_wider_than_a_page(page: Path) -> None:
    if page.name == "CONTRIBUTING.md":
        return  # read beside the code, and as wide
    wide = [number for number, line in enumerate(page.read_text("utf-8").splitlines(), 1) if len(line) > WIDEST]
    assert not wide


@present
def test_every_make_target_exists(page: Path) -> None:
    known = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {target for command in commands(page) for target in targets(command)}
    assert named <= known


@present
def test_every_path_exists(page: Path) -> None:
    assert not [path for path in paths(page) if not exists(path)]


def test_commands_and_paths_are_found_where_they_stand() -> None:
    assert list(targets("make check test && make run ACCOUNTS=file.csv")) == ["check", "test", "run"]
    assert list(targets("make run     # of 265 customers")) == ["run"]
    assert exists("domain/decision/decide.py")
    assert exists("policy/data/lenders/*.toml")
    assert not exists("domain/decision/decided.py")
    assert any(paths(DOCS / "design.md"))
