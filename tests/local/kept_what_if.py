"""What of a what-if the console keeps: its head, and as many examples as there is room for."""

from datetime import datetime
from hashlib import sha256
from pathlib import Path

from dunning.contracts.what_if_result import WhatIfResult
from dunning.ports.kept_comparisons import LARGEST_COMPARISON, ComparisonKeeper, KeptComparison
from tests.local.what_if_portfolio import WhatIfChoiceError

_PLAIN = frozenset({"nobody", "file", "records"})
_LONGEST_NAME = 80
_ID_DIGITS = 16


def keep_result(
    keeper: ComparisonKeeper, result: WhatIfResult, *, lender: str, payments: str, who: str, at: datetime
) -> KeptComparison:
    """
    Keep a what-if for the console, and return its head.

    Of folders and files on the machine only the last name is kept. Examples that make it too long are left out, the
    last ones first.

    Args:
        keeper: where it is kept.
        result: the what-if.
        lender: the only lender whom the changed files concern; empty if there are several.
        payments: what `PAYMENTS=` was.
        who: who keeps it.
        at: when.
    """
    policy = Path(result.policy).name or result.policy
    fitting = result.model_copy(update={"policy": policy})
    while len(fitting.model_dump_json().encode()) > LARGEST_COMPARISON and fitting.examples:
        fitting = fitting.model_copy(update={"examples": fitting.examples[:-1]})
    written = fitting.model_dump_json()
    head = KeptComparison(
        comparison_id=sha256(f"{at.isoformat()} {written}".encode()).hexdigest()[:_ID_DIGITS],
        lender=lender,
        kept_at=at,
        kept_by=who,
        payments=payments if payments in _PLAIN else "table",
        policy=policy,
        changed_files=result.changed_files,
        customers=result.customers,
        differing=result.differing,
        texts_today=result.today.texts,
        texts_changed=result.changed.texts,
    )
    keeper.keep_comparison(head, written)
    return head


def check_who(who: str) -> str:
    """
    Return who keeps a what-if.

    Raises:
        WhatIfChoiceError: nobody is named, or at too great a length.
    """
    name = who.strip()
    if not name:
        raise WhatIfChoiceError("KEEP=1 needs WHO=: say who keeps it, as in WHO=mei.chen")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise WhatIfChoiceError(f"WHO= is no name of at most {_LONGEST_NAME} characters")
    return name
