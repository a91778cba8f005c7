"""Headings: which line of a file names the columns, by what sign cells are parted, and which column is which."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from dunning.domain.customer.headings import plain_heading
from dunning.domain.errors import DunningError
from dunning.domain.texts.formulas import may_hold_a_formula
from dunning.services.intake.refusals import FileRefusedError, Refusal
from dunning.services.intake.rows import COLUMNS, CONTACT_COLUMNS, MAY_BE_ABSENT

SEPARATORS = ",;\t|"
MOST_LINES_ABOVE = 10
"""The lines in which the heading is looked for: reports have a title, a date and an empty line above it."""

_FEW = 3
"""So many columns of ours make a line a heading. Fewer may be words of a title."""

_MANY = 10
_LONGEST_HEADING = 80
_MARKUP = ("{", "[", "<")
_NEAR, _VERY_NEAR = 0.6, 0.8
_MOST_NEAR = 200
"""For so many unknown headings the nearest column is looked for, which takes milliseconds each."""

type Headings = Mapping[str, str]
"""The column of each heading, the heading in the form of `plain_heading`."""


class UnknownColumnError(DunningError):
    """A file of headings names a column that a file of accounts does not have."""


def with_own_names(headings: Headings) -> Headings:
    """
    Return the headings and the columns' own names.

    Raises:
        UnknownColumnError: a heading belongs to no column; the message names the nearest.
    """
    for column in headings.values():
        if column not in COLUMNS:
            near = get_close_matches(column, COLUMNS, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise UnknownColumnError(f"columns/*.toml: headings.{column}: there is no such column{meant}")
    return {**headings, **{plain_heading(column): column for column in COLUMNS}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """
    The line that names the columns.

    `columns` are in the order of the file: ours by their names, others by an empty name. `above` are the lines before.
    """

    line: int
    columns: Sequence[str]
    separator: str
    above: Sequence[int]
    unknown: Sequence[tuple[str, str]]
    """Headings that are none of ours, each with the column that is nearest, or nothing."""

    def moved(self, lines: int) -> "Heading":
        """Return the heading with so many lines more above it."""
        return replace(self, line=self.line + lines, above=[line + lines for line in self.above])


class _ReadLine:
    """A line read with one separator."""

    def __init__(self, line: int, cells: Sequence[str], headings: Headings) -> None:
        self.line = line
        self.cells = cells
        self.columns = [
            headings.get(plain_heading(cell), "") if len(cell) <= _LONGEST_HEADING else "" for cell in cells
        ]
        self.found = set(self.columns) - {""}


def find_heading(lines: Sequence[str], separators: str, headings: Headings) -> Heading:
    """
    Find the heading in the first lines of a file.

    Args:
        lines: the first physical lines, with their ends.
        separators: the separators that the file may have.
        headings: the known headings, our own names among them.

    Raises:
        FileRefusedError: there is none, it has two lines, or it lacks a column.
    """
    best: _ReadLine | None = None
    separator = separators[0]
    others: Sequence[_ReadLine] = ()
    for sign in separators:
        candidates = [_ReadLine(line, cells, headings) for line, cells in _records(lines, sign)]
        top = max(candidates, key=lambda candidate: (len(candidate.found), -candidate.line), default=None)
        if top is not None and (best is None or len(top.found) > len(best.found)):
            best, separator, others = top, sign, candidates
    if best is None:
        raise FileRefusedError(Refusal.EMPTY_FILE)
    if len(best.found) < _FEW:
        beginning = "".join(lines).lstrip()
        if beginning.startswith(_MARKUP):
            raise FileRefusedError(Refusal.NOT_A_CSV, hint="It is HTML." if beginning[0] == "<" else "It is JSON.")
        raise FileRefusedError(Refusal.NO_HEADING, hint=_of_first_line(others))
    _check_columns(best, others, headings)
    width = len(best.cells)
    while width and not best.cells[width - 1].strip():
        width -= 1
    return Heading(
        line=best.line,
        columns=best.columns[:width],
        separator=separator,
        above=[candidate.line for candidate in others if candidate.line < best.line],
        unknown=_unknown(best, headings),
    )


def _records(lines: Sequence[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=separator)
    line = 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error:
        return


def _check_columns(best: _ReadLine, candidates: Sequence[_ReadLine], headings: Headings) -> None:
    for column in COLUMNS:
        if best.columns.count(column) > 1:
            cells = [cell for cell, known in zip(best.cells, best.columns, strict=True) if known == column]
            named = [_quoted(" ".join(cell.split())) for cell in cells]
            raise FileRefusedError(Refusal.DUPLICATE_COLUMN, best.line, column, f"The headings are {', '.join(named)}.")
    missing = [column for column in COLUMNS if column not in best.found and column not in MAY_BE_ABSENT]
    for beside in candidates:
        is_group_line = beside.line == best.line - 1 and sum(map(bool, map(str.strip, beside.cells))) >= _FEW
        if is_group_line or (abs(beside.line - best.line) == 1 and beside.found & set(missing)):
            raise FileRefusedError(Refusal.HEADING_OF_TWO_LINES, min(beside.line, best.line))
    unknown = _unknown(best, headings)
    if missing:
        not_known = "; ".join(f"{name} (like {near})" if near else name for name, near in unknown)
        hint = f"These headings are not known: {not_known}." if not_known else ""
        raise FileRefusedError(Refusal.MISSING_COLUMNS, best.line, " ".join(missing), hint)
    # Without an address people are texted: a file is not refused for a heading that is only like it.
    absent = MAY_BE_ABSENT - best.found - {*CONTACT_COLUMNS}
    for name, _ in unknown:
        meant = get_close_matches(
            plain_heading(name[:_LONGEST_HEADING]), map(plain_heading, absent), n=1, cutoff=_VERY_NEAR
        )
        if meant:
            hint = f"The heading is {name}; the column is called {headings[meant[0]]}."
            raise FileRefusedError(Refusal.MISSPELT_HEADING, best.line, headings[meant[0]], hint)


def _of_first_line(candidates: Sequence[_ReadLine]) -> str:
    """Name the first headings of a line of unknown headings. A line that may be data is not quoted."""
    cells = [" ".join(cell.split()) for cell in candidates[0].cells]
    if len(cells) < _MANY or not all(map(_may_be_quoted, cells)):
        return ""
    return f"The first line has {', '.join(filter(None, cells[:_MANY]))} ..."


def _quoted(heading: str) -> str:
    return heading if _may_be_quoted(heading) else "..."


def _may_be_quoted(heading: str) -> bool:
    """Tell whether a heading may stand in a reject file: it is no data, no formula, and steers no terminal."""
    digits = sum(map(str.isdigit, heading))
    return len(heading) <= _LONGEST_HEADING and digits <= _FEW and "@" not in heading and _is_harmless(heading)


def _is_harmless(heading: str) -> bool:
    return all(map(str.isprintable, heading.split())) and not may_hold_a_formula(heading)


def _unknown(candidate: _ReadLine, headings: Headings) -> list[tuple[str, str]]:
    """Return the headings that are none of ours. What looks like data is not quoted."""
    unknown: list[tuple[str, str]] = []
    for cell, column in zip(candidate.cells, candidate.columns, strict=True):
        name = " ".join(cell.split())
        if column or not name:
            continue
        near = (
            get_close_matches(plain_heading(name[:_LONGEST_HEADING]), headings, n=1, cutoff=_NEAR)
            if len(unknown) < _MOST_NEAR
            else []
        )
        unknown.append((_quoted(name), headings[near[0]] if near else ""))
    return unknown
