"""Addresses: what can be an e-mail address, and what a LINE user id. Pure."""

import re

_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_LONGEST_EMAIL = 254
_LINE_USER_ID = re.compile(r"U[0-9a-f]{32}")


def is_mail_address(address: str) -> bool:
    """Tell whether a mail service can take an address: ASCII, a local part and a domain, as long as RFC 5321 allows."""
    local = address.partition("@")[0]
    dots = local.startswith(".") or local.endswith(".") or ".." in local
    return len(address) <= _LONGEST_EMAIL and _EMAIL.fullmatch(address) is not None and not dots


def is_line_user_id(address: str) -> bool:
    """Tell whether this can be the id that LINE gives a user of an account: U and 32 hexadecimal digits."""
    return _LINE_USER_ID.fullmatch(address) is not None
