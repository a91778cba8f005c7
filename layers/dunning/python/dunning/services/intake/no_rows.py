"""No rows: lines of a table that are no instalments, such as a total. They are passed over, and named in the report."""

import re
from collections.abc import Sequence

from dunning.domain.customer.headings import plain_heading
from dunning.services.intake.heading_line import SEPARATORS, Headings
from dunning.services.intake.plain_text import plain
from dunning.services.intake.refusals import Refusal
from dunning.services.intake.rows import COLUMNS

_AT = {column: number for number, column in enumerate(COLUMNS)}
_CUSTOMER = _AT["customer_id"]
_SUMS = frozenset(_AT[column] for column in ("amount", "paid_amount", "late_fee"))
_OF_A_ROW = frozenset(_AT[column] for column in ("account_id", "account_number", "instalment_no", "due_on", "amount"))
_PERSONAL = tuple(_AT[column] for column in ("name", "phone"))
_SURELY_AN_ID = re.compile(r"[A-Za-z._:-]*[0-9][A-Za-z0-9._:-]*")
_TOTAL = re.compile(
    r"(?:.*[\s_:-])?(?:(?:grand|sub)?[\s_-]*totals?|sum)[\s:.]*(?:\(?[0-9]+.*)?"
    r"|共? ?[0-9,]+ ?(?:筆|笔|件|戶|户|人|rows?|records?)"
    r"|.*(?:合計|合计|總計|总计|小計|小计|總額|总额|加總|總和|总和|共計|共计)[\s:(]*(?:[0-9]+.*)?",
    re.IGNORECASE,
)
_LONG_GAP = re.compile(r"([\s_-])[\s_-]+")
_MANY_PARTS = 4
_LONGEST_TOLD = 200
"""In characters. A longer cell is no heading, no word for a total and no remark."""
_RULE = re.compile(r"[-=_ ]*")
_HEADINGS_REPEATED = 0.5


def is_surely_an_id(customer_id: str) -> bool:
    """Tell whether the first cell of a line is an id as people give them, with a digit: such a line is a row."""
    return _SURELY_AN_ID.fullmatch(customer_id) is not None


def why_no_row(cells: Sequence[str], others: Sequence[str], headings: Headings) -> Refusal | None:
    """
    Return what a line is, if it is surely no instalment.

    Args:
        cells: the cells of our columns, in the order of `COLUMNS`.
        others: all cells of the line.
        headings: the known headings.
    """
    if any(len(cell) > _LONGEST_TOLD for cell in others):
        return None
    filled = [number for number, cell in enumerate(cells) if cell.strip()]
    if filled and all(_RULE.fullmatch(cell) for cell in others):
        return Refusal.RULE_PASSED_OVER
    repeated = sum(headings.get(plain_heading(cells[number])) == COLUMNS[number] for number in filled)
    if repeated > len(filled) * _HEADINGS_REPEATED:
        return Refusal.HEADING_PASSED_OVER
    texts = [plain(cell) for cell in others if cell.strip()]
    if any(cells[at].strip() and not _is_total(plain(cells[at])) for at in _PERSONAL):
        return None
    if any(map(_is_total, texts)) or (filled and _SUMS.issuperset(filled)):
        return Refusal.TOTAL_PASSED_OVER
    return Refusal.REMARK_PASSED_OVER if _is_a_remark(cells, filled, texts) else None


def _is_total(text: str) -> bool:
    """Tell whether a cell is a word for a total. A gap counts as one sign: its length would cost its third power."""
    return _TOTAL.fullmatch(_LONG_GAP.sub(r"\1", text)) is not None


def _is_a_remark(cells: Sequence[str], filled: Sequence[int], texts: Sequence[str]) -> bool:
    """
    Tell whether a line says something that is no data of ours: one sentence, or labels such as those of signatures.

    A line that was quoted as a whole, or is parted by another sign, is one cell too; it is a row that cannot be read.
    """
    if (
        not texts
        or any(sum(map(text.count, SEPARATORS)) >= _MANY_PARTS for text in texts)
        or _OF_A_ROW.intersection(filled)
    ):
        return False
    first = texts[0]
    is_said = " " in first or not first.isascii() or ":" in first
    return is_said and (len(texts) == 1 or {_CUSTOMER}.issuperset(filled) or plain(cells[_CUSTOMER]) == first)
