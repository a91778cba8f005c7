"""The one style sheet: small, read from nowhere else, and with enough contrast in both schemes."""

import re
from pathlib import Path

import pytest

from dunning.console.render import PAGES, compact_style, static_files
from dunning.services.console import today

LOCAL_PAGES = Path(__file__).parents[2] / "local" / "pages"

MOST_BYTES = 8_192
ENOUGH = 4.5
"""The contrast that text needs (WCAG 2.2, 1.4.3)."""
ENOUGH_FOR_SHAPES = 3.0
"""The contrast that a frame of a field or a bar of a chart needs (1.4.11)."""


def _served() -> str:
    files = static_files()
    return files.by_name[files.names["console.css"]].text


def _light(digits: str) -> float:
    """Return the relative luminance of a colour, as WCAG defines it."""
    digits = digits if len(digits) == 6 else "".join(each * 2 for each in digits)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(first: str, second: str) -> float:
    darker, lighter = sorted([_light(first), _light(second)])
    return (lighter + 0.05) / (darker + 0.05)


def _colours(scheme: int) -> dict[str, str]:
    found = re.findall(r"--(\w+):light-dark\(#(\w+),#(\w+)\)", _served())
    return {name: pair[scheme] for name, *pair in found}


def test_what_is_served_is_small_and_asks_for_nothing_else() -> None:
    assert len(_served().encode()) <= MOST_BYTES
    assert not re.search(r"url\(|@import|//", _served())


def test_comments_and_blanks_that_mean_nothing_are_not_served() -> None:
    written = '/* a\nb */ a:hover , b > c {\n  font: 1rem "Two Words" ; /* c */\n}\n'
    written += "@media (min-width: 9px) { d e { top: 0; } }"
    assert compact_style(written) == 'a:hover,b>c{font:1rem "Two Words"}@media (min-width:9px){d e{top:0}}'


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "well"])
def test_words_can_be_told_from_their_ground(scheme: int, ground: str) -> None:
    colours = _colours(scheme)
    for name in ("ink", "soft", "link", "good", "warn", "bad"):
        assert _contrast(colours[name], colours[ground]) >= ENOUGH, name


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_frames_of_fields_and_bars_can_be_told_from_the_paper(scheme: int) -> None:
    colours = _colours(scheme)
    for name in ("edge", "a", "b", "c"):
        assert _contrast(colours[name], colours["paper"]) >= ENOUGH_FOR_SHAPES, name


def test_the_sheet_names_no_class_that_stands_on_no_page() -> None:
    """A sheet as small as this has no room for what nobody wears."""
    places = [*PAGES.glob("*.html"), *LOCAL_PAGES.glob("*.html"), *PAGES.parent.glob("*.py")]
    services = Path(today.__file__).parent.glob("*.py")  # some are codes, such as those of stages
    words = set(re.findall(r"[\w-]+", " ".join(path.read_text("utf-8") for path in (*places, *services))))
    assert set(re.findall(r"\.([a-z][\w-]*)", _served())) - words == set()


def test_nothing_moves_by_itself() -> None:
    assert not re.search(r"animation|transition|scroll-behavior", _served())
