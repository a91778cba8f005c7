"""Headings: how two spellings of a column's heading are known to be the same."""

import unicodedata


def plain_heading(heading: str) -> str:
    """
    Return a heading's letters and digits in one form, the same for `Due Date`, `due_date` and full-width letters.

    Nothing else is folded. What a heading says in parentheses may be a unit: `金額（千元）` is not `金額`.
    """
    folded = unicodedata.normalize("NFKC", heading).casefold()
    return "".join(filter(str.isalnum, folded))
