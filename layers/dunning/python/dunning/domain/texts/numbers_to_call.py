"""Numbers to call: finds them in the words of a lender, for places whose carriers block texts that hold one."""

import re

_NUMBER = re.compile(r"[0-9](?:[ ()./-]{0,2}[0-9]){3,}")
"""Four digits and more, however they are grouped: short codes have no fewer."""


def holds_number_to_call(words: str) -> bool:
    """Tell whether words hold what may be a telephone number."""
    return _NUMBER.search(words) is not None
