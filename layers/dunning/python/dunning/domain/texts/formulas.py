"""Formulas: what a spreadsheet may take a cell for, and work out, when somebody opens a file of ours."""

import re

_BEGINNING = re.compile(r"[\s'\"`\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+@\t\r=+@＝＋＠－-]")
_PARTED = re.compile(r"[;|\t\r\n]")


def begins_a_formula(cell: str) -> bool:
    """Tell whether a cell begins as a formula does, perhaps behind blanks, quotes and what cannot be seen."""
    return _BEGINNING.match(cell) is not None


def may_hold_a_formula(text: str) -> bool:
    """Tell whether a text is, or has in it a cell that is, a formula, wherever a spreadsheet may part its cells."""
    return any(map(begins_a_formula, _PARTED.split(text)))
