"""What keeps a commit from being released, and that this repository's changelog is one that can be."""

import tomllib

import pytest

from tests.devtools.release import Tree, obstacles, sections
from tests.local import ROOT

CHANGELOG = """\
# Changelog

## [Unreleased]

## [0.2.0] - 2026-12-01

### Added

- Subject first.

## [0.1.0] - 2026-11-29

- The first.
"""
CLEAN = Tree((), frozenset({"v0.1.0"}))


def test_a_clean_tree_with_a_dated_section_and_a_free_tag_can_be_released() -> None:
    assert list(obstacles("0.2.0", CHANGELOG, CLEAN)) == []


def test_sections_are_read_newest_first() -> None:
    assert [(section.version, section.dated) for section in sections(CHANGELOG)] == [
        ("Unreleased", ""),
        ("0.2.0", "2026-12-01"),
        ("0.1.0", "2026-11-29"),
    ]


@pytest.mark.parametrize(
    ("version", "changelog", "tree", "says"),
    [
        ("0.3.0", CHANGELOG, CLEAN, "pyproject.toml says 0.3.0, the newest section of CHANGELOG.md is 0.2.0."),
        ("0.2.0", "", CLEAN, "the newest section of CHANGELOG.md is none"),
        ("0.2.0", CHANGELOG.replace(" - 2026-12-01", ""), CLEAN, "has no date"),
        ("0.2.0", CHANGELOG.replace("2026-12-01", "2026-13-01"), CLEAN, "has no date"),
        ("0.2.0", CHANGELOG.replace("- Subject first.\n", ""), CLEAN, "is empty"),
        ("0.2.0", CHANGELOG.replace("## [0.2.0]", "- Later.\n\n## [0.2.0]"), CLEAN, "still has entries"),
        ("0.2.0", CHANGELOG.replace("## [Unreleased]\n", ""), CLEAN, "does not begin with"),
        ("0.2.0", CHANGELOG, Tree(("README.md",), CLEAN.tags), "The tree is not clean: README.md."),
        ("0.2.0", CHANGELOG, Tree((), frozenset({"v0.2.0"})), "The tag v0.2.0 exists already"),
    ],
)
def test_each_obstacle_is_named(version: str, changelog: str, tree: Tree, says: str) -> None:
    assert any(says in line for line in obstacles(version, changelog, tree))


def test_the_changelog_has_a_dated_section_for_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    written = sections((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert written[0].version == "Unreleased"
    assert version in {section.version for section in written[1:]}
    assert all(section.dated and not section.is_empty for section in written[1:])


def test_the_changelog_states_nothing_twice() -> None:
    entries = [line for line in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("- ")]
    first_words = [" ".join(line.split()[1:3]).rstrip(":") for line in entries]
    assert sorted(first_words) == sorted(set(first_words))
