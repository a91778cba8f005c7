"""
Effect: settles each night what trials drew, and works out what reminders do.

It is started several times a night. A lender whose night is done is left out; one whose time ran out goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dunning import wiring
from dunning.entrypoint import entrypoint

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@entrypoint(wiring)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, bool]:
    """
    Work out tonight's results, and say whether all are done.

    Raises:
        DunningError: a lender's night failed, and those of the others are done.
    """
    del event
    is_whole = wiring.trial_night_service().run_all(lambda: context.get_remaining_time_in_millis() / 1000)
    return {"is_whole": is_whole}
